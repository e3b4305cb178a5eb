"""Made-up requests: what no sound server is accused of, what a broken one is, and what is never sent."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.errors import ConfigurationError
from conformance.fuzz.driving import drive
from conformance.fuzz.passing import CRASH, DIFFERENCE, OPEN, Pass
from conformance.target.fuzzing import Fuzzing
from reference_server.faults import load as load_faults
from tests.conformance.scenarios.test_rotation_policies import RotatingApi, target
from tests.conformance.support import ALICE, BOB, answer
from tests.faults.kill_run import run_suite

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.target.http import Request, Response
    from tests.faults.kill_run import Result

FAULTS = [fault for fault in load_faults().values() if fault.area == "fuzz" and "FUZZ-04" not in fault.breaks]
IDS = ("FUZZ-01", "FUZZ-02", "FUZZ-03")
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "1"},
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    "security": [{"bearer": []}],
    "paths": {
        "/profile": {"get": {"responses": {"200": {"description": "Who."}}}},
        "/things": {
            "get": {
                "parameters": [{"name": "many", "in": "query", "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "All."}},
            },
            "delete": {"responses": {"204": {"description": "None left."}}},
        },
    },
}


class Api(RotatingApi):
    """Takes whatever is sent, as a server does; has an OpenAPI document, and things behind the same door."""

    document = DOCUMENT
    suspicious = False
    """Whether it answers 401 to whatever has a parameter."""
    things: Any = None

    def __call__(self, request: Request) -> Response:
        """Leave the parameters out, and refuse what cannot be read."""
        path, _, query = request.path.partition("?")
        self.sent = [*getattr(self, "sent", []), request]
        if self.suspicious and (query or request.body) and path != "/login":
            return answer(401, {"msg": "no"})
        if path == "/openapi.json":
            return answer(200, self.document)
        if path == "/things":
            known = self._live.get(self._token(request), ("", ""))[1] == "access"
            return self.things(query) if self.things else answer(*((200, []) if known else (401, {"msg": "no"})))
        try:
            return super().__call__(replace(request, path=path))
        except (ValueError, AttributeError, TypeError, KeyError):
            return answer(422, {"msg": "this cannot be read"})


def passed_over(api: Api, seconds: float = 4.0, *, openapi_url: str = "", intrusive: bool = False) -> Pass:
    """One pass over an API in this process."""
    judged = target(api)
    judged.fuzzing, judged.intrusive = Fuzzing(seconds, 1, openapi_url), intrusive
    return drive(judged, seconds)


def fuzzed(folder: Path, *args: str, **settings: str) -> Result:
    """A run of the requests alone."""
    chosen = ("-k", "fuzz_01 or fuzz_02 or fuzz_03", "--fuzz-time", "12", "--fuzz-seed", "1")
    return run_suite(folder, *chosen, *args, "--", "-m", "fuzz", **settings)


@pytest.mark.parametrize(
    ("args", "settings", "document"),
    [
        pytest.param((), {}, "passed", id="default"),
        pytest.param((), {"algorithm": "EdDSA", "rotation": "off"}, "passed", id="EdDSA-without-rotation"),
        pytest.param(("--target-profile", "lesson"), {}, "passed", id="lesson"),
        pytest.param(("--target-profile", "cookies"), {}, "untested", id="cookies"),
    ],
)
def test_a_healthy_server_has_no_finding(
    args: tuple[str, ...], settings: dict[str, str], document: str, tmp_path: Path
) -> None:
    """The bundled server, however it is set, bears whatever is sent; and what was sent was let in."""
    result = fuzzed(tmp_path, *args, **settings)

    assert result.verdicts == dict(zip(IDS, ("passed", document, "passed"), strict=True)), result.printed
    assert "100% of those with a credential were truly authenticated" in result.reasons["FUZZ-01"]
    assert result.report["policy"]["fuzzing"] == "--fuzz-seed 1"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found_and_nothing_else(fault: Any, tmp_path: Path) -> None:
    """Each breaks the requirement that it declares, with the request that shows it."""
    result = fuzzed(tmp_path, fault=fault.name)

    assert result.having("failed", "warned") == set(fault.breaks), result.printed
    assert result.having("passed") == set(IDS) - set(fault.breaks)
    (found,) = [one for requirement in result.report["requirements"] for one in requirement["findings"]]
    assert found["curl"].startswith("curl ")


def test_every_requirement_of_the_stage_has_a_fault() -> None:
    """As for all others the kill matrix says."""
    broken = {name for fault in load_faults().values() if fault.area == "fuzz" for name in fault.breaks}

    assert broken == {*IDS, "FUZZ-04"}


def test_an_api_is_fuzzed_by_its_profile() -> None:
    """Without a document the profile's own operations are tried, and of answers nothing is said."""
    passed = passed_over(Api())

    assert passed.seen == {}
    assert not passed.binding
    assert set(passed.operations) == {"GET /profile", "GET /dashboard", "POST /refresh", "POST /logout", "POST /login"}
    assert passed.shut > 0


def test_nobodys_password_is_guessed() -> None:
    """No made-up login names an account of the run, and few hold a name and a password."""
    api = Api()
    passed_over(api)
    logins = [request.body for request in api.sent if request.path == "/login"]
    honest = [json.dumps({"username": one.username, "password": one.password}).encode() for one in (ALICE, BOB)]
    made_up = [body for body in logins if body not in honest]

    assert made_up
    assert not [body for body in made_up if b"alice" in body.lower() or b"bob" in body.lower()]
    assert sum(b"username" in body and b"password" in body for body in made_up) <= 4


def test_a_dead_session_hides_nothing() -> None:
    """Where requests are refused at the door, the share says so."""
    passed = passed_over(Api(suspicious=True))

    assert passed.share < 0.5


def test_only_what_is_harmless_is_sent() -> None:
    """What the target's own document has beyond the login is only read, unless the user allows more."""
    api = Api()
    passed = passed_over(api, openapi_url="/openapi.json")

    assert passed.remarks == ["left out without --intrusive: DELETE /things"]
    assert {request.method for request in api.sent if request.path.startswith("/things")} == {"GET"}
    assert passed.seen == {}
    assert "DELETE /things" in passed_over(Api(), openapi_url="/openapi.json", intrusive=True).operations


@pytest.mark.parametrize("status", [400, 403, 404, 409, 418, 422, 501, 503])
def test_a_refusal_that_is_not_described_is_no_finding(status: int) -> None:
    """Few documents name every refusal, and a 503 is not the input's fault."""
    api = Api(things=lambda query: answer(status if query else 401, {"msg": "no"}))

    assert passed_over(api, openapi_url="/openapi.json").seen == {}


@pytest.mark.parametrize(
    ("things", "broken"),
    [
        (lambda query: answer(500 if "many=" in query else 401, {}), {CRASH}),
        (lambda query: answer(202 if "many=0" in query else 401, []), {DIFFERENCE}),
        (lambda _query: answer(200, []), {OPEN}),
    ],
    ids=["crash", "undescribed", "open"],
)
def test_what_no_sound_server_does_is_found(things: Any, broken: set[str]) -> None:
    """A crash, a success that is not described, and one without a token."""
    passed = passed_over(Api(things=things), 3.0, openapi_url="/openapi.json")

    assert {requirement for requirement, _, _ in passed.seen} >= broken


def test_what_happens_once_is_no_finding() -> None:
    """A crash that does not come again is not the request's."""
    count = iter(range(1_000_000))
    api = Api(things=lambda _query: answer(500 if next(count) == 5 else 401, {}))
    passed = passed_over(api, openapi_url="/openapi.json")

    assert passed.seen == {}
    assert passed.passing == 1


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"openapi": "3.1.0"}, "is no OpenAPI document"),
        ({**DOCUMENT, "components": {"$ref": "http://elsewhere.example/x"}}, "refers to other documents"),
    ],
    ids=["no paths", "leads away"],
)
def test_a_document_that_cannot_be_used(document: dict[str, Any], words: str) -> None:
    """It is told in words, and nothing else is fetched."""
    with pytest.raises(ConfigurationError, match=words):
        passed_over(Api(document=document), openapi_url="/openapi.json")


def test_a_document_elsewhere_is_not_fetched() -> None:
    """The target's own is on the target."""
    with pytest.raises(ConfigurationError, match="not below the target's URL"):
        passed_over(Api(), openapi_url="http://elsewhere.example/openapi.json")

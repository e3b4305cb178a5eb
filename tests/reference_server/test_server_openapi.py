"""The specification and the server say the same, in both directions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import schemathesis
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from reference_server import DEMO_CLIENTS
from tests.reference_server.api import PASSWORDS, Api, basic_auth, bearer
from tests.reference_server.test_server_errors import answers

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.reference_server.conftest import Start

FILE = Path(__file__).parents[2] / "specs" / "openapi.yaml"
SPEC: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
OPERATIONS = {
    (method.upper(), path): operation for path, item in SPEC["paths"].items() for method, operation in item.items()
}
PUBLISHED = {"/.well-known/jwks.json", "/.well-known/oauth-authorization-server"}
ERRORS = {"BadRequest": 400, "NotFound": 404, "MethodNotAllowed": 405, "ContentTooLarge": 413}
# Without the hooks of `schemathesis.toml`, which log in by HTTP.
SCHEMA = schemathesis.openapi.from_path(FILE, config=schemathesis.Config())
SCHEMA.config.generation.update(max_examples=10, deterministic=True)


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a node, or the component that it refers to, holds."""
    while "$ref" in node:
        *_, kind, name = node["$ref"].split("/")
        node = SPEC["components"][kind][name]
    return node


def assert_matches(schema: dict[str, Any], value: object) -> None:
    """The value is as the schema says."""
    registry = Registry().with_resource("spec", Resource(SPEC, DRAFT202012))
    absolute = yaml.safe_load(yaml.safe_dump(schema).replace("'#/components", "'spec#/components"))
    Draft202012Validator(absolute, registry=registry).validate(value)


def assert_described(answer: TestResponse, described: dict[str, Any]) -> None:
    """The answer has the body and the headers that the specification describes."""
    described = resolved(described)
    for name, header in described.get("headers", {}).items():
        assert_matches(resolved(header)["schema"], answer.headers[name])
    if content := described.get("content"):
        assert_matches(content[answer.mimetype]["schema"], answer.json)
    else:
        assert answer.get_data() == b""


def test_specification_is_valid() -> None:
    """It is OpenAPI 3.1."""
    validate(SPEC)
    assert SPEC["openapi"].startswith("3.1")


def test_examples_are_as_their_schemas_say() -> None:
    """What is shown would be accepted."""
    for operation in OPERATIONS.values():
        bodies = [*operation["responses"].values(), *([operation["requestBody"]] if "requestBody" in operation else [])]
        for content in (each for body in bodies for each in resolved(body).get("content", {}).values()):
            for example in content["examples"].values():
                assert_matches(content["schema"], resolved(example)["value"])


@pytest.mark.parametrize(
    "settings", [{"algorithm": "EdDSA"}, {}, {"variant": "lesson"}], ids=["pair", "secret", "lesson"]
)
def test_routes_and_methods_are_the_specified_ones(start: Start, settings: dict[str, Any]) -> None:
    """Nothing is served that is not specified, and with a key pair everything that is."""
    served = {
        (method, rule.rule)
        for rule in start(**settings).app.url_map.iter_rules()
        for method in rule.methods - {"OPTIONS"}
    }
    missing = {path for _, path in OPERATIONS.keys() - served}
    assert served <= OPERATIONS.keys()
    assert (
        missing
        == {
            "pair": set(),
            "secret": PUBLISHED,
            "lesson": {*PUBLISHED, "/logout", "/oauth/token", "/oauth/revoke", "/oauth/introspect"},
        }["pair" if settings.get("algorithm") else settings.get("variant", "secret")]
    )


def provoked(api: Api) -> list[tuple[str, str, TestResponse]]:
    """An answer of each operation with each of its statuses, except the one that a fault of the server has."""
    large = b"x" * (1024 * 1024 + 1)
    found = []
    for method, path in OPERATIONS:
        tokens = api.login()
        if path.startswith("/oauth"):
            form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh, "token": tokens.access}
            found += [
                (method, path, api.client.post(path, data=form, auth=DEMO_CLIENTS[0])),
                (method, path, api.client.post(path, data={}, auth=DEMO_CLIENTS[0])),
                (method, path, api.client.post(path, data=form)),
                (method, path, api.client.post(path, data=large)),
            ]
            continue
        token = tokens.refresh if path == "/refresh" else tokens.access
        honest = {"json": {"username": "alice", "password": PASSWORDS["alice"]}} if path == "/login" else {}
        requests: list[dict[str, Any]] = [
            {"headers": bearer(token), **honest},
            {"headers": bearer("x"), "json": {"username": "alice", "password": "x"}},
            {"headers": {}, "data": large},
        ]
        if method == "POST":
            requests[1:1] = [
                {"headers": bearer(token), "data": "x", "content_type": "text/plain"},
                {"headers": bearer(token), "data": "x", "content_type": "application/json"},
            ]
            # A token that these have not spent comes first.
            requests.append(requests.pop(0))
        if path == "/dashboard":
            requests.append({"headers": bearer(api.forge(tokens.access, scope=None))})
        found += [(method, path, api.client.open(path, method=method, **request)) for request in requests]
        if path == "/login":
            for _ in range(11):
                answer = api.try_login("nobody", "x")
            found.append((method, path, answer))
    return found


def test_every_status_is_specified_and_can_be_had(start: Start) -> None:
    """Each answer is described, with its body and headers, and each description is of an answer."""
    seen = set()
    for api in (start(algorithm="EdDSA"), start()):
        for method, path, answer in provoked(api):
            described = OPERATIONS[method, path]["responses"][str(answer.status_code)]
            assert_described(answer, described)
            seen.add((method, path, str(answer.status_code)))
    specified = {(*key, status) for key, operation in OPERATIONS.items() for status in operation["responses"]}
    assert {entry for entry in specified if entry[2] != "500"} == seen


def test_answers_of_no_operation_are_specified(shared: Api) -> None:
    """Unknown addresses and other methods are described as well."""
    others = SPEC["x-other-answers"]
    assert_described(shared.get("/nothing"), others["unknown-address"])
    assert_described(shared.get("/login"), others["other-method"])


def test_error_codes_and_messages_of_the_examples_are_real(shared: Api) -> None:
    """The examples of refusals are what the server says."""
    shown = {
        (example["value"]["error"], example["value"]["msg"])
        for name in ("Unauthorized", "NotFound", "MethodNotAllowed", "UnsupportedMediaType", "ContentTooLarge")
        for example in SPEC["components"]["responses"][name]["content"]["application/json"]["examples"].values()
    }
    said = {(answer.json["error"], answer.json["msg"]) for _, answer in answers(shared) if answer.status_code >= 400}
    said |= {
        (answer.json["error"], answer.json["msg"])
        for answer in (shared.client.post("/login", data=b"x" * 2**21), shared.get("/profile", "x"))
    }
    assert shown - said == {("invalid_token", "Token has expired")}


def test_tokens_are_as_specified(start: Start) -> None:
    """Headers and claims of real tokens fit the schemas of the two kinds."""
    for algorithm in ("HS256", "ES256"):
        tokens = start(algorithm=algorithm).login()
        for name, token in (("AccessToken", tokens.access), ("RefreshToken", tokens.refresh)):
            schema = SPEC["components"]["schemas"][name]
            assert re.fullmatch(schema["pattern"], token)
            parts = [jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})]
            assert_matches(schema["contentSchema"], parts)


def test_links_lead_from_the_login_to_everything_it_is_for(shared: Api) -> None:
    """Each link names an operation, and the token that it names opens it."""
    by_id = {operation["operationId"]: key for key, operation in OPERATIONS.items()}
    for operation, body in (("login", shared.login().body), ("refresh", shared.refresh(shared.login().refresh).body)):
        links = OPERATIONS[by_id[operation]]["responses"]["200"]["links"]
        assert operation == "refresh" or links.keys() == {"refresh", "logout", "profile", "dashboard"}
        # Logging out comes last: it ends what the others need.
        for link in sorted(links.values(), key=lambda link: link["operationId"] == "logout"):
            method, path = by_id[link["operationId"]]
            token = body[link["x-bearer-token"].rpartition("/")[2]]
            answer = shared.client.open(path, method=method, headers=bearer(token))
            assert answer.status_code in {200, 204}
            assert path != "/refresh" or body.update(answer.json) is None


@pytest.fixture(scope="module")
def driven() -> Any:
    """A server that may be guessed at as often as the generated requests need."""
    from reference_server import Settings  # noqa: PLC0415
    from reference_server.serve import ServerThread  # noqa: PLC0415

    api = Api(Settings(algorithm="EdDSA", account_attempts=100_000, address_attempts=100_000))
    with ServerThread(api.app) as server:
        yield api, server


@SCHEMA.parametrize()
def test_generated_requests_are_answered_as_specified(case: schemathesis.Case, driven: Any) -> None:
    """Whatever a client sends, the status, the headers and the body of the answer are specified ones."""
    api, server = driven
    tokens = api.login()
    token = tokens.refresh if case.path == "/refresh" else tokens.access
    if not case.path.startswith("/oauth"):
        case.call_and_validate(base_url=server.base_url, headers=bearer(token))
        return
    # A form can be as the schema says and hold a token or a secret that is no good.
    headers = {"Authorization": basic_auth(*DEMO_CLIENTS[0])}
    case.call_and_validate(
        base_url=server.base_url, headers=headers, excluded_checks=[schemathesis.checks.positive_data_acceptance]
    )

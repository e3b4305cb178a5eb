"""Problem details on servers that use them, rightly or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.catalogue import Level
from conformance.scenarios.test_err import test_err_02 as scenario
from conformance.target.http import Request, Response
from conformance.verdicts.model import Verdict
from tests.conformance.scenarios.concluding import outcome_of
from tests.conformance.support import FakeApi, answer

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial


class Problems(FakeApi):
    """Words every refusal as problem details with these members."""

    def __init__(self, members: dict[str, Any], media_type: str) -> None:
        """Says `status` by itself."""
        super().__init__()
        self.members, self.media_type = members, media_type

    def __call__(self, request: Request) -> Response:
        """The answer to a request."""
        response = answer(400) if request.body == b"{" else super().__call__(request)
        if response.is_success:
            return response
        worded = answer(response.status, {"status": response.status, **self.members})
        body = {"HEAD": b"", "GET": worded.body, "POST": worded.body, "PUT": worded.body[:9]}[request.method]
        return Response(
            worded.status, (("Content-Type", self.media_type),), body, 0.0, truncated=request.method == "PUT"
        )


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"type": "about:blank", "title": "No", "detail": "Wrong, or too old", "instance": "/profile#1"},
        {"type": "https://example.org/problems?id=1&x=%20", "errors": [{"pointer": "#/age"}], "code": 7},
    ],
)
def test_right_details_pass(members: dict[str, Any]) -> None:
    """Members that are absent, relative references and extensions are all right."""
    outcome = outcome_of(scenario, Problems(members, "application/problem+json; charset=utf-8"), Level.MAY)

    assert outcome.verdict is Verdict.PASSED, outcome


@pytest.mark.parametrize("method", ["HEAD", "PUT"])
def test_details_that_were_not_seen_are_not_judged(method: str) -> None:
    """What HEAD leaves out, and what was cut off since it is too long, is not held against anybody."""

    def after_another(target: Trial) -> None:
        target.send(Request(method, "/nothing"))
        scenario(target)

    outcome = outcome_of(after_another, Problems({}, "application/problem+json"), Level.MAY)

    assert outcome.verdict is Verdict.PASSED, outcome


@pytest.mark.parametrize(
    "members", [{"status": 200}, {"status": "401"}, {"title": 7}, {"detail": []}, {"type": "a b"}, {"instance": None}]
)
def test_wrong_details_are_noted(members: dict[str, Any]) -> None:
    """A member of another type, and another status, are noted."""
    outcome = outcome_of(scenario, Problems(members, "Application/Problem+JSON"), Level.MAY)

    assert outcome.verdict is Verdict.NOTED, outcome


def test_other_refusals_are_not_applicable() -> None:
    """Nothing is asked of a refusal that does not call itself problem details."""
    outcome = outcome_of(scenario, Problems({"status": "no"}, "application/json"), Level.MAY)

    assert outcome.verdict is Verdict.NOT_APPLICABLE

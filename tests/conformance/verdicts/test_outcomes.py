"""Verdicts and outcomes as values."""

from __future__ import annotations

import dataclasses
import json

import pytest

from conformance.catalogue import Level
from conformance.verdicts.model import Finding, Outcome, Verdict, broken

EXCHANGE = {"note": "probe", "request": {}, "response": {"status": 200}}
FINDING = Finding("a case", "a yes", "a no", [EXCHANGE], "curl -i x")


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("findings", [[], [FINDING], [FINDING, Finding("b", "c", "d")]])
def test_an_outcome_survives_json(verdict: Verdict, findings: list[Finding]) -> None:
    """What a test process says of a requirement is what the reporting process hears, through JSON."""
    outcome = Outcome("DEMO-01", verdict, "because \u202e \ud800 of ünïcode", findings, 7)

    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


def test_an_outcome_s_json_is_plain() -> None:
    """The JSON form holds nothing but JSON's own types, as other libraries are strict about that."""
    data = Outcome("DEMO-01", Verdict.FAILED, findings=[FINDING]).to_json()

    assert type(data["verdict"]) is str
    assert type(data["findings"][0]) is dict


def test_a_verdict_is_read_by_people() -> None:
    """In a report for people the words of a verdict are apart."""
    assert {verdict.words for verdict in Verdict} == {
        *("passed", "failed", "warned", "noted", "untested", "inconclusive"),
        "not applicable",
    }


def test_only_deviations_are_findings() -> None:
    """Untested, inconclusive and not applicable say nothing against a target."""
    findings = {verdict for verdict in Verdict if verdict.is_finding}

    assert findings == {Verdict.FAILED, Verdict.WARNED, Verdict.NOTED} == {broken(level) for level in Level}


def test_an_outcome_cannot_be_changed() -> None:
    """A verdict is final."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Outcome("DEMO-01", Verdict.FAILED).verdict = Verdict.PASSED  # type: ignore[misc]

"""Reports made for tests: of ordinary runs, and of targets that answer with whatever might hurt a reader."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from conformance.catalogue import load
from conformance.reports.json_report import to_json
from conformance.verdicts.baseline import Baseline
from conformance.verdicts.model import Finding, Outcome, Verdict
from conformance.verdicts.verdict_set import RunFacts, VerdictSet

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsInR5cGUiOiJhY2Nlc3MifQ.<signature removed>"
OTHER = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsInR5cGUiOiJyZWZyZXNoIn0.<signature removed>"
HOSTILE = (
    "<script>document.title='owned'</script>",
    "</pre></details></script><img src=x onerror=\"document.title='owned'\">",
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egnp.exe\u2066",
    "half a pair: \ud800, and \x00",
    "[click](javascript:alert(1)) ![x](http://evil.example/x.png) https://evil.example www.evil.example",
    "| a | b |\n| --- | --- |\n# heading\n- item\n```\n<b>bold</b>",
    "{{ 7 * 7 }} {% include 'x' %}",
    "x" * 10_000_000,
)
"""What a target may answer with."""


def life(
    token: str, how: str, issued_s: float, used_s: list[float], expires_s: float | None = None,
    ended_s: float | None = None, ended_by: str = "",
) -> dict[str, Any]:  # fmt: skip
    """A token's life as a timeline has it."""
    return {
        "token": token, "how": how, "issued_s": issued_s, "used_s": used_s, "expires_s": expires_s,
        "ended_s": ended_s, "ended_by": ended_by,
    }  # fmt: skip


FACTS = RunFacts(
    base_url="http://api.test",
    profile="default",
    algorithm="HS256",
    access_lifetime_s=900.0,
    refresh_lifetime_s=3600.0,
    clock="waiting",
    policy={"rotation": True, "status for no token": [401, 403], "leeway": "3 s", "reuse": None},
    capabilities={"rotation": True, "logout": True, "jwks": False},
    started=1_700_000_000.75,
    duration_s=4.25,
    waited_s=3.0,
    requests=120,
    logins=7,
    timeline=[
        life("access 1", "login", 0.0, [1.5], 900.0),
        life("refresh 1", "login", 0.0, [2.0], 3600.0, 2.0, "rotation"),
        life("refresh 2", "rotation", 2.0, []),
    ],
)


def exchange(note: str, token: str, status: int, body: str = '{"username": "alice"}') -> dict[str, Any]:
    """An exchange as evidence has it."""
    return {
        "note": note,
        "request": {"method": "GET", "path": "/profile", "headers": [["Authorization", f"Bearer {token}"]], "body": ""},
        "response": {"status": status, "headers": [["Content-Type", "text/x"]], "body": body, "elapsed_s": 0.01},
    }


def finding(case: str = "a refresh token at GET /profile", body: str = "{}", note: str = "probe") -> Finding:
    """A finding with its control and its probe."""
    evidence = [exchange("control: the honest request", TOKEN, 200), exchange(note, OTHER, 200, body)]
    command = "curl -i http://api.test/profile -H 'Authorization: Bearer '\"$REFRESH_TOKEN\""
    return Finding(case, "a refusal", f"accepted: {body}", evidence, command)


def report(*outcomes: Outcome, baseline: Baseline | None = None, **rest: Any) -> dict[str, Any]:
    """The report on these outcomes, as it would be read from a file."""
    named = {outcome.requirement: outcome for outcome in outcomes}
    verdicts = VerdictSet.conclude(named, rest.pop("facts", FACTS), baseline=baseline or Baseline(), **rest)
    made: dict[str, Any] = json.loads(json.dumps(to_json(verdicts)))
    return made


def ordinary() -> dict[str, Any]:
    """One of each verdict."""
    return report(
        Outcome("LOGIN-01", Verdict.PASSED),
        Outcome("ACCESS-01", Verdict.PASSED),
        Outcome("ACCESS-02", Verdict.FAILED, "", [finding(), finding("the same at GET /dashboard")], 7),
        Outcome("SIG-02", Verdict.INCONCLUSIVE, "the control failed: GET /profile answered 500"),
        Outcome("LEAK-01", Verdict.WARNED, "", [finding("the login's answer")], 1),
        Outcome("EXPIRY-01", Verdict.UNTESTED, "the access token lives 900 s; give --signing-key"),
        Outcome("COOKIE-01", Verdict.NOT_APPLICABLE, "no token is in a cookie"),
    )


def hostile() -> dict[str, Any]:
    """Every text that a target has a say in is one that might hurt."""
    findings = [finding(text, text, text) for text in HOSTILE]
    facts = RunFacts(**{**FACTS.to_json(), "policy": {HOSTILE[0]: list(HOSTILE[:8])}, "algorithm": HOSTILE[0]})
    return report(
        Outcome("ACCESS-02", Verdict.FAILED, HOSTILE[1], findings, 9),
        Outcome("SIG-02", Verdict.INCONCLUSIVE, HOSTILE[5]),
        Outcome("EXPIRY-01", Verdict.UNTESTED, f"{HOSTILE[0]}; give {HOSTILE[5]}"),
        facts=facts,
    )


def broken_all_over() -> dict[str, Any]:
    """A strict run with fifty failures, each with as much evidence as a run keeps."""
    outcomes = []
    for number, requirement in enumerate(load()):
        findings = [replace(finding(f"case {case}", "y" * 2000), observed="accepted") for case in range(12)]
        findings = findings if number < 50 else []
        outcomes.append(Outcome(requirement.id, Verdict.FAILED if findings else Verdict.PASSED, "", findings, 12))
    return report(*outcomes)

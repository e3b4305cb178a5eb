"""The report as JSON, and the schema that fixes it."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from conformance import __version__
from conformance.catalogue import Level, Tier, load
from conformance.reports import json_report
from conformance.target.evidence import exchange_to_json
from conformance.target.http import Exchange, Request
from conformance.verdicts.model import Finding, Outcome, Verdict
from conformance.verdicts.verdict_set import RunFacts, VerdictSet
from reference_server.faults import load as load_faults
from tests.conformance.scenarios.concluding import outcome_of
from tests.conformance.support import FakeApi, answer, target_of

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial

SCHEMA = json.loads((Path(__file__).parents[3] / "specs" / "report.schema.json").read_text(encoding="utf-8"))
FACTS = RunFacts(
    base_url="http://api.test",
    profile="default",
    capabilities={"rotation": True, "logout": False, "jwks": False},
    algorithm="HS256",
    access_lifetime_s=900.0,
    refresh_lifetime_s=None,
    clock="waiting",
    policy={"rotation": None, "status for no token": [401]},
    started=1_700_000_000.75,
    duration_s=1.5,
    requests=3,
    logins=1,
)
PROBE = Exchange(Request("POST", "/x?a=b", (("X-A", "b"),), b"\xff{}"), answer(500, body=b"\x00\xff", X_B="c"), 0.0)


def valid(report: Any) -> bool:
    """Whether the schema accepts the report."""
    checker = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    return bool(checker.is_valid(report))


def complaints(report: Any) -> list[str]:
    """What the schema has against the report."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(report)]


def report_of(*outcomes: Outcome, facts: RunFacts = FACTS, **rest: Any) -> Any:
    """The report on these outcomes, as it would be read from a file."""
    verdicts = VerdictSet.conclude({outcome.requirement: outcome for outcome in outcomes}, facts, **rest)
    return json.loads(json.dumps(json_report.to_json(verdicts)))


def finding() -> Finding:
    """A finding with an odd exchange."""
    evidence = exchange_to_json(PROBE, "probe", target_of(FakeApi()).redactor)
    return Finding("a case", "a yes", "a no", [evidence], "curl -i x")


def run(folder: Path, *options: str, **settings: str) -> tuple[int, Any]:
    """The exit code and the report of the command against the bundled server."""
    file = folder / "report.json"
    ours = ("CONFORMANCE_", "REFERENCE_", "PYTEST_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)} | settings
    command = [sys.executable, "-m", "conformance", "run", "-q", "--report-json", str(file), *options]
    ended = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert file.exists(), ended.stdout + ended.stderr
    return ended.returncode, json.loads(file.read_text(encoding="utf-8"))


def test_the_schema_is_one() -> None:
    """The schema keeps the rules of JSON Schema 2020-12, and names its dialect."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_report_of_a_healthy_run_is_valid(tmp_path: Path) -> None:
    """A run against the bundled server writes a report of every core requirement, as the schema wants it."""
    code, report = run(tmp_path)

    assert complaints(report) == []
    assert (code, report["result"]) == (0, "conformant")
    assert [row["id"] for row in report["requirements"]] == [item.id for item in load().up_to(Tier.CORE)]
    assert report["suite"] == {"name": "jwt-conformance", "version": __version__}
    assert report["target"]["algorithm"] == "HS256"
    assert report["run"]["requests"] > report["run"]["logins"] > 0


def test_the_report_of_a_run_with_findings_is_valid(tmp_path: Path) -> None:
    """A run against a faulty server writes its findings with their evidence, as the schema wants it."""
    fault = next(fault for fault in load_faults().values() if fault.breaks[0] == "SIG-02" and not fault.profile)

    code, report = run(tmp_path, "-k", "sig_02 or login_01", REFERENCE_FAULT=fault.name)

    assert complaints(report) == []
    assert (code, report["result"]) == (1, "broken")
    broken = {row["id"]: row["findings"] for row in report["requirements"] if row["verdict"] == "failed"}
    assert set(broken) == {"SIG-02"}
    assert [part["note"].partition(":")[0] for part in broken["SIG-02"][0]["exchange"]] == ["control", "probe"]


def test_the_report_of_an_incomplete_run_is_valid(tmp_path: Path) -> None:
    """A run in which nothing applied writes a report that says so."""
    code, report = run(tmp_path, "--target-profile", "lesson", "-k", "sig_05 or cookie_09")

    assert complaints(report) == []
    assert (code, report["result"]) == (3, "incomplete")
    assert report["summary"]["not_applicable"] == 2


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_its_place(verdict: Verdict) -> None:
    """A requirement with any verdict is valid, with findings where it is broken and without where it is not."""
    findings = [finding(), replace(finding(), exchange=[], curl="")] if verdict.is_finding else []
    report = report_of(Outcome("SIG-02", verdict, "a reason", findings, 9))

    assert complaints(report) == []
    assert report["summary"][verdict] == 1
    assert (report["requirements"][0]["verdict"], report["requirements"][0]["probes"]) == (verdict, 9)


@pytest.mark.parametrize(
    ("rest", "result"),
    [
        ({}, "conformant"),
        ({"interrupted": True}, "incomplete"),
        ({"suite_faults": ("conformance/scenarios/test_sig.py::test_sig_02",)}, "suite_fault"),
    ],
)
def test_how_a_run_ended_is_in_the_report(rest: dict[str, Any], result: str) -> None:
    """Interruptions and the suite's own faults are told apart from the target's."""
    report = report_of(Outcome("SIG-02", Verdict.PASSED), **rest)

    assert complaints(report) == []
    assert (report["result"], report["run"]["complete"]) == (result, "interrupted" not in rest)
    assert report["run"]["suite_faults"] == list(rest.get("suite_faults", ()))


def test_times_are_told_in_utc() -> None:
    """The start is a date and time in UTC, to the second."""
    assert report_of()["run"]["started"] == "2023-11-14T22:13:20+00:00"


def test_a_scenario_s_own_finding_is_valid() -> None:
    """What a scenario finds comes out as the schema wants it, whatever bytes were exchanged."""

    def scenario(target: Trial) -> None:
        target.expect(False, "\ud800", expected="\u202e", observed="", shown_by=[("x", PROBE)])

    outcome = outcome_of(scenario, FakeApi())

    assert complaints(report_of(replace(outcome, requirement="SIG-02"))) == []


def test_opaque_tokens_make_a_valid_report() -> None:
    """Where nothing is known of tokens, null says so."""
    facts = replace(FACTS, algorithm=None, access_lifetime_s=None)

    assert complaints(report_of(facts=facts)) == []


def objects(schema: Any) -> list[Any]:
    """Every part of the schema that describes an object with members of its own."""
    found = [schema] if isinstance(schema, dict) and schema.get("type") == "object" else []
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    return found + [part for value in parts for part in objects(value)]


def test_the_schema_leaves_nothing_open() -> None:
    """Every object but policy and capabilities lists its members, demands all of them and allows no others."""
    for part in objects(SCHEMA):
        if "capability" in part.get("description", "") or "choice open" in part.get("description", ""):
            continue
        assert part["additionalProperties"] is False
        assert set(part["required"]) == set(part["properties"])


def broken_reports() -> dict[str, Any]:
    """Reports in each of which one thing is wrong."""
    good = report_of(Outcome("SIG-02", Verdict.FAILED, "", [finding()]))
    assert complaints(good) == []
    made: dict[str, Any] = {}

    def spoil(name: str, *path: Any, value: Any = None) -> None:
        report = copy.deepcopy(good)
        place = report
        for step in path[:-1]:
            place = place[step]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value
        made[name] = report

    row, evidence = ("requirements", 0), ("requirements", 0, "findings", 0, "exchange", 0)
    spoil("no summary", "summary")
    spoil("another version", "schema", value=2)
    spoil("a member too many", "extra", value=1)
    spoil("a fact too many", "target", "password", value="x")
    spoil("an unknown result", "result", value="usage")
    spoil("an unknown verdict", *row, "verdict", value="skipped")
    spoil("a verdict of people", *row, "verdict", value="not applicable")
    spoil("an unknown level", *row, "level", value="must")
    spoil("an unknown tier", *row, "tier", value="extra")
    spoil("no id", *row, "id", value="sig-02")
    spoil("no sources", *row, "sources", value=[])
    spoil("a passed finding", *row, "verdict", value="passed")
    spoil("a failure without findings", *row, "findings", value=[])
    spoil("no status", *evidence, "response", "status")
    spoil("a header without value", *evidence, "request", "headers", value=[["X-A"]])
    spoil("a capability that is no yes or no", "target", "capabilities", "rotation", value="yes")
    spoil("a local time", "run", "started", value="2023-11-14T22:13:20+02:00")
    spoil("an unknown clock", "run", "clock", value="sundial")
    return made


@pytest.mark.parametrize("name", broken_reports())
def test_the_schema_notices(name: str) -> None:
    """A report that is wrong in one place is refused."""
    assert not valid(broken_reports()[name])


def test_the_levels_and_tiers_are_the_catalogue_s() -> None:
    """What the schema allows for level, tier and verdict is what the suite knows, and no more."""
    members = SCHEMA["$defs"]["requirement"]["properties"]

    assert members["level"]["enum"] == [str(level) for level in Level]
    assert members["tier"]["enum"] == [str(tier) for tier in Tier]
    verdicts = [str(verdict) for verdict in Verdict]
    assert members["verdict"]["enum"] == SCHEMA["properties"]["summary"]["required"] == verdicts

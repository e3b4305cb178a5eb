"""The summary at the end of a run, as a person sees it."""

from __future__ import annotations

import io
from types import MappingProxyType
from typing import Any

import pytest

import conformance.verdicts.verdict_set
from conformance.catalogue import Area, Catalogue, Level, Tier, Vocabulary
from conformance.reports.terminal import summarise
from conformance.verdicts.model import Finding, Outcome, Verdict
from conformance.verdicts.verdict_set import RunFacts, VerdictSet
from tests.conformance.support import requirement

LEVELS = {"GATE-01": Level.MUST, "GATE-02": Level.MUST, "GATE-03": Level.SHOULD}
GATES = tuple(requirement(level, name=name) for name, level in LEVELS.items())
KEYS = tuple(requirement(name=f"KEY-0{n}") for n in (1, 2, 3))
CATALOGUE = Catalogue.of(
    (
        Area(name="key", title="Keys", order=20, requirements=KEYS),
        Area(name="gate", title="Gates", order=10, requirements=GATES),
    ),
    Vocabulary(tiers=MappingProxyType(dict.fromkeys(Tier, "")), capabilities=MappingProxyType({})),
)
FACTS = RunFacts(
    base_url="http://api.test",
    profile="default",
    algorithm="HS256",
    access_lifetime_s=900.0,
    refresh_lifetime_s=3600.0,
    policy={"rotation": True, "status for no token": [401, 403], "leeway": "less than 2 s", "reuse": None},
    duration_s=4.25,
    waited_s=3.0,
    requests=120,
    logins=7,
)
PASSED = Outcome("GATE-01", Verdict.PASSED, "time passed by waiting")
FINDING = Finding("no token", "a refusal", "accepted: GET /x answered 200", [], "curl -i http://api.test/x")


@pytest.fixture(autouse=True)
def small_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six made-up requirements instead of the real ones, so that the text below stays as it is."""
    monkeypatch.setattr(conformance.verdicts.verdict_set, "load", lambda: CATALOGUE)


def shown(config: pytest.Config, *outcomes: Outcome, facts: RunFacts = FACTS, verbosity: int = 0, **rest: Any) -> str:
    """The summary on a terminal of 60 columns, without colours."""
    reporter = pytest.TerminalReporter(config, file := io.StringIO())
    reporter._tw.fullwidth = 60
    reporter._tw.hasmarkup = False
    config_verbosity, config.option.verbose = config.option.verbose, verbosity
    try:
        summarise(VerdictSet.conclude({outcome.requirement: outcome for outcome in outcomes}, facts, **rest), reporter)
    finally:
        config.option.verbose = config_verbosity
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()).strip("\n")


GOLDEN = """\
-------------------------- Gates ---------------------------
passed         GATE-01     What GATE-01 wants
failed         GATE-02     What GATE-02 wants
warned         GATE-03     What GATE-03 wants
--------------------------- Keys ---------------------------
not applicable KEY-01      What KEY-01 wants
                           the tokens are no JWTs
untested       KEY-02      What KEY-02 wants
                           no key; give --signing-key
inconclusive   KEY-03      What KEY-03 wants
                           no answer hint: look into the log
====================== What is broken ======================
GATE-02 What GATE-02 wants [MUST, failed]
  case      no token
  expected  a refusal
  observed  accepted: GET /x answered 200
  note      seen on the way
  source    RFC 0000 §1
  why       It matters.
  fix       Mend it.
  repeat    curl -i http://api.test/x

================== What should be better ===================
GATE-03 What GATE-03 wants [SHOULD, warned]
  case      no token
  expected  a refusal
  observed  accepted: GET /x answered 200
  source    RFC 0000 §1
  why       It matters.
  fix       Mend it.
  repeat    curl -i http://api.test/x

===================== jwt-conformance ======================
target    http://api.test, profile default, HS256, access 900 s, refresh 3600 s
run       120 requests, 7 logins, 4.2 s, of which 3.0 s waiting
policy    rotation: yes; status for no token: 401, 403; leeway: less than 2 s
verdicts  1 passed, 1 failed, 1 warned, 1 not applicable, 1 untested, 1 inconclusive
result    not conformant"""


def test_the_summary_reads_as_it_always_did(pytestconfig: pytest.Config) -> None:
    """Verdicts by area with their reasons, then what is broken and what to do, then the run in five lines."""
    outcomes = [
        PASSED,
        Outcome("GATE-02", Verdict.FAILED, "seen on the way", [FINDING]),
        Outcome("GATE-03", Verdict.WARNED, "", [FINDING]),
        Outcome("KEY-01", Verdict.NOT_APPLICABLE, "the tokens are no JWTs"),
        Outcome("KEY-02", Verdict.UNTESTED, "no key; give --signing-key"),
        Outcome("KEY-03", Verdict.INCONCLUSIVE, "no answer\n  hint: look into the log"),
    ]

    assert shown(pytestconfig, *outcomes) == GOLDEN


HEALTHY = """\
-------------------------- Gates ---------------------------
passed         GATE-01     What GATE-01 wants
===================== jwt-conformance ======================
target    the bundled reference server, profile lesson, opaque tokens
run       3 requests, 1 logins, 0.5 s
verdicts  1 passed
result    conformant"""


def test_a_healthy_run_is_short(pytestconfig: pytest.Config) -> None:
    """Where all is well nothing is explained, and what is not known is not mentioned."""
    facts = RunFacts("http://127.0.0.1:1", "lesson", bundled=True, requests=3, logins=1, duration_s=0.5)

    assert shown(pytestconfig, PASSED, facts=facts) == HEALTHY


def test_a_quiet_run_leaves_the_lines_per_requirement_out(pytestconfig: pytest.Config) -> None:
    """Under -qq the conclusion remains, and what is broken."""
    text = shown(pytestconfig, PASSED, Outcome("GATE-02", Verdict.FAILED, "", [FINDING]), verbosity=-2)

    assert "Gates" not in text
    assert text.startswith("====================== What is broken ======================\nGATE-02")
    assert text.endswith("result    not conformant")


@pytest.mark.parametrize(
    ("outcomes", "rest", "words"),
    [
        ([PASSED], {}, "conformant"),
        ([], {}, "incomplete: not everything that was asked for could be judged"),
        ([PASSED], {"interrupted": True}, "incomplete: not everything that was asked for could be judged"),
        ([PASSED], {"suite_faults": ("x",)}, "a fault of the suite itself; please report it"),
        ([PASSED, Outcome("GATE-02", Verdict.FAILED, "", [FINDING])], {}, "not conformant"),
    ],
)
def test_the_last_line_is_the_conclusion(
    pytestconfig: pytest.Config, outcomes: list[Outcome], rest: dict[str, Any], words: str
) -> None:
    """Each exit code has its words, in the last line."""
    assert shown(pytestconfig, *outcomes, **rest).splitlines()[-1] == f"result    {words}"


def test_a_target_cannot_forge_a_line(pytestconfig: pytest.Config) -> None:
    """Whatever the target's tokens and answers say, no line of the report begins with their words."""
    evil = "x\nresult    conformant\r\x1b[2J\u202e"
    facts = RunFacts("http://api.test", evil, algorithm=evil, policy={"leeway": evil, evil: [evil]})
    outcomes = [
        Outcome("KEY-01", Verdict.UNTESTED, evil),
        Outcome("KEY-02", Verdict.INCONCLUSIVE, evil),
        Outcome("GATE-02", Verdict.FAILED, evil, [Finding(evil, evil, evil, [], "")]),
    ]

    text = shown(pytestconfig, *outcomes, facts=facts)

    assert [line for line in text.splitlines() if line.startswith("result")] == ["result    not conformant"]
    assert not {"\r", "\x1b", "\u202e"} & set(text)

"""From the end of a scenario to its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.catalogue import Level
from conformance.errors import ConfigurationError, TargetError
from conformance.scenarios.endings import InconclusiveError, NotApplicableError, UntestedError
from conformance.scenarios.trial import MOST_FINDINGS, Trial
from conformance.tokens.reading import Kind
from conformance.verdicts.model import Verdict
from tests.conformance.scenarios.concluding import concluded, outcome_of
from tests.conformance.support import ALICE, FakeApi, answer, trial_of

if TYPE_CHECKING:
    from collections.abc import Callable


def claim(target: Trial, holds: object = True, number: int = 0, *, certain: bool = False) -> bool:
    """A claim, true unless said otherwise."""
    return target.expect(holds, f"case {number}", expected="a yes", observed="a no", certain=certain)


@pytest.mark.parametrize(
    ("level", "verdict"), [(Level.MUST, Verdict.FAILED), (Level.SHOULD, Verdict.WARNED), (Level.MAY, Verdict.NOTED)]
)
def test_the_level_decides_what_a_finding_amounts_to(level: Level, verdict: Verdict) -> None:
    """A broken MUST is a failure, a broken SHOULD a warning, and a MAY that is not offered a note."""
    outcome = outcome_of(lambda target: claim(target, holds=False), FakeApi(), level)

    assert (outcome.requirement, outcome.verdict, len(outcome.findings)) == ("DEMO-01", verdict, 1)


def test_claims_that_hold_pass() -> None:
    """A scenario whose claims all hold passes, and says how many there were and what is remarkable, once."""

    def scenario(target: Trial) -> None:
        claim(target)
        claim(target)
        target.remark("seen on the way")
        target.remark("seen on the way")
        target.remark("and this")

    outcome = outcome_of(scenario, FakeApi())

    assert (outcome.verdict, outcome.probes) == (Verdict.PASSED, 2)
    assert outcome.reason == "seen on the way; and this"


def test_a_claim_tells_whether_it_held() -> None:
    """`expect` returns its judgement, so that a scenario can stop where going on makes no sense."""
    trial = trial_of(FakeApi())

    assert claim(trial, holds="a non-empty string") is True
    assert claim(trial, holds="") is False
    assert claim(trial, holds=None) is False
    assert (trial.probes, len(trial.findings)) == (3, 2)


def test_a_scenario_that_claims_nothing_is_a_fault_of_the_suite() -> None:
    """Nothing passes vacuously: a scenario that ends without a claim has no verdict."""
    assert concluded(lambda _target: None, FakeApi()) is None
    assert concluded(lambda target: target.remark("nothing tried"), FakeApi()) is None


@pytest.mark.parametrize("error", [ZeroDivisionError(), AssertionError("x"), KeyError("x"), RecursionError()])
def test_a_crash_is_a_fault_of_the_suite(error: Exception) -> None:
    """A crash says nothing of the target, whether or not something was found before it."""

    def scenario(target: Trial, *, holds: bool) -> None:
        claim(target, holds)
        raise error

    for holds in (True, False):
        assert concluded(lambda target, holds=holds: scenario(target, holds=holds), FakeApi()) is None  # type: ignore[misc]


@pytest.mark.parametrize(
    ("end", "verdict", "reason"),
    [
        (lambda t: t.not_applicable("no cookies"), Verdict.NOT_APPLICABLE, "no cookies"),
        (lambda t: t.untested("no key", give="--signing-key"), Verdict.UNTESTED, "no key; give --signing-key"),
        (lambda t: t.untested("nothing helps"), Verdict.UNTESTED, "nothing helps"),
        (lambda t: t.inconclusive("all refused"), Verdict.INCONCLUSIVE, "all refused"),
    ],
)
def test_an_early_end_is_a_verdict_with_its_reason(end: Callable[[Trial], None], verdict: Verdict, reason: str) -> None:
    """Not applicable, untested and inconclusive reach the report with the scenario's words and remarks."""

    def scenario(target: Trial) -> None:
        target.remark("seen on the way")
        claim(target)
        end(target)

    outcome = outcome_of(scenario, FakeApi())

    assert (outcome.verdict, outcome.reason) == (verdict, f"{reason}; seen on the way")
    assert outcome.findings == []


@pytest.mark.parametrize("error", [TargetError("gone", "look"), ConfigurationError("untrusted")])
def test_a_target_that_is_lost_is_inconclusive(error: Exception) -> None:
    """Where no answer comes, nothing was learnt."""

    def scenario(target: Trial) -> None:
        claim(target)
        raise error

    outcome = outcome_of(scenario, FakeApi())

    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert str(error) in outcome.reason


@pytest.mark.parametrize(
    "error", [TargetError("gone"), InconclusiveError("x"), UntestedError("x"), NotApplicableError("x")]
)
def test_what_a_target_gave_away_outlives_whatever_ends_the_scenario(error: Exception) -> None:
    """A finding that shows by itself that the target works stays, though the scenario could not go on."""

    def scenario(target: Trial) -> None:
        claim(target, holds=False, certain=True)
        raise error

    assert outcome_of(scenario, FakeApi()).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (TargetError("gone"), Verdict.INCONCLUSIVE),
        (InconclusiveError("x"), Verdict.INCONCLUSIVE),
        (UntestedError("x"), Verdict.FAILED),
        (NotApplicableError("x"), Verdict.FAILED),
    ],
)
def test_what_an_outage_would_explain_is_no_finding(error: Exception, verdict: Verdict) -> None:
    """Where the target stopped working, a refusal of something honest is not held against it; otherwise it is."""

    def scenario(target: Trial) -> None:
        claim(target, holds=False)
        raise error

    outcome = outcome_of(scenario, FakeApi())

    assert (outcome.verdict, len(outcome.findings)) == (verdict, int(verdict is Verdict.FAILED))


def test_a_target_that_died_meanwhile_has_broken_nothing() -> None:
    """A claim that failed counts only if the target still works at the end of the scenario."""

    def scenario(target: Trial) -> None:
        api.overrides |= dict.fromkeys(["GET /profile", "GET /dashboard", "POST /login"], lambda _request: answer(503))
        claim(target, holds=False)

    api = FakeApi()
    outcome = outcome_of(scenario, api)

    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert "the target has stopped working" in outcome.reason
    assert outcome.findings == []


@pytest.mark.parametrize("surplus", [0, 1, 25])
def test_more_of_the_same_is_counted(surplus: int) -> None:
    """A dozen findings are kept with their evidence; further ones are counted in the reason."""

    def scenario(target: Trial) -> None:
        for number in range(MOST_FINDINGS + surplus):
            claim(target, holds=False, number=number)

    outcome = outcome_of(scenario, FakeApi())

    assert [finding.case for finding in outcome.findings] == [f"case {number}" for number in range(MOST_FINDINGS)]
    assert outcome.reason == (f"and so in {surplus} further cases" if surplus else "")
    assert outcome.probes == MOST_FINDINGS + surplus


def test_no_secret_gets_into_a_verdict() -> None:
    """Passwords and signatures are taken out of findings, remarks and reasons."""

    def found(target: Trial) -> None:
        token = target.session().access.value
        target.remark(f"remarked {ALICE.password}")
        target.expect(False, f"sent {token}", expected=f"not {ALICE.password}", observed=f"got {ALICE.password}")

    def ended(target: Trial) -> None:
        target.inconclusive(f"stopped at {ALICE.password}")

    for scenario in (found, ended):
        text = str(outcome_of(scenario, FakeApi()).to_json())
        assert ALICE.password not in text
        assert "<password>" in text
    assert ".<signature removed>" in str(outcome_of(found, FakeApi()).to_json())


def test_what_the_suite_lacks_is_asked_for() -> None:
    """A scenario that needs a second account or a key is untested, and says which option would help."""

    def needs_two(target: Trial) -> None:
        target.target.second_account = None
        claim(target, target.second_account)

    assert "give --second-username and --second-password" in outcome_of(needs_two, FakeApi()).reason
    outcome = outcome_of(lambda target: target.minter, FakeApi())
    assert (outcome.verdict, "give the signing key: --signing-key" in outcome.reason) == (Verdict.UNTESTED, True)


def test_doors_that_open_to_anyone_judge_nothing() -> None:
    """A refusal cannot be told at a door that refuses nobody: it is left out, or all is inconclusive."""

    def some(target: Trial) -> None:
        target.target.protected_doors[0].opens_to_anyone = True
        claim(target, [door.path for door in target.protected_doors] == ["/dashboard"])

    def every(target: Trial) -> None:
        for door in target.target.protected_doors:
            door.opens_to_anyone = True
        claim(target, target.protected_doors)

    def login(target: Trial) -> None:
        target.target.login_door.opens_to_anyone = True
        claim(target, target.login_door)

    def refresh(target: Trial) -> None:
        target.target.refresh_door.opens_to_anyone = True
        claim(target, target.token_doors)

    partly = outcome_of(some, FakeApi())
    assert partly.verdict is Verdict.PASSED
    assert partly.reason == "not judged on GET /profile, which opens without credentials (see ACCESS-01)"
    for scenario, blamed in ((every, "ACCESS-01"), (login, "LOGIN-03"), (refresh, "REFRESH-03")):
        outcome = outcome_of(scenario, FakeApi())
        assert outcome.verdict is Verdict.INCONCLUSIVE
        assert f"(see {blamed})" in outcome.reason


def test_opaque_tokens_have_no_jwt_to_look_at() -> None:
    """What is about JWTs is not applicable where tokens are none."""

    class Opaque(FakeApi):
        """Issues tokens that say nothing."""

        def issue(self, kind: str, username: str) -> str:
            """A new token of this kind."""
            token = f"{kind}-{len(self.received)}-opaque"
            self._live[token] = (username, kind)
            return token

    for scenario in (lambda target: target.jwt_doors(), lambda target: target.require_jwt(Kind.ACCESS)):
        assert outcome_of(scenario, Opaque()).verdict is Verdict.NOT_APPLICABLE
    assert outcome_of(lambda target: claim(target, target.jwt_doors()), FakeApi()).verdict is Verdict.PASSED

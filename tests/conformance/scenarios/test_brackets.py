"""Control, probe, control: what a refusal is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.errors import TargetError
from conformance.verdicts.model import Verdict
from tests.conformance.scenarios.concluding import outcome_of
from tests.conformance.support import ALICE, BOB, FakeApi, answer, trial_of

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Request, Response
    from tests.conformance.scenarios.concluding import Scenario

POISON = "poison"
HONEST = answer(200, {"username": "alice"})


def is_poison(request: Request) -> bool:
    """Whether the request is the probe."""
    return any(POISON in value for _, value in request.headers) or POISON.encode() in request.body


def probe(target: Trial) -> None:
    """One scenario: poison buys nothing at the first protected route."""
    door = target.protected_doors[0]
    with target.bracket(door) as bracket:
        bracket.refuses("poison", bracket.token(POISON))


def probe_refresh(target: Trial) -> None:
    """The same at the refresh route."""
    with target.bracket(target.refresh_door) as bracket:
        bracket.refuses("poison", bracket.token(POISON), cleanly=True)


def probe_login(target: Trial) -> None:
    """The same at the login."""
    with target.bracket(target.login_door) as bracket:
        bracket.refuses("poison", target.guess("alice", POISON), cleanly=True)


class Dying(FakeApi):
    """Answers the probe with `at_probe`, and everything after it with `afterwards`, where that is not None."""

    def __init__(self, at_probe: Response | None = None, afterwards: Response | Exception | None = None) -> None:
        """Is alive at first."""
        super().__init__()
        self.at_probe, self.afterwards, self.is_dead = at_probe, afterwards, False

    def __call__(self, request: Request) -> Response:
        """The answer to a request."""
        if is_poison(request):
            self.is_dead = True
            if self.at_probe:
                return self.at_probe
        elif self.is_dead and self.afterwards is not None:
            if isinstance(self.afterwards, Exception):
                raise self.afterwards
            return self.afterwards
        return super().__call__(request)


@pytest.mark.parametrize("scenario", [probe, probe_refresh, probe_login])
def test_a_refusal_between_two_controls_passes(scenario: Scenario) -> None:
    """Where the honest request works before and after, a refusal in between shows that the requirement holds."""
    outcome = outcome_of(scenario, FakeApi())

    assert (outcome.verdict, outcome.probes, outcome.findings) == (Verdict.PASSED, 1, [])


@pytest.mark.parametrize("scenario", [probe, probe_refresh])
def test_the_probe_stands_between_the_controls(scenario: Scenario) -> None:
    """The same route is asked honestly, then with the probe, then honestly again; only the token differs."""
    api = FakeApi()
    outcome_of(scenario, api)

    before, middle, after = api.received[-3:]
    assert is_poison(middle)
    assert not is_poison(before)
    assert not is_poison(after)
    assert len({(request.method, request.path) for request in (before, middle, after)}) == 1
    assert [name for name, _ in before.headers] == [name for name, _ in middle.headers]


@pytest.mark.parametrize("status", [401, 403, 500, 503])
@pytest.mark.parametrize("scenario", [probe, probe_refresh, probe_login])
def test_a_probe_that_kills_the_door_is_inconclusive(scenario: Scenario, status: int) -> None:
    """Where the honest request no longer works after the probe, the refusal proves nothing, and the reason says so."""
    outcome = outcome_of(scenario, Dying(afterwards=answer(status, {"msg": "down"})))

    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert "the control after the probes failed" in outcome.reason


@pytest.mark.parametrize("scenario", [probe, probe_refresh, probe_login])
def test_a_target_that_falls_silent_is_inconclusive(scenario: Scenario) -> None:
    """A server that answers the probe and then nothing more has not refused anything."""
    outcome = outcome_of(scenario, Dying(afterwards=TargetError("no answer")))

    assert (outcome.verdict, outcome.reason) == (Verdict.INCONCLUSIVE, "no answer")


@pytest.mark.parametrize("afterwards", [None, answer(503), TargetError("no answer")])
def test_what_a_probe_bought_is_shown_whatever_happens_afterwards(afterwards: Response | Exception | None) -> None:
    """A finding stands, though the second control fails."""
    outcome = outcome_of(probe, Dying(HONEST, afterwards))

    assert outcome.verdict is Verdict.FAILED
    assert [finding.observed for finding in outcome.findings] == [
        "accepted: GET /profile answered 200 with the data of 'alice'"
    ]


def test_a_door_that_refuses_everybody_passes_nothing() -> None:
    """Without a control that works, nothing is even tried."""
    api = FakeApi()
    trial = trial_of(api)
    api.overrides["GET /profile"] = lambda _request: answer(401, {"msg": "no"})

    with pytest.raises(Exception, match="the control before the probes failed: GET /profile answered 401"):
        probe(trial)
    assert not any(is_poison(request) for request in api.received)


def test_a_control_that_shows_somebody_else_is_none() -> None:
    """An honest token that brings another user's data is no control."""
    api = FakeApi()
    trial = trial_of(api)
    api.overrides["GET /profile"] = lambda _request: answer(200, {"username": "bob"})

    with pytest.raises(Exception, match="the control before the probes failed"):
        probe(trial)


def test_a_session_that_somebody_ended_is_replaced_once() -> None:
    """A later login may have ended the shared session: the control is tried with a new one before it counts."""
    api = FakeApi()
    trial = trial_of(api)
    api.end_every_session()

    probe(trial)

    assert trial.findings == []
    assert trial.target.client.traffic.logins == 2


@pytest.mark.parametrize(
    ("reply", "bad_status"),
    [(answer(401, {"msg": "no"}), False), (answer(500, {"msg": "oops"}), True), (answer(302, Location="/"), True)],
)
def test_a_clean_refusal_blames_the_request(reply: Response, bad_status: bool) -> None:
    """Where a clean refusal is asked for, a server error is a finding; elsewhere any refusal will do."""
    for scenario, fails in ((probe_refresh, bad_status), (probe, False)):
        outcome = outcome_of(scenario, Dying(reply))
        assert (outcome.verdict is Verdict.FAILED) == fails
        if fails:
            assert outcome.findings[0].expected == "a refusal with a 4xx status, giving nothing away"


def test_named_statuses_are_the_only_ones() -> None:
    """Where a scenario names statuses, another one is a finding though nothing was bought."""

    def scenario(target: Trial) -> None:
        with target.bracket(target.protected_doors[0]) as bracket:
            bracket.refuses("poison", bracket.token(POISON), statuses={401, 400})

    assert outcome_of(scenario, Dying(answer(400))).verdict is Verdict.PASSED
    outcome = outcome_of(scenario, Dying(answer(403)))
    assert outcome.findings[0].expected == "a refusal with status 400 or 401, giving nothing away"
    assert outcome.findings[0].observed == "GET /profile answered 403"


def test_a_finding_carries_its_evidence() -> None:
    """A finding shows the control and the probe, and a command that repeats the probe, without secrets."""
    outcome = outcome_of(probe, Dying(HONEST))

    (finding,) = outcome.findings
    assert [exchange["note"] for exchange in finding.exchange] == ["control: the honest request", "probe: poison"]
    assert [exchange["response"]["status"] for exchange in finding.exchange] == [200, 200]
    assert finding.curl == "curl -i http://api.test/profile -H 'Authorization: Bearer poison'"
    assert ALICE.password not in str(finding)


def test_the_control_that_is_shown_is_one_that_worked() -> None:
    """Where a control needed a second try, the evidence shows the one that opened the door."""
    api = Dying(HONEST)
    trial = trial_of(api)
    api.end_every_session()

    probe(trial)

    assert trial.findings[0].exchange[0]["response"]["status"] == 200


def test_a_bracket_is_for_the_account_it_was_asked_for() -> None:
    """Honest requests of a bracket are those of its account."""

    def scenario(target: Trial) -> None:
        with target.bracket(target.protected_doors[0], BOB) as bracket:
            assert bracket.session.account == BOB
            bracket.refuses("poison", bracket.token(POISON))

    assert outcome_of(scenario, FakeApi()).verdict is Verdict.PASSED


def test_a_row_of_login_scenarios_needs_one_control_each() -> None:
    """The control after one scenario is the control before the next, and the sessions it opened are used."""
    api = FakeApi()
    trial = trial_of(api)
    for _ in range(3):
        probe_login(trial)

    assert trial.target.client.traffic.logins == 4
    trial.new_session()
    assert trial.target.client.traffic.logins == 4

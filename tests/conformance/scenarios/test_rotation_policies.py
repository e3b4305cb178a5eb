"""Servers that rotate refresh tokens in one way or another, and what the suite says of each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.clock import FrozenClock, WaitingClock
from conformance.scenarios import test_refresh as refreshing
from conformance.scenarios import test_rotate as rotating
from conformance.scenarios.conclusion import conclude
from conformance.scenarios.trial import Trial
from conformance.target.profile_files import load
from conformance.verdicts.model import Verdict
from tests.conformance.support import FakeApi, answer, learnt, requirement, target_of

if TYPE_CHECKING:
    from conformance.target.http import Response
    from conformance.target.target import Target

PASSED, FAILED, NOT_APPLICABLE, UNTESTED = (
    Verdict.PASSED, Verdict.FAILED, Verdict.NOT_APPLICABLE, Verdict.UNTESTED)  # fmt: skip
SCENARIOS = {
    **{f"ROTATE-0{number}": getattr(rotating, f"test_rotate_0{number}") for number in range(1, 9)},
    **{f"REFRESH-0{number}": getattr(refreshing, f"test_refresh_0{number}") for number in (6, 7, 8)},
}


@dataclass
class Kin:
    """A family of refresh tokens: who they belong to, and what replaced each that was used, and when."""

    owner: str
    tokens: set[str] = field(default_factory=set)
    replaced: dict[str, tuple[float, list[str]]] = field(default_factory=dict)


class RotatingApi(FakeApi):
    """A server that rotates, and ends a session when a spent refresh token comes back, unless told otherwise."""

    grace_s = 0.0
    until_used = False
    """Whether a used token is served as long as none of its successors was used."""
    same = False
    """Whether it is then served with the successor that it has."""
    detects = True
    ends_user = False
    """Whether a replay ends every session of the user."""
    ends_access = True
    one_session = False
    rotates = True
    spends = True

    def __init__(self, **policy: Any) -> None:
        """Follows this policy."""
        super().__init__()
        self.kin: dict[str, Kin] = {}
        for name, value in policy.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    @property
    def now(self) -> float:
        """The server's time."""
        return time.time() + self.clock_s

    def give(self, kin: Kin, refresh: str = "") -> Response:
        """An answer with a new access token and a refresh token, a new one unless it is given."""
        tokens = self.issue("access", kin.owner), refresh or self.issue("refresh", kin.owner)
        kin.tokens.update(tokens)
        self.kin.update(dict.fromkeys(tokens, kin))
        return answer(200, {"access_token": tokens[0], "refresh_token": tokens[1]})

    def end(self, kin: Kin) -> None:
        """Ends a family."""
        for token in kin.tokens:
            if self.ends_access or self._live.get(token, ("", ""))[1] == "refresh":
                self._live.pop(token, None)

    def _login(self, sent: Any) -> Response:
        honest = super()._login(sent)
        if honest.status != 200:
            return honest
        if self.one_session:
            self.end_all_of(sent["username"])
        return self.give(Kin(sent["username"]))

    def end_all_of(self, owner: str) -> None:
        """Ends every family of a user."""
        for kin in list(self.kin.values()):
            if kin.owner == owner:
                self.end(kin)

    def _refresh(self, token: str) -> Response:
        if self._live.get(token, ("", ""))[1] != "refresh":
            return answer(401, {"msg": "no"})
        kin = self.kin[token]
        if not self.rotates:
            return self.give(kin, token)
        if token not in kin.replaced or not self.spends:
            given = self.give(kin)
            kin.replaced[token] = self.now, [given.json["refresh_token"]]
            return given
        used_at, successors = kin.replaced[token]
        confirmed = any(successor in kin.replaced for successor in successors)
        if self.now < used_at + self.grace_s or (self.until_used and not confirmed):
            given = self.give(kin, successors[0] if self.same else "")
            successors.append(given.json["refresh_token"])
            return given
        if self.detects:
            self.end_all_of(kin.owner) if self.ends_user else self.end(kin)
        return answer(401, {"msg": "no"})


class ApiClock(FrozenClock):
    """Moves the clock of an API in this process."""

    def __init__(self, api: FakeApi) -> None:
        """Moves this one's."""
        super().__init__()
        self.api = api

    def now(self) -> float:
        """What it shows."""
        return time.time() + self.api.clock_s

    def reach(self, moment: float) -> None:
        """Moves it."""
        self.api.clock_s += max(0.0, moment - self.now())


def target(api: RotatingApi, *, max_wait_s: float | None = None, **declared: Any) -> Target:
    """A target whose clock can be moved; or else one that is waited for, so many seconds at most."""
    profile = load("default")
    made = target_of(api, profile=replace(profile, refresh=replace(profile.refresh, **declared)))
    made.clock = ApiClock(api) if max_wait_s is None else WaitingClock(made.client.pause, max_wait_s)
    made.client.max_wait_s = max_wait_s or 0.0
    return learnt(made)


def verdicts(judged: Target) -> dict[str, Verdict]:
    """The verdict on each requirement, in one run."""
    found = {}
    for name, scenario in SCENARIOS.items():
        trial, error = Trial(judged, requirement(name=name)), None
        try:
            scenario(trial)
            trial.confirm()
        except Exception as raised:  # noqa: BLE001 - as pytest does
            error = raised
        outcome = conclude(trial, trial.requirement, error)
        assert outcome is not None, (name, error)
        found[name] = outcome.verdict
    return found


def others(found: dict[str, Verdict], *expected: str) -> dict[str, Verdict]:
    """What is neither passed nor one of these; nothing in the API says how or when somebody authenticated."""
    return {name: verdict for name, verdict in found.items() if verdict is not PASSED and name not in expected}


NO_FRESHNESS = "REFRESH-07"


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"grace_s": 10.0, "same": True},
        {"grace_s": 30.0},
        {"grace_s": 60.0, "same": True},
        {"grace_s": 300.0},
        {"until_used": True, "same": True},
        {"until_used": True},
        {"ends_user": True},
        {"ends_user": True, "grace_s": 10.0},
    ],
    ids=str,
)
def test_sound_policies_have_no_finding(policy: dict[str, Any]) -> None:
    """Strict rotation, a grace of up to five minutes and one that ends with the successor's use are all accepted."""
    found = verdicts(target(RotatingApi(**policy)))

    assert others(found, NO_FRESHNESS) == {}
    assert found[NO_FRESHNESS] is NOT_APPLICABLE


@pytest.mark.parametrize("grace", [0, 10, 120])
def test_a_declared_grace_is_waited_out(grace: int) -> None:
    """A replay after the declared grace is none within it."""
    assert others(verdicts(target(RotatingApi(grace_s=float(grace)), grace=grace)), NO_FRESHNESS) == {}


def test_a_longer_grace_than_declared_is_found() -> None:
    """What is served after the declared grace is a finding, and one only."""
    found = verdicts(target(RotatingApi(grace_s=60.0), grace=5))

    assert [name for name, verdict in found.items() if verdict is FAILED] == ["ROTATE-02"]


def test_an_undeclared_grace_that_cannot_be_waited_out_is_no_finding() -> None:
    """Where waiting is too long, nothing is said against the target, and the report says what to give."""
    api = RotatingApi(spends=False)
    found = verdicts(target(api, max_wait_s=0.5))

    untested = {"ROTATE-02", "ROTATE-03", "ROTATE-04", "ROTATE-05", "ROTATE-06"}
    assert {name for name, verdict in found.items() if verdict is UNTESTED} == untested
    assert others(found, NO_FRESHNESS, *untested) == {}


def test_one_session_per_user_is_a_policy() -> None:
    """A server where a login ends the user's earlier sessions is not blamed for it."""
    found = verdicts(target(RotatingApi(one_session=True)))

    assert others(found, NO_FRESHNESS, "REFRESH-08") == {}
    assert found["REFRESH-08"] is NOT_APPLICABLE


def test_without_rotation_there_is_one_finding() -> None:
    """A server that does not rotate breaks what asks for rotation, and nothing else of the area applies."""
    found = verdicts(target(RotatingApi(rotates=False)))

    assert {name for name, verdict in found.items() if verdict is FAILED} == {"ROTATE-01"}
    assert {name for name, verdict in others(found).items() if verdict is NOT_APPLICABLE} >= {
        f"ROTATE-0{number}" for number in range(2, 9)
    }


@pytest.mark.parametrize(
    ("policy", "broken"),
    [
        ({"spends": False}, "ROTATE-02"),
        ({"detects": False}, "ROTATE-03"),
        ({"detects": False, "until_used": True}, "ROTATE-03"),
        ({"ends_access": False}, "ROTATE-05"),
    ],
    ids=str,
)
def test_one_deviation_is_one_finding(policy: dict[str, Any], broken: str) -> None:
    """A server that leaves one thing out breaks the requirement that asks for it; what hangs on it does not apply."""
    found = verdicts(target(RotatingApi(**policy)))

    assert {name for name, verdict in found.items() if verdict is FAILED} == {broken}
    assert set(others(found, broken).values()) <= {NOT_APPLICABLE}


@pytest.mark.parametrize(
    ("policy", "card"),
    [
        ({}, ("strict", "ends the session")),
        ({"ends_user": True}, ("strict", "ends every session of the user")),
        ({"grace_s": 25.0, "same": True}, ("grace of at most 31 s, with the same successor", "ends the session")),
        ({"until_used": True}, ("strict once the successor is used, until then another successor", "ends the session")),
        ({"detects": False}, ("strict", "is refused, and the session goes on")),
    ],
    ids=str,
)
def test_the_policy_card_tells_how_tokens_are_rotated(policy: dict[str, Any], card: tuple[str, str]) -> None:
    """What is a choice is told, whatever the verdicts say."""
    judged = target(RotatingApi(**policy))
    verdicts(judged)

    assert (judged.policy["rotation"], judged.policy["refresh token reuse"]) == card


@pytest.mark.parametrize(
    ("detects", "declared", "words"),
    [
        (False, "nothing", "is refused, and the session goes on"),
        (True, "session", "ends the session"),
        (False, "session", "is refused, and the session goes on, though the profile declares that it ends the session"),
        (True, "nothing", "ends the session, though the profile declares that it ends nothing"),
    ],
)
def test_what_is_declared_of_a_replay_is_told_and_excuses_nothing(detects: bool, declared: str, words: str) -> None:
    """RFC 9700 §4.14.2 wants a replay to end its session, whatever the operator declares."""
    judged = target(RotatingApi(detects=detects), reuse=declared)

    assert verdicts(judged)["ROTATE-03"] is (PASSED if detects else FAILED)
    assert judged.policy["refresh token reuse"] == words

"""The checks of limits on guessing, against targets that limit rightly, each in its own way."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.catalogue import load as load_catalogue
from conformance.clock import WaitingClock
from conformance.scenarios import test_rate
from conformance.scenarios.conclusion import conclude
from conformance.scenarios.trial import Trial
from conformance.target.hooks import Hooks, Provisioner
from conformance.target.profile_files import load
from conformance.target.profile_tables import Hook, HookTable
from tests.conformance.support import FakeApi, answer, learnt, target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.target.http import Request, Response
    from conformance.target.target import Target

SCENARIOS = {name: getattr(test_rate, f"test_rate_0{number}") for number, name in enumerate(
    ("RATE-01", "RATE-02", "RATE-03", "RATE-04", "RATE-05"), start=1)}  # fmt: skip
FINE = {"passed", "untested", "not_applicable"}


class Limiting(FakeApi):
    """Counts failed logins, and answers so many within a minute with 429.

    Attributes:
        limit: how many are compared.
        by: what they are counted for, from the request and the name in it.
        counts_successes: whether a success counts as well, and clears nothing.
        refusal: the answer beyond the limit, from the seconds that are left.
    """

    def __init__(
        self,
        *,
        limit: int = 5,
        by: Callable[[Request, str], str] = lambda _request, name: name,
        counts_successes: bool = False,
        refusal: Callable[[int], Response] = lambda left: answer(429, {"msg": "wait"}, Retry_After=str(left)),
    ) -> None:
        """Has counted nothing."""
        super().__init__()
        self.limit, self.by, self.counts_successes, self.refusal = limit, by, counts_successes, refusal
        self.counts: dict[str, tuple[int, float]] = {}
        self.turn = threading.Lock()

    def __call__(self, request: Request) -> Response:
        """One request at a time."""
        with self.turn:
            return super().__call__(request)

    def now(self) -> float:
        """The time, in seconds."""
        return time.time() + self.clock_s

    def _login(self, sent: Any) -> Response:
        key = self.by(self.received[-1], sent["username"])
        count, until = self.counts.get(key, (0, 0.0))
        if self.now() >= until:
            count, until = 0, self.now() + 60
        if count >= self.limit:
            return self.refusal(int(until - self.now()) + 1)
        response = super()._login(sent)
        if response.status == 200 and not self.counts_successes:
            # A login clears its own name's count, and leaves that of the address alone.
            if sent["username"] in key:
                self.counts.pop(key, None)
        else:
            self.counts[key] = count + 1, until
        return response


class OneSession(Limiting):
    """Ends a user's session when the same user logs in again."""

    def _login(self, sent: Any) -> Response:
        response = super()._login(sent)
        if response.status == 200:
            body = json.loads(response.body)
            new = {body["access_token"], body["refresh_token"]}
            for token in [token for token, (name, _) in self._live.items() if name == sent["username"]]:
                if token not in new:
                    del self._live[token]
        return response


class Bucket(FakeApi):
    """Compares one login in three, whoever sends it, once some have failed."""

    failures = 0

    def _login(self, sent: Any) -> Response:
        response = super()._login(sent)
        self.failures += response.status != 200
        return response if self.failures < 5 or self.failures % 3 == 0 else answer(429, {}, Retry_After="1")


@dataclass
class InProcess(Hooks):
    """Makes accounts in the API itself."""

    api: FakeApi
    made: list[str] = field(default_factory=list)

    def provision(self, action: str, **details: str) -> None:
        """Makes or removes one."""
        if action == "create":
            self.api.accounts[details["username"]] = details["password"]
        else:
            self.api.accounts.pop(details["username"], None)

    def restart(self, settings: Mapping[str, Any]) -> None:
        """Nothing is restarted."""


def target_with(api: FakeApi, *, patience_s: float = 100.0) -> Target:
    """A target with two people, whose operator lets accounts be made; waiting moves its clock."""
    profile = replace(load("default"), hooks=HookTable(provision=Hook(command=("unused",))))
    target = target_of(api, profile=profile)
    target.provisioner = Provisioner(InProcess(api), target.keep_secret)

    def wait(seconds: float) -> None:
        api.clock_s += seconds
        clock.skew_s += seconds

    clock = target.clock = WaitingClock(wait, patience_s)
    return learnt(target)


def verdicts_on(api: FakeApi, *, patience_s: float = 100.0) -> dict[str, str]:
    """The verdicts of all five, in their order, with the reasons."""
    target, found = target_with(api, patience_s=patience_s), {}
    for name, scenario in SCENARIOS.items():
        trial = Trial(target, load_catalogue().get(name))
        error: Exception | None = None
        try:
            scenario(trial)
            trial.confirm()
        except Exception as raised:  # noqa: BLE001 - as pytest does
            error = raised
        outcome = conclude(trial, trial.requirement, error)
        assert outcome is not None, f"a crash of the suite: {error!r}"
        assert outcome.verdict in FINE, f"{name}: {outcome.verdict} {outcome.reason} {outcome.findings}"
        found[name] = str(outcome.verdict)
    return found


def everybody(_request: Request, _name: str) -> str:
    """One count for the address that all come from."""
    return "address"


@pytest.mark.parametrize(
    "api",
    [
        pytest.param(Limiting, id="by name"),
        pytest.param(lambda: Limiting(limit=99), id="by name, at the last moment"),
        pytest.param(lambda: Limiting(refusal=lambda _: answer(423, {"msg": "locked"})), id="locked"),
        pytest.param(lambda: Limiting(refusal=lambda _: answer(403, {"msg": "captcha"})), id="captcha"),
        pytest.param(lambda: Limiting(by=everybody), id="by address"),
        pytest.param(lambda: Limiting(by=everybody, counts_successes=True), id="every login, by address"),
        pytest.param(OneSession, id="one session for each user"),
        pytest.param(lambda: Limiting(by=lambda _request, name: name.strip().casefold()), id="by folded name"),
    ],
)
def test_a_target_that_limits_is_not_accused(api: Callable[[], FakeApi]) -> None:
    """Whatever is counted and however it is told, a limit is a limit, and no requirement is broken."""
    verdicts = verdicts_on(api())

    assert set(verdicts.values()) == {"passed"}


def test_a_lock_without_a_sign_is_a_limit() -> None:
    """Where the answer stays that to a wrong password and the right one is refused too, guessing is stopped."""
    verdicts = verdicts_on(Limiting(limit=9, refusal=lambda _: answer(401, {"msg": "no"})))

    assert verdicts["RATE-01"] == verdicts["RATE-05"] == "passed"
    assert verdicts["RATE-02"] == "untested"


class Slowing(FakeApi):
    """Takes two seconds longer for each further failure after the fifth, or says so."""

    failures = 0

    def _login(self, sent: Any) -> Response:
        response = super()._login(sent)
        self.failures += response.status != 200
        return replace(response, elapsed_s=0.01 + 2 * max(0, self.failures - 5))


def test_answers_that_take_ever_longer_are_a_limit() -> None:
    """Guessing that is slowed down is stopped as well, and is found out before it takes minutes."""
    api = Slowing()
    verdicts = verdicts_on(api)

    assert verdicts["RATE-01"] == verdicts["RATE-05"] == "passed"
    assert verdicts["RATE-02"] == "untested"
    assert api.failures < 10


def test_a_limit_that_lets_one_in_now_and_then_is_a_limit() -> None:
    """A bucket that fills again may let the right password in, and nothing is made of it."""
    assert verdicts_on(Bucket())["RATE-01"] == "passed"


def test_what_cannot_be_waited_for_is_untested() -> None:
    """Without the patience to let a limit on the address lapse, what needs that says what to give."""
    verdicts = verdicts_on(Limiting(by=everybody), patience_s=5)

    assert verdicts == {**dict.fromkeys(SCENARIOS, "passed"), "RATE-03": "untested"}


def test_a_limit_a_hundred_guesses_away_is_none() -> None:
    """Against a target that compares every guess, the first requirement fails, and the others have nothing to judge."""
    target, found = target_with(FakeApi()), {}
    for name, scenario in SCENARIOS.items():
        trial = Trial(target, load_catalogue().get(name))
        error: Exception | None = None
        try:
            scenario(trial)
        except Exception as raised:  # noqa: BLE001 - as pytest does
            error = raised
        outcome = conclude(trial, trial.requirement, error)
        assert outcome is not None
        found[name] = str(outcome.verdict)

    assert found == {**dict.fromkeys(SCENARIOS, "not_applicable"), "RATE-01": "failed"}

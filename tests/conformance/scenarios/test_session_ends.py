"""Servers whose sessions end in one way or another, and what the suite says of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.scenarios.conclusion import conclude
from conformance.scenarios.test_expiry import test_expiry_12 as keeps_going
from conformance.scenarios.trial import Trial
from conformance.tokens.keys import sign
from conformance.verdicts.model import Verdict
from tests.conformance.scenarios.test_rotation_policies import RotatingApi
from tests.conformance.scenarios.test_rotation_policies import target as target_of
from tests.conformance.support import SECRET, answer, requirement, taken_apart

if TYPE_CHECKING:
    from conformance.target.http import Response
    from conformance.verdicts.model import Outcome


class LastingApi(RotatingApi):
    """A server that ends a session so many seconds after its login, and a refresh token an hour after its issue."""

    session_s: float | None = 3 * 3600.0
    tells = True
    """Whether a refresh token's end is never later than its session's."""

    def __init__(self, **policy: Any) -> None:
        """Follows this policy."""
        self.began = float("inf")
        super().__init__(**policy)

    def issue(self, kind: str, username: str) -> str:
        """A token that ends when its session does, where that is told."""
        self.began = min(self.began, self.now)
        token = super().issue(kind, username)
        claims = taken_apart(token).claims
        if self.session_s is not None and self.tells:
            claims["exp"] = min(claims["exp"], int(self.began + self.session_s))
        made = sign({"alg": "HS256"}, claims, SECRET, "HS256")
        self._live[made] = self._live.pop(token)
        return made

    def _login(self, sent: Any) -> Response:
        self.began = self.now
        return super()._login(sent)

    def _refresh(self, token: str) -> Response:
        over = self.session_s is not None and self.now >= self.began + self.session_s
        if over or self.now >= taken_apart(token).claims["exp"]:
            return answer(401, {"msg": "no"})
        return super()._refresh(token)


def outcome(api: LastingApi, session: int | None = None, max_wait_s: float | None = None) -> Outcome:
    """The verdict on EXPIRY-12, where the profile declares so many seconds for a session."""
    target = target_of(api, max_wait_s=max_wait_s)
    lifetimes = replace(target.profile.lifetimes, session=session)
    target.profile = replace(target.profile, lifetimes=lifetimes)
    trial, error = Trial(target, requirement(name="EXPIRY-12")), None
    try:
        keeps_going(trial)
    except Exception as raised:  # noqa: BLE001 - as pytest does
        error = raised
    found = conclude(trial, trial.requirement, error)
    assert found is not None, error
    return found


@pytest.mark.parametrize("session", [None, 3 * 3600])
@pytest.mark.parametrize(
    "policy",
    [{"session_s": 3600.0}, {"session_s": 3 * 3600.0}, {"tells": False}, {"session_s": 24 * 3600.0}],
    ids=str,
)
def test_an_end_that_comes_is_enough(policy: dict[str, Any], session: int | None) -> None:
    """Absolute and sliding sessions pass as long as they end, be it told or only seen, within what is declared."""
    declared = session and max(session, int(policy.get("session_s", session)))

    assert outcome(LastingApi(**policy), declared).verdict is Verdict.PASSED


def test_a_session_that_outlives_what_is_declared_fails() -> None:
    """What is refreshed after the declared limit goes on for ever as far as anybody knows."""
    assert outcome(LastingApi(session_s=None), 7200).verdict is Verdict.FAILED


def test_without_a_declared_limit_a_long_session_is_no_finding() -> None:
    """A session that slides may have a bound beyond what can be shown: the report says what to declare."""
    found = outcome(LastingApi(session_s=None))

    assert found.verdict is Verdict.UNTESTED
    assert "lifetimes.session" in found.reason


def test_what_takes_too_long_is_untested() -> None:
    """Where the clock cannot be moved, no more is waited than the user allows."""
    found = outcome(LastingApi(session_s=None), 7200, max_wait_s=0.5)

    assert found.verdict is Verdict.UNTESTED
    assert "--max-wait" in found.reason

"""Login scenarios on servers that are right, and not like the bundled one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from conformance.scenarios import test_login as scenarios
from conformance.verdicts.model import Verdict
from tests.conformance.scenarios.concluding import outcome_of
from tests.conformance.support import FakeApi, answer

if TYPE_CHECKING:
    from conformance.target.http import Response


class OneSession(FakeApi):
    """Ends every session of a user who logs in again."""

    def issue(self, kind: str, username: str) -> str:
        """Forget the others first."""
        if kind == "access":
            self._live = {token: (owner, what) for token, (owner, what) in self._live.items() if owner != username}
        return super().issue(kind, username)


class Opaque(FakeApi):
    """Gives opaque tokens, and keeps the refresh token until it expires."""

    def issue(self, kind: str, username: str) -> str:
        """Draw a random string."""
        token = secrets.token_urlsafe(32)
        self._live[token] = (username, kind)
        return token

    def _refresh(self, token: str) -> Response:
        owner, kind = self._live.get(token, ("", ""))
        return answer(200, {"access_token": self.issue("access", owner)}) if kind == "refresh" else answer(401, {})


@pytest.mark.parametrize("api", [FakeApi, OneSession, Opaque])
@pytest.mark.parametrize("number", ["04", "05", "06", "08", "09"])
def test_a_right_server_is_not_accused(api: type[FakeApi], number: str) -> None:
    """Neither one session per user, nor opaque tokens, nor the lack of rotation is held against a login."""
    outcome = outcome_of(getattr(scenarios, f"test_login_{number}"), api())

    assert outcome.verdict in {Verdict.PASSED, Verdict.NOT_APPLICABLE}, outcome

"""What the scenarios of logout and restart say of servers that end sessions in another way, and rightly so."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from flask import request
from sqlalchemy import update
from werkzeug.exceptions import BadRequest

from conformance.catalogue import load as load_catalogue
from conformance.clock import WaitingClock
from conformance.scenarios import test_expiry, test_revoke
from conformance.scenarios.endings import InconclusiveError, NotApplicableError, UntestedError
from conformance.scenarios.trial import Trial
from conformance.target import doctor
from conformance.target.hooks import Hooks
from conformance.target.http import HttpClient
from conformance.target.profile_files import load
from conformance.target.profile_tables import Hook, HookTable, Sessions
from conformance.target.target import Target
from reference_server import Collaborators, Settings, create_app
from reference_server.credentials import RequestReader
from reference_server.faults.revoke import EndsEverySession, InMemory, SparesAccess
from reference_server.models import SessionRow
from reference_server.serve import ServerThread
from reference_server.sessions import Sessions as KeptSessions
from tests.conformance.support import ALICE, BOB

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from flask import Request

    from conformance.target.profile import Profile
    from reference_server.database import Database

DEFAULT = load("default")
ENVIRONMENT = {
    "REFERENCE_ACCOUNTS": "\n".join(f"{account.username}:{account.password}" for account in (ALICE, BOB)),
    "REFERENCE_PASSWORD_MEMORY": "8",
    "REFERENCE_JWT_SECRET_KEY": "a secret of the tests, of more than thirty-two bytes",
}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests may run in several processes, and the suite that they try does not."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)


@dataclass
class Restarter(Hooks):
    """A server that its operator can start anew: with other settings, and with what it has in the database."""

    environment: dict[str, str]
    parts: Mapping[str, Any] = field(default_factory=dict)
    renews_key: bool = False
    starts: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Starts it."""
        self.server = self._start(self.environment, 0)

    def _start(self, environment: Mapping[str, str], port: int) -> ServerThread:
        return ServerThread(create_app(Settings.from_env(environment), Collaborators(**self.parts)), port=port)

    def provision(self, action: str, **details: str) -> None:
        """Is not what this hook is for."""
        raise NotImplementedError

    def restart(self, settings: Mapping[str, Any]) -> None:
        """Starts it anew on the same port."""
        self.starts.append(settings)
        environment = self.environment | {f"REFERENCE_{name}": value for name, value in settings.items()}
        if self.renews_key:
            environment["REFERENCE_JWT_SECRET_KEY"] = "another secret, as long as the one that there was"
        port = self.server.port
        self.server.close()
        self.server = self._start(environment, port)


@contextmanager
def trial_at(
    name: str, *, declared: Sessions | None = None, folder: Path | None = None, renews_key: bool = False, **parts: Any
) -> Iterator[Trial]:
    """A scenario's view of a server with these parts that somebody else has started."""
    database = {"DATABASE_URL": f"sqlite:///{folder}/sessions.db"} if folder else {}
    hooks = Restarter(ENVIRONMENT | database, parts, renews_key)
    profile: Profile = replace(DEFAULT, sessions=declared or Sessions())
    if folder:
        profile = replace(profile, hooks=HookTable(reconfigure=Hook(url="http://operator.test")))
    client = HttpClient(hooks.server.base_url)
    target = Target(profile, client, WaitingClock(client.pause, 0.0), ALICE, BOB)
    list(doctor.examine(target))
    target.hooks = hooks
    try:
        yield Trial(target, load_catalogue().get(name))
    finally:
        target.close()
        hooks.server.close()


class EndsOneToken(KeptSessions):
    """Ends no more than the token that the logout is shown, as Flask-JWT-Extended's documentation does."""

    def __init__(self, database: Database) -> None:
        """Begin with an empty list."""
        super().__init__(database)
        self.listed: set[str] = set()

    def end(self, claims: Mapping[str, Any], now: int) -> None:  # noqa: ARG002 - as the sessions
        """Put the token on the list."""
        self.listed.add(claims["jti"])

    def is_live(self, claims: Mapping[str, Any], now: int) -> bool:
        """Look into the list."""
        return super().is_live(claims, now) and claims["jti"] not in self.listed


class WantsBody(KeptSessions):
    """Ends nothing unless the refresh token is in the body, as simplejwt's apps have it."""

    def end(self, claims: Mapping[str, Any], now: int) -> None:
        """Look for it."""
        body = request.get_json(silent=True)
        if not isinstance(body, dict) or "refresh_token" not in body:
            raise BadRequest
        super().end(claims, now)


class AnyBody(RequestReader):
    """Lets a body pass."""

    def no_body(self, request: Request) -> None:
        """Say nothing."""


@pytest.mark.parametrize("parts", [{"sessions": EndsOneToken}, {"sessions": WantsBody, "reader": AnyBody}])
def test_a_logout_may_want_each_token_or_both(parts: dict[str, Any]) -> None:
    """A logout that ends the one token that it is shown, or asks for both at once, is no finding."""
    for name in ("revoke_01", "revoke_02", "revoke_04", "revoke_05", "revoke_06"):
        with trial_at(name.upper().replace("_", "-"), **parts) as trial:
            getattr(test_revoke, f"test_{name}")(trial)
        assert trial.findings == [], name
        assert trial.probes, name


def test_stateless_access_is_a_finding_unless_declared() -> None:
    """An access token outlives the logout only where the operator says that it does."""
    with trial_at("REVOKE-02", sessions=SparesAccess) as trial:
        test_revoke.test_revoke_02(trial)
    assert trial.findings
    with (
        trial_at("REVOKE-02", sessions=SparesAccess, declared=Sessions(access="stateless")) as trial,
        pytest.raises(NotApplicableError, match="outlive a logout by up to 900 s"),
    ):
        test_revoke.test_revoke_02(trial)


def test_logging_out_everywhere_is_a_finding_unless_declared() -> None:
    """A logout may end every session where the operator says that it is meant to."""
    with trial_at("REVOKE-06", sessions=EndsEverySession) as trial:
        test_revoke.test_revoke_06(trial)
    assert [finding.case for finding in trial.findings] == [
        f"another session of the same user, its {kind} token, after the logout of one" for kind in ("access", "refresh")
    ]
    with (
        trial_at("REVOKE-06", sessions=EndsEverySession, declared=Sessions(logout="all")) as trial,
        pytest.raises(NotApplicableError, match="every session"),
    ):
        test_revoke.test_revoke_06(trial)


class OneSession(KeptSessions):
    """Ends the session that a user has when the next begins."""

    def start(self, account_id: str, **rest: Any) -> str:
        """End it first."""
        with self._database.transaction() as session:
            session.execute(update(SessionRow).where(SessionRow.account_id == account_id).values(ended_at=1))
        return super().start(account_id, **rest)


def test_one_session_for_each_user_is_no_finding() -> None:
    """Where a login ends the session before it, there is no other that a logout could leave alone."""
    with trial_at("REVOKE-06", sessions=OneSession) as trial, pytest.raises(NotApplicableError, match="one session"):
        test_revoke.test_revoke_06(trial)
    with trial_at("REVOKE-03", sessions=OneSession) as trial:
        test_revoke.test_revoke_03(trial)
    assert trial.findings == []


class Refuses(KeptSessions):
    """Logs nobody out."""

    def end(self, claims: Mapping[str, Any], now: int) -> None:  # noqa: ARG002 - as the sessions
        """Refuse."""
        raise BadRequest


def test_a_logout_that_takes_place_nowhere_proves_nothing() -> None:
    """Where every way to log out is refused, the profile may be wrong, and no token is held against the server."""
    for scenario in (test_revoke.test_revoke_01, test_revoke.test_revoke_02, test_revoke.test_revoke_05):
        with trial_at("REVOKE-01", sessions=Refuses) as trial, pytest.raises(InconclusiveError, match="logged out"):
            scenario(trial)
        assert trial.findings == []


# -- Restarts ----------------------------------------------------------------------------------------------------------


def test_a_target_of_ones_own_is_restarted_by_its_hook(tmp_path: Path) -> None:
    """What was ended stays ended over a restart of a server that is reached by its URL alone."""
    with trial_at("REVOKE-08", folder=tmp_path) as trial:
        test_revoke.test_revoke_08(trial)
        assert isinstance(trial.target.hooks, Restarter)
        assert trial.target.hooks.starts == [{}]
    assert trial.findings == []
    assert trial.probes


def test_a_list_in_memory_is_found_out_by_a_restart(tmp_path: Path) -> None:
    """Tokens that come back are findings, each with its own kind."""
    with trial_at("REVOKE-08", folder=tmp_path, sessions=InMemory) as trial:
        test_revoke.test_revoke_08(trial)
    assert {finding.case.split(" token", 1)[0] for finding in trial.findings} == {"the access", "the refresh"}


def test_a_restart_that_ends_everything_shows_nothing(tmp_path: Path) -> None:
    """With a key of its own for each start a server cannot bring tokens back, and the suite goes on with new ones."""
    with trial_at("REVOKE-08", folder=tmp_path, renews_key=True) as trial:
        with pytest.raises(NotApplicableError, match="a restart ends every session"):
            test_revoke.test_revoke_08(trial)
        session = trial.session()
        door = trial.protected_doors[0]
        request = door.present(session.access.value, session)
        assert door.bought(request, trial.send(request).response)


def test_lifetimes_are_set_by_the_hook(tmp_path: Path) -> None:
    """Each unit is tried by a restart with these settings, and in the end the first ones are back."""
    with trial_at("EXPIRY-08", folder=tmp_path) as trial:
        test_expiry.test_expiry_08(trial)
        assert isinstance(trial.target.hooks, Restarter)
        assert [sorted(settings.values()) for settings in trial.target.hooks.starts] == [
            ["45s", "7m"], ["2h", "3m"], ["1d", "2h"], ["1d", "1w"], ["1w", "2w"], [],
        ]  # fmt: skip
    assert trial.findings == []
    assert trial.probes == 10


def test_without_a_hook_nothing_is_restarted() -> None:
    """The suite says what to give, and tries nothing."""
    for scenario in (test_revoke.test_revoke_08, test_expiry.test_expiry_08):
        with trial_at("REVOKE-08") as trial, pytest.raises(UntestedError, match=r"hooks\.reconfigure"):
            scenario(trial)


def test_other_processes_of_a_run_are_not_disturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that several processes are testing is not restarted."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    with trial_at("REVOKE-08", folder=tmp_path) as trial, pytest.raises(UntestedError, match="without -n"):
        test_revoke.test_revoke_08(trial)

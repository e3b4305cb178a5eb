"""The commands of an operator, and what they change."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import jwt
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from freezegun import freeze_time
from sqlalchemy import create_engine

from reference_server import Settings, migrations
from reference_server.app import prepare
from reference_server.keyring import NoKeyError
from reference_server.models import Base
from reference_server.shared_keys import SKEW, SharedKeys
from tests.packaging.processes import free_port, with_our_commands

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.reference_server.api import Api
    from tests.reference_server.conftest import Start

SECRET = b"a secret that seals the keys of the database"
START = "2030-01-01 12:00:00"


def command(api: Api, *words: str, told: str = "") -> Result:
    """The end of a command."""
    return api.app.test_cli_runner().invoke(args=words, input=told)


def kid_of(token: str) -> str | None:
    """The name of the key that signed a token."""
    name: str | None = jwt.get_unverified_header(token).get("kid")
    return name


def test_steps_lead_to_the_models(tmp_path: Path) -> None:
    """What Alembic makes is what the program uses, and can be made twice."""
    engine = create_engine(f"sqlite:///{tmp_path / 'server.db'}")
    for _ in range(2):
        migrations.upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_accounts_come_change_and_go(start: Start) -> None:
    """An account logs in from its making to its disabling; a new password ends its sessions."""
    api = start()
    assert command(api, "accounts", "put", "carol", told="first-password\nfirst-password\n").exit_code == 0
    token = api.try_login("carol", "first-password").json["access_token"]
    assert command(api, "accounts", "put", "carol", "--password", "second-password").exit_code == 0
    assert not api.opens(token)
    assert api.try_login("carol", "second-password").status_code == 200
    assert command(api, "accounts", "disable", "carol").exit_code == 0
    assert api.try_login("carol", "second-password").status_code == 401
    token = api.login("bob").access
    assert command(api, "accounts", "remove", "bob").exit_code == 0
    assert not api.opens(token)


def test_deployed_server_has_no_demo_accounts() -> None:
    """What everybody knows opens nothing where the database is a server; what the operator sets is kept."""
    deployed = {"DATABASE_URL": "postgresql://localhost/reference"}
    settings = Settings.from_env(deployed)
    assert (settings.accounts, settings.clients) == ((), ())
    settings = Settings.from_env(deployed | {"REFERENCE_ACCOUNTS": "carol:hunter2", "REFERENCE_CLIENTS": "app:x"})
    assert (settings.accounts, settings.clients) == ((("carol", "hunter2"),), (("app", "x"),))


@pytest.mark.parametrize("algorithm", ["HS256", "ES256"])
def test_keys_take_over_in_time(start: Start, algorithm: str) -> None:
    """A new key verifies at once and signs when it said; the old one goes when its last token is over."""
    api = start(algorithm=algorithm, keyring_secret=SECRET)
    with freeze_time(START) as clock:
        before = api.login()
        ended = command(api, "keys", "rotate", "--announce", "5m")
        assert ended.output.endswith(": signs from 2030-01-01 12:05:00Z\n")
        new = ended.output.split(":")[0]

        clock.tick(timedelta(minutes=4, seconds=59))
        last = api.login()
        assert kid_of(last.access) == kid_of(before.access)
        clock.tick(timedelta(seconds=1))
        assert kid_of(api.login().access) == new
        assert api.opens(before.access)
        assert kid_of(api.refresh(before.refresh).access) == new
        assert "verifies until 2030-01-01 13:06:00Z" in command(api, "keys", "list").output

        clock.tick(timedelta(minutes=59, seconds=58))
        assert api.post("/refresh", last.refresh).status_code == 200
        clock.tick(timedelta(seconds=2 + SKEW))
        assert command(api, "keys", "list").output.count("\n") == 1


@pytest.mark.parametrize("algorithm", ["HS256", "ES256"])
def test_takeover_in_the_midst_of_a_login(start: Start, algorithm: str) -> None:
    """Whenever within a request the new key's second comes, each token names the key that has signed it."""
    api = start(algorithm=algorithm, keyring_secret=SECRET)
    signers = set()
    for announced in range(1, 30):
        # Each look at the clock finds the next second.
        with freeze_time(START, auto_tick_seconds=1):
            command(api, "keys", "rotate", "--announce", f"{announced}s")
            tokens = api.login()
            signers.add(kid_of(tokens.access))
            assert api.opens(tokens.access)
            assert api.refresh(tokens.refresh)
    assert len(signers) > 1


def test_stolen_key_is_revoked(start: Start) -> None:
    """What it has signed ends at once, and only once another key signs."""
    api = start(algorithm="ES256", keyring_secret=SECRET)
    with freeze_time(START) as clock:
        token = api.login().access
        stolen = kid_of(token) or ""
        assert "rotate" in command(api, "keys", "revoke", stolen).output
        command(api, "keys", "rotate", "--announce", "1s")
        clock.tick(timedelta(seconds=1))
        assert "no key of that name" in command(api, "keys", "revoke", "another").output
        assert api.opens(token)
        assert command(api, "keys", "revoke", stolen).exit_code == 0
        assert not api.opens(token)
        assert api.opens(api.login().access)


def test_key_whose_name_begins_with_a_hyphen_can_be_revoked(start: Start) -> None:
    """As that of every 64th does."""
    api = start(keyring_secret=SECRET)
    command(api, "keys", "rotate", "--announce", "0 seconds")
    ended = command(api, "keys", "revoke", "-7-Yf1LeJL7Wy1xua2a")
    assert ended.output == "Error: there is no key of that name\n"


def test_urgent_key_overtakes_one_that_is_announced(start: Start) -> None:
    """The key asked for last signs when it was to, and the one before it stays known for as long as its tokens may."""
    api = start(keyring_secret=SECRET)
    with freeze_time(START) as clock:
        before = api.login()
        slow, urgent = (command(api, "keys", "rotate", "--announce", when).output[:36] for when in ("1h", "2s"))
        clock.tick(timedelta(seconds=1))
        between = api.login()
        clock.tick(timedelta(seconds=1))
        assert [kid_of(tokens.access) for tokens in (before, between, api.login())] == [
            kid_of(before.access),
            slow,
            urgent,
        ]
        clock.tick(timedelta(minutes=59, seconds=58))
        assert api.refresh(between.refresh)


def test_key_set_has_the_announced_key_first(start: Start) -> None:
    """Whoever keeps the key set for as long as it says knows a key before its first token."""
    api = start(algorithm="EdDSA", keyring_secret=SECRET)
    new = command(api, "keys", "rotate").output.split(":")[0]
    answer = api.client.get("/.well-known/jwks.json")
    old = kid_of(api.login().access)
    assert [key["kid"] for key in answer.json["keys"]] == [new, old]
    assert answer.cache_control.max_age == 300


def test_keys_are_sealed_in_the_database(start: Start, tmp_path: Path) -> None:
    """The file holds no key, another secret opens none, and the same one finds the same key again."""
    url = f"sqlite:///{tmp_path / 'server.db'}"
    first = start(database_url=url, keyring_secret=SECRET, jwt_secret_key=b"hunter2" * 8)
    token = first.login().access
    assert b"hunter2" not in (tmp_path / "server.db").read_bytes()
    assert start(database_url=url, keyring_secret=SECRET).opens(token)
    with pytest.raises(NoKeyError, match="REFERENCE_KEYRING_SECRET"):
        start(database_url=url, keyring_secret=SECRET[::-1])


def test_without_a_key_the_answer_is_503(start: Start) -> None:
    """A database that was not prepared, or a key that is not yet to sign, is no reason to call a token bad."""
    api = start(keyring_secret=SECRET)
    keys = api.services.issuer.keys
    assert isinstance(keys, SharedKeys)
    token = api.login().access
    with freeze_time("1960-01-01"):
        answer = api.try_login()
    assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
    prepare(api.app)
    assert api.opens(token)


def test_key_that_nobody_knows_is_an_invalid_token(start: Start) -> None:
    """A name that is none of the keys' is refused like a wrong signature."""
    api = start(keyring_secret=SECRET, algorithm="ES256")
    answer = api.get("/profile", api.forge(api.login().access, {"kid": "unknown"}))
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    ("words", "hint"),
    [(("keys", "rotate"), "REFERENCE_KEYRING_SECRET"), (("keys", "list"), "REFERENCE_KEYRING_SECRET")],
)
def test_commands_say_what_they_need(api: Api, words: tuple[str, ...], hint: str) -> None:
    """Without a keyring there are no keys to rotate."""
    ended = command(api, *words)
    assert ended.exit_code == 1
    assert hint in ended.output


@pytest.mark.parametrize(
    ("words", "changed", "told"),
    [
        (("keys", "list"), {"REFERENCE_ACCESS_LIFETIME": "5 minuts"}, "Error: REFERENCE_ACCESS_LIFETIME: "),
        (("accounts", "put", "alice", "--password", "x"), {}, "Error: the database cannot be asked (OperationalError)"),
        (("database", "upgrade"), {}, "Error: DATABASE_URL: this database cannot be opened"),
    ],
)
def test_commands_end_in_a_line(words: tuple[str, ...], changed: dict[str, str], told: str, tmp_path: Path) -> None:
    """Where a setting is wrong, or the database is away; and no password of its URL is repeated."""
    url = f"postgresql://reference:hunter2@127.0.0.1:{free_port()}/reference"
    given = {"DATABASE_URL": url, "REFERENCE_KEYRING_SECRET": SECRET.decode()} | changed
    ended = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "reference_server", *words],
        cwd=tmp_path, env=with_our_commands(**given), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.startswith(told)
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr


def test_announcement_must_be_a_duration(start: Start) -> None:
    """A slip is told with what would do."""
    ended = command(start(keyring_secret=SECRET), "keys", "rotate", "--announce", "5 minuts")
    assert ended.exit_code == 2
    assert "did you mean '5 minutes'?" in ended.output


def test_health_is_served_where_something_can_be_away(api: Api) -> None:
    """A server that has all it needs in its own process has no address more than its contract."""
    assert api.client.get("/healthz").status_code == 404


def test_trusted_proxies_alone_name_the_client(start: Start) -> None:
    """Who is counted for a guess is who the last trusted proxy names, and never who the client says it is."""
    for proxies, answers in ((0, [401, 401, 429]), (1, [401, 401, 401])):
        api = start(trusted_proxies=proxies, address_attempts=2)
        guesses = [
            api.client.post(
                "/login", json={"username": f"nobody-{n}", "password": "x"}, headers={"X-Forwarded-For": f"192.0.2.{n}"}
            )
            for n in range(3)
        ]
        assert [guess.status_code for guess in guesses] == answers

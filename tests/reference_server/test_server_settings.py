"""Settings, and how their mistakes are told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reference_server import DEMO_ACCOUNTS, Settings, SettingsError, create_app
from reference_server.app import close, services_of
from tests.reference_server.api import Api

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "a secret that is long enough for HS256"


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    """A key as it is written to a file."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_defaults_are_the_contract() -> None:
    """An empty environment is the contract's own settings."""
    settings = Settings.from_env({})
    assert settings == Settings()
    assert (settings.variant, settings.algorithm, settings.token_location) == ("full", "HS256", "headers")
    assert (settings.access_lifetime, settings.refresh_lifetime) == (timedelta(minutes=15), timedelta(hours=1))
    assert settings.rotates
    assert settings.accounts == DEMO_ACCOUNTS


def test_every_setting_can_be_named() -> None:
    """Each setting has its variable, in any case and with spaces around it."""
    settings = Settings.from_env(
        {
            "REFERENCE_VARIANT": "Full",
            "REFERENCE_ALGORITHM": " hs256 ",
            "REFERENCE_ACCESS_LIFETIME": "2 days",
            "REFERENCE_REFRESH_LIFETIME": "1 week",
            "REFERENCE_ROTATION": "OFF",
            "REFERENCE_TOKEN_LOCATION": "cookies",
            "REFERENCE_TLS": "on",
            "REFERENCE_COOKIE_SECURE": "on",
            "REFERENCE_JWT_SECRET_KEY": SECRET,
            "REFERENCE_KEYRING_SECRET": SECRET,
            "REFERENCE_TRUSTED_PROXIES": "2",
            "REFERENCE_ISSUER": "https://issuer.example",
            "REFERENCE_AUDIENCE": "audience",
            "REFERENCE_ACCOUNTS": "carol: pass:word \n\ndave:secret\n",
            "REFERENCE_CLIENTS": "app: pass:word",
            "REFERENCE_PASSWORD_MEMORY": "65536",
            "REFERENCE_ACCOUNT_ATTEMPTS": "3",
            "REFERENCE_ADDRESS_ATTEMPTS": "30",
            "REFERENCE_FAULT": "some-fault",
            "DATABASE_URL": "sqlite:///x.db",
            "REDIS_URL": "redis://localhost",
            "PATH": "/bin",
        }
    )
    assert settings == Settings(
        algorithm="HS256",
        access_lifetime=timedelta(days=2),
        refresh_lifetime=timedelta(weeks=1),
        rotation=False,
        token_location="cookies",
        tls=True,
        cookie_secure=True,
        jwt_secret_key=SECRET.encode(),
        keyring_secret=SECRET.encode(),
        trusted_proxies=2,
        issuer="https://issuer.example",
        audience="audience",
        accounts=(("carol", " pass:word"), ("dave", "secret")),
        clients=(("app", " pass:word"),),
        password_memory=65536,
        account_attempts=3,
        address_attempts=30,
        fault="some-fault",
        database_url="sqlite:///x.db",
        redis_url="redis://localhost",
    )


@pytest.mark.parametrize(
    ("environment", "hints"),
    [
        ({"REFERENCE_ACCES_LIFETIME": "1h"}, ["did you mean REFERENCE_ACCESS_LIFETIME?"]),
        ({"REFERENCE_ALGORYTHM": "HS256"}, ["did you mean REFERENCE_ALGORITHM?"]),
        ({"REFERENCE_VARIANT": "ful"}, ["full, lesson", "did you mean 'full'?"]),
        ({"REFERENCE_ALGORITHM": "RS512"}, ["did you mean 'RS256'?"]),
        ({"REFERENCE_ALGORITHM": "none"}, ["HS256, RS256, ES256, EdDSA"]),
        ({"REFERENCE_ACCESS_LIFETIME": "15 minuts"}, ["did you mean '15 minutes'?"]),
        ({"REFERENCE_REFRESH_LIFETIME": "2 years"}, ["did you mean '2 "]),
        ({"REFERENCE_ACCESS_LIFETIME": "2h"}, ["shorter"]),
        ({"REFERENCE_REFRESH_LIFETIME": "15m"}, ["shorter"]),
        ({"REFERENCE_ROTATION": "yes"}, ["on, off"]),
        ({"REFERENCE_ROTATION": "onn"}, ["did you mean 'on'?"]),
        ({"REFERENCE_TOKEN_LOCATION": "cookie"}, ["did you mean 'cookies'?"]),
        ({"REFERENCE_JWT_SECRET_KEY": "too short"}, ["9 bytes", "32"]),
        ({"REFERENCE_JWT_SECRET_KEY": SECRET, "REFERENCE_ALGORITHM": "ES256"}, ["REFERENCE_JWT_PRIVATE_KEY"]),
        ({"REFERENCE_JWT_PRIVATE_KEY": "x"}, ["REFERENCE_JWT_SECRET_KEY"]),
        ({"REFERENCE_JWT_PRIVATE_KEY": "@no-such-file", "REFERENCE_ALGORITHM": "ES256"}, ["no-such-file", "No such"]),
        ({"REFERENCE_ISSUER": " "}, ["empty"]),
        ({"REFERENCE_ACCOUNTS": "alice"}, ["entry 1", "name:password"]),
        ({"REFERENCE_ACCOUNTS": "a:b\na:c"}, ["entry 2", "'a'"]),
        ({"REFERENCE_ACCOUNTS": ""}, ["name:password"]),
        ({"REFERENCE_CLIENTS": "app"}, ["entry 1", "id:secret"]),
        ({"REFERENCE_CLIENTS": "a:b\na:c"}, ["entry 2", "'a'"]),
        ({"REFERENCE_CLIENTS": ""}, ["names no client", "id:secret"]),
        ({"REFERENCE_PASSWORD_MEMORY": "7"}, ["'8'"]),
        ({"REFERENCE_ACCOUNT_ATTEMPTS": "0"}, ["'10'"]),
        ({"REFERENCE_ADDRESS_ATTEMPTS": "many"}, ["'10'"]),
        ({"REFERENCE_VARIANT": "lesson", "REFERENCE_ALGORITHM": "RS256"}, ["HS256"]),
        ({"REFERENCE_VARIANT": "lesson", "REFERENCE_ROTATION": "on"}, ["'off'"]),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_line(environment: dict[str, str], hints: list[str]) -> None:
    """The message is one line, names the variable, and says what would do."""
    with pytest.raises(SettingsError) as error:
        Settings.from_env(environment)
    message = str(error.value)
    assert "\n" not in message
    assert any(name in message for name in environment)
    assert all(hint in message for hint in hints), message


@pytest.mark.parametrize(
    ("environment", "hint"),
    [
        ({"REFERENCE_FAULT": "refresh-token-opens-everythin"}, "did you mean 'refresh-token-opens-everything'?"),
        ({"DATABASE_URL": "nonsense"}, "sqlite:///"),
        ({"DATABASE_URL": "nosuchdialect://user:hunter2@host/name"}, "sqlite:///"),
        ({"DATABASE_URL": "sqlite:////no/such/folder/x.db"}, "cannot be opened"),
        ({"REDIS_URL": "nonsense://user:hunter2@host"}, "redis://"),
    ],
)
def test_mistakes_found_at_start_are_told_alike(environment: dict[str, str], hint: str) -> None:
    """What only shows when the server is put together names its variable as well, and no password."""
    with pytest.raises(SettingsError) as error:
        create_app(Settings.from_env(environment))
    assert str(error.value).startswith(next(iter(environment)))
    assert hint in str(error.value)
    assert "hunter2" not in str(error.value)


def test_no_secret_is_in_a_repr() -> None:
    """Neither the settings nor what is made of them show a secret."""
    settings = Settings(
        jwt_secret_key=SECRET.encode(),
        jwt_private_key="PRIVATE-PEM",
        accounts=(("carol", "hunter2"),),
        clients=(("app", "hunter2"),),
        database_url="sqlite://",
        redis_url=None,
    )
    app = create_app(settings)
    services = services_of(app)
    shown = " ".join(map(repr, (settings, services, services.issuer.key, services.accounts.by_name("carol"), app)))
    for secret in (SECRET, "PRIVATE-PEM", "hunter2", "sqlite://", "argon2"):
        assert secret not in shown
    close(app)


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", rsa.generate_private_key(65537, 2048)),
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    ],
)
def test_private_key_can_be_given(algorithm: str, key: object, in_file: bool, tmp_path: Path) -> None:
    """A PEM text, or a file that holds one, signs; the key's name follows from the key alone."""
    text = pem(key)
    (tmp_path / "key.pem").write_text(text)
    environment = {
        "REFERENCE_ALGORITHM": algorithm,
        "REFERENCE_JWT_PRIVATE_KEY": f"@{tmp_path / 'key.pem'}" if in_file else text,
    }
    servers = [Api(Settings.from_env(environment)) for _ in range(2)]
    assert len({server.services.issuer.key.kid for server in servers}) == 1
    assert servers[0].opens(servers[0].login().access)
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    ("algorithm", "text", "hint"),
    [
        ("RS256", "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----", "PEM"),
        ("RS256", pem(ec.generate_private_key(ec.SECP256R1())), "does not suit RS256"),
        ("ES256", pem(ec.generate_private_key(ec.SECP384R1())), "does not suit ES256"),
        ("RS256", pem(rsa.generate_private_key(65537, 1024)), "1024 bits"),  # noqa: S505 - it is to be refused,
    ],
)
def test_unsuitable_private_key_is_told(algorithm: str, text: str, hint: str) -> None:
    """A key of another kind, or too small, is refused without being shown."""
    with pytest.raises(SettingsError) as error:
        create_app(Settings(algorithm=algorithm, jwt_private_key=text))
    assert str(error.value).startswith("REFERENCE_JWT_PRIVATE_KEY")
    assert hint in str(error.value)
    assert "hunter2" not in str(error.value)


def test_key_made_at_start_is_announced_with_a_database(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Sessions that outlive the server's key are of no use, and the operator is told."""
    api = Api(Settings(database_url=f"sqlite:///{tmp_path / 'server.db'}"))
    assert "REFERENCE_JWT_SECRET_KEY" in caplog.text
    api.close()


def test_default_secret_is_random_and_long() -> None:
    """Two servers do not accept each other's tokens."""
    servers = [Api(), Api()]
    assert len(servers[0].services.issuer.key.private) == 64
    assert not servers[1].opens(servers[0].login().access)
    for server in servers:
        server.close()

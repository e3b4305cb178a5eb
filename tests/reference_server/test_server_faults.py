"""The deliberately broken variants. Whether the suite notices each is the kill matrix's matter."""

from __future__ import annotations

import tomllib
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from freezegun import freeze_time

from reference_server import DEMO_ACCOUNTS, Collaborators, Settings, SettingsError, faults
from tests.reference_server.api import PASSWORDS, Api, bearer

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from reference_server.faults import Fault

CATALOGUE = Path(__file__).parents[2] / "conformance" / "catalogue"
ALL = faults.load()


def areas() -> dict[str, str]:
    """The area of each requirement, by id."""
    return {
        entry["id"]: file.stem
        for file in CATALOGUE.glob("[a-z]*.toml")
        for entry in tomllib.loads(file.read_text(encoding="utf-8"))["requirement"]
    }


def test_every_requirement_has_a_fault_in_its_area() -> None:
    """Each check can fail: there is a server that breaks what it is about."""
    broken = {(id_, fault.area) for fault in ALL.values() for id_ in fault.breaks}
    assert set(areas().items()) <= broken


@pytest.mark.parametrize("fault", ALL.values(), ids=list(ALL))
def test_fault_is_declared_in_full(fault: Fault) -> None:
    """A fault breaks something of its area, says where it was seen, and says in a sentence what it does."""
    assert fault.breaks
    assert fault.area in {areas()[id_] for id_ in fault.breaks}
    assert not set(fault.breaks) & set(fault.blinds)
    assert fault.seen
    assert fault.does.endswith(".")
    assert fault.replaces or fault.settings


# So many seconds after the login, an honest user of these is served again.
PATIENCE = {"new-session-visible-after-a-second": 2, "refresh-only-after-expiry": 890}


# Werkzeug warns of what is the point of one of them.
@pytest.mark.filterwarnings("ignore:.*cookie is too large")
@pytest.mark.parametrize("name", ALL)
def test_broken_server_still_works_for_honest_users(name: str) -> None:
    """A fault is one behaviour: it differs from the honest server, which otherwise goes on."""
    honest = Settings(accounts=DEMO_ACCOUNTS[:1])
    settings, collaborators = ALL[name].apply(honest)
    assert settings.fault == name
    assert (settings, collaborators) != (honest, Collaborators())
    api = Api(replace(honest, fault=name))
    browser = api.client
    login = browser.post("/login", json={"username": "alice", "password": PASSWORDS["alice"]})
    assert login.status_code == 200
    wait = timedelta(seconds=PATIENCE.get(name, 0))
    # Freezing takes its time, so only where time matters.
    with freeze_time(datetime.now(UTC) + wait) if wait else nullcontext():
        in_cookies = ALL[name].profile == "cookies"
        profile = browser.get(
            "/profile", headers={} if in_cookies else bearer(login.get_json(force=True)["access_token"])
        )
        assert profile.get_json(force=True)["username"] == "alice"
    with freeze_time(datetime.now(UTC) + wait + wait) if wait else nullcontext():
        proof = csrf(browser) if in_cookies else bearer(login.get_json(force=True)["refresh_token"])
        refresh = browser.post("/refresh", headers=proof)
        assert refresh.status_code == 200
        profile = browser.get(
            "/profile", headers={} if in_cookies else bearer(refresh.get_json(force=True)["access_token"])
        )
        assert profile.get_json(force=True)["username"] == "alice"
    api.close()


def csrf(browser: FlaskClient) -> dict[str, str]:
    """The header that goes with the refresh token's cookie."""
    cookie = browser.get_cookie("csrf_refresh_token")
    assert cookie is not None
    return {"X-CSRF-TOKEN": cookie.value}


def test_unknown_fault_names_the_nearest() -> None:
    """A misspelt name is an error that says what was meant."""
    with pytest.raises(SettingsError, match="did you mean 'alg-none-accepted'"):
        faults.get("alg-non-accepted")


def test_explicit_collaborators_come_before_the_setting() -> None:
    """Who hands collaborators over gets these and no fault."""
    api = Api(Settings(fault="alg-none-accepted"), Collaborators())
    assert type(api.app.extensions["flask-jwt-extended"]) is Collaborators().verifier
    api.close()


def test_names_are_unique() -> None:
    """Two faults cannot share a name."""
    with pytest.raises(ValueError, match="two faults are named alg-none-accepted"):
        faults.fault("alg-none-accepted", "SIG-02", seen="here")(type("Again", (), {"__doc__": "Again."}))

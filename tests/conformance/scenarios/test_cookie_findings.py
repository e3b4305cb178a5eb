"""What the scenarios of cookies say of servers that the bundled one is not: plain names, plain http, other paths."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.catalogue import load as load_catalogue
from conformance.clock import WaitingClock
from conformance.scenarios import test_cookie as scenarios
from conformance.scenarios.endings import NotApplicableError, UntestedError
from conformance.scenarios.trial import Trial
from conformance.target import doctor
from conformance.target.http import HttpClient
from conformance.target.profile_files import load
from conformance.target.profile_tables import Cookies
from conformance.target.target import Target
from reference_server import Collaborators, Settings, create_app
from reference_server.credentials import RequestReader
from reference_server.serve import ServerThread
from reference_server.settings import LEAST_MEMORY
from tests.conformance.support import ALICE, BOB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Request

ACCOUNTS = tuple((account.username, account.password) for account in (ALICE, BOB))
PLAIN = Cookies()


@contextmanager
def trial_at(
    name: str, *, config: dict[str, Any] | None = None, cookies: Cookies = PLAIN, **parts: type
) -> Iterator[Trial]:
    """A scenario's view of a server whose tokens travel in cookies of the library's own names, over plain http."""
    app = create_app(
        Settings(accounts=ACCOUNTS, token_location="cookies", password_memory=LEAST_MEMORY), Collaborators(**parts)
    )
    app.config.update(config or {})
    with ServerThread(app) as server:
        client = HttpClient(server.base_url)
        profile = replace(load("cookies"), cookies=cookies)
        target = Target(profile, client, WaitingClock(client.pause, 0.0), ALICE, BOB)
        list(doctor.examine(target))
        yield Trial(target, load_catalogue().get(name))
        target.close()


def found(trial: Trial) -> list[str]:
    """What was observed, finding by finding."""
    return [finding.observed for finding in trial.findings]


def test_development_without_https_is_untested() -> None:
    """Over plain http a cookie with neither Secure nor a prefix is no finding, and no pass."""
    with trial_at("COOKIE-02") as trial, pytest.raises(UntestedError, match="https URL"):
        scenarios.test_cookie_02(trial)
    assert trial.findings == []


def test_a_secure_cookie_wants_its_prefix() -> None:
    """Whoever says Secure is held to the prefix, over plain http as well."""
    with trial_at("COOKIE-02", config={"JWT_COOKIE_SECURE": True}) as trial:
        scenarios.test_cookie_02(trial)
    assert set(found(trial)) == {"a name without __Host- or __Secure-"}


@pytest.mark.parametrize(
    ("config", "observed"),
    [
        ({}, {"Path=/, which every protected route is under"}),
        ({"JWT_REFRESH_COOKIE_PATH": "/refresh"}, set()),
        ({"JWT_REFRESH_COOKIE_PATH": "/elsewhere"}, {"Path=/elsewhere, where no refresh would get it"}),
        ({"JWT_REFRESH_COOKIE_PATH": "/refresh", "JWT_COOKIE_DOMAIN": "example.org"}, {"Domain=example.org"}),
    ],
)
def test_scope_is_the_refreshs_own(config: dict[str, Any], observed: set[str]) -> None:
    """A refresh cookie goes to the refresh and not everywhere; no cookie has a Domain."""
    with trial_at("COOKIE-04", config=config) as trial:
        scenarios.test_cookie_04(trial)
    assert set(found(trial)) == observed


@pytest.mark.parametrize(
    ("secure", "declared", "observed"),
    [(True, True, set()), (False, True, {"SameSite=None"}), (True, False, {"SameSite=None"})],
)
def test_other_sites_are_a_declared_need(secure: bool, declared: bool, observed: set[str]) -> None:
    """SameSite=None passes where the operator declares the need, and never without Secure."""
    config = {"JWT_COOKIE_SAMESITE": "None", "JWT_COOKIE_SECURE": secure}
    with trial_at("COOKIE-03", config=config, cookies=replace(PLAIN, cross_site=declared)) as trial:
        scenarios.test_cookie_03(trial)
    assert set(found(trial)) == observed


class FirstOfTwo(RequestReader):
    """Takes the first of two cookies of one name, as most frameworks do."""

    def ambiguous_cookies(self, request: Request, names: tuple[str, ...]) -> bool:  # noqa: ARG002 - as the reader
        """None is too many."""
        return False


def test_order_does_not_choose_the_user() -> None:
    """Two cookies of one name, which a sibling host can bring about, are refused, or else found."""
    with trial_at("COOKIE-11") as trial:
        scenarios.test_cookie_11(trial)
    assert found(trial) == []
    with trial_at("COOKIE-11", reader=FirstOfTwo) as trial:
        scenarios.test_cookie_11(trial)
    assert found(trial) == ["whoever comes first"]


def test_a_logout_clears_where_the_cookie_is() -> None:
    """A narrowed cookie is cleared under its own path."""
    with trial_at("COOKIE-10", config={"JWT_REFRESH_COOKIE_PATH": "/refresh"}) as trial:
        scenarios.test_cookie_10(trial)
    assert found(trial) == []


class ByOrigin(RequestReader):
    """Trusts a request that no other site makes a browser send, as servers do that look at the Origin."""

    def ambiguous_cookies(self, request: Request, names: tuple[str, ...]) -> bool:
        """Refuse what has a strange Origin."""
        return "Origin" in request.headers or super().ambiguous_cookies(request, names)


@pytest.mark.parametrize("number", ["05", "07", "08"])
def test_the_origin_is_proof_enough(number: str) -> None:
    """A server that checks the Origin and has no CSRF tokens has no finding."""
    config = {"JWT_COOKIE_CSRF_PROTECT": False}
    with trial_at(f"COOKIE-{number}", config=config, reader=ByOrigin) as trial:
        getattr(scenarios, f"test_cookie_{number}")(trial)
        trial.confirm()
    assert found(trial) == []
    assert trial.probes


def test_where_there_are_no_csrf_tokens_none_can_be_wrong() -> None:
    """Their binding does not apply to a server that has none."""
    config = {"JWT_COOKIE_CSRF_PROTECT": False}
    with (
        trial_at("COOKIE-06", config=config, reader=ByOrigin) as trial,
        pytest.raises(NotApplicableError, match="no cookie with a CSRF token"),
    ):
        scenarios.test_cookie_06(trial)


def test_same_site_alone_is_named() -> None:
    """A server that leaves everything to the browser is found out, and the finding says on what it relies."""
    with trial_at("COOKIE-05", config={"JWT_COOKIE_CSRF_PROTECT": False}) as trial:
        scenarios.test_cookie_05(trial)
    assert trial.findings
    assert all("SameSite alone" in observed for observed in found(trial))
    for number in ("07", "08"):
        with (
            trial_at(f"COOKIE-{number}", config={"JWT_COOKIE_CSRF_PROTECT": False}) as trial,
            suppress(NotApplicableError),
        ):
            getattr(scenarios, f"test_cookie_{number}")(trial)
        assert found(trial) == [], "one deviation, one finding"

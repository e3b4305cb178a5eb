"""Going after a redirect, without credentials and not far."""

from __future__ import annotations

import pytest

from conformance.target.http import Exchange, Request
from conformance.target.redirects import redirected
from tests.conformance.support import answer

BASE = "https://api.test:8443/v1"
PROBE = Request("GET", "/me/", (("Authorization", "Bearer secret"),))


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("https://api.test:8443/v1/me", "/me"),
        ("/v1/me?a=b#c", "/me?a=b"),
        ("../me", "/me"),
        ("next", "/me/next"),
        ("/v1", "/"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_target_is_followed_without_credentials(status: int, location: str, path: str) -> None:
    """What comes of a redirect is the same method, at the place it names, with no header taken along."""
    assert redirected(BASE, Exchange(PROBE, answer(status, Location=location), 0.0)) == Request("GET", path)


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.test/v1/me", "http://api.test:8443/v1/me", "https://api.test/v1/me",
        "//elsewhere.test/v1/me", "/v2/me", "/v10/me", "https://[/", "mailto:x@api.test", "",
    ],
)  # fmt: skip
def test_a_redirect_that_leads_away_is_not_followed(location: str) -> None:
    """Another host, port, scheme or prefix is not the target."""
    assert redirected(BASE, Exchange(PROBE, answer(302, Location=location), 0.0)) is None


@pytest.mark.parametrize("status", [200, 201, 401, 404])
def test_other_answers_lead_nowhere(status: int) -> None:
    """A Location header is a redirect only with a status that says so."""
    assert redirected(BASE, Exchange(PROBE, answer(status, Location="/v1/me"), 0.0)) is None
    assert redirected(BASE, Exchange(PROBE, answer(302), 0.0)) is None

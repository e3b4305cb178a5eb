"""The Authorization header, and what a refusal says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.reference_server.api import CORE_ROUTES

if TYPE_CHECKING:
    from tests.reference_server.api import Api

CHALLENGE = re.compile(r'Bearer realm="[ -!#-\[\]-~]+"(, error="invalid_token", error_description="[ -!#-\[\]-~]+")?')


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  ", " Bearer"])
def test_scheme_is_matched_in_any_case(shared: Api, scheme: str) -> None:
    """The scheme's case and the number of spaces do not matter (RFC 9110 §11.1)."""
    token = shared.login().access
    assert shared.get("/profile", Authorization=f"{scheme} {token}").status_code == 200


@pytest.mark.parametrize("form", ["", " ", "Bearer", "Bearer ", "Bearer ,", "Basic YTpi", "Token {}", "{}", "Bearer{}"])
def test_header_without_a_token_is_no_error(shared: Api, form: str) -> None:
    """Where no Bearer token was sent, the challenge has no error code (RFC 6750 §3.1)."""
    answer = shared.get("/profile", Authorization=form.format(shared.login().access))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="jwt-conformance reference server"'


@pytest.mark.parametrize(
    "form",
    [
        "Bearer {0} {0}", "Bearer {0},", "Bearer {0}, Bearer {0}", "Bearer {0},Basic x", 'Bearer "{0}"', "Bearer <{0}>",
        "Bearer={0}", "Bearer:{0}", "Bearer Bearer {0}", "Bearer token={0}", "Bearer {0};", "Bearer é", "Bearer \t{0}",
        "Bearer {0}\u00a0", "Bearer =", "Bearer {{}}", "Bearer null",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", CORE_ROUTES)
def test_broken_forms_are_refused(shared: Api, form: str, path: str) -> None:
    """A good token within a broken header opens nothing."""
    answer = shared.get(path, Authorization=form.format(shared.login().access))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_two_authorization_headers_are_refused(shared: Api) -> None:
    """Two credentials in one request are never mixed, whichever of them is good."""
    good, other = shared.login().access, shared.login("bob").access
    for pair in ((good, other), (good, "x"), ("x", good), (good, good)):
        headers = [("Authorization", f"Bearer {token}") for token in pair]
        assert shared.client.get("/profile", headers=headers).status_code == 401


def test_token_elsewhere_is_ignored(shared: Api) -> None:
    """Only the Authorization header carries a token."""
    token = shared.login().access
    client = shared.client
    client.set_cookie("access_token_cookie", token)
    assert client.get(f"/profile?access_token={token}&jwt={token}", json={"access_token": token}).status_code == 401


def test_challenges_are_well_formed_and_quote_nothing(shared: Api) -> None:
    """Whatever was sent, the challenge has its two forms, and none of what was sent."""
    tokens = shared.login()
    for token in (None, "x", 'a"b', tokens.refresh, tokens.access + "x", "eyJhbGciOiJcIiwgeD0ifQ.e30.e30"):
        answer = shared.get("/profile", token)
        assert CHALLENGE.fullmatch(answer.headers["WWW-Authenticate"])
        assert token is None or token not in answer.headers["WWW-Authenticate"] + answer.text


@pytest.mark.parametrize("path", CORE_ROUTES)
def test_head_answers_like_get(shared: Api, path: str) -> None:
    """HEAD has the status and the headers of GET, and no body."""
    for token in (shared.login().access, None, "x"):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        get, head = shared.client.get(path, headers=headers), shared.client.head(path, headers=headers)
        assert head.status_code == get.status_code
        assert dict(head.headers) == dict(get.headers)
        assert head.get_data() == b""


@pytest.mark.parametrize(
    "path",
    [
        "/profile/",
        "//profile",
        "/PROFILE",
        "/x/../profile",
        "/profile%2f",
        "/profile;x=1",
        "/profile.json",
        "/profile%20",
    ],
)
def test_no_spelling_of_a_path_escapes(shared: Api, path: str) -> None:
    """Other spellings of a protected path are other addresses, and are not redirected."""
    assert shared.client.get(path).status_code in {401, 404}
    assert shared.get(path, shared.login().access).status_code in {200, 404}
    assert shared.client.post(path.replace("profile", "login"), json={}).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_no_method_escapes(shared: Api, method: str) -> None:
    """Other methods show nothing, with or without an override."""
    headers = {"X-HTTP-Method-Override": "GET", "Authorization": f"Bearer {shared.login().access}"}
    answer = shared.client.open("/profile", method=method, headers=headers)
    assert answer.status_code == 405
    assert "alice" not in answer.text

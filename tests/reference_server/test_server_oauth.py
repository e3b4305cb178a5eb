"""OAuth clients: refreshing, revoking and introspecting the tokens that were issued to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from freezegun import freeze_time

from reference_server import DEMO_CLIENTS
from tests.reference_server.api import PASSWORDS, Api, basic_auth, claims_of

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.reference_server.conftest import Start

OWN, OTHER = DEMO_CLIENTS
GRANT = {"grant_type": "refresh_token"}


def ask(api: Api, endpoint: str, data: Any, client: tuple[str, str] | None = OWN, **request: Any) -> TestResponse:
    """What an endpoint answers to a client."""
    headers = {"Authorization": basic_auth(*client)} if client else {}
    return api.client.post(f"/oauth/{endpoint}", data=data, headers=headers, **request)


def refused(answer: TestResponse) -> tuple[int, str]:
    """The status and the code of a refusal, which has the shape of RFC 6749 §5.2."""
    assert answer.json.keys() == {"error", "error_description"}, answer.json
    assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
    return answer.status_code, answer.json["error"]


def state(api: Api, token: str) -> dict[str, Any]:
    """What introspection says of a token."""
    answer = ask(api, "introspect", {"token": token})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


@pytest.mark.parametrize("in_body", [False, True])
def test_client_refreshes_by_form(api: Api, in_body: bool) -> None:
    """The client that the tokens belong to trades a refresh token for the next pair, in the OAuth shape."""
    own = {"client_id": OWN[0], "client_secret": OWN[1]} if in_body else {}
    form = {**GRANT, "refresh_token": api.login().refresh, "scope": "", "unknown": "ignored", **own}
    answer = ask(api, "token", form, None if in_body else OWN)
    assert answer.status_code == 200
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "refresh_expires_in"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert api.opens(answer.json["access_token"])
    assert api.refresh(answer.json["refresh_token"])


@pytest.mark.parametrize("first", ["/refresh", "/oauth/token"])
def test_a_token_is_spent_wherever_it_is_used(api: Api, first: str) -> None:
    """Rotation is one register for both routes: use at one and use again at the other ends the session."""
    tokens = api.login()
    form = {**GRANT, "refresh_token": tokens.refresh}
    if first == "/refresh":
        last = api.refresh(tokens.refresh).access
        assert refused(ask(api, "token", form)) == (400, "invalid_grant")
    else:
        last = ask(api, "token", form).json["access_token"]
        assert api.post("/refresh", tokens.refresh).status_code == 401
    assert not api.opens(last)


def test_without_rotation_a_token_is_kept(start: Start) -> None:
    """The answer holds no refresh token, and the one in hand goes on."""
    api = start(rotation=False)
    tokens = api.login()
    for _ in range(2):
        assert "refresh_token" not in ask(api, "token", {**GRANT, "refresh_token": tokens.refresh}).json
        assert state(api, tokens.refresh)["active"] is True


def test_refusals_have_their_codes(api: Api) -> None:
    """Each mistake is told by the code that RFC 6749 §5.2 has for it, and none spends the token."""
    tokens = api.login()
    good = {**GRANT, "refresh_token": tokens.refresh}
    for expected, form in (
        ("invalid_request", {"refresh_token": tokens.refresh}),
        ("unsupported_grant_type", {**good, "grant_type": "password"}),
        ("unsupported_grant_type", {"grant_type": "password", "username": "alice", "password": PASSWORDS["alice"]}),
        ("invalid_request", GRANT),
        ("invalid_request", {**GRANT, "refresh_token": ""}),
        ("invalid_grant", {**GRANT, "refresh_token": "x"}),
        ("invalid_grant", {**GRANT, "refresh_token": tokens.access}),
        ("invalid_grant", {**GRANT, "refresh_token": api.forge(tokens.refresh, exp=1)}),
        ("invalid_scope", {**good, "scope": "everything"}),
        ("invalid_request", {**GRANT, "refresh_token": [tokens.refresh, tokens.refresh]}),
        ("invalid_request", {**good, "unknown": ["1", "2"]}),
        ("invalid_request", {**good, "client_secret": OWN[1]}),
        ("invalid_request", {**good, "client_id": OTHER[0]}),
    ):
        assert refused(ask(api, "token", form)) == (400, expected), form
    assert refused(ask(api, "token", good, query_string={"scope": "x"})) == (400, "invalid_request")
    assert refused(ask(api, "token", "{}", content_type="application/json")) == (400, "invalid_request")
    assert ask(api, "token", good, query_string={"unknown": "x"}).status_code == 200


@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect"])
def test_clients_are_authenticated(api: Api, endpoint: str) -> None:
    """Nobody but a client with its own secret is served, and the refusal asks for one."""
    tokens = api.login()
    form = {**GRANT, "refresh_token": tokens.refresh, "token": tokens.access}
    for client in (None, (OWN[0], "wrong"), (OWN[0], OTHER[1]), (OWN[0], ""), ("nobody", OWN[1]), ("", "")):
        assert refused(ask(api, endpoint, form, client)) == (401, "invalid_client"), client
    for header in ("Basic", "Basic !", "Basic eA==", f"Bearer {tokens.access}", "Basic /////w==", ""):
        answer = api.client.post(f"/oauth/{endpoint}", data=form, headers={"Authorization": header})
        assert refused(answer) == (401, "invalid_client"), header
    assert refused(ask(api, endpoint, {**form, "client_id": OWN[0]}, None)) == (401, "invalid_client")
    assert api.opens(tokens.access)
    assert ask(api, endpoint, form).status_code == 200


def test_secrets_of_any_characters_work(start: Start) -> None:
    """Id and secret are form-encoded within HTTP Basic, so that a colon or a percent sign does no harm."""
    client = ("an app: %41", "p+a%20s:s ünd")
    api = start(clients=(client,))
    tokens = api.login()
    assert ask(api, "introspect", {"token": tokens.access}, client).json["client_id"] == client[0]


def test_tokens_serve_their_own_client_only(api: Api) -> None:
    """Another client neither refreshes nor revokes, and its attempt costs the owner nothing."""
    tokens = api.login()
    form = {**GRANT, "refresh_token": tokens.refresh, "token": tokens.refresh}
    for endpoint in ("token", "revoke"):
        assert refused(ask(api, endpoint, form, OTHER)) == (400, "invalid_grant")
    assert ask(api, "token", form).status_code == 200


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_revoking_ends_the_session(api: Api, kind: str) -> None:
    """Either token ends the session of both; other sessions go on, and a second time is a success as well."""
    tokens, elsewhere = api.login(), api.login()
    for hint in ("refresh_token", "nonsense"):
        answer = ask(api, "revoke", {"token": getattr(tokens, kind), "token_type_hint": hint})
        assert (answer.status_code, answer.data) == (200, b"")
        assert not api.opens(tokens.access)
        assert api.post("/refresh", tokens.refresh).status_code == 401
    assert ask(api, "revoke", {"token": "x"}).status_code == 200
    assert refused(ask(api, "revoke", {})) == (400, "invalid_request")
    assert api.opens(elsewhere.access)


def test_introspection_tells_what_the_token_says(api: Api) -> None:
    """An active token is told with its own claims, its owner and its client; the kinds can be told apart."""
    tokens = api.login()
    for kind, token in (("access", tokens.access), ("refresh", tokens.refresh)):
        told = state(api, token)
        assert told.items() >= {**claims_of(token), "active": True, "username": "alice", "client_id": OWN[0]}.items()
        assert told["type"] == kind
        assert ("token_type" in told) == (kind == "access")
        assert ask(api, "introspect", {"token": token}, OTHER).json == told
    assert refused(ask(api, "introspect", {})) == (400, "invalid_request")
    assert api.client.get("/oauth/introspect", query_string={"token": tokens.access}).status_code == 405


def test_inactive_tokens_are_told_by_nothing_else(api: Api) -> None:
    """Whatever the reason, the answer is the same."""
    tokens = api.login()
    successor = api.refresh(tokens.refresh)
    for token in (
        "x",
        tokens.refresh,
        successor.access[:-2] + "xx",
        api.forge(successor.access, exp=1),
        api.forge(successor.access, nbf=4102444800),
        api.forge(successor.access, sub="nobody"),
        api.forge(successor.refresh, jti="never issued"),
    ):
        assert state(api, token) == {"active": False}
    assert state(api, successor.refresh)["active"] is True
    api.post("/logout", successor.access)
    for token in (successor.access, successor.refresh):
        assert state(api, token) == {"active": False}


def test_a_token_becomes_inactive_when_it_expires(start: Start) -> None:
    """Introspection goes by the clock, as the routes do."""
    with freeze_time("2030-01-01 12:00:00") as clock:
        api = start()
        tokens = api.login()
        clock.tick(901)
        assert state(api, tokens.access) == {"active": False}
        assert state(api, tokens.refresh)["active"] is True


@pytest.mark.parametrize("settings", [{"variant": "lesson"}, {"token_location": "cookies"}], ids=["lesson", "cookies"])
def test_other_variants_have_no_clients(start: Start, settings: dict[str, Any]) -> None:
    """Where nobody but the user's own browser or script holds tokens, there are no endpoints for clients."""
    for endpoint in ("token", "revoke", "introspect"):
        assert ask(start(**settings), endpoint, {}).status_code == 404

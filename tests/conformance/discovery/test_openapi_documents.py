"""An OpenAPI document yields the login, the refresh and the protected routes, and a hostile one does no harm."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from flask import jsonify, request

from conformance.discovery.openapi import Document, parse, read
from conformance.errors import ConfigurationError
from tests.conformance.discovery.small_api import SmallApi, line, visit
from tests.conformance.support import ALICE

if TYPE_CHECKING:
    from pathlib import Path

    from flask.typing import ResponseReturnValue

SECURED: dict[str, Any] = {"security": [{"token": []}]}
LOGIN = {
    "properties": {"mail": {"type": "string"}, "credentials": {"$ref": "#/components/schemas/Secret"},
                   "realm": {"enum": ["staff", "guests"]}},
    "required": ["mail", "realm"],
}  # fmt: skip
SECRET = {"type": "object", "properties": {"password": {"type": "string"}}, "required": ["password"]}
TOKENS = {"properties": {"result": {"properties": {"jwt": {"type": "string"}}}}}


def document(**paths: Any) -> dict[str, Any]:
    """A document with these paths, `_` for `/` in their names."""
    return {
        "openapi": "3.1.0",
        "paths": {name.replace("_", "/"): item for name, item in paths.items()},
        "components": {
            "schemas": {"Login": LOGIN, "Secret": SECRET},
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Our-Token"}},
        },
    }


def body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}, "required": True}


def described() -> dict[str, Any]:
    """A login that nobody would guess, and routes of every sort."""
    login = {"requestBody": body({"$ref": "#/components/schemas/Login"}), "responses": {"200": body(TOKENS)}}
    wants_id = {"parameters": [{"name": "id", "in": "query", "required": True}]}
    return document(
        _gate_login={"post": login},
        _mine={"get": SECURED, "delete": SECURED},
        _mine_orders={"get": {**SECURED, "parameters": [{"name": "page", "in": "query"}]}},
        _one={"get": {**SECURED, **wants_id}},
        _open={"get": {}},
        _maybe={"get": {"security": [{}, {"token": []}]}},
    )


def gate() -> SmallApi:
    """What the document describes."""
    api = SmallApi()

    @api.route("/gate/login")
    def _login() -> ResponseReturnValue:
        sent = request.get_json(silent=True) or {}
        if sent.get("realm") != "staff" or not isinstance(sent.get("credentials"), dict):
            return jsonify(error="invalid"), 422
        if not api.knows(sent.get("mail"), sent["credentials"].get("password")):
            return jsonify(error="no"), 401
        return jsonify(result={"jwt": api.issue("access")})

    @api.route("/mine", "DELETE")
    def _delete() -> ResponseReturnValue:
        return "", 204

    for path in ("/mine", "/mine/orders", "/one", "/maybe", "/open"):
        api.protect(path, lambda: request.headers.get("X-Our-Token"))
    return api


def test_a_login_that_nobody_would_guess_is_read_from_the_document() -> None:
    """Nested and fixed members, and a header of its own, all come from there, and are proven by the login."""
    api = gate()
    api.route("/openapi.json", "GET")(lambda: jsonify(described()))
    report, profile = visit(api.app)

    assert report.exit_code == 0, report
    assert profile is not None
    login = profile.login
    assert (login.username, login.password, dict(login.extra)) == ("mail", "credentials.password", {"realm": "staff"})
    assert login.access == "result.jwt"
    assert profile.access.sent_in == "header:X-Our-Token"
    assert api.refused == 0


def test_every_safe_operation_that_declares_security_and_needs_nothing_is_protected(tmp_path: Path) -> None:
    """Those that need a parameter are left out; those that may change something are comments, and were never sent."""
    file = tmp_path / "api.json"
    file.write_text(json.dumps(described()))
    api = gate()
    report, profile = visit(api.app, str(file))

    assert profile is not None
    assert {route.path for route in profile.protected} == {"/mine", "/mine/orders"}
    assert '# method = "DELETE"' in report.profile
    assert api.seen["DELETE /mine"] == 0
    assert api.seen["GET /one"] == api.seen["GET /maybe"] == 0


def test_a_document_alone_shows_the_routes_without_an_account() -> None:
    """They are marked as the document's word."""
    api = gate()
    api.route("/described", "GET")(lambda: jsonify(described()))
    report, _ = visit(api.app, "/described", username="", password="")

    assert report.exit_code == 3
    assert "# openapi: " in line(report, "username")
    assert report.profile.count("[[protected]]    # openapi: ") == 2


@pytest.mark.parametrize("given", ["/nothing", "nothing.json", "http://127.0.0.1:9/openapi.json"])
def test_a_document_that_is_not_there_is_an_error(given: str) -> None:
    """What the user names has to be there."""
    with pytest.raises(Exception, match=r"no OpenAPI document|no file|refuses connections"):
        visit(SmallApi().app, given)


def test_swagger_2_is_read() -> None:
    """Its base path, its body parameters and its security definitions."""
    data = {
        "swagger": "2.0",
        "basePath": "/v2",
        "securityDefinitions": {"o": {"type": "oauth2", "flow": "password", "tokenUrl": "https://api.test/v2/token"}},
        "security": [{"o": []}],
        "paths": {
            "/session": {"post": {"security": [], "parameters": [{"in": "body", "schema": SECRET, "required": True}]}},
            "/me": {"get": {}},
        },
    }
    found = read(data, "it")
    session, me = found.operations

    assert (session.path, session.is_secured, session.is_plain) == ("/v2/session", False, False)
    assert [member.path for member in session.members] == ["password"]
    assert (me.path, me.is_secured, me.is_plain) == ("/v2/me", True, True)
    assert found.token_urls == ("/v2/token",)


@pytest.mark.parametrize(
    ("server", "base_path", "path"),
    [("/api", "", "/api/me"), ("https://else.test/api", "/api", "/me"), ("/", "", "/me"), ("", "/v1", "/me")],
)
def test_paths_are_below_the_targets_url(server: str, base_path: str, path: str) -> None:
    """The document's server counts with its path only: nothing is sent to another host."""
    data = {**document(_me={"get": SECURED}), "servers": [{"url": server}]}
    assert read(data, "it", base_path).operations[0].path == path


def test_yaml_is_read_without_aliases() -> None:
    """A document in YAML does; one that multiplies itself is refused."""
    assert parse("openapi: 3.0.0\npaths: {}\n", "it")["paths"] == {}
    laughs = "a: &a [x, x]\nb: &b [*a, *a]\nopenapi: 3.0.0\npaths: {}\n"
    with pytest.raises(ConfigurationError, match="neither JSON nor YAML"):
        parse(laughs, "it")


def hostile() -> dict[str, Any]:
    """References that lead to themselves, to each other, elsewhere and nowhere; and a great many of them."""
    data = document(
        _loop={"post": {"requestBody": body({"$ref": "#/components/schemas/Loop"})}},
        _tree={"post": {"requestBody": body({"$ref": "#/components/schemas/Tree"})}},
        _remote={"$ref": "http://127.0.0.1:9/item.json"},
        _void={"get": {"parameters": [{"$ref": "#/no/where"}, 3, None], "security": "yes", "responses": [1]}},
    )
    schemas = data["components"]["schemas"]
    schemas["Loop"] = {"$ref": "#/components/schemas/Loop"}
    schemas["Tree"] = {"properties": {f"b{number}": {"$ref": "#/components/schemas/Tree"} for number in range(50)}}
    paths = data["paths"]
    paths |= {f"/p{number}": {"get": SECURED} for number in range(20_000)}
    paths |= {"/x\r\nHost: evil": {"get": SECURED}, "no-slash": {"get": SECURED}, "/{id}": {"get": SECURED}}
    return data


def test_a_hostile_document_does_no_harm() -> None:
    """Reading it ends soon, follows nothing out of it, and keeps no path that is none."""
    started = time.monotonic()
    found: Document = read(hostile(), "it")

    assert time.monotonic() - started < 10
    assert len(found.operations) <= 1000
    assert not {"/remote", "/x\r\nHost: evil", "no-slash", "/{id}"} & {each.path for each in found.operations}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"openapi": "3"}', "[]", "{", '"openapi"', "\x00", "a: b: c"])
def test_what_is_no_document_is_told_so(text: str) -> None:
    """Without a traceback, however it is not one."""
    with pytest.raises(ConfigurationError):
        parse(text, "it")


def test_a_document_may_not_steer_the_output() -> None:
    """What it says stays within the strings and comments of the profile."""
    api = gate()
    data = described()
    data["paths"]["/mine"]["get"] = {**SECURED, "summary": 'x"\n[login]\npath = "/evil"', "operationId": "\x1b[2J"}
    api.route("/openapi.json", "GET")(lambda: jsonify(data))
    report, profile = visit(api.app)

    assert profile is not None
    assert profile.login.path == "/gate/login"
    assert "\x1b" not in report.profile + "".join(report.account)
    assert ALICE.password not in report.profile


def test_what_makes_or_ends_an_account_is_never_tried() -> None:
    """A registration is no login, and the deletion of an account is no logout, whatever they are called."""
    api = gate()
    account = {"requestBody": body({"properties": {"username": {}, "password": {}}}), "tags": ["auth"]}
    data = described()
    data["paths"] |= {
        "/accounts": {"post": {**account, "operationId": "registerUser"}},
        "/auth/signup": {"post": account},
        "/account": {"delete": {**SECURED, "operationId": "deleteAccountAndLogout"}},
        "/subscription/renew": {"post": SECURED},
    }
    api.route("/openapi.json", "GET")(lambda: jsonify(data))
    report, _ = visit(api.app)

    assert report.exit_code == 0, report
    asked = {label.partition(" ")[2] for label in api.seen}
    assert not asked & {"/accounts", "/auth/signup", "/account", "/subscription/renew"}

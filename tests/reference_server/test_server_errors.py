"""Answers that are not success, and headers that every answer has."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.reference_server.api import PASSWORDS

if TYPE_CHECKING:
    from tests.reference_server.api import Api


def test_unknown_address_is_404_in_json(shared: Api) -> None:
    """What does not exist is told in the same form as everything else."""
    for path in ("/", "/nothing", "/console", "/debug", "/static/x", "/openapi.yaml"):
        answer = shared.client.get(path)
        assert (answer.status_code, answer.json["error"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [("/login", "GET", {"POST"}), ("/refresh", "GET", {"POST"}), ("/logout", "DELETE", {"POST"}),
     ("/login", "HEAD", {"POST"}), ("/refresh", "HEAD", {"POST"}), ("/profile", "PUT", {"GET", "HEAD"})],
)  # fmt: skip
def test_other_methods_are_405_with_allow(shared: Api, path: str, method: str, allowed: set[str]) -> None:
    """A wrong method is told which are right, and has no effect."""
    answer = shared.client.open(path, method=method)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed | {"OPTIONS"}


@pytest.mark.parametrize("path", ["/login", "/refresh", "/logout", "/profile", "/nothing"])
def test_large_bodies_are_413(shared: Api, path: str) -> None:
    """A body over 1 MiB is refused wherever it is sent."""
    answer = shared.client.open(path, method="GET" if path == "/profile" else "POST", data=b"x" * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json["error"]) == (413, "content_too_large")


def test_largest_body_is_read(shared: Api) -> None:
    """A body of exactly 1 MiB is not too large."""
    body = '{"username": "alice", "password": "' + "x" * (1024 * 1024)
    assert shared.client.post("/login", data=body[: 1024 * 1024], content_type="application/json").status_code == 400


def answers(api: Api) -> list[tuple[str, object]]:
    """One answer of each kind."""
    tokens = api.login()
    return [
        ("login", api.try_login()),
        ("wrong password", api.try_login("alice", "wrong")),
        ("bad request", api.client.post("/login", data="{", content_type="application/json")),
        ("media type", api.client.post("/login", data="{}")),
        ("profile", api.get("/profile", tokens.access)),
        ("dashboard", api.get("/dashboard", tokens.access)),
        ("no token", api.get("/profile")),
        ("bad token", api.get("/profile", "x")),
        ("refresh", api.post("/refresh", tokens.refresh)),
        ("reuse", api.post("/refresh", tokens.refresh)),
        ("404", api.get("/nothing")),
        ("405", api.get("/login")),
    ]


def test_every_answer_is_json_and_safe(shared: Api) -> None:
    """Answers are JSON, are not stored, sniffed or framed, and name no version."""
    for name, answer in answers(shared):
        assert answer.mimetype == "application/json", name
        assert isinstance(answer.json, dict), name
        if answer.status_code >= 400:
            assert answer.json.keys() == {"msg", "error"}, name
        assert answer.headers["Cache-Control"] == "no-store", name
        assert answer.headers["X-Content-Type-Options"] == "nosniff", name
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], name
        assert answer.headers["Referrer-Policy"] == "no-referrer", name
        assert not {"Server", "X-Powered-By", "Access-Control-Allow-Origin"} & set(answer.headers.keys()), name
        assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401), name


def test_https_is_kept(shared: Api) -> None:
    """Over https the browser is told to stay there; over http that would mean nothing."""
    assert "Strict-Transport-Security" in shared.client.get("/profile", base_url="https://localhost").headers
    assert "Strict-Transport-Security" not in shared.client.get("/profile").headers


def test_failure_is_a_bare_500(api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody foresaw is answered in JSON and tells nothing, and the log tells no secret."""

    def fail(*_arguments: object) -> None:
        raise RuntimeError(PASSWORDS["alice"])

    monkeypatch.setattr(api.services.accounts.__class__, "by_name", fail)
    with caplog.at_level(logging.DEBUG):
        answer = api.try_login()
    assert answer.status_code == 500
    assert answer.json == {"msg": "The server failed to answer", "error": "server_error"}
    assert "RuntimeError" in caplog.text
    assert PASSWORDS["alice"] not in caplog.text


def test_log_of_a_working_server_tells_no_secret(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Neither tokens nor passwords are logged, at any level."""
    with caplog.at_level(logging.DEBUG):
        tokens = api.login()
        api.try_login("alice", "a wrong password")
        api.get("/profile", tokens.access)
        api.refresh(tokens.refresh)
    for secret in (tokens.access, tokens.refresh, PASSWORDS["alice"], "a wrong password"):
        assert secret not in caplog.text

"""Ten tests as the author of a login writes them by hand. `instead.py` runs them on deliberately broken servers.

    BASE_URL=http://127.0.0.1:8000 APP_USERNAME=alice APP_PASSWORD=... JWT_KEY_FILE=FILE pytest benchmarks/ten_tests.py

They were written before they were run on any broken server, and have not been changed since.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:8000")
TIMEOUT_S = 10

Tokens = dict[str, Any]


def log_in(password: str) -> requests.Response:
    credentials = {"username": os.environ["APP_USERNAME"], "password": password}
    return requests.post(f"{BASE_URL}/login", json=credentials, timeout=TIMEOUT_S)


def show(method: str, path: str, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, BASE_URL + path, headers=headers, timeout=TIMEOUT_S)


@pytest.fixture
def tokens() -> Tokens:
    given: Tokens = log_in(os.environ["APP_PASSWORD"]).json()
    return given


def test_login_returns_both_tokens() -> None:
    response = log_in(os.environ["APP_PASSWORD"])

    assert response.status_code == 200
    assert response.json()["access_token"]
    assert response.json()["refresh_token"]


def test_wrong_password_is_refused() -> None:
    response = log_in("wrong password")

    assert response.status_code == 401
    assert "access_token" not in response.json()


def test_profile_shows_the_user(tokens: Tokens) -> None:
    response = show("GET", "/profile", tokens["access_token"])

    assert response.status_code == 200
    assert response.json()["username"] == os.environ["APP_USERNAME"]


def test_profile_without_a_token_is_refused() -> None:
    assert requests.get(f"{BASE_URL}/profile", timeout=TIMEOUT_S).status_code == 401


def test_tampered_token_is_refused(tokens: Tokens) -> None:
    header, payload, signature = tokens["access_token"].split(".")
    other = "A" if signature[0] != "A" else "B"

    assert show("GET", "/profile", "not-a-token").status_code == 401
    assert show("GET", "/profile", f"{header}.{payload}.{other}{signature[1:]}").status_code == 401


def test_unsigned_token_is_refused(tokens: Tokens) -> None:
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    unsigned = jwt.encode(claims, None, algorithm="none")

    assert show("GET", "/profile", unsigned).status_code == 401


def test_expired_token_is_refused(tokens: Tokens) -> None:
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    algorithm = jwt.get_unverified_header(tokens["access_token"])["alg"]
    claims["exp"] = int(time.time()) - 60
    expired = jwt.encode(claims, Path(os.environ["JWT_KEY_FILE"]).read_bytes(), algorithm=algorithm)

    assert show("GET", "/profile", expired).status_code == 401


def test_refresh_returns_a_token_that_works(tokens: Tokens) -> None:
    response = show("POST", "/refresh", tokens["refresh_token"])

    assert response.status_code == 200
    assert show("GET", "/profile", response.json()["access_token"]).status_code == 200


def test_each_token_has_its_own_use(tokens: Tokens) -> None:
    assert show("GET", "/profile", tokens["refresh_token"]).status_code == 401
    assert show("POST", "/refresh", tokens["access_token"]).status_code == 401


def test_logout_ends_the_session(tokens: Tokens) -> None:
    assert show("POST", "/logout", tokens["access_token"]).status_code in {200, 204}
    assert show("GET", "/profile", tokens["access_token"]).status_code == 401
    assert show("POST", "/refresh", tokens["refresh_token"]).status_code == 401

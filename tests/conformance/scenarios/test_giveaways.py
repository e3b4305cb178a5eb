"""Recognising what an answer should not have told, and leaving alone what it may."""

from __future__ import annotations

import json

import pytest

from conformance.scenarios.giveaways import cache_control, cacheable, insides, personal, signatures, versions
from conformance.target.http import Response
from conformance.tokens.keys import sign
from tests.conformance.support import SECRET, answer, taken_apart

PYTHON = 'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in login\nKeyError: 1'
NODE = "JsonWebTokenError: bad\n    at Object.<anonymous> (/app/auth.js:12:9)\n    at /app/x.js:10:5"
JAVA = "java.lang.NullPointerException\n\tat com.example.Login.post(Login.java:42)"
DOTNET = "   at Shop.Login.Post(String name) in C:\\src\\Login.cs:line 42"
PHP = "#0 /var/www/html/login.php(12): login()"


@pytest.mark.parametrize("trace", [PYTHON, NODE, JAVA, DOTNET, PHP])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_stack_trace_is_recognised(trace: str, as_json: bool) -> None:
    """Stack traces of five languages are recognised as text, and within JSON, where line ends are escaped."""
    response = answer(500, {"detail": trace}) if as_json else answer(500, body=trace.encode())

    assert {"a Python traceback", "a stack trace"} & set(insides(response))


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<title>Console // Werkzeug Debugger</title>", "a debugger"),
        (b"[SQL: SELECT users.id \nFROM users WHERE name = ?]", "a query"),
        (b"cannot load /usr/local/lib/python3.11/json/decoder.py", "a path on the server"),
        (b"sqlalchemy.exc.OperationalError", "the class of an exception"),
    ],
)
def test_the_inside_of_a_server_is_recognised(body: bytes, what: str) -> None:
    """A debugger's page, a query, a source path and an exception's qualified class are recognised."""
    assert what in insides(answer(500, body=body))


@pytest.mark.parametrize(
    "data",
    [
        {"msg": "Token has expired", "error": "invalid_token"},
        {"name": "JsonWebTokenError", "message": "invalid signature"},
        {"type": "https://tools.ietf.org/html/rfc9110#section-15.5.2", "title": "Unauthorized", "status": 401},
        {"detail": "Select an account from the list, or update your settings", "path": "/app/login.js"},
        {"detail": [{"type": "missing", "loc": ["body", "username"], "msg": "Field required"}]},
        {"timestamp": "2026-01-01T10:00:00.000+00:00", "status": 401, "error": "Unauthorized", "path": "/profile"},
        {"message": "Meet at (door:12) at noon"},
    ],
)
def test_an_ordinary_refusal_shows_no_inside(data: object) -> None:
    """What frameworks answer by default in production is left alone."""
    assert insides(answer(401, data)) == []


def test_an_actuator_counts_by_what_it_leads_to() -> None:
    """Health and info may be public; an environment and a dump of the memory may not."""
    tame = {"_links": {"self": {}, "health": {}, "info": {}}}
    wild = {"_links": {"self": {}, "env": {}, "heapdump": {}}}

    assert insides(answer(200, tame)) == []
    assert insides(answer(200, wild)) == ["the way to env, heapdump"]


def test_signatures_are_known_in_three_spellings() -> None:
    """A signature is looked for as base64url, base64 and hexadecimal; an opaque token has none."""
    token = sign({"alg": "HS256"}, {"sub": "alice"}, SECRET, "HS256")

    found = signatures([token, "an-opaque-token"])

    assert len(found) in {2, 3}
    assert taken_apart(token).segments[2] in found


@pytest.mark.parametrize(
    "headers",
    [
        {"Server": "Werkzeug/3.0.1 Python/3.11.2"},
        {"Server": "Apache/2"},
        {"Server": "Jetty(9.4.z-SNAPSHOT)"},
        {"X-Powered-By": "PHP/8.1.2"},
        {"X-AspNet-Version": "4.0.30319"},
        {"Via": "1.1 varnish (Varnish/6.0)"},
    ],
)
def test_a_version_is_recognised(headers: dict[str, str]) -> None:
    """A product's version is recognised in the fields where servers put it."""
    assert list(versions(Response(200, tuple(headers.items()), b"", 0.0)))


@pytest.mark.parametrize(
    "headers",
    [
        {"Server": "nginx"},
        {"Server": "ECS (nyb/1D2E)"},
        {"X-Powered-By": "Express"},
        {"Via": "1.1 vegur, HTTP/2 edge"},
        {"Via": "waitress"},
    ],
)
def test_a_bare_name_is_no_version(headers: dict[str, str]) -> None:
    """A name alone, a machine's label and the protocol's version in Via are left alone."""
    body = b'{"detail": "use HTTP/1.1, see https://example.org/v1/2.0"}'

    assert not list(versions(Response(404, tuple(headers.items()), body, 0.0)))


@pytest.mark.parametrize(
    ("field", "may_be_kept"),
    [
        (None, True),
        ("no-store", False),
        ("private, No-Store", False),
        ("private", False),
        ("no-cache", False),
        ("max-age=0, private, must-revalidate", False),
        ("public", True),
        ("max-age=0, must-revalidate", True),
        ("s-maxage=60", True),
        ("private, max-age=600", True),
        ("max-age=0", True),
    ],
)
def test_what_a_cache_may_keep(field: str | None, may_be_kept: bool) -> None:
    """Whether personal data may stay in a cache follows from the directives, in any case and order."""
    response = answer(200, {}, **({"Cache_Control": field} if field else {}))

    assert bool(cacheable(response)) is may_be_kept


def test_directives_are_gathered_from_every_line() -> None:
    """Two lines of Cache-Control are one list, and an argument loses its quotation marks."""
    lines = (("Cache-Control", 'private="x"'), ("cache-control", "NO-STORE"))

    assert cache_control(Response(200, lines, b"", 0.0)) == {"private": "x", "no-store": ""}


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "alice@example.org"},
        {"user": {"id": 7, "firstName": "Alice"}},
        {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/dateofbirth": "1990-01-01"},
        {"contact": ["alice@example.org"]},
        {"from": "2001:db8::1"},
        {"tel": "+4930123456"},
        {"phone": 4930123456},
    ],
)
def test_personal_data_is_recognised(claims: dict[str, object]) -> None:
    """Personal data is recognised by the claim's name, by its shape, and within objects."""
    assert len(list(personal(claims, {"alice"}))) == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "alice@example.org", "email": "alice@example.org"},
        {"name": "alice", "preferred_username": "alice@example.org"},
        {"iss": "10.0.0.1", "aud": ["192.0.2.1"], "jti": "a@b.cd", "scope": "email phone"},
        {"roles": ["admin"], "permissions": ["read:profile"], "email_verified": True, "ver": "1.0"},
        {"address": None, "email": ""},
    ],
)
def test_identifiers_and_permissions_are_not_personal(claims: dict[str, object]) -> None:
    """What identifies the user, the token or its purpose is left alone, and so is what is empty."""
    assert not list(personal(json.loads(json.dumps(claims)), {"alice", "alice@example.org"}))

"""Reading Set-Cookie as a browser does."""

from __future__ import annotations

import pytest

from conformance.target.http import Response
from conformance.target.set_cookie import SetCookie, covers, set_cookies

NOW = 1_893_499_200.0  # 2030-01-01T12:00:00Z


def read(line: str) -> SetCookie:
    """The one cookie of a line."""
    (cookie,) = set_cookies(Response(200, (("set-cookie", line),), b"", 0.0))
    return cookie


def test_attributes_are_known_in_any_case() -> None:
    """Names of attributes have no case, spaces around them do not count, and the last of two wins."""
    cookie = read('a = "b" ;PATH=/x; path=/y;httponly ; SECURE;SameSite=STRICT; Domain=.Example.org')

    assert (cookie.name, cookie.value) == ("a", "b")
    assert cookie.is_secure
    assert cookie.is_http_only
    assert cookie.same_site == "strict"
    assert cookie.domain == "example.org"
    assert cookie.path("/login") == "/y"
    assert "b" not in repr(cookie).partition("attributes")[0].replace("SetCookie", "")


def test_lines_stay_apart_and_odd_ones_do_no_harm() -> None:
    """An Expires with a comma splits nothing, and what is no cookie is one without attributes."""
    lines = ("a=1; Expires=Tue, 01 Jan 2030 12:00:10 GMT", "b=2", "", ";;=", "c")
    cookies = set_cookies(Response(200, tuple(("Set-Cookie", line) for line in lines), b"", 0.0))

    assert [(cookie.name, cookie.value) for cookie in cookies] == [
        ("a", "1"),
        ("b", "2"),
        ("", ""),
        ("", ""),
        ("c", ""),
    ]
    assert cookies[0].lifetime_s(NOW) == 10


@pytest.mark.parametrize(
    ("attributes", "lifetime"),
    [
        ("", None),
        ("; Max-Age=60", 60),
        ("; Max-Age=0", 0),
        ("; Max-Age=-1", -1),
        ("; Max-Age=soon", None),
        ("; Expires=Tue, 01 Jan 2030 12:01:00 GMT", 60),
        ("; Expires=Tue, 01-Jan-2030 12:01:00 GMT", 60),
        ("; Expires=Thu, 01 Jan 1970 00:00:00 GMT", -NOW),
        ("; Expires=never", None),
        ("; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 60),
    ],
)
def test_lifetime_is_the_browsers(attributes: str, lifetime: float | None) -> None:
    """Max-Age comes before Expires (RFC 6265 §5.3), and what cannot be read counts as absent."""
    cookie = read(f"a=b{attributes}")

    assert cookie.lifetime_s(NOW) == lifetime
    assert cookie.clears(NOW) == (lifetime is not None and lifetime <= 0)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("a=b", ""),
        ("__Host-a=b; Secure; Path=/", ""),
        ("__HOST-a=b; Path=/", "without Secure"),
        ("__Host-a=b; Secure", "with another Path than /"),
        ("__Host-a=b; Secure; Path=/x", "with another Path than /"),
        ("__Host-a=b; Secure; Path=/; Domain=a.example", "with a Domain"),
        ("__Secure-a=b; Path=/x; Domain=a.example", "without Secure"),
        ("__Secure-a=b; Secure; Path=/x; Domain=a.example", ""),
    ],
)
def test_prefixes_have_their_rules(line: str, why: str) -> None:
    """A line that claims a prefix and breaks its rules is told, with the rule."""
    assert read(line).breaks_prefix() == why


@pytest.mark.parametrize(
    ("path", "request_path", "sent"),
    [
        ("/", "/refresh", True),
        ("/refresh", "/refresh", True),
        ("/refresh", "/refresh/now", True),
        ("/refresh", "/refreshment", False),
        ("/auth/", "/auth/refresh", True),
        ("/auth/", "/auth", False),
        ("/logout", "/refresh", False),
    ],
)
def test_path_decides_where_a_cookie_goes(path: str, request_path: str, sent: bool) -> None:
    """RFC 6265 §5.1.4: whole segments count."""
    assert covers(path, request_path) == sent


@pytest.mark.parametrize(("request_path", "path"), [("/auth/login", "/auth"), ("/login", "/"), ("/a/b/c", "/a/b")])
def test_a_cookie_without_path_belongs_to_the_folder(request_path: str, path: str) -> None:
    """What sets no Path, or none that begins with a slash, is sent to the folder of the request."""
    assert read("a=b").path(request_path) == path
    assert read("a=b; Path=x").path(request_path) == path

"""Ways to ask for a protected route otherwise."""

from __future__ import annotations

import pytest

from conformance.scenarios.disguises import asking, claims_to_be, other_methods, spellings
from conformance.target.doors import ProtectedDoor
from conformance.target.http import Request
from conformance.target.profile import Profile
from conformance.target.profile_tables import Protected


@pytest.mark.parametrize("path", ["/profile", "/api/v1/Me", "/users/me/", "/x?tenant=1"])
def test_every_spelling_is_another_one(path: str) -> None:
    """No spelling is the path itself or another spelling, each has its own name, and a query stays."""
    found = spellings(path)

    assert path not in [other for _, other in found]
    assert len({name for name, _ in found}) == len({other for _, other in found}) == len(found) >= 16
    assert all("?tenant=1" in other for _, other in found) or "?" not in path
    assert all(other.startswith("/") for _, other in found)


def test_the_root_has_one_spelling() -> None:
    """Of the path / there is nothing to spell otherwise."""
    assert spellings("/") == []


def test_a_query_is_added_to() -> None:
    """Parameters join those that are there, escaped where they must be."""
    assert asking(Request("GET", "/x"), user="a b").path == "/x?user=a+b"
    assert asking(Request("GET", "/x?y=1"), user="é").path == "/x?y=1&user=%C3%A9"


def test_names_in_headers_are_ascii() -> None:
    """A name beyond ASCII is escaped in a header, and one without stays as it is."""
    values = {value for _, _, headers in claims_to_be(["bob@x.test", "søren"]) for _, value in headers}

    assert values == {"bob@x.test", "s%C3%B8ren"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_other_method_is_the_honest_one(method: str) -> None:
    """Each request differs from the honest one, carries no credential, and HEAD is tried only in place of GET."""
    door = ProtectedDoor(Profile("mine"), Protected("/x", method))
    requests = [request for _, request in other_methods(door)]

    assert Request(method, "/x") not in requests
    assert ("HEAD" in {request.method for request in requests}) is (method == "GET")
    assert not [name for request in requests for name, _ in request.headers if name in {"Authorization", "Cookie"}]

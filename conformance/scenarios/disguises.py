"""Ways to ask for a protected route that a check in front of it may not recognise, or may be told to overlook."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from conformance.target.http import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.target.doors import ProtectedDoor
    from conformance.target.http import Headers

FORM_TYPE: Final = ("Content-Type", "application/x-www-form-urlencoded")
WHOSE_PARAMETERS: Final = ("user", "user_id", "id", "username")
WHOSE_HEADERS: Final = (
    "X-User-Id", "X-User", "X-Username", "X-Forwarded-User", "X-Remote-User", "Remote-User", "X-Authenticated-User",
)  # fmt: skip
WHERE_HEADERS: Final = ("X-Original-URL", "X-Rewrite-URL")
OVERRIDES: Final = ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method")
OTHER_METHODS: Final = ("HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "BREW", "get")
FEW: Final = 4
"""So many tricks are tried on a second protected route: most checks guard all routes alike."""


def asking(request: Request, **parameters: str) -> Request:
    """The same request with further parameters in its query."""
    joint = "&" if "?" in request.path else "?"
    return replace(request, path=f"{request.path}{joint}{urlencode(parameters)}") if parameters else request


def saying(request: Request, headers: Headers) -> Request:
    """The same request with further headers."""
    return replace(request, headers=(*request.headers, *headers))


def spellings(path: str) -> list[tuple[str, str]]:
    """Other spellings of a path that something may take for the same, the most promising ones first."""
    path, question, query = path.partition("?")
    plain = path.rstrip("/")
    head, _, last = plain.rpartition("/")
    if not last:
        return []
    first_letter, swapped = f"%{ord(last[0]):02X}", last.swapcase()
    found = [
        ("without the slash at its end", plain) if plain != path else ("with a slash at its end", f"{path}/"),
        ("with two slashes in front", f"/{path}"),
        ("in the other case", f"{head}/{swapped}"),
        ("with an escaped letter", f"{head}/{first_letter}{last[1:]}"),
        ("with two slashes before its last part", f"{head}//{last}"),
        ("with the segment .", f"{head}/./{last}"),
        ("with the segment ..", f"{head}/x/../{last}"),
        ("with the segment .. escaped", f"{head}/x/%2E%2E/{last}"),
        ("with the segment ..;", f"{head}/x/..;/{last}"),
        ("with a parameter after a semicolon", f"{plain};x=1"),
        ("with an extension", f"{plain}.json"),
        ("with an escaped slash at its end", f"{plain}%2F"),
        ("with an escaped space at its end", f"{plain}%20"),
        ("with an escaped NUL at its end", f"{plain}%00"),
        ("with an escaped question mark", f"{plain}%3Fx"),
        ("with a letter escaped twice", f"{head}/%25{first_letter[1:]}{last[1:]}"),
    ]  # fmt: skip
    found.insert(FEW, ("with a query", f"{path}?{query}{'&' if query else ''}x"))
    # The query belongs to what is asked for, and stays. Two slashes may come to the same in both places.
    names: dict[str, str] = {}
    for name, other in found:
        names.setdefault(other if "?" in other else f"{other}{question}{query}", name)
    return [(name, other) for other, name in names.items()]


def other_methods(door: ProtectedDoor) -> Iterator[tuple[str, Request]]:
    """Anonymous requests with another method than the door's, or with one that claims to be another."""
    for method in OTHER_METHODS:
        # HEAD is told by its status alone, which says something only where GET is the honest method.
        if method != door.method and (method != "HEAD" or door.method == "GET"):
            yield f"the method {method}", Request(method, door.path)
    meant = tuple((name, door.method) for name in OVERRIDES)
    harmless = tuple((name, "OPTIONS") for name in OVERRIDES)
    posted = Request("POST", door.path)
    yield f"the method POST and headers that say {door.method}", saying(posted, meant)
    form = saying(asking(posted, _method=door.method), (FORM_TYPE,))
    yield f"the method POST and _method={door.method}", form.with_body(f"_method={door.method}".encode())
    yield f"the method {door.method} and headers that say OPTIONS", door.anonymous(harmless)


def claims_to_be(names: Sequence[str]) -> list[tuple[str, dict[str, str], Headers]]:
    """Parameters and headers that name somebody; each row holds one or the other, under every usual name at once."""
    found: list[tuple[str, dict[str, str], Headers]] = []
    for name in names:
        found.append((f"the parameters {', '.join(WHOSE_PARAMETERS)}", dict.fromkeys(WHOSE_PARAMETERS, name), ()))
        headers = tuple((header, quote(name, safe="@.+-_")) for header in WHOSE_HEADERS)
        found.append((f"the headers {', '.join(WHOSE_HEADERS)}", {}, headers))
    return found


def claims_to_go_elsewhere(door: ProtectedDoor) -> list[tuple[str, Request]]:
    """Anonymous requests whose headers say that another path is meant than the one asked for."""
    to_root = tuple((name, "/") for name in WHERE_HEADERS)
    to_door = tuple((name, door.path) for name in WHERE_HEADERS)
    both = " and ".join(WHERE_HEADERS)
    return [
        (f"{both} naming /", door.anonymous(to_root)),
        (f"the path /, with {both} naming {door.path}", Request(door.method, "/", to_door)),
    ]

"""Tokens in an answer: whatever looks like one or is called one, wherever it stands, and of which kind it may be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from conformance.target.places import Place
from conformance.tokens.reading import Kind, read_jwt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.target.http import Response

SHORTEST_TOKEN: Final = 16
DEEPEST: Final = 6
MOST_LEAVES: Final = 500
_TELLING: Final = re.compile(r"token|access|refresh|jwt|bearer|session|sid\b|auth", re.IGNORECASE)
_NO_TOKEN: Final = re.compile(
    r"csrf|xsrf|id_?token|token_?type|expir|scope|\buri\b|url|hash|verif|user|e?mail|device|created|updated",
    re.IGNORECASE,
)
_CSRF: Final = re.compile(r"csrf|xsrf", re.IGNORECASE)
_VALUE: Final = re.compile(r"[\x21-\x7e]+")
_SCHEME: Final = re.compile(r"(Bearer|JWT|Token) (\S+)", re.IGNORECASE)
_SILENT_HEADERS: Final = frozenset({"set-cookie", "www-authenticate", "etag", "report-to", "content-security-policy"})
_KIND_CLAIMS: Final = ("type", "token_type", "tokenType", "typ", "token_use", "use", "kind")


@dataclass(frozen=True, slots=True)
class Find:
    """Something in an answer that may be a token.

    Attributes:
        place: where it stands.
        value: what is sent later, without the scheme.
        kind: what it seems to be; None where nothing tells.
        ends_at: when it expires, where it says so.
    """

    place: Place
    value: str = field(repr=False)
    kind: Kind | None
    ends_at: float | None = None

    @property
    def is_jwt(self) -> bool:
        """Whether it can be read."""
        return read_jwt(self.value) is not None


@dataclass(frozen=True, slots=True)
class Harvest:
    """What an answer holds of each kind, likeliest first."""

    access: tuple[Find, ...] = ()
    refresh: tuple[Find, ...] = ()

    def values(self) -> list[str]:
        """Every value, which may be a secret."""
        return [find.value for find in (*self.access, *self.refresh)]


def harvest(answer: Response) -> Harvest:
    """The tokens of an answer that succeeded."""
    if not answer.is_success:
        return Harvest()
    finds = list(_finds(answer))
    refresh = [find for find in finds if find.kind is Kind.REFRESH]
    access = [find for find in finds if find.kind is Kind.ACCESS]
    unknown = [find for find in finds if find.kind is None]
    if not refresh and not access and _are_a_pair(unknown):
        # Two JWTs that nothing tells apart but their ends.
        longest = max(unknown, key=lambda find: find.ends_at or 0)
        refresh, unknown = [longest], [find for find in unknown if find is not longest]
    access += sorted(unknown, key=lambda find: not find.is_jwt)
    if refresh and all(find.place.where == "cookie" for find in refresh):
        # A pair travels together: the access token may stand in the body as well.
        access.sort(key=lambda find: find.place.where != "cookie")
    return Harvest(tuple(access), tuple(refresh))


def _are_a_pair(finds: list[Find]) -> bool:
    ends = {find.value: find.ends_at for find in finds if find.ends_at is not None}
    return len(ends) > 1 and len({*ends.values()}) > 1 and len({find.place.where for find in finds}) == 1


def csrf_names(answer: Response) -> list[str]:
    """The cookies that an answer sets as a proof of same-site intent."""
    return [name for name in answer.cookies if _CSRF.search(name)]


def _finds(answer: Response) -> Iterator[Find]:
    for path, value in leaves(answer.json):
        if isinstance(value, str) and _may_be_token(path, value):
            yield _find(Place("body", path), value)
    for name, value in answer.headers:
        scheme = _SCHEME.fullmatch(value.strip())
        bare = scheme[2] if scheme else value.strip()
        if name.lower() not in _SILENT_HEADERS and _may_be_token(name, bare):
            known = "Authorization" if name.lower() == "authorization" else name
            yield _find(Place("header", known, scheme[1] if scheme else ""), bare)
    for name, value in answer.cookies.items():
        scheme = _SCHEME.fullmatch(value)
        bare = scheme[2] if scheme else value
        if _may_be_token(name, bare) and re.fullmatch(r"[\w\-.]+", name, re.ASCII):
            yield _find(Place("cookie", name, scheme[1] if scheme else ""), bare)


def leaves(data: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """The values of nested objects with their dotted paths; what a path cannot name is left out."""
    found: list[tuple[str, Any]] = []
    rows: list[tuple[str, Any, int]] = [(prefix, data, 0)]
    while rows and len(found) < MOST_LEAVES:
        path, value, depth = rows.pop(0)
        if isinstance(value, dict) and depth < DEEPEST:
            named = [(f"{path}.{key}" if path else key, item) for key, item in value.items() if "." not in key and key]
            rows += [(each, item, depth + 1) for each, item in named]
        elif isinstance(value, list) and depth < DEEPEST and path:
            rows += [(f"{path}.{index}", item, depth + 1) for index, item in enumerate(value[:3])]
        elif path and ":" not in path:
            found.append((path, value))
    return found


def _may_be_token(name: str, value: str) -> bool:
    last = name.rpartition(".")[2]
    if _NO_TOKEN.search(last) or not _VALUE.fullmatch(value):
        return False
    return read_jwt(value) is not None or (len(value) >= SHORTEST_TOKEN and bool(_TELLING.search(last)))


def _find(place: Place, value: str) -> Find:
    parts = read_jwt(value)
    return Find(place, value, _kind(place.name, value), parts.number("exp") if parts else None)


def _kind(name: str, value: str) -> Kind | None:
    """By the name, which its author chose for people; else by the token's own word."""
    words = name.lower()
    if "refresh" in words:
        return Kind.REFRESH
    if "access" in words:
        return Kind.ACCESS
    parts = read_jwt(value)
    for claim in _KIND_CLAIMS if parts else ():
        said = str(parts.claims.get(claim, "")).lower() if parts else ""
        if said in {"refresh", "offline"} or "refresh" in said:
            return Kind.REFRESH
        if said == "access":
            return Kind.ACCESS
    return None

"""What is changed in minted tokens, claim by claim: the name of each change, in the claims, and in the header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.scenarios.minted import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.tokens.kinds import Difference
    from conformance.tokens.reading import Jwt, Kind

    Case = tuple[str, dict[str, Any], dict[str, Any]]

STRANGER: Final = "https://other-service.example"
SUBJECTS: Final = ("sub", "user_id", "userId", "uid", "username", "user", "identity")
"""Claims that may name the user; where a token has several, all of them are changed at once."""
LONG: Final = 3000
"""Characters of a very long name; the token that holds them still fits into 8 KiB of headers."""


def audiences(like: Jwt) -> Iterator[Case]:
    """CLAIM-03: audiences that are not the target's."""
    given = like.claims.get("aud")
    own = next((text for text in (given if isinstance(given, list) else [given]) if isinstance(text, str)), "")
    if not own:
        return
    yield "another service's aud", {"aud": STRANGER}, {}
    yield "a list of another service as aud", {"aud": [STRANGER]}, {}
    yield "no aud", {"aud": LEFT_OUT}, {}
    yield "an empty list as aud", {"aud": []}, {}
    yield "an empty string as aud", {"aud": ""}, {}
    yield "a list of an empty string as aud", {"aud": [""]}, {}
    yield "the beginning of the aud", {"aud": own[:-1]}, {}
    yield "more than the aud", {"aud": f"{own}x"}, {}
    yield "a number as aud", {"aud": 1}, {}
    if own.swapcase() != own:
        yield "the aud in the other case", {"aud": own.swapcase()}, {}


def issuers(like: Jwt) -> Iterator[Case]:
    """CLAIM-04: issuers that are not the target's, although some look alike."""
    own = like.claims.get("iss")
    if not isinstance(own, str) or not own:
        return
    yield "another iss", {"iss": STRANGER}, {}
    yield "no iss", {"iss": LEFT_OUT}, {}
    if own.endswith("/"):
        yield "the iss without its slash", {"iss": own[:-1]}, {}
    else:
        yield "the iss and a slash", {"iss": f"{own}/"}, {}
    yield "the beginning of the iss", {"iss": own[:-2]}, {}
    yield "the end of the iss", {"iss": own[1:]}, {}
    yield "more than the iss", {"iss": f"{own}.example"}, {}
    yield "a list that holds the iss", {"iss": [own]}, {}
    yield "an empty string as iss", {"iss": ""}, {}
    if own.swapcase() != own:
        yield "the iss in the other case", {"iss": own.swapcase()}, {}


def beginnings(like: Jwt, *, now: int, soon: int) -> Iterator[Case]:
    """CLAIM-05: beginnings that are to come, the nearest in `soon` seconds."""
    if "nbf" not in like.claims:
        return
    for name, value in (
        ("an nbf in an hour", now + 3600 + soon),
        (f"an nbf in {soon} s", now + soon),
        ("an nbf in an hour, as a string", str(now + 3600 + soon)),
        ("a date as nbf", "2099-01-01T00:00:00Z"),
    ):
        yield name, {"nbf": value, "exp": now + 2 * 3600 + soon}, {}


def marks(markers: Sequence[Difference], kind: Kind) -> Iterator[Case]:
    """CLAIM-06: the marks of a token's kind, changed all at once: it is enough if the target looks at one."""
    here = [item for item in markers if getattr(item, kind)]
    if not here:
        return
    in_claims = [item for item in here if item.place == "claims"]
    in_header = [item.name for item in here if item.place == "header"]
    named = " and ".join(map(str, here))
    for case, value, typ in (
        (f"no {named}", LEFT_OUT, LEFT_OUT),
        (f"the {named} of an ID token", "id", "id+jwt"),
        (f"an empty {named}", "", ""),
        (f"null as {named}", None, None),
    ):
        yield case, dict.fromkeys((item.name for item in in_claims), value), dict.fromkeys(in_header, typ)
    if in_claims:
        both = {item.name: [item.access, item.refresh] for item in in_claims}
        yield f"a list of both kinds as {named}", both, dict.fromkeys(in_header, LEFT_OUT)


def subjects(like: Jwt, stranger: Jwt | None) -> Iterator[Case]:
    """CLAIM-07: subjects that do not exist."""
    names = [name for name in SUBJECTS if like.claims.get(name) is not None]
    if not names or not all(isinstance(like.claims[name], str | int) for name in names):
        return
    own = like.claims[names[0]]
    other = stranger.claims.get(names[0], "somebody") if stranger else "somebody"
    for case, value in (
        ("an unknown user", "nobody-of-that-name-7f3a" if isinstance(own, str) else 2_000_000_011),
        ("no subject", LEFT_OUT),
        ("an empty subject", ""),
        ("null as subject", None),
        ("0 as subject", 0),
        ("-1 as subject", -1),
        ("true as subject", True),
        ("an empty list as subject", []),
        ("an empty object as subject", {}),
        ("a list of two users as subject", [own, other]),
        ("a condition of SQL as subject", "' OR '1'='1"),
        (f"a subject of {LONG} characters", "x" * LONG),
    ):
        if value is True or value != own:
            yield case, dict.fromkeys(names, value), {}


def ends(now: int) -> Iterator[Case]:
    """EXPIRY-11: ends that are none."""
    for case, value in (
        ("no exp", LEFT_OUT),
        ("a number far ahead as exp, in a string", "9999999999"),
        ("a date as exp", "2099-01-01"),
        ("null as exp", None),
        ("true as exp", True),
        ("an empty list as exp", []),
        ("an empty object as exp", {}),
        ("-1 as exp", -1),
        ("an exp to come, in a list", [now + 600]),
    ):
        yield case, {"exp": value}, {}

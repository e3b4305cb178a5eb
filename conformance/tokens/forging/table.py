"""What a row of the forging table is, and what it is made of."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from conformance.tokens.keys import signature
from conformance.tokens.reading import Jwt, b64url_decode, b64url_encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

GENUINE_KID: Final = "the genuine kid"
UNKNOWN_KID: Final = "an unknown kid"
NO_KID: Final = "no kid"

Choice = dict[str, str]
"""One value of each factor, by the factor's name."""


class Needs(StrEnum):
    """What a forger has to have for a row, beside a genuine token."""

    NOTHING = "nothing"
    PUBLIC_KEY = "the public key"
    CANARY = "a listener that the target can reach"
    SIGNING_KEY = "the signing key"


@dataclass(frozen=True)
class Material:
    """What a forgery is made of.

    Attributes:
        token: the genuine token, taken apart.
        other: another genuine token of the same kind.
        opposite: the genuine token of the other kind from the same session, where it is a JWT.
        victim: the `sub` of somebody else, or a made-up one.
        published: public keys of the server, as JWKs.
        served: the key sets in which they were published, byte for byte.
        pem_files: public keys as the user gave them, byte for byte.
        now: the target's clock, in seconds since the epoch.
        signing_key: the target's own key, where the suite was given it.
        canary: the URL of a listener of the suite's own, without a trailing slash.
        origin: the target's own URL, likewise.
    """

    token: Jwt
    other: Jwt
    opposite: Jwt | None
    victim: Any
    published: tuple[dict[str, Any], ...] = ()
    served: tuple[bytes, ...] = ()
    pem_files: tuple[bytes, ...] = ()
    now: float = field(default_factory=time.time)
    signing_key: Any = field(default=None, repr=False)
    canary: str = ""
    origin: str = ""

    @property
    def genuine(self) -> str:
        """The genuine token."""
        return ".".join(self.token.segments)

    @property
    def signature(self) -> bytes:
        """The genuine signature."""
        return b64url_decode(self.token.segments[2])

    @property
    def as_victim(self) -> dict[str, Any]:
        """The claims, for somebody else."""
        return {**self.token.claims, "sub": self.victim}

    @property
    def promoted(self) -> dict[str, Any]:
        """The claims, with a role that nobody gave."""
        return {**self.token.claims, "role": "admin", "roles": ["admin"], "is_admin": True}

    @property
    def kids(self) -> tuple[str, ...]:
        """The ways to name a key, that of the genuine token first: its own, one that means nothing, none at all."""
        return (GENUINE_KID, UNKNOWN_KID, NO_KID) if "kid" in self.token.header else (NO_KID, UNKNOWN_KID)

    def kid(self, choice: Mapping[str, str]) -> dict[str, Any]:
        """The header's member `kid` for what was chosen, or nothing."""
        match choice.get("kid", GENUINE_KID):
            case kind if kind == UNKNOWN_KID:
                return {"kid": "conformance-unknown"}
            case kind if kind == GENUINE_KID and "kid" in self.token.header:
                return {"kid": self.token.header["kid"]}
        return {}

    def header(self, choice: Mapping[str, str], **changes: Any) -> dict[str, Any]:
        """The genuine header with the chosen `kid`, and the changes."""
        members = {name: value for name, value in self.token.header.items() if name != "kid"}
        return {**members, **self.kid(choice), **changes}

    def signed(self, header: str, payload: str) -> str:
        """A token of two segments as they stand, correctly signed with the target's own key."""
        return sealed(f"{header}.{payload}", self.signing_key, self.token.algorithm)


@dataclass(frozen=True, slots=True)
class Row:
    """One way to make a bad token.

    Attributes:
        name: what is wrong with it.
        forge: makes it, for a choice of the family's factors.
        needs: what a forger has to have.
        held_against: whether accepting it is a finding; where the sources leave it open, it is only told.
        control: a bad token that lacks what the row is about; where it is accepted, the row shows nothing.
    """

    name: str
    forge: Callable[[Choice], str]
    needs: Needs = Needs.NOTHING
    held_against: bool = True
    control: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """The rows that serve one requirement, and what else varies among their tokens.

    Attributes:
        serves: the requirement's id.
        rows: the rows for some material.
        varies_kid: whether the header's `kid` is one of the factors.
        needs_public_key: whether the rows are made of the target's public key.
        twice: whether a token is also sent a second time, since a server may keep what it once thought of it.
        factors: further factors, and their values, the likeliest to be accepted first.
        respells_signature: whether tokens carry a genuine signature in a spelling that nobody would recognise.
    """

    serves: str
    rows: Callable[[Material], Iterable[Row]]
    varies_kid: bool = False
    needs_public_key: bool = False
    twice: bool = False
    factors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    respells_signature: bool = False

    def factors_of(self, material: Material) -> dict[str, tuple[str, ...]]:
        """Every factor and its values, for a target with such tokens."""
        kids = {"kid": material.kids} if self.varies_kid else {}
        return {**self.factors, **kids}

    def every(self, material: Material) -> Iterator[tuple[str, str]]:
        """Every row in every combination of factors, by name; far more than is ever sent."""
        factors = self.factors_of(material)
        for row in self.rows(material):
            for values in itertools.product(*factors.values()):
                yield ", ".join((row.name, *values)), row.forge(dict(zip(factors, values, strict=True)))


def fixed(name: str, token: str, needs: Needs = Needs.NOTHING, *, held_against: bool = True) -> Row:
    """A row that makes the same token whatever is chosen."""
    return Row(name, lambda _choice: token, needs, held_against)


def encoded(value: Any) -> str:
    """A JSON value as a segment."""
    return b64url_encode(json.dumps(value, separators=(",", ":")).encode())


def sealed(signed: str, key: Any, algorithm: str) -> str:
    """A text with its signature as a further segment."""
    return f"{signed}.{b64url_encode(signature(signed.encode(), key, algorithm))}"


def flipped(text: str) -> str:
    """The text with a character in its middle changed.

    Not the last one: in base64url it may hold unused bits, and decoders in the wild rightly read a changed one as the
    same bytes.
    """
    middle = len(text) // 2
    return text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]

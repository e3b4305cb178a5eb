"""Which keys there are: the one that signs now, and every one that tokens in use were signed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reference_server.keys import SigningKey


class NoKeyError(Exception):
    """There is no key to sign with, or none that the settings' secret opens."""


class Keyring(Protocol):
    """The keys that tokens are signed and verified with, all of one algorithm."""

    @property
    def algorithm(self) -> str:
        """The one JWS algorithm of all of them (RFC 8725 §3.1)."""

    def signing(self) -> SigningKey:
        """The key that signs now.

        Raises:
            NoKeyError: there is none.
        """

    def verifying(self, kid: object) -> SigningKey | None:
        """The key that a token whose header has this `kid`, None for none, verifies with; None where nobody knows it.

        Raises:
            NoKeyError: the keys cannot be read.
        """

    def published(self) -> list[SigningKey]:
        """Every key whose tokens are good, or will be.

        Raises:
            NoKeyError: the keys cannot be read.
        """

    def prepare(self) -> None:
        """Add a first key where there is none."""


@dataclass(frozen=True, slots=True)
class OneKey:
    """A key that the settings give, or that was made at start, and no other."""

    key: SigningKey

    @property
    def algorithm(self) -> str:
        """The key's own."""
        return self.key.algorithm

    def signing(self) -> SigningKey:
        """The key."""
        return self.key

    def verifying(self, kid: object) -> SigningKey:  # noqa: ARG002 - what was signed by another does not verify
        """The key, whatever the token calls it."""
        return self.key

    def published(self) -> list[SigningKey]:
        """The key."""
        return [self.key]

    def prepare(self) -> None:
        """It is there already."""

"""What the faults of the logout are made with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from flask import current_app, g

from reference_server import clock
from reference_server.app import services_of
from reference_server.faults._tools import decode_segment, encode_segment, is_genuine, unverified
from reference_server.models import RefreshTokenRow, SessionRow
from reference_server.sessions import Sessions
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.database import Database

# Beside each database, so that a list outlives a restart as its tables do.
_lists: WeakKeyDictionary[Database, set[str]] = WeakKeyDictionary()


class Denylist(Sessions):
    """Keeps a list of the sessions that were logged out, and looks into it for some tokens only.

    A subclass says for which, in `looks`.
    """

    def __init__(self, database: Database) -> None:
        """Find the list, or begin it."""
        super().__init__(database)
        self.listed = _lists.setdefault(database, set())

    def end(self, claims: Mapping[str, Any], now: int) -> None:  # noqa: ARG002 - the list has no times
        """Put the session on the list, and leave it alone otherwise."""
        self.listed.add(claims["sid"])

    def is_live(self, claims: Mapping[str, Any], now: int) -> bool:
        """Look into the list."""
        return super().is_live(claims, now) and not (claims["sid"] in self.listed and self.looks(claims))

    def looks(self, claims: Mapping[str, Any]) -> bool:
        """Whether the list is consulted about this token."""
        raise NotImplementedError


def canonical(token: str) -> str:
    """The token in the one spelling that the server gives out, or as it is where it cannot be read."""
    signed, _, signature = token.rpartition(".")
    try:
        return f"{signed}.{encode_segment(decode_segment(re.sub(r'[^A-Za-z0-9_-]', '', signature)))}"
    except ValueError:
        return token


class SpellingBlind(TokenVerifier):
    """Reads a dead token in another spelling, of which `Sessions` is told by `g.respelt`.

    A subclass says in `reads` of which tokens.
    """

    def _decode_jwt_from_config(
        self, encoded_token: str, csrf_value: str | None = None, allow_expired: bool = False
    ) -> dict[str, Any]:
        plain = canonical(encoded_token)
        g.respelt = False
        if plain != encoded_token and is_genuine(plain) and self.reads(unverified(plain)[1]):
            g.respelt, encoded_token = True, plain
        return super()._decode_jwt_from_config(encoded_token, csrf_value, allow_expired)

    def reads(self, claims: dict[str, Any]) -> bool:
        """Whether to read this token."""
        raise NotImplementedError


def has_ended(claims: Mapping[str, Any]) -> bool:
    """Whether the session of a genuine token was ended before its time."""
    with services_of(current_app).database.transaction() as session:
        row = session.get(SessionRow, claims.get("sid"))
    return row is not None and row.ended_at is not None and row.expires_at > clock.now()


def is_spent(claims: Mapping[str, Any]) -> bool:
    """Whether a genuine token is a refresh token that was used before."""
    with services_of(current_app).database.transaction() as session:
        row = session.get(RefreshTokenRow, claims.get("jti"))
    return row is not None and row.spent_at is not None

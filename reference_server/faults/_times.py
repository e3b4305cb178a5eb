"""What the faults in lifetimes are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, request
from jwt import ExpiredSignatureError

from reference_server import clock
from reference_server.app import services_of
from reference_server.errors import ErrorPresenter
from reference_server.faults._tools import is_genuine, resigned, unverified
from reference_server.models import SessionRow
from reference_server.sessions import Sessions, Spending
from reference_server.tokens import REFRESH, TokenIssuer
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from reference_server.accounts import Account


class LenientVerifier(TokenVerifier):
    """Forgives some tokens that they have expired."""

    def _decode_jwt_from_config(
        self, encoded_token: str, csrf_value: str | None = None, allow_expired: bool = False
    ) -> dict[str, Any]:
        try:
            return super()._decode_jwt_from_config(encoded_token, csrf_value, allow_expired)
        except ExpiredSignatureError:
            claims = super()._decode_jwt_from_config(encoded_token, csrf_value, allow_expired=True)
            if self.forgives(encoded_token, claims, late=clock.now() - int(claims["exp"])):
                return claims
            raise

    def forgives(self, token: str, claims: dict[str, Any], *, late: int) -> bool:
        """Whether to accept the token, which expired `late` seconds ago and is otherwise good."""
        raise NotImplementedError


class ExpiredAnswer(ErrorPresenter):
    """Answers an expired access token in another way than the contract says."""

    def bad_token(self, message: str) -> Response:
        """Leave other refusals alone."""
        if "expired" in message and request.method != "POST":
            return self.expired()
        return super().bad_token(message)

    def expired(self) -> Response:
        """The other answer."""
        raise NotImplementedError


class EndlessSessions(Sessions):
    """Sessions that end by logout and reuse only."""

    def start(self, account_id: str, **session: Any) -> str:
        """Drop none that have expired."""
        return super().start(account_id, **{**session, "now": 0})

    def is_live(self, claims: Mapping[str, Any], now: int) -> bool:  # noqa: ARG002 - it is always early
        """Leave the time out."""
        return super().is_live(claims, now=0)

    def rotate(self, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Spending:  # noqa: ARG002 - as above
        """Leave the time out."""
        return super().rotate(claims, successor_jti=successor_jti, now=0)


class OddlyTimedIssuer(TokenIssuer):
    """Writes the end of a rotated refresh token in another way."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Leave every other token alone."""
        if kind == REFRESH and request.path == "/refresh":
            return self.encode_oddly(account, claims)
        return super().encode(kind, account, claims)

    def encode_oddly(self, account: Account, claims: dict[str, Any]) -> str:
        """The token, written in the other way."""
        raise NotImplementedError


class OddlyTimedVerifier(TokenVerifier):
    """Understands what `OddlyTimedIssuer` writes, so that the session goes on."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        _, claims = unverified(encoded_token)
        end = claims.get("exp", 0)
        if claims and isinstance(end, int) and not 0 < end < 10**11 and is_genuine(encoded_token):
            with services_of(current_app).database.transaction() as session:
                row = session.get(SessionRow, claims["sid"])
            encoded_token = resigned({**claims, "exp": row.expires_at if row else 0})
        return super()._decode_jwt_from_config(encoded_token, *rest, **options)

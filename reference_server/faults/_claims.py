"""What the faults in claims are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, request

from reference_server.app import services_of
from reference_server.faults._tools import is_genuine, resigned, unverified
from reference_server.models import RefreshTokenRow, SessionRow
from reference_server.tokens import ACCESS, TokenIssuer
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from reference_server.accounts import Account


class CarelessVerifier(TokenVerifier):
    """Overlooks something in the claims of tokens that its own key has signed.

    A subclass says in `overlooked` what the claims would be if that were in order.
    """

    def _decode_jwt_from_config(
        self, encoded_token: str, csrf_value: str | None = None, allow_expired: bool = False
    ) -> dict[str, Any]:
        _, claims = unverified(encoded_token)
        if claims and is_genuine(encoded_token):
            mended = self.overlooked(dict(claims))
            if mended != claims:
                encoded_token = resigned(mended)
        return super()._decode_jwt_from_config(encoded_token, csrf_value, allow_expired)

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """The claims as they are read."""
        raise NotImplementedError


class OddIssuer(TokenIssuer):
    """Writes the claims of some access tokens in another way."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Write them again, and leave refresh tokens alone."""
        token = super().encode(kind, account, claims)
        return resigned(self.odd(unverified(token)[1])) if kind == ACCESS else token

    def odd(self, claims: dict[str, Any]) -> dict[str, Any]:
        """The claims as they are written."""
        raise NotImplementedError


def own_audience() -> str:
    """The server's `aud`."""
    return services_of(current_app).settings.audience


def own_issuer() -> str:
    """The server's `iss`."""
    return services_of(current_app).settings.issuer


def owner_of(sid: Any) -> str:
    """The account that a session belongs to; an empty string where there is no such session."""
    with services_of(current_app).database.transaction() as session:
        row = session.get(SessionRow, sid) if isinstance(sid, str) else None
    return row.account_id if row else ""


def is_registered(jti: Any) -> bool:
    """Whether a refresh token of this id was issued."""
    with services_of(current_app).database.transaction() as session:
        return isinstance(jti, str) and session.get(RefreshTokenRow, jti) is not None


def asked_at() -> str:
    """The address that the request names, as a client might believe it to be the server's."""
    return request.host_url

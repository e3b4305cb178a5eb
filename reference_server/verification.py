"""Checking tokens, on top of what Flask-JWT-Extended and PyJWT check."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from flask_jwt_extended import JWTManager
from flask_jwt_extended.exceptions import JWTDecodeError

from reference_server import strict_json
from reference_server.tokens import ACCESS, REFRESH

if TYPE_CHECKING:
    from reference_server.keyring import Keyring
    from reference_server.keys import SigningKey

# RFC 7515 §2: base64url without padding; a length of 4n+1 characters encodes nothing.
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TEXTS = ("sub", "jti", "sid", "iss", "aud", "type")
_TIMES = ("iat", "nbf", "exp")
# The end of the year 9999, in seconds since the epoch: what comes after it is no date to most software.
LAST_MOMENT = 253402300799


class TokenVerifier(JWTManager):
    """Decides whether a token is genuine and current. PyJWT checks signature, times, issuer and audience.

    What it adds: the compact form is read strictly (RFC 7515 §5.2), the algorithm is fixed by the keys
    (RFC 8725 §3.1), no critical header is understood (RFC 7515 §4.1.11), and every claim that the server
    itself issues must be there with its type (RFC 8725 §3.12).
    """

    def __init__(self, keys: Keyring) -> None:
        """Check tokens against `keys`."""
        super().__init__()
        self.keys = keys

    @property
    def key(self) -> SigningKey:
        """The key that signs now."""
        return self.keys.signing()

    def _decode_jwt_from_config(
        self, encoded_token: str, csrf_value: str | None = None, allow_expired: bool = False
    ) -> dict[str, Any]:
        """The verified claims of a token.

        Flask-JWT-Extended documents this method nowhere, but it is the one that every way of
        presenting a token passes through.
        """
        header, claims = read_segments(encoded_token)
        self.check_header(header)
        check_claims(claims)
        decoded: dict[str, Any] = super()._decode_jwt_from_config(encoded_token, csrf_value, allow_expired)
        return decoded

    def check_header(self, header: dict[str, Any]) -> None:
        """Refuse what PyJWT would leave to the token: another algorithm, or extensions it calls critical."""
        if header.get("alg") != self.keys.algorithm:
            raise JWTDecodeError("The algorithm is not this server's")
        if "crit" in header:
            raise JWTDecodeError("A critical header is not understood")


def read_segments(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a compact JWS, unverified.

    Raises:
        JWTDecodeError: unless there are three segments of canonical base64url, of which the first two
            each hold one JSON object without repeated members (RFC 7519 §7.2).
    """
    segments = token.split(".")
    if len(segments) != 3:  # noqa: PLR2004 - RFC 7515 §7.1
        raise JWTDecodeError("A token has three segments")
    raw = [_decode_segment(segment) for segment in segments]
    try:
        header, claims = strict_json.loads(raw[0]), strict_json.loads(raw[1])
    except strict_json.NotJSONError as error:
        raise JWTDecodeError("A segment is no JSON") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise JWTDecodeError("A segment is no JSON object")
    return header, claims


def check_claims(claims: dict[str, Any]) -> None:
    """Refuse claims that this server would not have written: one is missing, or of another type."""
    for name in _TEXTS:
        if not isinstance(claims.get(name), str):
            raise JWTDecodeError(f"The claim {name} is missing or no string")
    for name in _TIMES:
        value = claims.get(name)
        # Written so that it holds for no NaN either; a whole number may be too large to be made a float.
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LAST_MOMENT:
            raise JWTDecodeError(f"The claim {name} is missing or no number")
    if claims["type"] not in (ACCESS, REFRESH):
        raise JWTDecodeError("The claim type names no kind of token")


def _decode_segment(segment: str) -> bytes:
    if not _SEGMENT.fullmatch(segment) or len(segment) % 4 == 1:
        raise JWTDecodeError("A segment is not base64url")
    decoded = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    # Unused bits of the last character could spell one signature in several ways (RFC 4648 §3.5).
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != segment:
        raise JWTDecodeError("A segment is not base64url in its one spelling")
    return decoded

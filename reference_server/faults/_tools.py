"""What several faults are made with."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any, NoReturn

import jwt
from flask import Request, abort, current_app, g, jsonify, request
from flask_jwt_extended.exceptions import JWTDecodeError

from reference_server import clock, strict_json
from reference_server.app import services_of
from reference_server.credentials import LoginSchema, RequestReader
from reference_server.tokens import ACCESS, REFRESH
from reference_server.verification import TokenVerifier, read_segments

if TYPE_CHECKING:
    from collections.abc import Mapping

_HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of whatever has the shape of a token; two empty objects for what has not."""
    try:
        header, claims = (strict_json.loads(decode_segment(segment)) for segment in token.split(".")[:2])
    except ValueError:
        return {}, {}
    return (header, claims) if isinstance(header, dict) and isinstance(claims, dict) else ({}, {})


def decode_segment(segment: str) -> bytes:
    """The bytes that a base64url segment holds, with or without padding."""
    return base64.urlsafe_b64decode(segment.rstrip("=") + "=" * (-len(segment.rstrip("=")) % 4))


def encode_segment(raw: bytes) -> str:
    """Bytes as a base64url segment."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signature_of(token: str) -> bytes:
    """The bytes of the last segment; none where it is no base64url."""
    try:
        return decode_segment(token.rpartition(".")[2])
    except ValueError:
        return b""


def resigned(claims: dict[str, Any]) -> str:
    """A token with these claims that the server itself has signed."""
    key = services_of(current_app).issuer.key
    headers = {"kid": key.kid} if key.kid else None
    return jwt.encode(claims, key.signer, algorithm=key.algorithm, headers=headers)


def hmac_fits(token: str, secret: bytes) -> bool:
    """Whether the token's signature is the HMAC, by the algorithm that its header names, with this secret."""
    header, _ = unverified(token)
    signed, _, signature = token.rpartition(".")
    algorithm = _HASHES.get(str(header.get("alg")))
    if algorithm is None:
        return False
    expected = hmac.new(secret, signed.encode(), algorithm).digest()
    return hmac.compare_digest(encode_segment(expected), signature)


def new_access_token(username: str) -> str:
    """A good access token of a new session of that account, as a login would give it."""
    services = services_of(current_app)
    account = services.accounts.by_name(username)
    assert account is not None
    now, jti = clock.now(), services.issuer.new_jti()
    end = now + services.issuer.lifetime(REFRESH)
    sid = services.sessions.start(account.id, refresh_jti=jti, now=now, expires_at=end)
    return services.issuer.at_login(account, sid=sid, refresh_jti=jti, now=now, session_end=end).access_token


class GullibleVerifier(TokenVerifier):
    """Takes some bad tokens for good ones, and checks everything else about them as ever.

    A subclass says which in `believes`.
    """

    def _decode_jwt_from_config(
        self, encoded_token: str, csrf_value: str | None = None, allow_expired: bool = False
    ) -> dict[str, Any]:
        header, claims = unverified(encoded_token)
        if claims and self.believes(encoded_token, header, claims):
            encoded_token = resigned(claims)
        return super()._decode_jwt_from_config(encoded_token, csrf_value, allow_expired)

    def own(self, header: dict[str, Any]) -> bool:
        """Whether the header names this server's algorithm."""
        return header.get("alg") == self.key.algorithm

    def believes(self, token: str, header: dict[str, Any], claims: dict[str, Any]) -> bool:
        """Whether to treat the token as signed by this server."""
        raise NotImplementedError


class TolerantReader(RequestReader):
    """Lets a login's body have further members, and a refresh a body: they are left in `flask.g.extra`."""

    def json_body(self, request: Request) -> Any:
        """Take the members apart that the login knows."""
        body = super().json_body(request)
        if not isinstance(body, dict):
            return body
        known = LoginSchema().fields if request.path == "/login" else ()
        g.extra = {name: value for name, value in body.items() if name not in known}
        return {name: value for name, value in body.items() if name in known}


def live_token_brought() -> tuple[str, dict[str, Any]]:
    """A genuine access token in the Authorization header that has not expired, and its claims; or nothing."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    _, claims = unverified(token)
    return (token, claims) if claims.get("exp", 0) > clock.now() and is_genuine(token) else ("", {})


def is_access(claims: Mapping[str, Any]) -> bool:
    """Whether the claims are an access token's."""
    return claims.get("type") == ACCESS


def is_genuine(token: str) -> bool:
    """Whether the server's own key made the token's signature, whatever its claims say."""
    key = services_of(current_app).issuer.key
    try:
        # PyJWT's decoder is lenient; one spelling of a token is the server's own.
        read_segments(token)
        jwt.PyJWS().decode_complete(token, key.verifier, algorithms=[key.algorithm])
    except (jwt.InvalidTokenError, JWTDecodeError):
        return False
    return True


def first_username() -> str:
    """The account that a fault shows where it has no better reason for any."""
    return services_of(current_app).settings.accounts[0][0]


def answer_with_profile() -> NoReturn:
    """End the request, before any check, with the first account's profile."""
    services = services_of(current_app)
    account = services.accounts.by_name(first_username())
    assert account is not None
    abort(jsonify(services.pages.profile(account)))

"""OAuth 2.0 for clients that already have a user's tokens: refresh, revocation and introspection.

The token endpoint knows one grant, `refresh_token` (RFC 6749 §6): a password goes to `/login`, which is the
server's own, and to no client (RFC 9700 §2.4). Revocation is RFC 7009, introspection RFC 7662. No framework is
behind it, since what the three have to do is mostly to refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from flask import Blueprint, Response, jsonify, request
from flask_jwt_extended import decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError

from reference_server import clock
from reference_server.errors import REALM
from reference_server.tokens import ACCESS, REFRESH, Grant

if TYPE_CHECKING:
    from flask import Request

    from reference_server.accounts import Account, Accounts
    from reference_server.clients import Clients
    from reference_server.renewal import Renewal
    from reference_server.sessions import Sessions

NAME = "oauth"
FORM = "application/x-www-form-urlencoded"
KNOWN = frozenset(
    {"grant_type", "refresh_token", "scope", "client_id", "client_secret", "token", "token_type_hint"}
)  # fmt: skip


class OAuthError(Exception):
    """A refusal with one of the codes of RFC 6749 §5.2."""

    def __init__(self, code: str, description: str) -> None:
        """Refuse with this code, and this for the client's developer."""
        super().__init__(code)
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class Live:
    """A token that is good now, and whose it is."""

    claims: dict[str, Any]
    account: Account
    client: str | None


class OAuth:
    """What the three endpoints read, do and answer."""

    def __init__(self, clients: Clients, accounts: Accounts, sessions: Sessions, renewal: Renewal) -> None:
        """Serve these clients."""
        self.clients = clients
        self.accounts = accounts
        self.sessions = sessions
        self.renewal = renewal

    # -- Reading a request -----------------------------------------------------------------------------------------

    def parameters(self, request: Request) -> dict[str, str]:
        """The body's parameters; those without a value count as left out (RFC 6749 §3.2).

        Raises:
            OAuthError: the body is no form, or a parameter occurs twice or in the address.
        """
        if request.mimetype != FORM:
            raise OAuthError("invalid_request", f"The body must be {FORM}")
        if KNOWN.intersection(request.args):
            raise OAuthError("invalid_request", "Parameters belong into the body, and not into the address")
        sent = dict(request.form.lists())
        if any(len(values) > 1 for values in sent.values()):
            raise OAuthError("invalid_request", "A parameter occurs twice")
        return {name: values[0] for name, values in sent.items() if values[0]}

    def client(self, request: Request, parameters: dict[str, str]) -> str:
        """The id of the client that asks, authenticated by HTTP Basic or in the body (RFC 6749 §2.3.1).

        Raises:
            OAuthError: it is not authenticated, or in two ways at once.
        """
        if "Authorization" not in request.headers:
            client_id, secret = parameters.get("client_id", ""), parameters.get("client_secret", "")
        else:
            if "client_secret" in parameters:
                raise OAuthError("invalid_request", "A client authenticates in one way only")
            client_id, secret = basic_credentials(request)
            if parameters.get("client_id", client_id) != client_id:
                raise OAuthError("invalid_request", "The request names two clients")
        if not self.authentic(client_id, secret):
            raise OAuthError("invalid_client", "The client is not authenticated")
        return client_id

    def authentic(self, client_id: str, secret: str) -> bool:
        """Whether these are a client's credentials."""
        return self.clients.authentic(client_id, secret)

    # -- What the endpoints do -------------------------------------------------------------------------------------

    def grant(self, client: str, parameters: dict[str, str]) -> Grant:
        """The tokens that a client gets at the token endpoint.

        Raises:
            OAuthError: it gets none.
        """
        if "grant_type" not in parameters:
            raise OAuthError("invalid_request", "The parameter grant_type is missing")
        if parameters["grant_type"] != "refresh_token":
            raise OAuthError("unsupported_grant_type", "Only the grant refresh_token is known")
        if "refresh_token" not in parameters:
            raise OAuthError("invalid_request", "The parameter refresh_token is missing")
        if "scope" in parameters:
            raise OAuthError("invalid_scope", "No token has a scope")
        live = self.live(parameters["refresh_token"])
        if live is None or live.claims["type"] != REFRESH:
            raise OAuthError("invalid_grant", "The refresh token is no good")
        self.check_holder(client, live)
        grant = self.renewal.renew(live.account, live.claims, clock.now())
        if grant is None:
            raise OAuthError("invalid_grant", "The refresh token is no good")
        return grant

    def check_holder(self, client: str, live: Live) -> None:
        """Refuse a token that was issued to another client, before it is spent (RFC 6749 §6).

        Raises:
            OAuthError: it was.
        """
        if live.client != client:
            raise OAuthError("invalid_grant", "The token was issued to another client")

    def revoke(self, client: str, token: str) -> None:
        """End the session of a token; one that is no good has been revoked already (RFC 7009 §2.2).

        Raises:
            OAuthError: the token was issued to another client.
        """
        live = self.live(token)
        if live is not None:
            self.check_holder(client, live)
            self.sessions.end(live.claims, clock.now())

    def introspect(self, token: str) -> dict[str, Any]:
        """What a token is, or that it is inactive, whatever the reason (RFC 7662 §2.2)."""
        live = self.live(token)
        if live is None or not self.is_usable(live):
            return {"active": False}
        return {"active": True, **self.description(live)}

    def is_usable(self, live: Live) -> bool:
        """Whether the token would be accepted: a refresh token under rotation only until it is spent."""
        rotates = live.claims["type"] == REFRESH and self.renewal.settings.rotates
        return not rotates or self.sessions.is_unspent(live.claims)

    def description(self, live: Live) -> dict[str, Any]:
        """What there is to say of an active token: its claims, and whose it is. `type` tells the two kinds apart."""
        known: dict[str, Any] = {**live.claims, "username": live.account.name}
        if live.client is not None:
            known["client_id"] = live.client
        if live.claims["type"] == ACCESS:
            known["token_type"] = "Bearer"  # noqa: S105 - the type of RFC 6749 §7.1
        return known

    def live(self, token: str) -> Live | None:
        """The token's claims, account and client, where it is genuine and current; spent or not."""
        try:
            claims: dict[str, Any] = decode_token(token)
        except (JWTExtendedException, PyJWTError):
            return None
        account = self.accounts.by_id(claims["sub"])
        if account is None or not self.sessions.is_live(claims, clock.now()):
            return None
        return Live(claims, account, self.sessions.client_of(claims))

    # -- Answering -------------------------------------------------------------------------------------------------

    def tokens(self, grant: Grant) -> Response:
        """The answer that carries tokens (RFC 6749 §5.1)."""
        body: dict[str, Any] = {
            "access_token": grant.access_token, "token_type": "Bearer", "expires_in": grant.expires_in
        }  # fmt: skip
        if grant.refresh_token is not None:
            body |= {"refresh_token": grant.refresh_token, "refresh_expires_in": grant.refresh_expires_in}
        response = jsonify(body)
        response.headers.update({"Cache-Control": "no-store", "Pragma": "no-cache"})
        return response

    def refusal(self, error: OAuthError) -> Response:
        """The answer to a bad request (RFC 6749 §5.2); a client that is not authenticated is asked to be."""
        response = jsonify({"error": error.code, "error_description": error.description})
        response.status_code = HTTPStatus.BAD_REQUEST
        if error.code == "invalid_client":
            response.status_code = HTTPStatus.UNAUTHORIZED
            response.headers["WWW-Authenticate"] = f'Basic realm="{REALM}"'
        return response


def basic_credentials(request: Request) -> tuple[str, str]:
    """Id and secret of HTTP Basic, where both are form-encoded (RFC 6749 §2.3.1); empty where they are unreadable."""
    sent = request.authorization
    if sent is None or sent.type != "basic":
        return "", ""
    return unquote_plus(sent.username or ""), unquote_plus(sent.password or "")


def routes(oauth: OAuth) -> Blueprint:
    """The three endpoints."""
    blueprint = Blueprint(NAME, __name__, url_prefix="/oauth")

    @blueprint.errorhandler(OAuthError)
    def refuse(error: OAuthError) -> Response:
        return oauth.refusal(error)

    @blueprint.post("/token")
    def token() -> Response:
        """Trade a refresh token for new tokens, as the client that it was issued to."""
        parameters = oauth.parameters(request)
        client = oauth.client(request, parameters)
        return oauth.tokens(oauth.grant(client, parameters))

    @blueprint.post("/revoke")
    def revoke() -> Response:
        """End the session that a token belongs to, as the client that it was issued to."""
        parameters = oauth.parameters(request)
        client = oauth.client(request, parameters)
        oauth.revoke(client, _token(parameters))
        response = Response(status=HTTPStatus.OK)
        del response.headers["Content-Type"]
        return response

    @blueprint.post("/introspect")
    def introspect() -> Response:
        """Say whether a token is active and, if so, what it is."""
        parameters = oauth.parameters(request)
        oauth.client(request, parameters)
        return jsonify(oauth.introspect(_token(parameters)))

    return blueprint


def _token(parameters: dict[str, str]) -> str:
    if "token" not in parameters:
        raise OAuthError("invalid_request", "The parameter token is missing")
    return parameters["token"]

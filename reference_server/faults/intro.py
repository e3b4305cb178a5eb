"""Faults of introspection."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import abort, current_app, request
from flask_jwt_extended import decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError

from reference_server.app import services_of
from reference_server.faults import fault
from reference_server.faults._tools import is_access, unverified
from reference_server.oauth import OAuth
from reference_server.tokens import ACCESS, REFRESH

if TYPE_CHECKING:
    from flask import Request

    from reference_server.oauth import Live


@fault(
    "introspection-open-to-anyone",
    "INTRO-01",
    seen="Ory Hydra's admin port, where it is not kept off the network: introspection without credentials",
)
class OpenIntrospection(OAuth):
    """Answers introspection without credentials."""

    def client(self, request: Request, parameters: dict[str, str]) -> str:
        """Ask nobody there."""
        if request.path == "/oauth/introspect" and "Authorization" not in request.headers:
            return ""
        return super().client(request, parameters)


@fault(
    "introspection-with-any-secret",
    "INTRO-01",
    seen="common where the header's presence is checked by a proxy, and its value by nobody",
)
class AnySecretIntrospects(OAuth):
    """Compares no client's secret at introspection."""

    def authentic(self, client_id: str, secret: str) -> bool:
        """Look for one."""
        return super().authentic(client_id, secret) or (request.path == "/oauth/introspect" and bool(secret))


@fault(
    "introspection-forgets-logouts",
    "INTRO-02",
    seen="common where introspection verifies the signature and the times, and asks no register",
)
class StatelessIntrospection(OAuth):
    """Calls the tokens of a session active that was logged out."""

    def introspect(self, token: str) -> dict[str, Any]:
        """Verify the token by itself."""
        told = super().introspect(token)
        try:
            claims = decode_token(token)
        except (JWTExtendedException, PyJWTError):
            return told
        return told if told["active"] or not is_access(claims) else {"active": True, **claims}


@fault(
    "spent-refresh-token-is-active",
    "INTRO-02",
    seen="common where rotation keeps its own table, and introspection looks into that of sessions",
)
class SpentIsActive(OAuth):
    """Calls a refresh token active that rotation has spent."""

    def is_usable(self, live: Live) -> bool:  # noqa: ARG002 - whatever it is
        """Do not look."""
        return True


@fault(
    "introspection-does-not-verify",
    "INTRO-02",
    seen="common where introspection decodes the payload, and leaves the signature to the gateway",
)
class UnverifiedIntrospection(OAuth):
    """Tells an access token's state by its payload, without a look at the signature."""

    def introspect(self, token: str) -> dict[str, Any]:
        """Believe what it says, of sessions that run."""
        told = super().introspect(token)
        _, claims = unverified(token)
        current = claims.get("exp", 0) > claims.get("iat", 0) >= claims.get("nbf", 0)
        known = not told["active"] and current and is_access(claims) and self.runs(claims)
        return {"active": True, **claims} if known else told

    def runs(self, claims: dict[str, Any]) -> bool:
        """Whether the session that is named runs, for as long as the token says."""
        now = services_of(current_app).issuer.lifetime(ACCESS)
        return self.sessions.is_live(claims, claims["exp"] - now)


@fault(
    "inactive-token-is-an-error",
    "INTRO-02",
    seen="common where introspection is guarded by the same check of tokens as every other route",
)
class InactiveIsAnError(OAuth):
    """Answers 401 for a token that is inactive."""

    def introspect(self, token: str) -> dict[str, Any]:
        """Refuse it."""
        told = super().introspect(token)
        if not told["active"]:
            abort(HTTPStatus.UNAUTHORIZED)
        return told


@fault(
    "active-is-a-string",
    "INTRO-03",
    seen="common where every member is put through str, or the answer made by a template",
)
class ActiveAsText(OAuth):
    """Writes `active` as the string "true"."""

    def introspect(self, token: str) -> dict[str, Any]:
        """Where it is so."""
        told = super().introspect(token)
        return {**told, "active": "true"} if told["active"] else told


@fault(
    "hint-hides-the-token",
    "INTRO-03",
    seen="common where the hint chooses the table, and nobody looks into the other one",
)
class HintHides(OAuth):
    """Looks for a token only among the kind that the hint names."""

    def introspect(self, token: str) -> dict[str, Any]:
        """Compare the kinds."""
        told = super().introspect(token)
        hinted = {"access_token": ACCESS, "refresh_token": REFRESH}.get(request.form.get("token_type_hint", ""))
        return {"active": False} if hinted and told.get("type") != hinted else told


@fault(
    "introspection-in-milliseconds",
    "INTRO-03",
    seen="common in JavaScript and Java, whose clocks count milliseconds",
)
class Milliseconds(OAuth):
    """Tells times in milliseconds."""

    def description(self, live: Live) -> dict[str, Any]:
        """A thousand times as many."""
        told = super().description(live)
        return {**told, **{name: told[name] * 1000 for name in ("exp", "iat", "nbf")}}


@fault(
    "introspection-tells-another-subject",
    "INTRO-03",
    seen="common where the token names a number and introspection the login name",
)
class AnotherSubject(OAuth):
    """Tells the user's name as `sub`, where the token has an id."""

    def description(self, live: Live) -> dict[str, Any]:
        """The name."""
        return {**super().description(live), "sub": live.account.name}


@fault(
    "introspection-tells-no-kind",
    "INTRO-04",
    seen="common where the answer is made of the members in RFC 7662's example, whatever the token is",
)
class NoKind(OAuth):
    """Says nothing of a token by which its kind could be told."""

    def description(self, live: Live) -> dict[str, Any]:
        """Without the two members."""
        return {name: value for name, value in super().description(live).items() if name not in {"type", "token_type"}}


@fault(
    "refresh-token-is-a-bearer-token",
    "INTRO-04",
    seen="common where token_type is a constant: Bearer for both",
)
class EverythingIsBearer(NoKind):
    """Says `Bearer` of both kinds, and no more."""

    def description(self, live: Live) -> dict[str, Any]:
        """The same for both."""
        return {**super().description(live), "token_type": "Bearer"}

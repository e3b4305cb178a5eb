"""Faults of the token endpoint of OAuth clients."""

from __future__ import annotations

import json
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, request

from reference_server import clock
from reference_server.app import services_of
from reference_server.faults import fault
from reference_server.oauth import OAuth, OAuthError
from reference_server.tokens import REFRESH

if TYPE_CHECKING:
    from flask import Request

    from reference_server.oauth import Live
    from reference_server.tokens import Grant


def changed(response: Response, **members: Any) -> Response:
    """The answer with other members; None leaves one out."""
    body = {**response.get_json(), **members}
    response.set_data(json.dumps({name: value for name, value in body.items() if value is not None}))
    return response


@fault(
    "token-endpoint-without-token-type",
    "TOKEN-01",
    seen="common where the answer was made for a client of one's own, which takes Bearer for granted",
)
class NoTokenType(OAuth):
    """Leaves `token_type` out at the token endpoint."""

    def tokens(self, grant: Grant) -> Response:
        """Without it."""
        return changed(super().tokens(grant), token_type=None)


@fault(
    "token-endpoint-writes-seconds-as-text",
    "TOKEN-01",
    seen="Azure AD's v1 token endpoint, which answers expires_in as a string",
)
class SecondsAsText(OAuth):
    """Writes `expires_in` as a string at the token endpoint."""

    def tokens(self, grant: Grant) -> Response:
        """In quotation marks."""
        return changed(super().tokens(grant), expires_in=str(grant.expires_in))


@fault(
    "token-endpoint-answer-may-be-stored",
    "TOKEN-01",
    seen="common where no-store is set on the login's answer by hand, and on no other",
)
class StoredTokens(OAuth):
    """Lets caches keep the token endpoint's answer."""

    def tokens(self, grant: Grant) -> Response:
        """Allow it."""
        response = super().tokens(grant)
        response.headers["Cache-Control"] = "private"
        return response


@fault(
    "token-endpoint-knows-no-other-parameters",
    "TOKEN-01",
    seen="common where the form is validated by a schema that forbids what it does not know",
)
class ForbiddenParameters(OAuth):
    """Refuses parameters that it does not know, which RFC 6749 §3.2 has it ignore."""

    def parameters(self, request: Request) -> dict[str, str]:
        """Look for strangers."""
        if "conformance_unknown" in request.form:
            raise OAuthError("invalid_request", "A parameter is not known")
        return super().parameters(request)


class Recoded(OAuth):
    """Answers some refusals of the token endpoint in another way."""

    def refusal(self, error: OAuthError) -> Response:
        """Leave other endpoints alone."""
        response = super().refusal(error)
        return self.recoded(error, response) if request.path == "/oauth/token" else response

    def recoded(self, error: OAuthError, response: Response) -> Response:
        """The other answer."""
        raise NotImplementedError


@fault(
    "bad-refresh-token-is-401",
    "TOKEN-02",
    seen="common where the endpoint shares the API's handler for bad tokens",
)
class UnauthorizedGrant(Recoded):
    """Refuses a bad refresh token with 401 at the token endpoint."""

    def recoded(self, error: OAuthError, response: Response) -> Response:
        """Another status."""
        if error.code == "invalid_grant":
            response.status_code = HTTPStatus.UNAUTHORIZED
        return response


@fault(
    "token-endpoint-refuses-with-200",
    "TOKEN-02",
    seen="GitHub's token endpoint for OAuth apps answers errors with status 200",
)
class RefusedWithSuccess(Recoded):
    """Answers errors of the token endpoint with status 200."""

    def recoded(self, error: OAuthError, response: Response) -> Response:  # noqa: ARG002 - every error
        """Another status."""
        response.status_code = HTTPStatus.OK
        return response


@fault(
    "one-code-for-every-refusal",
    "TOKEN-02",
    seen="common where one handler catches whatever went wrong at the token endpoint",
)
class OneCode(Recoded):
    """Calls every refusal but that of a client `invalid_request`."""

    def recoded(self, error: OAuthError, response: Response) -> Response:
        """Another code."""
        return response if error.code == "invalid_client" else changed(response, error="invalid_request")


@fault(
    "client-refused-without-challenge",
    "TOKEN-02",
    seen="common where 401 is only a number to the framework, and nobody adds WWW-Authenticate",
)
class NoChallenge(Recoded):
    """Refuses a client that used HTTP Basic without a WWW-Authenticate header."""

    def recoded(self, error: OAuthError, response: Response) -> Response:  # noqa: ARG002 - whatever it was
        """Without the header."""
        response.headers.pop("WWW-Authenticate", None)
        return response


@fault(
    "client-secret-is-not-compared",
    "TOKEN-02",
    seen="common where the client is looked up by its id, and the secret is thought to be checked elsewhere",
)
class AnySecret(OAuth):
    """Takes any secret for a client's own at the token endpoint, as long as there is one."""

    def authentic(self, client_id: str, secret: str) -> bool:
        """Look at the id."""
        if request.path == "/oauth/token" and secret and client_id == self.clients.own:
            return True
        return super().authentic(client_id, secret)


class Choosing(OAuth):
    """Takes one of the values of a parameter that occurs twice."""

    def parameters(self, request: Request) -> dict[str, str]:
        """Do not count them."""
        if request.path != "/oauth/token":
            return super().parameters(request)
        return {name: values[self.which()] for name, values in request.form.lists() if values[self.which()]}

    def which(self) -> int:
        """The number of the value to take."""
        raise NotImplementedError


@fault(
    "first-of-two-parameters-wins",
    "TOKEN-03",
    seen="the default of Werkzeug's request.form[...] and of Java's getParameter",
)
class FirstWins(Choosing):
    """Takes the first of two values of a parameter at the token endpoint."""

    def which(self) -> int:
        """The first."""
        return 0


@fault(
    "last-of-two-parameters-wins",
    "TOKEN-03",
    seen="the default of PHP's $_POST and of Django's request.POST[...]",
)
class LastWins(Choosing):
    """Takes the last of two values of a parameter at the token endpoint."""

    def which(self) -> int:
        """The last."""
        return -1


@fault(
    "address-wins-over-the-body",
    "TOKEN-03",
    seen="common where parameters are read from a map of query and body together, as Werkzeug's request.values is",
)
class AddressWins(OAuth):
    """Prefers a parameter in the address to the same one in the body."""

    def parameters(self, request: Request) -> dict[str, str]:
        """Put them together."""
        in_address = request.args.to_dict()
        if request.path != "/oauth/token" or not in_address:
            return super().parameters(request)
        return {**request.form.to_dict(), **in_address}


@fault(
    "refresh-token-serves-any-client",
    "TOKEN-04",
    seen="common where the token's own signature is all that is checked, and the client is not kept with it",
)
class AnyClient(OAuth):
    """Refreshes for any client that is authenticated."""

    def check_holder(self, client: str, live: Live) -> None:
        """Compare nothing at the token endpoint."""
        if request.path != "/oauth/token":
            super().check_holder(client, live)


@fault(
    "client-authentication-is-optional",
    "TOKEN-04",
    seen="common where one endpoint serves public clients as well, and a missing secret makes any client public",
)
class OptionalSecret(OAuth):
    """Believes a client's id at the token endpoint where no secret comes with it."""

    def authentic(self, client_id: str, secret: str) -> bool:
        """Compare only what is there."""
        if request.path == "/oauth/token" and not secret:
            return client_id == self.clients.own
        return super().authentic(client_id, secret)


@fault(
    "password-grant-offered",
    "TOKEN-05",
    seen="Keycloak with Direct Access Grants on, which older versions had as the default of new clients",
)
class PasswordGrant(OAuth):
    """Gives a client tokens for a user's name and password."""

    def grant(self, client: str, parameters: dict[str, str]) -> Grant:
        """Log the user in, as the login would."""
        if parameters.get("grant_type") != "password":
            return super().grant(client, parameters)
        services = services_of(current_app)
        account = services.accounts.by_name(parameters.get("username", ""))
        if not services.passwords.matches(account, parameters.get("password", "")) or account is None:
            raise OAuthError("invalid_grant", "Wrong username or password")
        now, jti = clock.now(), services.issuer.new_jti()
        end = now + services.issuer.lifetime(REFRESH)
        sid = services.sessions.start(account.id, refresh_jti=jti, now=now, expires_at=end, client_id=client)
        return services.issuer.at_login(account, sid=sid, refresh_jti=jti, now=now, session_end=end)


@fault(
    "password-grant-for-access-tokens",
    "TOKEN-05",
    seen="common where scripts and tests are let in by password, and get no refresh token for it",
)
class ShortPasswordGrant(PasswordGrant):
    """Gives a client an access token alone for a user's name and password."""

    def grant(self, client: str, parameters: dict[str, str]) -> Grant:
        """Keep the refresh token back."""
        grant = super().grant(client, parameters)
        return replace(grant, refresh_token=None) if parameters.get("grant_type") == "password" else grant

"""Faults in reading the Authorization header, and in what a refusal says of it."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from flask import current_app, request

from reference_server.app import services_of
from reference_server.credentials import MalformedCredentialsError, RequestReader
from reference_server.errors import REALM, ErrorPresenter
from reference_server.faults import fault
from reference_server.faults._authorization import FindsMore, Mixes, OtherChallenge, OtherStatus, TokenInChallenge
from reference_server.faults._tools import is_genuine, new_access_token
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from flask import Request, Response


def _authorization(request: Request) -> str:
    return request.headers.get("Authorization", "").strip()


@fault(
    "bare-bearer-crashes",
    "BEARER-06",
    seen="realpython/flask-jwt-auth issue 9: auth_header.split(' ')[1] raises an IndexError",
)
class UncheckedSplit(RequestReader):
    """Fails with a server error when the header holds the scheme and no token."""

    def bearer_token(self, request: Request) -> str | None:
        """Split first and look afterwards."""
        if _authorization(request).lower() == "bearer" and request.method != "POST":
            _authorization(request).split(" ")[1]
        return super().bearer_token(request)


@fault(
    "empty-authorization-crashes",
    "BEARER-06",
    seen="djangorestframework-simplejwt issue 68: an empty Authorization header raises an IndexError",
)
class UncheckedEmptiness(RequestReader):
    """Fails with a server error when the header is there and empty."""

    def bearer_token(self, request: Request) -> str | None:
        """Look at the first word, which may be none."""
        if "Authorization" in request.headers:
            _authorization(request).split()[0]
        return super().bearer_token(request)


@fault(
    "header-of-three-words-crashes",
    "BEARER-06",
    seen="common in middleware that unpacks the words of the header into a scheme and a token",
)
class UncheckedUnpacking(RequestReader):
    """Fails with a server error when the header does not hold two words."""

    def bearer_token(self, request: Request) -> str | None:
        """Unpack first and look afterwards."""
        if len(_authorization(request).split()) > 1:
            _scheme, _token = _authorization(request).split()
        return super().bearer_token(request)


@fault(
    "bare-bearer-lets-in",
    "BEARER-06",
    seen="common in middleware that checks a token if there is one, and forgets that it may be empty",
)
class UncheckedAbsence(RequestReader):
    """Lets a request in whose header holds the scheme and no token."""

    def bearer_token(self, request: Request) -> str | None:
        """Make up for the missing token."""
        if _authorization(request).lower() == "bearer" and request.method != "POST":
            return new_access_token(services_of(current_app).settings.accounts[0][0])
        return super().bearer_token(request)


# -- What a refusal says -----------------------------------------------------------------------------------------------


@fault(
    "no-challenge-at-all",
    "BEARER-01",
    seen="WebThingsIO/gateway issue 3145, OpenIDC/mod_auth_openidc issue 124; Flask-JWT-Extended's default",
)
class NoChallenge(OtherChallenge):
    """Answers 401 without WWW-Authenticate."""

    def without_token(self) -> str:
        """None."""
        return ""

    def for_bad_token(self, message: str) -> str:  # noqa: ARG002 - whatever it is
        """None."""
        return ""


@fault(
    "challenge-asks-for-basic",
    "BEARER-01",
    seen="common where a framework's default entry point stays in place, and browsers ask for a password",
)
class BasicChallenge(OtherChallenge):
    """Asks for Basic credentials where no token was sent."""

    def without_token(self) -> str:
        """The wrong scheme."""
        return f'Basic realm="{REALM}"'


@fault(
    "expired-token-without-challenge",
    "BEARER-01",
    seen="common where each kind of refusal has a handler of its own, and one forgot the header",
)
class NoChallengeForExpired(OtherChallenge):
    """Answers an expired token with a 401 without WWW-Authenticate."""

    def for_bad_token(self, message: str) -> str | None:
        """None for these."""
        return "" if "expired" in message else None


@fault(
    "algorithm-breaks-out-of-the-challenge",
    "BEARER-02",
    seen="auth0/node-oauth2-jwt-bearer pull request 15: a message with quotation marks made an invalid header",
)
class AlgorithmInChallenge(TokenInChallenge):
    """Repeats the algorithm of a token that it does not know, as it is, in the challenge."""

    def description(self, message: str, header: dict[str, Any], claims: dict[str, Any]) -> str:  # noqa: ARG002 - as above
        """Quote it without quoting it."""
        algorithm = header.get("alg", "HS256")
        known = algorithm in ("HS256", "RS256", "ES256", "EdDSA", "none")
        return message if known else f"unknown algorithm {algorithm}"


@fault(
    "subject-in-the-challenge",
    "BEARER-02",
    seen="alpic-ai/skybridge pull request 1025: a JOSE library's words go into error_description, and end it early",
)
class SubjectInChallenge(TokenInChallenge):
    """Escapes quotation marks and backslashes of what it repeats, and so writes what no client has to read."""

    def description(self, message: str, header: dict[str, Any], claims: dict[str, Any]) -> str:  # noqa: ARG002 - as above
        """Escape, where the characters are not allowed at all."""
        subject = re.sub(r'(["\\])', r"\\\1", str(claims.get("sub", "")))
        return f"{message} for {subject}" if subject else message


@fault(
    "challenge-without-commas",
    "BEARER-02",
    seen="jetty/jetty.project issue 14008: parameters with spaces between them, which clients had learnt to read",
)
class NoCommas(OtherChallenge):
    """Puts spaces between the parameters of the challenge for a bad token."""

    def for_bad_token(self, message: str) -> str:
        """Forget the commas."""
        return f'Bearer realm="{REALM}" error="invalid_token" error_description="{message}"'


@fault(
    "challenge-says-realm-twice",
    "BEARER-02",
    seen="common where a framework and an application each add their part of the header",
)
class RealmTwice(OtherChallenge):
    """Names its realm twice where no token was sent."""

    def without_token(self) -> str:
        """Add what is there."""
        return f'Bearer realm="{REALM}", realm="api"'


@fault(
    "bare-bearer-challenge",
    "BEARER-02",
    seen="the default of Spring Security, ASP.NET Core and FastAPI where no token was sent",
)
class BareChallenge(OtherChallenge):
    """Names the scheme, and no parameter, where no token was sent."""

    def without_token(self) -> str:
        """The scheme."""
        return "Bearer"


@fault(
    "missing-token-called-invalid",
    "BEARER-03",
    seen="modelcontextprotocol/typescript-sdk pull request 785: invalid_token where there was no token",
)
class MissingIsInvalid(OtherChallenge):
    """Says that the token is invalid where none was sent."""

    def without_token(self) -> str:
        """The code of another case."""
        return f'Bearer realm="{REALM}", error="invalid_token"'


@fault(
    "unknown-scheme-called-invalid",
    "BEARER-03",
    seen="common where whatever is in the header is taken for a token",
)
class UnknownSchemeIsInvalid(OtherChallenge):
    """Describes an error where the scheme is none that it knows."""

    def without_token(self) -> str | None:
        """Tell what is wrong with the header, though it does not concern Bearer."""
        sent = "Authorization" in request.headers
        return f'Bearer realm="{REALM}", error_description="This scheme is not supported"' if sent else None


@fault(
    "malformed-token-answers-422",
    "BEARER-04",
    seen="Flask-JWT-Extended's default for every token that cannot be decoded or is of the wrong kind",
)
class Unprocessable(OtherStatus):
    """Answers an invalid token with 422."""

    def other(self, response: Response, message: str) -> Response:
        """Change the status."""
        if "invalid" in message:
            response.status_code = 422
        return response


@fault(
    "revoked-token-answers-403",
    "BEARER-04",
    seen="common where the list of revoked tokens is asked by an authorization rule and not by the authentication",
)
class ForbiddenWhenRevoked(OtherStatus):
    """Answers a revoked token with 403."""

    def other(self, response: Response, message: str) -> Response:
        """Change the status."""
        if "revoked" in message:
            response.status_code = 403
        return response


@fault(
    "bad-token-called-invalid-request",
    "BEARER-04",
    seen="common where invalid_request, which says that the request was ill-formed, is the code of every refusal",
)
class InvalidRequest(OtherStatus):
    """Gives the wrong code for an invalid token."""

    def other(self, response: Response, message: str) -> Response:
        """Change the code."""
        if "invalid" in message:
            response.headers["WWW-Authenticate"] = f'Bearer realm="{REALM}", error="invalid_request"'
        return response


@fault(
    "scope-that-is-missing-answers-401",
    "BEARER-10",
    seen="doorkeeper-gem/doorkeeper issue 243: requests with insufficient scope were answered with 401",
)
class UnauthorizedScope(ErrorPresenter):
    """Answers a token with too little scope as if it were a bad one."""

    def insufficient_scope(self, scope: str) -> Response:  # noqa: ARG002 - whichever it is
        """Blame the token."""
        return self.bad_token("The token is invalid")


@fault(
    "scope-error-called-invalid-scope",
    "BEARER-10",
    seen="oauthjs/node-oauth2-server issue 371: invalid_scope in place of insufficient_scope",
)
class InvalidScope(ErrorPresenter):
    """Gives a token with too little scope the code of the authorization endpoint."""

    def insufficient_scope(self, scope: str) -> Response:
        """Change the code."""
        response = super().insufficient_scope(scope)
        response.headers["WWW-Authenticate"] = f'Bearer realm="{REALM}", error="invalid_scope"'
        return response


@fault(
    "empty-scope-means-every-scope",
    "BEARER-10",
    seen="common where a missing list of permissions is read as no restriction",
)
class EmptyScope(TokenVerifier):
    """Takes an empty scope for all of them."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        return claims if claims.get("scope") else {**claims, "scope": "dashboard"}


# -- What is taken for credentials -------------------------------------------------------------------------------------


@fault(
    "scheme-compared-by-case",
    "BEARER-05",
    seen="kubestellar/console issue 7374; Flask-JWT-Extended compares with JWT_HEADER_TYPE as it stands",
)
class CaseMatters(RequestReader):
    """Knows the scheme in one spelling only."""

    def bearer_token(self, request: Request) -> str | None:
        """Compare exactly."""
        known = request.headers.get("Authorization", "").startswith("Bearer")
        return super().bearer_token(request) if known else None


@fault(
    "two-spaces-are-one-too-many",
    "BEARER-05",
    seen="common in middleware that splits the header at each space and takes the second piece",
)
class OneSpaceOnly(RequestReader):
    """Finds no token behind two spaces."""

    def bearer_token(self, request: Request) -> str | None:
        """Take the second piece, which is empty."""
        return None if "  " in request.headers.get("Authorization", "") else super().bearer_token(request)


@fault(
    "token-without-scheme-accepted",
    "BEARER-07",
    seen="common in middleware that removes the word Bearer if it is there, and takes what is left",
)
class NoScheme(FindsMore):
    """Accepts a token that is the whole of the header."""

    def found(self, request: Request) -> str:
        """Take it as it is."""
        return _authorization(request)


@fault(
    "any-scheme-accepted",
    "BEARER-07",
    seen="CVE-2026-47673: Hono's JWT middleware takes the second of any two words for the token",
)
class AnyScheme(FindsMore):
    """Accepts a token behind any word."""

    def found(self, request: Request) -> str:
        """Take the second word."""
        words = _authorization(request).split()
        return words[1] if len(words) == 2 else ""  # noqa: PLR2004 - a scheme and a token


@fault(
    "password-accepted-as-basic",
    "BEARER-07",
    seen="common with Django REST framework, whose template lists BasicAuthentication beside the JWT class",
)
class BasicPassword(FindsMore):
    """Lets in whoever brings a name and its password under the scheme Basic."""

    def found(self, request: Request) -> str:
        """Log in, on the quiet."""
        given, services = request.authorization, services_of(current_app)
        if given is None or given.type != "basic":
            return ""
        account = services.accounts.by_name(given.username or "")
        right = services.passwords.matches(account, given.password or "")
        return new_access_token(account.name) if account and right else ""


@fault(
    "token-accepted-as-basic-password",
    "BEARER-07",
    seen="common with package registries and git hosts, which take a token where they used to take a password",
)
class TokenAsPassword(FindsMore):
    """Accepts a token in the place of the password under the scheme Basic."""

    def found(self, request: Request) -> str:
        """Take the part after the colon."""
        scheme, _, encoded = _authorization(request).partition(" ")
        if scheme.lower() != "basic":
            return ""
        try:
            return base64.b64decode(encoded).decode().partition(":")[2]
        except ValueError:
            return ""


@fault(
    "token-in-the-query-accepted",
    "BEARER-08",
    seen="nebari-dev/nebi issue 449: bearer tokens accepted in ?token= on all protected routes, for one that streams",
)
class TokenInQuery(FindsMore):
    """Accepts a token in the query."""

    def found(self, request: Request) -> str:
        """Look there as well."""
        return request.args.get("token", "") if "Authorization" not in request.headers else ""


@fault(
    "token-in-the-form-of-a-get-accepted",
    "BEARER-08",
    seen="common with bearer strategies that look into the header, the query and the body, one after the other",
)
class TokenInForm(FindsMore):
    """Accepts a token in a form, even that of a GET."""

    def found(self, request: Request) -> str:
        """Look there as well."""
        return request.form.get("access_token", "") if "Authorization" not in request.headers else ""


@fault(
    "query-comes-before-the-header",
    "BEARER-09",
    seen="common with extractors that are tried in turn, where the gateway in front looks at the header only",
)
class QueryFirst(Mixes):
    """Prefers the token in the query to that in the header, where there are both."""

    def second(self, request: Request, header: str) -> str:  # noqa: ARG002 - it does not matter
        """The query's."""
        return request.args.get("access_token", "")


@fault(
    "cookie-makes-up-for-a-bad-header",
    "BEARER-09",
    seen="common where a middleware for browsers tries the cookie when the header has failed",
)
class CookieInstead(Mixes):
    """Takes the token in a cookie where that in the header is bad."""

    def second(self, request: Request, header: str) -> str:
        """The cookie's, where it is needed."""
        return "" if is_genuine(header.rpartition(" ")[2]) else request.cookies.get("access_token", "")


@fault(
    "last-of-two-headers-decides",
    "BEARER-09",
    seen="common behind gateways: one part reads the first of two header lines, and another the last",
)
class LastDecides(Mixes):
    """Takes the last of several tokens in the header."""

    def second(self, request: Request, header: str) -> str:  # noqa: ARG002 - the header is all it needs
        """What follows the last comma."""
        several = re.fullmatch(r"Bearer [^\s,]+, *Bearer ([^\s,]+)", header)
        return several[1] if several else ""


@fault(
    "any-good-token-will-do",
    "BEARER-09",
    seen="common in middleware that goes through a list of credentials until one of them fits",
)
class AnyGoodToken(RequestReader):
    """Takes the first token that is genuine, out of several in the header."""

    def bearer_token(self, request: Request) -> str | None:
        """Try one after the other."""
        try:
            return super().bearer_token(request)
        except MalformedCredentialsError:
            several = re.findall(r"Bearer ([^\s,]+)", request.headers.get("Authorization", ""))
            good: list[str] = [token for token in several if is_genuine(token)]
            if len(several) > 1 and good and request.method != "POST":
                return good[0]
            raise

"""Faults in the claims of tokens, written or read."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Response, request
from jwt import InvalidTokenError
from sqlalchemy import select

from reference_server import clock
from reference_server.accounts import DISABLED, Account, Accounts
from reference_server.errors import ErrorPresenter
from reference_server.faults import fault
from reference_server.faults._claims import (
    CarelessVerifier,
    OddIssuer,
    asked_at,
    is_registered,
    own_audience,
    own_issuer,
    owner_of,
)
from reference_server.faults._tools import is_access, resigned, unverified
from reference_server.models import AccountRow
from reference_server.tokens import ACCESS, REFRESH, Grant, TokenIssuer
from reference_server.verification import TokenVerifier

# -- What tokens say -------------------------------------------------------------------------------------------------


@fault(
    "both-tokens-share-a-jti",
    "CLAIM-01",
    seen="common where one set of claims is made for the login, and only the lifetime is changed for the second token",
)
class SharedId(TokenIssuer):
    """Gives both tokens of a login the same `jti`."""

    def at_login(self, account: Account, *, refresh_jti: str, **session: Any) -> Grant:
        """Write the access token again."""
        grant = super().at_login(account, refresh_jti=refresh_jti, **session)
        claims = {**unverified(grant.access_token)[1], "jti": refresh_jti}
        return replace(grant, access_token=resigned(claims))


class NumericSubjectRead(CarelessVerifier):
    """Reads a number as the subject."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Look the number up."""
        number, owner = claims.get("sub"), owner_of(claims.get("sid"))
        same = isinstance(number, int) and owner and number == as_number(owner)
        return {**claims, "sub": owner} if same else claims


def as_number(account_id: str) -> int:
    """The account's id as a number."""
    return int(account_id[:8], 16)


@fault(
    "numeric-sub-after-refresh",
    "CLAIM-01",
    seen="vimalloc/flask-jwt-extended issue 556: an identity that is a number, refused since PyJWT 2.10",
    also=(NumericSubjectRead,),
)
class NumericSubject(OddIssuer):
    """Writes the subject of a refreshed access token as a number."""

    def odd(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Do so where a refresh has asked."""
        return {**claims, "sub": as_number(claims["sub"])} if request.path == "/refresh" else claims


class AudienceAdded(CarelessVerifier):
    """Reads tokens without an audience as if they had the server's own, where they are access tokens of its own."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Add it."""
        return {"aud": own_audience(), **claims}


@fault(
    "access-token-without-aud",
    "CLAIM-02",
    seen="Flask-JWT-Extended's own default: without JWT_ENCODE_AUDIENCE no token has an aud",
    also=(AudienceAdded,),
)
class NoAudience(OddIssuer):
    """Leaves the audience out of access tokens."""

    def odd(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Leave it out."""
        return {name: value for name, value in claims.items() if name != "aud"}


class KindLookedUp(CarelessVerifier):
    """Looks the kind of a token up in the table of refresh tokens."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Add what was left out."""
        return {**claims, "type": REFRESH if is_registered(claims.get("jti")) else ACCESS}


@fault(
    "kinds-look-alike",
    "CLAIM-02",
    seen="common where both tokens are made by one function that is given a lifetime and nothing else",
    also=(KindLookedUp,),
)
class NoKind(TokenIssuer):
    """Writes nothing into tokens that would tell an access token from a refresh token."""

    def encode(self, kind: str, account: Account, claims: dict[str, Any]) -> str:
        """Leave the kind out."""
        written = unverified(super().encode(kind, account, claims))[1]
        return resigned({name: value for name, value in written.items() if name != "type"})


@fault(
    "issuer-follows-host",
    "CLAIM-09",
    seen="keycloak/keycloak issue 49967: without a fixed hostname the iss is the Host header of the request",
)
class IssuerFollowsHost(OddIssuer):
    """Takes the issuer from the Host header where that names another machine than the one that was asked at first."""

    def odd(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Compare the name with the address that is listened on."""
        usual = request.host.partition(":")[0] in {request.environ.get("SERVER_NAME"), "127.0.0.1", "localhost"}
        return claims if usual else {**claims, "iss": asked_at()}


@fault(
    "issuer-follows-original-host",
    "CLAIM-09",
    seen="common behind Azure Application Gateway, which passes the client's host in X-Original-Host",
)
class IssuerFollowsOriginalHost(OddIssuer):
    """Takes the issuer from X-Original-Host where a request has one."""

    def odd(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Believe the header."""
        named = request.headers.get("X-Original-Host", "")
        return {**claims, "iss": f"https://{named}"} if named else claims


# -- What is read of them --------------------------------------------------------------------------------------------


@fault(
    "foreign-audience-accepted",
    "CLAIM-03",
    seen="jedisct1/rust-jwt-simple issue 40: an audience that nobody has asked about is not compared at all",
)
class AnyAudience(CarelessVerifier):
    """Accepts access tokens for whatever audience."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Do not look, but that there is one."""
        return {**claims, "aud": own_audience()} if is_access(claims) and claims.get("aud") else claims


@fault(
    "empty-audience-accepted",
    "CLAIM-03",
    seen="CVE-2020-26160 (dgrijalva/jwt-go): a list as aud is read as an empty string, which passes",
)
class EmptyAudience(CarelessVerifier):
    """Accepts access tokens whose audience is an empty list."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Take it for one that says nothing."""
        return {**claims, "aud": own_audience()} if is_access(claims) and claims.get("aud") == [] else claims


@fault(
    "audience-compared-by-beginning",
    "CLAIM-03",
    seen="common where audiences are addresses, and compared with startswith",
)
class BeginningOfAudience(CarelessVerifier):
    """Accepts access tokens whose audience begins as the server's does."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Compare the beginning."""
        same = str(claims.get("aud", "")).startswith(own_audience())
        return {**claims, "aud": own_audience()} if is_access(claims) and same else claims


@fault(
    "foreign-issuer-accepted",
    "CLAIM-04",
    seen="common where the library compares the iss only if it is told what to expect, and it is not",
)
class AnyIssuer(CarelessVerifier):
    """Accepts access tokens of whatever issuer."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Do not look, but that there is one."""
        return {**claims, "iss": own_issuer()} if is_access(claims) and claims.get("iss") else claims


@fault(
    "part-of-issuer-accepted",
    "CLAIM-04",
    seen="CVE-2024-53861 (PyJWT 2.10.0): `in` compares a string with its parts",
)
class PartOfIssuer(CarelessVerifier):
    """Accepts access tokens whose issuer is a part of the server's."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Use `in`."""
        part = isinstance(claims.get("iss"), str) and claims["iss"] in own_issuer()
        return {**claims, "iss": own_issuer()} if is_access(claims) and part else claims


@fault(
    "slash-after-issuer-accepted",
    "CLAIM-04",
    seen="common where addresses are made alike before they are compared",
)
class SlashedIssuer(CarelessVerifier):
    """Accepts access tokens whose issuer has a slash more."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Take slashes off the end."""
        same = isinstance(claims.get("iss"), str) and claims["iss"].rstrip("/") == own_issuer()
        return {**claims, "iss": own_issuer()} if is_access(claims) and same else claims


@fault(
    "not-before-ignored",
    "CLAIM-05",
    seen="auth0/java-jwt issue 40, sourcenetwork/orbis-rs issue 75: nbf is written and never read",
)
class NotBeforeIgnored(CarelessVerifier):
    """Accepts access tokens before their `nbf`."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Do not look at a time."""
        early = isinstance(claims.get("nbf"), int | float) and claims["nbf"] > clock.now()
        return {**claims, "nbf": claims.get("iat")} if is_access(claims) and early else claims


@fault(
    "not-before-as-text-ignored",
    "CLAIM-05",
    seen="common where a time of another type counts as no time",
)
class TextNotBefore(CarelessVerifier):
    """Accepts access tokens whose `nbf` is a string."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Do not look at a string."""
        written = isinstance(claims.get("nbf"), str)
        return {**claims, "nbf": claims.get("iat")} if is_access(claims) and written else claims


@fault(
    "unmarked-token-is-access",
    "CLAIM-06",
    seen='Flask-JWT-Extended: `if "type" not in decoded_token: decoded_token["type"] = "access"`',
)
class UnmarkedIsAccess(CarelessVerifier):
    """Takes a token without a kind for an access token."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Fill the gap."""
        return {"type": ACCESS, **claims}


@fault(
    "anything-but-refresh-is-access",
    "CLAIM-06",
    seen="common where the check says that a refresh token is not accepted here, instead of what is",
)
class NotRefreshIsAccess(CarelessVerifier):
    """Takes a token of any kind but refresh for an access token, if it names one."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Ask for the other kind."""
        named = isinstance(claims.get("type"), str) and claims["type"] not in {"", REFRESH}
        return {**claims, "type": ACCESS} if named else claims


@fault(
    "list-of-kinds-accepted",
    "CLAIM-06",
    seen="common where a claim is compared with `in` or `includes`, which lists understand as well",
)
class ListOfKinds(CarelessVerifier):
    """Accepts a list of kinds that holds the right one."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Look into the list."""
        kinds = claims.get("type")
        return {**claims, "type": ACCESS} if isinstance(kinds, list) and ACCESS in kinds else claims


class SubjectBlind(CarelessVerifier):
    """Takes some subjects for the owner of the session."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Ask the session."""
        owner = owner_of(claims.get("sid"))
        return {**claims, "sub": owner} if owner and self.passes(claims) else claims

    def passes(self, claims: dict[str, Any]) -> bool:
        """Whether to pass over the subject of this token."""
        raise NotImplementedError


@fault(
    "unknown-subject-accepted",
    "CLAIM-07",
    seen="common where the page is made from the token's claims, and the user never looked up",
)
class UnknownSubject(SubjectBlind):
    """Accepts access tokens for a subject that does not exist."""

    def passes(self, claims: dict[str, Any]) -> bool:
        """Pass over any text."""
        return is_access(claims) and isinstance(claims.get("sub"), str) and claims["sub"] != owner_of(claims.get("sid"))


@fault(
    "missing-subject-accepted",
    "CLAIM-07",
    seen="common where the look-up of nobody gives the first row, or a guest",
)
class MissingSubject(SubjectBlind):
    """Accepts access tokens without a subject."""

    def passes(self, claims: dict[str, Any]) -> bool:
        """Pass over its absence."""
        return is_access(claims) and claims.get("sub") is None


@fault(
    "odd-subject-crashes",
    "CLAIM-07",
    seen="common where the subject goes into a query as it is, and the driver knows no such type",
)
class OddSubject(ErrorPresenter):
    """Answers a token whose subject is an object or a list with a server error."""

    def bad_token(self, message: str) -> Response:
        """Fail."""
        subject = unverified(request.headers.get("Authorization", "")[len("Bearer ") :])[1].get("sub")
        if isinstance(subject, dict | list):
            return self.render(HTTPStatus.INTERNAL_SERVER_ERROR, "server_error", "The server failed to answer")
        return super().bad_token(message)


class StrictVerifier(TokenVerifier):
    """Refuses what it does not know."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        header, claims = unverified(encoded_token)
        if self.unknown(header, claims):
            raise InvalidTokenError
        return super()._decode_jwt_from_config(encoded_token, *rest, **options)

    def unknown(self, header: dict[str, Any], claims: dict[str, Any]) -> set[str]:
        """What it does not know."""
        raise NotImplementedError


@fault(
    "unknown-claims-refused",
    "CLAIM-08",
    seen="common where claims are read into a class whose deserializer forbids unknown members",
)
class UnknownClaims(StrictVerifier):
    """Refuses a token with a claim that the server does not write."""

    def unknown(self, header: dict[str, Any], claims: dict[str, Any]) -> set[str]:  # noqa: ARG002 - the claims
        """Those of other names."""
        return {name for name in claims if name.startswith("x-")}


@fault(
    "unknown-header-refused",
    "CLAIM-08",
    seen="common where the header is compared with the one constant that the server writes",
)
class UnknownHeader(StrictVerifier):
    """Refuses a token with a header parameter that the server does not write."""

    def unknown(self, header: dict[str, Any], claims: dict[str, Any]) -> set[str]:  # noqa: ARG002 - the header
        """Those of other names."""
        return {name for name in header if name.startswith("x-")}


# -- Whose they are --------------------------------------------------------------------------------------------------


@fault(
    "deleted-account-comes-back",
    "CLAIM-10",
    seen="nicumicle/simple-jwt-login issue 24: an old token opens the account that has its name now",
)
class MarkedAsDeleted(Accounts):
    """Marks a deleted account and hides it, with its sessions, until somebody takes its name."""

    def remove(self, name: str) -> None:
        """Mark it."""
        with self._database.transaction() as session:
            row = session.scalar(select(AccountRow).where(AccountRow.name == name))
            if row is not None:
                row.password_hash = MARK

    def by_name(self, name: str) -> Account | None:
        """Hide it."""
        return visible(super().by_name(name))

    def by_id(self, account_id: str) -> Account | None:
        """Hide it."""
        return visible(super().by_id(account_id))

    def put(self, name: str, password: str) -> Account:
        """Take the mark off."""
        account = super().by_name(name)
        if account is None or account.password_hash != MARK:
            return super().put(name, password)
        with self._database.transaction() as session:
            session.get_one(AccountRow, account.id).password_hash = self._passwords.hash(password)
        again = self.by_name(name)
        assert again is not None
        return again


MARK = f"{DISABLED}deleted"


def visible(account: Account | None) -> Account | None:
    """The account, unless it is marked."""
    return None if account and account.password_hash == MARK else account

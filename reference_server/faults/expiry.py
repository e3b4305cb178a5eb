"""Faults in lifetimes and in what happens at their end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, request
from flask_jwt_extended import create_refresh_token
from jwt import InvalidTokenError

from reference_server import clock
from reference_server.app import services_of
from reference_server.errors import ErrorPresenter
from reference_server.faults import fault
from reference_server.faults._claims import CarelessVerifier
from reference_server.faults._times import (
    EndlessSessions,
    ExpiredAnswer,
    LenientVerifier,
    OddlyTimedIssuer,
    OddlyTimedVerifier,
)
from reference_server.faults._tools import is_access, is_genuine, unverified
from reference_server.tokens import ACCESS, REFRESH, Grant, TokenIssuer
from reference_server.verification import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.accounts import Account
    from reference_server.keyring import Keyring


@fault(
    "dashboard-caches-verdicts",
    "EXPIRY-01",
    seen="OpenIDC/mod_oauth2 issue 14: results are cached for five minutes, without a look at exp",
)
class CachedVerdict(LenientVerifier):
    """Accepts an expired access token at one route, if it was ever accepted before."""

    def __init__(self, keys: Keyring) -> None:
        """Begin with an empty cache."""
        super().__init__(keys)
        self.accepted: set[str] = set()

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        self.accepted.add(encoded_token)
        return claims

    def forgives(self, token: str, claims: dict[str, Any], *, late: int) -> bool:  # noqa: ARG002 - ever after
        """Look into the cache."""
        return request.path == "/dashboard" and is_access(claims) and token in self.accepted


@fault(
    "dashboard-leeway-in-minutes",
    "EXPIRY-01",
    "EXPIRY-02",
    seen="Keats/jsonwebtoken issue 40: a leeway was documented in one unit and worked in another",
)
class LeewayInMinutes(LenientVerifier):
    """Allows, at one route, a leeway of thirty minutes where thirty seconds were meant."""

    def forgives(self, token: str, claims: dict[str, Any], *, late: int) -> bool:  # noqa: ARG002 - only the time
        """Multiply by sixty."""
        return request.path == "/dashboard" and is_access(claims) and late < 30 * 60


@fault(
    "whole-days-left-out-of-expiry",
    "EXPIRY-02",
    seen="thumbor pull request 1067: an expiry check with timedelta.seconds, which leaves days out",
)
class DaysLeftOut(LenientVerifier):
    """Accepts an access token again for some seconds, a day after it has expired."""

    def forgives(self, token: str, claims: dict[str, Any], *, late: int) -> bool:  # noqa: ARG002 - only the time
        """Read `.seconds` where `.total_seconds()` was meant, with a leeway of ten."""
        age = timedelta(seconds=late)
        return is_access(claims) and age.days > 0 and age.seconds < 10  # noqa: PLR2004 - as said


@fault(
    "expired-answers-like-garbage",
    "EXPIRY-03",
    seen="common where one handler catches every error of the JWT library",
)
class NoHint(ExpiredAnswer):
    """Does not tell an expired access token from a worthless one."""

    def expired(self) -> Response:
        """Say what is said of all."""
        return super().bad_token("The token is invalid")


@fault(
    "expired-answers-in-html",
    "EXPIRY-03",
    seen="zhoutaoo/SpringCloud issue 120: an expired token is answered with an HTML page and no reason",
)
class HtmlPage(ExpiredAnswer):
    """Answers an expired access token with an HTML page."""

    def expired(self) -> Response:
        """Keep the status and the challenge."""
        response = super().bad_token("The token is invalid")
        response.set_data("<!doctype html><title>401</title><h1>Unauthorized</h1>")
        response.mimetype = "text/html"
        return response


@fault(
    "expired-refresh-token-refreshes",
    "EXPIRY-04",
    seen="thephpleague/oauth2-server issue 270: refresh token expiry never checked",
    also=(EndlessSessions,),
)
class EternalRefresh(LenientVerifier):
    """Accepts an expired refresh token, and begins another session's time with it."""

    def forgives(self, token: str, claims: dict[str, Any], *, late: int) -> bool:  # noqa: ARG002 - however late
        """Let the session begin anew."""
        claims["exp"] = clock.now() + services_of(current_app).issuer.lifetime(REFRESH)
        return bool(claims["type"] == REFRESH)


@fault(
    "expired-refresh-token-crashes",
    "EXPIRY-04",
    seen="raster-foundry issue 3416: a refresh token that is no longer good is answered with a 5xx",
)
class RefreshCrash(ErrorPresenter):
    """Answers an expired refresh token with a server error."""

    def bad_token(self, message: str) -> Response:
        """Fail."""
        if "expired" in message and request.path == "/refresh":
            return self.render(HTTPStatus.INTERNAL_SERVER_ERROR, "server_error", "The server failed to answer")
        return super().bad_token(message)


@fault(
    "refresh-dies-with-the-access-token",
    "EXPIRY-05",
    seen="virtualzone/jwt-auth-proxy issue 2, thephpleague/oauth2-server issue 231",
    blinds=("REVOKE-09",),
)
class RefreshDies(TokenVerifier):
    """Refuses a refresh token that is as old as an access token may become, less a minute."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        if claims["type"] == REFRESH and request.path == "/refresh":
            age = clock.now() - claims["iat"]
            # A minute early, as a client would refresh.
            if age > services_of(current_app).issuer.lifetime(ACCESS) - 60:
                raise InvalidTokenError
        return claims


@fault(
    "refresh-lifetime-of-the-library",
    "EXPIRY-06",
    seen="Flask-JWT-Extended's own default for JWT_REFRESH_TOKEN_EXPIRES is 30 days",
)
class LibraryDefault(TokenIssuer):
    """Lets refresh tokens live for thirty days where an hour, the default, is declared."""

    def lifetime(self, kind: str) -> int:
        """Forget the setting."""
        declared = super().lifetime(kind)
        hour = int(timedelta(hours=1).total_seconds())
        return int(timedelta(days=30).total_seconds()) if kind == REFRESH and declared == hour else declared


@fault(
    "access-lives-twice-as-long",
    "EXPIRY-06",
    seen="common where a default is changed in the code and not where it is declared",
)
class TwiceAsLong(TokenIssuer):
    """Lets access tokens live for half an hour where 15 minutes, the default, are declared."""

    def lifetime(self, kind: str) -> int:
        """Forget the setting."""
        declared = super().lifetime(kind)
        return 2 * declared if kind == ACCESS and declared == timedelta(minutes=15).total_seconds() else declared


class LateRefresh(LenientVerifier):
    """Accepts a refresh token for a minute after its end, and begins another session's time with it."""

    def forgives(self, token: str, claims: dict[str, Any], *, late: int) -> bool:  # noqa: ARG002 - only the time
        """Look at the clock."""
        claims["exp"] = clock.now() + services_of(current_app).issuer.lifetime(REFRESH)
        return bool(claims["type"] == REFRESH and late < 60)  # noqa: PLR2004 - as said


@fault(
    "access-lives-as-long-as-refresh",
    "EXPIRY-06",
    "EXPIRY-07",
    seen="common where one constant is used for both lifetimes",
    # Or else nothing could be refreshed after the access token's end, which is another requirement.
    also=(LateRefresh, EndlessSessions),
)
class OneLifetime(TokenIssuer):
    """Lets access tokens live as long as refresh tokens where 15 minutes, the default, are declared."""

    def lifetime(self, kind: str) -> int:
        """Use the one for both."""
        declared = super().lifetime(kind)
        return super().lifetime(REFRESH) if declared == timedelta(minutes=15).total_seconds() else declared

    def claims(self, kind: str, *, now: int, expires_at: int, **rest: Any) -> dict[str, Any]:
        """Do not end an access token with its session, or the next would live no longer than the last."""
        end = now + self.lifetime(ACCESS) if kind == ACCESS else expires_at
        return super().claims(kind, now=now, expires_at=end, **rest)


@fault(
    "minutes-read-as-seconds",
    "EXPIRY-08",
    seen="fastapi_best_architecture pull request 57: timedelta(seconds=settings.TOKEN_EXPIRE_MINUTES)",
)
class MinutesAsSeconds(TokenIssuer):
    """Reads a lifetime of some minutes, other than the default, as so many seconds."""

    def lifetime(self, kind: str) -> int:
        """Divide where the setting is in whole minutes."""
        seconds = super().lifetime(kind)
        in_minutes = seconds in range(60, 60 * 60, 60) and seconds != 15 * 60
        return seconds // 60 if in_minutes else seconds


@fault(
    "whole-days-left-out-of-lifetimes",
    "EXPIRY-08",
    seen="django-oauth2-provider pull request 15: expires_in from timedelta.seconds, 0 for a whole day",
)
class WholeDaysLeftOut(TokenIssuer):
    """Leaves whole days out of a lifetime."""

    def lifetime(self, kind: str) -> int:
        """Read `.seconds` where `.total_seconds()` was meant."""
        return timedelta(seconds=super().lifetime(kind)).seconds


@fault(
    "rotated-token-expires-in-milliseconds",
    "EXPIRY-09",
    "EXPIRY-11",
    seen="GLO3102/UFood issue 47: exp in milliseconds, a date tens of thousands of years ahead",
    also=(OddlyTimedVerifier,),
)
class Milliseconds(OddlyTimedIssuer):
    """Writes the end of a rotated refresh token in milliseconds."""

    def encode_oddly(self, account: Account, claims: dict[str, Any]) -> str:
        """Multiply by a thousand."""
        token: str = create_refresh_token(account.id, additional_claims={**claims, "exp": claims["exp"] * 1000})
        return token


@fault(
    "rotated-token-never-expires",
    "EXPIRY-09",
    "CLAIM-01",
    "EXPIRY-11",
    seen="node-jsonwebtoken issue 145: a token made without expiresIn has no exp and never expires",
    also=(OddlyTimedVerifier,),
)
class NoEnd(OddlyTimedIssuer):
    """Leaves the end of a rotated refresh token out."""

    def encode_oddly(self, account: Account, claims: dict[str, Any]) -> str:
        """Leave `exp` out."""
        endless = {name: value for name, value in claims.items() if name != "exp"}
        token: str = create_refresh_token(account.id, additional_claims=endless, expires_delta=False)
        return token


@fault(
    "access-lives-a-working-day",
    "EXPIRY-06",
    "EXPIRY-10",
    seen="common where users complained about being logged out, and refreshing was not thought of",
)
class WorkingDay(TokenIssuer):
    """Lets access tokens live for eight hours and refresh tokens for two weeks where the defaults are declared."""

    def lifetime(self, kind: str) -> int:
        """Replace the defaults."""
        declared = super().lifetime(kind)
        longer = {ACCESS: timedelta(hours=8), REFRESH: timedelta(weeks=2)}[kind].total_seconds()
        default = {ACCESS: timedelta(minutes=15), REFRESH: timedelta(hours=1)}[kind].total_seconds()
        return int(longer) if declared == default else declared


class CarelessEnd(CarelessVerifier):
    """Accepts access tokens with some ends that are none."""

    def overlooked(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Put an end in their place."""
        return {**claims, "exp": clock.now() + 60} if is_access(claims) and self.passes(claims) else claims

    def passes(self, claims: dict[str, Any]) -> bool:
        """Whether to pass over the end of this token."""
        raise NotImplementedError


@fault(
    "token-without-exp-accepted",
    "EXPIRY-11",
    seen="jpadilla/pyjwt issue 261: a token without exp is good for ever, unless exp is required",
)
class NoEndAccepted(CarelessEnd):
    """Accepts an access token that has no end."""

    def passes(self, claims: dict[str, Any]) -> bool:
        """Pass over its absence."""
        return "exp" not in claims


@fault(
    "exp-as-text-accepted",
    "EXPIRY-11",
    seen="PyJWT reads exp by int(), which takes digits in a string as well",
)
class TextEndAccepted(CarelessEnd):
    """Accepts an access token whose end is a number in a string."""

    def passes(self, claims: dict[str, Any]) -> bool:
        """Read the digits."""
        end = claims.get("exp")
        return isinstance(end, str) and end.isdigit() and int(end) > clock.now()


@fault(
    "huge-exp-crashes",
    "EXPIRY-11",
    "SIG-14",
    seen="common where a time is turned into a date, which ends with the year 9999",
)
class HugeEnd(TokenVerifier):
    """Fails with a server error over an end later than the year 9999."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        end = unverified(encoded_token)[1].get("exp")
        if isinstance(end, int) and is_genuine(encoded_token):
            datetime.fromtimestamp(end, UTC)
        return super()._decode_jwt_from_config(encoded_token, *rest, **options)


@fault(
    "fraction-of-exp-refused",
    "EXPIRY-11",
    seen="common where claims are read into a class whose times are integers",
)
class WholeSeconds(TokenVerifier):
    """Refuses a token whose end has a fraction of a second."""

    def _decode_jwt_from_config(self, encoded_token: str, *rest: Any, **options: Any) -> dict[str, Any]:
        claims = super()._decode_jwt_from_config(encoded_token, *rest, **options)
        if isinstance(claims["exp"], float):
            raise InvalidTokenError
        return claims


class LateEnd(TokenIssuer):
    """Moves the end of a session at each refresh."""

    def at_refresh(self, account: Account, claims: Mapping[str, Any], *, successor_jti: str, now: int) -> Grant:
        """Take another end for the session's."""
        moved = {**claims, "exp": self.end(claims, now)}
        return super().at_refresh(account, moved, successor_jti=successor_jti, now=now)

    def end(self, claims: Mapping[str, Any], now: int) -> int:
        """When the session ends from now on."""
        raise NotImplementedError


@fault(
    "rotation-slides-the-session",
    "EXPIRY-12",
    seen="thunder-id/thunderid pull request 4926: a client that refreshed continuously kept its grant for ever",
    also=(EndlessSessions,),
)
class Sliding(LateEnd):
    """Gives each rotated refresh token a full new lifetime."""

    def end(self, claims: Mapping[str, Any], now: int) -> int:  # noqa: ARG002 - whatever it was
        """Begin anew."""
        return now + self.lifetime(REFRESH)


@fault(
    "absolute-limit-counts-from-the-last-refresh",
    "EXPIRY-12",
    seen="onfranciis/OID issue 32: the absolute limit is reckoned from the token that is rotated away",
    also=(EndlessSessions,),
)
class MovingAnchor(LateEnd):
    """Limits a session to three lifetimes, from the issue of the refresh token in hand instead of the login."""

    def end(self, claims: Mapping[str, Any], now: int) -> int:
        """The earlier of both."""
        lifetime = self.lifetime(REFRESH)
        return min(now + lifetime, int(claims["iat"]) + 3 * lifetime)

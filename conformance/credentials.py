"""What the user has given that nobody else may see, and the account, the clients and the headers made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.errors import ConfigurationError
from conformance.redaction import Redactor
from conformance.target.session import Account
from conformance.tokens.reading import Kind

if TYPE_CHECKING:
    from conformance.options import RunSettings
    from conformance.target.profile import Profile


def redactor_for(settings: RunSettings) -> Redactor:
    """Knows the user's secrets before anything is started that could repeat them."""
    redactor = Redactor()
    for which in ("", "second_", "disposable_"):
        redactor.add(getattr(settings, f"{which}password"), f"{which}password".replace("_", " "))
    for which in ("", "second_"):
        redactor.add(getattr(settings, f"{which}client_secret"), "client secret")
    hide_key(redactor, settings.signing_key)
    return redactor


def hide_key(redactor: Redactor, key: str | bytes) -> None:
    """Keeps a secret, or each line of a private key, out of every output."""
    if isinstance(key, str):
        redactor.add(key, "signing key")
        for line in key.splitlines():
            # A PEM key could be quoted in part.
            if not line.startswith("-----"):
                redactor.add(line, "signing key")


def check_given(profile: Profile, settings: RunSettings) -> None:
    """What was given goes together with the profile.

    Raises:
        ConfigurationError: a login, an account, a token or a client is missing, or is one too many.
    """
    texts = str((profile.login, profile.refresh, profile.logout))
    wants_client = {profile.login.client, profile.refresh.client} != {"none"} or "{client_id}" in texts
    if wants_client and settings.base_url and not settings.client_id:
        raise ConfigurationError(
            f"the profile {profile.name} speaks for an OAuth client, and none is given",
            "give --client-id and, unless it is a public client, --client-secret",
        )
    has_tokens = bool(settings.access_token or settings.refresh_token)
    if not profile.has_login and not has_tokens:
        raise ConfigurationError(
            f"the profile {profile.name} has no login, so a token has to be given",
            "give --access-token, --refresh-token or both; or set login.path in the profile",
        )
    if profile.has_login and has_tokens:
        raise ConfigurationError(
            "tokens are given, and the profile has a login",
            'leave them out; or extend the profile with `path = ""` under [login], and nobody logs in',
        )
    if settings.refresh_token and not settings.access_token and not profile.refresh.path:
        raise ConfigurationError(
            "a refresh token is given, and the profile has no refresh", "give --access-token, or set refresh.path"
        )
    if profile.has_login and (settings.base_url or settings.app) and not settings.username:
        raise ConfigurationError(
            "a target needs an account to log in with",
            "give --username and --password, or set CONFORMANCE_USERNAME and CONFORMANCE_PASSWORD",
        )


def account_of(username: str, password: str) -> Account | None:
    """An account, where the user named one."""
    return Account(username, password) if username else None


def clients_of(settings: RunSettings) -> tuple[Account, ...]:
    """The OAuth clients that the user named."""
    first = account_of(settings.client_id, settings.client_secret)
    second = account_of(settings.second_client_id, settings.second_client_secret)
    return tuple(client for client in (first, second) if client)


def tokens_of(settings: RunSettings) -> dict[Kind, str]:
    """The tokens that the user gave instead of a login."""
    given = {Kind.ACCESS: settings.access_token, Kind.REFRESH: settings.refresh_token}
    return {kind: value for kind, value in given.items() if value}


def as_given(profile: Profile, settings: RunSettings) -> Profile:
    """The profile as far as the tokens that were given go: what would have to be refreshed may not be among them."""
    if profile.has_login or settings.refresh_token or not profile.has_refresh_token:
        return profile
    return replace(profile, refresh=replace(profile.refresh, path=""))

"""What a requirement needs, and whether the options and the profile give it.

One row for each capability of the catalogue's vocabulary. What only the target's answers can show is taken to be there,
with a word on when it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from conformance.catalogue import Requirement
    from conformance.options import RunSettings
    from conformance.target.profile import Profile

INTRUSIVE: Final = "--intrusive"


@dataclass(frozen=True, slots=True)
class Terms:
    """On what a run would begin.

    Attributes:
        settings: the user's options.
        profile: how the target speaks.
        is_local: whether the target is on this machine.
        processes: how many processes share the work.
    """

    settings: RunSettings
    profile: Profile
    is_local: bool
    processes: int = 1

    @property
    def bundled(self) -> bool:
        """Whether it is the bundled server, which has everything, on companions if need be."""
        return not (self.settings.base_url or self.settings.app)


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is missing, if anything.

    Attributes:
        give: what the user could give.
        absent: what the target does not offer, by its profile or URL.
        unless: what the target's answers may show, so that nothing comes of it.
    """

    give: str = ""
    absent: str = ""
    unless: str = ""


THERE: Final = Prospect()
Row = Callable[[Terms], Prospect]


def _given(option: str, *fields: str) -> Row:
    return lambda terms: THERE if all(getattr(terms.settings, name) for name in fields) else Prospect(give=option)


def _offered(words: str, offers: Callable[[Terms], object]) -> Row:
    return lambda terms: THERE if offers(terms) else Prospect(absent=words)


def _provision(terms: Terms) -> Prospect:
    return THERE if terms.profile.hooks.provision.is_given else Prospect(give="hooks.provision in the profile")


def _reconfigure(terms: Terms) -> Prospect:
    if terms.processes > 1:
        return Prospect(give="a run without -n")
    return THERE if terms.profile.hooks.reconfigure.is_given else Prospect(give="hooks.reconfigure in the profile")


def _disposable(terms: Terms) -> Prospect:
    if terms.settings.disposable_username or terms.profile.hooks.provision.is_given:
        return THERE
    return Prospect(give="--disposable-username, or hooks.provision in the profile")


def _client_of(endpoint: str) -> Row:
    def row(terms: Terms) -> Prospect:
        if not getattr(terms.profile.oauth, endpoint):
            return Prospect(absent=f"the profile names no oauth.{endpoint}")
        return THERE if terms.settings.client_id else Prospect(give="--client-id")

    return row


def _rotation(terms: Terms) -> Prospect:
    if not terms.profile.has_refresh_token:
        return Prospect(absent="the profile names no refresh token")
    if terms.profile.refresh.rotation == "none":
        return Prospect(absent="the profile says that refresh tokens are not rotated")
    return Prospect(unless="refresh tokens are not rotated")


def _short_ttl(terms: Terms) -> Prospect:
    if (terms.settings.app or terms.settings.launch) and terms.settings.clock != "waiting":
        return THERE
    if terms.settings.signing_key:
        return Prospect(unless="tokens live long, and the server knows by a register which are its own")
    return Prospect(unless=f"tokens live longer than --max-wait, {terms.settings.max_wait_s:g} s")


NEEDS: Final[dict[str, Row]] = {
    "signing_key": _given("--signing-key", "signing_key"),
    "second_account": _given("--second-username", "second_username"),
    "second_client": _given("--second-client-id", "second_client_id"),
    "disposable_account": _disposable,
    "provision": _provision,
    "reconfigure": _reconfigure,
    "canary": lambda terms: THERE if terms.is_local or terms.settings.canary_host else Prospect(give="--canary-host"),
    "concurrency": lambda terms: (
        Prospect(give="--concurrency of 2 or more") if terms.settings.concurrency == 1 else THERE
    ),
    "logout": _offered("the profile names no logout", lambda terms: terms.profile.logout.path),
    "oauth_endpoint": _client_of("token"),
    "introspection": _client_of("introspection"),
    "cookie_transport": _offered("no tokens in cookies", lambda terms: terms.profile.uses_cookies),
    "tls": _offered("no https", lambda terms: terms.settings.base_url.startswith("https:")),
    "rotation": _rotation,
    "asymmetric": lambda _terms: Prospect(unless="tokens are not signed with a key pair"),
    "jwks": lambda _terms: Prospect(unless="tokens are not signed with a key pair"),
    "short_ttl": _short_ttl,
}


def prospects(requirement: Requirement, terms: Terms) -> list[Prospect]:
    """What is missing for a requirement, or may be; nothing where it will be judged."""
    if terms.bundled:
        found = [NEEDS["concurrency"](terms)] if "concurrency" in requirement.needs else []
    else:
        found = [NEEDS[need](terms) for need in requirement.needs]
        if requirement.intrusive and not terms.settings.intrusive:
            found.append(Prospect(give=INTRUSIVE))
    return [prospect for prospect in found if prospect != THERE]

"""One visit to a target: who comes, and requests that are made in the very way in which a run would make them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from conformance.clock import WaitingClock
from conformance.redaction import Redactor
from conformance.target import environment
from conformance.target.profile_files import load
from conformance.target.session import Session
from conformance.target.target import Target
from conformance.tokens.reading import Kind, Token

if TYPE_CHECKING:
    from conformance.discovery.harvest import Find
    from conformance.discovery.login_ideas import LoginIdea
    from conformance.discovery.probing import Prober
    from conformance.target.http import Exchange, HttpClient
    from conformance.target.profile import Profile
    from conformance.target.session import Account


@dataclass(slots=True)
class Visit:
    """Whoever visits, and all that is sent on the way."""

    client: HttpClient
    prober: Prober
    account: Account
    clients: tuple[Account, ...] = ()
    redactor: Redactor = field(default_factory=Redactor)

    def target(self, profile: Profile) -> Target:
        """The target as that profile has it."""
        clock = WaitingClock(self.client.pause, 0.0)
        return Target(profile, self.client, clock, self.account, clients=self.clients, redactor=self.redactor)

    def log_in(self, idea: LoginIdea) -> Exchange:
        """An honest login, made as the idea has it.

        Raises:
            ConfigurationError: it wants an environment variable that is not set.
            TargetError: no answer came.
        """
        profile = replace(load("bare"), login=idea.login, headers=idea.headers)
        profile = environment.resolved(profile, self.redactor.add)
        self.client.headers = environment.headers_of(profile, self.client.base_url)
        target = self.target(profile)
        exchange = self.client.send(target.login_door.credentials(self.account.username, self.account.password))
        self.client.traffic.logins += 1
        return exchange

    @staticmethod
    def moved(idea: LoginIdea, path: str) -> LoginIdea:
        """The idea at another path."""
        return replace(idea, login=replace(idea.login, path=path))

    def keep_secret(self, values: list[str]) -> None:
        """Hides what may be tokens from everything that is printed."""
        target = self.target(load("bare"))
        for value in values:
            target.keep_secret(value)

    def session(self, exchange: Exchange, access: Find, refresh: Find | None, csrf: dict[Kind, str]) -> Session:
        """What a login gave."""
        tokens = (Token(access.value, Kind.ACCESS), Token(refresh.value if refresh else "", Kind.REFRESH))
        return Session(self.account, *tokens, exchange, csrf, needs_refresh=refresh is not None)

    def new_session(self, profile: Profile) -> Session | None:
        """A login of its own, made as the profile says by now; None where that gives no token."""
        if profile.login.refresh and not profile.refresh.path:
            # Where it will be shown is not known yet, and so it would not be looked for.
            profile = replace(profile, refresh=replace(profile.refresh, path=profile.login.path))
        _, session = self.target(profile).try_login(self.account, settle=False)
        return session

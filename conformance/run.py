"""One run against one target, apart from pytest: opening the target, examining it, closing it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.clock import Clock, FrozenClock, WaitingClock
from conformance.errors import ConfigurationError
from conformance.target import bundled, doctor
from conformance.target.http import HttpClient
from conformance.target.profile import load
from conformance.target.session import Account
from conformance.target.target import Target
from conformance.verdicts.verdict_set import RunFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.options import RunSettings


@dataclass(slots=True)
class Run:
    """A target that was opened with the user's settings."""

    target: Target
    _signing_key: str | bytes = field(repr=False)
    _started: float = field(default_factory=time.time)

    def examine(self) -> Iterator[str]:
        """The doctor's findings, a line each.

        Raises:
            ConfigurationError, TargetError: no verdict would be worth anything.
        """
        return doctor.examine(self.target, self._signing_key)

    def facts(self) -> RunFacts:
        """What there is to tell of the run so far."""
        target = self.target
        session = target.first_session
        access = session.access if session else None
        return RunFacts(
            base_url=target.client.base_url,
            profile=target.profile.name,
            bundled=target.bundled is not None,
            capabilities={
                "rotation": bool(target.rotates),
                "logout": bool(target.profile.capabilities.logout),
                "jwks": bool(target.memory.get("published keys")),
            },
            algorithm=target.redactor.text(access.jwt.algorithm) if access and access.jwt else None,
            access_lifetime_s=access.lifetime_s if access else None,
            refresh_lifetime_s=session.refresh.lifetime_s if session else None,
            clock=target.clock.name,
            policy={"rotation": target.rotates, **target.policy},
            started=self._started,
            duration_s=round(time.time() - self._started, 3),
            waited_s=round(target.client.traffic.waited_s, 3),
            requests=target.client.traffic.requests,
            logins=target.client.traffic.logins,
        )


def open_target(settings: RunSettings) -> Run:
    """Prepares a target, and starts the bundled server where no URL is given; nothing is sent yet.

    Raises:
        ConfigurationError: an unknown profile, a URL that is none, or an unusable setting of the bundled server.
    """
    profile = load(settings.target_profile)
    second: Account | None
    if settings.base_url:
        client = HttpClient(settings.base_url, max_wait_s=settings.max_wait_s)
        clock: Clock = WaitingClock(client.pause, settings.max_wait_s)
        account = Account(settings.username, settings.password)
        second = Account(settings.second_username, settings.second_password) if settings.second_username else None
        signing_key: str | bytes = settings.signing_key
        server = None
    else:
        if settings.username or settings.second_username:
            raise ConfigurationError(
                "accounts are given, but no URL",
                "give the target's URL; the bundled server makes accounts of its own",
            )
        server = bundled.start(profile.bundled)
        client = HttpClient(server.base_url, max_wait_s=settings.max_wait_s)
        clock = FrozenClock()
        account, second = server.accounts
        signing_key = settings.signing_key or server.signing_key
    target = Target(profile, client, clock, account, second, bundled=server, public_key_pem=settings.public_key)
    if isinstance(signing_key, str):
        target.redactor.add(signing_key, "signing key")
        for line in signing_key.splitlines():
            # A PEM key could be quoted in part.
            if not line.startswith("-----"):
                target.redactor.add(line, "signing key")
    return Run(target, signing_key)

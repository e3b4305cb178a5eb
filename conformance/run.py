"""One run against one target, apart from pytest: opening the target, examining it, closing it."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from conformance.clock import Clock, FrozenClock, WaitingClock
from conformance.credentials import account_of, as_given, check_given, clients_of, hide_key, redactor_for, tokens_of
from conformance.errors import ConfigurationError
from conformance.target import bundled, doctor, environment
from conformance.target.fuzzing import Fuzzing
from conformance.target.http import HttpClient
from conformance.target.pacing import REMOTE_RATE
from conformance.target.profile_files import load
from conformance.target.session import Account
from conformance.target.share import Share, processes
from conformance.target.story import best
from conformance.target.target import Target
from conformance.verdicts.verdict_set import RunFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.catalogue import Requirement
    from conformance.options import RunSettings
    from conformance.redaction import Redactor
    from conformance.target.doctor_lines import Line
    from conformance.target.profile import Profile


class Closable(Protocol):
    """What runs until it is closed."""

    def close(self) -> None:
        """Stops it."""


@dataclass(slots=True)
class Run:
    """A target that was opened with the user's settings."""

    target: Target
    _signing_key: str | bytes = field(repr=False)
    _server: Closable | None = None
    _started: float = field(default_factory=time.time)
    _companions: dict[str, Target] = field(default_factory=dict)

    def examine(self) -> Iterator[Line]:
        """The doctor's findings, a line each.

        Raises:
            ConfigurationError, TargetError: no verdict would be worth anything.
        """
        return doctor.examine(self.target, self._signing_key)

    def target_for(self, requirement: Requirement) -> Target:
        """The target; or, where it is the bundled server and lacks what is needed, a second one that has it.

        Raises:
            ConfigurationError, TargetError: the second server cannot be examined.
        """
        names = self.target.profile.companions
        for need in requirement.needs:
            if self.target.bundled and need in names and not self.target.offers(need):
                if names[need] not in self._companions:
                    self._companions[names[need]] = self._companion(names[need])
                return self._companions[names[need]]
        return self.target

    def _companion(self, name: str) -> Target:
        target = self.target
        assert target.bundled is not None
        profile = load(name)
        server = target.bundled.companion(target.profile, profile)
        client = HttpClient(server.base_url, max_wait_s=target.client.max_wait_s, trusted_ca=server.trusted_ca)
        client.traffic, client.concurrency = target.client.traffic, target.client.concurrency
        client.pacing.allow(target.client.pacing.per_second)
        companion = Target(
            profile, client, target.clock, *server.accounts, bundled=server, clients=server.clients,
            canary_host=target.canary_host, redactor=target.redactor, fuzzing=target.fuzzing,
        )  # fmt: skip
        for _line in doctor.examine(companion, server.signing_key):
            pass
        return companion

    def close(self) -> None:
        """Closes everything that the run has opened, and gives the clock back."""
        with ExitStack() as stack:
            # Each of them even where another fails; the last comes first.
            stack.callback(self.target.clock.close)
            if self._server:
                stack.callback(self._server.close)
            for target in (self.target, *self._companions.values()):
                stack.callback(target.close)

    @property
    def post_mortem(self) -> str:
        """What there is to tell of a launched server that has ended during the run; else an empty string."""
        return getattr(self._server, "post_mortem", "")

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
                "logout": target.logout_door is not None,
                "jwks": bool(target.memory.get("published keys")),
            },
            algorithm=target.redactor.text(access.jwt.algorithm) if access and access.jwt else None,
            access_lifetime_s=access.lifetime_s if access else None,
            refresh_lifetime_s=session.refresh.lifetime_s if session else None,
            clock=target.clock.name,
            policy={
                "rotation": target.rotates,
                **target.policy,
                "requests put off": target.client.pacing.met or None,
            },
            started=self._started,
            duration_s=round(time.time() - self._started, 3),
            waited_s=round(target.client.traffic.waited_s, 3),
            requests=target.client.traffic.requests,
            logins=target.client.traffic.logins,
            timeline=best(target.stories),
        )


@dataclass(slots=True)
class _Opened:
    """A target's client and clock, and what has to be closed with it.

    Attributes:
        bundled: the suite's own server, which brings its accounts along.
        server: what else runs for this target alone.
    """

    client: HttpClient
    clock: Clock
    bundled: bundled.Bundled | None = None
    server: Closable | None = None


def open_target(settings: RunSettings) -> Run:
    """Prepares a target, and starts it where that is the suite's task; nothing is asked of it yet.

    Raises:
        ConfigurationError: an unknown profile, a URL that is none, or a server that does not start.
    """
    redactor = redactor_for(settings)
    profile = environment.resolved(load(settings.target_profile), redactor.add)
    check_given(profile, settings)
    profile = as_given(profile, settings)
    if settings.app:
        opened = _open_application(settings, redactor)
    elif settings.launch:
        opened = _open_launched(settings, redactor)
    elif settings.base_url:
        opened = _open_url(settings)
    else:
        opened = _open_bundled(settings, profile)
    with ExitStack() as undo:
        if opened.server:
            undo.callback(opened.server.close)
        run = _prepared(settings, profile, opened, redactor)
        undo.pop_all()
    return run


def _prepared(settings: RunSettings, profile: Profile, opened: _Opened, redactor: Redactor) -> Run:
    own, client = opened.bundled, opened.client
    second: Account | None
    if own:
        profile, (account, second) = own.declared(profile), own.accounts
        # Under pytest-xdist each process has a server of its own.
        share = Share(settings.rate or math.inf, settings.concurrency)
    else:
        account = Account(settings.username or "the owner of the tokens", settings.password)
        second = account_of(settings.second_username, settings.second_password)
        rate = settings.rate or (math.inf if client.is_local else REMOTE_RATE)
        share = Share.of(rate, settings.concurrency, processes())
    client.pacing.allow(share.rate)
    client.concurrency = share.concurrency
    signing_key = settings.signing_key or (own.signing_key if own else "")
    hide_key(redactor, signing_key)
    fuzzing = Fuzzing(settings.fuzz_time_s, openapi_url=settings.openapi_url, stories=settings.fuzz_stories)
    if settings.fuzz_seed is not None:
        fuzzing = replace(fuzzing, seed=settings.fuzz_seed)
    target = Target(
        profile,
        client,
        opened.clock,
        account,
        second,
        bundled=own,
        public_key_pem=settings.public_key,
        intrusive=settings.intrusive,
        disposable=account_of(settings.disposable_username, settings.disposable_password),
        clients=own.clients if own else clients_of(settings),
        canary_host=settings.canary_host or ("127.0.0.1" if client.is_local else ""),
        redactor=redactor,
        given=tokens_of(settings),
        wrong_in_a_row=share.wrong_in_a_row,
        fuzzing=fuzzing,
    )
    client.headers = environment.headers_of(profile, client.base_url)
    return Run(target, signing_key, opened.server)


# -- The ways to name a target -----------------------------------------------------------------------------------------


def _open_bundled(settings: RunSettings, profile: Profile) -> _Opened:
    if settings.username or settings.second_username or settings.disposable_username:
        raise ConfigurationError(
            "accounts are given, but no URL",
            "give the target's URL; the bundled server makes accounts of its own",
        )
    server = bundled.start(profile.bundled)
    client = HttpClient(server.base_url, max_wait_s=settings.max_wait_s, trusted_ca=server.trusted_ca)
    return _Opened(client, _waiting(settings, client) or FrozenClock(), bundled=server)


def _open_url(settings: RunSettings) -> _Opened:
    client = HttpClient(settings.base_url, max_wait_s=settings.max_wait_s)
    return _Opened(client, WaitingClock(client.pause, settings.max_wait_s, remedy="--app or --launch"))


def _open_application(settings: RunSettings, redactor: Redactor) -> _Opened:
    from conformance.target import application, serving  # noqa: PLC0415 - only for an application

    with ExitStack() as undo:
        undo.callback(application.make_importable())
        found = application.find(settings.app, redactor.text)
        server = serving.serve(found, redactor.text)
        undo.callback(server.close)
        client = HttpClient(server.base_url, max_wait_s=settings.max_wait_s)
        clock = _waiting(settings, client) or FrozenClock(client.pause, settings.max_wait_s)
        return _Opened(client, clock, server=undo.pop_all())


def _open_launched(settings: RunSettings, redactor: Redactor) -> _Opened:
    from conformance.target.launched import Launched, clock_for  # noqa: PLC0415 - only where something is launched

    client = HttpClient(settings.base_url, max_wait_s=settings.max_wait_s)
    launched = Launched(settings.launch, client.base_url, redactor.text)
    try:
        clock, environment = clock_for(launched, client, settings.libfaketime, wait=settings.clock == "waiting")
        launched.start(environment, settings.launch_timeout_s)
    except BaseException:
        launched.close()
        raise
    return _Opened(client, clock, server=launched)


def _waiting(settings: RunSettings, client: HttpClient) -> WaitingClock | None:
    """A clock that is not moved, where the user wants that."""
    return WaitingClock(client.pause, settings.max_wait_s) if settings.clock == "waiting" else None

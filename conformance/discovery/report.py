"""The command's side of it: from the user's settings to a profile, an account of what was done, and an exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.discovery import showing
from conformance.discovery.discover import Discovery
from conformance.discovery.probing import Prober
from conformance.discovery.visit import Visit
from conformance.discovery.writing import profile_toml
from conformance.inert import inert
from conformance.target.http import HttpClient
from conformance.target.session import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.discovery.findings import Findings
    from conformance.options import RunSettings

PROVEN, INCOMPLETE = 0, 3


@dataclass(frozen=True, slots=True)
class Report:
    """What the user gets.

    Attributes:
        profile: the profile, as TOML.
        account: what was tried and seen, a line each, and what to give where that was not enough.
        exit_code: 0 where the login and a protected route are proven.
    """

    profile: str
    account: tuple[str, ...]
    exit_code: int


def discover(settings: RunSettings, openapi_url: str = "") -> Report:
    """Finds out the profile of the target that the settings name.

    Raises:
        ConfigurationError: what the user gave does not fit.
        TargetError: the target does not answer.
    """
    client = HttpClient(settings.base_url, max_wait_s=settings.max_wait_s)
    clients = (Account(settings.client_id, settings.client_secret),) if settings.client_id else ()
    visit = Visit(client, Prober(client), Account(settings.username, settings.password), clients)
    visit.redactor.add(settings.password, "password")
    try:
        discovery = Discovery(visit, openapi_url)
        findings = discovery.run()
    finally:
        client.close()
    text = profile_toml(findings, discovery.presets, tuple(showing.unsafe(discovery.clues, findings.profile)))
    told = [*visit.prober.account, *_next(findings, settings, client)]
    return Report(
        visit.redactor.text(text),
        tuple(inert(visit.redactor.text(line)) for line in told),
        PROVEN if findings.is_enough else INCOMPLETE,
    )


def _next(findings: Findings, settings: RunSettings, client: HttpClient) -> Iterator[str]:
    """How it ended, and what the user can do now."""
    traffic = client.traffic
    yield f"sent {traffic.requests} requests, {traffic.logins} of them logins"
    if findings.is_enough:
        yield "the login and a protected route are proven; see what `jwt-conformance doctor` says of the profile"
        return
    if not settings.username:
        yield "give --username and --password (or the variables of that name): a login proves the lines"
    elif not findings.is_seen("login.path"):
        yield "no login worked: check --username and --password; or write [login] yourself, and ask the doctor"
    elif not findings.profile.protected:
        yield "no protected route was found: give --openapi-url, or write [[protected]] yourself"
    else:
        yield "not everything is proven: check the lines that are a guess"

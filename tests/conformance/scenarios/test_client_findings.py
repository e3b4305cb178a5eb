"""What the scenarios of OAuth clients say, by what the user gave and how the target takes clients."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest

from conformance.catalogue import load as load_catalogue
from conformance.clock import WaitingClock
from conformance.scenarios import test_intro, test_token
from conformance.scenarios.endings import InconclusiveError, NotApplicableError, UntestedError
from conformance.scenarios.trial import Trial
from conformance.target import doctor
from conformance.target.http import HttpClient
from conformance.target.oauth import with_secret
from conformance.target.profile_files import load
from conformance.target.profile_tables import OAuth
from conformance.target.session import Account
from conformance.target.target import Target
from reference_server import Collaborators, Settings, create_app, faults
from reference_server.serve import ServerThread
from reference_server.settings import LEAST_MEMORY
from tests.conformance.support import ALICE, BOB

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = (Account("one", "s+e c%20r:e-t 1"), Account("two", "another %41 secret"))
TOKEN = [getattr(test_token, f"test_token_0{number}") for number in range(1, 6)]
INTRO = [getattr(test_intro, f"test_intro_0{number}") for number in (1, 3, 4)]


@contextmanager
def trial_at(name: str, *, clients: tuple[Account, ...] = CLIENTS, fault: str = "", **oauth: Any) -> Iterator[Trial]:
    """A scenario's view of the reference server, or of a faulty one, by URL and without its signing key."""
    settings = Settings(
        accounts=tuple((account.username, account.password) for account in (ALICE, BOB)),
        clients=tuple((client.username, client.password) for client in CLIENTS),
        password_memory=LEAST_MEMORY,
    )
    settings, parts = faults.get(fault).apply(settings) if fault else (settings, Collaborators())
    with ServerThread(create_app(settings, parts)) as server:
        client = HttpClient(server.base_url)
        profile = load("default")
        profile = replace(profile, oauth=replace(profile.oauth, **oauth))
        target = Target(profile, client, WaitingClock(client.pause, 0.0), ALICE, BOB, clients=clients)
        list(doctor.examine(target))
        yield Trial(target, load_catalogue().get(name))
        target.close()


@pytest.mark.parametrize("method", ["basic", "post"])
@pytest.mark.parametrize("scenario", TOKEN + INTRO, ids=lambda scenario: str(scenario.__name__))
def test_a_healthy_server_passes_without_its_key(scenario: Any, method: str) -> None:
    """What clients need is enough, whichever way they authenticate."""
    name = scenario.__name__.removeprefix("test_").replace("_", "-").upper()
    with trial_at(name, client_authentication=method) as trial:
        scenario(trial)
        trial.confirm()
        assert trial.probes
    assert trial.findings == []


def test_what_cannot_be_had_is_passed_over() -> None:
    """Without a way to let time pass, introspection is judged on everything else, and the verdict says so."""
    with trial_at("INTRO-02") as trial:
        test_intro.test_intro_02(trial)
    assert trial.findings == []
    assert trial.probes > 4
    assert any("expired" in remark for remark in trial.remarks)


@pytest.mark.parametrize("scenario", TOKEN + INTRO, ids=lambda scenario: str(scenario.__name__))
def test_no_endpoint_is_none_to_judge(scenario: Any) -> None:
    """A target without OAuth endpoints is not asked for clients."""
    with trial_at("TOKEN-01", clients=(), **vars_of(OAuth())) as trial, pytest.raises(NotApplicableError):
        scenario(trial)


def vars_of(oauth: OAuth) -> dict[str, Any]:
    """The table's members."""
    return {"token": oauth.token, "revocation": oauth.revocation, "introspection": oauth.introspection}


@pytest.mark.parametrize("scenario", TOKEN + INTRO, ids=lambda scenario: str(scenario.__name__))
def test_no_client_is_asked_for(scenario: Any) -> None:
    """Where there is an endpoint and no client was given, the verdict says what to give."""
    with trial_at("TOKEN-01", clients=()) as trial, pytest.raises(UntestedError, match="--client-id"):
        scenario(trial)


def test_one_client_is_not_two() -> None:
    """What one client can show is tried; the rest wants a second one."""
    with trial_at("TOKEN-04", clients=CLIENTS[:1]) as trial, pytest.raises(UntestedError, match="--second-client-id"):
        test_token.test_token_04(trial)
    assert trial.probes == 2
    assert trial.findings == []


@pytest.mark.parametrize("scenario", TOKEN + INTRO, ids=lambda scenario: str(scenario.__name__))
def test_a_mistaken_secret_is_nobodys_finding(scenario: Any) -> None:
    """A client that the target refuses says nothing of the target."""
    clients = (with_secret(CLIENTS[0], "mistaken"), CLIENTS[1])
    with trial_at("TOKEN-01", clients=clients) as trial, pytest.raises(InconclusiveError):
        scenario(trial)
    assert trial.findings == []


@pytest.mark.parametrize("method", ["basic", "post"])
def test_evidence_holds_no_clients_secret(method: str) -> None:
    """Neither the secret nor what HTTP Basic and forms make of it is shown."""
    with trial_at("TOKEN-04", fault="refresh-token-serves-any-client", client_authentication=method) as trial:
        test_token.test_token_04(trial)
    assert trial.findings
    shown = json.dumps([[finding.exchange, finding.curl] for finding in trial.findings])
    for client in CLIENTS:
        encoded = quote_plus(client.password)
        both = base64.b64encode(f"{quote_plus(client.username)}:{encoded}".encode()).decode()
        for secret in (client.password, encoded, both, both[-12:]):
            assert secret not in shown, secret

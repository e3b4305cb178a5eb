"""What the scenarios of OAuth clients share: their doors, where the target has them and the user gave a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.target.oauth import Introspection, TokenEndpoint, for_clients

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.session import Account

CLIENT_OPTIONS = "--client-id and --client-secret"


def token_endpoint(trial: Trial) -> TokenEndpoint:
    """The token endpoint, as the first client; ends the scenario where there is none, or no client."""
    if not trial.profile.oauth.token:
        trial.not_applicable(trial.target.absent.get("token", "the profile names no OAuth token endpoint"))
    return TokenEndpoint(for_clients(trial.profile), first_client(trial))


def introspection(trial: Trial) -> Introspection:
    """Introspection, as the first client; ends the scenario where there is none, or no client."""
    if not trial.profile.oauth.introspection:
        trial.not_applicable(trial.target.absent.get("introspection", "the profile names no introspection endpoint"))
    return Introspection(for_clients(trial.profile), first_client(trial))


def first_client(trial: Trial) -> Account:
    """The client that the accounts' tokens are issued to; untested where the user gave none."""
    if not trial.target.clients:
        trial.untested("this needs a registered client", give=CLIENT_OPTIONS)
    return trial.target.clients[0]


def second_client(trial: Trial) -> Account:
    """Another client; untested where the user gave none."""
    if len(trial.target.clients) < 2:  # noqa: PLR2004 - two are two
        trial.untested("this needs two clients", give="--second-client-id and --second-client-secret")
    return trial.target.clients[1]

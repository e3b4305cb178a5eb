"""What a refresh must carry over as it was: rights, the time of authentication, and other sessions."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from conformance.scenarios.endings import NotApplicableError
from conformance.scenarios.spare import own_session, spare_session
from conformance.tokens.reading import finite
from conformance.tokens.rights import rights_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Exchange, Request
    from conformance.target.session import Session
    from conformance.tokens.reading import Jwt, Token
    from conformance.tokens.rights import Rights

# -- Rights ------------------------------------------------------------------------------------------------------------

WANTED: Final[dict[str, Any]] = {
    "scope": "admin *",
    "role": "admin",
    "roles": ["admin"],
    "permissions": ["*"],
    "is_admin": True,
    "audience": "https://elsewhere.invalid",
}


def _in_query(request: Request) -> Request:
    separator = "&" if "?" in request.path else "?"
    return replace(request, path=request.path + separator + urlencode(WANTED, doseq=True))


def _in_json(request: Request) -> Request:
    sent = json.loads(request.body) if request.body.startswith(b"{") else {}
    return _with_body(request, json.dumps({**sent, **WANTED}).encode(), "application/json")


def _in_form(request: Request) -> Request:
    sent = "" if request.body.startswith(b"{") else request.body.decode()
    fields = "&".join(filter(None, [sent, urlencode(WANTED, doseq=True)]))
    return _with_body(request, fields.encode(), "application/x-www-form-urlencoded")


def _with_body(request: Request, body: bytes, content_type: str) -> Request:
    headers = tuple(pair for pair in request.headers if pair[0].lower() != "content-type")
    return replace(request, headers=(*headers, ("Content-Type", content_type)), body=body)


MORE_RIGHTS: Final[dict[str, Callable[[Request], Request]]] = {
    "a refresh": lambda request: request,
    "a refresh that asks for more in its query": _in_query,
    "a refresh that asks for more in JSON": _in_json,
    "a refresh that asks for more in a form": _in_form,
}


def rights_of(token: Token, exchange: Exchange) -> Rights:
    """What a token, and the answer that brought it (RFC 6749 §5.1), say that its holder may do."""
    said = exchange.response.json
    scope = {"scope": said.get("scope")} if isinstance(said, dict) else {}
    return rights_in(token.jwt.claims if token.jwt else {}) | rights_in(scope)


# -- Freshness ---------------------------------------------------------------------------------------------------------

FRESHNESS: Final = frozenset({"auth_time", "acr", "amr", "fresh"})
"""OpenID Connect Core §2 and RFC 9068 §2.2.1; the last is Flask-JWT-Extended's."""


def looks_fresh(claim: str, login: Jwt, refreshed: Jwt) -> bool:
    """Whether a claim of a refreshed token says more of an authentication than the login's did."""
    before, after = login.claims.get(claim), refreshed.claims.get(claim)
    was, now = finite(before), finite(after)
    match claim:
        case "fresh":
            # Flask-JWT-Extended writes true, false, or until when.
            return after is True or (now is not None and now != was and now > (refreshed.number("iat") or 0.0))
        case "auth_time":
            since = login.number("iat") if was is None else was
            return now is not None and since is not None and now > since + 1
        case "acr":
            # Names have no order, and a lower level is right.
            return was is not None and now is not None and now > was
        case _:
            return not set(_listed(after)) <= set(_listed(before))


def _listed(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    return [str(item) for item in items]


# -- Other sessions ----------------------------------------------------------------------------------------------------


def two_sessions(trial: Trial) -> tuple[Session, Session]:
    """Two live sessions of the same user, the first of which was just refreshed.

    Raises:
        NotApplicableError: a login ends the user's earlier sessions, or their refreshing.
        InconclusiveError: an honest refresh fails.
    """
    door = trial.protected_doors[0]
    for at_hand in (True, False):
        first = spare_session(trial) if at_hand else trial.target.login()
        second = own_session(trial) if at_hand else trial.target.login()
        used = trial.send(door.present(second.access.value, second))
        if door.bought(used.request, used.response):
            trial.target.refresh(first)
            if not first.ended:
                return first, second
        # Whichever was at hand may have been ended by a login since: the next try takes two that are new.
    trial.target.refresh(second)
    if second.ended:
        trial.inconclusive(f"{trial.refresh_route.label} refuses the refresh token of a login (see REFRESH-01)")
    trial.target.policy["sessions per user"] = "one"
    raise NotApplicableError("the target keeps one session per user: a login ends the earlier one")

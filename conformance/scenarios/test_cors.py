"""What other sites may read."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from conformance.scenarios.disguises import asking, saying
from conformance.scenarios.origins import STRANGER, STRANGERS, asked_by, granted, lookalikes, preflight
from conformance.target.http import Request

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial
    from conformance.target.doors import Door
    from conformance.target.http import Exchange

SCRIPT_TYPES: Final = ("javascript", "ecmascript", "jscript")
CALLBACKS: Final = ("callback", "jsonp", "cb")


def test_cors_01(target: Trial) -> None:
    """No untrusted origin is granted reads with a visitor's credentials."""
    first, *others = target.protected_routes
    trusted = {target.target.client.origin, *target.profile.trusted_origins}
    with target.bracket(first) as bracket:
        honest = bracket.token(bracket.session.access.value)
        fixed, _ = granted(target.send(asked_by(honest, STRANGER)).response)
        if fixed not in {"", "*", *STRANGERS.values()}:
            trusted.add(fixed)
        pretenders = dict.fromkeys([*STRANGERS.items(), *lookalikes(sorted(trusted))])
        for name, origin in pretenders:
            _is_not_granted(target, first, name, origin, target.send(asked_by(honest, origin)), trusted)
    elsewhere: list[tuple[Door, Request]] = [
        *((door, door.present(target.session().access.value, target.session())) for door in others),
        # Neither logs anybody in or spends a token.
        (target.login_route, target.login_route.raw(b"{}")),
        *((door, door.anonymous()) for door in target.refresh_routes),
    ]
    for name, origin in STRANGERS.items():
        for door, request in [(first, honest), *elsewhere]:
            if door is not first:
                _is_not_granted(target, door, name, origin, target.send(asked_by(request, origin)), trusted)
            if origin == STRANGER:
                exchange = target.send(preflight(request, origin))
                _is_not_granted(target, door, f"{name}, in a preflight", origin, exchange, trusted)


def _is_not_granted(target: Trial, door: Door, name: str, origin: str, exchange: Exchange, trusted: set[str]) -> None:
    allowed, with_credentials = granted(exchange.response)
    if allowed == "*" or (allowed == origin and not with_credentials):
        beside = ", beside credentials, which browsers refuse" if with_credentials else ""
        target.remark(f"{door.label} lets every origin read what it tells without credentials{beside}")
    target.expect(
        origin in trusted or allowed != origin or not with_credentials,
        f"{door.label} asked by {name}, {origin}",
        expected="no reads with credentials for this origin",
        observed=f"Access-Control-Allow-Origin: {allowed}, and Access-Control-Allow-Credentials: true",
        shown_by=[(name, exchange)],
        certain=True,
    )


def test_cors_02(target: Trial) -> None:
    """Nothing is served in a form that a page of another site could load as a script."""
    called = f"f{secrets.token_hex(6)}"
    script = (("Accept", "application/javascript, text/javascript"),)
    for door in target.protected_routes:
        if door.method != "GET":
            continue
        with target.bracket(door) as bracket:
            honest = asking(bracket.token(bracket.session.access.value), **dict.fromkeys(CALLBACKS, called))
            for name, request in (("callbacks", honest), ("callbacks and Accept", saying(honest, script))):
                _is_no_script(target, f"{door.label} with {name} for a script", target.send(request), called)
    for path in (target.login_route.path, target.refresh_route.path):
        request = saying(asking(Request("GET", path), **dict.fromkeys(CALLBACKS, called)), script)
        _is_no_script(target, f"GET {path} with callbacks for a script", target.send(request), called)


def _is_no_script(target: Trial, case: str, exchange: Exchange, called: str) -> None:
    media_type = (exchange.response.header("Content-Type") or "").partition(";")[0].strip().lower()
    is_script = exchange.response.is_success and media_type.endswith(SCRIPT_TYPES)
    calls = f"{called}(" in exchange.response.text and exchange.response.json is None
    target.expect(
        not is_script and not calls,
        case,
        expected="plain JSON, or a refusal",
        observed=f"{media_type or 'no media type'}" + (", and a body that calls the function" if calls else ""),
        shown_by=[(case, exchange)],
        certain=True,
    )

"""A pytest plugin that counts what each scenario costs its target: `-p benchmarks.counting --costs FILE`."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.plan.costs import EXAMINATION
from conformance.plugin import STATE, requirement_of
from conformance.scenarios.trial import Trial
from conformance.target.hooks import Provisioner
from conformance.target.http import HttpClient
from conformance.target.session import dig
from conformance.target.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from conformance.target.http import Exchange, Request, Traffic

COSTS: defaultdict[str, Counter[str]] = defaultdict(Counter)
TARGETS: dict[HttpClient, Target] = {}
NOW = [EXAMINATION]
"""The requirement whose scenario is running."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the file."""
    parser.addoption("--costs", required=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Attributes what happens meanwhile to the scenario."""
    requirement, state = requirement_of(item), item.config.stash[STATE]
    assert requirement is not None
    assert state.run is not None
    traffic = state.run.target.client.traffic
    if NOW[0] == EXAMINATION:
        _add(traffic, 0, 0, 0.0)
    NOW[0] = requirement.id
    before = traffic.requests, traffic.logins, traffic.waited_s
    result = yield
    _add(traffic, *before)
    return result


def _add(traffic: Traffic, requests: int, logins: int, waited_s: float) -> None:
    COSTS[NOW[0]].update(
        requests=traffic.requests - requests,
        logins=traffic.logins - logins,
        pauses_s=round(traffic.waited_s - waited_s),
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Writes what was judged, and what it cost."""
    outcomes = session.config.stash[STATE].outcomes
    judged = {name for name, outcome in outcomes.items() if outcome.verdict not in {"untested", "not_applicable"}}
    told = {name: dict(+cost) for name, cost in sorted(COSTS.items()) if name in {EXAMINATION, *judged}}
    Path(session.config.getoption("--costs")).write_text(json.dumps(told), encoding="utf-8")


def _wrap(owner: Any, name: str, also: Callable[..., None]) -> None:
    """Lets a method do something else as well, which is given its result and its arguments."""
    method = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        also(result, *args)
        return result

    setattr(owner, name, wrapped)


def _tally(exchange: Exchange, client: HttpClient, _session: object, request: Request) -> None:
    target, cost = TARGETS.get(client), COSTS[NOW[0]]
    if target is None:
        return
    path, succeeded = request.path.partition("?")[0], exchange.response.is_success
    leave = target.profile.logout.path, target.profile.oauth.revocation
    cost["ended"] += succeeded and request.method != "GET" and path in filter(None, leave)
    if path != target.profile.login.path:
        return
    cost["at_login"] += 1
    try:
        sent = json.loads(request.body)
    except (ValueError, RecursionError):
        return
    for one in sent if isinstance(sent, list) else [sent]:
        name, password = (dig(one, getattr(target.profile.login, part)) for part in ("username", "password"))
        if name == target.account.username:
            cost["wrong"] += password != target.account.password
        elif target.second_account and name == target.second_account.username:
            cost["wrong_second"] += password != target.second_account.password
        elif (target.disposable and name == target.disposable.username) or str(name).startswith("conformance-"):
            cost["guesses"] += not succeeded


def _at_once(_volley: object, _client: HttpClient, together: Sequence[Request], *_args: object) -> None:
    COSTS[NOW[0]]["at_once"] = max(COSTS[NOW[0]]["at_once"], len(together))


_wrap(Target, "__post_init__", lambda _none, target: TARGETS.setdefault(target.client, target))
_wrap(HttpClient, "_exchange", _tally)
_wrap(HttpClient, "send_together", _at_once)
_wrap(Provisioner, "create", lambda *_args: COSTS[NOW[0]].update(accounts=1))
_wrap(Trial, "restart", lambda *_args: COSTS[NOW[0]].update(restarts=1))

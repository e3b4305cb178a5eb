"""The facts of a run that several processes have shared."""

from __future__ import annotations

import functools
import itertools
import json
from dataclasses import replace

from conformance.verdicts.verdict_set import RunFacts

NOTHING = RunFacts()
ONE = RunFacts(
    base_url="http://api.test",
    profile="default",
    capabilities={"rotation": True, "logout": True, "jwks": False},
    algorithm="RS256",
    access_lifetime_s=900.0,
    clock="waiting",
    policy={"rotation": True, "status for no token": [401], "leeway": "less than 2 s"},
    started=1000.0,
    duration_s=12.0,
    waited_s=3.0,
    requests=100,
    logins=5,
)
TWO = replace(
    ONE,
    capabilities={"rotation": False, "logout": True, "jwks": True},
    algorithm=None,
    access_lifetime_s=None,
    refresh_lifetime_s=3600.0,
    policy={"rotation": None, "status for no token": [401, 403], "reuse": "ends the session"},
    started=999.0,
    duration_s=20.0,
    waited_s=1.0,
    requests=50,
    logins=4,
)


def test_work_adds_up_and_time_does_not() -> None:
    """Requests and logins are summed; the run lasted as long as the longest of its processes."""
    both = ONE.merged(TWO)

    assert (both.requests, both.logins) == (150, 9)
    assert (both.started, both.duration_s, both.waited_s) == (999.0, 20.0, 3.0)
    assert (both.base_url, both.profile, both.clock) == ("http://api.test", "default", "waiting")


def test_what_one_process_has_met_is_known() -> None:
    """A capability that one process saw is there, and what one could not tell is taken from the other."""
    for both in (ONE.merged(TWO), TWO.merged(ONE)):
        assert both.capabilities == {"rotation": True, "logout": True, "jwks": True}
        assert (both.algorithm, both.access_lifetime_s, both.refresh_lifetime_s) == ("RS256", 900.0, 3600.0)


def test_policy_cards_are_united() -> None:
    """Each process's observations are on the card: what nobody knows overrides nothing, and lists are joined."""
    for both in (ONE.merged(TWO), TWO.merged(ONE)):
        assert both.policy == {
            "rotation": True,
            "status for no token": [401, 403],
            "leeway": "less than 2 s",
            "reuse": "ends the session",
        }
    assert ONE.policy["status for no token"] == [401]


def test_a_process_that_ran_nothing_changes_nothing() -> None:
    """A worker without scenarios has no facts, and leaves the others' as they are."""
    assert ONE.merged(NOTHING) == ONE
    assert NOTHING.merged(ONE) == ONE
    assert NOTHING.merged(NOTHING) == NOTHING


def test_the_order_of_the_processes_does_not_matter() -> None:
    """Whoever reports first, the counts and times are the same."""
    three = replace(ONE, requests=7, duration_s=1.0, started=1500.0)
    orders = itertools.permutations([ONE, TWO, three, NOTHING])
    merged = [functools.reduce(RunFacts.merged, order, NOTHING) for order in orders]

    assert len({(facts.requests, facts.logins, facts.started, facts.duration_s) for facts in merged}) == 1
    assert merged[0].requests == 157


def test_facts_survive_json() -> None:
    """Facts travel from a worker to the reporting process as JSON."""
    assert RunFacts(**json.loads(json.dumps(ONE.to_json()))) == ONE

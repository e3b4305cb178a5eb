"""Running one scenario as the plugin does, without pytest around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.catalogue import Level
from conformance.scenarios.conclusion import conclude
from tests.conformance.support import trial_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.scenarios.trial import Trial
    from conformance.target.http import Request, Response
    from conformance.verdicts.model import Outcome

    Scenario = Callable[[Trial], object]


def concluded(scenario: Scenario, api: Callable[[Request], Response], level: Level = Level.MUST) -> Outcome | None:
    """The outcome of a scenario; None where the suite itself is at fault."""
    trial = trial_of(api, level)
    error: Exception | None = None
    try:
        scenario(trial)
        trial.confirm()
    except Exception as raised:  # noqa: BLE001 - as pytest does
        error = raised
    return conclude(trial, trial.requirement, error)


def outcome_of(scenario: Scenario, api: Callable[[Request], Response], level: Level = Level.MUST) -> Outcome:
    """The outcome of a scenario that is no fault of the suite."""
    outcome = concluded(scenario, api, level)
    assert outcome is not None
    return outcome

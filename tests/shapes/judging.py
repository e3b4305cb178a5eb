"""Runs of the suite on a shape, in this process, as the plugin makes them."""

from __future__ import annotations

import importlib
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from conformance.catalogue import Tier, load
from conformance.options import RunSettings
from conformance.run import open_target
from conformance.scenarios.conclusion import conclude
from conformance.scenarios.lapse import reserve
from conformance.scenarios.trial import Trial
from conformance.verdicts.model import Verdict
from tests.conformance.support import served
from tests.shapes.api import ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from conformance.catalogue import Requirement
    from conformance.verdicts.model import Outcome
    from tests.shapes.api import Api

PROTECTED: Final = '[[protected]]\npath = "/me"\nidentity = "username"\n[[protected]]\npath = "/news"\n'
LATE: Final = frozenset({"EXPIRY-01", "EXPIRY-03", "EXPIRY-04", "EXPIRY-05"})
"""What waits for a token to expire comes last."""


@dataclass(frozen=True)
class Judged:
    """What was said of a server."""

    doctor: list[str]
    outcomes: dict[str, Outcome] = field(repr=False)

    def having(self, *verdicts: Verdict) -> dict[str, str]:
        """The requirements with one of these verdicts, and why."""
        return {
            name: f"{outcome.verdict}: {outcome.reason} "
            + "; ".join(f"{each.case}: {each.observed}" for each in outcome.findings)
            for name, outcome in self.outcomes.items()
            if outcome.verdict in verdicts
        }

    @property
    def broken(self) -> dict[str, str]:
        """What failed, warned, was noted, or could not be concluded."""
        return self.having(Verdict.FAILED, Verdict.WARNED, Verdict.NOTED, Verdict.INCONCLUSIVE)

    @property
    def said(self) -> str:
        """Everything that a user could see."""
        return "\n".join([*self.doctor, *(str(outcome.to_json()) for outcome in self.outcomes.values())])


def profile_of(api: Api | type[Api]) -> str:
    """The whole profile of a shape."""
    return api.PROFILE + ("" if "[[protected]]" in api.PROFILE else PROTECTED)


@contextmanager
def running(api: Api, folder: Path) -> Iterator[tuple[str, Path]]:
    """The URL of the server, and the file of its profile."""
    file = folder / "shape.toml"
    file.write_text(profile_of(api), encoding="utf-8")
    with served(api) as url:
        yield url, file


def core() -> list[Requirement]:
    """The requirements of the core tier; those that wait come last."""
    found = [requirement for requirement in load() if requirement.tier <= Tier.CORE and not requirement.intrusive]
    return sorted(found, key=lambda requirement: requirement.id in LATE)


def judge(api: Api, folder: Path, only: Iterable[str] = (), **options: Any) -> Judged:
    """What the doctor and these requirements, or all of the core tier, say of a server."""
    chosen = [load().get(name) for name in only] or core()
    (first, password), (second, other) = ACCOUNTS.items()
    accounts = {"username": first, "password": password, "second_username": second, "second_password": other}
    if "access_token" in options or "refresh_token" in options:
        accounts = {}
    with running(api, folder) as (url, file):
        settings = RunSettings(base_url=url, target_profile=str(file), max_wait_s=12, **(accounts | options))  # type: ignore[arg-type]
        run = open_target(settings)
        try:
            doctor = [str(line) for line in run.examine()]
            reserve(run.target, {"access", "refresh"} if {each.id for each in chosen} & LATE else set())
            return Judged(doctor, {each.id: _outcome(Trial(run.target, each)) for each in chosen})
        finally:
            run.close()


def _outcome(trial: Trial) -> Outcome:
    area, number = trial.requirement.id.lower().split("-")
    scenario = getattr(importlib.import_module(f"conformance.scenarios.test_{area}"), f"test_{area}_{number}")
    error: Exception | None = None
    try:
        scenario(trial)
        trial.confirm()
    except Exception as raised:  # noqa: BLE001 - as pytest does
        error = raised
    outcome = conclude(trial, trial.requirement, error)
    assert outcome is not None, f"{trial.requirement.id} is a fault of the suite: {error!r}"
    return outcome


def doubts(judged: Judged) -> list[str]:
    """The doctor's lines with a hint."""
    return [line for line in judged.doctor if re.search("hint:", line)]

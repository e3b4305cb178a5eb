"""What a run would do, reckoned from the catalogue, the options, the profile, and what was counted before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from conformance.plan.costs import EXAMINATION, Cost, SetUp, cost_of
from conformance.plan.prospects import Terms, prospects
from conformance.target.http import HttpClient
from conformance.target.pacing import REMOTE_RATE
from conformance.target.profile_files import load
from conformance.target.share import Share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.catalogue import Requirement
    from conformance.options import RunSettings


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Attributes:
        terms: on what it would begin.
        rate: the most requests a second; infinite for no limit.
        judged: the requirements that it would try, with the cost of each.
        lacking: what to give, with the requirements that are untested without it.
        absent: what the target does not offer, with the requirements that do not apply.
        unless: what the target may turn out to be, with the requirements of which nothing comes then.
        waits: the kinds of token that it would let expire.
        examination: what comes before the first verdict.
    """

    terms: Terms
    rate: float
    judged: Mapping[Requirement, Cost]
    lacking: Mapping[str, Sequence[Requirement]]
    absent: Mapping[str, Sequence[Requirement]]
    unless: Mapping[str, Sequence[Requirement]]
    waits: frozenset[str]
    examination: Cost

    @classmethod
    def of(cls, settings: RunSettings, chosen: Mapping[Requirement, str], processes: int = 1) -> Self:
        """The plan of a run.

        Args:
            settings: the user's options.
            chosen: the requirements that are selected, each with the kind of token that its scenario lets expire.
            processes: how many processes share the work.

        Raises:
            ConfigurationError: the options do not fit together, or the profile cannot be read.
        """
        profile = load(settings.target_profile)
        is_local = not settings.base_url or HttpClient(settings.base_url).is_local
        terms = Terms(settings, profile, is_local, processes)
        rate = settings.rate or (math.inf if is_local else REMOTE_RATE)
        if not terms.bundled:
            Share.of(rate, settings.concurrency, processes)
        setup = SetUp.GIVEN if settings.intrusive else SetUp.PLAIN
        if terms.bundled or profile.hooks.provision.is_given:
            setup = SetUp.HOOKS
        judged: dict[Requirement, Cost] = {}
        groups: dict[str, dict[str, list[Requirement]]] = {"give": {}, "absent": {}, "unless": {}}
        for requirement in chosen:
            found = prospects(requirement, terms)
            # What does not apply lacks nothing, and what lacks something will not turn out to be anything.
            kind = next((kind for kind in ("absent", "give", "unless") if any(getattr(one, kind) for one in found)), "")
            if kind:
                words = dict.fromkeys(getattr(one, kind) for one in found if getattr(one, kind))
                groups[kind].setdefault(" and ".join(words), []).append(requirement)
            if kind in {"", "unless"}:
                judged[requirement] = cost_of(requirement.id, setup)
        return cls(
            terms, rate, judged, groups["give"], groups["absent"], groups["unless"],
            frozenset(chosen[requirement] for requirement in judged), cost_of(EXAMINATION, setup).times(processes),
        )  # fmt: skip

    @property
    def total(self) -> Cost:
        """Everything together."""
        return Cost.total([self.examination, *self.judged.values()])

    @property
    def at_least_s(self) -> float:
        """How long it takes at the rate that is allowed, if nothing else takes any time."""
        return self.total.requests / self.rate

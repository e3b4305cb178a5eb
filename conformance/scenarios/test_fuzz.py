"""Requests and stories that nobody has thought of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from conformance.fuzz.policy import learn
from conformance.fuzz.stories import explore

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial

pytestmark = pytest.mark.fuzz

SHARE_OF_STORIES: Final = 1 / 3
"""So much of the stage's time goes into stories; the rest into requests."""


def test_fuzz_04(target: Trial) -> None:
    """In whatever order sessions begin, renew themselves and end, each token is worth what it should be."""
    _ = target.login_route, target.protected_doors
    fuzzing = target.target.fuzzing
    policy = learn(target.target)
    tale = explore(target.target, policy, fuzzing.time_s * SHARE_OF_STORIES, fuzzing.seed)
    target.target.policy["fuzzing"] = f"--fuzz-seed {fuzzing.seed}"
    if tale.ended_by and (not tale.judged or tale.shortest):
        raise tale.ended_by
    if tale.ended_by:
        target.remark(f"the stories ended early: {tale.ended_by}")
    if tale.passing:
        target.remark("one story contradicted the model once and not again, which is not judged")
    target.remark(f"{tale.stories} stories, {tale.judged} answers judged; --fuzz-seed {fuzzing.seed} tells them again")
    found = tale.shortest
    if found is None:
        if not tale.judged:
            target.inconclusive("no story was told to its end; give a longer --fuzz-time")
        target.expect(holds=True, case="", expected="", observed="")
        return
    target.expect(
        holds=False,
        case="; ".join(found.story),
        expected=found.expected,
        observed=found.observed,
        shown_by=found.shown,
        certain=found.certain,
    )

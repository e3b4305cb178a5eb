"""Requests and stories that nobody has thought of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from conformance.fuzz.passing import CRASH, DIFFERENCE, LEAST_SHARE, OPEN, Pass
from conformance.fuzz.stories import explore
from conformance.target.policy import learn, with_time

if TYPE_CHECKING:
    from conformance.scenarios.trial import Trial

pytestmark = pytest.mark.fuzz

_KEY: Final = "a pass over every operation"
SHARE_OF_STORIES: Final = 1 / 3
SHARE_OF_REQUESTS: Final = 2 / 3
"""So much of the stage's time goes into stories, and so much into requests."""


def test_fuzz_01(target: Trial) -> None:
    """No input makes an endpoint answer with a server error."""
    passed = _pass_of(target)
    _tell(target, passed, CRASH)


def test_fuzz_02(target: Trial) -> None:
    """Answers have the status, the media type and the shape that the API's document says."""
    if not (target.target.fuzzing.openapi_url or (target.target.bundled and not target.profile.uses_cookies)):
        target.untested("answers are held against the API's own document", give="--openapi-url")
    passed = _pass_of(target)
    _tell(target, passed, DIFFERENCE)


def test_fuzz_03(target: Trial) -> None:
    """No operation that needs a token works without one."""
    passed = _pass_of(target)
    if not passed.shut and not passed.of(OPEN):
        target.not_applicable("no operation says that it needs a token")
    _tell(target, passed, OPEN)


def _pass_of(target: Trial) -> Pass:
    """The one pass of this run, which three requirements tell of."""
    _ = target.protected_doors
    memory, fuzzing = target.target.memory, target.target.fuzzing
    if _KEY not in memory:
        from conformance.fuzz.driving import drive  # noqa: PLC0415 - Schemathesis takes its time to load

        memory[_KEY] = drive(target.target, fuzzing.time_s * SHARE_OF_REQUESTS)
    passed: Pass = memory[_KEY]
    target.target.policy["fuzzing"] = f"--fuzz-seed {fuzzing.seed}"
    target.target.policy["fuzzed requests truly authenticated"] = f"{passed.share:.0%} of {passed.credentialed}"
    return passed


def _tell(target: Trial, passed: Pass, requirement: str) -> None:
    """What the pass has found of a requirement; inconclusive where it has hardly got past the doors."""
    target.remark(
        f"{passed.requests} requests to {len(passed.operations)} operations of {passed.origin}, --fuzz-seed"
        f" {target.target.fuzzing.seed}; {passed.share:.0%} of those with a credential were truly authenticated"
    )
    for remark in passed.remarks:
        target.remark(remark)
    if passed.passing:
        target.remark(f"{passed.passing} times something was seen that did not come again, which is not judged")
    for seen in passed.of(requirement):
        target.expect(
            holds=False,
            case=f"{seen.operation}: {seen.title}",
            expected=seen.expected,
            observed=seen.observed,
            shown_by=[("the smallest request that shows it", seen.exchange)],
            certain=requirement == OPEN,
        )
    if passed.ended_by:
        raise passed.ended_by
    if passed.credentialed and passed.share < LEAST_SHARE:
        target.inconclusive(
            f"only {passed.share:.0%} of the requests with a credential were truly authenticated, and it takes"
            f" {LEAST_SHARE:.0%}: what was refused at the door shows nothing of what is behind it"
        )
    if not passed.requests:
        target.inconclusive("no request was sent; give a longer --fuzz-time")
    target.expect(holds=True, case="", expected="", observed="")


def test_fuzz_04(target: Trial) -> None:
    """In whatever order sessions begin, renew themselves and end, each token is worth what it should be."""
    _ = target.login_route, target.protected_doors
    fuzzing = target.target.fuzzing
    policy = with_time(target.target, learn(target.target))
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

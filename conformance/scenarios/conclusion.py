"""From the end of a scenario to the verdict on its requirement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.errors import ConformanceError
from conformance.scenarios.endings import ENDINGS, InconclusiveError, NotApplicableError, UntestedError
from conformance.target.hooks import HookError
from conformance.target.session_pool import NoLoginError
from conformance.verdicts.model import Outcome, Verdict, broken

if TYPE_CHECKING:
    from conformance.catalogue import Requirement
    from conformance.scenarios.trial import Trial


def conclude(trial: Trial | None, requirement: Requirement, error: BaseException | None) -> Outcome | None:
    """The verdict on a requirement, or None where the suite itself is at fault."""
    redact = trial.target.redactor.text if trial else str
    findings, remarks, probes = (trial.findings, trial.remarks, trial.probes) if trial else ([], [], 0)
    remarks = [redact(remark) for remark in remarks]
    if (
        trial
        and isinstance(error, ConformanceError | InconclusiveError)
        and not isinstance(error, HookError | NoLoginError)
    ):
        # A target that has stopped working fails every claim, and for no fault of its own.
        findings = [finding for finding in findings if finding not in trial.doubtful]
    if trial and findings and (error is None or isinstance(error, ENDINGS)):
        if trial.more_findings:
            remarks.append(f"and so in {trial.more_findings} further cases")
        return Outcome(requirement.id, broken(requirement.level), "; ".join(remarks), findings, probes)
    match error:
        case None if probes:
            return Outcome(requirement.id, Verdict.PASSED, "; ".join(remarks), [], probes)
        case NotApplicableError():
            verdict = Verdict.NOT_APPLICABLE
        case UntestedError() | HookError() | NoLoginError():
            verdict = Verdict.UNTESTED
        case InconclusiveError() | ConformanceError():
            verdict = Verdict.INCONCLUSIVE
        case _:
            # A crash, or a scenario that claimed nothing: neither says anything of the target.
            return None
    return Outcome(requirement.id, verdict, redact("; ".join([str(error), *remarks])), [], probes)

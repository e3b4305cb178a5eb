"""The pytest plugin: options, the `target` fixture, and the way from a scenario's end to a verdict."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.catalogue import Tier, UnknownRequirementError
from conformance.catalogue import load as load_catalogue
from conformance.errors import ConfigurationError, ConformanceError, SuiteFaultError, TargetError
from conformance.options import BASE_URL, OPTIONS, RunSettings, resolve
from conformance.pytest_session import State, problem_from
from conformance.verdicts.baseline import Baseline
from conformance.verdicts.model import Outcome, Verdict
from conformance.verdicts.verdict_set import RunFacts

if TYPE_CHECKING:
    from collections.abc import Generator

    from conformance.catalogue import Requirement
    from conformance.scenarios.trial import Trial

_SCENARIO: Final = re.compile(r"test_([a-z]+_\d+)$")
_SCENARIOS_MODULE: Final = "conformance.scenarios."
_CREDENTIALS: Final = re.compile(r"//[^/@\s]+@")
_CONFORMANCE: Final = "conformance"
_FAULT_OF_THE_SUITE: Final = "suite_fault"
_MORE_TRIALS: Final = 2


STATE: Final = pytest.StashKey[State]()
TRIAL: Final = pytest.StashKey["Trial"]()
ENDED: Final = pytest.StashKey[Exception]()
OUTCOME: Final = pytest.StashKey[Outcome]()


# -- Options ---------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the suite's options; `--base-url` comes from pytest-base-url and `--strict` from pytest."""
    group = parser.getgroup("jwt-conformance", "conformance of token logins")
    for option in OPTIONS:
        extra = f" Default: {option.default}." if option.default else ""
        kind: dict[str, Any] = {"metavar": option.metavar}
        if option.is_switch:
            kind = {"action": "store_true", "default": None}
        group.addoption(
            f"--{option.name}",
            dest=option.dest,
            help=f"{option.help}{extra} [{option.variable}]",
            **kind,
        )


def pytest_configure(config: pytest.Config) -> None:
    """Prepares an empty state; nothing else happens unless scenarios are collected."""
    state = config.stash[STATE] = State()
    if getattr(config.option, "tx", None) and _plans(config):
        # Nothing is distributed, so xdist's own loop need not run.
        state.processes, config.option.dist, config.option.tx = len(config.option.tx), "no", []
    config.pluginmanager.register(_Collector(state))
    config.addinivalue_line(
        "markers",
        "waits(what): the scenario lets a moment pass or a token of that kind expire, or drives logins into a limit, "
        "and runs last",
    )
    config.addinivalue_line(
        "markers", "fuzz: the scenario is of the fuzzing stage, which takes as long as --fuzz-time says"
    )


@pytest.hookimpl(wrapper=True)
def pytest_report_header() -> Generator[None, list[Any], list[Any]]:
    """Keeps credentials in a URL, which pytest-base-url prints, out of the header."""
    lines = yield
    return [
        [_CREDENTIALS.sub("//...@", text) for text in ([line] if isinstance(line, str) else line)] for line in lines
    ]


def settings_of(config: pytest.Config) -> RunSettings:
    """The settings of this run.

    Raises:
        ConfigurationError: they mean nothing or contradict each other.
    """
    given = {option.name: config.getoption(option.dest) for option in OPTIONS}
    # pytest-base-url makes an empty text of no URL at all.
    given[BASE_URL.name] = config.getoption("base_url") or None
    strict = bool(config.getoption("strict", default=False))
    settings = resolve(given, strict=strict, folder=config.invocation_params.dir)
    if settings.launch and hasattr(config, "workerinput"):
        raise ConfigurationError(
            "--launch starts one server, and -n starts several processes that would move its clock",
            "leave -n out, or start the server yourself and give its URL alone",
        )
    return settings


def _plans(config: pytest.Config) -> bool:
    """Whether the user only asks what a run would do."""
    try:
        return settings_of(config).plan
    except ConfigurationError:
        return False


# -- Collection ------------------------------------------------------------------------------------------------------


def requirement_of(item: pytest.Item) -> Requirement | None:
    """The requirement that a scenario is named after; None for other people's tests."""
    module = getattr(getattr(item, "module", None), "__name__", "")
    name = _SCENARIO.match(getattr(item, "originalname", None) or item.name)
    if not module.startswith(_SCENARIOS_MODULE) or name is None:
        return None
    try:
        return load_catalogue().get(name[1].replace("_", "-").upper())
    except UnknownRequirementError as error:
        raise pytest.UsageError(f"{item.nodeid}: {error}") from None


def _waits(item: pytest.Item) -> str:
    marker = item.get_closest_marker("waits")
    return str(marker.args[0]) if marker else ""


def _fuzzes(config: pytest.Config, settings: RunSettings) -> bool:
    """Whether the fuzzing stage is a part of the run: `-m` speaks of it, or the bundled server is judged in full."""
    if "fuzz" in re.findall(r"\w+", config.option.markexpr or ""):
        return True
    bundled = not (settings.base_url or settings.app)
    return bundled and settings.tier is Tier.STRICT and settings.fuzz_time_s > 0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what is beyond the tier, and orders the rest as the catalogue does, but for those that wait.

    The login's scenarios come first: the sessions that their controls open serve the others.
    """
    scenarios = {item: requirement for item in items if (requirement := requirement_of(item)) is not None}
    if not scenarios:
        return
    state = config.stash[STATE]
    state.selected = True
    try:
        state.settings = settings_of(config)
        state.baseline = Baseline.read(state.settings.baseline, may_be_missing=state.settings.update_baseline)
    except ConfigurationError as error:
        if hasattr(config, "workerinput"):
            state.problem = error
            return
        state.problem, state.told = error, True
        raise pytest.UsageError(str(error)) from None
    tier = state.settings.tier
    fuzzes = _fuzzes(config, state.settings)
    beyond = [
        item
        for item, requirement in scenarios.items()
        if (not fuzzes if requirement.by_fuzzing else requirement.tier > tier)
    ]
    if beyond:
        config.hook.pytest_deselected(items=beyond)
    waits = {"": 0, "a moment": 1, "access": 2, "refresh": 3, "limit": 4, "fuzz": 5}
    order = {requirement: position for position, requirement in enumerate(load_catalogue())}
    chosen = [item for item in scenarios if item not in beyond]

    def place(item: pytest.Item) -> tuple[int, int]:
        requirement = scenarios[item]
        # Stories come before requests: those to the login may have it refuse everybody for a while.
        return (
            (waits["fuzz"], -order[requirement])
            if requirement.by_fuzzing
            else (waits[_waits(item)], order[requirement])
        )

    chosen.sort(key=place)
    items[:] = [item for item in items if item not in scenarios] + chosen
    for item in chosen if state.settings.app else ():
        # As `State` does before the first scenario and after the last.
        item.add_marker(pytest.mark.filterwarnings("ignore"))


# -- Running ---------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Opens and examines the target before the first scenario, where any was collected; or only tells of the run."""
    config = session.config
    scenarios = {item: requirement for item in session.items if (requirement := requirement_of(item))}
    if config.option.collectonly or not scenarios or session.testsfailed:
        return None
    state = config.stash[STATE]
    if state.settings and state.settings.plan:
        chosen = {requirement: _waits(item) for item, requirement in scenarios.items()}
        try:
            state.tell_plan(chosen, each=config.option.verbose > 0)
        except ConfigurationError as error:
            state.problem, state.told = error, True
            raise pytest.UsageError(str(error)) from None
        return True
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(config, "workerinput"):
        state.say = partial(_say, reporter, config.pluginmanager.get_plugin("capturemanager"))
        if bar := config.pluginmanager.get_plugin("conformance-bar"):
            state.say, state.pauses = bar.waits, bar.pauses
    state.interrupts.obey()
    try:
        with state.interrupts.let_in():
            state.open({_waits(item) for item in scenarios})
    except Exception as error:  # noqa: BLE001 - pytest would print whatever a crash quotes
        state.interrupts.check()
        state.problem = error if isinstance(error, ConformanceError) else SuiteFaultError(error)
        # A worker of pytest-xdist reports through its scenarios; a usage error there would look like a crash.
        if not hasattr(config, "workerinput"):
            state.told = True
            raise pytest.UsageError(state.safe(str(state.problem))) from None
    return None


def _say(reporter: pytest.TerminalReporter, capturing: Any, line: str) -> None:
    """Shows a line while a scenario runs, whose output pytest captures; at once, be it in a CI system's log."""
    with capturing.global_and_fixture_disabled() if capturing else nullcontext():
        reporter.ensure_newline()
        reporter.write_line(line)
        reporter.flush()


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Trial:
    """The target, as the requesting scenario sees it; what the scenario claims becomes its verdict."""
    from conformance.scenarios.trial import Trial  # noqa: PLC0415

    requirement = requirement_of(request.node)
    if requirement is None:
        raise pytest.UsageError(f"{request.node.nodeid} is no scenario, but asks for the fixture `target`")
    state = request.config.stash[STATE]
    if state.problem or state.run is None:
        raise TargetError(str(state.problem or "the target was not opened"))
    trial = request.node.stash[TRIAL] = Trial(state.run.target_for(requirement), requirement)
    trial.target.client.watch.begin()
    if trial.target is not state.run.target:
        trial.remark(f"checked on a second bundled server, with the profile {trial.profile.name}")
    if requirement.intrusive and not trial.target.may_intrude:
        trial.untested(
            "this may lock an account, load the server or make it call out", give="--intrusive, if it is yours"
        )
    return trial


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Has the target show that it still works, before what a scenario claims is held against it.

    A scenario that ends early, for a reason that is a verdict, keeps the reason: pytest would go to some length to
    show where in the source it was raised.
    """
    trial = pyfuncitem.stash.get(TRIAL, None)
    if trial is None:
        return (yield)
    with pyfuncitem.config.stash[STATE].interrupts.let_in():
        return (yield from _tried(pyfuncitem, trial))


def _tried(pyfuncitem: pytest.Function, trial: Trial) -> Generator[None, object, object]:
    from conformance.scenarios.endings import ENDINGS  # noqa: PLC0415 - not in other people's sessions
    from conformance.target.overtaken import OvertakenError  # noqa: PLC0415

    try:
        result = yield
        trial.confirm()
    except OvertakenError as error:
        if ended := _again(pyfuncitem, trial, error):
            pyfuncitem.stash[ENDED] = ended
        return True
    except ENDINGS as error:
        pyfuncitem.stash[ENDED] = error
        return True
    return result


def _again(item: pytest.Function, trial: Trial, error: Exception) -> Exception | None:
    """Runs a scenario anew that the target's limit on requests has held up for too long; returns how it ended early."""
    from conformance.scenarios.endings import ENDINGS  # noqa: PLC0415 - as above
    from conformance.target.overtaken import OvertakenError  # noqa: PLC0415

    for _ in range(_MORE_TRIALS):
        trial = item.stash[TRIAL] = replace(trial, findings=[], remarks=[], doubtful=[], probes=0, more_findings=0)
        try:
            trial.target.freshen()
            trial.target.client.watch.begin()
            item.obj(target=trial)
            trial.confirm()
        except OvertakenError as late:
            error = late
        except ENDINGS as end:
            return end
        else:
            return None
    return error


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns the end of a scenario into a verdict, and keeps tracebacks and secrets out of the report."""
    report = yield
    requirement = requirement_of(item)
    if requirement is None:
        return report
    from conformance.scenarios.conclusion import conclude  # noqa: PLC0415 - not in other people's sessions

    state = item.config.stash[STATE]
    # It ends the session and says nothing of the target.
    state.interrupts.check()
    report.sections = [(name, state.safe(text)) for name, text in report.sections]
    # An interrupt ends the session and says nothing of the target.
    if call.excinfo is not None and not issubclass(call.excinfo.type, Exception | pytest.skip.Exception):
        return report
    if call.when == "setup" and call.excinfo is not None:
        outcome = conclude(None, requirement, call.excinfo.value)
    elif call.when == "call":
        error = call.excinfo.value if call.excinfo else item.stash.get(ENDED, None)
        outcome = conclude(item.stash.get(TRIAL, None), requirement, error)
    else:
        return report
    if outcome is None:
        # Without local variables, and made here: pytest shortens values, and half a secret is not recognised.
        crash = (
            call.excinfo.getrepr(style="short", showlocals=False) if call.excinfo else "the scenario claimed nothing"
        )
        report.longrepr = state.safe(str(crash))
        setattr(report, _FAULT_OF_THE_SUITE, item.nodeid)
        return report
    item.stash[OUTCOME] = outcome
    # xdist carries what JSON can hold from the worker to the controller.
    setattr(report, _CONFORMANCE, outcome.to_json())
    _dress(report, item, requirement, outcome, state)
    return report


def _dress(
    report: pytest.TestReport, item: pytest.Item, requirement: Requirement, outcome: Outcome, state: State
) -> None:
    """Gives the test report the outcome and the words that fit the verdict."""
    from conformance.reports.text import describe  # noqa: PLC0415

    verdict = outcome.verdict
    strict = bool(state.settings and state.settings.strict)
    known = None if verdict is Verdict.PASSED else state.baseline.covering(outcome)
    if known:
        # As pytest has it for what is expected to fail.
        report.outcome, report.longrepr = "skipped", describe(requirement, outcome)
        report.wasxfail = known.reason
    elif verdict is Verdict.FAILED or verdict is Verdict.INCONCLUSIVE or (verdict is Verdict.WARNED and strict):
        report.outcome = "failed"
        report.longrepr = describe(requirement, outcome)
    elif verdict in {Verdict.UNTESTED, Verdict.NOT_APPLICABLE}:
        path, line, _ = item.location
        report.outcome = "skipped"
        report.longrepr = (path, line or 0, f"{verdict.words}: {outcome.reason}")
    else:
        report.outcome = "passed"
        report.longrepr = None
    # The item's: pytest writes the JUnit report from the teardown's copy of them.
    item.user_properties += [("requirement", requirement.id), ("verdict", str(verdict))]


# -- Reporting -------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Shows verdicts in pytest's progress; our own summary tells the details, so pytest's need not."""
    data = getattr(report, _CONFORMANCE, None)
    if data is None or not isinstance(report, pytest.TestReport):
        return None
    verdict = Verdict(data["verdict"])
    if hasattr(report, "wasxfail"):
        return "known", "x", f"{verdict.words.upper()} (KNOWN)"
    letters = {Verdict.PASSED: ".", Verdict.FAILED: "F", Verdict.WARNED: "w", Verdict.NOTED: "n",
               Verdict.NOT_APPLICABLE: "-", Verdict.UNTESTED: "u", Verdict.INCONCLUSIVE: "?"}  # fmt: skip
    category = {Verdict.FAILED: "broken", Verdict.NOT_APPLICABLE: "not applicable"}.get(verdict, str(verdict))
    return category, letters[verdict], verdict.words.upper()


class _Collector:
    """Collects verdicts; under xdist this runs in the controller."""

    def __init__(self, state: State) -> None:
        self._state = state

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes the verdict from a scenario's report."""
        if data := getattr(report, _CONFORMANCE, None):
            outcome = Outcome.from_json(data)
            self._state.outcomes[outcome.requirement] = outcome
        elif fault := getattr(report, _FAULT_OF_THE_SUITE, None):
            self._state.suite_faults.append(fault)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:  # noqa: ARG001 - xdist's signature
    """Takes over what a worker of pytest-xdist knows of the run."""
    state = node.config.stash[STATE]
    data = getattr(node, "workeroutput", {}).get("jwt_conformance")
    if data:
        state.selected = True
        facts = json.loads(data)
        problem = problem_from(facts.pop("problem"))
        state.problem = state.problem or problem
        state.facts = state.facts.merged(RunFacts(**facts))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Closes the target, concludes, and writes the reports that were asked for."""
    config = session.config
    state = config.stash[STATE]
    if state.selected or state.outcomes:
        state.interrupts.put_off()
    state.close()
    if hasattr(config, "workerinput"):
        if state.selected:
            problem = [state.problem.exit_code, state.safe(str(state.problem))] if state.problem else None
            config.workeroutput["jwt_conformance"] = json.dumps({**state.facts.to_json(), "problem": problem})  # type: ignore[attr-defined]
        return
    judged = state.selected or state.outcomes
    if not judged or config.option.collectonly or state.problem or exitstatus in {3, 4}:
        return
    if not state.facts.base_url and not state.outcomes:
        return  # Nothing was run: pytest has said why.
    if state.settings is None:
        state.settings = settings_of(config)
        state.baseline = Baseline.read(state.settings.baseline, may_be_missing=state.settings.update_baseline)
    if not state.facts.base_url:
        state.facts = state.outline()
    conformant = state.conclude(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
    if state.problem or (exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED} and not conformant):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """Gives back the signals that the run has taken."""
    config.stash[STATE].interrupts.restore()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """A line per requirement, then what to do about each that is broken."""
    state = config.stash[STATE]
    for line in state.plan:
        terminalreporter.write_line(line)
    if state.problem and not state.told:
        terminalreporter.write_line(f"ERROR: {state.problem}", red=True)
    if state.post_mortem:
        terminalreporter.write_line(state.post_mortem, red=True)
    if state.verdicts is not None:
        from conformance.reports.terminal import summarise  # noqa: PLC0415

        summarise(state.verdicts, terminalreporter)

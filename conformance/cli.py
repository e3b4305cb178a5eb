"""The command `jwt-conformance`: thin, every subcommand a few lines over what it calls."""

from __future__ import annotations

import os
import sys
from functools import partial
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance import __version__
from conformance.catalogue import Tier, UnknownRequirementError, load
from conformance.catalogue.recipes import FRAMEWORKS, recipes_for
from conformance.errors import ConfigurationError, ConformanceError, nearest
from conformance.inert import inert
from conformance.interrupts import Interrupts
from conformance.options import BASE_URL, OPTIONS, check_writable, resolve
from conformance.verdicts.verdict_set import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from conformance.catalogue import Requirement
    from conformance.pytest_session import State
    from conformance.run import Run
    from conformance.target.doctor_lines import Line

EXIT_CODES = """\b
Exit codes: 0 conformant, 1 a requirement is broken, 2 usage or configuration,
3 incomplete (unreachable, rate-limited, inconclusive or nothing tested),
4 a fault of the suite itself."""

DISCOVER_EXIT_CODES = """\b
Exit codes: 0 the login and a protected route are proven, 2 usage or
configuration, 3 not found, or the target does not answer."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="jwt-conformance")
def main() -> None:
    """Is your login right? Checks an API with access and refresh tokens, requirement by requirement."""


def _target_options(command: Callable[..., Any], names: Container[str] | None = None) -> Callable[..., Any]:
    """The options of a run, or those of these names, and the URL as an argument."""
    for option in reversed([each for each in OPTIONS if names is None or each.name in names]):
        shown = f" [default: {option.default}]" if option.default else ""
        kind: dict[str, Any] = {"is_flag": True, "default": None} if option.is_switch else {"metavar": option.metavar}
        command = click.option(
            f"--{option.name}",
            option.dest,
            help=f"{option.help}{shown} [env: {option.variable}]",
            **kind,
        )(command)
    return click.argument("url", required=names is not None)(command)


def _given(url: str | None, options: dict[str, Any]) -> dict[str, str | bool | None]:
    return {BASE_URL.name: url, **{option.name: options.get(option.dest) for option in OPTIONS}}


def _fail(error: Exception) -> int:
    """Tells the user what is wrong; returns the exit code."""
    click.echo(f"jwt-conformance: {error}", err=True)
    return error.exit_code if isinstance(error, ConformanceError) else 2


RUN_EXAMPLES = """\b
Examples:
  run                                               the bundled reference server
  run http://localhost:8000 --tier hardened         a server that runs
  run http://localhost:3000 --launch 'node app.js'  one that is started
  run --app shop.web:create_app                     your own application
  run URL --report-html report.html --baseline known.toml"""


@main.command(epilog=f"{RUN_EXAMPLES}\n\n{EXIT_CODES}")
@_target_options
@click.option("--strict", is_flag=True, help="A broken SHOULD fails the run, too.")
@click.option(
    "-k",
    "keyword",
    metavar="EXPRESSION",
    help="Only scenarios whose name matches, as in pytest: -k refresh_02.",
)
@click.option("-n", "workers", metavar="N", help="So many processes, where pytest-xdist is installed.")
@click.option("-q", "--quiet", is_flag=True, help="Only what is wrong, and the result.")
@click.option("-v", "--verbose", is_flag=True, help="A line for each scenario as it ends.")
@click.option("--junitxml", metavar="FILE", help="Write a JUnit report.")
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
def run(url: str | None, strict: bool, keyword: str | None, workers: str | None, quiet: bool, verbose: bool,
        junitxml: str | None, pytest_args: tuple[str, ...], **options: Any) -> None:  # fmt: skip
    """Run the suite against URL, or against the bundled reference server.

    Further arguments after -- go to pytest.
    """
    if url and url.startswith("-"):
        # `run -- --durations=5`: without a URL the first of pytest's arguments stands in its place.
        pytest_args, url = (url, *pytest_args), None
    given = _given(url, options)
    try:
        # Asked here as well as in the plugin, so that a mistake is told before pytest is loaded.
        resolve(given, strict=strict, folder=Path.cwd())
        if junitxml:
            check_writable("junitxml", junitxml)
        if workers and find_spec("xdist") is None:
            raise ConfigurationError("-n needs pytest-xdist, which is not installed", "pip install pytest-xdist")
    except ConformanceError as error:
        sys.exit(_fail(error))
    args = [f"--{name}" if value is True else f"--{name}={value}" for name, value in given.items() if value is not None]
    args += ["--strict"] if strict else []
    args += ["-k", keyword] if keyword else []
    args += ["-n", workers] if workers else []
    args += ["-v"] if verbose else []
    args += [f"--junitxml={junitxml}"] if junitxml else []
    if not verbose:
        args += ["-qq" if quiet else "-q"]
    Interrupts().obey()
    try:
        code = _run_pytest([*args, *pytest_args])
    except KeyboardInterrupt:
        click.echo("interrupted before anything was judged", err=True)
        code = int(ExitCode.INCOMPLETE)
    sys.exit(code)


def _run_pytest(args: list[str]) -> int:
    import pytest  # noqa: PLC0415 - the other subcommands do without

    from conformance.plugin import STATE  # noqa: PLC0415

    sessions: list[State] = []

    class _Watcher:
        """Takes the conclusion out of the session before it ends."""

        @pytest.hookimpl(trylast=True)
        def pytest_unconfigure(self, config: pytest.Config) -> None:
            sessions.append(config.stash[STATE])
            # All has been said: from here on the exit code is at stake.
            Interrupts().put_off()

    scenarios = str(files("conformance") / "scenarios")
    own = ["--rootdir", scenarios, "-c", os.devnull, "-p", "no:cacheprovider", "--no-header", "--tb=short"]
    # Other people's plugins neither slow the run nor change it; scenarios claim in words and need no rewriting.
    own += ["--disable-plugin-autoload", "-p", "pytest_base_url.plugin", "-p", "conformance.plugin", "--assert=plain"]
    # It looks for garbage several times at the end, which takes a tenth of a second each.
    own += ["-p", "no:unraisableexception"]
    # No scenario writes a file, and its folder would be left behind.
    own += ["-p", "no:tmpdir"]
    own += ["-p", "xdist"] if "-n" in args else []
    plugins: list[object] = [_Watcher()]
    if sys.stdout.isatty() and not {"-v", "-n", "--plan"} & set(args):
        from conformance.reports.progress import Bar  # noqa: PLC0415 - only for who sees it

        plugins.append(Bar())
    code = pytest.main([scenarios, *own, *args], plugins=plugins)
    if not sessions:
        return int(ExitCode.USAGE)
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        click.echo("nothing was tested: no requirement is selected", err=True)
    return sessions[0].exit_code(code)


@main.command(epilog=f"Example: doctor http://localhost:8000 --target-profile simplejwt.\n\n{EXIT_CODES}")
@_target_options
def doctor(url: str | None, **options: Any) -> None:
    """Tell configuration from conformance: try the URL, the credentials and the profile, and stop there."""
    from conformance.run import open_target  # noqa: PLC0415

    try:
        settings = resolve(_given(url, options), strict=False, folder=Path.cwd())
        if settings.plan:
            raise ConfigurationError("the doctor has no plan", "ask for that of a run: jwt-conformance run --plan")
        with Interrupts().obeyed():
            run_ = open_target(settings)
            run_.target.client.pacing.tell = lambda words: click.echo(f"...     {inert(words)}")
            try:
                lines = list(_told(run_))
            except ConformanceError as error:
                click.echo(f"wrong   {run_.target.redactor.text(str(error))}")
                sys.exit(error.exit_code)
            finally:
                run_.close()
    except ConformanceError as error:
        sys.exit(_fail(error))
    if doubts := sum(bool(line.hint) for line in lines):
        click.echo(f"The suite can judge this target, but {doubts} of the above look like a mistake in the profile.")
        sys.exit(2)
    click.echo("The suite can judge this target.")


def _told(run_: Run) -> Iterator[Line]:
    """The doctor's lines, each printed as it comes."""
    for line in run_.examine():
        click.echo(f"{'doubt' if line.hint else 'ok':<7} {inert(run_.target.redactor.text(str(line)))}")
        yield line


LOAD_EXIT_CODES = """\b
Exit codes: 0 every promise was kept, 1 one was broken, 2 usage or
configuration, 3 incomplete (interrupted, unreachable or nothing seen),
4 a fault of the suite itself."""
LOAD_OPTIONS = (
    *("username", "password", "second-username", "second-password", "target-profile", "client-id", "client-secret"),
    *("intrusive", "report-json", "report-html"),
)


@main.command(
    name="load",
    epilog=f"Examples: load http://localhost:8000 --users 200 --duration 5m --report-html load.html;\n"
    f"load URL --workers 2.\n\n{LOAD_EXIT_CODES}",
)
@partial(_target_options, names=LOAD_OPTIONS)
@click.option("--users", default=10, show_default=True, type=click.IntRange(1), help="So many at once.")
@click.option("--duration", default="1m", show_default=True, metavar="TIME", help="For so long: 90s, 5m, 1h30m.")
@click.option("--spawn-rate", type=click.FloatRange(0.1), metavar="PER_SECOND", help="Default: all within ten seconds.")
@click.option(
    "--think",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="A user's pause between two actions, on average.",
)
@click.option("--accounts", default="", metavar="FILE", help="Accounts for the users: NAME,PASSWORD in each line.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="So many processes here.")
@click.option("--expect", default=0, type=click.IntRange(0), metavar="N", help="So many workers on other machines.")
@click.option(
    "--bind", default="0.0.0.0:5557", show_default=True, metavar="HOST:PORT", help="Where those find this one."
)
@click.option("--worker-of", default="", metavar="HOST:PORT", help="Be a worker of the one that listens there.")
@click.option(
    "--allow-unavailable", is_flag=True, help="503 and lost answers are part of the plan: hold them against nobody."
)
def load_(
    url: str,
    users: int,
    duration: str,
    spawn_rate: float | None,
    think: float,
    accounts: str,
    workers: int,
    expect: int,
    bind: str,
    worker_of: str,
    allow_unavailable: bool,
    **options: Any,
) -> None:
    """Live the life of tokens at URL as many users at once do, and see whether every promise is kept.

    Users log in, use their tokens, let them expire, refresh, log out; some replay spent tokens, or race.
    """
    try:
        if find_spec("locust") is None:
            raise ConfigurationError("load needs Locust, which is not installed", "pip install 'jwt-conformance[load]'")
        settings = resolve(_given(url, options), strict=False, folder=Path.cwd())
        # Changes sockets and threads, and so comes before whatever uses them.
        from conformance.load import command  # noqa: PLC0415

        wanted = command.Wanted(
            users, duration, spawn_rate, think, workers, expect, bind, worker_of, accounts, allow_unavailable
        )
        again = [sys.executable, "-m", "conformance", *sys.argv[1:]]
        sys.exit(command.run(settings, wanted, lambda line: click.echo(inert(line)), again))
    except ConformanceError as error:
        sys.exit(_fail(error))


@main.command(epilog=f"Example: discover http://localhost:8000 -o profile.toml.\n\n{DISCOVER_EXIT_CODES}")
@partial(_target_options, names=("username", "password", "client-id", "client-secret", "max-wait"))
@click.option("--openapi-url", default="", metavar="URL|FILE", help="The API's OpenAPI document; its path will do.")
@click.option("-o", "--output", metavar="FILE", help="Write the profile there, and not to standard output.")
def discover(url: str, openapi_url: str, output: str | None, **options: Any) -> None:
    """Find out how the API at URL speaks, and print the profile, with how sure each line is.

    Without credentials it tells what can be seen; with an account it logs in, and so proves its lines.
    """
    from conformance.discovery.report import discover as find_out  # noqa: PLC0415

    try:
        settings = resolve(_given(url, options), strict=False, folder=Path.cwd(), needs_account=False)
        if output:
            check_writable("output", output)
        report = find_out(settings, openapi_url)
        if output:
            Path(output).write_text(report.profile, encoding="utf-8")
    except ConformanceError as error:
        sys.exit(_fail(error))
    except OSError as error:
        sys.exit(_fail(ConfigurationError(f"--output {output!r} cannot be written: {error.strerror}")))
    for line in report.account:
        click.echo(line, err=True)
    if not output:
        click.echo(report.profile, nl=False)
    sys.exit(report.exit_code)


@main.command(
    epilog="Examples: init; init --url http://localhost:8000 --username alice --target-profile simplejwt --yes."
)
@click.option("--url", metavar="URL", help="The API under test.")
@click.option("--username", metavar="NAME", help="The account that the suite logs in with.")
@click.option("--second-username", metavar="NAME", help="A second account, for checks that need two people.")
@click.option("--target-profile", metavar="NAME|FILE", help="How the API speaks.")
@click.option("--tier", type=click.Choice([str(tier) for tier in Tier]), help="How far to go.")
@click.option("--baseline", metavar="FILE", help="Where known deviations are to be listed.")
@click.option("--report-html", metavar="FILE", help="Where to write the report for people.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: what is not given is left out.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(yes: bool, force: bool, **given: str | None) -> None:
    """Write a conformance.toml for this folder, after a few questions.

    Passwords are not asked for and never written: they belong in the environment, as CONFORMANCE_PASSWORD.
    """
    from conformance.initial import FILE, text  # noqa: PLC0415
    from conformance.reports.writing import write  # noqa: PLC0415
    from conformance.target.http import check_base_url  # noqa: PLC0415
    from conformance.target.profile import DEFAULT  # noqa: PLC0415
    from conformance.target.profile_files import load as load_profile  # noqa: PLC0415

    if Path(FILE).exists() and not force:
        sys.exit(_fail(ConfigurationError(f"{FILE} is there already", "--force replaces it")))
    questions = {
        "url": ("The API's URL", ""),
        "username": ("The account to log in with", ""),
        "second_username": ("A second account, if there is one", ""),
        "target_profile": ("How it speaks: a preset's name, or a file", "default"),
        "tier": ("How far to go: core, hardened or strict", str(Tier.CORE)),
    }
    for name, (question, usual) in questions.items():
        if given[name] is None and not yes:
            given[name] = click.prompt(question, default=usual, show_default=bool(usual))
    values = {name.replace("_", "-"): value for name, value in given.items() if value}
    try:
        if url := values.pop("url", ""):
            values["base-url"] = check_base_url(url)
        load_profile(values.get("target-profile", DEFAULT))
        if values.get("tier") not in {None, *map(str, Tier)}:
            raise ConfigurationError(f"there is no tier {values['tier']!r}{nearest(values['tier'], map(str, Tier))}")
        write(text(values), FILE)
    except ConformanceError as error:
        sys.exit(_fail(error))
    except OSError as error:
        sys.exit(_fail(ConfigurationError(f"{FILE} cannot be written: {error.strerror}")))
    click.echo(f"{FILE} is written. Next: export CONFORMANCE_PASSWORD=..., and jwt-conformance doctor")


@main.command(epilog='Example, for bash: eval "$(jwt-conformance completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes SHELL complete this command's options and arguments."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, "jwt-conformance", "_JWT_CONFORMANCE_COMPLETE").source())


@main.command(
    name="list",
    epilog="Examples: list --tier core; list --area refresh; list --source 'RFC 9700'; list --needs signing_key.",
)
@click.option("--tier", type=click.Choice([str(tier) for tier in Tier]), help="Up to this tier.")
@click.option("--area", metavar="NAME", help="Only this area, such as refresh.")
@click.option("--source", metavar="TEXT", help="Only what rests on a source with this in its name, such as 'RFC 8725'.")
@click.option("--needs", metavar="NAME", help="Only what needs this of the target or of you, such as signing_key.")
def list_(tier: str | None, area: str | None, source: str | None, needs: str | None) -> None:
    """List the requirements."""
    everything = load()
    areas = [item.name for item in everything.areas]
    if area not in {None, *areas}:
        sys.exit(_fail(ConfigurationError(f"there is no area {area!r}{nearest(str(area), areas)}")))
    capabilities = everything.vocabulary.capabilities
    if needs not in {None, *capabilities}:
        sys.exit(_fail(ConfigurationError(f"nothing needs {needs!r}{nearest(str(needs), capabilities)}")))
    for requirement in everything.up_to(Tier(tier) if tier else Tier.STRICT):
        cited = not source or any(source.casefold() in name.casefold() for name in requirement.sources)
        if cited and area in {None, requirement.area} and (not needs or needs in requirement.needs):
            click.echo(f"{requirement.id:<11} {requirement.level:<6} {requirement.tier!s:<9} {requirement.title}")


@main.command(
    epilog="Examples: coverage --summary; coverage 'RFC 6749'; coverage 'asvs 5.0 v7'.",
)
@click.argument("source", required=False)
@click.option("--summary", is_flag=True, help="A line for each source.")
def coverage(source: str | None, summary: bool) -> None:
    """Tell, per SOURCE, which statements are checked, which cannot be tested from outside, and why."""
    from conformance.catalogue.coverage import sources  # noqa: PLC0415
    from conformance.reports.coverage import counts, details  # noqa: PLC0415

    everything = sources(load())
    chosen = [item for item in everything if (source or "").casefold() in item.name.casefold()]
    if not chosen:
        known = [item.name for item in everything]
        sys.exit(_fail(ConfigurationError(f"no requirement cites {source!r}{nearest(str(source).upper(), known)}")))
    exact = [item for item in chosen if source and item.name.casefold().endswith(source.casefold())]
    for item in exact or chosen:
        for line in [counts(item)] if summary else details(item):
            click.echo(line)


@main.command(epilog="Examples: explain REFRESH-02; explain SIG-02 --framework express.")
@click.argument("requirement_id", metavar="ID")
@click.option("--framework", type=click.Choice(list(FRAMEWORKS)), help="Show what to write in this framework.")
def explain(requirement_id: str, framework: str | None) -> None:
    """Tell what a requirement wants, why, how it is checked and how to fix it."""
    try:
        requirement = load().get(requirement_id.upper())
    except UnknownRequirementError as error:
        sys.exit(_fail(error))
    click.echo(_explanation(requirement))
    if framework:
        click.echo(_code(requirement, framework))


def _code(requirement: Requirement, framework: str) -> str:
    name, _ = FRAMEWORKS[framework]
    recipes = recipes_for(requirement.id)
    if not recipes:
        return f"\nNo recipe for {name} yet: see fix above."
    return "\n".join(f"\n{recipe.title} ({name}):\n\n{recipe.code[framework]}" for recipe in recipes)


def _explanation(requirement: Requirement) -> str:
    from conformance.reports.text import field  # noqa: PLC0415

    lines = [f"{requirement.id} {requirement.title}", f"  {requirement.level}, tier {requirement.tier}"]
    for name, text in (
        ("sources", "; ".join(requirement.sources)),
        ("needs", ", ".join(requirement.needs)),
        ("how", requirement.how),
        ("accepts", requirement.accepts),
        ("why", requirement.why),
        ("fix", requirement.fix),
    ):
        if text:
            lines += field(name, text)
    return "\n".join(lines)


COMPARE_EXIT_CODES = """\b
Exit codes: 0 nothing got worse, 1 the last report has a requirement broken or
unclear that the first has not, 2 usage."""


@main.command(
    epilog=f"Examples: compare before.json after.json; compare --html matrix.html lab/*.json.\n\n{COMPARE_EXIT_CODES}"
)
@click.argument("files", metavar="REPORT.json...", nargs=-1, required=True)
@click.option("--html", "page", metavar="FILE", help="Draw it as a page, in one file.")
@click.option("--all", "everything", is_flag=True, help="Also what does not differ.")
def compare(files: tuple[str, ...], page: str | None, everything: bool) -> None:
    """Tell what changed between two reports of --report-json, or how several implementations fare."""
    from conformance.reports.comparison import Comparison  # noqa: PLC0415
    from conformance.reports.reading import read  # noqa: PLC0415
    from conformance.reports.writing import write  # noqa: PLC0415

    try:
        if len(files) < 2:  # noqa: PLR2004
            raise ConfigurationError("one report is nothing to compare", "name two or more")
        if page:
            check_writable("html", page)
        comparison = Comparison.of((file, read(file)) for file in files)
        if page:
            write(comparison.page(), page)
    except ConformanceError as error:
        sys.exit(_fail(error))
    except OSError as error:
        sys.exit(_fail(ConfigurationError(f"--html {page!r} cannot be written: {error.strerror}")))
    for line in comparison.told(everything=everything):
        click.echo(line)
    sys.exit(int(comparison.got_worse))


FLEET_EXIT_CODES = """\b
Exit codes: 0 all targets are conformant, 1 a requirement is broken on one,
2 usage or configuration, and nothing was run, 3 one is incomplete: interrupted,
unreachable, misconfigured, hung or crashed, 4 a fault of the suite itself."""


@main.command(
    epilog=f"Examples: fleet targets.toml; fleet targets.toml --scheduler tcp://10.0.0.1:8786.\n\n{FLEET_EXIT_CODES}"
)
@click.argument("file", metavar="TARGETS.toml")
@click.option("--out", default="fleet", show_default=True, metavar="DIR", help="Where each target's report goes.")
@click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="So many runs at a time. Default: one for each processor."
)
@click.option("--scheduler", default="", metavar="ADDRESS", help="Run on the workers of this Dask scheduler instead.")
@click.option(
    "--timeout",
    default=900.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="End a run that takes longer.",
)
@click.option("--fresh", is_flag=True, help="Also judge anew what is finished.")
@click.option(
    "-k", "keyword", default="", metavar="EXPRESSION", help="Only scenarios whose name matches, in every run."
)
@click.option("--report-html", default="", metavar="FILE", help="Write the comparison as a page, in one file.")
@click.option("--report-json", default="", metavar="FILE", help="Write it as JSON.")
@click.option("--all", "everything", is_flag=True, help="Also tell of requirements that do not differ.")
def fleet(file: str, out: str, workers: int | None, scheduler: str, timeout: float, fresh: bool, keyword: str,
          report_html: str, report_json: str, everything: bool) -> None:  # fmt: skip
    """Run the suite against every target that a file names, several at once, and compare them.

    What was interrupted goes on where it stopped, by the same command.
    """
    from conformance.fleet.conducting import Orders, conduct  # noqa: PLC0415

    try:
        orders = Orders(
            file, out, workers, scheduler, timeout, fresh, keyword, everything, page=report_html, report=report_json
        )
        code = conduct(orders)
    except ConformanceError as error:
        sys.exit(_fail(error))
    sys.exit(code)


@main.group()
def lab() -> None:
    """Real implementations and real vulnerabilities, in a checkout: what the suite says of them."""


@lab.command(name="list")
def lab_list() -> None:
    """List what the lab has."""
    for name, what in _lab().known().items():
        click.echo(f"{name:<40} {what.facts['language']:<11} {what.facts['summary']}")


@lab.command(
    name="run",
    epilog="Examples: lab run simplejwt; lab run --language go; lab run --update flask-jwt-extended.",
)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--language", metavar="NAME", help="Only what is written in this language.")
@click.option("-j", "--jobs", default=2, show_default=True, type=click.IntRange(1), help="So many at a time.")
@click.option("--update", is_flag=True, help="Write the verdicts into expected.toml; reasons are left to you.")
def lab_run(names: tuple[str, ...], language: str | None, jobs: int, update: bool) -> None:
    """Install and start each of NAME, or all, run the suite on it, and compare with what is expected.

    The scoreboard takes over what was found: docs/scoreboard.json and docs/scoreboard.md. Exit codes: 0 all is as
    expected, 1 something is not, 2 usage, 3 something could not be installed, started or judged.
    """
    try:
        scoring = _lab()
        chosen = scoring.chosen(names, language)
    except ConformanceError as error:
        sys.exit(_fail(error))
    scores = scoring.score(chosen, jobs, lambda score: click.echo("\n".join(map(inert, scoring.told(score)))))
    scoring.conclude(scores, update=update)
    problems = any(score.problem for score in scores)
    sys.exit(3 if problems else int(not all(score.is_as_expected or update for score in scores)))


def _lab() -> Any:
    """The lab's own code, which is no part of an installation.

    Raises:
        ConfigurationError: there is no checkout.
    """
    checkout = Path(__file__).resolve().parent.parent
    if not (checkout / "lab" / "scoring.py").exists():
        raise ConfigurationError("the lab is not here", "it comes with a checkout of the project, not with the package")
    sys.path.insert(0, str(checkout))
    return import_module("lab.scoring")


@main.command(epilog="Examples: serve --port 8123; serve --fault refresh-token-opens-everything.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--fault", metavar="NAME", help="Start with this deliberate fault (see --list-faults).")
@click.option("--list-faults", is_flag=True, help="List the deliberate faults and what each breaks.")
def serve(host: str, port: int, fault: str | None, list_faults: bool) -> None:
    """Serve the reference server. Settings come from REFERENCE_* variables."""
    from conformance.target import bundled  # noqa: PLC0415

    if list_faults:
        for name, breaks, does in bundled.faults():
            click.echo(f"{name:<40} {', '.join(breaks):<24} {does}")
        return
    try:
        bundled.serve(host, port, fault, announce=click.echo)
    except ConformanceError as error:
        sys.exit(_fail(error))
    except KeyboardInterrupt:
        click.echo("stopped")

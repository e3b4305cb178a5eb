"""The command `jwt-conformance`: thin, every subcommand a few lines over what it calls."""

from __future__ import annotations

import os
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance import __version__
from conformance.catalogue import Tier, UnknownRequirementError, load
from conformance.errors import ConfigurationError, ConformanceError
from conformance.inert import inert
from conformance.options import BASE_URL, OPTIONS, check_writable, resolve
from conformance.target.profile import nearest
from conformance.verdicts.verdict_set import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.catalogue import Requirement

EXIT_CODES = """\b
Exit codes: 0 conformant, 1 a requirement is broken, 2 usage or configuration,
3 incomplete (unreachable, rate-limited, inconclusive or nothing tested),
4 a fault of the suite itself."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="jwt-conformance")
def main() -> None:
    """Is your login right? Checks an API with access and refresh tokens, requirement by requirement."""


def _target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a run, and the URL as an argument."""
    for option in reversed(OPTIONS):
        shown = f" [default: {option.default}]" if option.default else ""
        command = click.option(
            f"--{option.name}",
            option.dest,
            metavar=option.metavar,
            help=f"{option.help}{shown} [env: {option.variable}]",
        )(command)
    return click.argument("url", required=False)(command)


def _given(url: str | None, options: dict[str, Any]) -> dict[str, str | None]:
    return {BASE_URL.name: url, **{option.name: options.get(option.dest) for option in OPTIONS}}


def _fail(error: Exception) -> int:
    """Tells the user what is wrong; returns the exit code."""
    click.echo(f"jwt-conformance: {error}", err=True)
    return error.exit_code if isinstance(error, ConformanceError) else 2


@main.command(epilog=EXIT_CODES)
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
    args = [f"--{name}={value}" for name, value in given.items() if value is not None]
    args += ["--strict"] if strict else []
    args += ["-k", keyword] if keyword else []
    args += ["-n", workers] if workers else []
    args += ["-v"] if verbose else []
    args += [f"--junitxml={junitxml}"] if junitxml else []
    if not verbose:
        args += ["-qq" if quiet else "-q"]
    sys.exit(_run_pytest([*args, *pytest_args]))


def _run_pytest(args: list[str]) -> int:
    import pytest  # noqa: PLC0415 - the other subcommands do without

    from conformance import plugin  # noqa: PLC0415

    verdicts: list[plugin.State] = []

    class _Watcher:
        """Takes the conclusion out of the session before it ends."""

        @pytest.hookimpl(trylast=True)
        def pytest_unconfigure(self, config: pytest.Config) -> None:
            verdicts.append(config.stash[plugin.STATE])

    scenarios = str(files("conformance") / "scenarios")
    own = ["--rootdir", scenarios, "-c", os.devnull, "-p", "no:cacheprovider", "--no-header", "--tb=short"]
    # Other people's plugins neither slow the run nor change it; scenarios claim in words and need no rewriting.
    own += ["--disable-plugin-autoload", "-p", "pytest_base_url.plugin", "-p", "conformance.plugin", "--assert=plain"]
    own += ["-p", "xdist"] if "-n" in args else []
    code = pytest.main([scenarios, *own, *args], plugins=[_Watcher()])
    if not verdicts:
        return int(ExitCode.USAGE)
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        click.echo("nothing was tested: no requirement is selected", err=True)
    return plugin.exit_code(verdicts[0], code)


@main.command(epilog=EXIT_CODES)
@_target_options
def doctor(url: str | None, **options: Any) -> None:
    """Tell configuration from conformance: try the URL, the credentials and the profile, and stop there."""
    from conformance.run import open_target  # noqa: PLC0415

    try:
        settings = resolve(_given(url, options), strict=False, folder=Path.cwd())
        run_ = open_target(settings)
        try:
            for line in run_.examine():
                click.echo(f"ok      {inert(run_.target.redactor.text(line))}")
        except ConformanceError as error:
            click.echo(f"wrong   {run_.target.redactor.text(str(error))}")
            sys.exit(error.exit_code)
        finally:
            run_.target.close()
    except ConformanceError as error:
        sys.exit(_fail(error))
    click.echo("The suite can judge this target.")


@main.command(name="list")
@click.option("--tier", type=click.Choice([str(tier) for tier in Tier]), help="Up to this tier.")
@click.option("--area", metavar="NAME", help="Only this area, such as refresh.")
def list_(tier: str | None, area: str | None) -> None:
    """List the requirements."""
    areas = [item.name for item in load().areas]
    if area not in {None, *areas}:
        sys.exit(_fail(ConfigurationError(f"there is no area {area!r}{nearest(str(area), areas)}")))
    for requirement in load().up_to(Tier(tier) if tier else Tier.STRICT):
        if area in {None, requirement.area}:
            click.echo(f"{requirement.id:<11} {requirement.level:<6} {requirement.tier!s:<9} {requirement.title}")


@main.command()
@click.argument("requirement_id", metavar="ID")
def explain(requirement_id: str) -> None:
    """Tell what a requirement wants, why, how it is checked and how to fix it."""
    try:
        requirement = load().get(requirement_id.upper())
    except UnknownRequirementError as error:
        sys.exit(_fail(error))
    click.echo(_explanation(requirement))


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


@main.command()
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


if __name__ == "__main__":
    main()

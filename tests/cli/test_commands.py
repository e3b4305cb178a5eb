"""The subcommands that judge nothing."""

from __future__ import annotations

import json
import socket
import tomllib
from typing import TYPE_CHECKING

import pytest

from conformance.catalogue import load
from conformance.verdicts.model import Outcome, Verdict
from tests.hostile.command import CREDENTIALS, assert_told, clean, jwt_conformance
from tests.hostile.servers import Server, answers, reference_app
from tests.reports.made import ordinary, report

if TYPE_CHECKING:
    from pathlib import Path

BOUND_S = 20


def test_list_names_every_requirement_once(tmp_path: Path) -> None:
    """Its order is the catalogue's."""
    listed = jwt_conformance("list", folder=tmp_path, bound=BOUND_S).out.splitlines()
    assert [line.split()[0] for line in listed] == [requirement.id for requirement in load()]


def test_list_can_be_narrowed(tmp_path: Path) -> None:
    """By tier and by area."""
    listed = jwt_conformance("list", "--tier", "core", "--area", "refresh", folder=tmp_path, bound=BOUND_S).out
    assert listed.startswith("REFRESH-01 ")
    assert {line.split("-")[0] for line in listed.splitlines()} == {"REFRESH"}
    assert " hardened " not in listed


def test_list_knows_its_areas(tmp_path: Path) -> None:
    """A slip in an area's name is told, with the nearest."""
    assert_told(jwt_conformance("list", "--area", "refersh", folder=tmp_path), 2, "did you mean 'refresh'?")


@pytest.mark.parametrize("name", ["REFRESH-02", "refresh-02"])
def test_explain_tells_all_of_a_requirement(name: str, tmp_path: Path) -> None:
    """What it wants, its sources, why and the fix; its name may be written in lower case."""
    ended = jwt_conformance("explain", name, folder=tmp_path, bound=BOUND_S)
    assert ended.code == 0
    requirement = load().get("REFRESH-02")
    assert ended.out.startswith(f"REFRESH-02 {requirement.title}\n")
    told = " ".join(ended.out.split())
    for text in (*requirement.sources, requirement.why, requirement.fix):
        assert " ".join(text.split()) in told


def test_explain_names_the_nearest_requirement(tmp_path: Path) -> None:
    """An unknown name is a mistake with a suggestion."""
    ended = jwt_conformance("explain", "refrsh-02", folder=tmp_path, bound=BOUND_S)
    assert_told(ended, 2, "REFRSH-02")
    assert "did you mean REFRESH-02?" in ended.err


def test_coverage_tells_both_halves_of_a_source(tmp_path: Path) -> None:
    """Which requirements rest on which clause, which statements nobody can test from outside, and why."""
    ended = jwt_conformance("coverage", "rfc 6749", folder=tmp_path, bound=BOUND_S)
    told = " ".join(ended.out.split())
    assert ended.code == 0
    assert "§5.1 LOGIN-01" in told
    for statement in load().not_testable:
        cited = any(source.startswith("RFC 6749") for source in statement.sources)
        assert (" ".join(statement.statement.split()) in told) == cited
        assert not cited or " ".join(statement.reason.split()) in told


def test_coverage_can_be_summed_up(tmp_path: Path) -> None:
    """A line a source."""
    ended = jwt_conformance("coverage", "--summary", folder=tmp_path, bound=BOUND_S)
    assert [line for line in ended.out.splitlines() if line.startswith("RFC 7662 ")]
    assert len(ended.out.splitlines()) == len({line.split("  ")[0] for line in ended.out.splitlines()})


def test_coverage_knows_its_sources(tmp_path: Path) -> None:
    """A document that nothing cites is a mistake, told with the nearest."""
    assert_told(jwt_conformance("coverage", "RFC 6748", folder=tmp_path), 2, "did you mean 'RFC 6749'?")


def test_the_doctor_finds_a_good_target_good(url: str, tmp_path: Path) -> None:
    """A line for each thing that works, and the conclusion."""
    ended = jwt_conformance("doctor", url, folder=tmp_path, bound=BOUND_S)
    assert ended.code == 0
    *lines, conclusion = ended.out.splitlines()
    assert len(lines) >= 6
    assert all(line.startswith("ok ") for line in lines)
    assert conclusion == "The suite can judge this target."


def test_the_doctor_examines_the_bundled_server(tmp_path: Path) -> None:
    """Without a URL there is a target as well, and its signing key fits."""
    ended = jwt_conformance("doctor", folder=tmp_path, env=clean(), bound=BOUND_S)
    assert ended.code == 0, ended.said
    assert "the signing key fits" in ended.out


def test_accounts_without_a_url_are_a_mistake(tmp_path: Path) -> None:
    """The bundled server makes accounts of its own, so somebody forgot the URL."""
    ended = jwt_conformance("doctor", folder=tmp_path, env=clean(**CREDENTIALS), bound=BOUND_S)
    assert_told(ended, 2, "accounts are given, but no URL")


def test_the_doctor_stops_at_what_is_wrong(url: str, tmp_path: Path) -> None:
    """What worked before is told first."""
    env = clean(**CREDENTIALS) | {"CONFORMANCE_PASSWORD": "no-such-thing"}
    ended = jwt_conformance("doctor", url, folder=tmp_path, env=env, bound=BOUND_S)
    assert_told(ended, 2, "refuses the account 'alice' with 401")
    assert ended.out.startswith(f"ok      {url} answers\nwrong ")


@pytest.mark.parametrize("text", ["\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\u202eesrever", "\x9b2J"])
def test_a_target_does_not_steer_the_terminal(text: str, tmp_path: Path) -> None:
    """What a message repeats of an answer is inert, and stays on its line."""
    body = f'{{"msg": "{text}\n\nERROR: everything is fine"}}'
    choose = lambda number: answers("401 Unauthorized") if number == 1 else answers("400 Bad Request", body)  # noqa: E731
    for command in ("doctor", "run"):
        with Server(choose) as server:
            ended = jwt_conformance(command, server.url, folder=tmp_path, bound=BOUND_S)
        assert_told(ended, 2, "does not understand the login: 400")
        assert not set(ended.said) & set("\x1b\x07\u202e\x9b")


def test_an_unknown_fault_is_told(tmp_path: Path) -> None:
    """`serve --fault` suggests the nearest fault."""
    ended = jwt_conformance("serve", "--fault", "access-token-refreshs", folder=tmp_path, env=clean(), bound=BOUND_S)
    assert_told(ended, 2, "no fault named 'access-token-refreshs'; did you mean 'access-token-refreshes'?")


def test_every_fault_is_listed_with_what_it_breaks(tmp_path: Path) -> None:
    """`serve --list-faults` has a line for each."""
    ended = jwt_conformance("serve", "--list-faults", folder=tmp_path, env=clean(), bound=BOUND_S)
    assert ended.code == 0
    assert "access-token-refreshes" in ended.out
    assert all("-" in line.split()[1] for line in ended.out.splitlines())


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    """`serve` does not take another program's port, and says so."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = jwt_conformance("serve", "--port", str(port), folder=tmp_path, env=clean(), bound=BOUND_S)
    assert_told(ended, 2, f"127.0.0.1:{port} cannot be listened on: Address already in use")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("REFERENCE_ACCESS_LIFETIME", "soon", "REFERENCE_ACCESS_LIFETIME: 'soon' is no duration"),
        ("REFERENCE_ACESS_LIFETIME", "5m", "REFERENCE_ACESS_LIFETIME is no setting; did you mean"),
    ],
)
def test_a_mistake_in_a_setting_of_the_server_is_told(variable: str, value: str, words: str, tmp_path: Path) -> None:
    """By `serve`, and by a run against the bundled server."""
    env = clean(**{variable: value})
    assert_told(jwt_conformance("serve", folder=tmp_path, env=env, bound=BOUND_S), 2, words)
    assert_told(jwt_conformance("run", folder=tmp_path, env=env, bound=BOUND_S), 2, words)


# -- init, completion, list, compare -----------------------------------------------------------------------------------


def test_a_first_configuration_is_what_a_run_reads(tmp_path: Path) -> None:
    """What was given stands there, no password does, and the doctor takes it from there."""
    given = ("--url", "http://127.0.0.1:9", "--username", "alice", "--target-profile", "simplejwt", "--tier", "strict")
    ended = jwt_conformance("init", *given, "--yes", folder=tmp_path, env=clean(), bound=BOUND_S)
    assert ended.code == 0, ended.said
    assert tomllib.loads((tmp_path / "conformance.toml").read_text()) == {
        "base-url": "http://127.0.0.1:9",
        "username": "alice",
        "target-profile": "simplejwt",
        "tier": "strict",
    }
    told = jwt_conformance("doctor", folder=tmp_path, env=clean(CONFORMANCE_PASSWORD="x"), bound=BOUND_S)
    assert told.code == 3
    assert "127.0.0.1:9 refuses connections" in told.said


@pytest.mark.parametrize("where", ["file", "environment"])
def test_a_url_is_taken_from_a_file_or_the_environment(where: str, tmp_path: Path) -> None:
    """A run needs no URL on its command line, where it stands in the configuration."""
    with reference_app() as app, Server(app=app) as server:
        env = clean(**CREDENTIALS)
        if where == "file":
            (tmp_path / "conformance.toml").write_text(f"base-url = '{server.url}'\n")
        else:
            env["CONFORMANCE_BASE_URL"] = server.url
        ended = jwt_conformance("run", "-k", "access_01", folder=tmp_path, env=env)
    assert ended.code == 0, ended.said
    assert f"target    {server.url}" in ended.out


def test_a_configuration_that_is_there_is_kept(tmp_path: Path) -> None:
    """Unless its owner says otherwise."""
    (tmp_path / "conformance.toml").write_text("tier = 'core'\n")
    ended = jwt_conformance("init", "--yes", folder=tmp_path, env=clean(), bound=BOUND_S)
    assert_told(ended, 2, "conformance.toml is there already")
    assert (tmp_path / "conformance.toml").read_text() == "tier = 'core'\n"
    assert jwt_conformance("init", "--yes", "--force", folder=tmp_path, env=clean(), bound=BOUND_S).code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--target-profile", "simplejw"), "did you mean 'simplejwt'?"),
        (("--url", "localhost:8000"), "localhost:8000"),
    ],
)
def test_a_first_configuration_holds_nothing_that_means_nothing(
    options: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    """A mistake is told before anything is written."""
    ended = jwt_conformance("init", "--yes", *options, folder=tmp_path, env=clean(), bound=BOUND_S)
    assert_told(ended, 2, words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_how_to_complete(shell: str, tmp_path: Path) -> None:
    """What is printed names the command, and asks it for its words."""
    ended = jwt_conformance("completion", shell, folder=tmp_path, env=clean(), bound=BOUND_S)
    assert ended.code == 0
    assert "_JWT_CONFORMANCE_COMPLETE" in ended.out
    words = jwt_conformance(
        folder=tmp_path,
        env=clean(
            _JWT_CONFORMANCE_COMPLETE="bash_complete", COMP_WORDS="jwt-conformance run --report-", COMP_CWORD="2"
        ),
        bound=BOUND_S,
    )
    assert "plain,--report-html" in words.out


@pytest.mark.parametrize(
    ("options", "first", "others"),
    [
        (("--source", "rfc 9700", "--tier", "core"), "REFRESH-05", {"REFRESH-05", "EXPIRY-04", "EXPIRY-07"}),
        (("--needs", "introspection"), "INTRO-01", {f"INTRO-0{number}" for number in range(1, 5)}),
    ],
)
def test_a_list_has_what_was_asked_for(options: tuple[str, ...], first: str, others: set[str], tmp_path: Path) -> None:
    """By source and by what the target or the user has to have."""
    ended = jwt_conformance("list", *options, folder=tmp_path, env=clean(), bound=BOUND_S)
    names = [line.split()[0] for line in ended.out.splitlines()]
    assert names[0] == first
    assert set(names) == others


def test_two_runs_are_compared(tmp_path: Path) -> None:
    """What got worse comes first, with what was seen, and fails the command; a page is drawn."""
    better = report(Outcome("LOGIN-01", Verdict.PASSED), Outcome("ACCESS-02", Verdict.PASSED))
    for name, made in (("old", better), ("new", ordinary())):
        (tmp_path / f"{name}.json").write_text(json.dumps(made))

    ended = jwt_conformance("compare", "old.json", "new.json", "--html", "page.html", folder=tmp_path, bound=BOUND_S)
    back = jwt_conformance("compare", "new.json", "old.json", folder=tmp_path, bound=BOUND_S)
    same = jwt_conformance("compare", "old.json", "old.json", folder=tmp_path, bound=BOUND_S)
    three = jwt_conformance("compare", "old.json", "new.json", "old.json", folder=tmp_path, bound=BOUND_S)

    assert (ended.code, back.code, same.code, three.code) == (1, 0, 0, 0)
    lines = ended.out.splitlines()
    assert any(line.startswith("worse   ACCESS-02   passed -> failed") for line in lines)
    assert "a refresh token at GET /profile: accepted" in ended.out
    assert "better  ACCESS-02   failed -> passed" in back.out
    assert "0 of 2 requirements differ" in same.out
    assert "ACCESS-02      ✓    ✗    ✓" in three.out
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no report"),
        ("{}", "is no report"),
        (None, "cannot be read: No such file"),
    ],
)
def test_what_is_no_report_is_not_compared(content: str | None, words: str, tmp_path: Path) -> None:
    """The file is named, and nothing is guessed."""
    (tmp_path / "good.json").write_text(json.dumps(ordinary()))
    if content is not None:
        (tmp_path / "bad.json").write_text(content)
    ended = jwt_conformance("compare", "good.json", "bad.json", folder=tmp_path, env=clean(), bound=BOUND_S)
    assert_told(ended, 2, words)


def test_a_report_of_another_version_is_not_compared(tmp_path: Path) -> None:
    """Nor is one that somebody has edited by half."""
    for change, words in (({"schema": 2}, "a report of version 2"), ({"requirements": [{"id": "X"}]}, "is damaged")):
        (tmp_path / "bad.json").write_text(json.dumps({**ordinary(), **change}))
        ended = jwt_conformance("compare", "bad.json", "bad.json", folder=tmp_path, env=clean(), bound=BOUND_S)
        assert_told(ended, 2, words)

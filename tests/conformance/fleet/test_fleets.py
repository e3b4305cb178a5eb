"""Fleets on this machine: what happens to one target is nobody else's business, and what is interrupted goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from jsonschema import Draft202012Validator

from tests.clocks.running import eventually
from tests.conformance.fleet.fleets import BOUND_S, Fleet, fleet, outcomes, report, target, written
from tests.hostile.command import PASSWORD
from tests.hostile.servers import Server, after, always, hangs, reference_app
from tests.packaging.processes import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = json.loads((CHECKOUT / "specs" / "fleet.schema.json").read_text(encoding="utf-8"))
FAULTS = {"honest": "", "opens": "refresh-token-opens-everything", "open": "dashboard-open-to-anyone"}
BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
CRASHES = {
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
    "leaves": "import os\nos._exit(0)\n",
}
LOITERS = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
from reference_server import create_app
app = create_app()
"""


@pytest.fixture
def honest() -> Iterator[str]:
    """The URL of a server with nothing wrong in it."""
    with reference_app() as app, Server(app=app) as server:
        yield server.url


def summary(folder: Path) -> dict[str, Any]:
    """The fleet's report, which keeps to its schema."""
    data: dict[str, Any] = json.loads((folder / "all.json").read_text(encoding="utf-8"))
    Draft202012Validator(SCHEMA).validate(data)
    return data


def test_each_target_gets_the_verdict_that_it_deserves(tmp_path: Path) -> None:
    """Beside one that hangs, one that is not there, one whose password is wrong and two whose processes crash."""
    for name, source in CRASHES.items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(Server(app=stack.enter_context(reference_app(fault))))
            for name, fault in FAULTS.items()
        }
        # It answers the doctor, and then nothing more; of what is bounded in a run, nothing is as short as this.
        servers["hangs"] = stack.enter_context(Server(after(3, hangs), stack.enter_context(reference_app())))
        tables = [target(name, base_url=server.url) for name, server in servers.items()]
        tables += [target("away", base_url="http://127.0.0.1:9")]
        tables += [target("locked-out", base_url=servers["honest"].url, password="no-such-password")]
        tables += [target(name, app=f"{name}:app") for name in CRASHES]
        written(tmp_path, *tables)
        reports = ("--report-json", "all.json", "--report-html", "all.html")
        ended = fleet(tmp_path, "--timeout", "6", *reports)

    assert ended.code == 1, ended.said
    assert outcomes(tmp_path) == {
        "honest": "conformant", "opens": "broken", "open": "broken", "hangs": "hung", "away": "incomplete",
        "locked-out": "misconfigured", "killed": "crashed", "leaves": "crashed",
    }  # fmt: skip
    verdicts = {row["id"]: row["verdicts"] for row in summary(tmp_path)["requirements"]}
    assert verdicts["ACCESS-02"]["opens"] == "failed"
    assert verdicts["ACCESS-02"]["honest"] == verdicts["LOGIN-01"]["opens"] == "passed"
    assert report(tmp_path, "opens")["result"] == "broken"
    for words in (
        "hung: not at its end after 6 s, and ended",
        "away        not judged: 127.0.0.1:9 refuses connections",
        "locked-out  misconfigured: ",
        "killed      crashed: the run's process was ended by SIGKILL",
        "leaves      crashed: the run's process ended with 0, and without a report",
    ):
        assert words in ended.out
    assert "[8/8]" in ended.out
    page = (tmp_path / "all.html").read_text(encoding="utf-8")
    assert "the run&#39;s process was ended by SIGKILL" in page
    assert "\u2717 failed" in page
    assert PASSWORD not in ended.said + page + "".join(map(str, contents(tmp_path / "fleet").values()))


def contents(folder: Path) -> dict[str, str]:
    """Every file in a folder, and what is in it."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_is_finished_is_not_run_again(honest: str, tmp_path: Path) -> None:
    """Unless the user wants it; what was not judged is tried again."""
    written(tmp_path, target("one", base_url=honest), target("away", base_url="http://127.0.0.1:9"))

    def again(*options: str) -> list[str]:
        ended = fleet(tmp_path, *options, keyword="login_01")
        assert ended.code == 3, ended.said
        return sorted(line.split()[1] for line in ended.out.splitlines() if line.startswith("["))

    assert again() == ["away", "one"]
    before = contents(tmp_path / "fleet")
    assert again() == ["away"]
    after = contents(tmp_path / "fleet")
    assert {name for name in before if before[name] != after[name]} <= {".fleet/away.json"}
    assert again("--fresh") == ["away", "one"]


@BOTH
def test_an_interrupted_fleet_goes_on_where_it_stopped(number: signal.Signals, tmp_path: Path) -> None:
    """What was finished is compared and kept; what was under way has ended, with all that it had started."""
    good = [False]
    with (
        reference_app() as app,
        Server(lambda n: None if good[0] or n <= 3 else hangs, app) as slow,
        Server(app=app) as quick,
    ):
        accounts = 'username = "alice"\npassword = "${FLEET_PASSWORD}"\n'
        text = target("quick", base_url=quick.url) + accounts + target("slow", base_url=slow.url) + accounts
        written(tmp_path, text, target("later"), defaults="")
        running = Fleet(tmp_path, "--workers", "1", "--report-json", "all.json")
        running.when(lambda: "quick" in running.said and slow.connections > 3)
        began = time.monotonic()
        stopped = running.ended(number)
        assert time.monotonic() - began < 8
        assert stopped.code == 3, stopped.said
        assert "interrupted: 1 of 3 targets are finished; the same command goes on with the others" in stopped.err
        assert outcomes(tmp_path) == {"quick": "conformant", "slow": "not_run", "later": "not_run"}
        assert summary(tmp_path)["complete"] is False
        assert set(contents(tmp_path / "fleet")) == {"quick.json", ".fleet/quick.json", ".fleet/lock"}

        good[0] = True
        ended = fleet(tmp_path, "--report-json", "all.json")
    assert ended.code == 0, ended.said
    assert "1 of 3 targets are finished already" in ended.out
    assert " quick " not in "".join(line for line in ended.out.splitlines() if line.startswith("["))
    assert outcomes(tmp_path) == {"quick": "conformant", "slow": "conformant", "later": "conformant"}


def test_runs_end_with_a_fleet_that_is_killed(tmp_path: Path) -> None:
    """The pipe to it is closed, and so they end; the next fleet clears up, and goes on."""
    with reference_app() as app, Server(after(3, hangs), app) as server:
        written(tmp_path, target("slow", base_url=server.url))
        running = Fleet(tmp_path)
        running.when(lambda: server.connections > 3)
        running.process.kill()
        running.process.wait()
        assert eventually(lambda: not running.traces.processes(), 10), running.traces.processes()
        assert [path.name for path in (tmp_path / "fleet" / ".fleet" / "runs").iterdir()] != []
        fleet(tmp_path, "--timeout", "1")
        assert set(contents(tmp_path / "fleet")) == {".fleet/slow.json", ".fleet/lock"}


def test_nothing_of_a_run_is_left(honest: str, tmp_path: Path) -> None:
    """An application's own processes end with its run, in its time or not."""
    (tmp_path / "loiters.py").write_text(LOITERS, encoding="utf-8")
    written(tmp_path, target("loiters", app="loiters:app", username="alice", password="Looking-glass-1871"),
            target("other", base_url=honest))  # fmt: skip
    ended = fleet(tmp_path)  # looks for what is left
    assert ended.code == 0, ended.said


def test_secrets_stay_where_they_are(tmp_path: Path) -> None:
    """Not in any process's command line while the fleet runs, and nowhere in what it writes and says."""
    key = "a-signing-key-of-32-characters-xx"
    (tmp_path / "key").write_text(key)
    literal = "a-literal-password-17"
    with reference_app() as app, Server(after(3, hangs), app) as server:
        written(
            tmp_path,
            target("variable", base_url=server.url, signing_key="@key"),
            target("literal", base_url=server.url, password=literal),
        )
        running = Fleet(tmp_path, "--timeout", "4", "--report-json", "all.json", "--report-html", "all.html")
        running.when(lambda: server.connections > 3)
        shown = "\n".join(command for command in map(command_of, psutil.process_iter()))
        assert "conformance.fleet.child" in shown
        ended = running.ended()
    everywhere = shown + ended.said + str(contents(tmp_path / "fleet")) + (tmp_path / "all.json").read_text()
    everywhere += (tmp_path / "all.html").read_text()
    assert [secret for secret in (PASSWORD, key, literal) if secret in everywhere] == []


def command_of(process: psutil.Process) -> str:
    """What `ps` shows of it."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_a_fleet_is_told_everything_by_its_file(honest: str, tmp_path: Path) -> None:
    """Neither the environment nor a configuration file beside it changes a run."""
    (tmp_path / "conformance.toml").write_text('report-html = "one-for-all.html"\ntier = "no tier"\n')
    written(tmp_path, target("one", base_url=honest))
    running = Fleet(tmp_path, keyword="login_01")
    ended = running.ended()
    assert ended.code == 0, ended.said
    assert not (tmp_path / "one-for-all.html").exists()


def test_two_fleets_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second is told, and the first goes on."""
    with Server(always(hangs)) as server:
        written(tmp_path, target("slow", base_url=server.url))
        first = Fleet(tmp_path, "--timeout", "3")
        first.when(lambda: server.connections > 0)
        command = [first.process.args[0], "fleet", "targets.toml"]  # type: ignore[index]
        second = subprocess.run(
            command, cwd=tmp_path, env=first.env, capture_output=True, text=True, check=False, timeout=BOUND_S
        )
        assert second.returncode == 2
        assert "another fleet writes into 'fleet'" in second.stderr
        ended = first.ended()
    assert ended.code == 3
    assert "hung" in ended.out


def test_hostile_targets_steer_no_terminal(tmp_path: Path) -> None:
    """What a run repeats of an answer is inert in the fleet's lines, and on its line."""
    evil = "\x1b[31mred\x1b[0m\u202e\n[2/2] evil conformant"
    app = Path(tmp_path, "evil.py")
    app.write_text(f"raise SystemExit({evil!r})\n", encoding="utf-8")
    written(tmp_path, target("evil", app="evil:app"))
    ended = fleet(tmp_path)
    assert ended.code == 3, ended.said
    assert not set(ended.said) & set("\x1b\u202e")
    assert [line for line in ended.out.splitlines() if line.startswith("[2/2]")] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--workers", "0"), "--workers"),
        (("--timeout", "0"), "--timeout"),
        (("--timeout", "nan"), "is no number of seconds"),
        (("--workers", "2", "--scheduler", "tcp://127.0.0.1:9"), "--workers is for this machine"),
        (("--report-json", "fleet/one.json"), "is where the report of 'one' goes"),
        (("--report-html", "."), "is a folder"),
        (("--out", "targets.toml"), "--out 'targets.toml' cannot be written"),
    ],
)
def test_mistakes_in_the_options_are_told(options: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """In a sentence, and nothing runs."""
    written(tmp_path, target("one"), defaults="")
    ended = fleet(tmp_path, *options)
    assert ended.code == 2, ended.said
    assert words in ended.err
    assert not (tmp_path / "fleet" / "one.json").exists()


def test_a_terminal_is_shown_a_bar(honest: str, tmp_path: Path) -> None:
    """And the lines of the targets above it."""
    written(tmp_path, target("one", base_url=honest))
    master, slave = os.openpty()
    running = Fleet(tmp_path, keyword="login_01", terminal=slave, env={"TERM": "xterm", "COLUMNS": "100"})
    os.close(slave)
    shown = b""
    # The terminal of which nobody holds the other end is an error on some systems, and empty on others.
    with suppress(OSError):
        while piece := os.read(master, 65536):
            shown += piece
    os.close(master)
    assert running.ended().code == 0
    assert "[1/1] one  conformant: 1 passed" in shown.decode()
    assert "0/1" in shown.decode()

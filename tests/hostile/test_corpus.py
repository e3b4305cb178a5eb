"""Every server of the corpus is survived: in bounded time and memory, with a reason, and without a word to others."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.hostile import corpus_answers, corpus_wire
from tests.hostile.command import clean
from tests.hostile.corpus import CORPUS, GOOD, PROFILE, SETTINGS, Hostile, World
from tests.hostile.servers import Server, always, answers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _pytest.mark import ParameterSet

assert corpus_answers
assert corpus_wire  # both fill the corpus

LONGEST_S = 60
MOST_MB = 250
IMPATIENT = "import conformance.target.http as http\nhttp.ANSWER_TIMEOUT_S = 2\n"
"""What a run loads, so that a server that never answers costs the test less than a user's patience."""
SECRET = "a-secret-of-the-user"


@dataclass(frozen=True)
class Survived:
    """What a run left behind."""

    code: int
    said: str
    took_s: float
    peak_mb: float
    elsewhere: int
    files: list[str]
    rows: list[dict[str, Any]]

    @property
    def verdicts(self) -> dict[str, str]:
        """By requirement."""
        return {row["id"]: row["verdict"] for row in self.rows}

    @property
    def reasons(self) -> list[str]:
        """Of what is inconclusive."""
        return [row["reason"] for row in self.rows if row["verdict"] == "inconclusive"]


def meet(hostile: Hostile, folder: Path, good: int = 0) -> Survived:
    """Runs the command against the server, in folders where nothing else is."""
    places = {name: folder / name for name in ("here", "temporary", "plugins")}
    for place in places.values():
        place.mkdir()
    (folder / "profile.toml").write_text(PROFILE, encoding="utf-8")
    (folder / "private").write_text(SECRET, encoding="utf-8")
    (places["plugins"] / "impatient.py").write_text(IMPATIENT, encoding="utf-8")
    env = clean(
        **SETTINGS, PYTHONPATH=str(places["plugins"]), TMPDIR=str(places["temporary"]), HOME=str(places["here"])
    )
    printed = folder / "printed"
    report = folder / "report.json"
    with (
        Server(always(answers("200 OK", "{}"))) as other,
        hostile.start(World(other.url, (folder / "private").as_uri()), good) as server,
        printed.open("wb") as out,
    ):
        command = [Path(sys.executable).with_name("jwt-conformance"), hostile.command, server.url, *hostile.options]
        if hostile.command == "run":
            command += ["--report-json", report, "--max-wait", "2", "--target-profile", folder / "profile.toml"]
            command += ["--", "-p", "impatient"]
        began = time.monotonic()
        run = subprocess.Popen(
            command, cwd=places["here"], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
        peak = 0.0
        while run.poll() is None:
            peak = max(peak, resident_mb(run.pid))
            if time.monotonic() - began > LONGEST_S:
                run.kill()
                run.wait()
            time.sleep(0.05)
        took_s = time.monotonic() - began
    files = [str(file) for name in ("here", "temporary") for file in places[name].rglob("*")]
    said = printed.read_text(encoding="utf-8", errors="replace")
    written = report.read_text(encoding="utf-8") if report.exists() else ""
    rows = json.loads(written)["requirements"] if written else []
    return Survived(run.returncode, said + written, took_s, peak, other.connections, files, rows)


def resident_mb(pid: int) -> float:
    """The resident memory of a process and of all that it has started, in MB."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return float(sum(each.memory_info().rss for each in (process, *process.children(recursive=True))) / 1e6)
    return 0.0


def named(chosen: Iterable[Hostile]) -> list[ParameterSet]:
    """A case of each."""
    return [pytest.param(hostile, id=hostile.name) for hostile in chosen]


def assert_survived(survived: Survived) -> None:
    """The run ended in time, small, without a crash; nothing went elsewhere, no secret was told, no file is left."""
    assert survived.took_s < LONGEST_S
    assert survived.peak_mb < MOST_MB
    assert "Traceback" not in survived.said
    assert "INTERNALERROR" not in survived.said
    assert not re.search(r"no answer from \S+ \(\w+\)", survived.said), survived.said
    secrets = [SECRET, *(value for name, value in SETTINGS.items() if "PASSWORD" in name)]
    assert [secret for secret in secrets if secret in survived.said or json.dumps(secret) in survived.said] == []
    assert survived.elsewhere == 0
    assert survived.files == []


def test_the_corpus_is_as_large_as_promised() -> None:
    """It holds at least 35 servers."""
    assert len(CORPUS) >= 35


@pytest.mark.parametrize("hostile", named(CORPUS.values()))
def test_a_hostile_server_is_survived(hostile: Hostile, tmp_path: Path) -> None:
    """Whatever a server does from its first answer on, the run ends in order, and says why."""
    survived = meet(hostile, tmp_path)
    assert_survived(survived)
    may = {0, 1, 2, 3} if hostile.may_pass or hostile.command == "discover" else {1, 2, 3}
    assert survived.code in may, survived.said
    assert re.search(hostile.words, survived.said), survived.said


@pytest.mark.parametrize("hostile", named(hostile for hostile in CORPUS.values() if hostile.comes_late))
def test_a_server_that_turns_hostile_is_survived(hostile: Hostile, tmp_path: Path) -> None:
    """What was judged before stays judged, nothing fails, and each requirement that is left has a reason."""
    survived = meet(hostile, tmp_path, GOOD)
    assert_survived(survived)
    assert survived.code == 3, survived.said
    assert set(survived.verdicts.values()) == {"passed", "inconclusive"}
    assert all(survived.reasons)

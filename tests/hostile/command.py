"""What tests of the command share: runs of the command, and what a run said."""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from tests.packaging.processes import environment, run

if TYPE_CHECKING:
    from collections.abc import Mapping

USERNAME, PASSWORD = "alice", "a-walrus-and-9-oysters"
SECOND_USERNAME, SECOND_PASSWORD = "bob", "the-carpenter-wept-42"
CREDENTIALS = {
    "CONFORMANCE_USERNAME": USERNAME,
    "CONFORMANCE_PASSWORD": PASSWORD,
    "CONFORMANCE_SECOND_USERNAME": SECOND_USERNAME,
    "CONFORMANCE_SECOND_PASSWORD": SECOND_PASSWORD,
}
# What a developer's machine or a CI job may have set, and what would send requests elsewhere or trust more.
_OTHERS = re.compile(r"(?i).*_proxy$|ssl_cert_\w+$|(requests|curl)_ca_bundle$|(database|redis)_url$|columns$|coverage_")
_PROBLEM = re.compile(r"^(?:ERROR|jwt-conformance|wrong) *:? (.*)", re.MULTILINE)
_JUDGED = re.compile(r"::test_(\w+_\d+) ([A-Z ]+?) +\[", re.MULTILINE)
_VERDICT = re.compile(r"^(passed|failed|warned|noted) +[A-Z]+-\d+ ", re.MULTILINE)


@dataclass(frozen=True)
class Ended:
    """A run that has ended."""

    code: int
    out: str
    err: str
    seconds: float
    folder: Path

    @property
    def said(self) -> str:
        """Everything that the user sees."""
        return self.out + self.err

    @property
    def report(self) -> dict[str, Any]:
        """The JSON report."""
        data: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return data

    @property
    def verdicts(self) -> dict[str, str]:
        """The JSON report's verdicts, by requirement."""
        return {row["id"]: row["verdict"] for row in self.report["requirements"]}

    @property
    def in_order(self) -> list[tuple[str, str]]:
        """What `-v` told of each requirement, as it was judged."""
        lines = _JUDGED.findall(self.out)
        return [(name.upper().replace("_", "-"), words.strip().lower()) for name, words in lines]

    @property
    def properties(self) -> list[dict[str, str]]:
        """The properties of each test case in the JUnit report."""
        cases = ET.parse(self.folder / "junit.xml").iter("testcase")  # noqa: S314 - our own file
        return [{item.attrib["name"]: item.attrib["value"] for item in case.iter("property")} for case in cases]

    @property
    def problems(self) -> list[str]:
        """The messages that say why there are no verdicts."""
        return _PROBLEM.findall(self.said)

    def judged_nothing(self) -> bool:
        """Whether no requirement is said to hold, or not to, in whatever was printed or written."""
        verdicts = set(self.verdicts.values()) if (self.folder / "report.json").exists() else set()
        return not (verdicts or _VERDICT.search(self.out))


def assert_told(ended: Ended, code: int, words: str) -> None:
    """The run ended with this exit code and one message with these words, and judged nothing."""
    assert ended.code == code, ended.said
    assert len(ended.problems) == 1, ended.said
    assert words in ended.problems[0]
    assert "Traceback" not in ended.said
    assert "INTERNALERROR" not in ended.said
    assert ended.judged_nothing(), ended.said


def clean(**settings: str) -> dict[str, str]:
    """An environment without anybody's configuration, and with `settings`."""
    return {name: value for name, value in environment().items() if not _OTHERS.match(name)} | settings


def start(*command: str, folder: Path, env: Mapping[str, str] | None = None, bound: float = 60) -> Ended:
    """Runs a command of this Python in `folder` to its end, which comes within `bound` seconds."""
    started = time.monotonic()
    program = str(Path(sys.executable).with_name(command[0]))
    ended = run([program, *command[1:]], cwd=folder, env=clean(**CREDENTIALS) if env is None else env, timeout=bound)
    return Ended(ended.returncode, ended.stdout, ended.stderr, time.monotonic() - started, folder)


def jwt_conformance(*arguments: str, folder: Path, env: Mapping[str, str] | None = None, bound: float = 60) -> Ended:
    """Runs the command."""
    return start("jwt-conformance", *arguments, folder=folder, env=env, bound=bound)


def judge(url: str, *options: str, folder: Path, env: Mapping[str, str] | None = None, bound: float = 60) -> Ended:
    """`jwt-conformance run`, with both reports."""
    reports = ("--report-json", "report.json", "--junitxml", "junit.xml")
    return jwt_conformance("run", url, *reports, *options, folder=folder, env=env, bound=bound)


def plain_pytest(*options: str, folder: Path, env: Mapping[str, str] | None = None, bound: float = 60) -> Ended:
    """Runs the scenarios as an installation does without the command."""
    scenarios = ("-p", "no:cacheprovider", "--pyargs", "conformance.scenarios")
    return start("pytest", *scenarios, *options, folder=folder, env=env, bound=bound)


def plugin(folder: Path, name: str, source: str) -> dict[str, str]:
    """An environment in which `-p name` loads `source` into the run: what a test changes in the suite."""
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    return clean(PYTHONPATH=str(folder), **CREDENTIALS)

"""`toxw` is all that a fresh checkout needs."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packaging.processes import CHECKOUT, environment, run, run_well

# Stands in for pip: "installs" a tox that prints what it was given and exits 3, or gives up halfway.
PIP = """
import os, pathlib, sys, time
tox = pathlib.Path(sys.argv[sys.argv.index("--target") + 1], "tox")
tox.mkdir(parents=True)
(tox / "__init__.py").touch()
if "PIP_FAILS" in os.environ:
    sys.exit("pip: nothing to be had")
time.sleep(0.2)
(tox / "run.py").write_text('''
import json, os, sys
def run(arguments):
    print(json.dumps([arguments, os.getcwd(), sys.path, os.environ.get("PYTHONPATH")]))
    raise SystemExit(3)
''')
"""


@dataclass
class Copy:
    """A checkout of its own, with nothing done in it yet, for an interpreter whose pip is the stand-in."""

    top: Path
    pip: Path

    def start(self, *arguments: str, cwd: Path | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
        """`toxw` with the arguments, run from its top or from `cwd`."""
        env = environment(PYTHONPATH=str(self.pip), **settings)
        return run([sys.executable, self.top / "toxw", *arguments], cwd=cwd or self.top, env=env)

    def installed(self) -> list[Path]:
        """What lies in the checkout's .tox."""
        return list((self.top / ".tox").iterdir())


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A fresh copy."""
    top, pip = tmp_path / "checkout", tmp_path / "stand-in" / "pip"
    top.mkdir()
    for name in ("toxw", "tox.ini", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, top)
    pip.mkdir(parents=True)
    (pip / "__init__.py").touch()
    (pip / "__main__.py").write_text(PIP)
    return Copy(top, pip.parent)


def test_a_fresh_checkout_gets_the_real_tox_for_itself(copy: Copy, tmp_path: Path) -> None:
    """The first call installs tox into the checkout, the second only runs it; the home gets no package."""
    home = tmp_path / "home"
    home.mkdir()
    env = environment(HOME=str(home), PIP_NO_CACHE_DIR="1")
    command = [sys.executable, str(copy.top / "toxw"), "--version"]
    first, second = (run(command, cwd=tmp_path, env=env) for _ in range(2))
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert first.stdout == second.stdout
    assert first.stdout.startswith("4.")
    assert str(copy.top / ".tox") in first.stdout
    assert (first.stderr, second.stderr) == ("toxw: installing tox into .tox (once)\n", "")
    assert not (home / ".local").exists()


def test_the_project_configures_tox(copy: Copy) -> None:
    """The tox that is fetched reads tox.ini: by default it runs every part of it."""
    command = [sys.executable, str(copy.top / "toxw"), "list", "--no-desc", "-q"]
    assert run_well(command, cwd=copy.top).split() == ["lint", "types", "docs", "conformance", "py3"]


def test_arguments_and_exit_code_pass_through(copy: Copy) -> None:
    """Every argument reaches tox as it is, and its exit code becomes that of toxw."""
    ended = copy.start("-e", "conformance", "--", "-k", "a b")
    assert ended.returncode == 3
    assert ended.stdout.startswith('[["-e", "conformance", "--", "-k", "a b"], ')


def test_tox_runs_at_the_top_wherever_it_is_called_from(copy: Copy, tmp_path: Path) -> None:
    """Called from another folder, toxw still means its own checkout."""
    assert f'"{copy.top}"' in copy.start(cwd=tmp_path).stdout


def test_tox_sees_its_own_installation_and_the_standard_library_only(copy: Copy) -> None:
    """Packages of the interpreter do not join in, and the caller's PYTHONPATH is handed on unchanged."""
    _, _, path, exported = ast.literal_eval(copy.start().stdout)
    assert Path(path[0]) in copy.installed()
    assert not {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), str(copy.top)} & set(path)
    assert exported == str(copy.pip)


def test_a_failure_of_pip_is_shown_and_leaves_nothing_behind(copy: Copy) -> None:
    """The answer is what pip said, with exit code 1; the next call starts afresh."""
    ended = copy.start(PIP_FAILS="1")
    assert ended.returncode == 1
    assert ended.stderr.endswith("pip: nothing to be had\n")
    assert not copy.installed()
    assert copy.start().returncode == 3


def test_two_calls_at_once_both_run(copy: Copy) -> None:
    """Whoever is second takes the first one's installation, whole."""
    env = environment(PYTHONPATH=str(copy.pip))
    calls = [
        subprocess.Popen(
            [sys.executable, copy.top / "toxw"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(2)
    ]
    assert [call.wait(60) for call in calls] == [3, 3]
    assert len(copy.installed()) == 1


def test_an_interpreter_without_pip_is_told_in_one_line(copy: Copy, tmp_path: Path) -> None:
    """Without pip there is one line that says how to get it, and exit code 2."""
    run_well([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], cwd=tmp_path)
    python = tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin") / "python"
    ended = run([python, copy.top / "toxw"], cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == f"toxw: {python} has no pip: install it (Debian, Ubuntu: python3-pip)\n"


def test_an_old_interpreter_is_told_in_one_line(copy: Copy) -> None:
    """Python 3.10 is told what is needed, with exit code 2, before anything is installed."""
    old = (
        "import runpy, sys; sys.version_info = (3, 10, 4, 'final', 0); "
        f"runpy.run_path({str(copy.top / 'toxw')!r}, run_name='__main__')"
    )
    ended = run([sys.executable, "-c", old], cwd=copy.top)
    assert ended.returncode == 2
    assert ended.stderr == "toxw: needs Python 3.11 or newer; this is 3.10.4\n"
    assert not (copy.top / ".tox").exists()


def test_an_old_interpreter_can_read_the_script() -> None:
    """The line above reaches whoever has Python 3.6 to 3.10: the script's syntax is no newer."""
    ast.parse((CHECKOUT / "toxw").read_text(), feature_version=(3, 6))


def test_a_checkout_that_cannot_be_written_to_is_told_in_one_line(copy: Copy) -> None:
    """Where .tox cannot be made the reason is given, without a traceback."""
    (copy.top / ".tox").write_text("in the way")
    ended = copy.start()
    assert ended.returncode == 2
    assert ended.stderr.startswith("toxw: cannot install tox into the checkout: ")
    assert ended.stderr.count("\n") == 1


def test_continuous_integration_runs_the_command_that_the_readme_names() -> None:
    """The README's test command and CI's are the same one, and both entry commands can be started by name."""
    assert "exec ./toxw </dev/null\n" in (CHECKOUT / ".ci/run").read_text()
    assert "\n./toxw" in (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert os.access(CHECKOUT / "toxw", os.X_OK)
    assert os.access(CHECKOUT / ".ci/run", os.X_OK)

"""The gates for CI: what their shell steps do with a right server, a wrong one, and with inputs that are no options."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from conformance.options import OPTIONS, REPORTS
from tests.hostile.command import PASSWORD, USERNAME, clean
from tests.hostile.servers import Server, reference_app
from tests.packaging.processes import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

ACTION: dict[str, Any] = yaml.safe_load((CHECKOUT / "action.yml").read_text(encoding="utf-8"))
GITLAB: dict[str, Any] = yaml.safe_load((CHECKOUT / "docs/examples/gitlab-ci.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")
BY_OPTIONS = {
    *("app", "clock", "libfaketime", "launch-timeout", "public-key", "intrusive", "canary-host", "rate", "plan"),
    *("concurrency", "disposable-username", "disposable-password", "second-client-id", "second-client-secret"),
    *("update-baseline", "launch", "fuzz-time", "fuzz-seed", "fuzz-stories", "openapi-url", *REPORTS),
}
"""Options of a run that are no inputs: rare, of no use in CI, or the action's own business."""


class Runner:
    """What GitHub does with the action's shell steps, in a folder.

    Attributes:
        outputs: of the step `run`.
    """

    def __init__(self, folder: Path, **inputs: str) -> None:
        """Takes inputs by name, with underscores for hyphens."""
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert given.keys() <= ACTION["inputs"].keys()
        self._folder = folder
        self._inputs = {name: given.get(name, row.get("default", "")) for name, row in ACTION["inputs"].items()}
        self._files = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in self._files.values():
            file.touch()
        # The step that installs is tried by itself: it takes a while.
        (folder / "temp" / "jwt-conformance").mkdir(parents=True)
        (folder / "temp" / "jwt-conformance" / "bin").symlink_to(Path(sys.executable).parent)

    @property
    def outputs(self) -> dict[str, str]:
        """What the step `run` has put out."""
        return dict(line.split("=", 1) for line in self._files["GITHUB_OUTPUT"].read_text().splitlines())

    @property
    def summary(self) -> str:
        """The job's summary."""
        return self._files["GITHUB_STEP_SUMMARY"].read_text()

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """Runs one shell step by its name."""
        step = next(step for step in STEPS if step.get("name") == name)
        own = {key: EXPRESSION.sub(lambda found: self._value(found[1]), text) for key, text in step["env"].items()}
        files = {key: str(file) for key, file in self._files.items()}
        env = clean(RUNNER_TEMP=str(self._folder / "temp"), **files, **own)
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        return subprocess.run(command, cwd=self._folder, env=env, capture_output=True, text=True, check=False)

    def _value(self, expression: str) -> str:
        context, _, name = expression.rpartition(".")
        match context:
            case "inputs":
                return self._inputs[name]
            case "steps.run.outputs":
                return self.outputs[name]
            case "github":
                return str(CHECKOUT)
        raise AssertionError(expression)


@pytest.fixture
def right() -> Iterator[str]:
    """The URL of a server that keeps every requirement."""
    with reference_app() as app, Server(app=app) as server:
        yield server.url


# -- The action --------------------------------------------------------------------------------------------------------


def test_the_action_has_what_github_asks_of_one() -> None:
    """A composite action: each step of its own has a shell, each of somebody else's a version."""
    assert ACTION["runs"]["using"] == "composite"
    assert {"name", "description", "inputs", "outputs", "runs"} <= ACTION.keys()
    for step in STEPS:
        assert ("run" in step and step["shell"] == "bash") or re.fullmatch(r"[\w-]+(/[\w-]+)+@v\d+", step["uses"])
    assert all(row["description"] for row in (*ACTION["inputs"].values(), *ACTION["outputs"].values()))


def test_no_input_becomes_a_part_of_a_script() -> None:
    """Inputs and outputs reach a shell by its environment alone."""
    assert [step["name"] for step in STEPS if "run" in step and "${{" in step["run"]] == []


def test_every_option_is_an_input_or_is_left_out_on_purpose() -> None:
    """A new option of a run is not forgotten, and an input that is one reaches it."""
    run = next(step for step in STEPS if step.get("name") == "Run")
    options = {option.name: option for option in OPTIONS}
    inputs = options.keys() & ACTION["inputs"].keys()
    assert options.keys() - inputs == BY_OPTIONS
    assert {options[name].variable: f"${{{{ inputs.{name} }}}}" for name in inputs}.items() <= run["env"].items()
    assert not any(options[name].secret and "secret" not in ACTION["inputs"][name]["description"] for name in inputs)


def test_the_action_passes_a_right_server_and_leaves_its_reports(right: str, tmp_path: Path) -> None:
    """Exit code, outputs, summary, and all reports in the folder that is uploaded."""
    runner = Runner(tmp_path, url=right, username=USERNAME, password=PASSWORD, options="-k 'access_01 or sig_01'")
    ended = runner.run("Run")
    assert ended.returncode == 0, ended.stderr
    assert runner.outputs == {"exit-code": "0", "result": "conformant"}
    assert runner.summary.startswith("# ")
    assert "conformant" in runner.summary.splitlines()[0]
    names = {path.name for path in (tmp_path / "jwt-conformance").iterdir()}
    assert names == {"report.html", "report.json", "report.sarif", "summary.md", "badge.json", "junit.xml"}
    assert runner.run("Conclude").returncode == 0
    assert PASSWORD not in ended.stdout + ended.stderr + runner.summary


def test_the_action_fails_at_last_for_a_wrong_server(tmp_path: Path) -> None:
    """The step that runs the suite does not fail, so that the reports are uploaded; the last one does."""
    with reference_app("refresh-token-opens-everything") as app, Server(app=app) as server:
        runner = Runner(tmp_path, url=server.url, username=USERNAME, password=PASSWORD, options="-k access_02")
        ended = runner.run("Run")
    assert ended.returncode == 0
    assert runner.outputs == {"exit-code": "1", "result": "broken"}
    assert "ACCESS-02" in runner.summary
    sarif = json.loads((tmp_path / "jwt-conformance" / "report.sarif").read_text())
    assert {result["ruleId"] for result in sarif["runs"][0]["results"]} == {"ACCESS-02"}
    assert runner.run("Conclude").returncode == 1


def test_the_action_starts_the_server(tmp_path: Path) -> None:
    """With the command that is given; and stops it."""
    program = shlex.quote(str(Path(sys.executable).with_name("jwt-conformance")))
    runner = Runner(
        tmp_path, url="http://127.0.0.1:18473", start=f"{program} serve --port 18473", username="alice",
        password="Looking-glass-1871", options="-k access_01",
    )  # fmt: skip
    ended = runner.run("Run")
    assert runner.outputs["result"] == "conformant", ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"url": "http://127.0.0.1:9", "username": "a", "password": "b"}, "3"),
        ({"url": "no url", "username": "a", "password": "b"}, "2"),
        ({"tier": "hardcore"}, "2"),
        ({"options": "--no-such-option"}, "2"),
    ],
)
def test_what_cannot_be_judged_fails_with_its_own_code(inputs: dict[str, str], code: str, tmp_path: Path) -> None:
    """No server, a URL that is none, an option that does not exist: never a success."""
    runner = Runner(tmp_path, **inputs)
    runner.run("Run")
    assert runner.outputs["exit-code"] == code
    assert runner.run("Conclude").returncode == int(code)


@pytest.mark.parametrize("hostile", ["$(touch owned)", "; touch owned", "`touch owned`", "' \" ; touch owned"])
@pytest.mark.parametrize("name", ["url", "options", "username", "reports", "baseline"])
def test_an_input_is_never_a_command(name: str, hostile: str, tmp_path: Path) -> None:
    """Whatever a pull request may put into one."""
    runner = Runner(tmp_path, **{"username": "a", "password": "b", name: hostile})
    runner.run("Run")
    assert list(tmp_path.rglob("owned")) == []


def test_the_action_installs_its_own_checkout() -> None:
    """Unless another version is asked for, pip is given the folder of the action."""
    install = next(step for step in STEPS if step.get("name") == "Install")
    assert install["env"]["CHECKOUT"] == "${{ github.action_path }}"
    script = install["run"].replace('"$RUNNER_TEMP/jwt-conformance/bin/python"', "echo").replace("python -m venv", ":")
    for version, wanted in (("", "/its/checkout"), ("jwt-conformance==1.0", "jwt-conformance==1.0")):
        env = clean(VERSION=version, CHECKOUT="/its/checkout", RUNNER_TEMP="/nowhere")
        told = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=True).stdout
        assert told.split()[-1] == wanted


# -- GitLab and the container ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "code"), [("", 0), ("refresh-token-opens-everything", 1)])
def test_the_template_for_gitlab_opens_to_a_right_server_alone(fault: str, code: int, tmp_path: Path) -> None:
    """Its script, as a runner executes it, with the variables of a job that extends it."""
    (job,) = GITLAB.values()
    (tmp_path / ".jwt-conformance").mkdir()
    (tmp_path / ".jwt-conformance" / "bin").symlink_to(Path(sys.executable).parent)
    lines = [line for line in job["script"] if "venv" not in line and "pip install" not in line]
    assert len(lines) == 1
    with reference_app(fault) as app, Server(app=app) as server:
        env = clean(
            **job["variables"], CONFORMANCE_BASE_URL=server.url, CONFORMANCE_USERNAME=USERNAME,
            CONFORMANCE_PASSWORD=PASSWORD,
        )  # fmt: skip
        command = ["bash", "-eo", "pipefail", "-c", lines[0]]
        ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stdout + ended.stderr
    junit = job["artifacts"]["reports"]["junit"].replace("$JWT_CONFORMANCE_REPORTS", "jwt-conformance")
    assert (tmp_path / junit).exists()


def test_an_example_stands_on_the_page_as_it_is_in_its_file() -> None:
    """Who copies from the guide gets what is tested here, and each example is valid YAML."""
    guide = (CHECKOUT / "docs/guides/ci.md").read_text(encoding="utf-8")
    shown = re.findall(r"<!-- (docs/examples/\S+) -->\n```yaml\n(.*?)```", guide, re.DOTALL)
    assert [name for name, _ in shown] == ["docs/examples/github-action.yml", "docs/examples/github-workflow.yml"]
    for name, text in shown:
        assert (CHECKOUT / name).read_text(encoding="utf-8") == text
    action = yaml.safe_load(dict(shown)["docs/examples/github-action.yml"])
    used = next(step["with"] for step in action["jobs"]["login"]["steps"] if "with" in step)
    assert used.keys() <= ACTION["inputs"].keys()


def test_the_container_copies_what_is_there() -> None:
    """All that the package is built of, and nothing that does not exist; the command is run by an ordinary user."""
    text = (CHECKOUT / "Containerfile").read_text(encoding="utf-8")
    sources = [word for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE) for word in line.split()]
    assert [name for name in sources if not (CHECKOUT / name).exists()] == []
    assert {"pyproject.toml", "README.md", "conformance", "reference_server", "specs"} <= set(sources)
    assert text.index("USER suite") < text.index("ENTRYPOINT")

"""An installation does its jobs from any folder: nothing of the checkout is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.packaging.processes import environment, run, run_well, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.packaging.conftest import Installation


ACCOUNTS = {"alice": "a-walrus-and-9-oysters", "bob": "the-carpenter-wept-42"}
CREDENTIALS = {
    "CONFORMANCE_USERNAME": "alice",
    "CONFORMANCE_PASSWORD": ACCOUNTS["alice"],
    "CONFORMANCE_SECOND_USERNAME": "bob",
    "CONFORMANCE_SECOND_PASSWORD": ACCOUNTS["bob"],
}


def test_pytest_runs_the_installed_suite_on_the_bundled_server(installation: Installation, tmp_path: Path) -> None:
    """`pytest --pyargs conformance` in an empty folder is the main job, and it is green."""
    ended = run([installation / "pytest", "--pyargs", "conformance"], cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"\d+ passed", ended.stdout)


def test_the_installed_command_judges_a_server_that_the_installed_command_serves(
    installation: Installation, tmp_path: Path
) -> None:
    """`jwt-conformance serve` in one process conforms for `jwt-conformance run URL` in another."""
    command = installation / "jwt-conformance"
    accounts = "\n".join(f"{name}:{password}" for name, password in ACCOUNTS.items())
    with serving(
        [command, "serve", "--host", "127.0.0.1", "--port", "0"],
        cwd=tmp_path,
        log=tmp_path / "serve.log",
        env=environment(REFERENCE_ACCOUNTS=accounts),
    ) as url:
        ended = run([command, "run", url], cwd=tmp_path, env=environment(**CREDENTIALS))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert not [secret for secret in ACCOUNTS.values() if secret in ended.stdout + ended.stderr]


def test_both_packages_are_the_installed_ones(installation: Installation, tmp_path: Path) -> None:
    """The tests above speak of the wheel and not of a checkout that Python happened to find."""
    program = "import conformance, reference_server as r; print(conformance.__file__, r.__file__)"
    for path in run_well([installation / "python", "-c", program], cwd=tmp_path).split():
        assert path.startswith(str(installation.scripts.parent))

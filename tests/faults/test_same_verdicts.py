"""A verdict depends on the target and on nothing else: not on the run, the number of processes, or the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.kill_run import run_suite

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The verdicts of an ordinary run at the strict tier."""
    return run_suite(tmp_path_factory.mktemp("usual")).verdicts


@pytest.mark.parametrize(
    "args",
    [
        pytest.param((), id="again"),
        pytest.param(("-n", "2"), id="in-two-processes"),
        *(
            pytest.param(("--", "-p", "tests.faults.shuffled", f"--shuffle-seed={seed}"), id=f"shuffled-{seed}")
            for seed in (1, 2)
        ),
    ],
)
def test_the_verdicts_are_the_same(args: tuple[str, ...], usual: dict[str, str], tmp_path: Path) -> None:
    """Run again, in two processes or in any order, the suite comes to the same verdicts."""
    result = run_suite(tmp_path, *args)

    assert usual, "nothing was judged"
    assert result.verdicts == usual, result.printed

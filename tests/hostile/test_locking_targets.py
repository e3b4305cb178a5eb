"""A target that locks an account for good after five wrong passwords in a row: no run without --intrusive locks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_server.serve import ServerThread
from tests.hostile.command import PASSWORD, SECOND_PASSWORD, SECOND_USERNAME, USERNAME, assert_told, judge
from tests.hostile.limiters import Locking
from tests.hostile.servers import reference_app

if TYPE_CHECKING:
    from pathlib import Path

BOUND_S = 240
PASSWORDS = {USERNAME: PASSWORD, SECOND_USERNAME: SECOND_PASSWORD}


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="in order"),
        pytest.param(("--", "-p", "tests.faults.shuffled", "--shuffle-seed=3"), id="shuffled"),
        pytest.param(("-n", "2", "--", "-p", "tests.faults.shuffled", "--shuffle-seed=4"), id="in two processes"),
    ],
)
def test_no_account_is_locked(options: tuple[str, ...], tmp_path: Path) -> None:
    """The whole strict tier sends no more than four wrong passwords in a row, whatever the order and the processes."""
    with reference_app() as app:
        locking = Locking(app, PASSWORDS)
        with ServerThread(locking) as server:
            ended = judge(server.base_url, "--tier", "strict", *options, folder=tmp_path, bound=BOUND_S)

    assert locking.locked == set()
    assert 2 <= locking.rows[USERNAME] <= 4
    assert locking.rows[SECOND_USERNAME] <= 4
    assert ended.code == 0, ended.said


def test_more_processes_than_wrong_passwords_are_refused(tmp_path: Path) -> None:
    """Five processes, each with a wrong password, would lock the account between them: nothing is sent."""
    with reference_app() as app:
        locking = Locking(app, PASSWORDS)
        with ServerThread(locking) as server:
            ended = judge(server.base_url, "-n", "5", folder=tmp_path, bound=BOUND_S)

    assert_told(ended, 2, "5 processes could lock the account between them")
    assert "give -n 4 or less" in ended.said
    assert locking.rows == {}

"""When the suite itself goes wrong, its tracebacks and logs keep secrets as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.canaries.conftest import planted
from tests.canaries.leaks import PASSWORD, SECOND_PASSWORD, found_in, leftovers
from tests.hostile.command import clean, start
from tests.hostile.servers import Server, always, says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.canaries.conftest import Planted

REPORTS = ("--report-json", "report.json", "--junitxml", "junit.xml")
LOUD = ("-l", "--tb=long", "-rA", "--log-level=DEBUG", "-o", "log_cli=true", "--log-file=log.txt", "-p", "crash")
COMMAND = ("jwt-conformance", "run")
PYTEST = ("pytest", "-p", "no:cacheprovider", "--pyargs", "conformance.scenarios", "--base-url")

# A scenario that crashes with secrets in its message, in its log and, some of them cut short, in its local variables.
SCENARIO = """
import logging, json
import conformance.scenarios.test_refresh as scenarios
def crash(target):
    password, token = target.account.password, target.session().access.value
    minted = target.minter.mint(target.session().access.jwt, exp=1)
    request = target.login_door.credentials(target.account.username, password)
    halves = ["x" * size + password + token + minted for size in range(0, 240, 3)]
    key = target.minter.key
    print(password, token)
    logging.getLogger("urllib3").warning("sent %s and %s with %s", json.dumps(password), token, password)
    spellings = f"{password!r} {password!a} {password.encode()} {json.dumps(password)}"
    raise RuntimeError(f"{spellings} {token} {minted} {request} {key}")
scenarios.test_refresh_02 = crash
"""
DOCTOR = """
import conformance.target.doctor as doctor
def crash(target, signing_key):
    password = target.account.password
    raise RuntimeError(f"{password!r} {signing_key}")
    yield
doctor.examine = crash
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """A server with nothing wrong in it: the suite is what crashes."""
    with planted(tmp_path_factory.mktemp("keys") / "key", lambda app: app) as server:
        yield server


def crashing(folder: Path, source: str) -> dict[str, str]:
    """The setting that lets `-p crash` find what crashes the suite."""
    folder.mkdir()
    (folder / "crash.py").write_text(source, encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    "command",
    [
        pytest.param((*COMMAND, "URL", *REPORTS, "-v", "-k", "refresh_02", "--", *LOUD), id="command"),
        pytest.param((*COMMAND, "URL", *REPORTS, "-n", "2", "-k", "refresh_02", "--", *LOUD), id="processes"),
        pytest.param((*PYTEST, "URL", *REPORTS, "-vv", "-k", "refresh_02", *LOUD), id="pytest"),
        pytest.param((*PYTEST, "URL", *REPORTS, "-k", "refresh_02", *LOUD, "--tb=native"), id="native"),
        pytest.param((*PYTEST, "URL", *REPORTS, "-k", "refresh_02", *LOUD, "--full-trace"), id="full trace"),
    ],
)
def test_a_scenario_that_crashes_tells_where_and_no_secret(
    command: tuple[str, ...], server: Planted, tmp_path: Path
) -> None:
    """The traceback of a fault of the suite names the line, and is as clean as evidence, however it is printed."""
    settings = crashing(tmp_path / "plugin", SCENARIO)
    (tmp_path / "out").mkdir()
    command = tuple(server.url if word == "URL" else word for word in command)
    ended = server.run(*command, folder=tmp_path / "out", **settings)
    assert ended.code in {1, 4}, ended.code
    assert "RuntimeError" in ended.said
    assert "crash.py" in ended.said
    assert server.leaks(ended) == []


def test_a_doctor_that_crashes_tells_no_secret(server: Planted, tmp_path: Path) -> None:
    """Neither does what pytest prints of an internal error."""
    settings = crashing(tmp_path / "plugin", DOCTOR)
    (tmp_path / "out").mkdir()
    ended = server.run(*COMMAND, server.url, *REPORTS, "--", *LOUD, folder=tmp_path / "out", **settings)
    assert ended.code == 4, ended.code
    assert "RuntimeError" in ended.said
    assert server.leaks(ended) == []


def test_what_a_library_logs_of_an_answer_is_as_clean(tmp_path: Path) -> None:
    """urllib3 logs a header that it cannot read; a target may have written a password there."""
    line = f"this is no header but two passwords {PASSWORD} {SECOND_PASSWORD}"
    reply = f"HTTP/1.1 500 No\r\n{line}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    env = clean(
        CONFORMANCE_USERNAME="alice",
        CONFORMANCE_PASSWORD=PASSWORD,
        CONFORMANCE_SECOND_USERNAME="bob",
        CONFORMANCE_SECOND_PASSWORD=SECOND_PASSWORD,
    )
    loud = ("--log-level=DEBUG", "-o", "log_cli=true", "--log-file=log.txt")
    with Server(always(says(reply))) as talker:
        ended = start(*COMMAND, talker.url, "--", *loud, folder=tmp_path, env=env, bound=20)
    assert ended.code == 3, ended.code
    assert "Failed to parse headers" in ended.out
    assert found_in(leftovers(tmp_path, ended.out, ended.err), (PASSWORD, SECOND_PASSWORD), ()) == []

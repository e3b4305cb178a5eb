"""Servers that the suite launches: their clocks are moved by libfaketime, and waited for where they do not follow."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.clocks.running import BOUND_S, Traces, reasons
from tests.hostile.command import judge, plugin

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hostile.command import Ended

EXPIRIES = ("EXPIRY-01", "EXPIRY-03", "EXPIRY-04", "EXPIRY-05")
CHOSEN = ("-k", " or ".join(name.lower().replace("-", "_") for name in EXPIRIES))
WEEK_S = 7 * 24 * 3600
MONTH_S = 30 * 24 * 3600
UNPRELOADED = "env -u LD_PRELOAD -u DYLD_INSERT_LIBRARIES"
"""As good as statically linked: libfaketime does not come in."""


@pytest.fixture(params=["python", "node"])
def server(request: pytest.FixtureRequest) -> str:
    """The command of a server, without its port."""
    program = request.getfixturevalue(request.param)
    return f"{program} {'python_server.py' if request.param == 'python' else 'node_server.js'}"


def launched(server: str, folder: Path, port: int, *options: str, **settings: str) -> Ended:
    """A run on a server that is launched; nothing of it is left."""
    traces = Traces(folder, **settings)
    command = ("--launch", f"{server} {port}")
    ended = judge(f"http://127.0.0.1:{port}", *command, *options, folder=folder, env=traces.env, bound=BOUND_S)
    assert traces.are_gone(), (traces.processes(), traces.files())
    return ended


@pytest.mark.usefixtures("faketime")
def test_usual_lifetimes_are_checked_without_waiting(server: str, folder: Path, port: int) -> None:
    """15 minutes and a week are over at once, and every verdict says by what."""
    ended = launched(server, folder, port, *CHOSEN)
    assert ended.verdicts == dict.fromkeys(EXPIRIES, "passed"), ended.said
    assert {reasons(ended)[name] for name in EXPIRIES} == {"time passed by libfaketime"}
    assert ended.report["run"]["clock"] == "libfaketime"
    assert ended.report["run"]["waited_s"] == 0
    assert ended.report["target"]["refresh_lifetime_s"] == WEEK_S


@pytest.mark.usefixtures("faketime")
@pytest.mark.parametrize("leeway", [0, 1, 47])
def test_leeway_is_found_to_the_second(python: str, leeway: int, folder: Path, port: int) -> None:
    """The policy card tells for how long a token outlives its end."""
    settings = {"LEEWAY_S": str(leeway)}
    ended = launched(f"{python} python_server.py", folder, port, "-k", "expiry_01", **settings)
    assert ended.report["policy"]["leeway"] == f"{leeway} s"
    assert ended.verdicts == {"EXPIRY-01": "passed"}


@pytest.mark.usefixtures("faketime")
def test_a_month_takes_no_time(python: str, folder: Path, port: int) -> None:
    """A refresh token of 30 days is past its end well within a second."""
    settings = {"REFRESH_S": str(MONTH_S)}
    ended = launched(f"{python} python_server.py", folder, port, "-k", "expiry_04", **settings)
    (case,) = ET.parse(folder / "junit.xml").iter("testcase")  # noqa: S314 - our own file
    assert ended.verdicts == {"EXPIRY-04": "passed"}
    assert float(case.attrib["time"]) < 1


@pytest.mark.usefixtures("faketime")
def test_a_target_that_does_not_follow_is_waited_for(server: str, folder: Path, port: int) -> None:
    """Nothing is held against it that only a moved clock would show, and the report says why it was not moved."""
    ended = launched(f"{UNPRELOADED} {server}", folder, port, *CHOSEN)
    assert ended.verdicts == dict.fromkeys(EXPIRIES, "untested"), ended.said
    assert ended.report["run"]["clock"] == "waiting"
    for reason in reasons(ended).values():
        assert "since the target does not follow libfaketime: " in reason
        assert "the iat of its tokens" in reason
        assert "--max-wait" in reason


@pytest.mark.usefixtures("faketime")
def test_short_lifetimes_are_waited_for_where_the_clock_is_not_moved(python: str, folder: Path, port: int) -> None:
    """The fallback is as good as a URL alone, and says so."""
    chosen = ("-k", "expiry_01 or expiry_05")
    ended = launched(f"{UNPRELOADED} {python} python_server.py", folder, port, *chosen, ACCESS_S="2", REFRESH_S="60")
    assert ended.verdicts == {"EXPIRY-01": "passed", "EXPIRY-05": "passed"}, ended.said
    for reason in reasons(ended).values():
        assert "time passed by waiting, since the target does not follow libfaketime" in reason


def test_without_libfaketime_the_report_says_what_to_install(python: str, folder: Path, port: int) -> None:
    """What is missing is named in the verdict that wants it."""
    env = plugin(folder, "bare", "import conformance.clock.libfaketime as lib\nlib.FOLDERS = ()\n")
    options = (*CHOSEN, "--", "-p", "bare")
    ended = launched(f"{python} python_server.py", folder, port, *options, PYTHONPATH=env["PYTHONPATH"])
    assert ended.verdicts == dict.fromkeys(EXPIRIES, "untested"), ended.said
    assert all("apt-get install libfaketime" in reason for reason in reasons(ended).values())


def test_the_user_may_want_no_clock_to_be_moved(python: str, folder: Path, port: int) -> None:
    """`--clock waiting` is obeyed."""
    ended = launched(f"{python} python_server.py", folder, port, "-k", "expiry_01", "--clock", "waiting")
    assert ended.report["run"]["clock"] == "waiting"
    assert reasons(ended)["EXPIRY-01"].startswith("the access token lives 900 s; give")


@pytest.mark.usefixtures("faketime")
def test_what_ends_by_the_clock_of_a_store_is_no_finding(python: str, folder: Path, port: int) -> None:
    """Opaque tokens of a cache live on while only the application's clock moves: that is untested, and never failed."""
    ended = launched(f"{python} store_server.py", folder, port, *CHOSEN)
    assert ended.report["run"]["clock"] == "libfaketime", ended.said
    assert ended.verdicts["EXPIRY-01"] == ended.verdicts["EXPIRY-04"] == "untested", ended.said
    assert "may end by that of a database; give --clock waiting" in reasons(ended)["EXPIRY-04"]
    assert "failed" not in ended.verdicts.values()


@pytest.mark.usefixtures("faketime")
def test_a_store_that_tells_another_time_is_no_finding(python: str, folder: Path, port: int) -> None:
    """Where a database dates what the application judges, a moved clock makes honest tokens old: inconclusive."""
    ended = launched(f"{python} dated_server.py", folder, port, "-k", "expiry_05")
    assert ended.verdicts == {"EXPIRY-05": "inconclusive"}, ended.said
    assert "--clock waiting" in reasons(ended)["EXPIRY-05"]


@pytest.mark.usefixtures("faketime")
def test_a_development_server_goes_on_through_every_move(python: str, folder: Path, port: int) -> None:
    """A server that watches its source is two processes, of which none restarts when the time is another."""
    (folder / "watched.py").write_text(
        "from flask_app import app\nimport sys\napp.run(port=int(sys.argv[1]), debug=True, use_evalex=False)\n"
    )
    ended = launched(f"{python} watched.py", folder, port, *CHOSEN)
    assert ended.verdicts == dict.fromkeys(EXPIRIES, "passed"), ended.said

"""The script of a finding shows the finding again, to somebody who has nothing but it and the password."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from conformance.target.http import Exchange, Request
from conformance.target.places import parse
from conformance.target.reproduction import extraction, script
from tests.conformance.support import FakeApi, answer, target_of
from tests.hostile.command import CREDENTIALS, PASSWORD, USERNAME, clean, jwt_conformance
from tests.hostile.servers import Server, reference_app

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "jq"))), reason="needs bash, curl and jq, as its reader does"
)
ANSWER = """HTTP/1.1 200 OK\r
Set-Cookie: access_token=cookie.old; Path=/\r
set-cookie: access_token=cookie.new; Path=/; HttpOnly\r
Set-Cookie: session=Bearer%20escaped; Path=/\r
X-Auth: Bearer header.value\r
Content-Type: application/json\r
\r
{"data": [{"token": "body.value"}], "a-b": "dashed"}"""


def findings(folder: Path, url: str, *options: str) -> list[dict[str, str]]:
    """The findings of a run on one requirement."""
    jwt_conformance("run", url, "--report-json", "report.json", *options, folder=folder, env=clean(**CREDENTIALS))
    (row,) = json.loads((folder / "report.json").read_text())["requirements"]
    found: list[dict[str, str]] = row["findings"]
    return found


def run_script(text: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a script as its reader would."""
    return subprocess.run(["bash", "-c", text], env=clean(**variables), capture_output=True, text=True, check=False)


def test_a_script_logs_in_and_shows_the_finding(tmp_path: Path) -> None:
    """With the password alone: the control and the probe, and the answer that should not be."""
    with reference_app("refresh-token-opens-everything") as app, Server(app=app) as server:
        found = findings(tmp_path, server.url, "-k", "access_02")
        finding = next(each for each in found if "live" in each["case"])
        ended = run_script(finding["script"], PASSWORD=PASSWORD)

    assert PASSWORD not in finding["script"]
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("HTTP/1.") == 2
    assert ended.stdout.count(f'"username":"{USERNAME}"') == 2


def test_a_script_says_what_it_needs(tmp_path: Path) -> None:
    """Without the password, or without the token that only the suite can forge, it ends before it sends anything."""
    with reference_app("alg-none-accepted") as app, Server(app=app) as server:
        found = findings(tmp_path, server.url, "-k", "sig_02")
        sent = server.connections
        assert all(run_script(each["script"]).returncode for each in found)
        assert server.connections == sent


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("body:data.0.token", "body.value"),
        ("body:a-b", "dashed"),
        ("cookie:access_token", "cookie.new"),
        ("cookie:session Bearer%20", "escaped"),
        ("header:x-auth Bearer", "header.value"),
    ],
)
def test_a_token_is_taken_from_where_the_profile_has_it(place: str, value: str) -> None:
    """As bash reads it out of an answer; of two cookies with one name the last."""
    ended = run_script(f'printf %s "$({extraction(parse(place))})"', login=ANSWER)
    assert (ended.stdout, ended.stderr) == (value, "")


@pytest.mark.parametrize("line", ["# note\n$(touch owned)", "`touch owned`; '"])
def test_a_note_cannot_become_a_command(line: str) -> None:
    """What a target has a say in is a comment, on one line."""
    made = script(target_of(FakeApi()), [(line, Exchange(Request("GET", "/x"), answer(200), 0.0))])
    assert [each for each in made.splitlines() if "owned" in each] == [f"# {' '.join(line.split())}"]

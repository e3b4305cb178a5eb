"""No secret leaves a run, whatever the target gives away and however much the run is asked to say."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.canaries.conftest import planted
from tests.canaries.leaks import leaky, leftovers, oddly_signed, opaque

if TYPE_CHECKING:
    from pathlib import Path

    from tests.canaries.conftest import Planted
    from tests.hostile.command import Ended

REPORTS = ("--report-json", "report.json", "--junitxml", "junit.xml")
# All that pytest can be asked to say.
LOUD = ("-l", "--tb=long", "-rA", "--log-level=DEBUG", "-o", "log_cli=true", "--log-file=log.txt", "--capture=tee-sys")
COMMAND = ("jwt-conformance", "run")
PYTEST = ("pytest", "-p", "no:cacheprovider", "--pyargs", "conformance.scenarios", "--base-url")
SOME = "login or input_01 or refresh_02 or refresh_03 or leak or expiry_02"


@pytest.fixture(scope="module")
def evidence(leaking: Planted, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A whole run against the server that leaks, as loud as can be."""
    folder = tmp_path_factory.mktemp("leaking")
    return leaking.run(*COMMAND, leaking.url, *REPORTS, "-v", "--max-wait", "6", "--", *LOUD, folder=folder)


def test_a_healthy_target_s_secrets_stay_secret(healthy: Planted, tmp_path: Path) -> None:
    """A run leaves neither password, nor key, nor any token with its signature."""
    ended = healthy.run(*COMMAND, healthy.url, *REPORTS, "-v", "-k", SOME, folder=tmp_path)
    assert ended.code == 0, ended.code
    assert ended.verdicts["EXPIRY-02"] == "passed"
    assert len(healthy.recorder.signatures) > 15
    assert healthy.leaks(ended) == []


def test_what_a_leaking_target_repeats_is_not_repeated(leaking: Planted, evidence: Ended) -> None:
    """Error bodies and headers may hold secrets in any spelling; the evidence of the findings does not."""
    assert evidence.code == 1, evidence.code
    assert len([verdict for verdict in evidence.verdicts.values() if verdict == "failed"]) > 5
    assert len(json.dumps(evidence.report)) > 100_000
    assert leaking.leaks(evidence) == []


def test_several_processes_keep_a_private_key(leaking_asymmetric: Planted, tmp_path: Path) -> None:
    """What goes from the workers of pytest-xdist to the report is as clean, and no line of a PEM file is in it."""
    options = (*REPORTS, "-n", "2", "-v", "-k", SOME, "--", "-l", "-rA")
    ended = leaking_asymmetric.run(*COMMAND, leaking_asymmetric.url, *options, folder=tmp_path)
    assert ended.code == 1, ended.code
    assert leaking_asymmetric.leaks(ended) == []


def test_tokens_in_cookies_are_kept_too(tmp_path: Path) -> None:
    """Neither Cookie nor Set-Cookie shows a token with its signature."""
    (tmp_path / "out").mkdir()
    with planted(tmp_path / "key", leaky, TOKEN_LOCATION="cookies", COOKIE_SECURE="on") as server:
        options = ("--target-profile", "cookies", "-k", f"{SOME} or cookie")
        ended = server.run(*COMMAND, server.url, *REPORTS, *options, folder=tmp_path / "out")
        assert ended.code == 1, ended.code
        assert "access_token_cookie=e" in json.dumps(ended.report)
        assert server.leaks(ended) == []


def test_plain_pytest_keeps_them_too(leaking: Planted, tmp_path: Path) -> None:
    """Its own ways to print a failure show nothing either."""
    ended = leaking.run(*PYTEST, leaking.url, *REPORTS, "-vv", "-k", SOME, *LOUD, folder=tmp_path)
    assert ended.code == pytest.ExitCode.TESTS_FAILED, ended.code
    assert leaking.leaks(ended) == []


def test_a_password_in_a_token_stays_there(tmp_path: Path) -> None:
    """A token whose readable part holds the password is not shown in part; the finding says where it was."""
    (tmp_path / "out").mkdir()
    with planted(tmp_path / "key", lambda app: app, FAULT="token-holds-the-password") as server:
        ended = server.run(*COMMAND, server.url, *REPORTS, "-k", SOME, folder=tmp_path / "out")
        assert ended.verdicts["LEAK-03"] == "failed", ended.code
        assert server.leaks(ended) == []
        held = re.findall(r"e[\w-]+\.([\w-]+)\.", (tmp_path / "out" / "report.json").read_text())
        readable = b"".join(base64.urlsafe_b64decode(part + "===") for part in held)
        assert b"Zw3" not in readable
    assert "token withheld" in json.dumps(ended.report)


@pytest.mark.parametrize(
    "command",
    ["doctor", "run"],
)
def test_a_password_in_a_token_s_header_stays_there(command: str, tmp_path: Path) -> None:
    """The algorithm is told by whoever signs, and so it may be anything; it does not steer the terminal either."""
    (tmp_path / "out").mkdir()
    options = (*REPORTS, "-k", "login") if command == "run" else ()
    with planted(tmp_path / "key", oddly_signed) as server:
        ended = server.run("jwt-conformance", command, server.url, *options, folder=tmp_path / "out")
        assert ended.code == 0, ended.code
        assert server.leaks(ended) == []
    assert "\x1b" not in ended.said


def test_a_password_s_hash_is_not_published(tmp_path: Path) -> None:
    """A hash that the target gives away is named in the finding, and taken out of the evidence."""
    (tmp_path / "out").mkdir()
    with planted(tmp_path / "key", lambda app: app, FAULT="profile-shows-the-whole-row") as server:
        ended = server.run(*COMMAND, server.url, *REPORTS, "-k", "leak_03", folder=tmp_path / "out")
        assert server.leaks(ended) == []
    report = json.dumps(ended.report)
    assert ended.verdicts == {"LEAK-03": "failed"}
    assert "<password hash>" in report
    assert "argon2id$" not in report + ended.said


def test_an_opaque_token_is_not_shown_but_for_a_character(tmp_path: Path) -> None:
    """Broken copies of an opaque token, which the scenarios send, give the token away as well."""
    (tmp_path / "out").mkdir()
    with planted(tmp_path / "key", opaque) as server:
        ended = server.run(*COMMAND, server.url, *REPORTS, "-k", "refresh_03 or access_03", folder=tmp_path / "out")
        assert ended.verdicts["REFRESH-03"] == "failed", ended.said
        remains = b"".join(leftovers(tmp_path / "out", ended.out, ended.err).values())
        parts = {part for token in server.recorder.handles for part in (token[:20], token[-20:])}
    assert len(parts) > 10
    assert not [part for part in parts if part in remains]


@pytest.mark.parametrize("command", ["doctor", "run"])
def test_the_doctor_keeps_secrets(command: str, leaking: Planted, tmp_path: Path) -> None:
    """A message that repeats what a target said of a login does not repeat the password."""
    (tmp_path / "profile.toml").write_text('extends = "default"\n[login]\nusername = "user"\n')
    ended = leaking.run("jwt-conformance", command, leaking.url, "--target-profile", "profile.toml", folder=tmp_path)
    assert ended.code in {2, 3}
    assert "POST /login" in ended.said
    assert leaking.leaks(ended) == []


def test_evidence_stays_readable(evidence: Ended) -> None:
    """Header and payload of a token are in it, and requests are whole but for their secrets."""
    exchanges = [
        exchange
        for row in evidence.report["requirements"]
        for finding in row["findings"]
        for exchange in finding["exchange"]
    ]
    shown = re.findall(r"Bearer (e[\w-]+)\.([\w-]+)\.<signature removed>", json.dumps(exchanges))
    assert shown
    header, payload = (json.loads(base64.urlsafe_b64decode(part + "===")) for part in shown[0])
    assert header["typ"] == "JWT"
    assert payload["type"] in {"access", "refresh"}
    bodies = [exchange["request"]["body"] for exchange in exchanges if exchange["request"]["path"] == "/login"]
    assert '{"username": "alice", "password": "<password>"}' in bodies
    assert any(exchange["response"]["status"] == 500 for exchange in exchanges)


def test_commands_to_repeat_a_finding_name_their_secrets(evidence: Ended) -> None:
    """Shell variables stand for tokens and passwords."""
    commands = " ".join(finding["curl"] for row in evidence.report["requirements"] for finding in row["findings"])
    for variable in ("$ACCESS_TOKEN", "$FORGED_TOKEN", "$PASSWORD"):
        assert f'"{variable}' in commands

"""`jwt-conformance discover`: the profile on standard output, the account of it on the other, and an exit code."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from tests.hostile.command import CREDENTIALS, PASSWORD, assert_told, clean, jwt_conformance

if TYPE_CHECKING:
    from pathlib import Path

BOUND_S = 60
NO_CREDENTIALS = {name: value for name, value in CREDENTIALS.items() if "SECOND" in name}


def test_what_is_found_can_be_run_with(url: str, tmp_path: Path) -> None:
    """The file that it writes is a profile that the doctor takes."""
    ended = jwt_conformance("discover", url, "-o", "found.toml", folder=tmp_path, bound=BOUND_S)
    assert ended.code == 0, ended.said
    assert ended.out == ""
    assert "the login and a protected route are proven" in ended.err

    doctor = jwt_conformance("doctor", url, "--target-profile", "found.toml", folder=tmp_path, bound=BOUND_S)
    assert doctor.code == 0, doctor.said


def test_the_profile_is_all_of_standard_output(url: str, tmp_path: Path) -> None:
    """It can be piped; what was tried stands apart, and no secret stands anywhere."""
    ended = jwt_conformance("discover", url, folder=tmp_path, bound=BOUND_S)
    assert ended.code == 0, ended.said
    assert tomllib.loads(ended.out)["extends"] == "default"
    assert "logged in: POST /login" in ended.err
    assert PASSWORD not in ended.said


def test_without_an_account_it_says_what_to_give(url: str, tmp_path: Path) -> None:
    """What can be seen is printed, unsure, with an exit code of its own."""
    ended = jwt_conformance("discover", url, folder=tmp_path, env=clean(**NO_CREDENTIALS), bound=BOUND_S)
    assert ended.code == 3, ended.said
    assert tomllib.loads(ended.out)["login"]["path"] == "/login"
    assert "give --username and --password" in ended.err


def test_mistakes_are_told(url: str, tmp_path: Path) -> None:
    """A URL that is none, half an account, a document that is not there, and a folder for a file."""
    assert_told(jwt_conformance("discover", "localhost", folder=tmp_path), 2, "is no URL")
    half = clean(CONFORMANCE_USERNAME="alice")
    assert_told(jwt_conformance("discover", url, folder=tmp_path, env=half), 2, "--password is missing")
    assert_told(jwt_conformance("discover", url, "--openapi-url", "api.json", folder=tmp_path), 2, "no file 'api.json'")
    assert_told(jwt_conformance("discover", url, "-o", str(tmp_path), folder=tmp_path), 2, "is a folder")


def test_a_target_that_does_not_answer_is_told(tmp_path: Path) -> None:
    """With the reason, as everywhere."""
    assert_told(jwt_conformance("discover", "http://127.0.0.1:9", folder=tmp_path), 3, "refuses connections")

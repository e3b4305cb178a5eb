"""A real run against a target that answers with whatever might hurt a reader: nothing takes it over."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from conformance.options import REPORTS
from tests.hostile.command import CREDENTIALS, clean, jwt_conformance
from tests.hostile.servers import Server, reference_app
from tests.reports.made import HOSTILE
from tests.reports.test_formats import UNSAFE, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from tests.hostile.command import Ended

INVALID = b'{"msg": "\xff\xfe<script>document.title=1</script>\x1b]0;owned\x07"}'


def poisoned(app: WSGIApplication) -> WSGIApplication:
    """The application, whose every JSON object says something more; refusals are 10 MB long, or no UTF-8."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], object]:
            started[:] = [status, [(name, value) for name, value in headers if name.lower() != "content-length"]]
            return lambda _data: None

        body = b"".join(app(environ, start))
        status, headers = started
        if status.startswith("2") and body:
            told = {"note": [*HOSTILE[:4], *HOSTILE[5:8]], **json.loads(body)}
            body = json.dumps(told, ensure_ascii=False).encode()
        elif environ["REQUEST_METHOD"] == "POST":
            body = INVALID
        elif body:
            body = json.dumps({"msg": "".join(HOSTILE[:4]) + HOSTILE[8]}, ensure_ascii=False).encode()
        start_response(status, [*headers, ("Content-Length", str(len(body))), ("X-Note", "<b>bold</b>")])
        return [body]

    return answer


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Path]:
    """A run that finds something, with every report."""
    folder = tmp_path_factory.mktemp("hostile")
    options = [word for option in REPORTS for word in (f"--{option}", f"{option}.out")]
    with reference_app("refresh-token-opens-everything") as app, Server(app=poisoned(app)) as server:
        chosen = ("-k", "access_01 or access_02 or access_03 or err_01 or login_03 or bearer_04", "--tier", "hardened")
        ended = jwt_conformance(
            "run", server.url, *chosen, *options, folder=folder, env=clean(**CREDENTIALS), bound=120
        )
    return ended, folder


def test_the_run_judges_it_all_the_same(run: tuple[Ended, Path]) -> None:
    """What is broken is found, and the suite does not stumble."""
    ended, folder = run
    rows = json.loads((folder / "report-json.out").read_text())["requirements"]
    assert {row["id"]: row["verdict"] for row in rows}["ACCESS-02"] == "failed"
    assert "Traceback" not in ended.said
    assert ended.code == 1


def test_the_terminal_gets_nothing_that_steers_it(run: tuple[Ended, Path]) -> None:
    """No control character but line breaks, and no mark that turns the direction of text."""
    assert not UNSAFE.search(run[0].said.replace("\n", ""))


@pytest.mark.parametrize("option", REPORTS)
def test_a_report_carries_nothing_on(option: str, run: tuple[Ended, Path]) -> None:
    """Each is short, and holds no character that steers its reader; what is a page has no element of the target's."""
    text = (run[1] / f"{option}.out").read_text(encoding="utf-8")
    assert len(text) < 3_000_000
    assert not UNSAFE.search(text.replace("\n", ""))
    if option == "report-html":
        page = Page(text)
        assert [attributes for tag, attributes in page.elements if tag == "script"] == [{}]
        assert {tag for tag, _ in page.elements} & {"img", "b", "iframe"} == set()
    if option == "report-markdown":
        assert not re.search(r"<(script|img|b)\b", text)
        assert "](javascript:" not in text

"""SARIF, Markdown, badges and pages: what they say, and that nothing of a target's does harm in them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from sarif_pydantic import Sarif

from conformance.catalogue import load
from conformance.catalogue.links import link_of
from conformance.reports import badge, counting, html, json_report, markdown, sarif, timeline
from conformance.reports.comparison import Comparison
from conformance.reports.writing import KINDS, write_reports
from conformance.verdicts.baseline import Baseline, Row
from conformance.verdicts.model import Outcome, Verdict
from tests.hostile.command import clean, jwt_conformance
from tests.reports.made import HOSTILE, TOKEN, broken_all_over, finding, hostile, ordinary, report

if TYPE_CHECKING:
    from pathlib import Path

UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
KNOWN = Baseline("known.toml", (Row("ACCESS-02", Verdict.FAILED, "until 4.2", issue="https://tracker.example/1"),))


class Page(HTMLParser):
    """What a browser would find in a page: elements with their attributes, and text by element."""

    def __init__(self, text: str) -> None:
        """Reads the page."""
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keeps a text."""
        self.texts.append(data)


def pages(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """Each page that is made of reports."""
    both = Comparison.of([("one.json", first), ("two.json", second)])
    many = Comparison.of([("one.json", first), ("two.json", second), (f"{HOSTILE[0]}.json", first)])
    return [html.render(first, ""), html.render(second, ""), both.page(), many.page()]


# -- Nothing does harm -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(4))
def test_a_page_holds_what_a_target_says_as_text(number: int) -> None:
    """No element and no attribute is the target's, nothing is loaded from anywhere, and nothing steers a reader."""
    text = pages(hostile(), ordinary())[number]
    page = Page(text)

    assert not UNSAFE.search(text)
    assert [attributes for tag, attributes in page.elements if tag == "script"] == [{}]
    assert {tag for tag, _ in page.elements} & {"img", "iframe", "object", "link", "embed", "base", "b"} == set()
    assert [key for _, attributes in page.elements for key in attributes if key.startswith("on")] == []
    links = {str(attributes["href"]) for tag, attributes in page.elements if tag == "a"}
    assert {link for link in links if not link.startswith(("#", "https://"))} == set()
    assert "evil.example" not in " ".join(links)
    assert len(text) < 3_000_000
    assert text.encode("utf-8")


def test_a_page_lets_nothing_run_but_its_own_script() -> None:
    """Its policy allows one style and one script by their hashes, and no other source of anything."""
    policy = next(
        str(attributes["content"])
        for tag, attributes in Page(html.render(ordinary(), "")).elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/]{43}='; script-src 'sha256-[\w+/]{43}='; "
        r"base-uri 'none'; form-action 'none'",
        policy,
    )


def test_markdown_holds_what_a_target_says_as_text() -> None:
    """As GitHub renders it: no HTML but the suite's own, no image, no link, and no heading, list or table of theirs."""
    text = markdown.render(hostile(), "")
    reader = MarkdownIt("gfm-like", {"html": True, "linkify": True})
    tokens = [inner for token in reader.parse(text) for inner in (token, *(token.children or []))]
    raw = {token.content.strip() for token in tokens if token.type in {"html_block", "html_inline"}}

    assert raw <= {"<details><summary>How to fix it</summary>", "</details>"}
    assert [token for token in tokens if token.type in {"image", "link_open", "fence", "code_block", "hr"}] == []
    headings = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    assert headings == [
        "http\\://api.test: not conformant",
        "What is broken",
        "ACCESS-02 A refresh token is not accepted where an access token is needed (MUST, failed)",
        "What could not be judged",
        "What was untested",
        "Policy",
    ]
    assert sum(token.type == "table_open" for token in tokens) == 3
    assert not UNSAFE.search(text)
    assert len(text) < 1_000_000


def test_sarif_and_json_hold_what_a_target_says_as_text() -> None:
    """Both are ASCII, so that no reader meets a character that steers it, and SARIF is not blown up."""
    for text in (sarif.render(hostile(), ""), json_report.render(hostile(), "")):
        assert text.isascii()
        assert not UNSAFE.search(text)
        assert json.loads(text)
    assert len(sarif.render(hostile(), "")) < 100_000


def test_a_report_that_may_be_read_by_anybody_holds_no_signature(tmp_path: Path) -> None:
    """In each format a token is without its signature, as it is in the report that all are made of."""
    files = {option: str(tmp_path / f"{option}.x") for option in KINDS}
    write_reports(ordinary(), files)
    for path in tmp_path.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"e[wy][\w-]{6,}\.[\w-]{4,}\.[\w-]{2,}", text), path.name


# -- SARIF -------------------------------------------------------------------------------------------------------------


def test_sarif_is_what_the_standard_has() -> None:
    """It fits the model of SARIF 2.1.0, has a rule for each requirement, and a result for each case that is broken."""
    made = ordinary()
    data = sarif.to_sarif(made)
    run = Sarif.model_validate(data).runs[0]
    rules = run.tool.driver.rules or []

    assert data["version"] == "2.1.0"
    assert [rule.id for rule in rules] == [row["id"] for row in made["requirements"]]
    results = {(result["ruleId"], result["level"], result["kind"]) for result in data["runs"][0]["results"]}
    assert results == {
        ("ACCESS-02", "error", "fail"),
        ("SIG-02", "none", "open"),
        ("LEAK-01", "warning", "fail"),
    }
    for result in data["runs"][0]["results"]:
        assert rules[result["ruleIndex"]].id == result["ruleId"]
    fingerprints = [result["partialFingerprints"]["requirementAndCase/v1"] for result in data["runs"][0]["results"]]
    assert len(set(fingerprints)) == 4
    assert sarif.to_sarif(made) == data


def test_what_is_known_is_suppressed_with_its_reason() -> None:
    """Code scanning shows it as dismissed, and not as new."""
    data = sarif.to_sarif(report(Outcome("ACCESS-02", Verdict.FAILED, "", [finding()]), baseline=KNOWN))
    assert data["runs"][0]["results"][0]["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "until 4.2"}
    ]


# -- Links -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("citation", "link"),
    [
        ("RFC 6749 §5.1", "https://www.rfc-editor.org/rfc/rfc6749#section-5.1"),
        ("RFC 7515 §4.1.11", "https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11"),
        ("RFC 7519", "https://www.rfc-editor.org/rfc/rfc7519"),
        ("ASVS 5.0 V10.4.5", "https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x19-V10-OAuth-and-OIDC.md"),
        ("OWASP API2:2023", "https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/"),
        ("lesson", ""),
    ],
)
def test_a_citation_leads_to_its_source(citation: str, link: str) -> None:
    """A section's own address, where the source has one."""
    assert link_of(citation) == link


def test_every_citation_but_the_lesson_s_and_a_file_s_has_an_address() -> None:
    """A new source needs a row in the table of addresses."""
    without = {source for requirement in load() for source in requirement.sources if not link_of(source)}
    assert {source.split(" ")[0] for source in without} <= {"lesson", "Flask-JWT-Extended"}


# -- Badges and counts -------------------------------------------------------------------------------------------------


def test_a_badge_says_result_tier_and_number() -> None:
    """As SVG, which a reader of the page hears too, and as shields.io takes it."""
    made = ordinary()
    picture = ET.fromstring(badge.render(made, "badge.svg"))  # noqa: S314 - the suite's own
    endpoint = json.loads(badge.render(made, "badge.JSON"))

    assert picture.attrib["aria-label"] == "token login: not conformant, hardened, 1 broken"
    assert endpoint["message"] == "not conformant, hardened, 1 broken"
    assert (endpoint["schemaVersion"], endpoint["label"]) == (1, "token login")
    assert badge.words(report(Outcome("LOGIN-01", Verdict.PASSED))) == "conformant, core"


def test_a_tier_is_told_by_what_counts_in_it() -> None:
    """What is known does not break it, and what could not be judged leaves it open."""
    passed = Outcome("LOGIN-01", Verdict.PASSED)
    failed = Outcome("ACCESS-02", Verdict.FAILED, "", [finding()])
    for outcomes, baseline, words in (
        ((passed, failed), None, "broken"),
        ((passed, failed), KNOWN, "holds, but for what is known"),
        ((passed,), None, "holds"),
        ((passed, Outcome("SIG-02", Verdict.INCONCLUSIVE, "x")), None, "incomplete"),
    ):
        (core,) = counting.tiers(report(*outcomes, baseline=baseline))
        assert core.words == words


def test_what_to_give_is_told_once_for_all_that_wait_for_it() -> None:
    """The user sees what buys most first."""
    reasons = {"EXPIRY-01": "a; give --signing-key", "EXPIRY-02": "b; give --signing-key", "ACCESS-04": "c; give d"}
    made = report(*(Outcome(name, Verdict.UNTESTED, reason) for name, reason in reasons.items()))
    assert list(counting.wanting(made).items()) == [("--signing-key", ["EXPIRY-01", "EXPIRY-02"]), ("d", ["ACCESS-04"])]


# -- Pages -------------------------------------------------------------------------------------------------------------


def test_a_page_marks_what_the_probe_changed() -> None:
    """Of the request and of the token, decoded, the lines that the control does not have."""
    text = html.render(report(Outcome("ACCESS-02", Verdict.FAILED, "", [finding()])), "")
    marked = [line.replace("&#34;", '"') for line in re.findall(r"<mark>(.*?)</mark>", text)]
    assert '  type: "refresh"' in marked
    assert not any("alg" in line or '"alice"' in line for line in marked)
    assert TOKEN.replace("<", "&lt;").replace(">", "&gt;") in text


def test_fifty_failures_make_no_large_page() -> None:
    """Under 3 MB, with all the evidence that a run keeps."""
    assert len(html.render(broken_all_over(), "").encode()) < 3_000_000


# -- The timeline ------------------------------------------------------------------------------------------------------


def test_a_timeline_shows_what_became_of_each_token() -> None:
    """A line for each, from its issue to its end, with its uses; in words as well, for whoever does not see it."""
    text = html.render(ordinary(), "")
    (told,) = re.findall(r"<desc.*?>(.*?)</desc>", text, re.DOTALL)
    assert told.split(". ")[:2] == [
        "access 1: issued at 0 s by the login, used 1 times, expires at 900 s",
        "refresh 1: issued at 0 s by the login, used 1 times, rotated at 2 s",
    ]
    rows = timeline.drawn(ordinary()["timeline"]).rows
    assert [row.fate for row in rows] == ["expires", "rotated", "no end is told"]
    assert all(row.start <= row.end for row in rows)
    assert rows[1].rest > rows[1].end
    assert timeline.drawn([]).rows == []


def test_a_run_tells_the_story_of_a_session(tmp_path: Path) -> None:
    """Of the bundled server's: issued, used, refreshed and rotated, each with the lifetime that the server states."""
    chosen = ("-k", "access_01 or refresh_01 or rotate_02", "--tier", "hardened")
    ended = jwt_conformance("run", *chosen, "--report-json", "r.json", folder=tmp_path, env=clean())
    assert ended.code == 0, ended.said
    lives = {row["token"]: row for row in json.loads((tmp_path / "r.json").read_text())["timeline"]}
    assert lives["access 1"]["used_s"]
    assert 890 < lives["access 1"]["expires_s"] <= 901
    assert lives["refresh 1"]["ended_by"] == "rotation"
    assert lives["access 2"]["how"] == "refresh"
    assert lives["refresh 2"]["issued_s"] == lives["access 2"]["issued_s"] == lives["refresh 1"]["ended_s"]

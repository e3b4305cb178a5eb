"""The report and the comparison as their readers use them: filters, keyboard, dark, phone, print, and without harm."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from conformance.load import report as load_report
from conformance.reports import html
from conformance.reports.comparison import Comparison
from conformance.verdicts.model import Outcome, Verdict
from tests.reports.made import HOSTILE, broken_all_over, hostile, ordinary, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    Opener = Callable[..., Page]

UNFOLD = "document.querySelectorAll('details').forEach((each) => { each.open = true })"


def better() -> dict[str, Any]:
    """A run in which nothing is broken."""
    return report(Outcome("LOGIN-01", Verdict.PASSED), Outcome("ACCESS-02", Verdict.PASSED))


def loaded() -> dict[str, Any]:
    """A load in which a promise was broken, by a target that answers with whatever might hurt a reader."""
    finding = {**hostile()["requirements"][0]["findings"][0], "observed": HOSTILE[0]}
    figures = {"requests": 9, "failures": 1, **dict.fromkeys(("requests_per_s", "mean_ms", "max_ms"), 1.5)}
    figures |= dict.fromkeys(("p50_ms", "p95_ms", "p99_ms"), 2)
    row = {"users": 3, "requests_per_s": 4.5, "failures_per_s": 0, "p50_ms": 1, "p95_ms": 7, "broken": 1}
    return {
        "target": {"base_url": HOSTILE[1], "profile": "default"},
        "load": {
            "started": "2026-01-02T03:04:05+00:00", "users": 3, "lasted_s": 2.0, "workers": 0, "accounts": 2,
            "complete": False, "suite_faults": [HOSTILE[0]],
        },
        "result": "broken",
        "alone": {"rotates": True, "spent_refresh_token": "refused", "logout_ends": ["access"], "leeway_s": 300},
        "invariants": [
            {"id": "own-data", "title": "Every answer shows the owner of its token", "requirement": "RACE-03",
             "checked": 7, "broken": 1, "unseen": "", "findings": [finding]},
            {"id": "one-winner", "title": "At most one goes on", "requirement": None, "checked": 0, "broken": 0,
             "unseen": "it did not come to that", "findings": []},
        ],
        "routes": [{"name": HOSTILE[0], "method": "GET", **figures}],
        "over_time": [{"at_s": second, **row} for second in range(3)],
    }  # fmt: skip


def comparison(*reports: dict[str, Any]) -> str:
    """The page on these reports."""
    return Comparison.of([(f"run {number}.json", each) for number, each in enumerate(reports)]).page()


PAGES = {
    "report": lambda: html.render(ordinary(), ""),
    "hostile report": lambda: html.render(hostile(), ""),
    "comparison": lambda: comparison(better(), ordinary()),
    "matrix": lambda: comparison(better(), hostile(), ordinary()),
    "load": lambda: load_report.page(loaded()),
}
each_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Opens a page's text as a file; whatever it asks the network for, or complains of, fails the test."""
    complaints: list[str] = []
    contexts = []

    def open_(text: str, **settings: Any) -> Page:
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.on("request", lambda request: complaints.append(request.url) if request.url != file.as_uri() else None)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(file.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def shown(page: Page) -> list[str]:
    """The ids of the requirements that can be seen."""
    rows = page.locator("details.requirement")
    return [str(row.get_attribute("id")) for row in rows.all() if row.is_visible()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@each_page
def test_axe_finds_nothing(name: str, scheme: str, opened: Opener) -> None:
    """Neither as it opens nor with everything unfolded, in both colour schemes."""
    page = opened(PAGES[name](), color_scheme=scheme)
    for unfold in (False, True):
        if unfold:
            page.evaluate(UNFOLD)
        found = Axe().run(page)
        assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []


@each_page
def test_a_target_s_words_do_nothing(name: str, opened: Opener) -> None:
    """With all of them unfolded the page is still the suite's own."""
    page = opened(PAGES[name]())
    page.evaluate(UNFOLD)
    assert page.title() != "owned"
    assert page.locator("img, b, iframe").count() == 0


def test_the_first_screen_says_what_it_amounts_to(opened: Opener) -> None:
    """Result, tiers, what to give and policies are there without a move."""
    page = opened(PAGES["report"](), viewport={"width": 1280, "height": 900})
    for text in ("not conformant", "Tiers", "What was untested", "--signing-key", "Policy", "401, 403"):
        box = page.get_by_text(text).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 900, text


def test_filters_choose_by_verdict_tier_and_text(opened: Opener) -> None:
    """Each of them, and together; areas without a match go, and a reset brings all back."""
    page = opened(PAGES["report"]())
    everything = shown(page)
    assert len(everything) == 7

    for verdict in ("passed", "untested", "not applicable"):
        page.get_by_label(verdict, exact=True).uncheck()
    assert set(shown(page)) == {"ACCESS-02", "SIG-02", "LEAK-01"}
    page.get_by_role("combobox").select_option("core")
    page.get_by_label("Text").fill("refresh token needed")
    assert shown(page) == ["ACCESS-02"]
    assert page.get_by_text("1 of 7 requirements shown").is_visible()
    assert page.locator("section.area:visible").count() == 1
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("document.getElementById('shown').textContent.startsWith('7 of 7')")
    assert shown(page) == everything


def test_it_is_used_without_a_mouse(opened: Opener) -> None:
    """The keyboard jumps to the requirements, and unfolds one and its evidence."""
    page = opened(PAGES["report"]())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the requirements"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#requirements"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('details')?.id") == "ACCESS-02":
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#ACCESS-02 mark").first.is_visible()


def test_a_link_to_a_requirement_unfolds_it(opened: Opener) -> None:
    """As the list of what was untested has them, and as somebody sends one."""
    page = opened(PAGES["report"]())
    page.get_by_role("link", name="EXPIRY-01").click()
    page.wait_for_function("document.getElementById('EXPIRY-01').open")
    assert page.locator("#EXPIRY-01").get_by_text("Why it matters").is_visible()


@each_page
def test_it_fits_a_phone(name: str, opened: Opener) -> None:
    """Nothing makes the page wider than the screen; a wide table scrolls by itself."""
    page = opened(PAGES[name](), viewport={"width": 360, "height": 740}, is_mobile=True, device_scale_factor=2)
    page.evaluate(UNFOLD)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_dark_is_dark_and_light_is_light(opened: Opener) -> None:
    """As the reader's system has it."""
    brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((sum, each) => sum + +each, 0)"
    assert opened(PAGES["report"](), color_scheme="dark").evaluate(brightness) < 150
    assert opened(PAGES["report"](), color_scheme="light").evaluate(brightness) > 700


def test_on_paper_there_is_what_is_broken_and_no_form(opened: Opener, tmp_path: Path) -> None:
    """Printing unfolds every finding, leaves the filters out, and folds them again afterwards."""
    page = opened(PAGES["report"]())
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("#ACCESS-02").get_by_text("a refusal").first.is_visible()
    assert not page.locator("form").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not page.evaluate("document.getElementById('ACCESS-02').open")
    page.pdf(path=tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_without_scripts_everything_is_there(opened: Opener) -> None:
    """What scripts add is filters; the rest unfolds by itself."""
    page = opened(PAGES["report"](), java_script_enabled=False)
    assert len(shown(page)) == 7
    assert not page.locator("form").is_visible()
    page.locator("#ACCESS-02 > summary").click()
    assert page.locator("#ACCESS-02").get_by_text("Why it matters").is_visible()


def test_fifty_failures_can_be_searched(opened: Opener) -> None:
    """The page of a strict run with fifty failures opens, and filters, before its reader has lost patience."""
    page = opened(html.render(broken_all_over(), ""))
    opening = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    started = time.monotonic()
    page.get_by_label("Text").fill("ACCESS-02")
    assert "ACCESS-02" in shown(page)
    # A bound against what is out of all proportion, on machines that have other things to do.
    assert opening < 10_000
    assert time.monotonic() - started < 20


def test_a_comparison_shows_what_differs_first(opened: Opener) -> None:
    """What got worse stands at the top with what was seen, and the table begins with what differs."""
    page = opened(PAGES["comparison"]())
    assert page.get_by_text("passed → failed").is_visible()
    assert page.get_by_text("a refresh token at GET /profile: accepted").is_visible()
    rows = page.locator("#matrix tbody tr:visible")
    assert rows.count() == 6
    page.get_by_label("only what differs").uncheck()
    assert rows.count() == 7
    page.get_by_label("Text").fill("login-01")
    assert rows.count() == 1

"""The report as a page: one file that needs no network, to be read by whoever mends what is broken."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup, escape

from conformance.catalogue import load
from conformance.catalogue.links import link_of
from conformance.inert import inert
from conformance.reports import counting, timeline
from conformance.reports.templating import environment
from conformance.reports.text import plain
from conformance.tokens.reading import read_jwt

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN: Final = re.compile(r"(e[wy][\w-]+\.[\w-]*)\.(?:[\w-]*|<signature removed>)")
LONGEST_TEXT: Final = 2000
"""Characters of a body that are shown; the JSON report has what else was kept."""


def render(report: dict[str, Any], _file: str) -> str:
    """The page."""
    jinja = environment(autoescape=True)
    jinja.filters |= {"shown": shown, "paragraphs": paragraphs, "words": lambda verdict: verdict.replace("_", " ")}
    parts = inline("report.js")
    rows = {row["id"]: row for row in report["requirements"]}
    areas = [
        (area, [(requirement, rows[requirement.id]) for requirement in area.requirements if requirement.id in rows])
        for area in load().areas
    ]
    return jinja.get_template("report.html.jinja").render(
        report=report,
        conclusion=counting.CONCLUSIONS[report["result"]],
        tiers=counting.tiers(report),
        wanting=counting.wanting(report),
        policy=counting.policy(report),
        verdicts=counting.VERDICTS,
        areas=[(area, found) for area, found in areas if found],
        exchanges=exchanges,
        timeline=timeline.drawn(report["timeline"]),
        link_of=link_of,
        style=Markup(parts.style),  # noqa: S704 - the suite's own files
        script=Markup(parts.script),  # noqa: S704
        style_hash=parts.style_hash,
        script_hash=parts.script_hash,
    )


def shown(text: Any) -> str:
    """A text from elsewhere, in which nothing steers what reads it, and not too long."""
    words = inert(str(text))
    return words if len(words) <= LONGEST_TEXT else f"{words[:LONGEST_TEXT]}… ({len(words)} characters)"


def paragraphs(text: str) -> Markup:
    """A text of the catalogue: paragraphs, and code between backticks."""
    found = [re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(each))) for each in plain(text).split("\n\n")]
    return Markup("".join(f"<p>{each}</p>" for each in found))  # noqa: S704 - escaped above


@dataclass(frozen=True, slots=True)
class ShownExchange:
    """An exchange as the page shows it: texts, line by line, each with whether the probe changed it."""

    note: str
    request: list[tuple[str, bool]]
    response: list[tuple[str, bool]]
    tokens: list[list[tuple[str, bool]]]


def exchanges(finding: dict[str, Any]) -> list[ShownExchange]:
    """The finding's exchanges in order; what is new since the first one, which is the control, is marked."""
    found = []
    control: list[set[str]] = []
    for exchange in finding["exchange"]:
        texts = [list(_request(exchange["request"])), list(_response(exchange["response"]))]
        tokens = [list(_decoded(token)) for token in _tokens(exchange["request"])]
        lines = [set(texts[0]), set(texts[1]), {line for token in tokens for line in token}]
        first = not control
        control = control or lines
        marked = [[(line, not first and line not in control[side]) for line in text] for side, text in enumerate(texts)]
        decoded = [[(line, not first and line not in control[2]) for line in token] for token in tokens]
        found.append(ShownExchange(exchange["note"], marked[0], marked[1], decoded))
    return found


def _request(request: dict[str, Any]) -> Iterator[str]:
    yield f"{request['method']} {request['path']}"
    yield from (f"{name}: {value}" for name, value in request["headers"])
    if request["body"]:
        yield ""
        yield from request["body"].split("\n")


def _response(response: dict[str, Any]) -> Iterator[str]:
    yield str(response["status"])
    yield from (f"{name}: {value}" for name, value in response["headers"] if name.lower() != "date")
    if response["body"]:
        yield ""
        yield from response["body"].split("\n")


def _tokens(request: dict[str, Any]) -> list[str]:
    """The JWTs of a request, without their signatures."""
    text = "\n".join([*(value for _, value in request["headers"]), request["path"], request["body"]])
    return list(dict.fromkeys(match[1] for match in _TOKEN.finditer(text)))


def _decoded(token: str) -> Iterator[str]:
    """Header and payload as JSON, a member on each line."""
    jwt = read_jwt(f"{token}.")
    if jwt is None:
        yield "(not to be read as a JWT)"
        return
    for name, part in (("header", jwt.header), ("payload", jwt.claims)):
        yield f"{name}:"
        yield from (f"  {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in part.items())


@dataclass(frozen=True, slots=True)
class Inline:
    """What a page brings along, and the hashes by which its Content-Security-Policy lets nothing else run."""

    style: str
    script: str

    @property
    def style_hash(self) -> str:
        """SHA-256 of the style, as CSP Level 3 has it."""
        return _hash(self.style)

    @property
    def script_hash(self) -> str:
        """The same of the script."""
        return _hash(self.script)


def inline(script: str) -> Inline:
    """The style of all pages, and one page's script."""
    folder = files("conformance.reports") / "templates"
    return Inline(*((folder / name).read_text(encoding="utf-8") for name in ("report.css", script)))


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

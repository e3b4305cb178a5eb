"""Whether an answer is what its Content-Type says (RFC 9110 §8.3, RFC 8259 §8.1)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from conformance.target.http import Response

_JSON_TYPE: Final = re.compile(r"(?:application|text)/json|[a-z0-9!#$&^_.-]+/[a-z0-9!#$&^_.-]+\+json")
_BOM: Final = b"\xef\xbb\xbf"


def wrongly_declared(answer: Response) -> str:
    """What is wrong with the declared type of an answer that has content; empty where nothing is.

    A page of HTML that is declared as one is not: what a refusal should look like is ERR-01's matter, and a page for
    people who ask for one is content negotiation.
    """
    declared = (answer.header("Content-Type") or "").partition(";")[0].strip().lower()
    if not declared:
        return "content without a Content-Type"
    if _JSON_TYPE.fullmatch(declared):
        if answer.body.startswith(_BOM):
            return f"{declared} that begins with a byte order mark"
        if not answer.truncated and _parsed(answer.body) is _NO_JSON:
            return f"{declared}, and the content is no JSON in UTF-8"
        return ""
    if isinstance(_parsed(answer.body), dict | list):
        return f"JSON that is declared as {declared}"
    return ""


_NO_JSON: Final = object()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return _NO_JSON

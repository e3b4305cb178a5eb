"""JSON as RFC 8259 and I-JSON (RFC 7493) have it: UTF-8, no NaN, no member twice."""

from __future__ import annotations

import json
from typing import Any


class NotJSONError(ValueError):
    """The bytes are no JSON text, or one that two readers could read differently."""


def loads(raw: bytes) -> Any:
    """The value that `raw` holds.

    Raises:
        NotJSONError: for anything that is not exactly one unambiguous JSON text in UTF-8.
    """
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_no_constant)
    # Nesting of tens of thousands of levels ends in a RecursionError; it is the sender's fault as well.
    except (ValueError, RecursionError) as error:
        raise NotJSONError("not one JSON text") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotJSONError("a member occurs twice")
    return members


def _no_constant(name: str) -> Any:
    raise NotJSONError(f"{name} is no JSON number")

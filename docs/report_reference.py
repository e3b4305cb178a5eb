"""The members of the JSON report and the exit codes, as the reference shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.verdicts.verdict_set import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = json.loads((Path(__file__).parent.parent / "specs" / "report.schema.json").read_text(encoding="utf-8"))
CODES = {
    ExitCode.CONFORMANT: "everything that was asked for holds, or is put up with by the baseline",
    ExitCode.BROKEN: "a MUST is broken, a SHOULD with `--strict`, or the baseline lists what no longer happens",
    ExitCode.USAGE: "an option, the profile, the credentials or a file is wrong; nothing was judged",
    ExitCode.INCOMPLETE: "the target did not answer, limits the rate or failed a control, or a tier was not judged",
    ExitCode.SUITE_FAULT: "a scenario crashed: a fault of the suite, which says nothing of the target",
}


def members() -> list[dict[str, str]]:
    """Every member by its path, with its type and meaning."""
    return list(_members(SCHEMA, ""))


def _members(schema: dict[str, Any], path: str) -> Iterator[dict[str, str]]:
    for name, given in schema.get("properties", {}).items():
        own = _resolved(given)
        here = f"{path}.{name}" if path else name
        yield {"path": here, "type": _type(own), "description": given.get("description") or own.get("description", "")}
        yield from _members(own, here)
        if "items" in own:
            yield from _members(_resolved(own["items"]), f"{here}[]")


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)

"""Writes `specs/targets.schema.json`, of the file that names a fleet's targets, from the options of a run.

python docs/targets_schema.py            writes the schema
python docs/targets_schema.py --check    fails if it is not what would be written
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from conformance.catalogue import Tier
from conformance.fleet.entry import BY_NAME, NAME
from conformance.fleet.targets import NEVER, ONE_EACH
from conformance.options import CLOCKS, Option

FILE: Final = Path(__file__).parents[1] / "specs" / "targets.schema.json"
VALUES: Final[dict[str, list[str]]] = {"tier": [str(tier) for tier in Tier], "clock": list(CLOCKS)}
VARIABLE: Final = {"type": "string", "pattern": r"\$\{\w+\}"}
"""What stands for a value that only the environment has."""


def schema() -> dict[str, Any]:
    """The whole schema."""
    options = {name: _option(option) for name, option in BY_NAME.items() if name not in NEVER}
    options["strict"] = {"description": "A broken SHOULD fails the run, too.", "type": "boolean"}
    usual = {name: option for name, option in options.items() if name not in ONE_EACH}
    name = {
        "description": "What it is called, unlike any other: its report is a file of this name.",
        "type": "string",
        # Of a line break at the end no `$` knows everywhere.
        "pattern": f"^(?!.*\\n)(?:{NAME.pattern})(?<!\\.)$",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The targets of jwt-conformance fleet",
        "type": "object",
        "additionalProperties": False,
        "required": ["target"],
        "properties": {
            "defaults": {
                "description": "What holds for every target that does not say otherwise.",
                "type": "object",
                "additionalProperties": False,
                "properties": usual,
            },
            "target": {
                "description": "A target, and the options of its run.",
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["name"],
                    "properties": {"name": name, **options},
                },
            },
        },
    }


def _option(option: Option) -> dict[str, Any]:
    about = option.help + (f" Default: {option.default}." if option.default else "")
    if option.is_switch:
        return {"description": about, "type": ["boolean", "string"]}
    if option.name in VALUES:
        return {"description": about, "anyOf": [{"enum": ["", *VALUES[option.name]]}, VARIABLE]}
    return {"description": about, "type": ["string", "number"]}


def text() -> str:
    """The file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Writes it, or tells whether it is out of date."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        FILE.write_text(text(), encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text():
        sys.stderr.write(f"specs/{FILE.name} is out of date: run python docs/targets_schema.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

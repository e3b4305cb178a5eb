"""The verdicts that an implementation is expected to get: its `expected.toml`.

passed = ["ACCESS-01", ...]             and so for not_applicable, untested and noted

[usual]
failed = ["LEAK-01", ...]               and so for warned: for the reason that `usual.toml` gives

[deviations.ACCESS-02]
verdict = "failed"                      or warned, or inconclusive
reason = "..."                          what somebody found who looked into it
link = "..."                            the upstream discussion, where there is one
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.running import LAB, read

if TYPE_CHECKING:
    from pathlib import Path

FILE = "expected.toml"
PLAIN = ("passed", "not_applicable", "untested", "noted")
"""Verdicts that need no reason: the report says it."""
USUAL = LAB / "usual.toml"
"""Reasons that hold of many: what libraries leave to whoever uses them, and examples leave out."""


@dataclass
class Expected:
    """What is expected of one implementation.

    Attributes:
        verdicts: by requirement.
        reasons: for each that deviates for a reason of its own, `reason` and perhaps `link`.
        usual: those that deviate for the usual reason.
        also: another verdict that may come instead, by requirement.
    """

    verdicts: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, dict[str, str]] = field(default_factory=dict)
    usual: frozenset[str] = frozenset()
    also: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> Expected:
        """What the folder's file says; nothing, where there is none yet."""
        path = folder / FILE
        facts = read(path) if path.exists() else {}
        deviations: dict[str, dict[str, str]] = facts.get("deviations", {})
        usual = {name: verdict for verdict, names in facts.get("usual", {}).items() for name in names}
        verdicts = {name: verdict for verdict in PLAIN for name in facts.get(verdict, [])} | usual
        verdicts |= {name: row["verdict"] for name, row in deviations.items()}
        reasons = {
            name: {key: value for key, value in row.items() if key != "verdict"} for name, row in deviations.items()
        }
        return cls(verdicts, reasons, frozenset(usual), facts.get("also", {}))

    def reason(self, name: str) -> dict[str, str]:
        """Why the requirement deviates: `reason`, and perhaps `link`."""
        return read(USUAL)[name] if name in self.usual else self.reasons[name]

    def differences(self, report: dict[str, Any]) -> list[str]:
        """Where a report says something else, in words."""
        found = [f"{fault} crashed, which is the suite's own fault" for fault in report["run"]["suite_faults"]]
        for row in report["requirements"]:
            expected = self.verdicts.get(row["id"], "nothing")
            if row["verdict"] not in {expected, self.also.get(row["id"])}:
                seen = "; ".join(f"{each['case']}: {each['observed']}" for each in row["findings"][:2]) or row["reason"]
                found.append(f"{row['id']} is {row['verdict']}, expected {expected}: {seen}")
        return found

    def updated(self, report: dict[str, Any]) -> Expected:
        """What a report says, with the reasons that are known; a new deviation has an empty one."""
        verdicts = {
            name: self.verdicts[name] if verdict == self.also.get(name) else verdict
            for name, verdict in ((row["id"], row["verdict"]) for row in report["requirements"])
        }
        deviating = [name for name, verdict in verdicts.items() if verdict not in PLAIN]
        reasons = {name: self.reasons.get(name, {"reason": ""}) for name in deviating if name not in self.usual}
        return Expected(verdicts, reasons, self.usual & set(deviating), self.also)

    def text(self) -> str:
        """The file."""
        lines = []
        for verdict in PLAIN:
            lines += _listed(verdict, [name for name, given in self.verdicts.items() if given == verdict])
        if self.usual:
            lines += ["", "[usual]"]
        for verdict in sorted({self.verdicts[name] for name in self.usual}):
            lines += _listed(verdict, sorted(name for name in self.usual if self.verdicts[name] == verdict))
        for name, reason in self.reasons.items():
            lines += ["", f"[deviations.{name}]", f'verdict = "{self.verdicts[name]}"']
            lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in reason.items()]
        if self.also:
            lines += ["", "[also]", *(f'{name} = "{verdict}"' for name, verdict in sorted(self.also.items()))]
        return "\n".join(lines) + "\n"


def _listed(key: str, names: list[str]) -> list[str]:
    rows = textwrap.wrap(" ".join(f'"{name}",' for name in names), 116, break_on_hyphens=False)
    return [f"{key} = [", *(f"    {row}" for row in rows), "]"]

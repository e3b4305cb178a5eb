"""Examining a target that is reached without a network."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from conformance.target import doctor
from conformance.target.profile_files import load
from tests.conformance.support import FakeApi, target_of

if TYPE_CHECKING:
    from conformance.target.http import Request
    from conformance.target.target import Target


def shown(request: Request) -> str:
    """The token that a request carries."""
    return dict(request.headers).get("Authorization", "").removeprefix("Bearer ")


def findings(api: FakeApi, *, signing_key: str | bytes = "", **changes: Any) -> tuple[Target, list[str]]:
    """The examined target, and what was said of it."""
    target = target_of(api, profile=dataclasses.replace(load("default"), **changes))
    return target, [str(line) for line in doctor.examine(target, signing_key)]

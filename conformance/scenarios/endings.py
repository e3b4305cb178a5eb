"""The ways a scenario ends before its end, none of which is a finding."""

from __future__ import annotations

from typing import Final

from conformance.errors import ConformanceError


class NotApplicableError(Exception):
    """The target does not offer what the requirement is about."""


class UntestedError(Exception):
    """The requirement applies, but the suite lacks something; the message says what to give."""


class InconclusiveError(Exception):
    """A control failed, so nothing was learnt."""


ENDINGS: Final = (NotApplicableError, UntestedError, InconclusiveError, ConformanceError)
"""Whatever ends a scenario with a verdict instead of a crash."""

"""Durations."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reference_server.durations import DurationError, parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("45", timedelta(seconds=45)), ("45s", timedelta(seconds=45)), ("90 seconds", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)), ("1 min", timedelta(minutes=1)), ("1h", timedelta(hours=1)),
        ("2 Hours", timedelta(hours=2)), (" 2 days ", timedelta(days=2)), ("1d", timedelta(days=1)),
        ("1 week", timedelta(weeks=1)), ("2w", timedelta(weeks=2)), ("400d", timedelta(days=400)),
    ],
)  # fmt: skip
def test_durations_read_as_people_write_them(text: str, duration: timedelta) -> None:
    """A number and a unit; without a unit the number counts seconds."""
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("15 minuts", "'15 minutes'"), ("2 horus", "'2 hours'"), ("1 fortnight", "'1 "), ("0", "'1s'"),
        ("0 days", "'1s'"), ("401d", "'400 days'"), ("9" * 9 + "w", "'400 days'"), ("9" * 99, "'400 days'"),
        ("9" * 999, "'15m'"), ("", "'15m'"), ("-5m", "'15m'"),
        ("1.5h", "'15m'"), ("1h30m", "'15m'"), ("\u0661h", "'15m'"), ("soon", "'15m'"),
    ],
)  # fmt: skip
def test_what_is_no_duration_names_one(text: str, hint: str) -> None:
    """The message shows what was written, and something that would do."""
    with pytest.raises(DurationError) as error:
        parse_duration(text)
    assert repr(text) in str(error.value)
    assert hint in str(error.value)

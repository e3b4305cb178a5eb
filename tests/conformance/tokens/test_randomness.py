"""Telling counters and clocks from random strings."""

from __future__ import annotations

import random
import secrets
import uuid

import pytest

from conformance.tokens.randomness import ENOUGH, variation

SEEDED = random.Random(7)  # noqa: S311 - the same strings in every run


@pytest.mark.parametrize(
    ("make", "least"),
    [
        (lambda: secrets.token_urlsafe(32), 240),
        (lambda: secrets.token_hex(32), 240),
        (lambda: f"42|{secrets.token_urlsafe(30)}", 200),
        (lambda: str(SEEDED.getrandbits(128)), 100),
    ],
    ids=["base64url", "hexadecimal", "behind-a-prefix", "decimal"],
)
def test_random_strings_vary_widely(make, least: int) -> None:  # noqa: ANN001 - a function that makes a string
    """Random strings of usual length are taken for what they are, whatever they are written in."""
    seen = variation([make() for _ in range(ENOUGH)])

    assert seen.bits >= least
    assert seen.pattern == ""


def test_random_uuids_are_recognised() -> None:
    """A random UUID varies in a little less than 128 bits, and is called by its name."""
    seen = variation([str(uuid.uuid4()) for _ in range(ENOUGH)])

    assert seen.pattern == "random UUIDs"
    assert 116 <= seen.bits < 128


@pytest.mark.parametrize(
    "write", ["{}", "{:032d}", "token-{:08x}", "{:x}"], ids=["plain", "padded", "behind-a-word", "hexadecimal"]
)
@pytest.mark.parametrize("start", [7, 98, 0xFFFA])
def test_counters_are_recognised(write: str, start: int) -> None:
    """Numbers that go up are recognised in any spelling, also where they grow by a digit."""
    seen = variation([write.format(number) for number in range(start, start + ENOUGH)])

    assert seen.bits < 64


@pytest.mark.parametrize("write", [str, lambda value: value.hex], ids=["hyphens", "none"])
def test_uuids_of_the_clock_are_recognised(write) -> None:  # noqa: ANN001 - a function of a UUID
    """UUIDs of version 1 look long and are made of the time."""
    seen = variation([write(uuid.uuid1()) for _ in range(ENOUGH)])

    assert "version 1" in seen.pattern


@pytest.mark.parametrize(
    "strings",
    [
        [secrets.token_hex(4) for _ in range(ENOUGH)],
        [f"6741c3b{number:01x}9f1b2c3d4e5f{0xA000 + number:06x}" for number in range(ENOUGH)],
        [str(1860000000000000000 + (number << 22) + number) for number in range(ENOUGH)],
    ],
    ids=["short", "ObjectId", "Snowflake"],
)
def test_little_variation_is_seen(strings: list[str]) -> None:
    """Strings that are short, or the same but for a few characters, vary in fewer than 64 bits."""
    assert variation(strings).bits < 64

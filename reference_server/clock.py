"""The one place that reads the clock."""

from __future__ import annotations

import time


def now() -> int:
    """Seconds since the epoch, rounded down, so that a new token's `nbf` is never in the future.

    The clock is read at each call: a test that moves `time.time` moves the server.
    """
    return int(time.time())

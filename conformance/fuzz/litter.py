"""Keeps what Hypothesis writes down for later out of the folder that the user is in."""

from __future__ import annotations

from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import configuration

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    """Has Hypothesis keep its files in a folder that is removed; afterwards it keeps them where it did."""
    settings: Any = configuration
    before = getattr(settings, "__hypothesis_home_directory", None)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        settings.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            settings.set_hypothesis_home_dir(before)

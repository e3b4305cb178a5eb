"""Programs that the tests need, from Debian's packages."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def install(*packages: str, found: Callable[[], object]) -> None:
    """Installs packages, where that takes nothing but rights: in CI, and for nobody who has not asked.

    The tests' processes share the machine, and apt-get update waits for nobody: the first one installs them for all.
    """
    if found() or not os.environ.get("CI") or os.geteuid() != 0:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with (Path(tempfile.gettempdir()) / "jwt-conformance-packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if found():
            return
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            command = ["apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=300", *words]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

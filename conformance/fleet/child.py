"""The process of one run: the command, and a thread that ends it with whoever has started it.

Run as a program, with the command's arguments. Its standard input is a pipe that nothing is written to.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from typing import Final

GRACE_S: Final = 5.0
"""So long a run may take to write what is known so far."""


def _outlive_nobody(pipe: int) -> None:
    """Ends this process, and all of its group, when the pipe is closed at its other end."""
    while os.read(pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    # pytest puts something else in the place of standard input, and so does this.
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_outlive_nobody, args=(pipe,), daemon=True).start()
    sys.argv[0] = "jwt-conformance"
    runpy.run_module("conformance", run_name="__main__")

"""The command from its first moment on: whoever interrupts it while it is being loaded sees no traceback."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command."""
    try:
        from conformance.cli import main as command  # noqa: PLC0415 - this is what takes a while
    except KeyboardInterrupt:
        sys.stderr.write("interrupted before anything was judged\n")
        sys.exit(3)
    command()


if __name__ == "__main__":
    main()

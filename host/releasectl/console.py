"""Messages for the person at the terminal, and the errors that end a command."""

from __future__ import annotations

import errno
import sys

BUSY = 75


class ReleaseError(Exception):
    """An error for the person to read: printed without a traceback."""

    status = 1


class BusyError(ReleaseError):
    status = BUSY


def say(text: str) -> None:
    """Print to standard error. A closed connection must not stop the command half way."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:
        pass


def format_os_error(error: OSError) -> str:
    where = error.filename or "the disk"
    if error.errno == errno.ENOSPC:
        return f"{where}: no space left on the disk"
    return f"{where}: {error.strerror}"


def exit_on_signal(number: int, _: object) -> None:
    """Exit through the `finally` and `except` blocks, which remove temporary files."""
    raise SystemExit(128 + number)

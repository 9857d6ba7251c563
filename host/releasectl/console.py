"""What a person is told, and the errors that end a command."""

from __future__ import annotations

import errno
import sys

BUSY = 75


class ReleaseError(Exception):
    """What a person has to know: printed without a traceback."""

    status = 1


class BusyError(ReleaseError):
    status = BUSY


def say(text: str) -> None:
    """Tell the person; a closed connection is no reason to stop half way."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:
        pass


def explained(error: OSError) -> str:
    where = error.filename or "the disk"
    if error.errno == errno.ENOSPC:
        return f"{where}: no space left on the disk"
    return f"{where}: {error.strerror}"


def stop_in_order(number: int, _: object) -> None:
    """A polite end: leftovers are removed on the way out."""
    raise SystemExit(128 + number)

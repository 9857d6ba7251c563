"""Messages for the person at the terminal, and the errors that end a command."""

from __future__ import annotations

import sys


class CertificateError(Exception):
    """An error for the person to read: printed without a traceback."""

    retry_after: float | None = None
    """Seconds after which the CA wants to be asked again, where it has said so."""


class WaitingError(CertificateError):
    """A name does not lead here yet: nothing was asked of the CA."""


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()

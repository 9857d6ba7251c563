"""How the commands talk: progress and errors on standard error, colour on a terminal only."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

INTERRUPTED = 130


class CommandError(Exception):
    """The command ends here: one line for a person, with what is wrong and what is allowed."""


def say(text: str) -> None:
    print(f"{_colour(2)}slipway:{_colour(0)} {text}", file=sys.stderr, flush=True)  # noqa: T201


def fail(text: str) -> NoReturn:
    raise CommandError(text)


def asked(question: str) -> str:
    """What a person answers, on standard error for standard output may be a file."""
    print(question, end="", file=sys.stderr, flush=True)  # noqa: T201
    return sys.stdin.readline().strip()


def status_of(command: Callable[[], int | None], failure: Callable[[], int] = lambda: 1) -> int:
    """Run a command to its exit status; says its error, and nothing of an interruption.

    An error without a text has been said already. `failure` is its exit status.

    Whoever reads our output may have had enough (`scripts/status --json | head`): then we end as a
    program does that is killed by SIGPIPE.
    """
    try:
        status = command() or 0
        sys.stdout.flush()
    except CommandError as error:
        if str(error):
            print(f"{_colour(31)}slipway: {error}{_colour(0)}", file=sys.stderr)  # noqa: T201
        return failure()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # What is left in the buffer would be written once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status


def _colour(number: int) -> str:
    return f"\x1b[{number}m" if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else ""

"""The one exception that users see, and how an interrupted program ends."""

import os
import signal
import threading
from pathlib import Path
from types import FrameType

import pulumi


class SlipwayError(pulumi.RunError):
    """An error that the user can fix: the message says what is wrong, where, and what is allowed.

    The engine shows it without a traceback, so it names the file or key and never holds a secret.
    """


def end_quietly_when_interrupted() -> None:
    """End without a traceback on Ctrl-C, or when the engine stops the program after a failure.

    Status 32 tells the language host (pulumi-language-python-exec) that the error was reported.
    Without a language host the program is a thread of another one, which handles its own end.
    """
    if threading.current_thread() is not threading.main_thread():
        return

    def end(_signal: int, _frame: FrameType | None) -> None:
        os._exit(32)

    signal.signal(signal.SIGINT, end)


def refuse_another_clone(program: str) -> None:
    """Refuse to run if the shell is activated for another clone: its servers would be changed."""
    active = os.environ.get("SLIPWAY_ACTIVE", "")
    here = Path(program).resolve().parent
    if active and Path(active).resolve() != here:
        raise SlipwayError(
            f"this shell is activated for {active}:"
            f" for the clone here, source {here}/scripts/activate"
        )

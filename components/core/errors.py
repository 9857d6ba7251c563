"""The one exception a person may see, and how an interrupted program ends."""

import os
import signal
import threading
from pathlib import Path
from types import FrameType

import pulumi


class SlipwayError(pulumi.RunError):
    """Something a person can put right: the message says what is wrong, where, and what is allowed.

    The engine shows it without a traceback, so it names the file or key and never holds a secret.
    """


def end_quietly_when_interrupted() -> None:
    """End without a traceback on Ctrl-C, or when the engine stops the program after a failure.

    Status 32 tells the language host that all has been said (pulumi-language-python-exec). Where
    there is none, the program is a thread of another one, which looks after its own end.
    """
    if threading.current_thread() is not threading.main_thread():
        return

    def end(_signal: int, _frame: FrameType | None) -> None:
        os._exit(32)

    signal.signal(signal.SIGINT, end)


def refuse_another_clone(program: str) -> None:
    """End where the shell is activated for another clone, whose servers this would change."""
    active = os.environ.get("SLIPWAY_ACTIVE", "")
    here = Path(program).resolve().parent
    if active and Path(active).resolve() != here:
        raise SlipwayError(
            f"this shell is activated for {active}:"
            f" for the clone here, source {here}/scripts/activate"
        )

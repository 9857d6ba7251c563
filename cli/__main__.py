"""Runs a command: `scripts/up local` is `python3 -m cli up local`.

What is imported here, and by a command's module at its top, is of the standard library: help and
wrong words are told also before anything is set up.
"""

from __future__ import annotations

import importlib
import signal
import sys
from pathlib import Path

from cli.arguments import Command, parsed
from cli.console import fail, status_of

COMMANDS = Path(__file__).parent / "commands"


def main(words: list[str]) -> int:
    """Run the command that the first word names; its exit status."""
    # What was begun is cleared away: keys lie in files while ssh needs them.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    name, *rest = words or [""]
    failure = 1

    def run() -> int | None:
        nonlocal failure
        command = found(name)
        failure = command.failure
        options = parsed(command, name, rest)
        return None if options is None else command.run(options)

    return status_of(run, failure=lambda: failure)


def found(name: str) -> Command:
    """The command of that name."""
    module = name.replace("-", "_")
    names = sorted(path.stem.replace("_", "-") for path in COMMANDS.glob("[a-z]*.py"))
    if name not in names:
        fail(f"there is no command {name!r}: must be one of {', '.join(names)}")
    command: Command = importlib.import_module(f"cli.commands.{module}").COMMAND
    return command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`pulumi up` on one stack, when it is our turn."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from cli.engine import failure, update_lock
from cli.engine.prestart import Prestart
from cli.engine.process import run
from cli.paths import home
from cli.timeline.recording import Recording


class Updater:
    """Updates a stack, once or several times.

    Args:
        stack: its name.
        program: what was started ahead for the first update.
        wait: whether to wait while somebody else updates the stack.
        recording: what writes down the steps of the first update.
    """

    def __init__(
        self,
        stack: str,
        program: Prestart | None = None,
        *,
        wait: bool = False,
        recording: Recording | None = None,
    ) -> None:
        self.stack, self._wait = stack, wait
        self._program, self._recording = program, recording

    def await_turn(self) -> None:
        """Return once nobody else updates the stack. Raises `CommandError`, unless we wait."""
        update_lock.require_turn(self.stack, wait=self._wait)

    def update(self, *options: str) -> bool:
        """Run `pulumi up` with these options; whether it went well. Why not, is said.

        Raises:
            CommandError: somebody else updates the stack.
        """
        self.await_turn()
        log = home() / f"events-{self.stack}"
        try:
            # Somebody who waited, too, may have been quicker.
            while not (well := self._up(log, *options)) and self._is_to_try_again():
                self.await_turn()
            if not well:
                failure.tell(self.stack, log)
        finally:
            log.unlink(missing_ok=True)
        return well

    def _is_to_try_again(self) -> bool:
        return self._wait and bool(update_lock.held(self.stack))

    def _up(self, log: Path, *options: str) -> bool:
        # The event log is one of the engine's debug options. What is secret is not in there, what
        # a command says is: it is for this user alone.
        environment = {**os.environ, "PULUMI_DEBUG_COMMANDS": "true"}
        words = ["pulumi", "up", "--stack", self.stack, "--yes", "--skip-preview"]
        words += ["--suppress-outputs", "--event-log", str(log)]
        program, self._program = self._program, None
        recording, self._recording = self._recording, None
        if program:
            words += program.options()
            environment |= program.environment()
        words += options
        if recording:
            well = _recorded(recording, words, environment)
        else:
            well = run(words, env=environment, umask=0o077) == 0
        # Not where we are ended ourselves meanwhile: the update goes on, and needs its program.
        if program:
            program.end()
        return well


def _recorded(recording: Recording, words: list[str], environment: Mapping[str, str]) -> bool:
    """The same, with what the engine says kept as well."""
    tee = subprocess.Popen(["tee", recording.said], stdin=subprocess.PIPE, process_group=0)
    try:
        environment = {
            **environment,
            "PULUMI_OPTION_OTEL_TRACES": f"file://{quote(str(recording.trace))}",
        }
        return run(words, env=environment, umask=0o077, stdout=tee.stdin) == 0
    finally:
        tee.communicate()
        sys.stdout.flush()

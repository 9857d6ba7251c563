"""What a command says: kept whole for the outputs, and shown line by line as it comes."""

from __future__ import annotations

import asyncio
import collections
import typing
from types import TracebackType

from local_cloud.plugins.shared_provider import Log
from local_cloud.plugins.shared_values import Properties

LONGEST_SHOWN_LINE = 64 * 1024
MOST_LINES_AT_ONCE = 1000
"""Beyond this backlog, lines are shown together: a flood must not outlast its command."""

SHOWS_STDOUT = (None, "stdout", "stdoutAndStderr")
SHOWS_STDERR = (None, "stderr", "stdoutAndStderr")


class Output:
    """Collects a command's output while it runs; use as `async with`.

    The end of the block waits until every line has been shown.
    """

    def __init__(self, log: Log, logging: str | None) -> None:
        """`logging` is the input of that name: stdout, stderr, stdoutAndStderr, none, or None."""
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.everything = bytearray()
        self._shows = {1: logging in SHOWS_STDOUT, 2: logging in SHOWS_STDERR}
        self._log = log
        self._line = bytearray()
        self._lines: collections.deque[str] = collections.deque()
        self._arrived = asyncio.Event()
        self._ended = False
        self._showing: asyncio.Task[None] | None = None

    def add(self, descriptor: typing.Literal[1, 2], data: bytes) -> None:
        """Take a piece of output: 1 is stdout, 2 is stderr."""
        (self.stdout if descriptor == 1 else self.stderr).extend(data)
        self.everything.extend(data)
        if self._shows[descriptor]:
            self._line.extend(data)
            self._cut_lines()

    def outputs(self) -> Properties:
        """The outputs `stdout` and `stderr`: without one newline at the end."""
        return {"stdout": _text(self.stdout), "stderr": _text(self.stderr)}

    def _cut_lines(self) -> None:
        *complete, rest = self._line.split(b"\n")
        while len(rest) > LONGEST_SHOWN_LINE:
            complete.append(rest[:LONGEST_SHOWN_LINE])
            rest = rest[LONGEST_SHOWN_LINE:]
        self._line = rest
        if complete:
            self._lines.extend(_shown(line) for line in complete)
            self._arrived.set()

    async def _show(self) -> None:
        while self._lines or not self._ended:
            if not self._lines:
                await self._arrived.wait()
                self._arrived.clear()
            elif len(self._lines) > MOST_LINES_AT_ONCE:
                text = "\n".join(self._lines)
                self._lines.clear()
                await self._log.status(text)
            else:
                await self._log.status(self._lines.popleft())

    async def __aenter__(self) -> Output:
        self._showing = asyncio.create_task(self._show())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._line:
            self._lines.append(_shown(self._line))
        self._ended = True
        self._arrived.set()
        if self._showing is not None:
            await self._showing


def _shown(line: bytes | bytearray) -> str:
    return line.removesuffix(b"\r").decode(errors="replace")


def _text(output: bytearray) -> str:
    return output.removesuffix(b"\n").decode(errors="replace")

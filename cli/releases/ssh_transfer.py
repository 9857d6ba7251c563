"""A command on a server that may ask for a file: `releasectl stage --receive`, by way of ssh."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread


class SshTransfer:
    """Its standard error goes on to ours, line by line, and is remembered in `told`."""

    def __init__(self, command: Sequence[str]) -> None:
        self.answer = ""
        """The last line of its standard output."""
        self.told = ""
        self.status: int | None = None
        self._heard = True
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def ask(self, text: bytes) -> str:
        """Give it a line and return the one it answers; empty when it has ended."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        with suppress(BrokenPipeError):
            stdin.write(text)
            stdin.flush()
        self.answer = stdout.readline().decode().strip()
        return self.answer

    def send(self, file: Path) -> None:
        """Give it the file, as far as it takes it: why it took no more, it says itself."""
        assert self._process.stdin
        with suppress(BrokenPipeError), file.open("rb") as source:
            shutil.copyfileobj(source, self._process.stdin, 1 << 20)

    def end(self) -> int:
        """Nothing more comes from us: wait for its last line and its exit status."""
        assert self._process.stdin
        assert self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        rest = self._process.stdout.read().decode().strip()
        self.answer = rest or self.answer
        self.status = self._process.wait()
        self._listener.join()
        return self.status

    @contextmanager
    def abandoned_on_failure(self) -> Iterator[None]:
        """If what is in the block fails, it clears up, unheard: it would only say the same."""
        try:
            yield
        except BaseException:
            self._heard = False
            self.end()
            raise

    def _listen(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            text = line.decode(errors="replace")
            self.told += text
            if self._heard:
                sys.stderr.write(text)
                sys.stderr.flush()

"""One releasectl at a time."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path

from .console import BusyError, say


class Lock:
    """Exclusive lock of an application's releasectl commands; the file names its owner.

    The kernel releases the lock when the owner exits, however it exits.
    """

    def __init__(self, path: Path, owner: str, wait: float) -> None:
        self.path, self.owner, self.wait = path, owner, wait

    def __enter__(self) -> None:
        self._file = self.path.open("a+", encoding="utf-8")
        deadline = time.monotonic() + self.wait
        told = False
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                self._file.seek(0)
                owner = self._file.read().strip() or "another releasectl"
                if time.monotonic() >= deadline:
                    raise BusyError(f"busy: {owner}; waited {self.wait:.0f} s") from None
                if not told:
                    say(f"waiting up to {self.wait:.0f} s for {owner}")
                    told = True
                time.sleep(0.1)
        self._file.truncate(0)
        self._file.write(self.owner + "\n")
        self._file.flush()

    def __exit__(self, *_: object) -> None:
        self._file.truncate(0)
        self._file.close()

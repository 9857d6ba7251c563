"""How much memory a command and all that it started take together, at most."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from bench.site import Site

LOOK_EVERY_SECONDS = 0.05
_VARIABLE = "BENCH_WATCHED"
_PROPORTIONAL = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


class Watched:
    """Looks on while commands of a site run: `peak_megabytes` is there after the `with` block.

    A process counts when it has a variable of ours in its environment: so do those that leave their
    parents, as ssh does that stays for the next command. Pages that several processes share count
    once (proportional set size).
    """

    peak_megabytes = 0.0

    def __init__(self, site: Site) -> None:
        self._site = site
        self._mark = f"{_VARIABLE}={id(self)}".encode()
        self._known: dict[int, bool] = {}

    def __enter__(self) -> Watched:
        self._site.environment[_VARIABLE] = str(id(self))
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._look_on)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._enough.set()
        self._thread.join()
        del self._site.environment[_VARIABLE]

    def _look_on(self) -> None:
        while not self._enough.wait(LOOK_EVERY_SECONDS):
            ours = [number for number in _processes() if self._is_ours(number)]
            megabytes = sum(_proportional_kilobytes(number) for number in ours) / 1024
            self.peak_megabytes = max(self.peak_megabytes, megabytes)

    def _is_ours(self, number: int) -> bool:
        # A number comes again only after all others: within one command it is the same process.
        if not self._known.get(number):
            with suppress(OSError):
                environment = Path(f"/proc/{number}/environ").read_bytes()
                self._known[number] = self._mark in environment.split(b"\0")
        return self._known.get(number, False)


def _processes() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _proportional_kilobytes(number: int) -> int:
    with suppress(OSError):
        found = _PROPORTIONAL.search(Path(f"/proc/{number}/smaps_rollup").read_text())
        return int(found[1]) if found else 0
    return 0

"""Visitors who go on asking for the page while something happens to it."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType

from bench.site import USERS, fetch

CONNECTIONS = 4
PAUSE_SECONDS = 0.02
# A bound, should what they wait for never end.
MOST_SECONDS = 120.0
PATIENCE_SECONDS = 10.0


@dataclass
class Visitors:
    """A few visitors, each on a new connection for each request, from `with` to its end.

    `failures` holds what went wrong, `latencies` the seconds that good answers took.
    """

    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._visit) for _ in range(CONNECTIONS)]

    def __enter__(self) -> Visitors:
        self._deadline = time.monotonic() + MOST_SECONDS
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def _visit(self) -> None:
        while not self._enough.wait(PAUSE_SECONDS) and time.monotonic() < self._deadline:
            began = time.monotonic()
            try:
                status, page = fetch(PATIENCE_SECONDS)
            except OSError as error:
                self.failures.append(repr(error))
                continue
            if status != http.client.OK or USERS[0] not in page:
                self.failures.append(f"status {status}")
            else:
                self.latencies.append(time.monotonic() - began)

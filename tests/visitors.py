"""Visitors who go on asking for a page while something happens to the servers behind it.

    with Visitors("http://127.0.0.1:8080/") as visitors:
        release_something()
    assert visitors.failed == 0, visitors

They are a process of their own, so that the test's own work delays none of them; it ends with the
`with` block, with the test's process, and after `MOST_SECONDS` in any case.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
MOST_SECONDS = 900.0
#: The sample application's page, read from the database, and which release it is from.
THE_PAGE = r"(?s)Ada Lovelace.*<code>([0-9a-f]{12})</code>"


@dataclass(frozen=True)
class Answer:
    """One request: when it began (`time.monotonic`), and how many seconds it took."""

    began: float
    seconds: float
    said: str
    """What the pattern found in a good answer; of a failed request, how it failed."""
    good: bool
    asked_again: bool = False
    """Whether its first connection was ended in the moment of the request."""


@dataclass
class Visitors:
    """A few visitors who each ask, wait for the answer, pause and ask again.

    A connection is kept for the next request, and made anew where the server has ended it between
    two requests, as it may. It may also do so in the very moment of a request: nginx ends all that
    wait whenever it reads its files anew. A request that a *kept* connection took nowhere, without
    a byte of an answer, is therefore asked once more over a new one, as every browser does
    (RFC 9112, 9.3.1), and counted in `asked_again`. Nothing else is asked twice: whatever is not an
    answer 200 with `pattern` in it, in time, is a failure.
    """

    url: str
    connections: int = 8
    pause: float = 0.2
    """Seconds between an answer and the next request of the same visitor."""
    patience: float = 10.0
    """Seconds until a visitor gives up: also a failure."""
    pattern: str = THE_PAGE
    """A regular expression; what its first group finds is counted in `seen`."""
    host: str = ""
    """The name by which they ask; empty for that of `url`."""
    roots: str = ""
    """Over https, a file with the certificates that they trust: they check as a browser does."""
    answers: list[Answer] = field(default_factory=list, repr=False)
    """All requests, in the order in which they ended; there after the end of the `with` block."""

    def __enter__(self) -> Visitors:
        """Returns once the first of them has had an answer, or has failed."""
        words = (
            *(self.url, self.connections, self.pause, self.patience, self.pattern),
            *(self.host, self.roots),
        )
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.visitors", *map(str, words)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        said, _ = self._process.communicate()
        self.answers = [Answer(*each) for each in json.loads(said)]
        # On standard error, for bench/run prints its table on standard output.
        print(self, file=sys.stderr)  # noqa: T201

    @property
    def good(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.good]

    @property
    def failed(self) -> int:
        return len(self.answers) - len(self.good)

    @property
    def asked_again(self) -> int:
        """How many requests met the end of a connection that had waited for them."""
        return sum(answer.asked_again for answer in self.answers)

    @property
    def worst(self) -> float:
        """The longest that a good answer took, in seconds."""
        return max((answer.seconds for answer in self.good), default=0.0)

    @property
    def seen(self) -> Counter[str]:
        """What good answers said, such as the release they came from, and how often."""
        return Counter(answer.said for answer in self.good)

    def __str__(self) -> str:
        reasons = Counter(answer.said for answer in self.answers if not answer.good)
        why = "".join(f"; {count} x {reason}" for reason, count in reasons.most_common(5))
        if self.asked_again:
            why += f"; {self.asked_again} asked again over a new connection"
        return (
            f"visitors: {len(self.answers)} requests, {self.failed} failed,"
            f" worst {self.worst * 1000:.0f} ms{why}"
        )


class ByName(http.client.HTTPSConnection):
    """A connection to an address, which has to show a certificate for a name."""

    def __init__(
        self, address: str, port: int | None, name: str, roots: str, timeout: float = 10
    ) -> None:
        super().__init__(address, port, timeout=timeout)
        self._name = name
        self._trust = ssl.create_default_context(cafile=roots)

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        try:
            self.sock = self._trust.wrap_socket(plain, server_hostname=self._name)
        except BaseException:
            plain.close()
            raise


# The process


class _Visitor(threading.Thread):
    """One of them, with a connection of its own."""

    def __init__(
        self, arguments: argparse.Namespace, answers: list[Answer], enough: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self._answers, self._enough, self._pause = answers, enough, arguments.pause
        place = urlsplit(arguments.url)
        self._path = place.path or "/"
        self._pattern = re.compile(arguments.pattern)
        self._headers = {"Host": arguments.host} if arguments.host else {}
        if place.scheme == "https":
            self._connection: http.client.HTTPConnection = ByName(
                place.hostname or "",
                place.port,
                arguments.host,
                arguments.roots,
                arguments.patience,
            )
        else:
            self._connection = http.client.HTTPConnection(
                place.hostname or "", place.port or 80, timeout=arguments.patience
            )

    def run(self) -> None:
        while not self._enough.is_set():
            began = time.monotonic()
            self._asked_again = False
            try:
                said, good = self._visit()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                said, good = repr(error), False
            took = time.monotonic() - began
            self._answers.append(Answer(began, took, said, good, self._asked_again))
            self._enough.wait(self._pause)

    def _visit(self) -> tuple[str, bool]:
        if self._has_been_ended():
            self._connection.close()  # and opened again by the request
        was_kept = self._connection.sock is not None
        try:
            answer = self._ask()
        except (BrokenPipeError, ConnectionResetError):  # RemoteDisconnected is one of the latter
            if not was_kept:
                raise
            self._connection.close()
            self._asked_again = True
            answer = self._ask()
        page = answer.read().decode(errors="replace")
        if answer.status != http.client.OK:
            words = " ".join(re.sub("<[^>]*>", " ", page).split())
            return f"status {answer.status}: {words[:100]}", False
        found = self._pattern.search(page)
        if found is None:
            return "another page", False
        return found[self._pattern.groups and 1], True

    def _ask(self) -> http.client.HTTPResponse:
        self._connection.request("GET", self._path, headers=self._headers)
        return self._connection.getresponse()

    def _has_been_ended(self) -> bool:
        """Between two requests the only thing to read from a connection is its end."""
        connection = self._connection.sock
        return connection is not None and bool(select.select([connection], [], [], 0)[0])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("connections", type=int)
    parser.add_argument("pause", type=float)
    parser.add_argument("patience", type=float)
    parser.add_argument("pattern")
    parser.add_argument("host")
    parser.add_argument("roots")
    arguments = parser.parse_args()
    answers: list[Answer] = []
    enough = threading.Event()
    visitors = [_Visitor(arguments, answers, enough) for _ in range(arguments.connections)]
    for visitor in visitors:
        visitor.start()
    while not answers:
        time.sleep(0.01)
    with suppress(BrokenPipeError):
        print("begun", flush=True)  # noqa: T201
    told_to_end = threading.Thread(target=sys.stdin.read, daemon=True)
    told_to_end.start()
    told_to_end.join(MOST_SECONDS)
    enough.set()
    # A request that has begun is waited for: cut off, a hanging one would go uncounted.
    for visitor in visitors:
        visitor.join(arguments.patience + 1)
    hanging = sum(visitor.is_alive() for visitor in visitors)
    all_of_them = [*answers, *[Answer(0.0, arguments.patience, "no end", False)] * hanging]
    with suppress(BrokenPipeError):
        print(json.dumps([astuple(each) for each in all_of_them]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

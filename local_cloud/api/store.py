"""The records, in one SQLite file: committed before any answer, readable while they are written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

SCHEMA = Path(__file__).with_name("schema.sql")
FIRST_DROPLET = 1001
FIRST_SNAPSHOT = 5001


def now() -> str:
    """The time as DigitalOcean writes it, such as `2026-03-13T19:20:47Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """One connection for the writer, one for the readers, each used by one thread at a time.

    In WAL mode a reader sees the last commit and never waits for a writer, who may hold its
    transaction open while the network is changed.
    """

    def __init__(self, file: Path) -> None:
        _create_private(file)
        self._writer, self._writing = _connect(file), Lock()
        self._reader, self._reading = _connect(file), Lock()
        self._writer.executescript(SCHEMA.read_text())
        _start_numbering(self._writer, "droplets", FIRST_DROPLET)
        _start_numbering(self._writer, "snapshots", FIRST_SNAPSHOT)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the records."""
        with self._reading:
            self._reader.execute("BEGIN")
            try:
                yield self._reader
            finally:
                self._reader.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A change of the records: all of it is on the disk afterwards, or none if it raised.

        Not to be nested: there is one writer.
        """
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise


def _create_private(file: Path) -> None:
    """User data holds private keys, so nobody else may read; SQLite gives its WAL the same mode."""
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    file.chmod(0o600)


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: a commit survives a power cut too, for about a millisecond.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _start_numbering(connection: sqlite3.Connection, table: str, first: int) -> None:
    connection.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT ?, ? "
        "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?)",
        (table, first - 1, table),
    )

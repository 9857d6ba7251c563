"""A program that waits for the next update."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.commands import next_program
from scripts.commands.next_program import NextProgram


@pytest.fixture
def program() -> Iterator[NextProgram]:
    program = NextProgram()
    yield program
    program.close()


def port_of(options: list[str]) -> int:
    found = re.fullmatch(r"--client=127\.0\.0\.1:(\d+)", " ".join(options))
    assert found, options
    return int(found[1])


def test_it_listens_until_it_is_closed_and_each_update_gets_one_of_its_own(
    program: NextProgram,
) -> None:
    first = port_of(program.options())
    socket.create_connection(("127.0.0.1", first), 5).close()
    program.renew()
    socket.create_connection(("127.0.0.1", port_of(program.options())), 5).close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", first), 5)


def test_one_whose_source_was_edited_since_is_not_used(
    program: NextProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "__main__.py").write_text("changed")
    monkeypatch.setattr(next_program, "ROOT", tmp_path)
    assert program.options() == []


def test_one_that_does_not_start_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_program, "ROOT", tmp_path)
    broken = NextProgram()
    assert broken.options() == []
    broken.close()

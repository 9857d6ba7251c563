"""A program that waits for the next update."""

from __future__ import annotations

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


def answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as caller:
        try:
            caller.connect(path)
        except OSError:
            return False
        return True


def test_each_update_gets_one_of_its_own_that_nobody_else_can_reach(program: NextProgram) -> None:
    first, second = "", ""
    for _ in range(2):
        first, second = second, program.options()[0].removeprefix("--client=unix://")
        assert answers(second)
        assert Path(second).parent.stat().st_mode & 0o077 == 0
        program.renew()
    assert first != second
    assert not answers(first)
    assert not answers(second)
    assert not Path(second).parent.exists()


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

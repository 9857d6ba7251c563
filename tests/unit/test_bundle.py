"""A package as one file, as a server gets it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from components.core.bundle import program_text
from tests.unit.releasectl_host import PACKAGE

HELLO = {
    "__init__": '"""greeter: says hello."""\n',
    "__main__": (
        '"""The program."""\n\nfrom __future__ import annotations\n\nfrom .zebra import hello\n\n'
        'if __name__ == "__main__":\n    hello()\n'
    ),
    "apple": '"""Words."""\n\nfrom __future__ import annotations\n\nWORD = "hello"\n',
    "zebra": (
        '"""Says them."""\n\nfrom __future__ import annotations\n\nfrom .apple import WORD\n\n\n'
        "def hello() -> None:\n    print(WORD, __doc__)\n"
    ),
}


def package(folder: Path, **changed: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in {**HELLO, **changed}.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_it_is_one_program_that_does_the_same(tmp_path: Path) -> None:
    text = program_text(package(tmp_path / "greeter"))
    assert text.startswith('#!/usr/bin/python3 -I\n"""greeter: says hello."""\n')
    (tmp_path / "program").write_text(text)
    said = subprocess.run(
        [sys.executable, "-I", tmp_path / "program"], capture_output=True, text=True, check=True
    )
    assert said.stdout == "hello greeter: says hello.\n"


def test_it_is_the_same_each_time_and_a_file_is_what_it_is(tmp_path: Path) -> None:
    folder = package(tmp_path / "greeter")
    assert program_text(folder) == program_text(folder)
    assert program_text(folder / "apple.py") == HELLO["apple"]


def test_two_modules_cannot_give_one_name(tmp_path: Path) -> None:
    folder = package(tmp_path / "greeter", other="def hello() -> None: ...\n")
    with pytest.raises(ValueError, match="greeter: hello is both in other and in zebra"):
        program_text(folder)


def test_modules_cannot_need_each_other_in_a_circle(tmp_path: Path) -> None:
    folder = package(tmp_path / "greeter", apple="from .zebra import hello\n\nWORD = hello\n")
    with pytest.raises(ValueError, match=r"greeter: a circle among \['apple', 'zebra'\]"):
        program_text(folder)


@pytest.mark.parametrize("late", ["from .apple import WORD", "from . import apple"])
def test_a_module_of_its_own_cannot_be_imported_in_a_function(tmp_path: Path, late: str) -> None:
    """On a server there is no such module any more, and nobody would know before it runs."""
    other = f"def shout() -> None:\n    {late}\n\n    print(apple)\n"
    folder = package(tmp_path / "greeter", other=other)
    with pytest.raises(ValueError, match="greeter: other imports a module of its own in a functi"):
        program_text(folder)


def test_a_module_of_others_can_be_imported_in_a_function(tmp_path: Path) -> None:
    other = "def shout() -> None:\n    from json import dumps\n\n    print(dumps(1))\n"
    assert "from json import dumps" in program_text(package(tmp_path / "greeter", other=other))


@pytest.mark.parametrize("source", [PACKAGE, PACKAGE.with_name("certctl")])
def test_ours_have_no_import_of_their_own_left_and_no_long_module(source: Path) -> None:
    tree = ast.parse(program_text(source))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level]
    assert max(len(path.read_text().splitlines()) for path in source.glob("*.py")) <= 350

"""The rooms of components/: who may use whom, and never the other way round."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

COMPONENTS = Path(__file__).resolve().parents[2] / "components"
#: Each room with those whose modules it may import (CONTRIBUTING.md draws them).
ARROWS = {
    "core": set(),
    "app_servers": {"core"},
    "settings": {"core", "app_servers"},
    "servers": {"core"},
    "database": {"core", "servers"},
    "network": {"core", "settings", "servers"},
    "platform": {"core", "app_servers", "settings", "servers", "network"},
    "application": {"core", "app_servers", "settings", "servers"},
    "release": {"core", "settings", "servers", "network", "application"},
}


def imported_rooms(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{each.name}" for each in node.names]
        for name in names:
            first, _, rest = name.partition(".")
            if first == "components":
                yield rest.partition(".")[0]
            else:
                assert first not in ("scripts", "local_cloud", "tests"), f"{path} imports {name}"


def test_every_room_is_known() -> None:
    rooms = {path.parent.name for path in COMPONENTS.glob("*/*.py")}
    assert rooms == ARROWS.keys()


@pytest.mark.parametrize("room", ARROWS)
def test_a_room_uses_only_those_it_may(room: str) -> None:
    for path in (COMPONENTS / room).rglob("*.py"):
        strange = set(imported_rooms(path)) - {room} - ARROWS[room]
        assert not strange, f"components/{path.relative_to(COMPONENTS)} imports {strange}"


def test_no_arrow_goes_round_in_a_circle() -> None:
    done: set[str] = set()
    while len(done) < len(ARROWS):
        free = {room for room, used in ARROWS.items() if used <= done} - done
        assert free, f"a circle among {ARROWS.keys() - done}"
        done |= free


def test_rooms_import_nothing_by_themselves() -> None:
    """Whoever needs one module of a room does not pay for all of them."""
    for path in COMPONENTS.glob("*/**/__init__.py"):
        assert path.read_text() == "", path

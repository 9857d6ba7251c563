"""The rooms of components/, local_cloud/ and cli/: who may use whom, never the other way round."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPONENTS, LOCAL_CLOUD = ROOT / "components", ROOT / "local_cloud"
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
#: The same for local_cloud/ (its README.md).
OF_THE_LOCAL_CLOUD = {
    "machine": set(),
    "authority": set(),
    "api": {"machine", "authority"},
    "hosts": {"machine", "authority"},
    "services": {"machine", "authority", "hosts"},
    "plugins": set(),
    "cli": {"machine", "api", "hosts", "services"},
}
#: The same for cli/, whose modules beside the rooms are for all of them, but for `COMMANDS_ONLY`.
OF_THE_PROGRAM: dict[str, set[str]] = {
    "project": set(),
    "timeline": set(),
    "engine": {"project", "timeline"},
    "provider": {"project", "engine"},
    "servers": {"project", "engine", "provider"},
    "releases": {"project", "engine", "servers"},
    "upgrade": set(),
    "commands": {"project", "engine", "provider", "servers", "releases", "timeline", "upgrade"},
}
COMMANDS_ONLY = {"arguments", "setup", "stack"}


def imported_rooms(path: Path) -> Iterator[str]:
    """The rooms of its own product that a file uses; those of others are none of its business."""
    own = path.relative_to(ROOT).parts[0]
    # The program works with the others, and none of them with it.
    products = {"components", "local_cloud", "cli", "scripts"}
    others = {"tests"} if own == "cli" else products - {own} | {"tests"}
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{each.name}" for each in node.names]
        for name in names:
            first, _, rest = name.partition(".")
            assert first not in others, f"{path} imports {name}"
            if first == own:
                yield rest.partition(".")[0]


def test_every_room_is_known() -> None:
    rooms = {path.parent.name for path in COMPONENTS.glob("*/*.py")}
    assert rooms == ARROWS.keys()


def test_the_architecture_is_drawn_as_it_is() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    drawing = text.partition("\n## The rooms")[2].partition("\n## ")[0]
    arrows = re.findall(r"(?m)^ (\w+) +─► (.*)$", drawing)
    drawn = {room: set(others.split(", ")) for room, others in arrows}
    assert drawn.pop("__main__") == {"every room"}
    assert drawn == {room: rooms - {"core"} for room, rooms in ARROWS.items() if rooms - {"core"}}


@pytest.mark.parametrize("room", ARROWS)
def test_a_room_uses_only_those_it_may(room: str) -> None:
    for path in (COMPONENTS / room).rglob("*.py"):
        strange = set(imported_rooms(path)) - {room} - ARROWS[room]
        assert not strange, f"{path.relative_to(ROOT)} imports {strange}"


@pytest.mark.parametrize("room", OF_THE_LOCAL_CLOUD)
def test_so_does_one_of_the_local_cloud(room: str) -> None:
    found = [LOCAL_CLOUD / f"{room}.py", *(LOCAL_CLOUD / room).rglob("*.py")]
    for path in filter(Path.exists, found):
        strange = set(imported_rooms(path)) - {room} - OF_THE_LOCAL_CLOUD[room]
        assert not strange, f"{path.relative_to(ROOT)} imports {strange}"


@pytest.mark.parametrize("room", OF_THE_PROGRAM)
def test_so_does_one_of_the_program(room: str) -> None:
    for path in (ROOT / "cli" / room).glob("*.py"):
        beside = {"console", "paths", *(COMMANDS_ONLY if room == "commands" else ())}
        strange = set(imported_rooms(path)) - {room} - OF_THE_PROGRAM[room] - beside
        assert not strange, f"{path.relative_to(ROOT)} imports {strange}"


def test_every_room_of_the_program_is_known() -> None:
    assert {path.parent.name for path in (ROOT / "cli").glob("*/*.py")} == OF_THE_PROGRAM.keys()


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

"""The same requests to the official plugin and to the stand-in, without an engine.

Finer than the stories of test_parity_with_official.py, and a matter of seconds.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud.plugins.shared_values import UNKNOWN, Archive, Asset, Properties, Secret
from tests.local_cloud.plugins.command.plugin import (
    COPY,
    LOCAL,
    REMOTE,
    Plugin,
    PluginRefusedError,
    running_plugin,
)
from tests.local_cloud.plugins.parity import official_plugin

HOST: Properties = {"host": "h", "user": "root", "port": 22.0, "dialErrorLimit": 10.0}
CONNECTION = Secret({**HOST, "perDialTimeout": 15.0, "privateKey": Secret("k")})
FILE = Asset("hash", "/file")

BASE: Properties = {
    "create": "a",
    "connection": CONNECTION,
    "environment": {"A": "1"},
    "triggers": ["1", "2"],
    "stdin": Secret("x"),
}
COPIED: Properties = {"connection": CONNECTION, "source": FILE, "remotePath": "/a"}

INPUTS: list[tuple[str, Properties]] = [
    (REMOTE, {"create": "x", "connection": Secret({"host": "h", "privateKey": "k"})}),
    (REMOTE, {"connection": {"host": "h", "proxy": {"host": UNKNOWN, "password": "p"}}}),
    (REMOTE, {"connection": {"host": UNKNOWN}, "environment": {}, "triggers": [1.0, None, {}]}),
    (REMOTE, {"connection": Secret(UNKNOWN), "stdin": Secret(UNKNOWN)}),
    (REMOTE, {"connection": {"host": "h", "dialErrorLimit": 4.6, "port": 22.5}}),
    (REMOTE, {"connection": {"user": "u"}}),
    (REMOTE, {"connection": {"host": "h", "prot": 1.0}, "stdin": True, "colour": "red"}),
    (REMOTE, {"connection": {"host": "h", "port": "x"}, "environment": {"A": 1.0}}),
    (REMOTE, {"connection": {"host": "h"}, "triggers": "x", "create": 5.0}),
    (REMOTE, {}),
    (LOCAL, {"create": Secret("x"), "interpreter": ["a", Secret("b")], "logging": "odd"}),
    (LOCAL, {"interpreter": [1.0], "dir": False, "assetPaths": "x"}),
    (COPY, {**COPIED, "triggers": [FILE]}),
    (COPY, {**COPIED, "source": Archive("hash", "/folder")}),
    (COPY, {**COPIED, "source": Secret(Asset("hash", text="text"))}),
    (COPY, {**COPIED, "source": UNKNOWN, "remotePath": UNKNOWN}),
    (COPY, {**COPIED, "source": Asset("hash", uri="https://a.example")}),
    (COPY, {**COPIED, "source": Archive("hash", assets={"a": FILE})}),
]

REMOTE_CHANGES: list[Properties] = [
    {"create": "b"},
    {"triggers": ["1", "3"]},
    {"triggers": ["1"]},
    {"triggers": ["1", "2", "3"]},
    {"triggers": [UNKNOWN, "2"]},
    {"triggers": UNKNOWN},
    {"triggers": None},
    {"triggers": [{"a": "1"}, ["x"]]},
    {"stdin": Secret(UNKNOWN)},
    {"stdin": UNKNOWN},
    {"stdin": Secret("y")},
    {"stdin": "x"},
    {"environment": {"A": "2", "B.c": "3", "D e": "x", "F-g": "1"}},
    {"environment": {}},
    {"environment": None},
    {"connection": Secret({**HOST, "host": "other"})},
    {"connection": Secret({**HOST, "host": UNKNOWN})},
    {"update": "u", "delete": "d", "addPreviousOutputInEnv": False},
    {"version": "2", "__defaults": []},
]

CHANGES: list[tuple[str, Properties, Properties]] = [
    (REMOTE, BASE, BASE),
    *((REMOTE, BASE, {**BASE, **change}) for change in REMOTE_CHANGES),
    (REMOTE, {**BASE, "triggers": None}, BASE),
    (REMOTE, {**BASE, "triggers": [1.0, True]}, {**BASE, "triggers": [True, 1.0]}),
    (COPY, COPIED, {**COPIED, "source": Asset("hash", "/moved")}),
    (COPY, COPIED, {**COPIED, "source": Asset("other", "/file")}),
    (COPY, COPIED, {**COPIED, "source": Archive("other", "/file")}),
    (COPY, COPIED, {**COPIED, "remotePath": "/b"}),
    (COPY, {**COPIED, "triggers": [FILE]}, {**COPIED, "triggers": [Asset("other", "/file")]}),
    (COPY, {**COPIED, "source": Secret(FILE)}, {**COPIED, "source": Secret(Asset("o", "/f"))}),
]

COMMANDS: list[Properties] = [
    {"create": "echo out; echo err >&2; cat", "stdin": Secret("in")},
    {"create": "printf 'a\\n\\n'"},
    {"create": "printf 'tab\\there \"quoted\" grün \\001'; exit 3"},
    {"create": "kill -9 $$"},
    {"create": "x", "dir": "/nowhere"},
    {"create": "x", "interpreter": ["/no/sh"]},
    {"create": "x", "interpreter": ["no-sh"]},
    {"update": "only"},
    {"create": "sleep 20"},
]

PATTERNS = [
    ["*"],
    ["**"],
    ["**.js", "!**secret.*"],
    ["sub/**"],
    ["*.{txt,js}"],
    ["[a-b].*"],
    ["?.txt"],
    ["[!a].txt"],
    ["!*.txt", "*.txt"],
    ["*.txt", "!a*", "a.txt"],
]


class Both(typing.NamedTuple):
    """The two plugins."""

    official: Plugin
    stand_in: Plugin

    def alike(self, ask: typing.Callable[[Plugin], typing.Any]) -> None:
        """Both give the same answer, be it an error."""
        answers = []
        for plugin in self:
            try:
                answers.append(ask(plugin))
            except PluginRefusedError as refused:
                answers.append(f"refused: {refused}")
        assert answers[1] == answers[0]


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    with running_plugin(official_plugin("command")) as official, running_plugin() as stand_in:
        yield Both(official, stand_in)


@pytest.mark.parametrize(("kind", "inputs"), INPUTS)
def test_check(both: Both, kind: str, inputs: Properties) -> None:
    def ask(plugin: Plugin) -> typing.Any:
        checked, failures = plugin.check(kind, inputs)
        return checked, sorted(failures)

    both.alike(ask)


@pytest.mark.parametrize(("kind", "old", "new"), CHANGES)
def test_diff(both: Both, kind: str, old: Properties, new: Properties) -> None:
    both.alike(lambda plugin: plugin.diff(kind, old, new))


@pytest.mark.parametrize(("kind", "old", "new"), CHANGES)
def test_preview_of_an_update(both: Both, kind: str, old: Properties, new: Properties) -> None:
    new = {name: value for name, value in new.items() if name in (*BASE, *COPIED)}
    said = {} if kind == COPY else {"stdout": "out", "stderr": "err"}
    both.alike(lambda plugin: plugin.update(kind, {**old, **said}, new, preview=True))


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [(REMOTE, BASE), (REMOTE, {**BASE, "triggers": [FILE, UNKNOWN]}), (COPY, COPIED)],
)
def test_preview_of_a_creation(both: Both, kind: str, inputs: Properties) -> None:
    both.alike(lambda plugin: plugin.create(kind, inputs, preview=True))


@pytest.mark.parametrize("command", COMMANDS)
def test_local_commands(both: Both, command: Properties) -> None:
    both.alike(lambda plugin: plugin.create(LOCAL, command, timeout=1))


@pytest.mark.parametrize("patterns", PATTERNS)
def test_files_left_behind(both: Both, patterns: list[str], tmp_path: Path) -> None:
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    for name in ("a.txt", "b.js", "Z.txt", "sub.x", "sub/c.js", "sub/deep/secret.js"):
        (tmp_path / name).write_text(name * 100)
    (tmp_path / "empty.txt").touch()
    command = {"create": "true", "dir": str(tmp_path)}
    found = {"assetPaths": patterns, "archivePaths": patterns}
    both.alike(lambda plugin: plugin.create(LOCAL, {**command, **found}))

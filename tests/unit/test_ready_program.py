"""The program and the plugins of an update that are started before the engine asks for them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.engine import language_host
from cli.engine.plugins import ReadyPlugins

ROOT = Path(__file__).resolve().parents[2]


def plugin(folder: Path, name: str, script: str) -> str:
    path = folder / f"pulumi-resource-{name}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def stand_in(tmp_path: Path) -> str:
    start = f"exec {sys.executable} -P {ROOT}/local_cloud/plugins/start.py command"
    return plugin(tmp_path, "command", start)


def test_plugins_say_where_they_are_and_end(stand_in: str, tmp_path: Path) -> None:
    broken = plugin(tmp_path, "broken", "exit 3")
    plugins = ReadyPlugins([stand_in, broken])
    name, _, port = plugins.ports().partition(":")
    assert name == "command", "the one that fails is left to the engine, which says why"
    address = ("127.0.0.1", int(port))
    socket.create_connection(address).close()
    plugins.end()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_one_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.engine.plugins.SECONDS_TO_END", 0.3)
    stubborn = plugin(tmp_path, "stubborn", "trap '' TERM\necho 1\nexec sleep 60")
    plugins = ReadyPlugins([stubborn])
    assert plugins.ports() == "stubborn:1"
    plugins.end()
    (process,) = plugins._processes.values()
    assert process.wait(5) != 0


@pytest.fixture
def program(stand_in: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    folder = tmp_path / "socket"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.engine.program", f"{folder}/p", stand_in],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("word", ["end\n", ""], ids=["told to", "its script was killed"])
def test_it_ends_and_takes_all_away(
    program: subprocess.Popen[str], word: str, tmp_path: Path
) -> None:
    assert program.stdout
    ready, plugins = program.stdout.readline().split()
    assert ready == "ready"
    program.communicate(word, timeout=20)
    assert program.returncode == 0
    assert not (tmp_path / "socket").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(plugins.partition(":")[2])))


def test_an_update_whose_script_was_killed_goes_on_to_its_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine = socket.create_server(("127.0.0.1", 0))
    served = language_host.Language(str(tmp_path / "p"))
    served._engine = f"127.0.0.1:{engine.getsockname()[1]}"
    looks: list[float] = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            engine.close()

    monkeypatch.setattr(time, "sleep", look)
    served.await_end()
    assert len(looks) == 3


def test_the_provider_modules_that_are_imported_ahead_are_there() -> None:
    import pulumi_digitalocean

    assert all(hasattr(pulumi_digitalocean, name) for name in language_host.RESOURCES)
    assert os.environ.get("SLIPWAY_SDK_DEBUG") is None

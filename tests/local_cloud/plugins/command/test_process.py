"""The plugin as a process: quick to start, and gone with the engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from local_cloud.plugins.install import START
from local_cloud.plugins.shared_values import Secret
from tests.local_cloud.plugins.command.plugin import LOCAL, REMOTE, Plugin
from tests.local_cloud.plugins.command.ssh_server import SshServer

ENGINE = """
import subprocess, sys, time
plugin = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
plugin.stdout.readline()
print(plugin.pid, flush=True)
time.sleep(60)
"""


def loaded(plugin: Plugin, library: str) -> bool:
    return library in Path(f"/proc/{plugin.process.pid}/maps").read_text()


def test_only_a_dial_pays_for_the_ssh_library(plugin: Plugin, server: SshServer) -> None:
    command = {"create": "true", "connection": Secret(server.connection())}
    inputs, _ = plugin.check(REMOTE, command)
    plugin.diff(REMOTE, inputs, inputs)
    plugin.create(REMOTE, inputs, preview=True)
    assert not loaded(plugin, "cryptography")
    plugin.create(REMOTE, inputs)
    assert loaded(plugin, "cryptography")


def test_what_is_done_on_this_machine_gets_the_ssh_library_ready(plugin: Plugin) -> None:
    inputs, _ = plugin.check(LOCAL, {"create": "true"})
    assert not loaded(plugin, "cryptography")
    plugin.create(LOCAL, inputs)
    until = time.monotonic() + 20
    while not loaded(plugin, "cryptography"):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_it_ends_soon_after_an_engine_that_was_killed() -> None:
    words = [
        sys.executable,
        "-c",
        ENGINE,
        sys.executable,
        "-P",
        str(START),
        "command",
        "127.0.0.1:1",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as engine:
        assert engine.stdout is not None
        plugin = int(engine.stdout.readline())
        os.kill(engine.pid, signal.SIGKILL)
    for _ in range(300):  # a busy machine is slow to start it, too
        if not Path(f"/proc/{plugin}").exists():
            return
        time.sleep(0.1)
    os.kill(plugin, signal.SIGKILL)
    raise AssertionError("the plugin outlived its engine")


def test_it_can_be_started_from_any_folder(tmp_path: Path) -> None:
    (tmp_path / "grpc.py").write_text("raise SystemExit('a file of the program was imported')")
    words = [sys.executable, "-P", str(START), "command", "127.0.0.1:1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=tmp_path) as plugin:
        assert plugin.stdout is not None
        assert plugin.stdout.readline().strip().isdigit()
        plugin.terminate()

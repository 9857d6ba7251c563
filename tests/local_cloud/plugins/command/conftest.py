"""A running plugin, and a server to run commands on."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest

from tests.local_cloud.plugins.command.plugin import Plugin, running_plugin
from tests.local_cloud.plugins.command.ssh_server import SshServer, ssh_server


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> typing.Iterator[Plugin]:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with running_plugin() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path) -> typing.Iterator[SshServer]:
    with ssh_server(tmp_path / "sshd") as running:
        yield running

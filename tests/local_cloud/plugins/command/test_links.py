"""Connections are shared and kept, and never with the wrong server."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local_cloud.plugins.shared_values import Secret
from tests.local_cloud.plugins.command.plugin import (
    COPY,
    REMOTE,
    Plugin,
    PluginRefusedError,
    running_plugin,
)
from tests.local_cloud.plugins.command.ssh_server import SshServer, new_key, ssh_server
from tests.ports import free_port


def run(plugin: Plugin, server: SshServer, command: str, **changes: object) -> str:
    connection = Secret(server.connection(**changes))
    said = plugin.create(REMOTE, {"create": command, "connection": connection})["stdout"]
    return str(said)


def test_commands_to_one_server_share_one_login(plugin: Plugin, server: SshServer) -> None:
    assert [run(plugin, server, f"echo {n}") for n in range(5)] == ["0", "1", "2", "3", "4"]
    assert server.logins() == 1


def test_other_patience_is_no_other_connection(plugin: Plugin, server: SshServer) -> None:
    run(plugin, server, "true", dialErrorLimit=60.0)
    run(plugin, server, "true", perDialTimeout=30.0)
    assert server.logins() == 1


def test_another_key_pin_or_user_never_gets_an_open_connection(
    plugin: Plugin, server: SshServer
) -> None:
    run(plugin, server, "true")
    run(plugin, server, "true", hostKey=None)
    assert server.logins() == 2
    for change in ({"hostKey": new_key()[1]}, {"privateKey": new_key()[0]}, {"user": "nobody"}):
        with pytest.raises(PluginRefusedError, match="ssh: handshake failed"):
            run(plugin, server, "true", **change)


def test_many_commands_at_once_on_several_servers(plugin: Plugin, tmp_path: Path) -> None:
    with ssh_server(tmp_path / "a") as one, ssh_server(tmp_path / "b") as other:
        servers = [one, other] * 20
        with ThreadPoolExecutor(40) as pool:
            said = list(
                pool.map(lambda n: run(plugin, servers[n], f"sleep 0.3; echo {n}"), range(40))
            )
        assert said == [str(n) for n in range(40)]
        # 20 commands on each, at most 8 to a connection; far from 20 logins each.
        assert one.logins() <= 5
        assert other.logins() <= 5


def test_a_server_that_allows_few_sessions_gets_more_connections(
    plugin: Plugin, tmp_path: Path
) -> None:
    with ssh_server(tmp_path / "strict", "MaxSessions 2") as server:
        with ThreadPoolExecutor(6) as pool:
            said = list(pool.map(lambda n: run(plugin, server, f"sleep 0.3; echo {n}"), range(6)))
        assert said == [str(n) for n in range(6)]


def test_a_server_without_sessions_refuses_with_a_reason(plugin: Plugin, tmp_path: Path) -> None:
    with (
        ssh_server(tmp_path / "closed", "MaxSessions 0") as server,
        pytest.raises(PluginRefusedError, match="ssh: "),
    ):
        run(plugin, server, "true")


def test_a_server_that_came_back_is_dialled_afresh(plugin: Plugin, tmp_path: Path) -> None:
    port, key = free_port(), new_key()
    with ssh_server(tmp_path / "first", port=port, key=key) as first:
        assert run(plugin, first, "echo first") == "first"
        _end_sessions(first)
    with ssh_server(tmp_path / "second", port=port, key=key) as second:
        assert run(plugin, second, "echo second") == "second"
        assert second.logins() == 1


def test_a_replaced_server_is_refused_under_the_old_key(plugin: Plugin, tmp_path: Path) -> None:
    port, key = free_port(), new_key()
    with ssh_server(tmp_path / "first", port=port, key=key) as first:
        assert run(plugin, first, "echo first") == "first"
        _end_sessions(first)
    with (
        ssh_server(tmp_path / "second", port=port, key=key),
        pytest.raises(PluginRefusedError, match="host key mismatch"),
    ):
        run(plugin, first, "echo never")


def test_a_command_whose_connection_broke_is_not_run_again(
    plugin: Plugin, server: SshServer, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(run, plugin, server, f"echo x >>{mark}; echo started; sleep 30")
        plugin.engine.wait_for("started")
        _end_sessions(server)
        with pytest.raises(PluginRefusedError, match="exited without exit status"):
            work.result(10)
    assert mark.read_text() == "x\n"


def test_one_dead_server_fails_for_all_who_wait_in_one_patience(plugin: Plugin) -> None:
    connection = {"host": "127.0.0.1", "port": float(free_port()), "dialErrorLimit": 4.0}

    def fails(_: int) -> str:
        with pytest.raises(PluginRefusedError) as refused:
            plugin.create(REMOTE, {"create": "true", "connection": Secret(connection)})
        return str(refused.value)

    begin = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        told = set(pool.map(fails, range(10)))
    assert len(told) == 1
    assert time.monotonic() - begin < 4


def test_copies_use_the_same_connection(plugin: Plugin, server: SshServer, tmp_path: Path) -> None:
    from local_cloud.plugins.shared_values import Asset

    run(plugin, server, "true")
    connection = Secret(server.connection())
    source = Asset(hash="h", text="text")
    target = str(tmp_path / "copy")
    plugin.create(COPY, {"source": source, "remotePath": target, "connection": connection})
    assert Path(target).read_text() == "text"
    assert server.logins() == 1


def test_the_plugin_ends_when_told_to_and_leaves_no_session(
    server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with running_plugin() as plugin:
        run(plugin, server, "true")
        begin = time.monotonic()
        plugin.process.send_signal(signal.SIGINT)
        assert plugin.process.wait(5) == 0
        assert time.monotonic() - begin < 2
    _wait_until(lambda: not _sessions(server))


def _sessions(server: SshServer) -> list[int]:
    """The processes of the server's open connections."""
    listing = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [int(number) for number in listing.split()]


def _end_sessions(server: SshServer) -> None:
    for number in _sessions(server):
        os.kill(number, signal.SIGKILL)


def _wait_until(true: object) -> None:
    assert callable(true)
    for _ in range(100):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("did not come about")

"""Stories of `remote.Command`, on a real OpenSSH server."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from local_cloud.plugins.shared_values import Secret
from tests.local_cloud.plugins.command.password_server import password_server
from tests.local_cloud.plugins.command.plugin import REMOTE, Plugin, PluginRefusedError
from tests.local_cloud.plugins.command.ssh_server import (
    SshServer,
    new_key,
    ssh_server,
)
from tests.ports import free_port


def refusal(plugin: Plugin, inputs: dict[str, object]) -> str:
    with pytest.raises(PluginRefusedError) as refused:
        plugin.create(REMOTE, inputs)
    return str(refused.value)


def test_a_command_runs_on_the_server_with_its_input(plugin: Plugin, server: SshServer) -> None:
    command = {
        "create": "cat; echo to stderr >&2; echo $SSH_CONNECTION | cut -d' ' -f4",
        "stdin": Secret("hush\n"),
        "connection": Secret(server.connection()),
    }
    outputs = plugin.create(REMOTE, command)
    assert outputs["stdout"] == f"hush\n{server.port}"
    assert outputs["stderr"] == "to stderr"
    assert outputs["stdin"] == Secret("hush\n")
    assert "to stderr" in plugin.engine.lines


def test_megabytes_go_in_and_out_unharmed(plugin: Plugin, server: SshServer) -> None:
    text = "0123456789abcde\n" * 200_000
    connection = Secret(server.connection())
    command = {"create": "cat", "stdin": text, "logging": "none", "connection": connection}
    assert plugin.create(REMOTE, command)["stdout"] == text.removesuffix("\n")


def test_a_failure_tells_the_command_and_its_output_but_never_a_secret(
    plugin: Plugin, server: SshServer
) -> None:
    command = {
        "create": "cat >/dev/null; echo why; exit 3",
        "stdin": Secret("hush"),
        "connection": Secret(server.connection()),
    }
    told = refusal(plugin, command)
    assert told == (
        'Process exited with status 3: running "cat >/dev/null; echo why; exit 3":\nwhy\n'
    )


def test_a_signal_that_ended_the_command_is_named(plugin: Plugin, server: SshServer) -> None:
    connection = Secret(server.connection())
    told = refusal(plugin, {"create": "kill -TERM $$", "connection": connection})
    assert told.startswith("Process exited with status 143 from signal TERM: running")


def test_variables_go_only_where_the_server_accepts_them(
    plugin: Plugin, server: SshServer, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    command = {
        "create": f"echo $ACCEPTED_NAME; touch {mark}",
        "connection": Secret(server.connection()),
        "environment": {"ACCEPTED_NAME": "value"},
    }
    assert plugin.create(REMOTE, command)["stdout"] == "value"
    mark.unlink()
    told = refusal(plugin, {**command, "environment": {"OTHER": "value"}})
    assert told == 'could not set environment variable "OTHER": ssh: setenv failed'
    assert not mark.exists()
    assert any("Unable to set 'OTHER'" in line for line in plugin.engine.lines)


def test_the_last_output_is_offered_to_the_next_run_but_not_forced_on_the_server(
    plugin: Plugin, tmp_path: Path
) -> None:
    with ssh_server(tmp_path / "open", "AcceptEnv PULUMI_COMMAND_STDOUT") as server:
        connection = Secret(server.connection())
        command = {"create": "echo [$PULUMI_COMMAND_STDOUT]", "connection": connection}
        state = {**command, "stdout": "old", "stderr": "noise"}
        assert plugin.update(REMOTE, state, command)["stdout"] == "[old]"
        assert any("PULUMI_COMMAND_STDERR" in line for line in plugin.engine.lines)


def test_another_host_key_is_refused(plugin: Plugin, server: SshServer) -> None:
    connection = server.connection(hostKey=new_key()[1])
    told = refusal(plugin, {"create": "true", "connection": Secret(connection)})
    assert told == "after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch"
    assert server.logins() == 0


def test_a_host_key_of_another_kind_is_refused(plugin: Plugin, server: SshServer) -> None:
    import asyncssh

    other_kind = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_public_key().decode()
    connection = Secret(server.connection(hostKey=other_kind))
    told = refusal(plugin, {"create": "true", "connection": connection})
    assert told.startswith("after 0 failed attempts: ssh: handshake failed")
    assert server.logins() == 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"privateKey": "nonsense"}, "ssh: no key found"),
        ({"hostKey": "nonsense"}, "failed to parse host key: ssh: no key found"),
        (
            {"privateKey": new_key()[0]},
            "unable to authenticate, attempted methods [none ",
        ),
        ({"user": "nobody-we-know"}, "unable to authenticate"),
        ({"port": float(free_port())}, "connect: connection refused"),
        ({"agentSocketPath": "/no/agent"}, "dial unix /no/agent: connect: no such file"),
    ],
)
def test_a_login_that_fails_says_why_and_shows_no_key(
    plugin: Plugin, server: SshServer, changes: dict[str, object], told: str
) -> None:
    connection = server.connection(**changes)
    message = refusal(plugin, {"create": "true", "connection": Secret(connection)})
    assert told in message
    assert "PRIVATE KEY" not in message
    assert "nonsense" not in message


def test_a_key_with_a_password_opens_the_door(plugin: Plugin, tmp_path: Path) -> None:
    import asyncssh

    key = asyncssh.generate_private_key("ssh-ed25519")
    locked = key.export_private_key("pkcs8-pem", "open sesame").decode()
    public = key.export_public_key().decode()
    with ssh_server(tmp_path / "sshd", key=(locked, public)) as server:
        right = Secret(server.connection(privateKeyPassword="open sesame"))
        assert plugin.create(REMOTE, {"create": "echo in", "connection": right})["stdout"] == "in"
        none = Secret(server.connection())
        told = refusal(plugin, {"create": "true", "connection": none})
        assert told == "ssh: this private key is passphrase protected"


def test_a_server_that_is_still_booting_is_waited_for(plugin: Plugin, tmp_path: Path) -> None:
    port, key = free_port(), new_key()
    connection = {
        "host": "127.0.0.1",
        "port": float(port),
        "user": "root",
        "privateKey": key[0],
        "dialErrorLimit": 30.0,
        "perDialTimeout": 5.0,
    }
    said = []
    command = {"create": "echo up", "connection": Secret(connection)}
    work = threading.Thread(target=lambda: said.append(plugin.create(REMOTE, command)["stdout"]))
    work.start()
    plugin.engine.wait_for("Dial 2/30 failed: retrying")
    with ssh_server(tmp_path / "late", port=port, key=key):
        work.join()
    assert said == ["up"]


def test_patience_ends_after_the_forgiven_failures(plugin: Plugin) -> None:
    connection = {"host": "127.0.0.1", "port": float(free_port()), "dialErrorLimit": 2.0}
    told = refusal(plugin, {"create": "true", "connection": Secret(connection)})
    assert told.startswith("after 2 failed attempts: dial tcp 127.0.0.1:")
    assert plugin.engine.lines == ["Dial 1/2 failed: retrying", "Dial 2/2 failed: retrying"]


def test_a_host_that_never_answers_is_given_up_in_time(plugin: Plugin) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = {
            "host": "127.0.0.1",
            "port": float(silent.getsockname()[1]),
            "dialErrorLimit": 0.0,
            "perDialTimeout": 1.0,
        }
        begin = time.monotonic()
        told = refusal(plugin, {"create": "true", "connection": Secret(connection)})
    assert time.monotonic() - begin < 5
    assert "i/o timeout" in told


def test_a_proxy_leads_to_a_host_that_only_it_can_see(plugin: Plugin, tmp_path: Path) -> None:
    with (
        ssh_server(tmp_path / "proxy") as proxy,
        ssh_server(tmp_path / "inner") as inner,
    ):
        connection = inner.connection(proxy=proxy.connection())
        where = "echo $SSH_CONNECTION | cut -d' ' -f4"
        outputs = plugin.create(REMOTE, {"create": where, "connection": Secret(connection)})
        assert outputs["stdout"] == str(inner.port)
        assert (proxy.logins(), inner.logins()) == (1, 1)
        wrong = inner.connection(proxy=proxy.connection(hostKey=new_key()[1]))
        told = refusal(plugin, {"create": "true", "connection": Secret(wrong)})
        assert told.startswith("proxy: after 0 failed attempts: ssh: handshake failed")


def test_an_interrupt_ends_the_session_at_once(plugin: Plugin, server: SshServer) -> None:
    failures = []
    command = {
        "create": "echo started; sleep 30",
        "connection": Secret(server.connection()),
    }

    def run() -> None:
        try:
            plugin.create(REMOTE, command)
        except PluginRefusedError as refused:
            failures.append(str(refused))

    work = threading.Thread(target=run)
    work.start()
    plugin.engine.wait_for("started")
    begin = time.monotonic()
    plugin.cancel()
    work.join()
    assert time.monotonic() - begin < 2
    assert failures[0].startswith("context canceled: running")


def test_an_interrupt_ends_the_wait_for_a_server(plugin: Plugin) -> None:
    failures = []
    connection = {"host": "127.0.0.1", "port": float(free_port()), "dialErrorLimit": -1.0}

    def run() -> None:
        try:
            plugin.create(REMOTE, {"create": "true", "connection": Secret(connection)})
        except PluginRefusedError as refused:
            failures.append(str(refused))

    work = threading.Thread(target=run)
    work.start()
    plugin.engine.wait_for("Dial 1/inf failed: retrying")
    plugin.cancel()
    work.join(5)
    assert failures == ["context canceled"]


def test_a_preview_dials_nobody(plugin: Plugin) -> None:
    command = {"create": "true", "connection": Secret({"host": "192.0.2.1"})}
    begin = time.monotonic()
    plugin.create(REMOTE, command, preview=True)
    plugin.update(REMOTE, {**command, "stdout": "", "stderr": ""}, command, preview=True)
    assert time.monotonic() - begin < 2


def test_a_key_in_an_agent_opens_the_door(plugin: Plugin, tmp_path: Path) -> None:
    private, public = new_key()
    (tmp_path / "key").write_text(private)
    (tmp_path / "key").chmod(0o600)
    path = str(tmp_path / "agent")
    with (
        ssh_server(tmp_path / "sshd", key=(private, public)) as server,
        subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL) as agent,
    ):
        try:
            while not Path(path).exists():
                time.sleep(0.02)
            subprocess.run(
                ["ssh-add", "-q", str(tmp_path / "key")],
                env={"SSH_AUTH_SOCK": path, "PATH": os.defpath},
                check=True,
            )
            connection = Secret(server.connection(privateKey=None, agentSocketPath=path))
            command = {"create": "echo in", "connection": connection}
            assert plugin.create(REMOTE, command)["stdout"] == "in"
        finally:
            agent.terminate()


@pytest.mark.parametrize("way", ["password", "keyboard-interactive"])
def test_a_password_opens_the_door_either_way(plugin: Plugin, way: str) -> None:
    with password_server("open sesame", way) as (port, host_key):
        connection = {
            "host": "127.0.0.1",
            "port": float(port),
            "user": "ali",
            "hostKey": host_key,
            "password": Secret("open sesame"),
            "dialErrorLimit": 0.0,
        }
        command = {"create": "hello", "connection": Secret(connection)}
        assert plugin.create(REMOTE, command)["stdout"] == "hello from ali"
        connection["password"] = Secret("shut sesame")
        told = refusal(plugin, {**command, "connection": Secret(connection)})
        assert "unable to authenticate" in told
        assert "sesame" not in told

"""A real OpenSSH server on loopback, with settings of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import typing
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from tests.ports import free_port

SSHD = Path("/usr/sbin/sshd")


@dataclass(frozen=True)
class SshServer:
    """A running server, and what one needs to log in as root."""

    port: int
    host_key: str
    private_key: str
    folder: Path
    process: subprocess.Popen[bytes]

    def connection(self, **changes: typing.Any) -> dict[str, typing.Any]:
        """The input `connection`, impatient, with changes; None leaves an entry out."""
        whole = {
            "host": "127.0.0.1",
            "port": float(self.port),
            "user": "root",
            "privateKey": self.private_key,
            "hostKey": self.host_key,
            "dialErrorLimit": 0.0,
            "perDialTimeout": 5.0,
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def logins(self) -> int:
        """How many times somebody has logged in."""
        return (self.folder / "log").read_text().count("Accepted publickey")


def new_key() -> tuple[str, str]:
    """A new key pair: the private key, and the public one in a line."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    return key.export_private_key().decode(), key.export_public_key().decode().strip()


@contextlib.contextmanager
def ssh_server(
    folder: Path, *settings: str, port: int | None = None, key: tuple[str, str] | None = None
) -> typing.Iterator[SshServer]:
    """Run a server until the end of the block.

    Args:
        folder: A folder of its own.
        settings: More lines of its configuration.
        port: Where it listens; any free port by default.
        key: The pair that may log in; a new one by default.
    """
    if not SSHD.exists() or os.geteuid() != 0:
        pytest.skip("needs root and the Debian package openssh-server")
    folder.mkdir(parents=True, exist_ok=True)
    Path("/run/sshd").mkdir(exist_ok=True)
    port = port or free_port()
    host_private, host_public = new_key()
    private, public = key or new_key()
    for name, content in (("host", host_private), ("authorized", public + "\n")):
        (folder / name).write_text(content)
        (folder / name).chmod(0o600)
    configuration = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {folder / 'host'}",
        "PidFile none",
        f"AuthorizedKeysFile {folder / 'authorized'}",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "StrictModes no",
        "AcceptEnv ACCEPTED_*",
        "Subsystem sftp internal-sftp",
        # What root's own shell start-up files do is no concern of these tests.
        f"SetEnv HOME={folder}",
        *settings,
    ]
    (folder / "sshd_config").write_text("\n".join(configuration) + "\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        _wait_for(port, process, folder)
        yield SshServer(port, host_public, private, folder, process)
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, (folder / "log").read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("sshd did not start")

"""Makes an SSH connection, patiently: a server may still be booting.

Attempts that fail are repeated after 0.1 s, then 1.5 times as long each time, at most 5 s.
Imported only when something is dialled: asyncssh takes 0.2 s to load, and a run in which nothing
changes must not pay for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import typing

import asyncssh

from local_cloud.plugins.command import error_messages
from local_cloud.plugins.command.connection import Connection
from local_cloud.plugins.command.login import agent_path, keys_of, login_options
from local_cloud.plugins.shared_provider import PluginError

FIRST_DELAY_SECONDS = 0.1
DELAY_GROWTH = 1.5
LONGEST_DELAY_SECONDS = 5.0

Report = typing.Callable[[str], typing.Awaitable[None]]
Result = typing.TypeVar("Result")

# What goes wrong is told in the error of the command that needed the connection.
logging.getLogger("asyncssh").setLevel(logging.CRITICAL + 1)


async def dial(
    connection: Connection, report: Report, proxy: asyncssh.SSHClientConnection | None
) -> asyncssh.SSHClientConnection:
    """Connect and log in, repeating what fails until `dial_error_limit` failures were forgiven.

    Args:
        connection: Where to, who as, and how patiently.
        report: Told of each attempt that failed.
        proxy: The open connection to `connection.proxy`, if there is one.

    Raises:
        PluginError: a key cannot be read, or the last attempt failed too.
    """
    async with keys_of(connection) as keys:
        options = login_options(connection, keys)

        async def attempt() -> asyncssh.SSHClientConnection:
            async with asyncio.timeout(connection.per_dial_timeout or None):
                ssh = await asyncssh.connect(
                    connection.host, connection.port, tunnel=proxy or (), options=options
                )
            _acknowledge_at_once(ssh)
            return ssh

        return await _repeated(attempt, connection, report)


async def _repeated(
    attempt: typing.Callable[[], typing.Awaitable[Result]], connection: Connection, report: Report
) -> Result:
    failures = 0
    delay = FIRST_DELAY_SECONDS
    limit = connection.dial_error_limit
    while True:
        try:
            return await attempt()
        except (OSError, asyncssh.Error, TimeoutError) as error:
            reason = _reason(error, connection)
        failures += 1
        if -1 < limit < failures:
            raise PluginError(f"after {failures - 1} failed attempts: {reason}")
        shown_limit = "inf" if limit == -1 else limit
        await report(f"Dial {failures}/{shown_limit} failed: retrying")
        await asyncio.sleep(delay)
        delay = min(delay * DELAY_GROWTH, LONGEST_DELAY_SECONDS)


def _acknowledge_at_once(ssh: asyncssh.SSHClientConnection) -> None:
    """Spare the first command of a connection 0.04 s.

    A server sends small packets only after the one before was acknowledged (Nagle's algorithm;
    sshd turns it off for terminals only), and Linux acknowledges 0.04 s late once a connection
    is past its start. TCP_QUICKACK has to be asked for again after each packet.
    """
    tcp: socket.socket | None = ssh.get_extra_info("socket")
    if tcp is None or tcp.family not in (socket.AF_INET, socket.AF_INET6):
        return
    received = ssh.data_received

    def received_and_acknowledged(data: bytes, datatype: int | None = None) -> None:
        received(data, datatype)
        with contextlib.suppress(OSError):
            tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    ssh.data_received = received_and_acknowledged  # type: ignore[method-assign]


def _reason(error: Exception, connection: Connection) -> str:
    """What went wrong in one attempt, in the official plugin's words."""
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return "ssh: handshake failed: ssh: host key mismatch"
    if isinstance(error, asyncssh.PermissionDenied):
        tried = " ".join(_ways_to_log_in(connection))
        return (
            "ssh: handshake failed: ssh: unable to authenticate, attempted methods "
            f"[{tried}], no supported methods remain"
        )
    if isinstance(error, asyncssh.KeyExchangeFailed) and connection.host_key is not None:
        wanted = connection.host_key.split()[0]
        return (
            "ssh: handshake failed: ssh: no common algorithm for host key; "
            f"we offered: [{wanted}] ({error.reason})"
        )
    if isinstance(error, asyncssh.ChannelOpenError):
        return f"ssh: rejected: connect failed ({error.reason})"
    if isinstance(error, asyncssh.Error):
        return f"ssh: handshake failed: {error.reason}"
    if isinstance(error, TimeoutError):
        return f"dial tcp {connection.endpoint}: i/o timeout"
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {connection.host}: no such host"
    if isinstance(error, ConnectionResetError):
        return "ssh: handshake failed: read tcp: connection reset by peer"
    assert isinstance(error, OSError)
    return f"dial tcp {connection.endpoint}: connect: {error_messages.system_error(error)}"


def _ways_to_log_in(connection: Connection) -> list[str]:
    ways = ["none"]
    if connection.private_key is not None or agent_path(connection):
        ways.append("publickey")
    if connection.password is not None:
        ways += ["password", "keyboard-interactive"]
    return ways

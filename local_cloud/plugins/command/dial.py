"""Makes an SSH connection, patiently: a server may still be booting.

Attempts that fail are repeated after 0.1 s, then 1.5 times as long each time, at most 5 s.
The only module that imports asyncssh at its top; it is imported when something is dialled, so
that a run in which nothing changes does not pay for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import typing

import asyncssh

from local_cloud.plugins.command import wording
from local_cloud.plugins.command.connection import Connection
from local_cloud.plugins.shared_provider import PluginError

FIRST_DELAY_SECONDS = 0.1
DELAY_GROWTH = 1.5
LONGEST_DELAY_SECONDS = 5.0

# A server that does not answer for a minute is taken for gone.
KEEPALIVE_SECONDS = 15
KEEPALIVES_UNANSWERED = 4

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
    options = await _options(connection)

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
    """Spare each command 0.08 s.

    A server sends a command's output and its end in small packets, each only after the one
    before was acknowledged (Nagle's algorithm; sshd turns it off for terminals only), and Linux
    acknowledges 0.04 s late. TCP_QUICKACK has to be asked for again after each packet.
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


async def _options(connection: Connection) -> asyncssh.SSHClientConnectionOptions:
    keys = [_private_key(connection)] if connection.private_key is not None else []
    agent = await _agent_socket(connection)
    trusted: typing.Any = None
    algorithms: typing.Any = ()
    if connection.host_key is not None:
        host_key = _host_key(connection.host_key)
        trusted = ([host_key], [], [])
        # The server is asked for this kind of key, whatever others it has.
        algorithms = [name.decode() for name in host_key.sig_algorithms]
    return asyncssh.SSHClientConnectionOptions(
        username=connection.user,
        password=connection.password,
        client_keys=keys or None,
        agent_path=None if keys else agent,
        known_hosts=trusted,
        server_host_key_algs=algorithms,
        # Nothing of this machine's own SSH settings must decide what a deployment does.
        config=None,
        gss_host=None,
        host_based_auth=False,
        compression_algs=None,
        connect_timeout=None,
        login_timeout=connection.per_dial_timeout or 0,
        keepalive_interval=KEEPALIVE_SECONDS,
        keepalive_count_max=KEEPALIVES_UNANSWERED,
    )


def _private_key(connection: Connection) -> asyncssh.SSHKey:
    assert connection.private_key is not None
    try:
        return asyncssh.import_private_key(connection.private_key, connection.private_key_password)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as error:
        raise PluginError(_key_problem(str(error), connection)) from None


def _key_problem(reason: str, connection: Connection) -> str:
    if "Passphrase must be specified" in reason:
        return "ssh: this private key is passphrase protected"
    if "requires bcrypt" in reason:
        return (
            "ssh: a private key encrypted in OpenSSH's own format needs the Python package "
            "bcrypt, which is not installed here; give the key in PKCS#8 format instead"
        )
    if connection.private_key_password is not None and "passphrase" in reason.lower():
        return "x509: decryption password incorrect"
    return "ssh: no key found"


def _host_key(text: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_public_key(text)
    except (asyncssh.KeyImportError, ValueError):
        raise PluginError("failed to parse host key: ssh: no key found") from None


async def _agent_socket(connection: Connection) -> str | None:
    path = connection.agent_socket_path or os.environ.get("SSH_AUTH_SOCK")
    if not path:
        return None
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError as error:
        raise PluginError(f"dial unix {path}: connect: {wording.system_error(error)}") from None
    writer.close()
    return path


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
    return f"dial tcp {connection.endpoint}: connect: {wording.system_error(error)}"


def _ways_to_log_in(connection: Connection) -> list[str]:
    ways = ["none"]
    if connection.private_key is not None or os.environ.get("SSH_AUTH_SOCK"):
        ways.append("publickey")
    if connection.password is not None:
        ways += ["password", "keyboard-interactive"]
    return ways

"""Who we are to a server, and how it proves who it is."""

from __future__ import annotations

import contextlib
import os
import typing

import asyncssh

from local_cloud.plugins.command import error_messages
from local_cloud.plugins.command.connection import Connection
from local_cloud.plugins.shared_provider import PluginError

# A server that does not answer for a minute is taken for gone.
KEEPALIVE_SECONDS = 15
KEEPALIVES_UNANSWERED = 4

Key = asyncssh.SSHKey | asyncssh.SSHKeyPair


def login_options(
    connection: Connection, keys: typing.Sequence[Key]
) -> asyncssh.SSHClientConnectionOptions:
    """All that asyncssh has to know for a login, with the host key pinned if one is given.

    Raises:
        PluginError: the host key cannot be read.
    """
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
        agent_path=None,
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


@contextlib.asynccontextmanager
async def keys_of(connection: Connection) -> typing.AsyncIterator[typing.Sequence[Key]]:
    """The private key, or those of the agent, which is asked only if there is none.

    An agent that is named but not there is an error all the same.

    Raises:
        PluginError: the key cannot be read, or the agent cannot be reached.
    """
    path = agent_path(connection)
    own = [_private_key(connection)] if connection.private_key is not None else []
    if path is None:
        yield own
        return
    try:
        agent = await asyncssh.connect_agent(path)
    except OSError as error:
        raise PluginError(
            f"dial unix {path}: connect: {error_messages.system_error(error)}"
        ) from None
    async with agent:
        yield own or await agent.get_keys()


def agent_path(connection: Connection) -> str | None:
    """The socket of the SSH agent to ask, if there is one."""
    return connection.agent_socket_path or os.environ.get("SSH_AUTH_SOCK") or None

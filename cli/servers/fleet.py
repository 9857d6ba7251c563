"""The servers of an environment: who they are, and commands on them over SSH.

Keys and addresses come from the stack's state, so that a server can be looked into also after an
update that failed. Every connection pins the server's host key.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cli.console import fail
from cli.engine.state import resources
from components.core import ssh_timeouts

_BATCH_SSH_OPTIONS = ("BatchMode=yes", f"ConnectTimeout={ssh_timeouts.STATUS}")
# Of an update, which waits for a server that is slow.
UPDATE_SSH_OPTIONS = (
    "BatchMode=yes",
    f"ConnectTimeout={ssh_timeouts.UPLOAD}",
    f"ServerAliveInterval={ssh_timeouts.ALIVE_INTERVAL}",
    f"ServerAliveCountMax={ssh_timeouts.ALIVE_COUNT}",
)
# OpenSSH 9's first choice, sntrup761, takes 70 ms longer for each connection.
_KEY_EXCHANGE = "KexAlgorithms=^curve25519-sha256"
# ssh's own failure (ssh(1)): no connection, a wrong host key, a refused login.
SSH_FAILED = 255


@dataclass(frozen=True, kw_only=True)
class Server:
    name: str
    """As the stack calls it: web, web-2, db."""
    hostname: str
    """As the provider calls it: dev-web."""
    address: str
    host_key: str
    """One `ssh-ed25519 AAAA…` line."""
    port: int = 22

    @property
    def known_as(self) -> str:
        """Its name in a known_hosts file (sshd(8))."""
        return self.address if self.port == 22 else f"[{self.address}]:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a command on one server came to."""

    status: int | None
    """Its exit status; None where the server was not reached or was not done in time."""
    output: str = ""
    errors: str = ""
    """Standard error; where there is no status, one line that says why."""

    @property
    def reached(self) -> bool:
        return self.status is not None


@dataclass(frozen=True)
class Fleet:
    """All servers of one stack, with the key that opens them."""

    stack: str
    servers: dict[str, Server]
    """By name, the web servers first, in their order."""
    private_key: str

    @classmethod
    def of(cls, stack: str) -> Fleet:
        """The servers there are; ends this program with one line where the stack has no state."""
        return cls.in_state(stack, resources(stack))

    @classmethod
    def in_state(cls, stack: str, state: dict[str, dict[str, Any]]) -> Fleet:
        """`of`, from what `engine.resources` found."""
        servers = [
            Server(
                name=name,
                hostname=outputs["name"],
                address=outputs["ipv4Address"],
                host_key=_public(_pair(state, f"{name}-host-key")),
            )
            for key, outputs in state.items()
            if (name := key.removeprefix("Droplet ")) != key
        ]
        servers += [
            Server(
                name=name,
                hostname=outputs["name"],
                address=outputs["address"],
                host_key=outputs["host_key"],
                port=int(outputs["port"]),
            )
            for key, outputs in state.items()
            # One of one's own: the component knows of it what a droplet would.
            if (name := key.removeprefix("Server ")) != key
            and f"Droplet {name}" not in state
            and "host_key" in outputs
        ]
        servers.sort(key=lambda server: _natural(server.name))
        key = _private(_pair(state, "deploy-key"))
        return cls(stack, {server.name: server for server in servers}, key)

    def find(self, name: str) -> Server:
        """By its name in the stack (web) or at the provider (dev-web); else all names are said."""
        for server in self.servers.values():
            if name in (server.name, server.hostname):
                return server
        names = ", ".join(sorted(self.servers)) or "none yet"
        return fail(f"{self.stack} has no server {name!r}: must be one of {names}")

    @contextmanager
    def ssh_session(self) -> Iterator[SshSession]:
        """Within the block, what makes ssh command lines for these servers."""
        # ssh reads keys from files only: they are for this user alone, and go with the block.
        with TemporaryDirectory(dir=os.environ.get("SLIPWAY_HOME")) as folder:
            key, hosts = Path(folder, "key"), Path(folder, "known_hosts")
            key.touch(mode=0o600)
            key.write_text(self.private_key)
            known = [f"{each.known_as} {each.host_key}\n" for each in self.servers.values()]
            hosts.write_text("".join(known))
            yield SshSession(key, hosts)

    def run_on_all(
        self,
        command: str,
        *,
        stdin: str | Mapping[str, str] = "",
        timeout: float = 15,
        servers: Sequence[str] | None = None,
    ) -> dict[str, Result]:
        """Run a shell command on all servers at once, as the user deploy (who has sudo).

        Args:
            command: for the server's shell; it shows in process lists, so it holds no secret.
            stdin: its standard input; by server's name where they get different ones.
            timeout: seconds after which a server is given up.
            servers: names of some of the servers; None for all.
        """
        from concurrent.futures import ThreadPoolExecutor

        wanted = [self.servers[name] for name in (self.servers if servers is None else servers)]
        if not wanted:
            return {}
        with self.ssh_session() as session, ThreadPoolExecutor(len(wanted)) as pool:
            lines = [session.ssh(server, command, options=_BATCH_SSH_OPTIONS) for server in wanted]
            inputs = [stdin if isinstance(stdin, str) else stdin[each.name] for each in wanted]
            results = pool.map(lambda line, text: _run(line, text, timeout), lines, inputs)
            return {server.name: result for server, result in zip(wanted, results, strict=True)}


@dataclass(frozen=True)
class SshSession:
    """Where the keys lie while they are needed."""

    key: Path
    known_hosts: Path

    def ssh(self, server: Server, *command: str, options: Sequence[str] = ()) -> list[str]:
        """The command line of ssh for a command there, or for a shell."""
        every = (
            f"IdentityFile={_in_an_option(self.key)}",
            "IdentitiesOnly=yes",
            f"UserKnownHostsFile={_in_an_option(self.known_hosts)}",
            "StrictHostKeyChecking=yes",
            "LogLevel=ERROR",
            _KEY_EXCHANGE,
            *options,
        )
        chosen = [word for option in every for word in ("-o", option)]
        if server.port != 22:
            chosen += ["-p", str(server.port)]
        return ["ssh", *chosen, f"deploy@{server.address}", *command]


def terminal() -> list[str]:
    """Options of `ssh` that give a command a terminal, where there is one here."""
    return ["RequestTTY=force"] if sys.stdin.isatty() and sys.stdout.isatty() else []


def _in_an_option(path: Path) -> str:
    """A path as ssh's options take it: with `%` and spaces in it, too (ssh_config(5), TOKENS)."""
    return f'"{str(path).replace("%", "%%")}"'


def _run(line: Sequence[str], stdin: str, timeout: float) -> Result:
    try:
        done = subprocess.run(line, input=stdin, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return Result(status=None, errors=f"not done after {timeout:.0f} s")
    if done.returncode == SSH_FAILED:
        said = done.stderr.strip().splitlines()
        return Result(status=None, errors=said[-1] if said else "ssh failed")
    return Result(status=done.returncode, output=done.stdout, errors=done.stderr)


def _natural(name: str) -> tuple[bool, int, str]:
    """web, web-2, ..., web-10, then the others."""
    role, _, number = name.partition("-")
    return (role != "web", int(number) if number.isdigit() else 0, name)


def _pair(state: dict[str, dict[str, Any]], name: str) -> str:
    """A generated key pair: the public line, then the private key (components/servers/keys.py)."""
    return str(state.get(f"Command {name}", {}).get("stdout", "\n"))


def _public(pair: str) -> str:
    return pair.split("\n", 1)[0]


def _private(pair: str) -> str:
    return pair.split("\n", 1)[1].strip() + "\n"

"""A file as it is declared for a server: how it is put there, watched and removed.

The declaration becomes the command line of host/slipway-put-file, and so has two readers: the
server records it for host/slipway-remove, and the stack's state holds it for scripts/status. Pure,
and without the SDK.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

PROGRAM = "slipway-put-file"
Verb = Literal["start", "reload", "restart", "reload-or-restart"]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """The systemd unit that uses a file: enabled once the file is there, and watched from then on.

    A unit with the file's own name is what the file defines, and goes together with it.
    """

    name: str
    """In full: nginx.service."""
    verb: Verb
    """What systemctl does to make the unit use the file."""
    serves: bool = False
    """Whether the site is down when the unit does not run; else scripts/status only warns."""


@dataclass(frozen=True, kw_only=True)
class PutFile:
    """One file, without its content."""

    path: str
    """Absolute."""
    mode: str = "0644"
    """Octal permissions."""
    owner: str = "root:root"
    """`user:group`."""
    check: str = ""
    """Shell command that fails on a bad file, run with the new one in place."""
    then: str = ""
    """Shell command that applies the file, in addition to its unit."""
    undo: str = ""
    """Shell command that reverts side effects of `check` and `then`, once the file is removed."""
    unit: Unit | None = None
    site: str = ""
    """The site whose file it is, by its application's name; empty for the server's own."""
    stays: bool = False
    """Whether a server that is removed from the environment keeps it."""

    def __post_init__(self) -> None:
        if not PurePosixPath(self.path).is_absolute():
            raise ValueError(f"{self.path!r}: a file on a server needs an absolute path")

    @property
    def script(self) -> str:
        """Shell command that puts it in place; its standard input is the content."""
        given = {"--mode": self.mode, "--owner": self.owner, "--site": self.site}
        if self.unit:
            given |= {"--unit": self.unit.name, "--verb": self.unit.verb}
        given |= {"--check": self.check, "--then": self.then, "--undo": self.undo}
        flags = ["--serves"] * bool(self.unit and self.unit.serves) + ["--stays"] * self.stays
        options = [word for option in given.items() if option[1] for word in option]
        return shlex.join([PROGRAM, *options, *flags, self.path])

    @classmethod
    def in_command(cls, command: str) -> PutFile | None:
        """The file that a resource puts on a server; None if it does something else.

        Args:
            command: the resource's own: its last word is the script for the server.
        """
        if PROGRAM not in command:
            return None
        program, *words = shlex.split(shlex.split(command)[-1])
        if program != PROGRAM:
            return None
        path = words.pop()
        serves, stays = "--serves" in words, "--stays" in words
        options = [word for word in words if word not in ("--serves", "--stays")]
        given = {
            name.removeprefix("--"): value
            for name, value in zip(options[::2], options[1::2], strict=True)
        }
        name, verb = given.pop("unit", ""), given.pop("verb", "")
        unit = Unit(name=name, verb=verb, serves=serves) if name else None  # type: ignore[arg-type]
        return cls(path=path, unit=unit, stays=stays, **given)


@dataclass(frozen=True, kw_only=True)
class ServerFile:
    """A file with its content, as whoever needs it on a server declares it."""

    name: str
    """Of its resource, after the server's."""
    put: PutFile
    content: str

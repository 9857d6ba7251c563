"""What runs an application, and what keeps that running: the two shapes; pure.

There is a file for each of them, and registry.py has them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.core.put_file import ServerFile


@dataclass(frozen=True, kw_only=True)
class _Runner:
    name: str
    packages: Mapping[str, Sequence[str]]
    """By the family of the system; one without is one where it does not run."""
    files: Callable[[Mapping[str, Any]], list[ServerFile]]
    """What an instance is made from for it, out of the values of an `Application`."""
    fails_at_once: bool = False
    """Whether a module that cannot be imported ends the start at once, and in a few words."""


@dataclass(frozen=True, kw_only=True)
class AppServer(_Runner):
    """What runs the application: it listens on the socket of the instance."""

    interpreter: str = "/bin/sh"
    """What runs its `serve`."""
    says_when_ready: bool
    """Whether it tells systemd (sd_notify(3)), and takes HUP for a reload."""
    system_calls: Sequence[str] = ()
    """For systemd's filter, besides those of every application."""
    port: int = 0
    """Where it listens on this machine besides; 0 for nowhere."""


@dataclass(frozen=True, kw_only=True)
class ProcessManager(_Runner):
    """What starts the app server, and starts it again."""

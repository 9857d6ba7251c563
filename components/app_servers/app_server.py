"""The types of app servers and process managers; pure.

There is a file for each of them, and registry.py lists them.
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
    """By the distribution's family. On a family that is missing it does not run."""
    files: Callable[[Mapping[str, Any]], list[ServerFile]]
    """Makes its files of an instance from the values of an `Application`."""
    fails_at_once: bool = False
    """Whether a start fails at once, with a short message, if the module cannot be imported."""


@dataclass(frozen=True, kw_only=True)
class AppServer(_Runner):
    """Runs the application, and listens on the socket of the instance."""

    interpreter: str = "/bin/sh"
    """Runs its `serve` script."""
    says_when_ready: bool
    """Whether it notifies systemd (sd_notify(3)) and reloads on HUP."""
    system_calls: Sequence[str] = ()
    """For systemd's SystemCallFilter=, in addition to those of every application."""
    port: int = 0
    """A local TCP port that it needs; 0 for none."""


@dataclass(frozen=True, kw_only=True)
class ProcessManager(_Runner):
    """Starts the app server, and restarts it."""

"""app.json: the settings of the application."""

from __future__ import annotations

import json
import re
from pathlib import Path

from .console import ReleaseError


class Settings:
    """The content of app.json. Every key is optional; any other key is an error."""

    module = "wsgi:app"
    user = ""  # the application's user; empty: the application's name
    health_path = "/healthz"
    health_status = 200
    health_seconds = 30
    min_ready_seconds = 0  # how long it must stay healthy before it gets visitors
    drain_seconds = 30
    keep_releases = 5
    release_command = ""
    release_command_seconds = 600
    release_command_lock_seconds = 5  # how long its statements wait for a lock; 0: without limit
    web_port = 0  # nginx's port; 0: check the switch without nginx
    health_host = "localhost"  # Host header of the health check
    balanced = False  # whether to check the switch through the load balancer as well
    warm_up_paths: list[str] = []  # noqa: RUF012 - requested before visitors come
    workers = 0  # per instance; 0: 2 x cores + 1
    supervisor = "systemd"  # the process manager: systemd or supervisor
    import_first = False  # import the module before starting an instance
    instance_files: list[str] = []  # noqa: RUF012 - absolute paths that an instance is made from

    RANGES = {  # noqa: RUF012 - read only
        "health_status": (100, 599),
        "health_seconds": (1, 3600),
        "min_ready_seconds": (0, 3600),
        "drain_seconds": (0, 3600),
        "keep_releases": (1, 1000),
        "release_command_seconds": (1, 86400),
        "release_command_lock_seconds": (0, 3600),
        "web_port": (0, 65535),
        "workers": (0, 1000),
    }

    def __init__(self, path: Path) -> None:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ReleaseError(
                f"{path}: missing; it holds the settings of the application"
            ) from None
        except ValueError as error:
            raise ReleaseError(f"{path}: not valid JSON: {error}") from None
        if not isinstance(values, dict):
            raise ReleaseError(f"{path}: expected a map of settings")
        known = [key for key in vars(Settings) if key.islower() and not key.startswith("_")]
        for key, value in values.items():
            if key not in known:
                raise ReleaseError(f"{path}: {key}: unknown setting; known: {', '.join(known)}")
            expected = type(getattr(Settings, key))
            if type(value) is not expected:
                raise ReleaseError(f"{path}: {key}: expected {expected.__name__}, found {value!r}")
            if isinstance(value, int) and key in self.RANGES:
                low, high = self.RANGES[key]
                if not low <= value <= high:
                    raise ReleaseError(f"{path}: {key}: expected {low} to {high}, found {value}")
            setattr(self, key, value)
        if not self.health_path.startswith("/"):
            raise ReleaseError(
                f"{path}: health_path: must begin with /, found {self.health_path!r}"
            )
        if self.supervisor not in ("systemd", "supervisor"):
            raise ReleaseError(
                f"{path}: supervisor: expected systemd or supervisor, found {self.supervisor!r}"
            )
        if not re.fullmatch(r"\w+(\.\w+)*:\w+(\(.*\))?", self.module):
            raise ReleaseError(f"{path}: module: expected module:name, found {self.module!r}")

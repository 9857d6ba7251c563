"""The process manager of an instance: systemd or supervisord."""

from __future__ import annotations

from pathlib import Path

from .supervisord import Supervisord
from .systemd import Systemd


class ProcessManager(Systemd):
    """Passes each call on to the process manager that the instance was made for."""

    def __init__(self, app: str, root: Path) -> None:
        super().__init__(app, root)
        self.systemd, self.supervisord = Systemd(app, root), Supervisord(app, root)

    def put(self, instance: str) -> None:
        supervised = (self.instances / instance / "program.conf").exists()
        (self.supervisord if supervised else self.systemd).put(instance)

    def start(self, instance: str, seconds: float) -> str | None:
        return self.of(instance).start(instance, seconds)

    def stop(self, instance: str) -> None:
        self.of(instance).stop(instance)

    def remove(self, instance: str) -> None:
        self.systemd.remove(instance)

    def stop_now(self, instance: str) -> None:
        self.of(instance).stop_now(instance)

    def kill(self, instance: str) -> None:
        self.of(instance).kill(instance)

    def enable(self, instance: str) -> None:
        self.of(instance).enable(instance)

    def disable(self, instance: str) -> None:
        self.of(instance).disable(instance)

    def is_enabled(self, instance: str) -> bool:
        return self.of(instance).is_enabled(instance)

    def state(self, instance: str) -> str:
        return self.of(instance).state(instance)

    def has_failed(self, instance: str) -> bool:
        return self.of(instance).has_failed(instance)

    def log(self, instance: str) -> str:
        return self.of(instance).log(instance)

    def name(self, instance: str) -> str:
        return self.of(instance).name(instance)

    def of(self, instance: str) -> Systemd:
        return self.supervisord if self.supervisord.has(instance) else self.systemd

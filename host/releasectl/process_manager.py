"""Whichever of the two keeps an instance running."""

from __future__ import annotations

from pathlib import Path

from .supervisord import Programs
from .systemd import Units


class Runners(Units):
    """Both: what is started is started under the one that it was made for."""

    def __init__(self, app: str, root: Path) -> None:
        super().__init__(app, root)
        self.units, self.programs = Units(app, root), Programs(app, root)

    def put(self, instance: str) -> None:
        supervised = (self.instances / instance / "program.conf").exists()
        (self.programs if supervised else self.units).put(instance)

    def start(self, instance: str, seconds: float) -> str | None:
        return self.of(instance).start(instance, seconds)

    def stop(self, instance: str) -> None:
        self.of(instance).stop(instance)

    def remove(self, instance: str) -> None:
        self.units.remove(instance)

    def end(self, instance: str) -> None:
        self.of(instance).end(instance)

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

    def given_up(self, instance: str) -> bool:
        return self.of(instance).given_up(instance)

    def log(self, instance: str) -> str:
        return self.of(instance).log(instance)

    def name(self, instance: str) -> str:
        return self.of(instance).name(instance)

    def of(self, instance: str) -> Units:
        return self.programs if self.programs.has(instance) else self.units

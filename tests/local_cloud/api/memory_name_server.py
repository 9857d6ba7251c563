"""A name server without a process: it remembers its zones, and fails where a test says so."""

from __future__ import annotations

from collections.abc import Sequence

from local_cloud.machine import MachineError, Zone


class MemoryNameServer:
    def __init__(self) -> None:
        self.zones: dict[str, Zone] = {}
        self.missing = ""
        """Why there is none on this computer."""
        self.failure = ""
        """What it says to a change."""

    def check(self) -> None:
        if self.missing:
            raise MachineError(self.missing)

    def serve(self, zones: Sequence[Zone]) -> None:
        self.check()
        if self.failure:
            raise MachineError(self.failure)
        self.zones = {zone.name: zone for zone in zones}

    def lines(self, name: str) -> list[str]:
        """The zone file of a domain, without what is above its records."""
        return self.zones[name].text.splitlines()[3:]

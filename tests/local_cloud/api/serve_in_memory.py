"""A local cloud as a process of its own, whose machines are files that outlive it."""

from __future__ import annotations

import sys
from pathlib import Path

from local_cloud.api.server import StartError, serve
from local_cloud.machine import MachineSpec
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor
from tests.local_cloud.api.memory_name_server import MemoryNameServer


class LastingHypervisor(MemoryHypervisor):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def create(self, spec: MachineSpec) -> None:
        super().create(spec)
        (self._folder / str(spec.id)).write_text(spec.name)

    def is_running(self, machine_id: int) -> bool:
        return (self._folder / str(machine_id)).exists()

    def destroy(self, machine_id: int) -> None:
        super().destroy(machine_id)
        (self._folder / str(machine_id)).unlink(missing_ok=True)


def main() -> None:
    state_folder, machines, port, failure = sys.argv[1:]
    hypervisor = LastingHypervisor(Path(machines))
    if failure:
        hypervisor.failures["apply_network"] = failure
    try:
        serve(Path(state_folder), int(port), hypervisor, MemoryNameServer())
    except StartError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

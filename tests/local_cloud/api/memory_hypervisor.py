"""A hypervisor without machines: it remembers what it was asked, and fails where a test says so."""

from __future__ import annotations

from ipaddress import IPv4Network
from threading import Event, Lock

from local_cloud.machine import MachineError, MachineSpec, Network, Progress


class MemoryHypervisor:
    def __init__(self) -> None:
        self.machines: dict[int, MachineSpec] = {}
        self.running: set[int] = set()
        self.snapshots: dict[int, int] = {}
        self.labels: dict[int, str] = {}
        self.networks: list[Network] = []
        self.calls: list[tuple[str, int]] = []
        self.prepared: list[str] = []
        self.routed: list[IPv4Network] = []
        self.ports_in_use: set[int] = set()
        self.failures: dict[str, str] = {}
        """What a call by this name raises."""
        self.gate = Event()
        """Creation waits for it."""
        self.gate.set()
        self._one_at_a_time = Lock()

    @property
    def network(self) -> Network:
        return self.networks[-1]

    def _call(self, name: str, number: int = 0) -> None:
        with self._one_at_a_time:
            self.calls.append((name, number))
        if name in self.failures:
            raise MachineError(self.failures[name])

    def public_network(self) -> IPv4Network:
        return IPv4Network("10.77.12.0/24")

    def prepare_image(self, image: str, progress: Progress) -> None:
        self._call("prepare_image")
        progress("nothing to do")
        self.prepared.append(image)

    def create(self, spec: MachineSpec) -> None:
        self.gate.wait(timeout=20)
        self._call("create", spec.id)
        self.machines[spec.id] = spec
        self.running.add(spec.id)

    def start(self, spec: MachineSpec) -> None:
        self._call("start", spec.id)
        self.machines[spec.id] = spec
        self.running.add(spec.id)

    def shut_down(self, machine_id: int, grace_seconds: float) -> None:
        self._call("shut_down", machine_id)
        self.running.discard(machine_id)

    def power_off(self, machine_id: int) -> None:
        self._call("power_off", machine_id)
        self.running.discard(machine_id)

    def reboot(self, machine_id: int) -> None:
        self._call("reboot", machine_id)

    def is_running(self, machine_id: int) -> bool:
        return machine_id in self.running

    def destroy(self, machine_id: int) -> None:
        self._call("destroy", machine_id)
        self.machines.pop(machine_id, None)
        self.running.discard(machine_id)

    def rename(self, machine_id: int, name: str) -> None:
        self._call("rename", machine_id)
        self.labels[machine_id] = name

    def snapshot(self, machine_id: int, snapshot_id: int) -> float:
        self._call("snapshot", machine_id)
        self.snapshots[snapshot_id] = machine_id
        return 0.5

    def delete_snapshot(self, snapshot_id: int) -> None:
        self._call("delete_snapshot", snapshot_id)
        self.snapshots.pop(snapshot_id, None)

    def check_network(self, network: IPv4Network) -> None:
        self._call("check_network")
        for routed in self.routed:
            if network.overlaps(routed):
                raise MachineError(f"{network} overlaps {routed}, which this computer routes")

    def apply_network(self, network: Network) -> None:
        self._call("apply_network")
        self.networks.append(network)

    def check_forward(self, loopback_port: int) -> None:
        self._call("check_forward", loopback_port)
        if loopback_port in self.ports_in_use:
            raise MachineError(f"port {loopback_port} on 127.0.0.1 is in use")

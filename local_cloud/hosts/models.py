"""The record of a machine on disk, from which everything can be derived after a crash."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from local_cloud.machine import Interface, MachineError, MachineSpec


@dataclass(frozen=True, kw_only=True)
class MachineRecord:
    """The properties of a machine, without its secrets."""

    id: int
    name: str
    """The label for processes and logs."""
    hostname: str
    """The host name inside the machine, set at creation."""
    layers: tuple[str, ...]
    """The read-only layers of its image, uppermost first."""
    public: Interface
    private: Interface
    memory_mib: int

    @classmethod
    def of(cls, spec: MachineSpec, layers: list[str]) -> MachineRecord:
        return cls(
            id=spec.id,
            name=spec.name,
            hostname=spec.name,
            layers=tuple(layers),
            public=spec.public,
            private=spec.private,
            memory_mib=spec.memory_mib,
        )

    @classmethod
    def read(cls, folder: Path) -> MachineRecord:
        """Read the record in a folder. Raises `MachineError` if there is none."""
        try:
            content = json.loads((folder / "machine.json").read_text())
        except OSError as error:
            raise MachineError(f"there is no machine {folder.name}") from error
        return cls(
            id=int(content["id"]),
            name=content["name"],
            hostname=content["hostname"],
            layers=tuple(content["layers"]),
            public=interface_from_json(content["public"]),
            private=interface_from_json(content["private"]),
            memory_mib=int(content["memory_mib"]),
        )

    def write(self, folder: Path) -> None:
        content = {
            "id": self.id,
            "name": self.name,
            "hostname": self.hostname,
            "layers": list(self.layers),
            "public": interface_to_json(self.public),
            "private": interface_to_json(self.private),
            "memory_mib": self.memory_mib,
        }
        write_atomically(folder / "machine.json", json.dumps(content, indent=2) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Replace a file so that readers, even after a crash, see either the old text or the new."""
    aside = path.with_name(path.name + ".new")
    aside.write_text(text)
    aside.replace(path)


def interface_to_json(interface: Interface) -> list[str]:
    return [str(interface.address), str(interface.network)]


def interface_from_json(content: list[str]) -> Interface:
    return Interface(address=IPv4Address(content[0]), network=IPv4Network(content[1]))

"""The names a cloud gives to what it makes on this computer.

Several clouds (state folders) can run side by side: a tag derived from the folder is part of every
name, so that each cloud finds, and takes away, exactly its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

CARD_PREFIX = "sw"
FIRST_ROUTE_METRIC = 0x51000000


@dataclass(frozen=True)
class Names:
    """The names of one cloud."""

    tag: str
    """Four hexadecimal digits."""

    @classmethod
    def of(cls, state_folder: Path) -> Names:
        return cls(_digest(state_folder).hex()[:4])

    @classmethod
    def with_card(cls, card: str) -> Names | None:
        """The cloud that has this network card on this computer; None if no cloud has."""
        found = re.match(rf"{CARD_PREFIX}([0-9a-f]{{4}})", card)
        return cls(found[1]) if found else None

    @classmethod
    def with_route_metric(cls, metric: int) -> Names | None:
        """The cloud whose routes have this metric; None if it is no cloud's."""
        number = metric - FIRST_ROUTE_METRIC
        return cls(f"{number:04x}") if 0 <= number <= 0xFFFF else None

    @property
    def table(self) -> str:
        """The nftables table, of the family `inet`."""
        return f"slipway_{self.tag}"

    @property
    def card_prefix(self) -> str:
        """The beginning of the name of each of the cloud's network cards on this computer."""
        return f"{CARD_PREFIX}{self.tag}"

    @property
    def route_metric(self) -> int:
        """What tells the cloud's own routes of whole networks from all others; any other wins."""
        return FIRST_ROUTE_METRIC + int(self.tag, 16)

    def machine(self, machine_id: int | str) -> str:
        """A machine's name among processes, network namespaces and control groups."""
        return f"{self.machine_prefix}{machine_id}"

    @property
    def machine_prefix(self) -> str:
        return f"slipway-{self.tag}-"

    def public_card(self, machine_id: int | str) -> str:
        return f"{self.card_prefix}{machine_id}p"

    def private_card(self, machine_id: int | str) -> str:
        return f"{self.card_prefix}{machine_id}v"


def public_network_candidates(state_folder: Path) -> Iterator[IPv4Network]:
    """Networks for public addresses, from 10.64.0.0/24 to 10.127.255.0/24, the preferred first."""
    first = int.from_bytes(_digest(state_folder)[2:4], "big") % (64 * 256)
    for step in range(64 * 256):
        number = (first + step) % (64 * 256)
        yield IPv4Network((0x0A400000 + number * 256, 24))


def _digest(state_folder: Path) -> bytes:
    return hashlib.sha256(str(state_folder.resolve()).encode()).digest()

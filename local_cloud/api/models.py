"""The models: rows of the database as plain values."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from local_cloud.machine import Certificate as Served


@dataclass(frozen=True, kw_only=True)
class Vpc:
    id: str
    name: str
    description: str
    region: str
    ip_range: IPv4Network
    is_default: bool
    created_at: str

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Vpc:
        fields = dict(row)
        network = IPv4Network(fields.pop("ip_range"))
        return cls(ip_range=network, is_default=bool(fields.pop("is_default")), **fields)


@dataclass(frozen=True, kw_only=True)
class Droplet:
    id: int
    name: str
    status: str
    """`new`, `active`, `off` or `archive` (being deleted): what it should be, not what it is."""
    region: str
    size: str
    disk: int
    image: dict[str, Any]
    vpc_id: str
    public_address: IPv4Address
    private_address: IPv4Address
    user_data: str
    ssh_keys: tuple[str, ...]
    monitoring: bool
    created_at: str
    tags: tuple[str, ...]

    @property
    def addresses(self) -> tuple[IPv4Address, IPv4Address]:
        return self.public_address, self.private_address

    @classmethod
    def from_row(cls, row: sqlite3.Row, tags: tuple[str, ...]) -> Droplet:
        fields = dict(row)
        return cls(
            image=json.loads(fields.pop("image_json")),
            public_address=IPv4Address(fields.pop("public_address")),
            private_address=IPv4Address(fields.pop("private_address")),
            ssh_keys=tuple(json.loads(fields.pop("ssh_keys_json"))),
            monitoring=bool(fields.pop("monitoring")),
            tags=tags,
            **fields,
        )

    @classmethod
    def from_rows(cls, db: sqlite3.Connection, rows: list[sqlite3.Row]) -> list[Droplet]:
        tags: dict[int, list[str]] = defaultdict(list)
        for row in db.execute(
            "SELECT * FROM tagged_resources WHERE resource_type = 'droplet' ORDER BY rowid"
        ):
            tags[row["resource_id"]].append(row["tag"])
        return [cls.from_row(row, tuple(tags[row["id"]])) for row in rows]

    @classmethod
    def all(cls, db: sqlite3.Connection) -> list[Droplet]:
        return cls.from_rows(db, db.execute("SELECT * FROM droplets ORDER BY id").fetchall())

    @classmethod
    def find(cls, db: sqlite3.Connection, droplet_id: int) -> Droplet | None:
        rows = db.execute("SELECT * FROM droplets WHERE id = ?", (droplet_id,)).fetchall()
        return next(iter(cls.from_rows(db, rows)), None)

    @classmethod
    def tagged(cls, db: sqlite3.Connection, tag: str) -> list[Droplet]:
        return [droplet for droplet in cls.all(db) if tag in droplet.tags]


@dataclass(frozen=True, kw_only=True)
class Firewall:
    id: str
    name: str
    inbound: tuple[dict[str, Any], ...]
    """Rules in DigitalOcean's own form, normalised: `protocol`, `ports`, `sources`."""
    outbound: tuple[dict[str, Any], ...]
    """Likewise with `destinations`."""
    droplet_ids: tuple[int, ...]
    tags: tuple[str, ...]
    created_at: str

    def covers(self, droplet: Droplet) -> bool:
        return droplet.id in self.droplet_ids or not set(self.tags).isdisjoint(droplet.tags)

    @classmethod
    def from_row(cls, db: sqlite3.Connection, row: sqlite3.Row) -> Firewall:
        identifier = (row["id"],)
        droplets = db.execute(
            "SELECT droplet_id FROM firewall_droplets WHERE firewall_id = ? ORDER BY rowid",
            identifier,
        )
        tags = db.execute(
            "SELECT tag FROM firewall_tags WHERE firewall_id = ? ORDER BY rowid", identifier
        )
        return cls(
            id=row["id"],
            name=row["name"],
            inbound=tuple(json.loads(row["inbound_json"])),
            outbound=tuple(json.loads(row["outbound_json"])),
            droplet_ids=tuple(found["droplet_id"] for found in droplets),
            tags=tuple(found["tag"] for found in tags),
            created_at=row["created_at"],
        )

    @classmethod
    def all(cls, db: sqlite3.Connection) -> list[Firewall]:
        rows = db.execute("SELECT * FROM firewalls ORDER BY created_at, rowid").fetchall()
        return [cls.from_row(db, row) for row in rows]


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    number: int
    id: str
    name: str
    status: str
    """`new`, `active`, or `errored` when it could not be made."""
    vpc: Vpc
    public_address: IPv4Address
    private_address: IPv4Address
    tag: str | None
    droplet_ids: tuple[int, ...]
    """Those it was given by id; none where it has a tag."""
    settings: dict[str, Any]
    """All else, in DigitalOcean's own form and complete: see load_balancer_requests.py."""
    created_at: str

    @property
    def addresses(self) -> tuple[IPv4Address, IPv4Address]:
        return self.public_address, self.private_address

    def serves(self, droplet: Droplet) -> bool:
        """Whether the droplet is behind it: never one of another VPC, nor one being deleted."""
        named = droplet.id in self.droplet_ids or (
            self.tag is not None and self.tag in droplet.tags
        )
        return named and droplet.vpc_id == self.vpc.id and droplet.status != "archive"

    @classmethod
    def from_row(cls, db: sqlite3.Connection, row: sqlite3.Row) -> LoadBalancer:
        fields = dict(row)
        vpc = db.execute("SELECT * FROM vpcs WHERE id = ?", (fields.pop("vpc_id"),)).fetchone()
        droplets = db.execute(
            "SELECT droplet_id FROM load_balancer_droplets WHERE number = ? ORDER BY droplet_id",
            (row["number"],),
        )
        return cls(
            vpc=Vpc.from_row(vpc),
            public_address=IPv4Address(fields.pop("public_address")),
            private_address=IPv4Address(fields.pop("private_address")),
            settings=json.loads(fields.pop("settings_json")),
            droplet_ids=tuple(found["droplet_id"] for found in droplets),
            **fields,
        )

    @classmethod
    def all(cls, db: sqlite3.Connection) -> list[LoadBalancer]:
        rows = db.execute("SELECT * FROM load_balancers ORDER BY number").fetchall()
        return [cls.from_row(db, row) for row in rows]


@dataclass(frozen=True, kw_only=True)
class ReservedIp:
    ip: IPv4Address
    region: str
    droplet_id: int | None
    """The droplet it leads to, if it leads to one."""
    created_at: str

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> ReservedIp:
        fields = dict(row)
        return cls(ip=IPv4Address(fields.pop("ip")), **fields)

    @classmethod
    def all(cls, db: sqlite3.Connection) -> list[ReservedIp]:
        rows = db.execute("SELECT * FROM reserved_ips ORDER BY created_at, rowid").fetchall()
        return [cls.from_row(row) for row in rows]


@dataclass(frozen=True, kw_only=True)
class Certificate:
    id: str
    name: str
    """What stays when a renewal changes the id."""
    type: str
    """`custom`, or `lets_encrypt` for one of the cloud's own authority."""
    state: str
    """`pending`, `verified` or `error`."""
    dns_names: tuple[str, ...]
    private_key: str = field(repr=False)
    chain: str = field(repr=False)
    """In PEM, the certificate itself first; empty, as the key is, until it is verified."""
    not_after: str
    sha1_fingerprint: str
    created_at: str

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Certificate:
        fields = dict(row)
        return cls(dns_names=tuple(json.loads(fields.pop("dns_names_json"))), **fields)


def served_certificates(db: sqlite3.Connection) -> dict[str, Served]:
    """All that a load balancer can show, by id."""
    rows = db.execute("SELECT id, chain, private_key FROM certificates WHERE state = 'verified'")
    return {
        row["id"]: Served(id=row["id"], pem=f"{row['chain']}{row['private_key']}") for row in rows
    }

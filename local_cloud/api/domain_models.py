"""Domains and their records as the database has them, and the zones that they make."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, fields
from typing import Any

from local_cloud.api.zone_file import Soa, ZoneRecord, render
from local_cloud.machine import Zone

APEX = "@"
"""The name of records of the domain itself."""

WITH_HOSTS = frozenset({"CNAME", "MX", "NS", "SRV"})
"""The types whose data is the name of a host."""


@dataclass(frozen=True, kw_only=True)
class DomainRecord:
    """One record, in DigitalOcean's own form: what a type has no use for is None."""

    id: int
    domain: str
    type: str
    name: str
    data: str
    priority: int | None
    port: int | None
    ttl: int
    weight: int | None
    flags: int | None
    tag: str | None

    @property
    def fqdn(self) -> str:
        """Its whole name, without a dot at its end."""
        return fqdn(self.name, self.domain)

    @property
    def request_data(self) -> str:
        """The data as a request has to give it: DigitalOcean wants a dot where it answers none."""
        if self.data == APEX or self.type not in {*WITH_HOSTS, "CAA"} or self.tag == "iodef":
            return self.data
        return f"{self.data}."

    def as_json(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "domain"}

    def in_zone(self) -> ZoneRecord:
        """It as a line of the zone file."""
        data = self.data
        if self.type in WITH_HOSTS:
            data = f"{self.domain if data == APEX else data}."
        return ZoneRecord(
            owner=self.fqdn,
            ttl=self.ttl,
            type=self.type,
            data=data,
            numbers=tuple(
                number
                for number in (self.priority, self.weight, self.port, self.flags)
                if number is not None
            ),
            tag=self.tag,
        )

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> DomainRecord:
        return cls(**dict(row))

    @classmethod
    def of(cls, db: sqlite3.Connection, domain: str) -> list[DomainRecord]:
        rows = db.execute("SELECT * FROM domain_records WHERE domain = ? ORDER BY id", (domain,))
        return [cls.from_row(row) for row in rows]


@dataclass(frozen=True, kw_only=True)
class Domain:
    name: str
    ttl: int
    serial: int
    created_at: str

    def zone(self, records: list[DomainRecord]) -> Zone:
        """What the name server answers; its text is the `zone_file` of the API."""
        ttl = next((record.ttl for record in records if record.type == "SOA"), self.ttl)
        lines = [record.in_zone() for record in records if record.type != "SOA"]
        soa = Soa(domain=self.name, ttl=ttl, serial=self.serial)
        return Zone(name=self.name, serial=self.serial, text=render(soa, lines))

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Domain:
        return cls(**dict(row))

    @classmethod
    def all(cls, db: sqlite3.Connection) -> list[Domain]:
        return [cls.from_row(row) for row in db.execute("SELECT * FROM domains ORDER BY rowid")]


def fqdn(name: str, domain: str) -> str:
    return domain if name == APEX else f"{name}.{domain}"


def zones(db: sqlite3.Connection) -> list[Zone]:
    """All of them."""
    return [domain.zone(DomainRecord.of(db, domain.name)) for domain in Domain.all(db)]


def first_serial() -> int:
    """As DigitalOcean numbers zones: by the second, counted from 1970."""
    return int(time.time())


def count_change(db: sqlite3.Connection, domain: str) -> None:
    """Give a changed zone another serial, also for two changes within a second."""
    db.execute(
        "UPDATE domains SET serial = max(serial + 1, ?) WHERE name = ?", (first_serial(), domain)
    )

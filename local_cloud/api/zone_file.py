"""The text of a zone file (RFC 1035, 5), in the layout that DigitalOcean's API shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NAME_SERVERS = ("ns1.digitalocean.com", "ns2.digitalocean.com", "ns3.digitalocean.com")
REFRESH, RETRY, EXPIRE = 10800, 3600, 604800
"""Seconds; those of DigitalOcean's zones."""

LONGEST_STRING = 255
"""Bytes of one character string (RFC 1035, 3.3); a longer text is several of them."""


@dataclass(frozen=True, kw_only=True)
class Soa:
    """What a zone says of itself."""

    domain: str
    ttl: int
    serial: int


@dataclass(frozen=True, kw_only=True)
class ZoneRecord:
    owner: str
    """The whole name, without a dot at its end."""
    ttl: int
    type: str
    data: str
    numbers: tuple[int, ...] = ()
    """What comes before the data: a priority, or all that SRV and CAA have."""
    tag: str | None = None


def render(soa: Soa, records: Iterable[ZoneRecord]) -> str:
    """The whole file."""
    master, contact = f"{NAME_SERVERS[0]}.", f"hostmaster.{soa.domain}."
    lines = [
        f"$ORIGIN {soa.domain}.",
        f"$TTL {soa.ttl}",
        f"{soa.domain}. IN SOA {master} {contact} {soa.serial} "
        f"{REFRESH} {RETRY} {EXPIRE} {soa.ttl}",
        # A record that is there twice is one to a resolver.
        *dict.fromkeys(map(_line, records)),
    ]
    return "\n".join([*lines, ""])


def _line(record: ZoneRecord) -> str:
    words = [f"{record.owner}.", str(record.ttl), "IN", record.type, *map(str, record.numbers)]
    if record.tag is not None:
        words.append(record.tag)
    if record.type in ("TXT", "CAA"):
        words += (_quoted(part) for part in _strings(record.data, whole=record.type == "CAA"))
    else:
        words.append(record.data)
    return " ".join(words)


def _strings(text: str, *, whole: bool) -> Iterator[bytes]:
    content = text.encode()
    size = max(1, len(content)) if whole else LONGEST_STRING
    for start in range(0, max(1, len(content)), size):
        yield content[start : start + size]


def _quoted(content: bytes) -> str:
    """A character string with all that is not plain ASCII escaped (RFC 1035, 5.1)."""
    escaped = (
        f"\\{chr(byte)}"
        if byte in b'"\\'
        else chr(byte)
        if 0x20 <= byte < 0x7F
        else f"\\{byte:03d}"
        for byte in content
    )
    return f'"{"".join(escaped)}"'

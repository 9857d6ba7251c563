"""What a request says of a record, and the whole record that comes of it.

The messages are DigitalOcean's where they are known ("Data needs to end with a dot (.)").
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from local_cloud.api.domain_models import APEX, WITH_HOSTS, DomainRecord
from local_cloud.api.domain_names import address, host_name, record_name
from local_cloud.api.errors import refused_record, unprocessable

RecordType = Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT"]

Word = Annotated[int, Field(ge=0, le=65535)]

NUMBERS = {"MX": ("priority",), "SRV": ("priority", "port", "weight"), "CAA": ("flags",)}
"""What each type needs besides its data. Other types have no use for any number: DigitalOcean's
client for Go sends zeros with each of its requests."""

UNNAMED = frozenset({"MX", "NS"})
"""The types that are the domain's own where no name is given."""

LOWEST_TTL = 30
LONGEST_TEXT = 65_000
"""Bytes. It fits into a record of 65,535, with the length of each of its strings."""


class RecordRequest(BaseModel):
    """A change of a record; what it leaves out stays."""

    type: RecordType | None = None
    name: str | None = None
    data: str | None = None
    priority: Word | None = None
    port: Word | None = None
    ttl: Annotated[int, Field(ge=LOWEST_TTL, le=2**31 - 1)] | None = None
    weight: Word | None = None
    flags: Annotated[int, Field(ge=0, le=255)] | None = None
    tag: Literal["issue", "issuewild", "iodef"] | None = None


class NewRecord(RecordRequest):
    type: RecordType


def new_record(order: NewRecord, domain: str) -> dict[str, Any]:
    """The columns of a new record but for its time to live. Raises `ApiError`."""
    if order.type == "SOA":
        raise refused_record("A domain has one SOA record, which comes with it")
    return _columns(order.type, order.model_dump(exclude_none=True), domain)


def changed_record(before: DomainRecord, order: RecordRequest) -> dict[str, Any]:
    """The columns of an existing record after a change. Raises `ApiError`."""
    kind = order.type or before.type
    if "SOA" in (kind, before.type):
        if kind != before.type:
            raise refused_record("A domain has one SOA record, which comes with it")
        return {"type": kind, "name": APEX, "data": before.data}
    known = {**before.as_json(), "data": before.request_data}
    return _columns(kind, {**known, **order.model_dump(exclude_none=True)}, before.domain)


def _columns(kind: str, given: dict[str, Any], domain: str) -> dict[str, Any]:
    name = given.get("name") or (APEX if kind in UNNAMED else None)
    if name is None:
        raise refused_record("Name can't be blank")
    if not given.get("data"):
        raise refused_record("Data can't be blank")
    needed = (*NUMBERS.get(kind, ()), *(("tag",) if kind == "CAA" else ()))
    for field in needed:
        if given.get(field) is None:
            raise refused_record(f"{field.capitalize()} can't be blank")
    return {
        "type": kind,
        "name": record_name(name, domain),
        "data": _data(kind, given["data"], given.get("tag"), domain),
        **dict.fromkeys(("priority", "port", "weight", "flags", "tag")),
        **{field: given[field] for field in needed},
    }


def _data(kind: str, data: str, tag: str | None, domain: str) -> str:
    if kind in WITH_HOSTS:
        return host_name(data, domain)
    if kind in ("A", "AAAA"):
        return address(data, kind)
    if len(data.encode()) > LONGEST_TEXT:
        raise unprocessable("data", f"it has more than {LONGEST_TEXT} bytes")
    if kind == "CAA":
        return _authority(data, tag)
    return data


def _authority(data: str, tag: str | None) -> str:
    """The value of a CAA record: an authority's domain with its parameters, or where to report."""
    if tag == "iodef":
        return data
    if not data.endswith("."):
        raise refused_record("Data needs to end with a dot (.)")
    return data[:-1]

"""The names of domains and records: which ones there can be, and in which form they are kept."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from local_cloud.api.domain_models import APEX, fqdn
from local_cloud.api.errors import refused_record, unprocessable

LONGEST_NAME = 253
LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
NAME = re.compile(rf"(?ai){LABEL}(\.{LABEL})*")
OF_A_DOMAIN = re.compile(r"(?ai)((?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?!-)(?!\d+$)[a-z0-9-]{2,63}(?<!-)")
OWN = "cloud.localhost"
"""The cloud's own domain, under which its services have their names."""


def domain_name(text: str) -> str:
    """The name of a new domain; 422 for what cannot be one."""
    name = text.lower()
    if len(name) > LONGEST_NAME or not OF_A_DOMAIN.fullmatch(name):
        raise unprocessable("name", f"{text!r} is no domain, such as example.com")
    if name == OWN or name.endswith(f".{OWN}"):
        raise unprocessable("name", f"{OWN} is the local cloud's own domain; choose another")
    return name


def record_name(text: str, domain: str) -> str:
    """The name of a record within its domain; one that ends with a dot is a whole name."""
    name = text
    if text.endswith("."):
        whole = text[:-1].lower()
        if whole != domain and not whole.endswith(f".{domain}"):
            raise unprocessable("name", f"{text!r} does not belong to the domain {domain}")
        name = text[:-1][: -len(domain)].rstrip(".") or APEX
    if name == APEX:
        return name
    wild = name == "*" or name.startswith("*.")
    rest = name.removeprefix("*").removeprefix(".") if wild else name
    if (rest or not wild) and not NAME.fullmatch(rest):
        raise unprocessable("name", f"{text!r} is no name of a record, such as www, @ or *.dev")
    if len(fqdn(name, domain)) > LONGEST_NAME:
        raise unprocessable("name", f"with its domain it has more than {LONGEST_NAME} characters")
    return name


def host_name(text: str, domain: str) -> str:
    """The host that a record leads to, as it is kept; it has to be given with its last dot."""
    if text == APEX:
        return text
    if not text.endswith("."):
        raise refused_record("Data needs to end with a dot (.)")
    host = text[:-1]
    if len(host) > LONGEST_NAME or not NAME.fullmatch(host):
        raise unprocessable("data", f"{text!r} is no name of a host")
    return APEX if host.lower() == domain else host


def address(text: str, kind: str, field: str = "data") -> str:
    """The address for a record A or AAAA, as it was given."""
    version = IPv4Address if kind == "A" else IPv6Address
    try:
        if "%" in text:
            raise AddressValueError("a zone index is for one computer only")
        version(text)
    except AddressValueError:
        raise unprocessable(field, f"{text!r} is no address for a record {kind}") from None
    return text

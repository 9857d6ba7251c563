"""`digitalocean.DnsRecord`: one record of a domain."""

from __future__ import annotations

from local_cloud.plugins.digitalocean.api import Work
from local_cloud.plugins.digitalocean.schema import Kind, Made, Property, Table
from local_cloud.plugins.digitalocean.validators import at_least, between, not_empty, one_of
from local_cloud.plugins.shared_provider import PluginError
from local_cloud.plugins.shared_values import UNKNOWN, Properties

TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "TXT", "SRV", "SOA")
ANSWERED_WITHOUT_DOT = frozenset({"CNAME", "MX", "NS", "SRV", "CAA"})
"""The types whose value a program gives with a dot at its end, and the API answers without."""

NEEDED = {"MX": ("priority",), "SRV": ("priority", "weight"), "CAA": ("flags", "tag")}
NUMBERS = ("priority", "port", "weight", "flags")


async def create(work: Work, inputs: Properties, plan: Properties) -> Made:
    if plan["type"] == "SRV" and plan["port"] is None:
        raise PluginError("`port` is required for when type is `SRV`")
    body = {"type": plan["type"], **_body(plan)}
    answer = await work.call("domains.create_record", plan["domain"], body)
    return await _looked_up(work, str(answer["domain_record"]["id"]), plan["domain"])


async def read(work: Work, identity: str, state: Properties) -> Made | None:
    """An import names the domain too: `example.com,12345`."""
    domain, _, number = identity.rpartition(",")
    domain = domain or str(state.get("domain") or "")
    if not domain or not number.isdigit():
        return None
    answer = await work.find("domains.get_record", domain, int(number))
    return Made(id=number, state=_state(answer["domain_record"], domain)) if answer else None


async def update(work: Work, identity: str, old: Properties, plan: Properties) -> Made:
    await work.call("domains.update_record", plan["domain"], int(identity), _body(plan))
    return await _looked_up(work, identity, plan["domain"])


async def delete(work: Work, identity: str, state: Properties) -> None:
    await work.find("domains.delete_record", state["domain"], int(identity))


async def _looked_up(work: Work, identity: str, domain: str) -> Made:
    answer = await work.call("domains.get_record", domain, int(identity))
    return Made(id=identity, state=_state(answer["domain_record"], domain))


def _body(plan: Properties) -> Properties:
    """As DigitalOcean's client for Go sends it: each number, a zero where there is none."""
    body = {"name": plan["name"], "data": plan["value"]}
    body |= {name: plan[name] or 0 for name in NUMBERS}
    known = {name: plan[name] for name in ("ttl", "tag") if plan[name] is not UNKNOWN}
    return body | {name: value for name, value in known.items() if value}


def _state(record: Properties, domain: str) -> Properties:
    value = record["data"]
    if record["type"] in ANSWERED_WITHOUT_DOT and value != "@" and record.get("tag") != "iodef":
        value += "."
    return {
        "domain": domain,
        "type": record["type"],
        "name": record["name"],
        "value": value,
        "ttl": record["ttl"],
        **{name: record.get(name) or 0 for name in NUMBERS},
        "tag": record.get("tag") or "",
        "fqdn": _fqdn(record["name"], domain),
    }


def _fqdn(name: str, domain: str) -> str:
    if name == "@":
        return domain
    whole = name.lower()
    return whole.rstrip(".") if whole.endswith(f"{domain}.") else f"{name}.{domain}"


def _missing(plan: Properties) -> str | None:
    for name in NEEDED.get(plan["type"], ()):
        if plan[name] is None or plan[name] == "":
            return f"`{name}` is required for when type is `{plan['type']}`"
    return None


def _keep_as_answered(prior: Properties, plan: Properties) -> bool:
    """Names that the API answers in a shorter form than they were given in are no change."""
    whole = f"{prior['domain']}."
    if plan["domain"] == prior["domain"]:
        name, value = prior["name"], prior["value"]
        if plan["name"] in ({whole} if name == "@" else {f"{name}.{whole}"}):
            plan["name"] = name
        if (value == "@" and plan["value"] == whole) or value == f"{plan['value']}.{whole}":
            plan["value"] = value
    return False


DNS_RECORD = Table(
    token="digitalocean:index/dnsRecord:DnsRecord",  # noqa: S106
    noun="record",
    properties=(
        Property(name="domain", required=True, replaces=True, validator=not_empty),
        Property(name="type", required=True, replaces=True, validator=one_of(*TYPES)),
        Property(name="name", required=True, validator=not_empty),
        Property(name="value", required=True),
        Property(name="ttl", kind=Kind.WHOLE, computed=True, validator=at_least(1)),
        Property(name="priority", kind=Kind.WHOLE, validator=between(0, 65535)),
        Property(name="port", kind=Kind.WHOLE, validator=between(0, 65535)),
        Property(name="weight", kind=Kind.WHOLE, validator=between(0, 65535)),
        Property(name="flags", kind=Kind.WHOLE, validator=between(0, 255)),
        Property(name="tag", validator=one_of("issue", "issuewild", "iodef")),
        Property(name="fqdn", given=False, computed=True),
    ),
    create=create,
    read=read,
    update=update,
    delete=delete,
    validate_plan=_missing,
    adjust_plan=_keep_as_answered,
)

"""Certificates in the rules of a load balancer: by name in a program, by id at the API.

The id of a certificate changes when it is renewed, so a state has its name under both properties.
"""

from __future__ import annotations

from local_cloud.plugins.digitalocean.api import GaveUp, Work
from local_cloud.plugins.digitalocean.certificate import by_name
from local_cloud.plugins.shared_values import UNKNOWN, Properties, Value

NOT_FOUND = "certificate not found"


async def expanded_rules(work: Work, rules: list[Properties]) -> list[Properties]:
    """The planned rules with the ids that their certificates have now.

    Raises `GaveUp` for a name that no certificate has.
    """
    return [{**rule, "certificateId": await _id_of(work, rule)} for rule in rules]


async def _id_of(work: Work, rule: Properties) -> str:
    name, identifier = (_known(rule.get(key)) for key in ("certificateName", "certificateId"))
    if name:
        found = await by_name(work, name)
        if found is None:
            raise GaveUp(NOT_FOUND)
        return str(found["id"])
    if not identifier:
        return ""
    # Mostly a name too: what the state has under this property.
    found = await by_name(work, identifier)
    if found is None:
        found = (await work.call("certificates.get", identifier))["certificate"]
    return str(found["id"])


def _known(value: Value) -> str:
    return "" if value in (None, UNKNOWN) else str(value)


async def with_certificate_names(work: Work, found: Properties) -> Properties:
    """A load balancer as the API tells it, with the names of its certificates."""
    rules = []
    for rule in found.get("forwarding_rules") or []:
        names: Properties = {}
        if rule.get("certificate_id"):
            answer = await work.call("certificates.get", rule["certificate_id"])
            name = answer["certificate"]["name"]
            names = {"certificate_id": name, "certificate_name": name}
        rules.append({**rule, **names})
    return {**found, "forwarding_rules": rules}

"""`digitalocean.Domain`: a zone in DigitalOcean's DNS, and the function that looks one up."""

from __future__ import annotations

from local_cloud.plugins.digitalocean.api import Api, ApiError, Unreachable, Work
from local_cloud.plugins.digitalocean.schema import Kind, Made, Property, Table
from local_cloud.plugins.digitalocean.validators import not_empty
from local_cloud.plugins.shared_provider import PluginError
from local_cloud.plugins.shared_values import Properties

GET_DOMAIN = "digitalocean:index/getDomain:getDomain"


async def create(work: Work, inputs: Properties, plan: Properties) -> Made:
    body = {"name": plan["name"]}
    if plan["ipAddress"]:
        body["ip_address"] = plan["ipAddress"]
    name = (await work.call("domains.create", body))["domain"]["name"]
    domain = (await work.call("domains.get", name))["domain"]
    return Made(id=name, state={**_state(domain), "ipAddress": plan["ipAddress"]})


async def read(work: Work, identity: str, state: Properties) -> Made | None:
    """The address is kept from before: at the API it is a record like any other."""
    answer = await work.find("domains.get", identity)
    if answer is None:
        return None
    known = {"ipAddress": state.get("ipAddress")}
    return Made(id=identity, state={**_state(answer["domain"]), **known})


async def delete(work: Work, identity: str, state: Properties) -> None:
    await work.call("domains.delete", identity)


async def get_domain(api: Api, arguments: Properties) -> Properties:
    """A domain that exists.

    Raises:
        PluginError: there is none of this name in the account, or no name was given.
    """
    name = arguments.get("name")
    if not isinstance(name, str) or not name:
        raise PluginError(f'{GET_DOMAIN}: the argument "name" is required')
    try:
        domain = (await api.call("domains.get", name))["domain"]
    except ApiError as error:
        trouble = "domain not found" if error.status == 404 else "Error retrieving domain"
        raise PluginError(f"{GET_DOMAIN}: {trouble}: {error}") from None
    except Unreachable as error:
        raise PluginError(f"{GET_DOMAIN}: {error}") from None
    return {"id": domain["name"], **_state(domain), "zoneFile": domain["zone_file"] or ""}


def _state(domain: Properties) -> Properties:
    return {
        "name": domain["name"],
        "ttl": domain["ttl"],
        "domainUrn": f"do:domain:{domain['name']}",
    }


DOMAIN = Table(
    token="digitalocean:index/domain:Domain",  # noqa: S106
    noun="domain",
    properties=(
        Property(name="name", required=True, autonaming=False, replaces=True, validator=not_empty),
        Property(name="ipAddress", replaces=True, validator=not_empty),
        Property(name="domainUrn", upstream="urn", given=False, computed=True),
        Property(name="ttl", kind=Kind.WHOLE, given=False, computed=True),
    ),
    create=create,
    read=read,
    delete=delete,
)

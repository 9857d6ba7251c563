"""`digitalocean.SshKey`: a public key that new droplets let in."""

from __future__ import annotations

from local_cloud.plugins.digitalocean.api import Work
from local_cloud.plugins.digitalocean.schema import Made, Property, Table
from local_cloud.plugins.digitalocean.validators import not_empty
from local_cloud.plugins.shared_values import Properties

CREATE_SECONDS = 120


async def create(work: Work, inputs: Properties, plan: Properties) -> Made:
    body = {"name": plan["name"], "public_key": plan["publicKey"]}
    key = (await work.call("ssh_keys.create", body))["ssh_key"]
    # At DigitalOcean a new key can be missing for a moment.
    return await work.wait(lambda: read(work, str(key["id"]), {}), CREATE_SECONDS)


async def read(work: Work, identity: str, state: Properties) -> Made | None:
    if not identity.isdigit():
        return None
    answer = await work.find("ssh_keys.get", int(identity))
    return Made(id=identity, state=_state(answer["ssh_key"])) if answer else None


async def update(work: Work, identity: str, old: Properties, plan: Properties) -> Made:
    await work.call("ssh_keys.update", int(identity), {"name": plan["name"]})
    key = (await work.call("ssh_keys.get", int(identity)))["ssh_key"]
    return Made(id=identity, state=_state(key))


async def delete(work: Work, identity: str, state: Properties) -> None:
    await work.find("ssh_keys.delete", int(identity))


def _state(key: Properties) -> Properties:
    return {
        "name": key["name"],
        "fingerprint": key["fingerprint"],
        "publicKey": key["public_key"],
    }


SSH_KEY = Table(
    token="digitalocean:index/sshKey:SshKey",  # noqa: S106
    noun="SSH key",
    properties=(
        Property(name="name", required=True, validator=not_empty),
        Property(
            name="publicKey",
            required=True,
            replaces=True,
            validator=not_empty,
            equal=lambda old, new: bool(old.strip() == new.strip()),
        ),
        Property(name="fingerprint", given=False, computed=True),
    ),
    timeouts={"create": CREATE_SECONDS},
    create=create,
    read=read,
    update=update,
    delete=delete,
)

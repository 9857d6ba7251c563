"""`digitalocean.Certificate`: what a load balancer shows to visitors, known by its name.

A renewal gives a certificate another id (`uuid` here), so that its name stands for it everywhere.
"""

from __future__ import annotations

import hashlib

from local_cloud.plugins.digitalocean.api import ApiError, GaveUp, Unreachable, Work
from local_cloud.plugins.digitalocean.schema import HalfMade, Kind, Made, Property, Table
from local_cloud.plugins.digitalocean.validators import not_empty, one_of
from local_cloud.plugins.shared_values import Properties

CREATE_SECONDS = 600
DELETE_SECONDS = 900
"""How long a load balancer may take to let go of it."""
IN_USE = (
    "Make sure the certificate is not in use before deleting it",
    "being used by one or more load balancers",
)
"""Words of a refusal (403) after which it pays to try again."""

CONTENT = ("privateKey", "leafCertificate", "certificateChain")


async def by_name(work: Work, name: str) -> Properties | None:
    """The certificate with this name, as the API tells it."""
    found = (await work.call("certificates.list", name=name))["certificates"]
    return dict(found[0]) if found else None


async def create(work: Work, inputs: Properties, plan: Properties) -> Made:
    _check(plan)
    made = (await work.call("certificates.create", _request(inputs, plan)))["certificate"]

    async def verified() -> Properties | None:
        found = (await work.call("certificates.get", made["id"]))["certificate"]
        if found["state"] == "error":
            made.update(found)
            raise GaveUp("unexpected state 'error', wanted target 'verified'")
        return dict(found) if found["state"] == "verified" else None

    try:
        certificate = await work.wait(verified, CREATE_SECONDS)
    except (ApiError, Unreachable, GaveUp) as error:
        raise HalfMade(
            Made(id=made["name"], state=_state(made, plan)),
            f"waiting for certificate ({plan['name']}) to become active: {error}",
        ) from None
    return Made(id=certificate["name"], state=_state(certificate, plan))


def _check(plan: Properties) -> None:
    """What each type cannot do without: upstream says so only when it makes one."""
    if plan["type"] == "lets_encrypt":
        needed, kind = ["domains"], "`lets_encrypt`"
    else:
        needed, kind = ["privateKey", "leafCertificate"], "`custom` or empty"
    for name in needed:
        item = CERTIFICATE.property(name)
        assert item is not None
        if not plan[name]:
            raise GaveUp(f"`{item.in_messages}` is required for when type is {kind}")


def _request(inputs: Properties, plan: Properties) -> Properties:
    """The plan has only fingerprints of what the inputs have whole."""
    body: Properties = {"name": plan["name"], "type": plan["type"]}
    for name in CONTENT:
        item = CERTIFICATE.property(name)
        assert item is not None
        if inputs.get(name):
            body[item.in_messages] = inputs[name]
    if plan["domains"]:
        body["dns_names"] = plan["domains"]
    return body


async def read(work: Work, identity: str, state: Properties) -> Made | None:
    found = await by_name(work, identity)
    return Made(id=identity, state=_state(found, state)) if found else None


async def delete(work: Work, identity: str, state: Properties) -> None:
    found = await by_name(work, identity)
    if found is None:
        return
    refusals: list[str] = []

    async def gone() -> bool | None:
        try:
            await work.find("certificates.delete", found["id"])
        except ApiError as error:
            if error.status != 403 or not any(words in error.message for words in IN_USE):
                raise
            refusals.append(str(error))
            return None
        return True

    try:
        await work.wait(gone, DELETE_SECONDS)
    except GaveUp as error:
        raise GaveUp(f"{refusals[-1]} ({error})") from None


def _state(found: Properties, known: Properties) -> Properties:
    return {
        "name": found["name"],
        "uuid": found["id"],
        "type": found["type"],
        "state": found["state"],
        "notAfter": found.get("not_after") or "",
        "sha1Fingerprint": found.get("sha1_fingerprint") or "",
        "domains": sorted(name for name in found.get("dns_names") or [] if name),
        **{name: known.get(name) for name in CONTENT},
    }


def adjust_plan(prior: Properties, plan: Properties) -> bool:
    """The names of a certificate that was brought along are in it: no change of theirs counts."""
    if plan["type"] == "custom" and prior:
        plan["domains"] = prior.get("domains")
    return False


def _fingerprint(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - a fingerprint, not a secret


def _pem(name: str, *, secret: bool = False) -> Property:
    return Property(
        name=name, replaces=True, secret=secret, stored=_fingerprint, validator=not_empty
    )


CERTIFICATE = Table(
    token="digitalocean:index/certificate:Certificate",  # noqa: S106
    noun="Certificate",
    properties=(
        _pem("certificateChain"),
        Property(
            name="domains",
            kind=Kind.SET,
            replaces=True,
            validator=not_empty,
            conflicts=("privateKey", "leafCertificate", "certificateChain"),
        ),
        _pem("leafCertificate"),
        Property(name="name", required=True, replaces=True, validator=not_empty),
        Property(name="notAfter", given=False, computed=True),
        _pem("privateKey", secret=True),
        Property(name="sha1Fingerprint", upstream="sha1_fingerprint", given=False, computed=True),
        Property(name="state", given=False, computed=True),
        Property(
            name="type",
            replaces=True,
            default="custom",
            validator=one_of("custom", "lets_encrypt"),
        ),
        Property(name="uuid", given=False, computed=True),
    ),
    schema_version="1",
    timeouts={"create": CREATE_SECONDS, "delete": DELETE_SECONDS},
    create=create,
    read=read,
    delete=delete,
    adjust_plan=adjust_plan,
)

"""The droplets and forwarding rules of a load balancer, added and removed one by one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from local_cloud.api import certificates
from local_cloud.api.cloud import TheCloud
from local_cloud.api.errors import unprocessable
from local_cloud.api.identifiers import Number, UuidInPath
from local_cloud.api.load_balancer_requests import ForwardingRule, checked_rules
from local_cloud.api.load_balancers import add_droplets, existing, save_settings
from local_cloud.api.models import LoadBalancer

router = APIRouter()


class DropletIds(BaseModel):
    droplet_ids: Annotated[list[Number], Field(min_length=1)]


class Rules(BaseModel):
    forwarding_rules: Annotated[list[ForwardingRule], Field(min_length=1)]


def _refuse_tagged(load_balancer: LoadBalancer) -> None:
    if load_balancer.tag is not None:
        message = f"this load balancer has the droplets with the tag {load_balancer.tag!r}"
        raise unprocessable("droplet_ids", f"{message}: tag or untag them instead")


@router.post("/load_balancers/{balancer_id}/droplets")
def add_to_droplets(cloud: TheCloud, balancer_id: UuidInPath, added: DropletIds) -> Response:
    with cloud.change_network() as db:
        load_balancer = existing(db, balancer_id)
        _refuse_tagged(load_balancer)
        add_droplets(db, load_balancer, added.droplet_ids)
    return Response(status_code=204)


@router.delete("/load_balancers/{balancer_id}/droplets")
def remove_from_droplets(cloud: TheCloud, balancer_id: UuidInPath, removed: DropletIds) -> Response:
    """Remove droplets: they get no new requests, and responses under way are still delivered."""
    with cloud.change_network() as db:
        load_balancer = existing(db, balancer_id)
        _refuse_tagged(load_balancer)
        for droplet_id in removed.droplet_ids:
            if droplet_id not in load_balancer.droplet_ids:
                message = f"droplet {droplet_id} is not behind this load balancer"
                raise unprocessable("droplet_ids", message)
            db.execute(
                "DELETE FROM load_balancer_droplets WHERE number = ? AND droplet_id = ?",
                (load_balancer.number, droplet_id),
            )
    return Response(status_code=204)


@router.post("/load_balancers/{balancer_id}/forwarding_rules")
def add_rules(cloud: TheCloud, balancer_id: UuidInPath, added: Rules) -> Response:
    with cloud.change_network() as db:
        load_balancer = existing(db, balancer_id)
        rules = load_balancer.settings["forwarding_rules"]
        new = [rule for rule in checked_rules(added.forwarding_rules) if rule not in rules]
        taken = {rule["entry_port"] for rule in rules}
        for index, rule in enumerate(new):
            if rule["entry_port"] in taken:
                path = f"forwarding_rules.{index}.entry_port"
                raise unprocessable(path, f"{rule['entry_port']} has a rule already")
        certificates.check_named(db, new)
        changed = load_balancer.settings | {"forwarding_rules": [*rules, *new]}
        save_settings(db, load_balancer.number, changed)
    return Response(status_code=204)


@router.delete("/load_balancers/{balancer_id}/forwarding_rules")
def remove_rules(cloud: TheCloud, balancer_id: UuidInPath, removed: Rules) -> Response:
    with cloud.change_network() as db:
        load_balancer = existing(db, balancer_id)
        rules = load_balancer.settings["forwarding_rules"]
        gone = checked_rules(removed.forwarding_rules)
        for index, rule in enumerate(gone):
            if rule not in rules:
                message = "this load balancer has no such rule"
                raise unprocessable(f"forwarding_rules.{index}", message)
        kept = [rule for rule in rules if rule not in gone]
        if not kept:
            raise unprocessable("forwarding_rules", "the last rule cannot be removed")
        save_settings(db, load_balancer.number, load_balancer.settings | {"forwarding_rules": kept})
    return Response(status_code=204)

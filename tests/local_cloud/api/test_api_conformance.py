"""Every operation of the groups in scope is served, and answers as DigitalOcean describes it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_cloud.api.conftest import DROPLET, KEY, Api, wait_until
from tests.local_cloud.api.description import FILE, Description
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor

IN_SCOPE = {
    "account",
    "actions",
    "domains",
    "droplets",
    "firewalls",
    "images",
    "load_balancers",
    "regions",
    "sizes",
    "snapshots",
    "tags",
    "vpcs",
}
NOT_OF_EVERY = {
    "droplet": {"gpu_info"},
    "size": {"gpu_info"},
    "image": {"error_message"},
    "account": {"team"},
    "load_balancer": {"glb_settings"},
    "domain": {"ip_address"},
}
"""Properties that DigitalOcean itself gives only for some resources."""

pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="DigitalOcean's OpenAPI description is not beside this project"
)

RULE = {"protocol": "tcp", "ports": "80", "sources": {"addresses": ["0.0.0.0/0"]}}
FORWARDING = {
    "entry_protocol": "http",
    "entry_port": 80,
    "target_protocol": "http",
    "target_port": 80,
}
OTHER_RULE = {"protocol": "tcp", "ports": "81", "sources": {"addresses": ["0.0.0.0/0"]}}


def use_account(api: Api) -> None:
    api.ok("GET", "/v2/account")
    key = api.ok("POST", "/v2/account/keys", json={"name": "me", "public_key": KEY})["ssh_key"]
    api.ok("GET", "/v2/account/keys")
    api.ok("GET", f"/v2/account/keys/{key['fingerprint']}")
    api.ok("PUT", f"/v2/account/keys/{key['id']}", json={"name": "you"})
    api.ok("DELETE", f"/v2/account/keys/{key['id']}")


def use_vpcs(api: Api) -> None:
    vpc = api.ok("POST", "/v2/vpcs", json={"name": "private", "region": "fra1"})["vpc"]
    path = f"/v2/vpcs/{vpc['id']}"
    api.droplet(name="member", vpc_uuid=vpc["id"])
    api.ok("GET", "/v2/vpcs")
    api.ok("GET", path)
    api.ok("PUT", path, json={"name": "renamed"})
    api.ok("PATCH", path, json={"description": "told"})
    api.ok("GET", f"{path}/members")
    api.ok("GET", f"{path}/peerings")
    peering = {"name": "bridge", "vpc_id": vpc["id"]}
    api.refused(501, "POST", f"{path}/peerings", json=peering)
    api.refused(501, "PATCH", f"{path}/peerings/{vpc['id']}", json={"name": "other"})
    spare = api.ok("POST", "/v2/vpcs", json={"name": "spare", "region": "fra1"})["vpc"]
    api.ok("DELETE", f"/v2/vpcs/{spare['id']}")


def use_droplets(api: Api) -> None:
    droplet = api.droplet(tags=["tagged"])
    path = f"/v2/droplets/{droplet['id']}"
    api.ok("GET", "/v2/droplets")
    for detail in ("backups", "backups/policy", "snapshots", "kernels", "firewalls", "neighbors"):
        api.ok("GET", f"{path}/{detail}")
    api.ok("GET", "/v2/droplets/backups/policies")
    api.ok("GET", "/v2/droplets/backups/supported_policies")
    action = api.act(droplet["id"], type="reboot")
    api.ok("GET", f"{path}/actions")
    api.ok("GET", f"{path}/actions/{action['id']}")
    wish = {"type": "power_off"}
    (off,) = api.ok("POST", "/v2/droplets/actions?tag_name=tagged", json=wish)["actions"]
    api.finished(off["id"])
    api.ok("GET", "/v2/actions")
    api.ok("DELETE", path)
    api.ok("DELETE", "/v2/droplets?tag_name=tagged")


def use_joint_deletion(api: Api, hypervisor: MemoryHypervisor) -> None:
    for way in ("selective", "dangerous"):
        droplet_id = api.droplet(name=way)["id"]
        api.act(droplet_id, type="snapshot", name="copy")
        path = f"/v2/droplets/{droplet_id}/destroy_with_associated_resources"
        (snapshot,) = api.ok("GET", path)["snapshots"]
        hypervisor.failures["delete_snapshot"] = "the disk is in use"
        options: dict[str, Any] = {"headers": {"X-Dangerous": "true"}}
        if way == "selective":
            options = {"json": {"snapshots": [snapshot["id"]]}}
        api.ok("DELETE", f"{path}/{way}", **options)
        assert outcome(api, path)["failures"] == 1
        del hypervisor.failures["delete_snapshot"]
        api.ok("POST", f"{path}/retry")
        assert outcome(api, path)["failures"] == 0


def outcome(api: Api, path: str) -> dict[str, Any]:
    """The status of a joint deletion, once it is over."""
    wait_until(lambda: "completed_at" in api.ok("GET", f"{path}/status"))
    status: dict[str, Any] = api.ok("GET", f"{path}/status")
    return status


def use_firewalls(api: Api) -> None:
    droplet = api.droplet(name="guarded")
    api.ok("POST", "/v2/tags", json={"name": "walled"})
    order = {"name": "wall", "inbound_rules": [RULE]}
    firewall = api.ok("POST", "/v2/firewalls", json=order)["firewall"]
    path = f"/v2/firewalls/{firewall['id']}"
    api.ok("GET", "/v2/firewalls")
    api.ok("GET", path)
    api.ok("PUT", path, json=order | {"name": "rampart"})
    for part, content in (
        ("droplets", {"droplet_ids": [droplet["id"]]}),
        ("tags", {"tags": ["walled"]}),
        ("rules", {"inbound_rules": [OTHER_RULE]}),
    ):
        api.ok("POST", f"{path}/{part}", json=content)
        api.ok("GET", path)
        api.ok("DELETE", f"{path}/{part}", json=content)
    api.ok("DELETE", path)


def use_load_balancers(api: Api) -> None:
    droplet = api.droplet(name="behind")
    order = {"name": "front", "region": "fra1", "forwarding_rules": [FORWARDING]}
    made = api.ok("POST", "/v2/load_balancers", json=order)["load_balancer"]
    path = f"/v2/load_balancers/{made['id']}"
    api.ok("GET", "/v2/load_balancers")
    api.ok("GET", path)
    api.ok("PUT", path, json=order | {"name": "facade"})
    for part, content in (
        ("droplets", {"droplet_ids": [droplet["id"]]}),
        ("forwarding_rules", {"forwarding_rules": [FORWARDING | {"entry_port": 81}]}),
    ):
        api.ok("POST", f"{path}/{part}", json=content)
        api.ok("GET", path)
        api.ok("DELETE", f"{path}/{part}", json=content)
    api.refused(501, "DELETE", f"{path}/cache")
    api.ok("DELETE", path)


def use_domains(api: Api) -> None:
    api.ok("POST", "/v2/domains", json={"name": "example.com", "ip_address": "192.0.2.1"})
    api.ok("GET", "/v2/domains")
    api.ok("GET", "/v2/domains/example.com")
    path = "/v2/domains/example.com/records"
    for order in (
        {"type": "A", "name": "www", "data": "192.0.2.1"},
        {"type": "AAAA", "name": "www", "data": "2001:db8::1"},
        {"type": "CNAME", "name": "shop", "data": "www.example.com."},
        {"type": "MX", "name": "@", "data": "mail.example.org.", "priority": 10},
        {"type": "NS", "name": "dev", "data": "ns1.example.org."},
        {"type": "TXT", "name": "@", "data": "v=spf1 -all"},
        {"type": "CAA", "name": "@", "data": "letsencrypt.org.", "flags": 0, "tag": "issue"},
        {
            "type": "SRV",
            "name": "_sip._tcp",
            "data": "sip.example.com.",
            "priority": 1,
            "weight": 2,
            "port": 5060,
        },
    ):
        record = api.ok("POST", path, json=order)["domain_record"]
    api.ok("GET", path)
    api.ok("GET", f"{path}/{record['id']}")
    api.ok("PATCH", f"{path}/{record['id']}", json={"type": "SRV", "port": 5061})
    api.ok("PUT", f"{path}/{record['id']}", json={"type": "SRV", "ttl": 60})
    api.ok("DELETE", f"{path}/{record['id']}")
    api.ok("DELETE", "/v2/domains/example.com")


def use_tags(api: Api) -> None:
    droplet = api.droplet(name="labelled")
    api.ok("POST", "/v2/tags", json={"name": "label"})
    resources = {"resources": [{"resource_id": str(droplet["id"]), "resource_type": "droplet"}]}
    api.ok("POST", "/v2/tags/label/resources", json=resources)
    api.ok("GET", "/v2/tags")
    api.ok("GET", "/v2/tags/label")
    api.ok("DELETE", "/v2/tags/label/resources", json=resources)
    api.ok("DELETE", "/v2/tags/label")


def use_images(api: Api) -> None:
    droplet = api.droplet(name="model")
    for name in ("first", "second"):
        api.act(droplet["id"], type="snapshot", name=name)
    first, second = api.read_droplet(droplet["id"])["snapshot_ids"]
    api.ok("GET", "/v2/images")
    api.ok("GET", "/v2/images/debian-12-x64")
    path = f"/v2/images/{first}"
    api.ok("PUT", path, json={"name": "better"})
    api.ok("GET", f"{path}/actions")
    api.refused(422, "POST", f"{path}/actions", json={"type": "convert"})
    api.refused(404, "GET", f"{path}/actions/1")
    custom = {"name": "mine", "url": "http://127.0.0.1/disk", "region": "fra1"}
    api.refused(501, "POST", "/v2/images", json=custom)
    recipient = {"recipient_email": "someone@example.org"}
    api.refused(501, "POST", f"{path}/account_transfer", json=recipient)
    for step in ("accept", "cancel", "decline"):
        api.refused(501, "POST", f"{path}/account_transfer/{step}", json={})
    api.ok("DELETE", path)
    api.ok("GET", "/v2/snapshots")
    api.ok("GET", f"/v2/snapshots/{second}")
    api.ok("DELETE", f"/v2/snapshots/{second}")


def test_every_operation_of_the_groups_in_scope_is_served_as_described(
    api: Api, hypervisor: MemoryHypervisor, described: Description
) -> None:
    """`Api` holds each answer against the description; here we see that none was left out."""
    use_account(api)
    use_vpcs(api)
    use_droplets(api)
    use_joint_deletion(api, hypervisor)
    use_firewalls(api)
    use_load_balancers(api)
    use_domains(api)
    use_tags(api)
    use_images(api)
    api.ok("GET", "/v2/regions")
    api.ok("GET", "/v2/sizes")
    assert described.operations(IN_SCOPE) - api.exercised == set()


def test_the_judge_finds_a_wrong_answer(described: Description) -> None:
    operation = ("GET", "/v2/droplets/{droplet_id}")
    assert described.problems(operation, 200, b'{"droplet": {"id": "1001"}}')
    assert described.problems(operation, 200, b"{}")
    assert described.problems(operation, 204, b"")
    assert described.problems(operation, 404, b'{"error": "no such droplet"}')
    assert not described.problems(operation, 404, b'{"id": "not_found", "message": "none"}')


def test_resources_are_told_with_every_property_described(api: Api, described: Description) -> None:
    droplet = api.droplet(tags=["whole"])
    vpc = api.ok("GET", f"/v2/vpcs/{droplet['vpc_uuid']}")["vpc"]
    order = {"name": "wall", "inbound_rules": [RULE]}
    front = {"name": "front", "region": "fra1", "forwarding_rules": [FORWARDING]}
    api.ok("POST", "/v2/domains", json={"name": "example.com"})
    told = {
        "domain": api.ok("GET", "/v2/domains/example.com")["domain"],
        "domain_record": api.ok("GET", "/v2/domains/example.com/records")["domain_records"][0],
        "load_balancer": api.ok("POST", "/v2/load_balancers", json=front)["load_balancer"],
        "droplet": droplet,
        "image": droplet["image"],
        "region": droplet["region"],
        "size": droplet["size"],
        "vpc": vpc,
        "account": api.ok("GET", "/v2/account")["account"],
        "action": api.ok("GET", "/v2/actions")["actions"][0],
        "firewall": api.ok("POST", "/v2/firewalls", json=order)["firewall"],
        "sshKeys": api.ok("POST", "/v2/account/keys", json={"name": "me", "public_key": KEY})[
            "ssh_key"
        ],
        "tags": api.ok("GET", "/v2/tags/whole")["tag"],
    }
    for schema, resource in told.items():
        promised = described.properties(schema) - NOT_OF_EVERY.get(schema, set())
        assert promised - set(resource) == set(), schema


def test_products_that_are_not_served_are_refused_by_name(api: Api, described: Description) -> None:
    groups = {"volumes", "databases", "projects"}
    groups |= {"floating_ips", "uptime", "monitoring"}
    for method, path in described.operations(groups):
        url = path.replace("{", "").replace("}", "")
        message = api.refused(501, method, url)
        assert message.startswith("the local cloud does not serve ")


def test_a_droplet_of_an_order_is_told_as_described_at_once(api: Api) -> None:
    answer = api.ok("POST", "/v2/droplets", json=DROPLET)
    (link,) = answer["links"]["actions"]
    assert link["rel"] == "create"
    assert api.ok("GET", link["href"])["action"]["resource_id"] == answer["droplet"]["id"]

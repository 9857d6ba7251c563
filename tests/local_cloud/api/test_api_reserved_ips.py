"""Stories of reserved IPs: made, moved from droplet to droplet, given back."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from local_cloud.machine import ReservedAddress
from tests.local_cloud.api.conftest import TOKEN, Api, serving
from tests.local_cloud.api.description import Description
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor
from tests.local_cloud.api.test_api_pydo import connect

ALL = "/v2/reserved_ips"


def make(api: Api, **order: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.ok("POST", ALL, json=order or {"region": "fra1"})["reserved_ip"]
    return made


def read(api: Api, ip: str) -> dict[str, Any]:
    found: dict[str, Any] = api.ok("GET", f"{ALL}/{ip}")["reserved_ip"]
    return found


def act(api: Api, ip: str, **wish: Any) -> dict[str, Any]:
    action: dict[str, Any] = api.ok("POST", f"{ALL}/{ip}/actions", json=wish)["action"]
    return action


def test_one_of_a_region_leads_nowhere_and_then_to_a_droplet_and_to_another(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    first, second = api.droplet(name="one"), api.droplet(name="two")
    made = make(api)
    assert (made["droplet"], made["region"]["slug"]) == (None, "fra1")
    assert IPv4Address(made["ip"]) in hypervisor.public_network()
    assert not hypervisor.network.reserved
    for droplet in (first, second):
        action = act(api, made["ip"], type="assign", droplet_id=droplet["id"])
        assert (action["type"], action["status"]) == ("assign_ip", "completed")
        assert (action["resource_type"], action["resource_id"]) == (
            "reserved_ip",
            int(IPv4Address(made["ip"])),
        )
        assert read(api, made["ip"])["droplet"]["id"] == droplet["id"]
        assert hypervisor.network.reserved == (
            ReservedAddress(address=IPv4Address(made["ip"]), machine_id=droplet["id"]),
        )
    assert act(api, made["ip"], type="unassign")["type"] == "unassign_ip"
    assert not hypervisor.network.reserved


def test_one_made_for_a_droplet_leads_there_at_once(api: Api, hypervisor: MemoryHypervisor) -> None:
    droplet = api.droplet()
    answer = api.ok("POST", ALL, json={"droplet_id": droplet["id"]})
    assert answer["reserved_ip"]["droplet"]["id"] == droplet["id"]
    (link,) = answer["links"]["actions"]
    assert api.ok("GET", link["href"])["action"]["type"] == "assign_ip"
    assert [each.machine_id for each in hypervisor.network.reserved] == [droplet["id"]]


def test_a_firewall_of_the_droplet_is_in_force_for_it(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    droplet = api.droplet()
    rule = {"protocol": "tcp", "ports": "80", "sources": {"addresses": ["0.0.0.0/0"]}}
    wall = {"name": "web", "droplet_ids": [droplet["id"]], "inbound_rules": [rule]}
    api.ok("POST", "/v2/firewalls", json=wall)
    made = make(api, droplet_id=droplet["id"])
    (guard,) = hypervisor.network.guards
    assert IPv4Address(made["ip"]) in guard.addresses


def test_it_outlives_its_droplet_and_a_restart(
    tmp_path: Path, hypervisor: MemoryHypervisor
) -> None:
    with serving(tmp_path, hypervisor) as api:
        droplet, other = api.droplet(), api.droplet(name="other")
        made = make(api, droplet_id=droplet["id"])
        kept = make(api, droplet_id=other["id"])
        api.ok("DELETE", f"/v2/droplets/{droplet['id']}")
        assert read(api, made["ip"])["droplet"] is None
    with serving(tmp_path, hypervisor) as api:
        assert read(api, made["ip"])["droplet"] is None
        assert [str(each.address) for each in hypervisor.network.reserved] == [kept["ip"]]


def test_an_address_is_given_once(api: Api) -> None:
    ips = {make(api)["ip"] for _ in range(3)}
    droplet = api.droplet()
    assert len(ips) == 3
    assert ips.isdisjoint(each["ip_address"] for each in droplet["networks"]["v4"])


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({}, "droplet_id: give either droplet_id or region"),
        ({"region": "fra1", "droplet_id": 1001}, "droplet_id: give either droplet_id or region"),
        ({"region": "mars1"}, "region: there is no region 'mars1'"),
        ({"droplet_id": 77}, "droplet_id: there is no droplet 77"),
        ({"region": "fra1", "project_id": "p"}, "project_id: not supported by the local cloud"),
    ],
)
def test_an_order_that_cannot_be_had_is_refused(
    api: Api, order: dict[str, Any], reason: str
) -> None:
    assert api.refused(422, "POST", ALL, json=order).startswith(reason)
    assert api.ok("GET", ALL)["reserved_ips"] == []


def test_an_action_that_cannot_be_done_is_refused(api: Api) -> None:
    ip = make(api)["ip"]
    path = f"{ALL}/{ip}/actions"
    message = api.refused(422, "POST", path, json={"type": "unassign"})
    assert message == f"type: the reserved IP {ip} is not assigned to a droplet"
    message = api.refused(422, "POST", path, json={"type": "assign", "droplet_id": 77})
    assert message == "droplet_id: there is no droplet 77"
    api.refused(422, "POST", path, json={"type": "paint"})
    droplet, far = api.droplet(), api.droplet(name="far", region="nyc3")
    message = api.refused(422, "POST", path, json={"type": "assign", "droplet_id": far["id"]})
    assert message == f"droplet_id: droplet {far['id']} is in nyc3, the reserved IP in fra1"
    other = make(api, droplet_id=droplet["id"])["ip"]
    message = api.refused(422, "POST", path, json={"type": "assign", "droplet_id": droplet["id"]})
    assert message == f"droplet_id: droplet {droplet['id']} already has the reserved IP {other}"
    for method in ("GET", "DELETE"):
        api.refused(404, method, f"{ALL}/10.1.2.3")
        api.refused(404, method, f"{ALL}/nowhere")


def test_a_deletion_with_associated_resources_takes_it_along(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    first, second = api.droplet(name="one"), api.droplet(name="two")
    ips = [make(api, droplet_id=each["id"])["ip"] for each in (first, second)]
    path = f"/v2/droplets/{first['id']}/destroy_with_associated_resources"
    assert [each["id"] for each in api.ok("GET", path)["reserved_ips"]] == ips[:1]
    foreign = {"reserved_ips": [ips[1]]}
    message = api.refused(422, "DELETE", f"{path}/selective", json=foreign)
    assert message.startswith(f"reserved_ips: droplet {first['id']} has no reserved IP")
    api.delete_with_body(f"{path}/selective", {"reserved_ips": ips[:1]})
    assert [each["ip"] for each in api.ok("GET", ALL)["reserved_ips"]] == ips[1:]
    path = f"/v2/droplets/{second['id']}/destroy_with_associated_resources/dangerous"
    api.ok("DELETE", path, headers={"X-Dangerous": "true"})
    assert api.ok("GET", ALL)["reserved_ips"] == []
    assert not hypervisor.network.reserved


def test_every_operation_is_answered_as_described(api: Api, described: Description | None) -> None:
    if described is None:
        pytest.skip("DigitalOcean's description is not there")
    droplet = api.droplet()
    ip = make(api)["ip"]
    action = act(api, ip, type="assign", droplet_id=droplet["id"])
    assert set(read(api, ip)) >= described.properties("reserved_ip")
    api.ok("GET", f"{ALL}/{ip}/actions/{action['id']}")
    api.refused(404, "GET", f"{ALL}/{ip}/actions/1")
    assert len(api.ok("GET", f"{ALL}/{ip}/actions")["actions"]) == 2
    assert api.ok("GET", ALL)["meta"]["total"] == 1
    api.ok("DELETE", f"{ALL}/{ip}")
    assert described.operations({"reserved_ips"}) <= api.exercised


def test_the_official_client_moves_one(api: Api) -> None:
    client, droplet = connect(api, TOKEN), api.droplet()
    ip = client.reserved_ips.create({"region": "fra1"})["reserved_ip"]["ip"]
    client.reserved_ips_actions.post(ip, {"type": "assign", "droplet_id": droplet["id"]})
    assert client.reserved_ips.get(ip)["reserved_ip"]["droplet"]["name"] == "web"
    client.reserved_ips_actions.post(ip, {"type": "unassign"})
    client.reserved_ips.delete(ip)
    assert client.reserved_ips.list()["reserved_ips"] == []

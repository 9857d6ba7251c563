"""VPCs, firewalls, tags and hints: what they make of the network."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest

from local_cloud.machine import Rule
from tests.local_cloud.api.conftest import DROPLET, Api
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor

ANYWHERE = {"addresses": ["0.0.0.0/0", "::/0"]}
EVERYWHERE = (IPv4Network("0.0.0.0/0"),)


def private_of(droplet: dict[str, Any]) -> str:
    (network,) = [one for one in droplet["networks"]["v4"] if one["type"] == "private"]
    return str(network["ip_address"])


def both_of(droplet: dict[str, Any]) -> set[IPv4Network]:
    return {IPv4Network(network["ip_address"]) for network in droplet["networks"]["v4"]}


def new_vpc(api: Api, **fields: Any) -> dict[str, Any]:
    order = {"name": "private", "region": "fra1", "ip_range": "192.168.100.0/24"} | fields
    vpc: dict[str, Any] = api.ok("POST", "/v2/vpcs", json=order)["vpc"]
    return vpc


@pytest.mark.parametrize(
    ("ip_range", "told"),
    [
        ("192.168.100.0", "wrong size"),
        ("192.168.100.7/24", "did you mean 192.168.100.0/24?"),
        ("8.8.8.0/24", "not a private range"),
        ("10.0.0.0/8", "wrong size"),
        ("10.0.0.0/29", "wrong size"),
        ("fd00::/64", "not an IPv4 range"),
        ("network", "not an IPv4 range"),
        ("10.77.0.0/16", "overlaps the public network 10.77.12.0/24"),
        ("172.17.0.0/16", "overlaps 172.17.0.0/16, which this computer routes"),
        ("192.168.100.128/25", "overlaps 192.168.100.0/24 of the VPC 'private'"),
    ],
)
def test_a_range_no_vpc_can_have_is_refused(
    api: Api, hypervisor: MemoryHypervisor, ip_range: str, told: str
) -> None:
    hypervisor.routed.append(IPv4Network("172.17.0.0/16"))
    new_vpc(api)
    order = {"name": "other", "region": "fra1", "ip_range": ip_range}
    message = api.refused(422, "POST", "/v2/vpcs", json=order)
    assert message.startswith("ip_range: ")
    assert told in message


def test_a_vpc_without_a_range_gets_one_that_is_free(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    hypervisor.routed.append(IPv4Network("10.128.0.0/19"))
    first = new_vpc(api, ip_range=None)
    second = new_vpc(api, name="second", ip_range=None)
    assert (first["ip_range"], second["ip_range"]) == ("10.128.32.0/20", "10.128.48.0/20")


def test_a_vpc_with_members_or_a_default_one_is_not_deleted(api: Api) -> None:
    vpc = new_vpc(api)
    droplet = api.droplet(vpc_uuid=vpc["id"])
    path = f"/v2/vpcs/{vpc['id']}"
    assert "private has web" in api.refused(403, "DELETE", path)
    assert [member["name"] for member in api.ok("GET", f"{path}/members")["members"]] == ["web"]
    assert api.ok("GET", f"{path}/members?resource_type=database")["members"] == []
    api.ok("DELETE", f"/v2/droplets/{droplet['id']}")
    api.ok("PATCH", path, json={"default": True})
    assert "default" in api.refused(403, "DELETE", path)
    default = new_vpc(api, name="spare", ip_range=None)
    api.ok("PUT", f"/v2/vpcs/{default['id']}", json={"name": "spare", "default": True})
    api.ok("DELETE", path)


def test_a_droplet_without_a_vpc_is_in_the_default_one_of_its_region(api: Api) -> None:
    new_vpc(api)
    first, second = api.droplet(), api.droplet(name="second")
    vpc = api.ok("GET", f"/v2/vpcs/{first['vpc_uuid']}")["vpc"]
    assert (vpc["name"], vpc["default"]) == ("default-fra1", True)
    assert second["vpc_uuid"] == first["vpc_uuid"]


def test_two_vpcs_do_not_share_a_name(api: Api) -> None:
    new_vpc(api)
    order = {"name": "private", "region": "fra1"}
    assert api.refused(422, "POST", "/v2/vpcs", json=order).startswith("name: ")
    other = new_vpc(api, name="other", ip_range=None)
    message = api.refused(422, "PATCH", f"/v2/vpcs/{other['id']}", json={"name": "private"})
    assert message.startswith("name: ")


def test_a_droplet_without_a_firewall_has_no_guard(api: Api, hypervisor: MemoryHypervisor) -> None:
    api.droplet()
    assert hypervisor.network.guards == ()


def test_only_the_web_tier_reaches_the_database(api: Api, hypervisor: MemoryHypervisor) -> None:
    web, db = api.droplet(name="web", tags=["web"]), api.droplet(name="db", tags=["db"])
    rule = {"protocol": "tcp", "ports": "5432", "sources": {"tags": ["web"]}}
    order = {"name": "db", "tags": ["db"], "inbound_rules": [rule]}
    firewall = api.ok("POST", "/v2/firewalls", json=order)["firewall"]
    (guard,) = hypervisor.network.guards
    assert guard.machine_id == db["id"]
    (permission,) = guard.inbound
    assert (permission.protocol, permission.ports) == ("tcp", (5432, 5432))
    assert set(permission.peers) == both_of(web)
    assert guard.outbound == ()
    listed = api.ok("GET", f"/v2/droplets/{db['id']}/firewalls")["firewalls"]
    assert [one["id"] for one in listed] == [firewall["id"]]
    api.ok("DELETE", f"/v2/firewalls/{firewall['id']}")
    assert not hypervisor.network.guards


def test_a_new_web_server_is_let_in_before_it_boots(api: Api, hypervisor: MemoryHypervisor) -> None:
    api.ok("POST", "/v2/tags", json={"name": "web"})
    rule = {"protocol": "tcp", "ports": "5432", "sources": {"tags": ["web"]}}
    api.droplet(name="db", tags=["db"])
    order = {"name": "db", "tags": ["db"], "inbound_rules": [rule]}
    api.ok("POST", "/v2/firewalls", json=order)
    hypervisor.gate.clear()
    web = api.ok("POST", "/v2/droplets", json=DROPLET | {"tags": ["web"]})["droplet"]
    (guard,) = hypervisor.network.guards
    assert set(guard.inbound[0].peers) == both_of(web)
    hypervisor.gate.set()
    api.settled(web["id"])
    api.ok("DELETE", f"/v2/droplets/{web['id']}")
    assert hypervisor.network.guards[0].inbound == ()


@pytest.mark.parametrize(
    ("ports", "kept", "meant"),
    [
        ("80", "80", (80, 80)),
        ("8000-9000", "8000-9000", (8000, 9000)),
        ("0", "0", None),
        ("all", "0", None),
        ("65535", "65535", (65535, 65535)),
    ],
)
def test_ports_are_kept_in_digitaloceans_form(
    api: Api,
    hypervisor: MemoryHypervisor,
    ports: str,
    kept: str,
    meant: tuple[int, int] | None,
) -> None:
    droplet = api.droplet()
    rule = {"protocol": "udp", "ports": ports, "sources": ANYWHERE}
    order = {"name": "wall", "droplet_ids": [droplet["id"]], "inbound_rules": [rule]}
    firewall = api.ok("POST", "/v2/firewalls", json=order)["firewall"]
    assert firewall["inbound_rules"] == [rule | {"ports": kept}]
    (guard,) = hypervisor.network.guards
    assert guard.inbound == (Rule(protocol="udp", ports=meant, peers=EVERYWHERE),)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"ports": "http"}, "ports: Value error, give a port such as '80'"),
        ({"ports": "90-80"}, "ends before it begins"),
        ({"ports": "65536"}, "give a port"),
        ({"ports": "-80"}, "give a port"),
        ({"protocol": "sctp"}, "protocol: "),
        ({"sources": {"addresses": ["300.1.1.1"]}}, "give an address or a range"),
        ({"sources": {"tags": ["unknown"]}}, "sources.tags: there is no tag 'unknown'"),
        ({"sources": {"droplet_ids": [7]}}, "sources.droplet_ids: there is no droplet 7"),
        ({"sources": {"load_balancer_uids": ["lb"]}}, "load_balancer_uids: "),
        ({"sources": {}}, "name at least one of addresses, droplet_ids, load_balancer_uids, tags"),
        ({"sources": None}, "sources: "),
    ],
)
def test_a_wrong_rule_is_refused_and_the_old_firewall_stays(
    api: Api, hypervisor: MemoryHypervisor, rule: dict[str, Any], told: str
) -> None:
    good = {"protocol": "tcp", "ports": "22", "sources": ANYWHERE}
    order = {"name": "wall", "inbound_rules": [good], "droplet_ids": [api.droplet()["id"]]}
    path = f"/v2/firewalls/{api.ok('POST', '/v2/firewalls', json=order)['firewall']['id']}"
    before, applied = api.ok("GET", path), hypervisor.network
    message = api.refused(422, "PUT", path, json=order | {"inbound_rules": [good, good | rule]})
    assert message.startswith("inbound_rules.1")
    assert told in message
    assert api.ok("GET", path) == before
    assert hypervisor.network == applied


def test_rules_are_added_once_and_removed_by_what_they_say(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    first = {"protocol": "tcp", "ports": "22", "sources": ANYWHERE}
    second = {"protocol": "tcp", "ports": "80", "sources": ANYWHERE}
    order = {"name": "wall", "inbound_rules": [first], "droplet_ids": [api.droplet()["id"]]}
    path = f"/v2/firewalls/{api.ok('POST', '/v2/firewalls', json=order)['firewall']['id']}"
    for _ in range(2):
        api.ok("POST", f"{path}/rules", json={"inbound_rules": [second]})
    assert api.ok("GET", path)["firewall"]["inbound_rules"] == [first, second]
    turned = first | {"sources": {"addresses": ["::/0", "0.0.0.0/0"]}}
    api.ok("DELETE", f"{path}/rules", json={"inbound_rules": [turned]})
    assert api.ok("GET", path)["firewall"]["inbound_rules"] == [second]
    assert [rule.ports for rule in hypervisor.network.guards[0].inbound] == [(80, 80)]
    message = api.refused(422, "DELETE", f"{path}/rules", json={"inbound_rules": [first]})
    assert "the firewall has no rule" in message


def test_two_firewalls_do_not_share_a_name_and_none_is_empty(api: Api) -> None:
    rule = {"protocol": "icmp", "sources": ANYWHERE}
    order = {"name": "wall", "inbound_rules": [rule]}
    api.ok("POST", "/v2/firewalls", json=order)
    api.refused(409, "POST", "/v2/firewalls", json=order)
    empty = {"name": "empty", "inbound_rules": []}
    assert "at least one" in api.refused(422, "POST", "/v2/firewalls", json=empty)


def test_a_firewall_that_cannot_be_applied_is_not_recorded(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    hypervisor.failures["apply_network"] = "nft is missing"
    order = {"name": "wall", "inbound_rules": [{"protocol": "icmp", "sources": ANYWHERE}]}
    assert api.refused(500, "POST", "/v2/firewalls", json=order) == "nft is missing"
    assert api.ok("GET", "/v2/firewalls")["firewalls"] == []


def test_a_deleted_tag_takes_its_droplets_out_of_the_firewall(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    api.droplet(tags=["walled"])
    order = {
        "name": "wall",
        "tags": ["walled"],
        "inbound_rules": [{"protocol": "icmp", "sources": ANYWHERE}],
    }
    path = f"/v2/firewalls/{api.ok('POST', '/v2/firewalls', json=order)['firewall']['id']}"
    assert hypervisor.network.guards
    api.ok("DELETE", "/v2/tags/walled")
    assert not hypervisor.network.guards
    assert api.ok("GET", path)["firewall"]["tags"] == []


def test_a_tag_counts_what_has_it_and_keeps_its_first_spelling(api: Api) -> None:
    droplet = api.droplet(tags=["Web"])
    assert api.ok("POST", "/v2/tags", json={"name": "web"})["tag"]["name"] == "Web"
    resources = api.ok("GET", "/v2/tags/Web")["tag"]["resources"]
    assert resources["count"] == resources["droplets"]["count"] == 1
    assert resources["last_tagged_uri"] == f"{api.url}/v2/droplets/{droplet['id']}"
    unknown = {"resources": [{"resource_id": "7", "resource_type": "droplet"}]}
    api.refused(404, "POST", "/v2/tags/Web/resources", json=unknown)
    volume = {"resources": [{"resource_id": "7", "resource_type": "volume"}]}
    api.refused(422, "POST", "/v2/tags/Web/resources", json=volume)


def test_a_hint_gives_the_private_address_or_the_next_free_one(api: Api) -> None:
    vpc = new_vpc(api)
    order = {"vpc_uuid": vpc["id"], "tags": ["local:address:20"]}
    given = [private_of(api.droplet(name=f"db-{number}", **order)) for number in range(3)]
    assert given == [f"192.168.100.{last}" for last in (20, 21, 22)]
    assert private_of(api.droplet(vpc_uuid=vpc["id"])) == "192.168.100.10"


def test_a_hint_forwards_a_loopback_port(api: Api, hypervisor: MemoryHypervisor) -> None:
    droplet = api.droplet(tags=["local:forward:8080:80"])
    (forward,) = hypervisor.network.forwards
    assert (forward.loopback_port, forward.port) == (8080, 80)
    assert str(forward.address) == private_of(droplet)
    resources = {"resources": [{"resource_id": str(droplet["id"]), "resource_type": "droplet"}]}
    api.ok("POST", "/v2/tags", json={"name": "local:forward:5000:5001"})
    api.ok("POST", "/v2/tags/local:forward:5000:5001/resources", json=resources)
    hypervisor.ports_in_use.add(5000)  # now it is our own
    api.ok("POST", "/v2/tags/local:forward:5000:5001/resources", json=resources)
    assert [one.loopback_port for one in hypervisor.network.forwards] == [5000, 8080]
    api.ok("DELETE", "/v2/tags/local:forward:8080:80")
    assert [one.loopback_port for one in hypervisor.network.forwards] == [5000]


@pytest.mark.parametrize(
    "tag",
    [
        "local:forward:0:80",
        "local:forward:80",
        "local:forward:8080:65536",
        "local:foward:8080:80",
        "local:address:x",
        "local:address:1",
        "local:address:5000",
    ],
)
def test_a_malformed_hint_is_refused_and_named(
    api: Api, hypervisor: MemoryHypervisor, tag: str
) -> None:
    order = DROPLET | {"tags": ["web", tag], "vpc_uuid": new_vpc(api)["id"]}
    message = api.refused(422, "POST", "/v2/droplets", json=order)
    assert message.startswith("tags: ")
    assert tag in message
    assert hypervisor.machines == {}
    assert api.ok("GET", "/v2/tags")["tags"] == []


def test_a_taken_loopback_port_is_refused_and_named(api: Api, hypervisor: MemoryHypervisor) -> None:
    hypervisor.ports_in_use.add(8080)
    order = DROPLET | {"tags": ["local:forward:8080:80"]}
    message = api.refused(422, "POST", "/v2/droplets", json=order)
    assert message.startswith("tags: 'local:forward:8080:80' cannot be used: port 8080")
    hypervisor.ports_in_use.clear()
    first = api.droplet(tags=["local:forward:8080:80"])
    order = DROPLET | {"tags": ["local:forward:8080:81"]}
    message = api.refused(422, "POST", "/v2/droplets", json=order)
    assert message.endswith(f"port 8080 already leads to droplet {first['id']}")

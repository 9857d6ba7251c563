"""Stories of load balancers: who is behind one, what can be wished, what hosts are asked for."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pydo
import pytest
from azure.core.pipeline.policies import HeadersPolicy

from local_cloud.machine import Forward, HealthCheck, Listener, LoadBalancerSpec, StickyCookie
from tests.local_cloud.api.conftest import DROPLET, TOKEN, Api, serving, wait_until
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor

RULE: dict[str, Any] = {
    "entry_protocol": "http",
    "entry_port": 80,
    "target_protocol": "http",
    "target_port": 8000,
}
ORDER: dict[str, Any] = {"name": "front", "region": "fra1", "forwarding_rules": [RULE]}
PASSED: dict[str, Any] = {
    "entry_protocol": "https",
    "entry_port": 443,
    "target_protocol": "https",
    "target_port": 443,
    "tls_passthrough": True,
}
ALL = "/v2/load_balancers"

Read = Callable[[], dict[str, Any]]


def make(api: Api, **changes: Any) -> dict[str, Any]:
    """A new load balancer, once it is active."""
    made = api.ok("POST", ALL, json=ORDER | changes)["load_balancer"]
    wait_until(lambda: read(api, made["id"])["status"] == "active")
    return read(api, made["id"])


def read(api: Api, identifier: str) -> dict[str, Any]:
    found: dict[str, Any] = api.ok("GET", f"{ALL}/{identifier}")["load_balancer"]
    return found


def the_only(hypervisor: MemoryHypervisor) -> LoadBalancerSpec:
    (balancer,) = hypervisor.network.load_balancers
    return balancer


def behind(hypervisor: MemoryHypervisor) -> list[int]:
    """The droplets that the hosts send requests to."""
    return [backend.machine_id for backend in the_only(hypervisor).backends]


def test_an_order_is_answered_at_once_and_gets_its_address_when_it_is_active(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    told = api.ok("POST", ALL, json=ORDER)["load_balancer"]
    assert (told["status"], told["ip"]) == ("new", "")
    wait_until(lambda: read(api, told["id"])["status"] == "active")
    assert read(api, told["id"])["ip"] == str(the_only(hypervisor).public.address)
    assert the_only(hypervisor).public.network == hypervisor.public_network()


def test_what_is_not_given_has_the_described_defaults(api: Api) -> None:
    made = make(api)
    assert made["health_check"] == {
        "protocol": "http",
        "port": 80,
        "path": "/",
        "check_interval_seconds": 10,
        "response_timeout_seconds": 5,
        "unhealthy_threshold": 5,
        "healthy_threshold": 3,
    }
    assert made["sticky_sessions"] == {"type": "none"}
    assert (made["size"], made["size_unit"]) == ("lb-small", 1)
    assert made["http_idle_timeout_seconds"] == 60
    assert made["firewall"] == {"allow": [], "deny": []}
    assert (made["type"], made["network"], made["region"]["slug"]) == (
        "REGIONAL",
        "EXTERNAL",
        "fra1",
    )


def test_the_hosts_are_told_all_that_was_ordered(api: Api, hypervisor: MemoryHypervisor) -> None:
    vpc = api.ok("POST", "/v2/vpcs", json={"name": "net", "region": "fra1"})["vpc"]
    droplet = api.droplet(vpc_uuid=vpc["id"])
    make(
        api,
        vpc_uuid=vpc["id"],
        droplet_ids=[droplet["id"]],
        forwarding_rules=[
            RULE,
            {
                "entry_protocol": "tcp",
                "entry_port": 5000,
                "target_protocol": "tcp",
                "target_port": 22,
            },
        ],
        health_check={
            "protocol": "http",
            "port": 8000,
            "path": "/healthz",
            "check_interval_seconds": 3,
            "response_timeout_seconds": 4,
            "unhealthy_threshold": 2,
            "healthy_threshold": 2,
        },
        sticky_sessions={"type": "cookies", "cookie_name": "seat", "cookie_ttl_seconds": 300},
        enable_proxy_protocol=True,
        enable_backend_keepalive=True,
        http_idle_timeout_seconds=90,
        firewall={"allow": ["cidr:203.0.113.0/24"], "deny": ["ip:203.0.113.7"]},
    )
    balancer = the_only(hypervisor)
    assert balancer.listeners == (
        Listener(protocol="http", port=80, target_port=8000),
        Listener(protocol="tcp", port=5000, target_port=22),
    )
    assert balancer.check == HealthCheck(
        protocol="http",
        port=8000,
        path="/healthz",
        interval_seconds=3,
        timeout_seconds=4,
        failures_until_down=2,
        successes_until_up=2,
    )
    assert balancer.sticky == StickyCookie(name="seat", seconds=300)
    assert balancer.speaks_proxy_protocol
    assert balancer.keeps_backend_connections
    assert balancer.idle_seconds == 90
    assert balancer.allowed == (IPv4Network("203.0.113.0/24"),)
    assert balancer.denied == (IPv4Network("203.0.113.7/32"),)
    assert str(balancer.private.network) == vpc["ip_range"]
    private = droplet["networks"]["v4"][1]["ip_address"]
    assert [str(backend.address) for backend in balancer.backends] == [private]


def test_its_addresses_are_the_last_ones_so_that_droplets_keep_their_numbers(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    wish = {"name": "net", "region": "fra1", "ip_range": "192.168.141.0/28"}
    vpc = api.ok("POST", "/v2/vpcs", json=wish)["vpc"]
    make(api, vpc_uuid=vpc["id"])
    assert the_only(hypervisor).private.address == IPv4Address("192.168.141.14")
    droplets = [api.droplet(name=f"host-{number}", vpc_uuid=vpc["id"]) for number in range(4)]
    addresses = [droplet["networks"]["v4"][1]["ip_address"] for droplet in droplets]
    assert addresses == [f"192.168.141.{number}" for number in (10, 11, 12, 13)]
    fifth = api.droplet(name="host-5", vpc_uuid=vpc["id"])
    assert fifth["networks"]["v4"][1]["ip_address"] == "192.168.141.2"


def test_droplets_with_the_tag_are_behind_it_as_they_come_and_go(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    api.ok("POST", "/v2/tags", json={"name": "web"})
    made = make(api, tag="web")
    assert made["droplet_ids"] == []
    first, second = api.droplet(tags=["web"])["id"], api.droplet(name="late")["id"]
    assert behind(hypervisor) == [first]
    resources = {"resources": [{"resource_id": str(second), "resource_type": "droplet"}]}
    api.ok("POST", "/v2/tags/web/resources", json=resources)
    assert behind(hypervisor) == [first, second]
    assert read(api, made["id"])["droplet_ids"] == [first, second]
    api.ok("DELETE", "/v2/tags/web/resources", json=resources)
    assert behind(hypervisor) == [first]
    api.ok("DELETE", f"/v2/droplets/{first}")
    assert behind(hypervisor) == []


def test_a_droplet_gets_nothing_new_before_its_power_is_cut(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    droplet = api.droplet()["id"]
    make(api, droplet_ids=[droplet])
    networks = len(hypervisor.networks)
    hypervisor.failures["destroy"] = "the machine holds on"
    api.refused(500, "DELETE", f"/v2/droplets/{droplet}")
    assert len(hypervisor.networks) > networks
    assert behind(hypervisor) == []


def test_droplets_are_added_and_removed_one_by_one(api: Api, hypervisor: MemoryHypervisor) -> None:
    first, second = api.droplet()["id"], api.droplet(name="second")["id"]
    path = f"{ALL}/{make(api, droplet_ids=[first])['id']}"
    api.ok("POST", f"{path}/droplets", json={"droplet_ids": [second]})
    assert behind(hypervisor) == [first, second]
    api.delete_with_body(f"{path}/droplets", {"droplet_ids": [first]})
    assert behind(hypervisor) == [second]
    wish = {"droplet_ids": [first]}
    message = api.refused(422, "DELETE", f"{path}/droplets", json=wish)
    assert message == f"droplet_ids: droplet {first} is not behind this load balancer"


def test_forwarding_rules_are_added_and_removed_one_by_one(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    path = f"{ALL}/{make(api)['id']}/forwarding_rules"
    other = RULE | {"entry_port": 8080}
    api.ok("POST", path, json={"forwarding_rules": [other]})
    assert [listener.port for listener in the_only(hypervisor).listeners] == [80, 8080]
    clash = {"forwarding_rules": [other | {"target_port": 9}]}
    assert "8080 has a rule already" in api.refused(422, "POST", path, json=clash)
    api.delete_with_body(path, {"forwarding_rules": [RULE]})
    assert [listener.port for listener in the_only(hypervisor).listeners] == [8080]
    none_left = api.refused(422, "DELETE", path, json={"forwarding_rules": [other]})
    assert none_left == "forwarding_rules: the last rule cannot be removed"
    unknown = api.refused(422, "DELETE", path, json={"forwarding_rules": [RULE]})
    assert unknown == "forwarding_rules.0: this load balancer has no such rule"


def test_a_change_replaces_all_and_what_is_left_out_has_its_default_again(api: Api) -> None:
    droplet = api.droplet()["id"]
    made = make(api, droplet_ids=[droplet], enable_proxy_protocol=True)
    changed = api.ok("PUT", f"{ALL}/{made['id']}", json=ORDER | {"name": "facade"})["load_balancer"]
    assert (changed["name"], changed["droplet_ids"]) == ("facade", [])
    assert changed["enable_proxy_protocol"] is False
    assert (changed["ip"], changed["created_at"]) == (made["ip"], made["created_at"])


def test_what_is_told_can_be_sent_back(api: Api) -> None:
    api.ok("POST", "/v2/tags", json={"name": "web"})
    made = make(api, tag="web")
    told = {name: value for name, value in made.items() if name not in ("region", "droplet_ids")}
    changed = api.ok("PUT", f"{ALL}/{made['id']}", json=told | {"region": "fra1"})
    assert changed["load_balancer"] == made


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"name": None}, "name: "),
        ({"region": None}, "region: required"),
        ({"region": "mars1"}, "region: there is no region 'mars1'"),
        ({"forwarding_rules": []}, "forwarding_rules: "),
        (
            {"forwarding_rules": [RULE | {"entry_protocol": "https"}]},
            "forwarding_rules.0.certificate_id: https needs a certificate, unless",
        ),
        (
            {"forwarding_rules": [RULE | {"entry_protocol": "https", "certificate_id": "none"}]},
            "forwarding_rules.0.certificate_id: there is no certificate 'none'",
        ),
        (
            {"forwarding_rules": [PASSED | {"certificate_id": "c"}]},
            "forwarding_rules.0.certificate_id: of no use where TLS is passed through",
        ),
        (
            {"forwarding_rules": [PASSED | {"target_protocol": "http"}]},
            "forwarding_rules.0.target_protocol: https can be forwarded as https only when passed",
        ),
        (
            {"forwarding_rules": [RULE | {"tls_passthrough": True}]},
            "forwarding_rules.0.tls_passthrough: of no use with http",
        ),
        (
            {"forwarding_rules": [RULE | {"entry_protocol": "http3", "certificate_id": "c"}]},
            "forwarding_rules.0.entry_protocol: http3 is not supported by the local cloud",
        ),
        (
            {"forwarding_rules": [RULE, RULE | {"entry_protocol": "udp", "entry_port": 81}]},
            "forwarding_rules.1.entry_protocol: udp is not supported",
        ),
        (
            {"forwarding_rules": [RULE | {"target_protocol": "tcp"}]},
            "forwarding_rules.0.target_protocol: http can be forwarded as http only",
        ),
        ({"forwarding_rules": [RULE, RULE]}, "forwarding_rules.1.entry_port: 80 has two rules"),
        (
            {"forwarding_rules": [RULE | {"entry_port": 50054}]},
            "forwarding_rules.0.entry_port: 50053 to 50055 are DigitalOcean's own",
        ),
        ({"forwarding_rules": [RULE | {"entry_port": 0}]}, "forwarding_rules.0.entry_port: "),
        (
            {"forwarding_rules": [RULE | {"certificate_id": "c"}]},
            "forwarding_rules.0.certificate_id: of no use with http",
        ),
        ({"redirect_http_to_https": True}, "redirect_http_to_https: there is no forwarding rule"),
        ({"health_check": {"path": "healthz"}}, "health_check.path"),
        ({"health_check": {"path": "/a b"}}, "health_check.path"),
        ({"health_check": {"path": "/#\n"}}, "health_check.path"),
        ({"health_check": {"protocol": "tcp", "path": "/"}}, "health_check.path: a tcp check"),
        ({"health_check": {"check_interval_seconds": 2}}, "health_check.check_interval_seconds"),
        ({"health_check": {"healthy_threshold": 1}}, "health_check.healthy_threshold"),
        ({"sticky_sessions": {"type": "cookies"}}, "sticky_sessions.cookie_name: required"),
        (
            {"sticky_sessions": {"type": "cookies", "cookie_name": "a b", "cookie_ttl_seconds": 1}},
            "sticky_sessions.cookie_name",
        ),
        (
            {"sticky_sessions": {"type": "none", "cookie_name": "seat"}},
            "sticky_sessions.cookie_name: only used when the type is cookies",
        ),
        ({"http_idle_timeout_seconds": 20}, "http_idle_timeout_seconds"),
        ({"size_unit": 101}, "size_unit"),
        ({"firewall": {"deny": ["203.0.113.7"]}}, "firewall.deny.0"),
        ({"firewall": {"allow": ["ip:203.0.113.0/24"]}}, "firewall.allow.0"),
        ({"vpc_uuid": "3f2f3b4e-1111-4111-8111-111111111111"}, "vpc_uuid: there is no VPC"),
        ({"tag": "none-such"}, "tag: there is no tag 'none-such'"),
        ({"droplet_ids": [77]}, "droplet_ids: there is no droplet 77"),
        ({"droplet_ids": [77], "tag": "web"}, "tag: give either droplet_ids or tag"),
        ({"type": "GLOBAL"}, "type: GLOBAL is not supported"),
        ({"network": "INTERNAL"}, "network: INTERNAL is not supported"),
        ({"project_id": "p"}, "project_id: not supported"),
    ],
)
def test_a_wish_that_cannot_be_had_is_refused_by_its_field(
    api: Api, wish: dict[str, Any], reason: str
) -> None:
    assert api.refused(422, "POST", ALL, json=ORDER | wish).startswith(reason)
    assert api.ok("GET", ALL)["load_balancers"] == []


def test_a_name_is_given_once(api: Api) -> None:
    make(api)
    message = api.refused(422, "POST", ALL, json=ORDER)
    assert message == "name: there is already a load balancer named 'front'"
    other = make(api, name="other")
    assert api.refused(422, "PUT", f"{ALL}/{other['id']}", json=ORDER).startswith("name: ")


def test_it_stays_where_it_is(api: Api) -> None:
    path = f"{ALL}/{make(api)['id']}"
    elsewhere = api.ok("POST", "/v2/vpcs", json={"name": "net", "region": "fra1"})["vpc"]["id"]
    assert api.refused(422, "PUT", path, json=ORDER | {"region": "lon1"}).startswith("region: ")
    wish = ORDER | {"vpc_uuid": elsewhere}
    assert api.refused(422, "PUT", path, json=wish).startswith("vpc_uuid: it stays")


def test_a_droplet_of_another_vpc_cannot_be_behind_it(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    elsewhere = api.ok("POST", "/v2/vpcs", json={"name": "net", "region": "fra1"})["vpc"]["id"]
    stranger = api.droplet(vpc_uuid=elsewhere, tags=["web"])["id"]
    wish = ORDER | {"droplet_ids": [stranger]}
    message = api.refused(422, "POST", ALL, json=wish)
    assert message == f"droplet_ids: droplet {stranger} is not in the VPC 'default-fra1'"
    make(api, tag="web")
    assert behind(hypervisor) == []


def test_the_droplets_of_a_tag_are_not_changed_by_id(api: Api) -> None:
    droplet = api.droplet(tags=["web"])["id"]
    path = f"{ALL}/{make(api, tag='web')['id']}/droplets"
    for method in ("POST", "DELETE"):
        message = api.refused(422, method, path, json={"droplet_ids": [droplet]})
        assert "has the droplets with the tag 'web'" in message


@pytest.mark.parametrize(
    ("method", "part"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("DELETE", "/cache"),
        ("POST", "/droplets"),
        ("DELETE", "/droplets"),
        ("POST", "/forwarding_rules"),
        ("DELETE", "/forwarding_rules"),
    ],
)
def test_one_that_does_not_exist_is_not_found(api: Api, method: str, part: str) -> None:
    body = ORDER | {"droplet_ids": [1]}
    path = f"{ALL}/3f2f3b4e-1111-4111-8111-111111111111{part}"
    assert "load balancer 3f2f3b4e" in api.refused(404, method, path, json=body)
    api.refused(404, method, f"{ALL}/front{part}", json=body)


def test_only_global_load_balancers_have_a_cache(api: Api) -> None:
    path = f"{ALL}/{make(api)['id']}/cache"
    assert "the caches of global load balancers" in api.refused(501, "DELETE", path)


def test_a_firewall_that_names_it_lets_its_addresses_in(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    droplet = api.droplet()["id"]
    made = make(api, droplet_ids=[droplet])
    rule = {"protocol": "tcp", "ports": "8000", "sources": {"load_balancer_uids": [made["id"]]}}
    wall = {"name": "wall", "droplet_ids": [droplet], "inbound_rules": [rule]}
    told = api.ok("POST", "/v2/firewalls", json=wall)["firewall"]
    assert told["inbound_rules"] == [rule]
    (guard,) = hypervisor.network.guards
    addresses = {the_only(hypervisor).public.address, the_only(hypervisor).private.address}
    assert set(guard.inbound[0].peers) == {IPv4Network(address) for address in addresses}

    api.ok("DELETE", f"{ALL}/{made['id']}")
    (guard,) = hypervisor.network.guards
    assert guard.inbound == ()


def test_a_firewall_cannot_name_one_that_does_not_exist(api: Api) -> None:
    rule = {"protocol": "tcp", "ports": "80", "sources": {"load_balancer_uids": ["gone"]}}
    message = api.refused(
        422, "POST", "/v2/firewalls", json={"name": "a1", "inbound_rules": [rule]}
    )
    expected = "inbound_rules.0.sources.load_balancer_uids: there is no load balancer 'gone'"
    assert message == expected


def test_it_is_a_member_of_its_vpc_which_stays_as_long(api: Api) -> None:
    vpc = api.ok("POST", "/v2/vpcs", json={"name": "net", "region": "fra1"})["vpc"]["id"]
    made = make(api, vpc_uuid=vpc)
    (member,) = api.ok("GET", f"/v2/vpcs/{vpc}/members")["members"]
    assert (member["name"], member["urn"]) == ("front", f"do:loadbalancer:{made['id']}")
    assert api.ok("GET", f"/v2/vpcs/{vpc}/members?resource_type=droplet")["members"] == []
    assert "front" in api.refused(403, "DELETE", f"/v2/vpcs/{vpc}")
    api.ok("DELETE", f"{ALL}/{made['id']}")
    api.ok("DELETE", f"/v2/vpcs/{vpc}")


def test_a_loopback_port_leads_to_the_load_balancer_in_front_of_its_droplets(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    tags = ["web", "local:balancer:8080"]
    api.droplet(tags=tags)
    api.droplet(name="second", tags=tags)
    assert not hypervisor.network.forwards, "there is no load balancer yet"
    made = make(api, tag="web", forwarding_rules=[RULE | {"entry_port": 8088}])
    forward = Forward(loopback_port=8080, address=IPv4Address(made["ip"]), port=8088)
    assert list(hypervisor.network.forwards) == [forward]
    api.ok("DELETE", f"{ALL}/{made['id']}")
    assert not hypervisor.network.forwards


def test_a_loopback_port_leads_to_the_rule_that_it_names(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    api.droplet(tags=["web", "local:balancer:8080", "local:balancer:8443:443"])
    made = make(api, tag="web", forwarding_rules=[RULE])
    address = IPv4Address(made["ip"])
    plain = Forward(loopback_port=8080, address=address, port=RULE["entry_port"])
    assert list(hypervisor.network.forwards) == [plain], "there is no such rule yet"
    secured = RULE | {"entry_port": 443}
    wanted = ORDER | {"tag": "web", "droplet_ids": [], "forwarding_rules": [RULE, secured]}
    api.ok("PUT", f"{ALL}/{made['id']}", json=wanted)
    tls = Forward(loopback_port=8443, address=address, port=443)
    assert list(hypervisor.network.forwards) == [plain, tls]


def test_by_itself_a_loopback_port_leads_to_a_rule_without_tls(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    api.droplet(tags=["web", "local:balancer:8080"])
    made = make(api, tag="web", forwarding_rules=[PASSED, RULE])
    assert [each.port for each in hypervisor.network.forwards] == [80]
    api.ok("PUT", f"{ALL}/{made['id']}", json=ORDER | {"tag": "web", "forwarding_rules": [PASSED]})
    assert [each.port for each in hypervisor.network.forwards] == [443]


def test_a_loopback_port_leads_to_one_port_of_a_load_balancer(api: Api) -> None:
    api.droplet(tags=["local:balancer:8443:443"])
    wish = DROPLET | {"tags": ["local:balancer:8443:444"]}
    message = api.refused(422, "POST", "/v2/droplets", json=wish)
    assert message.endswith("port 8443 already leads to a load balancer at port 443")
    for nonsense in ("local:balancer:8080:0", "local:balancer:8080:", "local:balancer:8080:1:2"):
        wish = DROPLET | {"tags": [nonsense]}
        assert "is not a hint" in api.refused(422, "POST", "/v2/droplets", json=wish)


def test_a_fleet_grows_from_one_server_without_its_loopback_port_leading_to_nothing(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    first = api.droplet(tags=["web", "local:forward:8080:80", "local:balancer:8080"])
    api.droplet(name="second", tags=["web", "local:balancer:8080"])
    (direct,) = hypervisor.network.forwards
    assert direct.port == 80
    made = make(api, tag="web", forwarding_rules=[RULE | {"entry_port": 8088}])
    balanced = Forward(loopback_port=8080, address=IPv4Address(made["ip"]), port=8088)
    assert list(hypervisor.network.forwards) == [balanced]
    api.ok("DELETE", f"{ALL}/{made['id']}")
    assert list(hypervisor.network.forwards) == [direct]
    assert first["status"] == "active"


def test_a_loopback_port_leads_to_one_droplet(api: Api, hypervisor: MemoryHypervisor) -> None:
    first = api.droplet(tags=["local:forward:8080:80"])["id"]
    wish = DROPLET | {"tags": ["local:forward:8080:81"]}
    message = api.refused(422, "POST", "/v2/droplets", json=wish)
    assert message.endswith(f"port 8080 already leads to droplet {first}")
    hypervisor.ports_in_use = {9090}
    wish = DROPLET | {"tags": ["local:balancer:9090"]}
    assert "port 9090" in api.refused(422, "POST", "/v2/droplets", json=wish)
    wish = DROPLET | {"tags": ["local:balancer:0"]}
    assert "is not a hint of the local cloud" in api.refused(422, "POST", "/v2/droplets", json=wish)


def test_one_that_cannot_be_made_is_errored_and_a_change_tries_again(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    hypervisor.failures["apply_network"] = "no haproxy"
    made = api.ok("POST", ALL, json=ORDER)["load_balancer"]
    wait_until(lambda: read(api, made["id"])["status"] == "errored")
    assert read(api, made["id"])["ip"] == ""
    hypervisor.failures.clear()
    api.ok("PUT", f"{ALL}/{made['id']}", json=ORDER)
    wait_until(lambda: read(api, made["id"])["status"] == "active")


def test_a_restart_brings_it_back_and_finishes_what_was_begun(
    tmp_path: Path, hypervisor: MemoryHypervisor
) -> None:
    with serving(tmp_path, hypervisor) as api:
        made = make(api)
        balancer = the_only(hypervisor)
    again = MemoryHypervisor()
    with serving(tmp_path, again) as api:
        assert the_only(again) == balancer
        assert read(api, made["id"]) == made


def test_pydo_drives_it(api: Api, hypervisor: MemoryHypervisor) -> None:
    bearer = HeadersPolicy({"Authorization": f"Bearer {TOKEN}"})
    client: Any = pydo.Client(TOKEN, endpoint=api.url, authentication_policy=bearer)
    droplets = [api.droplet(name=f"host-{number}")["id"] for number in range(2)]
    wish = ORDER | {"droplet_ids": droplets[:1]}
    made = client.load_balancers.create(wish)["load_balancer"]
    identifier = made["id"]
    wait_until(lambda: client.load_balancers.get(identifier)["load_balancer"]["status"] == "active")
    client.load_balancers.add_droplets(identifier, {"droplet_ids": droplets[1:]})
    other = {"forwarding_rules": [RULE | {"entry_port": 81}]}
    client.load_balancers.add_forwarding_rules(identifier, other)
    assert behind(hypervisor) == droplets
    assert len(the_only(hypervisor).listeners) == 2
    client.load_balancers.remove_forwarding_rules(identifier, other)
    client.load_balancers.remove_droplets(identifier, {"droplet_ids": droplets[:1]})
    assert behind(hypervisor) == droplets[1:]
    client.load_balancers.update(identifier, wish | {"name": "facade"})
    (listed,) = client.load_balancers.list()["load_balancers"]
    assert (listed["name"], listed["droplet_ids"]) == ("facade", droplets[:1])
    client.load_balancers.delete(identifier)
    assert client.load_balancers.list()["load_balancers"] == []
    assert hypervisor.network.load_balancers == ()

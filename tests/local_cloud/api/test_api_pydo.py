"""The official client drives the local cloud as it drives DigitalOcean."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pydo
import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import HeadersPolicy

from tests.local_cloud.api.conftest import DROPLET, KEY, TOKEN, Api, wait_until
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor
from tests.local_cloud.api.memory_name_server import MemoryNameServer


@pytest.fixture
def client(api: Api) -> Any:
    return connect(api, TOKEN)


def connect(api: Api, token: str) -> Any:
    """By itself pydo sends a token over TLS only; a plain header it sends to loopback too."""
    bearer = HeadersPolicy({"Authorization": f"Bearer {token}"})
    return pydo.Client(token, endpoint=api.url, authentication_policy=bearer)


def everything(list_page: Any, key: str, **options: Any) -> list[dict[str, Any]]:
    """All pages of a list, followed as pydo's own documentation does."""
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        answer = list_page(page=page, **options)
        found += answer[key]
        link = answer["links"].get("pages", {}).get("next")
        if not link:
            assert answer["meta"]["total"] == len(found)
            return found
        page = int(parse_qs(urlsplit(link).query)["page"][0])


def test_a_small_environment_is_made_and_taken_down(
    client: Any, hypervisor: MemoryHypervisor
) -> None:
    key = client.ssh_keys.create({"name": "me", "public_key": KEY})["ssh_key"]
    vpc = client.vpcs.create({"name": "private", "region": "fra1", "ip_range": "192.168.100.0/24"})[
        "vpc"
    ]
    order = DROPLET | {
        "ssh_keys": [key["fingerprint"]],
        "vpc_uuid": vpc["id"],
        "tags": ["web"],
        "user_data": "#cloud-config",
    }
    created = client.droplets.create(order)
    identifier = created["droplet"]["id"]
    action = created["links"]["actions"][0]["id"]
    wait_until(lambda: client.actions.get(action)["action"]["status"] == "completed")
    assert client.droplets.get(identifier)["droplet"]["status"] == "active"
    rule = {"protocol": "tcp", "ports": "80", "sources": {"addresses": ["0.0.0.0/0"]}}
    wall = {"name": "web", "tags": ["web"], "inbound_rules": [rule]}
    firewall = client.firewalls.create(wall)["firewall"]
    assert [guard.machine_id for guard in hypervisor.network.guards] == [identifier]
    assert client.vpcs.list_members(vpc["id"])["members"][0]["name"] == "web"

    client.firewalls.delete(firewall["id"])
    client.droplets.destroy(identifier)
    client.vpcs.delete(vpc["id"])
    client.ssh_keys.delete(key["id"])
    client.tags.delete("web")
    assert hypervisor.machines == {}
    for noun, key_of_list in (
        (client.droplets, "droplets"),
        (client.firewalls, "firewalls"),
        (client.vpcs, "vpcs"),
        (client.ssh_keys, "ssh_keys"),
        (client.tags, "tags"),
    ):
        assert noun.list()[key_of_list] == []


def test_long_lists_come_in_pages(client: Any) -> None:
    order = {key: value for key, value in DROPLET.items() if key != "name"}
    names = [f"host-{number}" for number in range(20)]
    for ten in (names[:10], names[10:]):
        client.droplets.create(order | {"names": ten, "tags": ["many"]})
    found = everything(client.droplets.list, "droplets", per_page=7)
    assert [droplet["name"] for droplet in found] == names
    tagged = everything(client.droplets.list, "droplets", per_page=3, tag_name="many")
    assert [droplet["name"] for droplet in tagged] == names
    assert len(everything(client.actions.list, "actions", per_page=6)) == 20
    assert len(everything(client.sizes.list, "sizes", per_page=2)) > 2
    assert len(everything(client.regions.list, "regions", per_page=5)) > 5
    client.droplets.destroy_by_tag(tag_name="many")
    assert client.droplets.list()["meta"]["total"] == 0


def test_droplet_actions_are_driven(client: Any, hypervisor: MemoryHypervisor) -> None:
    created = client.droplets.create(DROPLET)
    identifier = created["droplet"]["id"]
    wait_until(lambda: client.droplets.get(identifier)["droplet"]["status"] == "active")
    for wish in (
        {"type": "power_off"},
        {"type": "snapshot", "name": "copy"},
        {"type": "resize", "size": "s-1vcpu-2gb"},
        {"type": "power_on"},
        {"type": "rename", "name": "front"},
    ):
        action = client.droplet_actions.post(identifier, wish)["action"]
        wait_until(
            lambda number=action["id"]: (  # type: ignore[misc]
                client.droplet_actions.get(identifier, number)["action"]["status"] == "completed"
            )
        )
    droplet = client.droplets.get(identifier)["droplet"]
    assert (droplet["name"], droplet["memory"], droplet["status"]) == ("front", 2048, "active")
    (snapshot,) = client.snapshots.list(resource_type="droplet")["snapshots"]
    client.images.delete(int(snapshot["id"]))
    assert hypervisor.snapshots == {}


def test_a_domain_is_driven(client: Any, name_server: MemoryNameServer) -> None:
    client.domains.create({"name": "example.com", "ip_address": "192.0.2.1"})
    assert client.domains.list()["domains"][0]["name"] == "example.com"
    order = {"type": "CNAME", "name": "www", "data": "@", "ttl": 300}
    record = client.domains.create_record("example.com", order)["domain_record"]
    assert (record["data"], record["ttl"]) == ("@", 300)
    changes = {"type": "CNAME", "name": "shop"}
    client.domains.patch_record("example.com", record["id"], changes)
    client.domains.update_record("example.com", record["id"], {"type": "CNAME", "ttl": 60})
    assert "shop.example.com. 60 IN CNAME example.com." in name_server.lines("example.com")
    found = everything(
        lambda **options: client.domains.list_records("example.com", **options),
        "domain_records",
        per_page=2,
    )
    assert [one["type"] for one in found] == ["SOA", "NS", "NS", "NS", "A", "CNAME"]
    client.domains.delete_record("example.com", record["id"])
    assert client.domains.list_records("example.com", type="CNAME")["domain_records"] == []
    client.domains.delete("example.com")
    assert name_server.zones == {}


def test_errors_are_those_the_client_knows(api: Api, client: Any) -> None:
    with pytest.raises(HttpResponseError) as refused:
        client.droplets.create(DROPLET | {"size": "s-99"})
    assert refused.value.status_code == 422
    assert "size: there is no size 's-99'" in str(refused.value)
    stranger = connect(api, "wrong")
    with pytest.raises(HttpResponseError) as unknown:
        stranger.account.get()
    assert unknown.value.status_code == 401
    # pydo answers a 404 that DigitalOcean describes with its body, and raises no error.
    assert client.droplets.get(7)["id"] == "not_found"

from __future__ import annotations

import sqlite3
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from local_cloud.machine import Forward
from tests.local_cloud.api.conftest import DROPLET, KEY, OTHER_KEY, Api, serving, wait_until
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor


def addresses(droplet: dict[str, Any]) -> dict[str, str]:
    return {network["type"]: network["ip_address"] for network in droplet["networks"]["v4"]}


def test_an_order_is_accepted_at_once_and_active_when_the_machine_runs(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    hypervisor.gate.clear()
    answer = api.ok("POST", "/v2/droplets", json=DROPLET)
    assert answer["droplet"]["status"] == "new"
    assert answer["droplet"]["locked"]
    assert api.read_droplet(1001)["status"] == "new"
    hypervisor.gate.set()
    action = api.finished(answer["links"]["actions"][0]["id"])
    assert action["status"] == "completed"
    assert api.read_droplet(1001)["status"] == "active"
    assert not api.read_droplet(1001)["locked"]


def test_the_machine_gets_what_was_ordered(api: Api, hypervisor: MemoryHypervisor) -> None:
    keys = [
        api.ok("POST", "/v2/account/keys", json={"name": "key", "public_key": key})["ssh_key"]
        for key in (KEY, OTHER_KEY)
    ]
    order = {"ssh_keys": [keys[0]["id"], keys[1]["fingerprint"]], "user_data": "#cloud-config\n"}
    droplet = api.droplet(size="s-2vcpu-4gb", **order)
    spec = hypervisor.machines[droplet["id"]]
    assert spec.ssh_keys == (KEY, OTHER_KEY)
    assert spec.user_data == "#cloud-config\n"
    assert (spec.memory_mib, spec.vcpus) == (4096, 2)
    assert spec.image == "debian-12-x64"
    assert hypervisor.prepared == ["debian-12-x64"]
    assert addresses(droplet) == {
        "public": str(spec.public.address),
        "private": str(spec.private.address),
    }
    assert str(spec.public.gateway) == "10.77.12.1"


def test_several_droplets_of_one_order_have_addresses_of_their_own(api: Api) -> None:
    order = {key: value for key, value in DROPLET.items() if key != "name"}
    answer = api.ok("POST", "/v2/droplets", json=order | {"names": ["web-1", "web-2", "web-3"]})
    assert [droplet["name"] for droplet in answer["droplets"]] == ["web-1", "web-2", "web-3"]
    assert len(answer["links"]["actions"]) == 3
    given = [tuple(addresses(droplet).values()) for droplet in answer["droplets"]]
    assert given[0] == ("10.77.12.10", "10.128.0.10")
    assert len(set(given)) == 3


def test_a_droplet_keeps_its_addresses_over_reboot_power_cycle_and_rebuild(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    before = api.droplet()
    api.droplet(name="next")
    for wish in (
        {"type": "reboot"},
        {"type": "power_cycle"},
        {"type": "rebuild", "image": "debian-13-x64"},
    ):
        assert api.act(before["id"], **wish)["status"] == "completed"
    after = api.read_droplet(before["id"])
    assert after["networks"] == before["networks"]
    assert after["image"]["slug"] == "debian-13-x64"
    assert hypervisor.machines[before["id"]].image == "debian-13-x64"
    assert ("destroy", before["id"]) in hypervisor.calls


def test_power_actions_show_in_the_status(api: Api, hypervisor: MemoryHypervisor) -> None:
    identifier = api.droplet()["id"]
    for wish, status in (
        ("power_off", "off"),
        ("power_on", "active"),
        ("shutdown", "off"),
        ("power_on", "active"),
    ):
        assert api.act(identifier, type=wish)["status"] == "completed"
        assert api.read_droplet(identifier)["status"] == status


def test_a_machine_that_stopped_by_itself_is_told_as_off(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    identifier = api.droplet()["id"]
    hypervisor.running.clear()
    assert api.read_droplet(identifier)["status"] == "off"


def test_a_failed_creation_stays_new_and_says_why(api: Api, hypervisor: MemoryHypervisor) -> None:
    hypervisor.failures["create"] = "no space left for the disk"
    droplet = api.droplet()
    assert droplet["status"] == "new"
    (action,) = api.ok("GET", f"/v2/droplets/{droplet['id']}/actions")["actions"]
    assert action["status"] == "errored"
    assert action["error_message"] == "no space left for the disk"
    message = api.refused(
        422, "POST", f"/v2/droplets/{droplet['id']}/actions", json={"type": "power_on"}
    )
    assert "rebuild or delete it" in message
    del hypervisor.failures["create"]
    api.act(droplet["id"], type="rebuild", image="debian-12-x64")
    assert api.read_droplet(droplet["id"])["status"] == "active"


def test_a_deleted_droplet_is_gone_when_the_answer_comes(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    identifier = api.droplet(tags=["local:forward:8080:80"])["id"]
    api.ok("DELETE", f"/v2/droplets/{identifier}")
    assert hypervisor.machines == {}
    assert hypervisor.network.forwards == ()
    api.refused(404, "GET", f"/v2/droplets/{identifier}")
    api.refused(404, "DELETE", f"/v2/droplets/{identifier}")
    newest = api.ok("GET", "/v2/actions")["actions"][0]
    assert (newest["type"], newest["status"]) == ("destroy", "completed")


def test_identifiers_are_never_used_twice_but_addresses_are(api: Api) -> None:
    first = api.droplet()
    api.ok("DELETE", f"/v2/droplets/{first['id']}")
    second = api.droplet()
    assert second["id"] > first["id"]
    assert addresses(second) == addresses(first)


def test_a_deletion_that_fails_says_why_and_can_be_tried_again(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    identifier = api.droplet()["id"]
    hypervisor.failures["destroy"] = "the overlay is still mounted"
    message = api.refused(500, "DELETE", f"/v2/droplets/{identifier}")
    assert message.endswith("could not be deleted: the overlay is still mounted")
    assert api.read_droplet(identifier)["status"] == "archive"
    del hypervisor.failures["destroy"]
    api.ok("DELETE", f"/v2/droplets/{identifier}")
    api.refused(404, "GET", f"/v2/droplets/{identifier}")


def test_a_droplet_deleted_while_it_is_created_is_gone_for_good(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    hypervisor.gate.clear()
    api.ok("POST", "/v2/droplets", json=DROPLET)
    wait_until(lambda: ("prepare_image", 0) in hypervisor.calls)
    hypervisor.gate.set()
    api.ok("DELETE", "/v2/droplets/1001")
    wait_until(lambda: not hypervisor.machines)
    assert api.ok("GET", "/v2/droplets")["droplets"] == []


def test_droplets_are_listed_by_tag_and_by_name(api: Api) -> None:
    api.droplet(name="web", tags=["site"])
    api.droplet(name="db")
    for query, names in (
        ("", ["web", "db"]),
        ("?tag_name=site", ["web"]),
        ("?tag_name=nothing", []),
        ("?name=DB", ["db"]),
        ("?type=gpus", []),
    ):
        found = api.ok("GET", f"/v2/droplets{query}")
        assert [droplet["name"] for droplet in found["droplets"]] == names
        assert found["meta"]["total"] == len(names)
    assert api.refused(422, "GET", "/v2/droplets?name=db&tag_name=site").startswith("name: ")


def test_all_droplets_of_a_tag_are_deleted_together(api: Api) -> None:
    for name in ("web-1", "web-2"):
        api.droplet(name=name, tags=["web"])
    api.droplet(name="db", tags=["db"])
    api.ok("DELETE", "/v2/droplets?tag_name=web")
    assert [droplet["name"] for droplet in api.ok("GET", "/v2/droplets")["droplets"]] == ["db"]
    assert api.refused(422, "DELETE", "/v2/droplets").startswith("tag_name: ")
    api.refused(404, "DELETE", "/v2/droplets?tag_name=unknown")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"size": "s-99"}, "size: there is no size 's-99'"),
        ({"image": "windows-95"}, "image: there is no image 'windows-95'"),
        ({"image": 99}, "image: there is no image 99"),
        ({"region": "moon1"}, "region: there is no region 'moon1'"),
        ({"vpc_uuid": "nowhere"}, "vpc_uuid: there is no VPC 'nowhere'"),
        ({"ssh_keys": [7]}, "ssh_keys: there is no SSH key with the id or fingerprint 7"),
        ({"ssh_keys": ["aa:bb"]}, "ssh_keys: there is no SSH key"),
        ({"name": "no_good"}, "name: "),
        ({"name": None}, "name: give either name, or names"),
        ({"names": ["one"]}, "name: give either name, or names"),
        ({"tags": ["not a tag"]}, "tags.0: "),
        ({"user_data": "x" * 65537}, "user_data: longer than 64 KiB"),
        ({"backups": True}, "backups: not supported by the local cloud"),
        ({"ipv6": True}, "ipv6: not supported by the local cloud"),
        ({"volumes": ["one"]}, "volumes: not supported by the local cloud"),
        ({"public_networking": False}, "public_networking: false is not supported"),
        ({"name": "x" * 256}, "name: "),
        ({"image": 2**70}, "image"),
    ],
)
def test_a_wrong_order_names_the_field_and_leaves_nothing_behind(
    api: Api, hypervisor: MemoryHypervisor, wrong: dict[str, Any], told: str
) -> None:
    assert api.refused(422, "POST", "/v2/droplets", json=DROPLET | wrong).startswith(told)
    assert api.ok("GET", "/v2/droplets")["meta"]["total"] == 0
    assert api.ok("GET", "/v2/vpcs")["meta"]["total"] == 0
    assert hypervisor.machines == {}


def test_what_is_secret_in_a_wrong_order_is_not_repeated(api: Api) -> None:
    message = api.refused(422, "POST", "/v2/droplets", json=DROPLET | {"user_data": 123456})
    assert message.startswith("user_data: ")
    assert "123456" not in message


def test_the_vpc_and_the_droplet_are_in_one_region(api: Api) -> None:
    vpc = api.ok("POST", "/v2/vpcs", json={"name": "far", "region": "nyc3"})["vpc"]
    message = api.refused(422, "POST", "/v2/droplets", json=DROPLET | {"vpc_uuid": vpc["id"]})
    assert message == "vpc_uuid: the VPC 'far' is in nyc3, the droplet was to be in fra1"
    assert api.droplet(vpc_uuid=vpc["id"], region=None)["region"]["slug"] == "nyc3"


def test_a_full_network_is_told_before_anything_is_made(api: Api) -> None:
    order = {"name": "tiny", "region": "fra1", "ip_range": "10.5.5.0/28"}
    vpc = api.ok("POST", "/v2/vpcs", json=order)["vpc"]
    names = [f"host-{number}" for number in range(7)]
    order = {key: value for key, value in DROPLET.items() if key != "name"}
    api.ok("POST", "/v2/droplets", json=order | {"names": names, "vpc_uuid": vpc["id"]})
    message = api.refused(
        422, "POST", "/v2/droplets", json=order | {"names": names, "vpc_uuid": vpc["id"]}
    )
    assert message.startswith("name: no more droplets fit in here")
    assert api.ok("GET", "/v2/droplets")["meta"]["total"] == 7


def test_a_second_action_waits_for_the_first(api: Api, hypervisor: MemoryHypervisor) -> None:
    hypervisor.gate.clear()
    api.ok("POST", "/v2/droplets", json=DROPLET)
    wish = {"type": "rebuild", "image": "debian-12-x64"}
    message = api.refused(422, "POST", "/v2/droplets/1001/actions", json=wish)
    assert "Droplet already has a pending event" in message
    hypervisor.gate.set()


def test_a_rename_reaches_the_machine(api: Api, hypervisor: MemoryHypervisor) -> None:
    identifier = api.droplet()["id"]
    api.act(identifier, type="rename", name="front")
    assert api.read_droplet(identifier)["name"] == "front"
    assert hypervisor.labels == {identifier: "front"}


def test_a_resize_needs_the_power_off_and_shows_at_the_next_start(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    identifier = api.droplet()["id"]
    path = f"/v2/droplets/{identifier}/actions"
    wish = {"type": "resize", "size": "s-2vcpu-4gb"}
    assert "power off" in api.refused(422, "POST", path, json=wish)
    api.act(identifier, type="power_off")
    api.act(identifier, **wish)
    api.act(identifier, type="power_on")
    droplet = api.read_droplet(identifier)
    assert (droplet["size_slug"], droplet["memory"], droplet["disk"]) == ("s-2vcpu-4gb", 4096, 25)
    assert hypervisor.machines[identifier].memory_mib == 4096
    api.act(identifier, type="power_off")
    api.act(identifier, disk=True, **wish)
    assert api.read_droplet(identifier)["disk"] == 80
    shrinking = {"type": "resize", "size": "s-1vcpu-1gb"}
    assert api.refused(422, "POST", path, json=shrinking).startswith("size: ")


@pytest.mark.parametrize("kind", ["enable_ipv6", "enable_backups", "password_reset"])
def test_what_the_local_cloud_cannot_do_is_refused_by_name(api: Api, kind: str) -> None:
    path = f"/v2/droplets/{api.droplet()['id']}/actions"
    message = api.refused(422, "POST", path, json={"type": kind})
    assert message == f"type: {kind} is not supported by the local cloud"


def test_an_unknown_action_names_the_known_ones(api: Api) -> None:
    path = f"/v2/droplets/{api.droplet()['id']}/actions"
    assert "'power_cycle'" in api.refused(422, "POST", path, json={"type": "fly"})
    assert "name: Field required" in api.refused(422, "POST", path, json={"type": "rename"})
    api.refused(404, "POST", "/v2/droplets/7/actions", json={"type": "reboot"})
    message = api.refused(422, "POST", "/v2/droplets/actions?tag_name=x", json={"type": "reboot"})
    assert "reboot is not for tags" in message


def test_a_snapshot_becomes_an_image_that_droplets_are_made_from(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    model = api.droplet(name="model")["id"]
    assert api.act(model, type="snapshot", name="golden")["status"] == "completed"
    (snapshot_id,) = api.read_droplet(model)["snapshot_ids"]
    (image,) = api.ok("GET", "/v2/images?private=true")["images"]
    assert (image["id"], image["name"], image["type"]) == (snapshot_id, "golden", "snapshot")
    copy = api.droplet(name="copy", image=snapshot_id)
    assert hypervisor.machines[copy["id"]].image == f"snapshot-{snapshot_id}"
    api.ok("DELETE", f"/v2/images/{snapshot_id}")
    assert hypervisor.snapshots == {}
    assert api.read_droplet(copy["id"])["image"]["name"] == "golden"


def test_a_failed_snapshot_leaves_no_image(api: Api, hypervisor: MemoryHypervisor) -> None:
    identifier = api.droplet()["id"]
    hypervisor.failures["snapshot"] = "no space left"
    assert api.act(identifier, type="snapshot")["error_message"] == "no space left"
    assert api.ok("GET", "/v2/snapshots")["meta"]["total"] == 0


def test_base_images_cannot_be_changed(api: Api) -> None:
    image = api.ok("GET", "/v2/images/debian-12-x64")["image"]
    api.refused(403, "PUT", f"/v2/images/{image['id']}", json={"name": "mine"})
    api.refused(403, "DELETE", f"/v2/images/{image['id']}")


def test_after_a_restart_unfinished_work_is_finished_and_stopped_machines_run(
    tmp_path: Path,
) -> None:
    before = MemoryHypervisor()
    with serving(tmp_path, before) as api:
        running = api.droplet(name="running", tags=["local:forward:8080:80"])["id"]
        stopped = api.droplet(name="stopped")["id"]
        api.act(stopped, type="power_off")
        before.gate.clear()
        api.ok("POST", "/v2/droplets", json=DROPLET | {"name": "unfinished"})
    after = MemoryHypervisor()  # as after a restart of the whole computer: nothing runs
    with serving(tmp_path, after) as api:
        unfinished = api.settled(1003)
        assert unfinished["status"] == "active"
        assert api.settled(running)["status"] == "active"
        assert api.read_droplet(stopped)["status"] == "off"
        assert ("start", running) in after.calls
        assert ("create", unfinished["id"]) in after.calls
        private = IPv4Address(addresses(api.read_droplet(running))["private"])
        assert after.network.forwards == (Forward(loopback_port=8080, address=private, port=80),)
    before.gate.set()


def test_after_a_restart_a_machine_that_runs_is_left_alone(tmp_path: Path) -> None:
    hypervisor = MemoryHypervisor()
    with serving(tmp_path, hypervisor) as api:
        identifier = api.droplet()["id"]
    hypervisor.calls.clear()
    with serving(tmp_path, hypervisor) as api:
        assert api.read_droplet(identifier)["status"] == "active"
    assert hypervisor.calls == [("apply_network", 0)]


def test_after_a_restart_a_begun_deletion_is_finished(tmp_path: Path) -> None:
    hypervisor = MemoryHypervisor()
    with serving(tmp_path, hypervisor) as api:
        identifier = api.droplet()["id"]
    with sqlite3.connect(tmp_path / "cloud.db") as db:  # as if killed right after the first commit
        db.execute("UPDATE droplets SET status = 'archive'")
        db.execute(
            "UPDATE actions SET status = 'in-progress', type = 'destroy' WHERE droplet_id = ?",
            (identifier,),
        )
    with serving(tmp_path, hypervisor) as api:
        wait_until(lambda: api.ok("GET", "/v2/droplets")["meta"]["total"] == 0)
    assert hypervisor.machines == {}

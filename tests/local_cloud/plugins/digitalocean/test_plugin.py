"""The stand-in as the engine meets it, against the local cloud's API."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.local_cloud.api.conftest import TOKEN, Api
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor
from tests.local_cloud.plugins.digitalocean.conftest import STAND_IN
from tests.local_cloud.plugins.digitalocean.plugin_process import (
    UNKNOWN,
    PluginError,
    PluginProcess,
    secret,
    urn,
)
from tests.local_cloud.plugins.digitalocean.words import (
    FIREWALL,
    GUARD,
    KEY_PAIR,
    PUBLIC_KEY,
    SERVER,
    SSH_RULE,
    TAG,
    VPC,
    WEB,
    WEB_RULE,
    Made,
)


def test_a_droplet_is_returned_when_it_runs(plugin: PluginProcess) -> None:
    state = Made(plugin, WEB, SERVER).state
    assert state["status"] == "active"
    assert state["ipv4Address"]
    assert state["ipv4AddressPrivate"]
    assert state["dropletUrn"] == f"do:droplet:{state['id']}"
    assert (state["memory"], state["vcpus"], state["disk"]) == (1024, 1, 25)


def test_of_user_data_only_a_fingerprint_is_kept(plugin: PluginProcess) -> None:
    state = Made(plugin, WEB, SERVER).state
    assert state["userData"] == hashlib.sha1(SERVER["userData"].encode()).hexdigest()


def test_a_secret_input_gives_a_secret_output(plugin: PluginProcess) -> None:
    made = Made(plugin, WEB, {**SERVER, "userData": secret("#cloud-config\n")})
    fingerprint = hashlib.sha1(b"#cloud-config\n").hexdigest()
    assert made.state["userData"] == secret(fingerprint)
    assert made.inputs["userData"] == secret("#cloud-config\n")
    assert made.diff()["changes"] == "DIFF_NONE"


def test_two_droplets_are_made_at_the_same_time(
    plugin: PluginProcess, hypervisor: MemoryHypervisor, api: Api
) -> None:
    hypervisor.gate.clear()
    with ThreadPoolExecutor(2) as threads:
        makings = [
            threads.submit(Made, plugin, WEB, {**SERVER, "name": name}) for name in ("web", "db")
        ]
        deadline = time.monotonic() + 10
        while len(api.ok("GET", "/v2/droplets")["droplets"]) < 2:
            assert time.monotonic() < deadline, "the second droplet waited for the first"
            time.sleep(0.05)
        hypervisor.gate.set()
        assert {making.result().state["name"] for making in makings} == {"web", "db"}


def test_a_droplet_that_fails_to_boot_is_told_with_the_reason_and_leaves_nothing(
    plugin: PluginProcess, hypervisor: MemoryHypervisor, api: Api
) -> None:
    hypervisor.failures["create"] = "the image has no init"
    with pytest.raises(PluginError, match="the image has no init"):
        Made(plugin, WEB, SERVER)
    assert api.ok("GET", "/v2/droplets")["droplets"] == []


def test_an_interrupted_creation_is_kept_in_the_state(
    plugin: PluginProcess, hypervisor: MemoryHypervisor, api: Api
) -> None:
    hypervisor.gate.clear()
    interruption = threading.Timer(1, plugin.cancel)
    interruption.start()
    with pytest.raises(PluginError, match="interrupted") as caught:
        Made(plugin, WEB, SERVER)
    droplet = api.ok("GET", "/v2/droplets")["droplets"][0]
    assert caught.value.kept_id == str(droplet["id"])
    interruption.join()
    hypervisor.gate.set()


def test_a_new_size_powers_the_droplet_off_and_on(
    plugin: PluginProcess, hypervisor: MemoryHypervisor
) -> None:
    made = Made(plugin, WEB, SERVER)
    assert made.diff(size="s-1vcpu-2gb")["detailedDiff"] == {"size": {"kind": "UPDATE"}}
    before = len(hypervisor.calls)
    state = made.update(size="s-1vcpu-2gb")
    assert (state["size"], state["memory"], state["status"]) == ("s-1vcpu-2gb", 2048, "active")
    assert [name for name, _ in hypervisor.calls[before:] if name.startswith(("power", "start"))]


def test_tags_and_name_change_in_place(plugin: PluginProcess, api: Api) -> None:
    made = Made(plugin, WEB, SERVER)
    diff = made.diff(tags=["web", "blue"], name="web-2")
    assert diff["detailedDiff"] == {"name": {"kind": "UPDATE"}, "tags[1]": {}}
    assert "replaces" not in diff
    state = made.update(tags=["web", "blue"], name="web-2")
    assert state["tags"] == ["blue", "web"]
    droplet = api.read_droplet(int(made.id))
    assert (droplet["name"], sorted(droplet["tags"])) == ("web-2", ["blue", "web"])


@pytest.mark.parametrize(
    "changes",
    [
        {"userData": "#cloud-config\n{}"},
        {"image": "debian-13-x64"},
        {"region": "lon1"},
        {"sshKeys": ["1"]},
        {"vpcUuid": UNKNOWN},
        {"monitoring": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_fixed_at_creation_needs_a_new_droplet(
    plugin: PluginProcess, changes: dict[str, Any]
) -> None:
    diff = Made(plugin, WEB, SERVER).diff(**changes)
    assert diff["replaces"] == list(changes)
    assert diff["deleteBeforeReplace"], "the name is taken until the old droplet is gone"


def test_a_droplet_with_an_automatic_name_is_replaced_before_it_is_deleted(
    plugin: PluginProcess,
) -> None:
    unnamed = {name: value for name, value in SERVER.items() if name != "name"}
    diff = Made(plugin, WEB, unnamed).diff(userData="#cloud-config\n{}")
    assert diff["replaces"] == ["userData"]
    assert "deleteBeforeReplace" not in diff


def test_an_ignored_change_is_none(plugin: PluginProcess) -> None:
    made = Made(plugin, WEB, SERVER)
    assert made.diff(("userData",), userData="other")["changes"] == "DIFF_NONE"


def test_the_order_of_a_set_and_the_case_of_a_tag_are_no_change(plugin: PluginProcess) -> None:
    made = Made(plugin, WEB, {**SERVER, "tags": ["b", "a"]})
    assert made.diff(tags=["A", "b"])["changes"] == "DIFF_NONE"
    guard = Made(plugin, FIREWALL, GUARD)
    assert guard.diff(inboundRules=[WEB_RULE, SSH_RULE])["changes"] == "DIFF_NONE"


def test_a_changed_rule_is_shown_as_a_change_of_that_rule(plugin: PluginProcess) -> None:
    made = Made(plugin, FIREWALL, GUARD)
    rules = [SSH_RULE, {**WEB_RULE, "portRange": "8080"}]
    assert made.diff(inboundRules=rules)["detailedDiff"] == {
        "inboundRules[1].portRange": {"kind": "UPDATE"}
    }
    made.update(inboundRules=rules)
    assert [rule["portRange"] for rule in made.state["inboundRules"]] == ["22", "8080"]


def test_a_firewall_without_rules_is_refused(plugin: PluginProcess) -> None:
    with pytest.raises(PluginError, match="At least one rule must be specified"):
        plugin.create(FIREWALL, {"name": "guard"}, preview=True)


def test_a_deleted_droplet_is_gone(plugin: PluginProcess, api: Api) -> None:
    made = Made(plugin, WEB, SERVER)
    made.delete()
    assert api.ok("GET", "/v2/droplets")["droplets"] == []
    assert "id" not in made.refresh()
    made.delete()


def test_a_network_is_deleted_once_its_droplets_are_gone(plugin: PluginProcess, api: Api) -> None:
    network = Made(plugin, VPC, {"region": "fra1", "ipRange": "10.9.0.0/24"})
    droplet = Made(plugin, WEB, {**SERVER, "vpcUuid": network.id})
    with ThreadPoolExecutor(1) as threads:
        deletion = threads.submit(network.delete)
        time.sleep(0.5)
        assert not deletion.done(), "the droplet is still a member"
        droplet.delete()
        deletion.result()
    assert network.id not in {vpc["id"] for vpc in api.ok("GET", "/v2/vpcs")["vpcs"]}


def test_a_refresh_shows_what_was_changed_by_hand(plugin: PluginProcess, api: Api) -> None:
    made = Made(plugin, WEB, SERVER)
    api.act(int(made.id), type="rename", name="by-hand")
    found = made.refresh()
    assert found["properties"]["name"] == "by-hand"
    assert found["inputs"]["name"] == "by-hand"
    assert found["inputs"]["userData"] == SERVER["userData"]


@pytest.mark.parametrize(
    ("address", "program"),
    [
        (WEB, SERVER),
        (VPC, {"name": "net", "region": "fra1", "ipRange": "10.9.0.0/24"}),
        (KEY_PAIR, {"name": "deploy", "publicKey": PUBLIC_KEY}),
        (TAG, {"name": "role"}),
        (FIREWALL, GUARD),
    ],
    ids=["droplet", "vpc", "key", "tag", "firewall"],
)
def test_an_import_finds_the_inputs_of_the_program(
    plugin: PluginProcess, address: str, program: dict[str, object]
) -> None:
    made = Made(plugin, address, program)
    found = plugin.read(address, made.id)
    assert found["id"] == made.id
    unseen = {"userData"}
    assert program.keys() - unseen <= found["inputs"].keys()
    assert found["inputs"]["name"] == program["name"]


def test_a_preview_says_which_values_come_later(plugin: PluginProcess) -> None:
    answer = plugin.create(WEB, plugin.check(WEB, SERVER)["inputs"], preview=True)
    properties = answer["properties"]
    assert properties["ipv4Address"] == UNKNOWN
    assert properties["id"] == UNKNOWN
    assert properties["size"] == "s-1vcpu-1gb"
    assert properties["backups"] is False


def test_an_error_of_the_api_is_shown_with_status_and_message(plugin: PluginProcess) -> None:
    with pytest.raises(PluginError, match=r"POST http.*/v2/droplets: 422 .*size") as caught:
        Made(plugin, WEB, {**SERVER, "size": "s-99vcpu"})
    assert TOKEN not in str(caught.value)


def test_a_wrong_token_is_refused_without_being_shown(api: Api) -> None:
    with PluginProcess(STAND_IN) as plugin:
        plugin.configure({"token": "wrong-token", "apiEndpoint": api.url})
        with pytest.raises(PluginError, match="401") as caught:
            Made(plugin, TAG, {"name": "role"})
    assert "wrong-token" not in str(caught.value)


def test_a_missing_token_is_named() -> None:
    nothing = {"DIGITALOCEAN_TOKEN": "", "DIGITALOCEAN_ACCESS_TOKEN": ""}
    with PluginProcess(STAND_IN, nothing) as plugin:
        plugin.configure({"apiEndpoint": "http://127.0.0.1:9"})
        with pytest.raises(PluginError, match="DIGITALOCEAN_TOKEN"):
            Made(plugin, TAG, {"name": "role"})


def test_token_and_endpoint_may_come_from_the_environment(api: Api) -> None:
    settings = {"DIGITALOCEAN_TOKEN": TOKEN, "DIGITALOCEAN_API_URL": api.url}
    with PluginProcess(STAND_IN, settings) as plugin:
        plugin.configure({})
        assert Made(plugin, TAG, {"name": "role"}).id == "role"


def test_a_cloud_that_does_not_run_is_one_clear_error() -> None:
    with PluginProcess(STAND_IN) as plugin:
        plugin.configure({"token": TOKEN, "apiEndpoint": "http://127.0.0.1:9"})
        with pytest.raises(PluginError, match="Is the local cloud running") as caught:
            Made(plugin, TAG, {"name": "role"})
    assert TOKEN not in str(caught.value)


def test_a_token_never_goes_over_plain_http_to_another_machine() -> None:
    with PluginProcess(STAND_IN) as plugin:
        plugin.configure({"token": TOKEN, "apiEndpoint": "http://192.0.2.1:9"})
        with pytest.raises(PluginError, match="non-https"):
            Made(plugin, TAG, {"name": "role"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"httpRetryMax": "often"}, "httpRetryMax is 'often', but has to be a number"),
        ({"endpoint": "x"}, "`digitalocean:endpoint` is not a valid configuration key"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, str], message: str) -> None:
    with PluginProcess(STAND_IN) as plugin:
        try:
            said = str(plugin.check_config(settings)["failures"])
        except PluginError as error:
            said = str(error)
    assert message in said


@pytest.mark.parametrize(
    "token",
    ["digitalocean:index/volume:Volume", "digitalocean:index/databaseCluster:DatabaseCluster"],
)
def test_any_other_resource_is_refused_by_name(token: str) -> None:
    with (
        PluginProcess(STAND_IN) as plugin,
        pytest.raises(PluginError, match="Install the official plugin") as caught,
    ):
        plugin.check(urn(token, "other"), {})
    assert token in str(caught.value)


def test_any_function_is_refused_by_name() -> None:
    with (
        PluginProcess(STAND_IN) as plugin,
        pytest.raises(PluginError, match=r"getImage.*Install the official plugin"),
    ):
        plugin.invoke("digitalocean:index/getImage:getImage", {})

"""Certificates and reserved IPs of the stand-in, against the local cloud's API."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import pytest

from tests.local_cloud.api.conftest import Api
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor
from tests.local_cloud.api.test_api_certificates import Chain, have_domain
from tests.local_cloud.plugins.digitalocean.plugin_process import (
    UNKNOWN,
    PluginError,
    PluginProcess,
    secret,
    urn,
)
from tests.local_cloud.plugins.digitalocean.words import SERVER, WEB, Made

CERTIFICATE = urn("digitalocean:index/certificate:Certificate", "www")
RESERVED = urn("digitalocean:index/reservedIp:ReservedIp", "front")
BALANCER = urn("digitalocean:index/loadBalancer:LoadBalancer", "front")
OWN: dict[str, Any] = {"name": "www", "type": "lets_encrypt", "domains": ["www.example.test"]}
TLS_RULE: dict[str, Any] = {
    "entryProtocol": "https",
    "entryPort": 443,
    "targetProtocol": "http",
    "targetPort": 80,
    "certificateName": "www",
}
FRONT: dict[str, Any] = {"name": "front", "region": "fra1", "forwardingRules": [TLS_RULE]}


def fingerprint(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def brought_along(chain: Chain) -> dict[str, Any]:
    return {
        "name": "own",
        "privateKey": secret(chain.key),
        "leafCertificate": chain.leaf,
        "certificateChain": chain.middle,
    }


@pytest.fixture(autouse=True)
def domain(api: Api) -> None:
    """The account has the domain of the names here."""
    have_domain(api)


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain()


def test_a_certificate_is_returned_when_it_is_verified(plugin: PluginProcess) -> None:
    made = Made(plugin, CERTIFICATE, OWN)
    assert (made.id, made.state["state"]) == ("www", "verified")
    assert made.state["domains"] == ["www.example.test"]
    assert made.state["uuid"] != made.id
    assert made.state["notAfter"]
    assert made.diff()["changes"] == "DIFF_NONE"


def test_of_a_key_only_a_fingerprint_is_kept_and_that_is_a_secret(
    plugin: PluginProcess, chain: Chain
) -> None:
    made = Made(plugin, CERTIFICATE, brought_along(chain))
    assert made.state["privateKey"] == secret(fingerprint(chain.key))
    assert made.state["leafCertificate"] == fingerprint(chain.leaf)
    assert made.state["domains"] == ["own.example.test"]
    assert made.diff()["changes"] == "DIFF_NONE"
    assert made.refresh()["properties"]["privateKey"] == secret(fingerprint(chain.key))


def test_a_key_that_the_program_calls_no_secret_is_one_all_the_same(
    plugin: PluginProcess, chain: Chain
) -> None:
    made = Made(plugin, CERTIFICATE, {**brought_along(chain), "privateKey": chain.key})
    assert made.state["privateKey"] == secret(fingerprint(chain.key))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"domains": ["www.example.test", "example.test"]},
        {"domains": [UNKNOWN]},
        {"type": "custom", "domains": None},
    ],
    ids=["name", "one more", "unknown", "type"],
)
def test_every_change_needs_a_new_one(plugin: PluginProcess, change: dict[str, Any]) -> None:
    assert Made(plugin, CERTIFICATE, OWN).diff(**change)["replaces"]


def test_another_leaf_needs_a_new_certificate(plugin: PluginProcess, chain: Chain) -> None:
    made = Made(plugin, CERTIFICATE, brought_along(chain))
    diff = made.diff(leafCertificate=Chain().leaf)
    assert diff["replaces"] == ["leafCertificate"]


def test_a_renewal_is_no_change(plugin: PluginProcess, api: Api) -> None:
    made = Made(plugin, CERTIFICATE, OWN)
    front = Made(plugin, BALANCER, FRONT)
    api.ok("POST", "/local/certificates/www/renew")
    for one in (made, front):
        found = one.refresh()
        before, one.state = one.state, found["properties"]
        assert one.diff()["changes"] == "DIFF_NONE"
        assert found["id"] == one.id
        assert before.keys() == one.state.keys()
    assert made.state["uuid"] in str(api.ok("GET", "/v2/load_balancers"))


def test_a_rule_names_its_certificate(plugin: PluginProcess, api: Api) -> None:
    made = Made(plugin, CERTIFICATE, OWN)
    front = Made(plugin, BALANCER, FRONT)
    (rule,) = front.state["forwardingRules"]
    assert (rule["certificateName"], rule["certificateId"]) == ("www", "www")
    (told,) = api.ok("GET", f"/v2/load_balancers/{front.id}")["load_balancer"]["forwarding_rules"]
    assert told["certificate_id"] == made.state["uuid"]
    assert front.diff()["changes"] == "DIFF_NONE"
    plain = {**TLS_RULE, "entryProtocol": "http", "entryPort": 80, "certificateName": None}
    plain = {name: value for name, value in plain.items() if value is not None}
    front.update(forwardingRules=[TLS_RULE, plain])
    assert front.diff()["changes"] == "DIFF_NONE"
    assert len(front.state["forwardingRules"]) == 2


@pytest.mark.parametrize("by", ["uuid", "name"])
def test_a_rule_may_have_the_old_word_for_it(plugin: PluginProcess, by: str) -> None:
    made = Made(plugin, CERTIFICATE, OWN)
    rule = {name: value for name, value in TLS_RULE.items() if name != "certificateName"}
    front = Made(
        plugin, BALANCER, {**FRONT, "forwardingRules": [{**rule, "certificateId": made.state[by]}]}
    )
    (told,) = front.state["forwardingRules"]
    assert (told["certificateName"], told["certificateId"]) == ("www", "www")


def test_a_rule_without_its_certificate_is_an_error(plugin: PluginProcess) -> None:
    with pytest.raises(PluginError, match="certificate not found"):
        Made(plugin, BALANCER, FRONT)


def test_one_is_deleted_once_no_load_balancer_has_it(plugin: PluginProcess, api: Api) -> None:
    made = Made(plugin, CERTIFICATE, OWN)
    front = Made(plugin, BALANCER, FRONT)
    deletion = threading.Thread(target=made.delete)
    deletion.start()
    deletion.join(0.5)
    assert deletion.is_alive(), "it is in use"
    front.delete()
    deletion.join(20)
    assert api.ok("GET", "/v2/certificates")["certificates"] == []
    made.delete()
    assert "id" not in made.refresh()


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ({"name": "www"}, "`private_key` is required for when type is `custom` or empty"),
        ({"name": "www", "type": "lets_encrypt"}, "`domains` is required for when type is `lets"),
    ],
)
def test_what_a_type_cannot_do_without_is_named(
    plugin: PluginProcess, program: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PluginError, match=reason):
        Made(plugin, CERTIFICATE, program)


def test_names_and_content_together_are_refused(plugin: PluginProcess, chain: Chain) -> None:
    program = {**brought_along(chain), "domains": ["www.example.test"]}
    (failure,) = plugin.check(CERTIFICATE, program)["failures"]
    assert '"domains": conflicts with private_key' in failure["reason"]


def test_an_address_leads_to_one_droplet_and_then_to_another(
    plugin: PluginProcess, hypervisor: MemoryHypervisor
) -> None:
    first, second = (Made(plugin, WEB, {**SERVER, "name": name}) for name in ("one", "two"))
    made = Made(plugin, RESERVED, {"region": "FRA1", "dropletId": int(first.id)})
    assert made.id == made.state["ipAddress"]
    assert made.state["reservedIpUrn"] == f"do:reservedip:{made.id}"
    assert (made.state["region"], made.state["dropletId"]) == ("fra1", int(first.id))
    assert made.diff()["changes"] == "DIFF_NONE"
    diff = made.diff(dropletId=int(second.id))
    assert diff["detailedDiff"] == {"dropletId": {"kind": "UPDATE"}}
    assert "replaces" not in diff
    made.update(dropletId=int(second.id))
    assert [each.machine_id for each in hypervisor.network.reserved] == [int(second.id)]
    assert made.update(dropletId=None).get("dropletId") is None
    assert not hypervisor.network.reserved
    assert made.diff(region="lon1")["replaces"] == ["region"]


def test_an_address_is_given_back_with_its_droplet_or_after_it(
    plugin: PluginProcess, api: Api
) -> None:
    droplet = Made(plugin, WEB, SERVER)
    made = Made(plugin, RESERVED, {"region": "fra1", "dropletId": int(droplet.id)})
    imported = plugin.read(RESERVED, made.id)
    assert imported["inputs"]["dropletId"] == int(droplet.id)
    droplet.delete()
    assert made.refresh()["id"] == made.id
    made.delete()
    assert api.ok("GET", "/v2/reserved_ips")["reserved_ips"] == []
    assert "id" not in made.refresh()


def test_an_address_that_is_none_is_refused(plugin: PluginProcess) -> None:
    program = {"region": "fra1", "ipAddress": "somewhere"}
    (failure,) = plugin.check(RESERVED, program)["failures"]
    assert "expected ip_address to contain a valid IPv4 address, got: somewhere" in str(failure)

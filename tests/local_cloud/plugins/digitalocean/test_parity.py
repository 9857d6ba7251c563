"""The official plugin and the stand-in give the same answers to the same requests.

Needs the official `pulumi-resource-digitalocean` 4.84.1 in the folder SLIPWAY_OFFICIAL_PLUGINS.
Each has a local cloud (without machines) of its own, so that ids and addresses are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from tests.local_cloud.api.conftest import KEY
from tests.local_cloud.plugins.digitalocean.comparison import comparable, differences
from tests.local_cloud.plugins.digitalocean.plugin_process import (
    UNKNOWN,
    PluginError,
    PluginProcess,
)
from tests.local_cloud.plugins.digitalocean.telling import Answers, Story, told_to_both
from tests.local_cloud.plugins.digitalocean.words import (
    ALIAS,
    FIREWALL,
    GUARD,
    KEY_PAIR,
    RECORD,
    SERVER,
    SSH_RULE,
    TAG,
    VPC,
    WEB,
    WEB_RULE,
    ZONE,
    Made,
)

Changes = dict[str, dict[str, Any]]

ICMP_RULE: dict[str, Any] = {"protocol": "icmp", "sourceAddresses": ["0.0.0.0/0"]}
DB_RULE: dict[str, Any] = {
    "protocol": "tcp",
    "portRange": "5432",
    "sourceTags": ["web"],
    "sourceDropletIds": [1001],
}
ALL_OUT: dict[str, Any] = {
    "protocol": "tcp",
    "portRange": "all",
    "destinationAddresses": ["0.0.0.0/0"],
}
UDP_OUT: dict[str, Any] = {**ALL_OUT, "protocol": "udp", "portRange": "1-65535"}
DROPLET: dict[str, Any] = {**SERVER, "tags": ["z", "b", "a"], "sshKeys": ["2", "1"]}

DROPLET_CHANGES: Changes = {
    "nothing": {},
    "the order": {"tags": ["a", "b", "z"], "sshKeys": ["1", "2"]},
    "the case of a tag": {"tags": ["Z", "b", "a"]},
    "a new tag": {"tags": ["z", "b", "a", "n"]},
    "a new tag in front": {"tags": ["n", "z", "b", "a"]},
    "one tag less": {"tags": ["z", "b"]},
    "another tag": {"tags": ["z", "c", "a"]},
    "no tags": {"tags": None},
    "empty tags": {"tags": []},
    "an unknown tag": {"tags": ["z", UNKNOWN]},
    "user data": {"userData": "#cloud-config\n{}"},
    "unknown user data": {"userData": UNKNOWN},
    "no user data": {"userData": None},
    "size": {"size": "s-1vcpu-2gb"},
    "the case of the size": {"size": "S-1VCPU-1GB"},
    "region": {"region": "lon1"},
    "the case of the region": {"region": "FRA1"},
    "no region": {"region": None},
    "name": {"name": "web-2"},
    "an unknown name": {"name": UNKNOWN},
    "image": {"image": "debian-13-x64"},
    "an image by number": {"image": 77},
    "one key less": {"sshKeys": ["1"]},
    "another key": {"sshKeys": ["2", "3"]},
    "no keys": {"sshKeys": None},
    "an unknown key": {"sshKeys": ["2", UNKNOWN]},
    "network": {"vpcUuid": "another"},
    "an unknown network": {"vpcUuid": UNKNOWN},
    "monitoring": {"monitoring": True},
    "ipv6": {"ipv6": True},
    "backups": {"backups": True},
    "a backup policy": {"backups": True, "backupPolicy": {"plan": "daily", "hour": 4}},
    "graceful shutdown": {"gracefulShutdown": True},
    "resize disk": {"resizeDisk": False},
    "agent": {"dropletAgent": True},
    "no agent": {"dropletAgent": False},
    "no public address": {"publicNetworking": False},
    "a public address": {"publicNetworking": True},
    "volumes": {"volumeIds": ["v1"]},
    "several": {"size": "s-1vcpu-2gb", "tags": ["q"], "userData": "other"},
}
FIREWALL_CHANGES: Changes = {
    "nothing": {},
    "the order": {"inboundRules": [DB_RULE, WEB_RULE, SSH_RULE]},
    "a port": {"inboundRules": [SSH_RULE, {**WEB_RULE, "portRange": "8080"}, DB_RULE]},
    "an address": {
        "inboundRules": [
            SSH_RULE,
            {**WEB_RULE, "sourceAddresses": ["10.0.0.0/8", "11.0.0.0/8"]},
            DB_RULE,
        ]
    },
    "a new rule": {"inboundRules": [SSH_RULE, WEB_RULE, DB_RULE, {**WEB_RULE, "portRange": "443"}]},
    "a new rule in front": {
        "inboundRules": [{**WEB_RULE, "portRange": "443"}, SSH_RULE, WEB_RULE, DB_RULE]
    },
    "a rule without ports": {"inboundRules": [SSH_RULE, WEB_RULE, DB_RULE, ICMP_RULE]},
    "one rule less": {"inboundRules": [SSH_RULE, DB_RULE]},
    "the tags of a rule": {
        "inboundRules": [SSH_RULE, WEB_RULE, {**DB_RULE, "sourceTags": ["web", "db"]}]
    },
    "an unknown droplet in a rule": {
        "inboundRules": [SSH_RULE, WEB_RULE, {**DB_RULE, "sourceDropletIds": [UNKNOWN]}]
    },
    "an unknown port": {"inboundRules": [SSH_RULE, {**WEB_RULE, "portRange": UNKNOWN}, DB_RULE]},
    "unknown rules": {"inboundRules": UNKNOWN},
    "one unknown rule": {"inboundRules": [SSH_RULE, WEB_RULE, UNKNOWN]},
    "droplets": {"dropletIds": [1001]},
    "unknown droplets": {"dropletIds": [UNKNOWN]},
    "tags": {"tags": ["a"]},
    "name": {"name": "other"},
    "no rules out": {"outboundRules": None},
    "a rule out more": {"outboundRules": [ALL_OUT, UDP_OUT]},
    "another rule out": {"outboundRules": [UDP_OUT]},
}
VPC_CHANGES: Changes = {
    "nothing": {},
    "range": {"ipRange": "10.2.0.0/16"},
    "no range": {"ipRange": None},
    "an unknown range": {"ipRange": UNKNOWN},
    "name": {"name": "other"},
    "description": {"description": "the first"},
    "an empty description": {"description": ""},
    "region": {"region": "lon1"},
}


def changed(made: Made, changes: Changes) -> Answers:
    """The differences and, where nothing is replaced, the previews of each change."""
    answers: Answers = {"created": made.state, "inputs": made.inputs}
    for name, change in changes.items():
        diff = answers[f"diff of {name}"] = made.diff(**change)
        diff["replaces"] = sorted(set(diff.get("replaces", [])))
        if diff["changes"] == "DIFF_SOME" and not diff["replaces"]:
            answers[f"preview of {name}"] = made.preview(**change)
    return answers


def lived(made: Made, *changes: dict[str, Any]) -> Answers:
    """A resource's life: refreshed, imported, updated, refreshed again, deleted."""
    answers: Answers = {"refreshed": made.refresh()}
    answers["imported"] = made.plugin.read(made.address, made.id)
    for number, change in enumerate(changes):
        answers[f"update {number}"] = made.update(**change)
        answers[f"refresh {number}"] = made.refresh()
    made.delete()
    answers["gone"] = "id" in made.plugin.read(made.address, made.id)
    return answers


def a_droplet(plugin: PluginProcess) -> Answers:
    key = Made(plugin, KEY_PAIR, {"publicKey": KEY})
    made = Made(plugin, WEB, {**DROPLET, "sshKeys": [key.state["fingerprint"]]})
    answers = lived(made, {"size": "s-1vcpu-2gb", "tags": ["q", "z"]}, {"tags": None})
    return {**answers, **changed(Made(plugin, WEB, {**SERVER, "tags": None}), {})}


def changes_of_a_droplet(plugin: PluginProcess) -> Answers:
    plain = {name: value for name, value in DROPLET.items() if name != "sshKeys"}
    made = Made(plugin, WEB, plain)
    # Keys that no API knows: only the comparison is of interest here.
    made.program, made.inputs = DROPLET, {**made.inputs, "sshKeys": ["2", "1"]}
    made.state = {**made.state, "sshKeys": ["1", "2"]}
    return changed(made, DROPLET_CHANGES)


def previews_of_droplets(plugin: PluginProcess) -> Answers:
    programs: Changes = {
        "plain": DROPLET,
        "bare": {"image": "debian-12-x64", "size": "s-1vcpu-1gb", "name": "web"},
        "upper case": {**DROPLET, "region": "FRA1", "size": "S-1VCPU-1GB"},
        "unknown": {**DROPLET, "vpcUuid": UNKNOWN, "userData": UNKNOWN, "tags": [UNKNOWN, "x"]},
        "backups": {**DROPLET, "backups": True, "backupPolicy": {"plan": "daily", "hour": 4}},
    }
    return {
        name: plugin.create(WEB, plugin.check(WEB, program)["inputs"], preview=True)
        for name, program in programs.items()
    }


def a_firewall(plugin: PluginProcess) -> Answers:
    Made(plugin, WEB, {**SERVER, "tags": ["a", "db", "web"]})
    program = {**GUARD, "inboundRules": [SSH_RULE, WEB_RULE, DB_RULE], "outboundRules": [ALL_OUT]}
    made = Made(plugin, FIREWALL, program)
    answers = changed(made, FIREWALL_CHANGES)
    updates = ("a port", "a rule without ports", "droplets", "tags", "no rules out")
    return {**answers, **lived(made, *(FIREWALL_CHANGES[name] for name in updates))}


def a_network(plugin: PluginProcess) -> Answers:
    program = {"name": "net", "region": "fra1", "ipRange": "10.1.0.0/16"}
    made = Made(plugin, VPC, program)
    answers = changed(made, VPC_CHANGES)
    return {**answers, **lived(made, {"description": "the first"}, {"name": "other"})}


def a_key(plugin: PluginProcess) -> Answers:
    made = Made(plugin, KEY_PAIR, {"name": "deploy", "publicKey": KEY})
    changes: Changes = {
        "nothing": {},
        "a line end": {"publicKey": KEY + "\n"},
        "key": {"publicKey": KEY.replace("someone", "another")},
        "an unknown key": {"publicKey": UNKNOWN},
        "name": {"name": "other"},
    }
    return {**changed(made, changes), **lived(made, {"name": "other"})}


def a_tag(plugin: PluginProcess) -> Answers:
    made = Made(plugin, TAG, {"name": "role"})
    return {**changed(made, {"nothing": {}, "name": {"name": "other"}}), **lived(made)}


def a_domain(plugin: PluginProcess) -> Answers:
    made = Made(plugin, ZONE, {"name": "example.com", "ipAddress": "192.0.2.1"})
    found = plugin.invoke("digitalocean:index/getDomain:getDomain", {"name": "example.com"})
    # Two clouds number their zones by the second in which they were made.
    del found["return"]["zoneFile"]
    changes: Changes = {
        "nothing": {},
        "name": {"name": "example.org"},
        "an unknown name": {"name": UNKNOWN},
        "no address": {"ipAddress": None},
        "another address": {"ipAddress": "192.0.2.2"},
    }
    return {"found": found, **changed(made, changes), **lived(made)}


def records(plugin: PluginProcess) -> Answers:
    Made(plugin, ZONE, {"name": "example.com"})
    programs: Changes = {
        "address": {"type": "A", "value": "192.0.2.1"},
        "whole name": {"type": "A", "name": "a.example.com.", "value": "192.0.2.1", "ttl": 60},
        "apex": {"type": "A", "name": "example.com.", "value": "192.0.2.1"},
        "alias": {"type": "CNAME", "name": "www", "value": "shop.example.org."},
        "alias of the apex": {"type": "CNAME", "name": "web", "value": "example.com."},
        "mail": {"type": "MX", "name": "@", "value": "mail.example.org.", "priority": 0},
        "text": {"type": "TXT", "name": "@", "value": "v=spf1 -all"},
        "authority": {"type": "CAA", "name": "@", "value": "a.org.", "flags": 0, "tag": "issue"},
        "report": {"type": "CAA", "name": "@", "value": "mailto:a@b.c", "flags": 0, "tag": "iodef"},
    }
    answers: Answers = {}
    for name, program in programs.items():
        made = Made(plugin, RECORD, {"domain": "example.com", **program})
        answers[name] = changed(made, {"nothing": {}})
        answers[f"refreshed {name}"] = made.refresh()
    return answers


def changes_of_a_record(plugin: PluginProcess) -> Answers:
    Made(plugin, ZONE, {"name": "example.com"})
    made = Made(plugin, RECORD, ALIAS)
    changes: Changes = {
        "nothing": {},
        "name": {"name": "shop"},
        "no name": {"name": None},
        "the whole name": {"name": "www.example.com."},
        "value": {"value": "a.example.org."},
        "an unknown value": {"value": UNKNOWN},
        "ttl": {"ttl": 60},
        "type": {"type": "TXT"},
        "domain": {"domain": "example.org"},
        "an unknown domain": {"domain": UNKNOWN},
        "priority": {"priority": 10},
        "a zero": {"priority": 0, "port": 0},
    }
    answers = changed(made, changes)
    for kind in ("MX", "SRV", "CAA"):
        try:
            plugin.create(RECORD, {**ALIAS, "type": kind}, preview=True)
        except PluginError as error:
            answers[f"incomplete {kind}"] = "is required for when type is" in str(error)
    return {**answers, **lived(made, {"ttl": 60}, {"value": "a.example.org.", "ttl": None})}


def wrong_inputs(plugin: PluginProcess) -> Answers:
    bare = {"image": "debian-12-x64", "size": "s-1vcpu-1gb"}
    checks: dict[str, tuple[str, dict[str, Any]]] = {
        "no size": (WEB, {"image": "debian-12-x64"}),
        "unknown property": (WEB, {**bare, "colour": "red"}),
        "text for flag": (WEB, {**bare, "backups": "maybe"}),
        "text for a good flag": (WEB, {**bare, "backups": "true"}),
        "number for text": (WEB, {**bare, "image": 12}),
        "text for set": (WEB, {**bare, "tags": "a"}),
        "bad tag": (WEB, {**bare, "tags": ["a b"]}),
        "empty image": (WEB, {**bare, "image": ""}),
        "policy without backups": (WEB, {**bare, "backupPolicy": {"hour": 4}}),
        "bad range": (VPC, {"region": "fra1", "ipRange": "10.0.0.0"}),
        "long description": (VPC, {"region": "fra1", "description": "x" * 256}),
        "no key": (KEY_PAIR, {}),
        "bad tag name": (TAG, {"name": "a b"}),
        "no domain name": (ZONE, {}),
        "empty domain name": (ZONE, {"name": ""}),
        "bad record type": (RECORD, {**ALIAS, "type": "PTR"}),
        "short life": (RECORD, {**ALIAS, "ttl": 0}),
        "bad priority": (RECORD, {**ALIAS, "priority": 65536}),
        "bad record tag": (RECORD, {**ALIAS, "tag": "issuemail"}),
        "no value": (RECORD, {"domain": "example.com", "type": "A"}),
        "bad protocol": (FIREWALL, {"inboundRules": [{"protocol": "sctp", "portRange": "1"}]}),
        "no protocol": (FIREWALL, {"inboundRules": [{"portRange": "1"}]}),
        "unknown in rule": (FIREWALL, {"inboundRules": [{"protocol": "tcp", "color": "x"}]}),
    }
    return {name: plugin.check(address, inputs) for name, (address, inputs) in checks.items()}


def configuration(plugin: PluginProcess) -> Answers:
    old = {"token": "a", "apiEndpoint": "https://one"}
    return {
        "unknown": plugin.check_config({"endpoint": "x"}).get("failures"),
        "good": plugin.check_config({"token": "x", "httpRetryMax": "2"}),
        "empty": plugin.check_config({}),
        "changed": plugin.diff_config(old, {"token": "b"})["changes"],
    }


STORIES: tuple[Story, ...] = (
    a_droplet,
    changes_of_a_droplet,
    previews_of_droplets,
    a_firewall,
    a_network,
    a_key,
    a_tag,
    a_domain,
    records,
    changes_of_a_record,
    wrong_inputs,
    configuration,
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Future[Answers]]]]:
    yield from told_to_both(tmp_path_factory, STORIES)


@pytest.mark.parametrize("story", [story.__name__ for story in STORIES])
def test_the_stand_in_answers_as_the_official_plugin(
    story: str, told: dict[str, list[Future[Answers]]]
) -> None:
    official, ours = (answers.result() for answers in told[story])
    assert differences(comparable(official), comparable(ours)) == []

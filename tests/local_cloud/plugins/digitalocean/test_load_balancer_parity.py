"""Load balancers: the official plugin and the stand-in give the same answers (see test_parity)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from tests.local_cloud.plugins.digitalocean.comparison import comparable, differences
from tests.local_cloud.plugins.digitalocean.plugin_process import (
    UNKNOWN,
    PluginError,
    PluginProcess,
    urn,
)
from tests.local_cloud.plugins.digitalocean.telling import Answers, Story, told_to_both
from tests.local_cloud.plugins.digitalocean.test_parity import Changes, changed, lived
from tests.local_cloud.plugins.digitalocean.words import SERVER, TAG, WEB, Made

FRONT = urn("digitalocean:index/loadBalancer:LoadBalancer", "front")
RULE: dict[str, Any] = {
    "entryProtocol": "http",
    "entryPort": 80,
    "targetProtocol": "http",
    "targetPort": 8000,
}
TCP_RULE: dict[str, Any] = {
    "entryProtocol": "tcp",
    "entryPort": 2222,
    "targetProtocol": "tcp",
    "targetPort": 22,
}
CHECK: dict[str, Any] = {
    "protocol": "http",
    "port": 8000,
    "path": "/healthz",
    "checkIntervalSeconds": 3,
    "responseTimeoutSeconds": 3,
    "healthyThreshold": 2,
    "unhealthyThreshold": 2,
}
COOKIE = {"type": "cookies", "cookieName": "seat", "cookieTtlSeconds": 300}
BARE: dict[str, Any] = {"name": "front", "region": "fra1", "forwardingRules": [RULE]}
WHOLE: dict[str, Any] = {**BARE, "healthcheck": CHECK, "dropletIds": [1001]}

CHANGES: Changes = {
    "nothing": {},
    "name": {"name": "facade"},
    "region": {"region": "lon1"},
    "the case of the region": {"region": "FRA1"},
    "one rule more": {"forwardingRules": [RULE, TCP_RULE]},
    "one rule more in front": {"forwardingRules": [TCP_RULE, RULE]},
    "another rule": {"forwardingRules": [TCP_RULE]},
    "a port": {"forwardingRules": [{**RULE, "targetPort": 9000}]},
    "an unknown port": {"forwardingRules": [{**RULE, "targetPort": UNKNOWN}]},
    "unknown rules": {"forwardingRules": UNKNOWN},
    "one droplet more": {"dropletIds": [1002, 1001]},
    "another droplet": {"dropletIds": [1002]},
    "an unknown droplet": {"dropletIds": [1001, UNKNOWN]},
    "no droplets": {"dropletIds": None},
    "no droplets, in so many words": {"dropletIds": []},
    "a tag": {"dropletIds": None, "dropletTag": "web"},
    "path": {"healthcheck": {**CHECK, "path": "/"}},
    "a shorter check": {"healthcheck": {"protocol": "http", "port": 8000, "path": "/healthz"}},
    "no check": {"healthcheck": None},
    "cookies": {"stickySessions": COOKIE},
    "no cookies": {"stickySessions": {"type": "none"}},
    "proxy protocol": {"enableProxyProtocol": True},
    "keepalive": {"enableBackendKeepalive": True},
    "redirect": {"redirectHttpToHttps": True},
    "idle": {"httpIdleTimeoutSeconds": 90},
    "size unit": {"sizeUnit": 3},
    "the size it has": {"size": "lb-small"},
    "size": {"size": "lb-large"},
    "visitors": {"firewall": {"denies": ["ip:203.0.113.7"], "allows": ["cidr:0.0.0.0/0"]}},
    "denied visitors": {"firewall": {"denies": ["ip:203.0.113.7"]}},
    "the network it has": {"network": "EXTERNAL"},
    "network": {"network": "INTERNAL"},
    "network stack": {"networkStack": "IPV4"},
    "type": {"type": "REGIONAL_NETWORK"},
    "the type it has": {"type": "REGIONAL"},
    "vpc": {"vpcUuid": "another"},
    "an unknown vpc": {"vpcUuid": UNKNOWN},
    "cipher policy": {"tlsCipherPolicy": "STRONG"},
    "algorithm": {"algorithm": "least_connections"},
    "certificate records": {"disableLetsEncryptDnsRecords": True},
    "project": {"projectId": "another"},
}


def two_droplets(plugin: PluginProcess) -> None:
    for name in ("web", "second"):
        Made(plugin, WEB, {**SERVER, "name": name})


def a_load_balancer(plugin: PluginProcess) -> Answers:
    two_droplets(plugin)
    made = Made(plugin, FRONT, WHOLE)
    answers = changed(made, CHANGES)
    updates = (
        "one rule more",
        "one droplet more",
        "a shorter check",
        "cookies",
        "denied visitors",
        "size unit",
        "no check",
        "no droplets, in so many words",
        "name",
    )
    return {**answers, **lived(made, *(CHANGES[name] for name in updates))}


def a_bare_one(plugin: PluginProcess) -> Answers:
    return lived(Made(plugin, FRONT, BARE), {"enableBackendKeepalive": True})


def one_with_a_tag(plugin: PluginProcess) -> Answers:
    Made(plugin, TAG, {"name": "web"})
    made = Made(plugin, FRONT, {**BARE, "dropletTag": "web"})
    changes: Changes = {
        "nothing": {},
        "the case": {"dropletTag": "WEB"},
        "another tag": {"dropletTag": "app"},
        "an unknown tag": {"dropletTag": UNKNOWN},
        "droplets": {"dropletTag": None, "dropletIds": [1001]},
    }
    return {**changed(made, changes), **lived(made)}


def previews(plugin: PluginProcess) -> Answers:
    programs: Changes = {
        "bare": BARE,
        "whole": WHOLE,
        "upper case": {**BARE, "region": "FRA1"},
        "unknown": {**WHOLE, "dropletIds": [UNKNOWN], "vpcUuid": UNKNOWN},
        "cookies": {**BARE, "stickySessions": COOKIE},
        "visitors": {**BARE, "firewall": {"denies": ["ip:203.0.113.7"]}},
        "a short check": {**BARE, "healthcheck": {"protocol": "tcp", "port": 22}},
    }
    return {
        name: plugin.create(FRONT, plugin.check(FRONT, program)["inputs"], preview=True)
        for name, program in programs.items()
    }


def wrong_inputs(plugin: PluginProcess) -> Answers:
    programs: Changes = {
        "no name": {"region": "fra1", "forwardingRules": [RULE]},
        "bad protocol": {**BARE, "forwardingRules": [{**RULE, "entryProtocol": "ftp"}]},
        "bad port": {**BARE, "forwardingRules": [{**RULE, "entryPort": 0}]},
        "no port": {
            **BARE,
            "forwardingRules": [{"entryPort": 1, "entryProtocol": "tcp", "targetProtocol": "tcp"}],
        },
        "unknown property": {**BARE, "colour": "red"},
        "unknown in check": {**BARE, "healthcheck": {**CHECK, "colour": "red"}},
        "short interval": {**BARE, "healthcheck": {**CHECK, "checkIntervalSeconds": 2}},
        "no check port": {**BARE, "healthcheck": {"protocol": "tcp"}},
        "short cookie": {**BARE, "stickySessions": {**COOKIE, "cookieName": "a"}},
        "no time for cookie": {**BARE, "stickySessions": {**COOKIE, "cookieTtlSeconds": 0}},
        "bad type": {**BARE, "type": "LOCAL"},
        "bad network": {**BARE, "network": "OUTER"},
        "small type": {**BARE, "type": "regional"},
        "bad size": {**BARE, "size": "lb-tiny"},
        "no units": {**BARE, "sizeUnit": 0},
        "bad tag": {**BARE, "dropletTag": "a b"},
    }
    return {name: plugin.check(FRONT, inputs) for name, inputs in programs.items()}


def wrong_plans(plugin: PluginProcess) -> Answers:
    programs: Changes = {
        "no region": {"name": "front", "forwardingRules": [RULE]},
        "no region for regional": {"name": "f", "type": "REGIONAL", "forwardingRules": [RULE]},
        "no path": {**BARE, "healthcheck": {"protocol": "http", "port": 80}},
        "an unknown path": {**BARE, "healthcheck": {**CHECK, "path": UNKNOWN}},
        "a path for tcp": {**BARE, "healthcheck": {**CHECK, "protocol": "tcp"}},
        "no cookie": {**BARE, "stickySessions": {"type": "cookies"}},
        "a cookie too much": {**BARE, "stickySessions": {"type": "none", "cookieName": "seat"}},
    }
    answers: Answers = {}
    for name, program in programs.items():
        inputs = plugin.check(FRONT, program)["inputs"]
        try:
            answers[name] = plugin.create(FRONT, inputs, preview=True)
        except PluginError as error:
            # Before the reason each says in its own way where it was found.
            reason = str(error).strip().splitlines()[-1].rpartition("* ")[2]
            answers[name] = reason.removeprefix(f"{FRONT.split('::')[2]}: ")
    return answers


STORIES: tuple[Story, ...] = (
    a_load_balancer,
    a_bare_one,
    one_with_a_tag,
    previews,
    wrong_inputs,
    wrong_plans,
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

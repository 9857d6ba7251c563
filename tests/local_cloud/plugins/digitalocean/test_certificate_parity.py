"""Certificates, rules that name them and reserved IPs: the same answers (see test_parity)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from tests.local_cloud.api.test_api_certificates import Chain
from tests.local_cloud.plugins.digitalocean.comparison import comparable, differences
from tests.local_cloud.plugins.digitalocean.plugin_process import UNKNOWN, PluginProcess
from tests.local_cloud.plugins.digitalocean.telling import Answers, Story, told_to_both
from tests.local_cloud.plugins.digitalocean.test_certificates import (
    BALANCER,
    CERTIFICATE,
    FRONT,
    OWN,
    RESERVED,
    TLS_RULE,
    brought_along,
)
from tests.local_cloud.plugins.digitalocean.test_parity import Changes, changed, lived
from tests.local_cloud.plugins.digitalocean.words import SERVER, WEB, ZONE, Made

CHAIN, OTHER = Chain(), Chain()
PASSED: dict[str, Any] = {
    "entryProtocol": "https",
    "entryPort": 8443,
    "targetProtocol": "https",
    "targetPort": 443,
    "tlsPassthrough": True,
}


def one_of_the_provider(plugin: PluginProcess) -> Answers:
    Made(plugin, ZONE, {"name": "example.test"})
    made = Made(plugin, CERTIFICATE, OWN)
    changes: Changes = {
        "nothing": {},
        "name": {"name": "other"},
        "one more": {"domains": ["www.example.test", "example.test"]},
        "unknown names": {"domains": UNKNOWN},
        "type": {"type": "custom", "domains": None},
    }
    return {**changed(made, changes), **lived(made)}


def one_brought_along(plugin: PluginProcess) -> Answers:
    made = Made(plugin, CERTIFICATE, brought_along(CHAIN))
    changes: Changes = {
        "nothing": {},
        "key": {"privateKey": OTHER.key},
        "leaf": {"leafCertificate": OTHER.leaf},
        "an unknown leaf": {"leafCertificate": UNKNOWN},
        "no chain": {"certificateChain": None},
        "in so many words": {"type": "custom"},
    }
    return {**changed(made, changes), **lived(made)}


def a_rule_with_a_name(plugin: PluginProcess) -> Answers:
    Made(plugin, ZONE, {"name": "example.test"})
    Made(plugin, CERTIFICATE, OWN)
    Made(plugin, CERTIFICATE, {**OWN, "name": "second"})
    made = Made(plugin, BALANCER, FRONT)
    changes: Changes = {
        "nothing": {},
        "another name": {"forwardingRules": [{**TLS_RULE, "certificateName": "second"}]},
        "an unknown name": {"forwardingRules": [{**TLS_RULE, "certificateName": UNKNOWN}]},
        "one more": {"forwardingRules": [TLS_RULE, PASSED]},
        "redirect": {"redirectHttpToHttps": True},
    }
    updates = ({"forwardingRules": [TLS_RULE, PASSED]}, {"redirectHttpToHttps": True})
    return {**changed(made, changes), **lived(made, *updates)}


def an_address(plugin: PluginProcess) -> Answers:
    for name in ("web", "second"):
        Made(plugin, WEB, {**SERVER, "name": name})
    made = Made(plugin, RESERVED, {"region": "fra1", "dropletId": 1001})
    changes: Changes = {
        "nothing": {},
        "the case of the region": {"region": "FRA1"},
        "region": {"region": "lon1"},
        "droplet": {"dropletId": 1002},
        "an unknown droplet": {"dropletId": UNKNOWN},
        "no droplet": {"dropletId": None},
    }
    return {**changed(made, changes), **lived(made, {"dropletId": 1002}, {"dropletId": None})}


def wrong_inputs(plugin: PluginProcess) -> Answers:
    checks: dict[str, tuple[str, dict[str, Any]]] = {
        "bad type": (CERTIFICATE, {**OWN, "type": "other"}),
        "names and content": (CERTIFICATE, {**brought_along(CHAIN), "domains": ["a.test"]}),
        "an empty key": (CERTIFICATE, {**brought_along(CHAIN), "privateKey": ""}),
        "an empty name among names": (CERTIFICATE, {**OWN, "domains": [""]}),
        "no region": (RESERVED, {}),
        "no address": (RESERVED, {"region": "fra1", "ipAddress": "somewhere"}),
    }
    return {name: plugin.check(address, inputs) for name, (address, inputs) in checks.items()}


STORIES: tuple[Story, ...] = (
    one_of_the_provider,
    one_brought_along,
    a_rule_with_a_name,
    an_address,
    wrong_inputs,
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

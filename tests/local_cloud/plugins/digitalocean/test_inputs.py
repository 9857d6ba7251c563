"""What the stand-in makes of a program's inputs, before anything is asked of the API."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from local_cloud.plugins.digitalocean.check import Naming, checked
from local_cloud.plugins.digitalocean.droplet import DROPLET
from local_cloud.plugins.digitalocean.firewall import FIREWALL
from local_cloud.plugins.digitalocean.schema import Table
from local_cloud.plugins.digitalocean.ssh_key import SSH_KEY
from local_cloud.plugins.digitalocean.tag import TAG
from local_cloud.plugins.digitalocean.vpc import VPC
from local_cloud.plugins.shared_values import UNKNOWN, Properties
from tests.local_cloud.plugins.digitalocean.conftest import START

NAMING = Naming(resource_name="web", seed=b"seed")
DROPLET_INPUTS: Properties = {"image": "debian-12-x64", "size": "s-1vcpu-1gb"}


def test_a_resource_without_a_name_gets_one_that_no_other_has() -> None:
    inputs, failures = checked(DROPLET, DROPLET_INPUTS, {}, NAMING)
    assert failures == []
    assert re.fullmatch(r"web-[0-9a-f]{7}", inputs["name"])
    other, _ = checked(DROPLET, DROPLET_INPUTS, {}, Naming(resource_name="web", seed=b"other seed"))
    assert other["name"] != inputs["name"]


def test_an_automatic_name_stays_over_later_updates() -> None:
    old = {**DROPLET_INPUTS, "name": "web-1234567", "__defaults": ["name", "resizeDisk"]}
    inputs, _ = checked(DROPLET, DROPLET_INPUTS, old, NAMING)
    assert inputs["name"] == "web-1234567"
    assert inputs["__defaults"] == ["name", "resizeDisk"]


def test_defaults_are_filled_in_and_noted() -> None:
    inputs, _ = checked(DROPLET, {**DROPLET_INPUTS, "name": "web"}, {}, NAMING)
    assert inputs["resizeDisk"] is True
    assert inputs["__defaults"] == ["resizeDisk"]


def test_an_explicit_value_wins_over_the_default() -> None:
    inputs, _ = checked(DROPLET, {**DROPLET_INPUTS, "resizeDisk": False}, {}, NAMING)
    assert inputs["resizeDisk"] is False
    assert inputs["__defaults"] == ["name"]


@pytest.mark.parametrize(
    ("table", "inputs", "message"),
    [
        (DROPLET, {"image": "debian-12-x64"}, 'argument "size" is required'),
        (DROPLET, {**DROPLET_INPUTS, "colour": "red"}, "unknown key"),
        (DROPLET, {**DROPLET_INPUTS, "backups": "maybe"}, 'parsing "maybe"'),
        (DROPLET, {**DROPLET_INPUTS, "tags": ["a b"]}, "tags may contain"),
        (DROPLET, {**DROPLET_INPUTS, "userData": ""}, "user_data must not be empty"),
        (
            DROPLET,
            {**DROPLET_INPUTS, "backups": True, "backupPolicy": {"hour": 21}},
            "in the range (0 - 20), got 21",
        ),
        (DROPLET, {**DROPLET_INPUTS, "backupPolicy": {"hour": 2}}, "must be specified"),
        (VPC, {"region": "fra1", "ipRange": "10.0.0.0"}, "valid CIDR Value, got 10.0.0.0"),
        (VPC, {"region": "fra1", "description": "x" * 256}, "(0 - 255)"),
        (SSH_KEY, {}, '"public_key" is required'),
        (TAG, {"name": "a b"}, "tags may contain"),
        (FIREWALL, {"inboundRules": [{"protocol": "sctp"}]}, 'to be one of ["tcp" "udp" "icmp"]'),
        (FIREWALL, {"inboundRules": [{"portRange": "22"}]}, '"inbound_rule.0.protocol"'),
        (FIREWALL, {"inboundRules": [{"protocol": "tcp", "color": "x"}]}, "unknown key"),
    ],
)
def test_a_wrong_input_is_refused_by_name(table: Table, inputs: Properties, message: str) -> None:
    _, failures = checked(table, inputs, {}, NAMING)
    assert len(failures) == 1
    assert message in failures[0]
    assert "Examine values at 'web." in failures[0]


def test_a_value_that_is_not_known_yet_is_not_judged() -> None:
    inputs, failures = checked(DROPLET, {**DROPLET_INPUTS, "vpcUuid": UNKNOWN}, {}, NAMING)
    assert failures == []
    assert inputs["vpcUuid"] is UNKNOWN


def test_the_plugin_starts_without_the_sdk_and_the_client_of_the_api() -> None:
    """Both are slow to import, and an update with nothing to do needs neither."""
    program = (
        f"import runpy, sys; sys.path.insert(0, {str(START.parents[2])!r})\n"
        f"start = runpy.run_path({str(START)!r}); start['without_the_sdk']()\n"
        "import local_cloud.plugins.digitalocean.__main__ as plugin\n"
        "plugin.DigitalOcean()\n"
        "heavy = {'pydo', 'azure', 'requests', 'pulumi.resource', 'fastapi', 'httpx'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

"""One Pulumi program, run by the engine with the stand-in, and beside it with the official one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.local_cloud.api.conftest import KEY, TOKEN, Api, serving
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor
from tests.local_cloud.plugins import parity
from tests.local_cloud.plugins.digitalocean.comparison import comparable, differences
from tests.local_cloud.plugins.parity import Project

VERSION = "4.84.1"

PROGRAM = f"""
import pulumi
import pulumi_digitalocean as do

network = do.Vpc("network", region="fra1", ip_range="192.168.100.0/24")
key = do.SshKey("deploy", public_key="{KEY}")
role = do.Tag("role", name="db")
web = do.Droplet("web", name="web", image="debian-12-x64", size="s-1vcpu-1gb", region="fra1",
    vpc_uuid=network.id, ssh_keys=[key.fingerprint], tags=["web", "env:test"],
    user_data=pulumi.Output.secret("#cloud-config\\n"))
db = do.Droplet("db", image="debian-12-x64", size="s-1vcpu-1gb", region="fra1",
    vpc_uuid=network.id, ssh_keys=[key.id], tags=[role.name], user_data="#cloud-config\\n{{}}",
    monitoring=True, opts=pulumi.ResourceOptions(depends_on=[web]))
guard = do.Firewall("guard", tags=[role.name], droplet_ids=[web.id.apply(int)], inbound_rules=[
    do.FirewallInboundRuleArgs(protocol="tcp", port_range="22", source_addresses=["0.0.0.0/0"]),
    do.FirewallInboundRuleArgs(protocol="tcp", port_range="5432", source_tags=["web"],
        source_droplet_ids=[web.id.apply(int)])],
    outbound_rules=[do.FirewallOutboundRuleArgs(protocol="tcp", port_range="all",
        destination_addresses=["0.0.0.0/0", "::/0"])])
front = do.LoadBalancer("front", region="fra1", vpc_uuid=network.id,
    droplet_ids=[web.id.apply(int)], forwarding_rules=[do.LoadBalancerForwardingRuleArgs(
        entry_protocol="http", entry_port=80, target_protocol="http", target_port=8000)],
    healthcheck=do.LoadBalancerHealthcheckArgs(protocol="http", port=8000, path="/healthz",
        check_interval_seconds=3, healthy_threshold=2))
do.Firewall("behind", tags=[role.name], inbound_rules=[do.FirewallInboundRuleArgs(
    protocol="tcp", port_range="8000", source_load_balancer_uids=[front.id])])
zone = do.Domain("zone", name="shop.localhost")
www = do.DnsRecord("www", domain=zone.name, type="A", name="www", value=front.ip, ttl=300)
do.DnsRecord("shop", domain=zone.id, type="CNAME", name="shop", value="www.shop.localhost.")
do.DnsRecord("mail", domain=zone.name, type="MX", name="@", value="mx.example.org.", priority=10)
pulumi.export("names", do.get_domain_output(name=zone.name).domain_urn)
pulumi.export("fqdn", www.fqdn)
pulumi.export("front", front.ip)
pulumi.export("address", web.ipv4_address)
pulumi.export("private", db.ipv4_address_private)
pulumi.export("user_data", web.user_data)
pulumi.export("rules", guard.inbound_rules)
"""

CHANGES = {
    "a tag": ('"env:test"', '"env:other"'),
    "user data": ('"#cloud-config\\n{}"', '"#cloud-config\\n{ }"'),
    "secret user data": ('"#cloud-config\\n")', '"#cloud-config\\n# changed\\n")'),
    "a size": ("s-1vcpu-1gb", "s-1vcpu-2gb"),
    "a path": ("/healthz", "/well"),
    "a target": ("target_port=8000", "target_port=8001"),
    "a rule": ('"5432"', '"5433"'),
    "a range": ("192.168.100.0/24", "192.168.101.0/24"),
    "a name": ('name="web"', 'name="web-2"'),
    "a time to live": ("ttl=300", "ttl=60"),
    "a record's name": ('name="shop",', 'name="store",'),
    "a record's type": ('"CNAME", name="shop", value=', '"TXT", name="shop", value='),
    "a domain": ("shop.localhost", "store.localhost"),
    "a key": ("someone", "another"),
}


def with_change(name: str) -> str:
    before, after = CHANGES[name]
    assert before in PROGRAM
    return PROGRAM.replace(before, after)


@pytest.fixture
def project(tmp_path: Path, api: Api) -> Project:
    parity.install_stand_in("digitalocean", VERSION, tmp_path / "home")
    return Project(tmp_path / "project", tmp_path / "home", settings_of(api))


def settings_of(api: Api) -> dict[str, str]:
    return {"digitalocean:apiEndpoint": api.url, "digitalocean:token": TOKEN}


def test_a_program_is_brought_about_once_and_taken_away_again(project: Project, api: Api) -> None:
    first = project.up(PROGRAM)
    assert first.succeeded, first.messages
    assert {droplet["name"] for droplet in api.ok("GET", "/v2/droplets")["droplets"]} > {"web"}
    again = project.preview(PROGRAM)
    assert {step["op"] for step in again.steps} == {"same"}
    assert project.refresh().succeeded
    assert {step["op"] for step in project.preview(PROGRAM).steps} == {"same"}
    assert project.destroy().succeeded
    assert api.ok("GET", "/v2/droplets")["droplets"] == []
    assert api.ok("GET", "/v2/domains")["domains"] == []


def test_secret_user_data_is_in_no_state_in_clear(project: Project) -> None:
    program = PROGRAM.replace('secret("#cloud-config', 'secret("#cloud-config: host-key-here')
    assert program != PROGRAM
    assert project.up(program).succeeded
    files = [file for file in project.folder.rglob("*") if file.is_file()]
    assert files
    for file in files:
        if file.name != "__main__.py":
            assert b"host-key-here" not in file.read_bytes(), file


def test_the_engine_sees_no_difference_to_the_official_plugin(tmp_path: Path) -> None:
    previews = [lambda project, name=name: project.preview(with_change(name)) for name in CHANGES]
    story = [
        lambda project: project.preview(PROGRAM),
        lambda project: project.up(PROGRAM),
        lambda project: project.preview(PROGRAM),
        *previews,
        lambda project: project.up(with_change("a rule")),
        lambda project: project.up(with_change("a tag")),
        lambda project: project.refresh(),
        lambda project: project.preview(with_change("a tag")),
        lambda project: project.destroy(),
    ]
    with ExitStack() as clouds:

        def prepare(which: str) -> Mapping[str, str]:
            folder = tmp_path / f"cloud of {which}"
            folder.mkdir()
            return settings_of(clouds.enter_context(serving(folder, MemoryHypervisor())))

        official, ours = parity.observe("digitalocean", VERSION, story, tmp_path, prepare=prepare)
    found = []
    for number, (theirs, mine) in enumerate(zip(official, ours, strict=True)):
        assert theirs.succeeded, (number, theirs.messages)
        found += differences(comparable(asdict(theirs)), comparable(asdict(mine)), f"{number}")
    assert found == []

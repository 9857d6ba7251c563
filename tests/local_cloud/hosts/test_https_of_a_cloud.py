"""A story of names and certificates: a whole cloud, as a person and a server meet it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509

from local_cloud.authority import Authority
from local_cloud.hosts.names import Names
from local_cloud.hosts.process import owned_by
from tests.local_cloud.api.conftest import wait_until
from tests.local_cloud.hosts.acme_client import AcmeClient
from tests.local_cloud.hosts.conftest import IMAGE
from tests.local_cloud.hosts.test_command_line import Person
from tests.ports import free_port

pytestmark = [
    pytest.mark.hosts,
    pytest.mark.skipif(os.geteuid() != 0, reason="hosts need root"),
    pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go to build with"),
]

DOMAIN, WWW, TLS = "shop.test", "www.shop.test", "tls.shop.test"
SCRIPT = Path(__file__).with_name("https_server.py").read_text()
USER_DATA = (
    f"#!/bin/sh\ncat > /root/server.py <<'END'\n{SCRIPT}END\n"
    "systemd-run --quiet python3 /root/server.py\n"
)


@dataclass
class Story:
    """A person with one droplet, `www.shop.test`, and a load balancer in front of it."""

    person: Person
    droplet: dict[str, Any] = field(default_factory=dict)
    balancer: dict[str, Any] = field(default_factory=dict)

    def ok(self, method: str, path: str, **content: Any) -> Any:
        answer = self.person.asks(method, path, **content)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    @property
    def address(self) -> str:
        networks = self.droplet["networks"]["v4"]
        return str(next(each["ip_address"] for each in networks if each["type"] == "public"))

    def begin(self) -> None:
        started = self.person.types("start", "--port", str(self.person.port))
        assert started.returncode == 0, started.stderr
        network = self.ok("POST", "vpcs", name="net", region="fra1", ip_range="192.168.147.0/24")
        made = self.ok(
            "POST",
            "droplets",
            **{"name": "web", "region": "fra1", "size": "s-1vcpu-1gb", "image": IMAGE},
            vpc_uuid=network["vpc"]["id"],
            user_data=USER_DATA,
        )["droplet"]
        self.droplet = self.ok("GET", f"droplets/{made['id']}")["droplet"]
        self.ok("POST", "domains", name=DOMAIN)
        self.record("www", self.address)
        wait_until(self.serves)

    def record(self, name: str, address: str) -> None:
        self.ok("POST", f"domains/{DOMAIN}/records", type="A", name=name, data=address, ttl=30)

    def serves(self) -> bool:
        try:
            httpx.get(f"http://{self.address}/", trust_env=False, timeout=2)
        except httpx.HTTPError:
            return False
        return True

    def acme(self) -> dict[str, str]:
        done = self.person.types("acme", "--json")
        assert done.returncode == 0, done.stderr
        told: dict[str, str] = json.loads(done.stdout)
        return told

    def publish(self, token: str, text: str) -> None:
        path = f"http://{self.address}/.well-known/acme-challenge/{token}"
        httpx.put(path, content=text, trust_env=False).raise_for_status()

    def shown(self) -> x509.Certificate:
        """What the load balancer shows, to the strictest of visitors."""
        context = ssl.create_default_context(cafile=str(Authority.of(self.person.state).file))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        with (
            socket.create_connection((self.balancer["ip"], 443), 5) as plain,
            context.wrap_socket(plain, server_hostname=TLS) as connection,
        ):
            return x509.load_der_x509_certificate(connection.getpeercert(True) or b"")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    person = Person(tmp_path_factory.mktemp("https") / "cloud", free_port())
    story = Story(person)
    try:
        story.begin()
        yield story
    finally:
        person.types("reset")


def test_1_a_name_of_the_account_gets_a_certificate_by_its_challenge(story: Story) -> None:
    told = story.acme()
    client = AcmeClient(told["directory_here"], Path(told["roots"]))
    key, chain = client.order(WWW, story.publish)
    assert "PRIVATE KEY" in key
    leaf = x509.load_pem_x509_certificate(chain.encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [WWW]


def test_2_a_name_that_nobody_has_gets_none(story: Story) -> None:
    told = story.acme()
    client = AcmeClient(told["directory_here"], Path(told["roots"]))
    with pytest.raises(AssertionError, match="urn:ietf:params:acme:error"):
        client.order(f"nobody.{DOMAIN}", story.publish)


def test_3_the_host_reaches_the_directory_by_its_name(story: Story) -> None:
    asked = quote(story.acme()["directory"], safe="")
    answer = httpx.post(f"http://{story.address}/{asked}", trust_env=False, timeout=20)
    assert "newOrder" in answer.json()


def test_4_a_load_balancer_shows_a_certificate_of_the_cloud(story: Story) -> None:
    wish = {"name": "front", "type": "lets_encrypt", "dns_names": [TLS]}
    identifier = story.ok("POST", "certificates", **wish)["certificate"]["id"]

    def state() -> str:
        return str(story.ok("GET", f"certificates/{identifier}")["certificate"]["state"])

    wait_until(lambda: state() == "verified")
    rule = {
        **{"entry_protocol": "https", "entry_port": 443, "certificate_id": identifier},
        **{"target_protocol": "http", "target_port": 80},
    }
    made = story.ok(
        "POST",
        "load_balancers",
        **{"name": "front", "region": "fra1", "vpc_uuid": story.droplet["vpc_uuid"]},
        droplet_ids=[story.droplet["id"]],
        forwarding_rules=[rule],
        health_check={"protocol": "tcp", "port": 80},
        disable_lets_encrypt_dns_records=True,
    )["load_balancer"]
    story.balancer = story.ok("GET", f"load_balancers/{made['id']}")["load_balancer"]
    story.record("tls", story.balancer["ip"])
    assert story.shown().subject.rfc4514_string() == ""
    asked = quote(f"https://{TLS}/", safe="")
    answer = httpx.post(f"http://{story.address}/{asked}", trust_env=False, timeout=20)
    assert answer.status_code == 200, "the host finds, reaches and trusts it"


def test_5_a_person_renews_it_and_visitors_see_the_new_one(story: Story) -> None:
    before = story.shown().serial_number
    said = story.person.types("renew", "front")
    assert said.stdout.startswith("front is renewed until "), said.stderr
    assert story.shown().serial_number != before
    refused = story.person.types("renew", "nothing")
    assert refused.returncode == 1
    assert "could not be found: certificate nothing" in refused.stderr


def test_6_killed_it_all_comes_back(story: Story) -> None:
    where = story.acme()
    tag = Names.of(story.person.state).tag
    os.kill(int((story.person.state / "lock").read_text()), 9)
    shown = story.shown().serial_number
    for process in owned_by(tag):
        if b"pebble" in Path(f"/proc/{process.pid}/cmdline").read_bytes():
            process.kill()
    assert story.person.types("start").returncode == 0
    assert story.shown().serial_number == shown
    context = ssl.create_default_context(cafile=where["roots"])

    def answers() -> bool:
        try:
            httpx.get(where["directory_here"], verify=context, trust_env=False)
        except httpx.TransportError:
            return False
        return True

    wait_until(answers, 20)
    assert story.acme() == where
    assert f"ACME server: {where['directory']} (its roots: " in story.person.types("status").stdout


def test_7_a_reset_leaves_nothing(story: Story) -> None:
    os.kill(int((story.person.state / "lock").read_text()), 9)
    assert "gone, with 1 droplet" in story.person.types("reset").stdout
    assert owned_by(Names.of(story.person.state).tag) == []
    assert not story.person.state.exists()

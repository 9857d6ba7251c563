"""What HTTPS asks of the engine, wherever it ends."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.servers.keys import thumbprint_of
from components.settings import tls
from host.certctl.placeholder import placeholder
from tests.components.conftest import ECDSA_PUBLIC, Engine, Run, is_secret, plain
from tests.unit.certctl_ca import NOW, key_text, new_key

NAMED: dict[str, Any] = {"serverNames": ["www.shop.example"], "acmeTermsAgreed": True}
PASSED_ON: dict[str, Any] = {**NAMED, "webCount": 2}
AT_BALANCER: dict[str, Any] = {**NAMED, "webCount": 2, "tls": "balancer", "dns": "digitalocean"}
MODES = pytest.mark.parametrize("given", [{}, NAMED, PASSED_ON, {**NAMED, "hstsSeconds": 300}])


def file(engine: Engine, name: str) -> str:
    text: str = plain(engine.one(name).inputs["stdin"])
    return text.removesuffix("slipway: end of file\n")


def ports(engine: Engine) -> list[tuple[str, str]]:
    rules = engine.one("slipway-test-site", ":Firewall").inputs["inboundRules"]
    return [
        (each["portRange"], each.get("sourceLoadBalancerUids", ["everybody"])[0]) for each in rules
    ]


def test_without_a_name_there_is_nothing_of_it(run: Run) -> None:
    engine = run()
    assert not [each.name for each in engine.resources if re.search("tls|acme|certif", each.name)]
    assert "ssl" not in file(engine, "web-nginx")
    assert ports(engine) == [("80", "everybody")]
    assert (engine.exports["certificates"], engine.exports[tls.HSTS_OUTPUT]) == ({}, "")


def test_keys_of_certificates_never_leave_as_plain_text(run: Run) -> None:
    engine = run(**PASSED_ON, sites=[{"appName": "blog", "serverNames": ["blog.example"]}])
    secrets = [
        f"{server}-{what}"
        for server in ("web", "web-2")
        for what in ("acme-account", "tls-key", "blog-tls-key")
    ]
    for name in secrets:
        assert is_secret(engine.one(name).inputs["stdin"]), name
        assert "PRIVATE KEY" in file(engine, name)
    for each in engine.resources:
        for key, value in each.inputs.items():
            assert is_secret(value) or "PRIVATE KEY" not in repr(value), f"{each.name}.{key}"
    assert "PRIVATE KEY" not in repr(engine.exports)
    for each in engine.all("Command"):
        assert not is_secret(each.inputs.get("create")), each.name


def test_every_server_has_the_same_keys_and_knows_the_others(run: Run) -> None:
    engine = run(**PASSED_ON)
    made = {each.name for each in engine.all("local:Command")}
    assert {"acme-account-key", "tls-key"} <= made
    wanted = [json.loads(file(engine, f"{name}-certificates")) for name in ("web", "web-2")]
    assert [(each["turn"], each["peers"]) for each in wanted] == [
        (0, ["10.20.0.2"]),
        (1, ["10.20.0.2"]),
    ]
    assert wanted[0]["sites"] == {
        "site": {"names": ["www.shop.example"], "folder": "/etc/slipway/site/tls"}
    }
    assert file(engine, "web-tls-key") == file(engine, "web-2-tls-key")


def test_the_state_keeps_the_chain_that_the_first_server_got(run: Run) -> None:
    engine = run(**NAMED)
    assert engine.exports["certificates"]["site"]["latest"] == "CHAIN"
    assert file(engine, "web-tls-kept").strip() == ""
    known = {"site": {"latest": "CHAIN", "given": {}}}
    assert file(run({"certificates": known}, **NAMED), "web-tls-kept").strip() == "CHAIN"


def test_one_server_serves_it_to_everybody(run: Run) -> None:
    engine = run(**NAMED)
    assert ports(engine) == [("80", "everybody"), ("443", "everybody")]
    site = file(engine, "web-nginx")
    assert "listen 443 ssl http2;" in site
    assert "proxy_protocol" not in site
    assert engine.exports["https"]["site"] == {"names": ["www.shop.example"], "port": 443}


def test_a_load_balancer_passes_it_on_with_the_visitor_s_address(run: Run) -> None:
    engine = run(**PASSED_ON)
    balancer = engine.one("balancer", "loadBalancer:LoadBalancer").inputs
    assert balancer["enableProxyProtocol"] is True
    http, https = balancer["forwardingRules"]
    assert (http["entryPort"], http["targetPort"], http["targetProtocol"]) == (80, 10080, "http")
    assert (https["entryPort"], https["targetPort"], https["tlsPassthrough"]) == (443, 10443, True)
    site = file(engine, "web-nginx-proxied")
    assert "listen 10080 proxy_protocol" in site
    assert "listen 10443 ssl http2 proxy_protocol" in site
    assert [each.type for each in engine.all(":Certificate")] == []


def test_a_load_balancer_with_a_certificate_ends_it_there(run: Run, names: None) -> None:
    engine = run(**AT_BALANCER)
    balancer = engine.one("balancer", "loadBalancer:LoadBalancer").inputs
    http, https = balancer["forwardingRules"]
    assert (http["targetPort"], https["targetPort"], https["targetProtocol"]) == (80, 80, "http")
    assert not balancer.get("enableProxyProtocol")
    assert balancer["disableLetsEncryptDnsRecords"] is True
    (certificate,) = engine.all(":Certificate")
    assert certificate.inputs["domains"] == ["www.shop.example"]
    assert certificate.inputs["type"] == "lets_encrypt"
    assert "ssl" not in file(engine, "web-nginx")
    assert "return 301 https://$host$request_uri" in file(engine, "web-https")
    (record,) = engine.all(":DnsRecord")
    assert (record.inputs["name"], record.inputs["value"]) == ("www", "203.0.113.80")
    assert engine.exports["certificates"] == {}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account has the domain; tests/unit/test_dns.py asks over HTTP."""

    def all_of(path: str, *_: object) -> list[dict[str, str]]:
        return [{"name": "shop.example"}] if path == "domains" else []

    monkeypatch.setattr("components.platform.api.all_of", all_of)


@MODES
def test_nginx_takes_what_it_is_given(run: Run, tmp_path: Path, given: dict[str, Any]) -> None:
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed on this machine")
    engine = run(**given)
    key = new_key()
    wanted = {each.name for each in engine.resources}
    for name, place in (
        ("web-nginx", "site.conf"),
        ("web-nginx-proxied", "proxied.conf"),
        ("web-tls", "etc/tls.conf"),
        ("web-acme-challenge", "etc/acme-challenge.conf"),
        ("web-tls-when-served", "etc/site/tls/served/https.conf"),
    ):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in wanted:
            path.write_text(file(engine, name).replace("/etc/slipway/", f"{tmp_path}/etc/"))
    folder = tmp_path / "etc/site/tls"
    folder.mkdir(exist_ok=True)
    (folder / "key.pem").write_text(key_text(key))
    (folder / "chain.pem").write_text(placeholder(key, ("www.shop.example",), NOW).pem)
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}/body;"
        f" proxy_temp_path {tmp_path}/proxy; include {tmp_path}/site.conf;"
        f" include {tmp_path}/proxied*.conf; }}\n"
    )
    done = subprocess.run(
        ["nginx", "-t", "-q", "-c", whole, "-p", tmp_path], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_browsers_are_told_what_the_settings_say(run: Run) -> None:
    assert "max-age" not in file(run(**NAMED), "web-tls-when-served")
    engine = run(**NAMED, hstsSeconds=300)
    assert '"max-age=300"' in file(engine, "web-tls-when-served")
    assert engine.exports[tls.HSTS_OUTPUT] == tls.INSISTS
    forgets = run({tls.HSTS_OUTPUT: tls.INSISTS}, **NAMED)
    assert '"max-age=0"' in file(forgets, "web-tls-when-served")
    assert forgets.exports[tls.HSTS_OUTPUT] == tls.FORGETS


def test_the_ca_is_answered_with_the_account_s_thumbprint(run: Run) -> None:
    answer = file(run(**NAMED), "web-acme-challenge")
    assert f'return 200 "$acme_token.{thumbprint_of(ECDSA_PUBLIC)}";' in answer

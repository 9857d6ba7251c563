"""Stories of the cloud's ACME server, asked by a real host and by this computer."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from local_cloud.authority import Authority
from local_cloud.hosts.cleanup import remove_cloud
from local_cloud.hosts.hypervisor import NspawnHypervisor
from local_cloud.hosts.process import owned_by
from local_cloud.machine import MachineSpec
from local_cloud.services.acme import AcmeServer
from tests.local_cloud.hosts.acme_client import AcmeClient
from tests.local_cloud.hosts.conftest import make_site
from tests.local_cloud.hosts.one_answer import one_answer

if TYPE_CHECKING:
    from tests.local_cloud.hosts.conftest import Site

pytestmark = [
    pytest.mark.hosts,
    pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go to build it with"),
]

CHALLENGES = "/srv/www/.well-known/acme-challenge"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cloud with one host, `web`, that answers with files on port 80."""
    for site in make_site(tmp_path_factory.mktemp("acme")):
        web = site.boot("web", 1, network="192.168.124.0/24")
        site.says(web, f"mkdir -p {CHALLENGES}")
        serve = "setsid python3 -m http.server 80 --directory /srv/www >/dev/null 2>&1 </dev/null &"
        site.says(web, serve)
        yield site


@pytest.fixture(scope="module")
def web(site: Site) -> MachineSpec:
    return site.machines["web"]


@pytest.fixture(scope="module")
def server(site: Site, web: MachineSpec) -> Iterator[AcmeServer]:
    """It asks a name server that sends every name to `web`."""
    with one_answer(web.public.address) as name_server:
        acme = AcmeServer(site.hypervisor)
        acme.start(lambda line: None, name_server)
        yield acme


def issue(site: Site, server: AcmeServer, name: str) -> x509.Certificate:
    """The certificate of an order, once its chain is verified against the file of the roots."""

    def publish(token: str, text: str) -> None:
        site.says(site.machines["web"], f"echo -n {text} > {CHALLENGES}/{token}")

    client = AcmeClient(server.directory("127.0.0.1"), server.roots)
    _, chain = client.order(name, publish)
    (server.folder / f"{name}.pem").write_text(chain)
    assert is_trusted(server, name)
    return x509.load_pem_x509_certificates(chain.encode())[0]


def is_trusted(server: AcmeServer, name: str) -> bool:
    """Whether what was issued for a name is verified by the file of the roots."""
    chain = str(server.folder / f"{name}.pem")
    command = ["openssl", "verify", "-CAfile", str(server.roots), "-verify_hostname", name]
    return subprocess.run([*command, "-untrusted", chain, chain], check=False).returncode == 0


def test_it_issues_what_a_host_has_proved(site: Site, server: AcmeServer) -> None:
    certificate = issue(site, server, "www.example.test")

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["www.example.test"]
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert round(life.total_seconds() / 86400) == 90


@pytest.mark.parametrize(
    "ask",
    [
        "curl -sSf {url}",
        "env -u SSL_CERT_FILE python3 -c "
        "\"import urllib.request as r; print(r.urlopen('{url}').read().decode())\"",
    ],
)
def test_a_host_reaches_it_and_trusts_it(
    site: Site, web: MachineSpec, server: AcmeServer, ask: str
) -> None:
    url = server.directory(server.gateway)
    assert "newOrder" in site.says(web, ask.format(url=url))


def test_a_host_trusts_it_also_after_it_made_its_bundle_anew(
    site: Site, web: MachineSpec, server: AcmeServer
) -> None:
    site.says(web, "update-ca-certificates --fresh")
    assert "newOrder" in site.says(web, f"curl -sSf {server.directory(server.gateway)}")


def test_a_host_reaches_nothing_else_of_it(
    site: Site, web: MachineSpec, server: AcmeServer
) -> None:
    management = int(server.management.rpartition(":")[2])
    assert not site.reaches(web, server.gateway, management)


def test_curl_trusts_it_on_this_computer_by_its_name(server: AcmeServer) -> None:
    trusting = ["curl", "-sSf", "--noproxy", "*", "--cacert", str(server.roots)]
    command = [*trusting, server.directory()]
    assert "newOrder" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_its_certificate_bears_the_strictest_look(server: AcmeServer) -> None:
    context = ssl.create_default_context(cafile=str(Authority.of(server.hypervisor.state).file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("127.0.0.1", server.port)) as plain,
        context.wrap_socket(plain, server_hostname="acme.cloud.localhost") as connection,
    ):
        assert connection.version() == "TLSv1.3"


def test_killed_it_comes_back_where_it_was_and_what_it_issued_stays_trusted(
    site: Site, server: AcmeServer
) -> None:
    before = issue(site, server, "before.example.test")
    where, process = server.directory(), server.process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(5)

    AcmeServer(site.hypervisor).resume()

    assert server.directory() == where
    after = issue(site, server, "after.example.test")
    assert before.issuer != after.issuer
    assert is_trusted(server, "before.example.test")
    roots = server.roots.read_text().count("BEGIN CERTIFICATE")
    assert roots == 3, "the cloud's own, and one of each start"


def test_nothing_comes_back_that_nobody_asked_for(tmp_path: Path, site: Site) -> None:
    other = AcmeServer(NspawnHypervisor(tmp_path / "state", site.hypervisor.cache))
    other.resume()
    assert other.process is None
    assert not other.folder.exists()


def test_clouds_that_start_at_the_same_time_get_ports_of_their_own(
    tmp_path: Path, site: Site, server: AcmeServer
) -> None:
    cache = site.hypervisor.cache
    others = [AcmeServer(NspawnHypervisor(tmp_path / name, cache)) for name in ("a", "b", "c")]
    try:
        with ThreadPoolExecutor(len(others)) as threads:
            starts = [
                threads.submit(each.start, lambda line: None, "127.0.0.1:53") for each in others
            ]
        for start in starts:
            start.result()
        assert len({each.port for each in (server, *others)}) == 4
        assert len({each.management for each in (server, *others)}) == 4
    finally:
        for each in others:
            remove_cloud(each.hypervisor.state, cache)


def test_a_reset_leaves_nothing_of_it_without_its_records(site: Site, server: AcmeServer) -> None:
    hypervisor = site.hypervisor
    (server.folder / "process.json").unlink()
    assert owned_by(hypervisor.names.tag)

    remove_cloud(hypervisor.state, hypervisor.cache)

    assert not owned_by(hypervisor.names.tag)
    assert not server.folder.exists()
    assert not (hypervisor.state / "authority").exists()

"""Stories of visitors who speak TLS with a load balancer, or through it."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from cryptography import x509

from local_cloud.authority import Authority
from local_cloud.machine import (
    Backend,
    Certificate,
    HealthCheck,
    Interface,
    Listener,
    LoadBalancerSpec,
    Network,
)
from tests.local_cloud.hosts.conftest import make_site

if TYPE_CHECKING:
    from tests.local_cloud.hosts.conftest import Site

pytestmark = pytest.mark.hosts

PRIVATE = IPv4Network("192.168.144.0/24")
NAME = "www.example.test"
CHECK = HealthCheck(
    protocol="tcp", port=80, path="", interval_seconds=3, timeout_seconds=3,
    failures_until_down=2, successes_until_up=2,
)  # fmt: skip
VISITORS, SWAPS = 4, 4

Wait = Callable[..., bool]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One host: plain on 80, with TLS of its own on 443, and told the visitor before on 444."""
    for site in make_site(tmp_path_factory.mktemp("tls")):
        one = site.boot("one", 1, network=str(PRIVATE))
        own = Authority(site.folder / "own").issue([NAME], 1)
        site.says(one, f"cat > /root/own.pem <<'END'\n{own.certificate}{own.private_key}END")
        for name, words in (
            ("answering", ""),
            ("answering_tls", "443 /root/own.pem"),
            ("answering_tls", "444 /root/own.pem proxy"),
        ):
            script = Path(__file__).with_name(f"{name}.py").read_text()
            site.says(one, f"cat > /root/{name}.py <<'END'\n{script}\nEND")
            site.says(one, f"systemd-run --quiet python3 /root/{name}.py {words}")
        yield site


def issued(site: Site) -> Certificate:
    """A new certificate of the cloud's authority."""
    made = Authority.of(site.hypervisor.state).issue([NAME], 1)
    return Certificate(id=str(uuid4()), pem=made.certificate + made.private_key)


def in_front(site: Site, *listeners: Listener, **changes: Any) -> LoadBalancerSpec:
    public, one = site.hypervisor.public_network(), site.machines["one"]
    plain = LoadBalancerSpec(
        number=1,
        public=Interface(address=public[254], network=public),
        private=Interface(address=PRIVATE[254], network=PRIVATE),
        listeners=listeners,
        backends=(Backend(machine_id=one.id, address=one.private.address),),
        check=CHECK,
    )
    return replace(plain, **changes)


def apply(site: Site, *balancers: LoadBalancerSpec) -> None:
    site.hypervisor.apply_network(Network(load_balancers=balancers))


def https(certificate: Certificate, **changes: Any) -> Listener:
    plain = Listener(protocol="http", port=443, target_port=80, certificate=certificate)
    return replace(plain, **changes)


def trust(file: Path, *protocols: str) -> ssl.SSLContext:
    """As strict as Python 3.13 is by itself."""
    context = ssl.create_default_context(cafile=str(file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(list(protocols))
    return context


def handshake(site: Site, port: int = 443, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    address = str(site.hypervisor.public_network()[254])
    context = context or trust(Authority.of(site.hypervisor.state).file)
    return context.wrap_socket(socket.create_connection((address, port), 5), server_hostname=NAME)


def serial(site: Site) -> int:
    with handshake(site) as connection:
        return x509.load_der_x509_certificate(connection.getpeercert(True) or b"").serial_number


def curl(site: Site, url: str, *options: str, root: Path | None = None) -> str:
    address = site.hypervisor.public_network()[254]
    root = root or Authority.of(site.hypervisor.state).file
    to = [f"{NAME}:{port}:{address}" for port in (80, 443, 444)]
    pinned = [word for each in to for word in ("--resolve", each)]
    command = ["curl", "-sS", "--noproxy", "*", "--cacert", str(root), *pinned, *options, url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(site: Site, url: str, *options: str, root: Path | None = None) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(curl(site, url, *options, root=root))
    return told


@pytest.mark.parametrize("http2", [False, True])
def test_the_droplet_is_told_that_the_visitor_spoke_https(site: Site, http2: bool) -> None:
    apply(site, in_front(site, https(issued(site), offers_http2=http2)))
    forged = ["-H", "X-Forwarded-Proto: http", "-H", "X-Forwarded-Port: 80"]
    told = ask(site, f"https://{NAME}/", *forged, "-H", "X-Forwarded-For: 203.0.113.7")
    assert told["headers"]["x-forwarded-proto"] == "https"
    assert told["headers"]["x-forwarded-port"] == "443"
    assert told["forwarded_for"] == [str(site.machines["one"].public.gateway)]
    assert told["headers"]["host"] == NAME


@pytest.mark.parametrize(("http2", "spoken"), [(False, "http/1.1"), (True, "h2")])
def test_http2_is_offered_where_it_was_ordered(site: Site, http2: bool, spoken: str) -> None:
    apply(site, in_front(site, https(issued(site), offers_http2=http2)))
    root = Authority.of(site.hypervisor.state).file
    with handshake(site, context=trust(root, "h2", "http/1.1")) as connection:
        assert connection.selected_alpn_protocol() == spoken
        assert connection.version() == "TLSv1.3"


def test_strong_ciphers_leave_out_the_others(site: Site) -> None:
    root = Authority.of(site.hypervisor.state).file
    weak = trust(root)
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    listener = https(issued(site))
    apply(site, in_front(site, listener))
    with handshake(site, context=weak) as connection:
        assert connection.version() == "TLSv1.2"
    apply(site, in_front(site, listener, only_strong_ciphers=True))
    with pytest.raises(ssl.SSLError):
        handshake(site, context=weak)
    with handshake(site) as connection:
        assert connection.version() == "TLSv1.3"


def test_a_droplet_may_be_spoken_to_over_tls(site: Site) -> None:
    apply(site, in_front(site, https(issued(site), target_port=443, target_protocol="https")))
    told = ask(site, f"https://{NAME}/")
    assert "x-forwarded-proto: https" in told["request"].lower()


def test_tls_that_is_passed_through_ends_at_the_droplet(site: Site) -> None:
    apply(site, in_front(site, Listener(protocol="tcp", port=443, target_port=443)))
    told = ask(site, f"https://{NAME}/", root=site.folder / "own" / "root.pem")
    assert "x-forwarded" not in told["request"].lower()
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(site)


def test_a_droplet_behind_it_is_told_the_visitor_by_a_proxy_line(site: Site) -> None:
    listener = Listener(protocol="tcp", port=443, target_port=444)
    apply(site, in_front(site, listener, speaks_proxy_protocol=True))
    told = ask(site, f"https://{NAME}/", root=site.folder / "own" / "root.pem")
    visitor, balancer = site.machines["one"].public.gateway, site.hypervisor.public_network()[254]
    assert told["proxy"].startswith(f"PROXY TCP4 {visitor} {balancer} ")
    assert told["proxy"].endswith(" 443")


def test_a_visitor_of_http_is_sent_to_https(site: Site) -> None:
    plain = Listener(protocol="http", port=80, target_port=80, redirects_to_https=True)
    apply(site, in_front(site, plain, https(issued(site))))
    where = curl(
        site, f"http://{NAME}/a/b?c=d", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}"
    )
    assert where == f"307 https://{NAME}/a/b?c=d"
    with_port = ["-H", f"Host: {NAME}:80", "-o", "/dev/null", "-w", "%{redirect_url}"]
    assert curl(site, f"http://{NAME}/", *with_port) == f"https://{NAME}/"
    assert ask(site, f"http://{NAME}/x", "-L")["headers"]["x-forwarded-proto"] == "https"


def test_a_certificate_is_changed_under_load_without_a_failed_connection(
    site: Site, eventually: Wait
) -> None:
    first = in_front(site, https(issued(site)))
    apply(site, first)
    failures: list[str] = []
    made = [0] * VISITORS
    end = threading.Event()

    def visit(number: int) -> None:
        while not end.is_set():
            try:
                with handshake(site) as connection:
                    connection.sendall(f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
                    assert connection.recv(65536).startswith(b"HTTP/1.1 200")
                    made[number] += 1
            except (OSError, AssertionError) as error:
                failures.append(repr(error))
            time.sleep(0.01)

    visitors = [threading.Thread(target=visit, args=(number,)) for number in range(VISITORS)]
    for visitor in visitors:
        visitor.start()
    shown = {serial(site)}
    for _ in range(SWAPS):
        time.sleep(0.5)
        apply(site, in_front(site, https(issued(site))))
        shown.add(serial(site))
    end.set()
    for visitor in visitors:
        visitor.join()
    assert failures == [], f"of {sum(made)} connections"
    assert min(made) > 5
    assert len(shown) == SWAPS + 1


def test_only_the_certificates_that_are_shown_are_kept_and_only_root_reads_them(
    site: Site,
) -> None:
    certificate = issued(site)
    apply(site, in_front(site, https(issued(site))))
    apply(site, in_front(site, https(certificate)))
    folder = site.hypervisor.state / "load_balancers" / "1" / "certificates"
    (file,) = folder.iterdir()
    assert file.name == f"{certificate.id}.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert certificate.pem not in repr(in_front(site, https(certificate)))

"""Stories of a load balancer in front of two real hosts."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local_cloud.hosts.hypervisor import NspawnHypervisor
from local_cloud.machine import (
    Backend,
    Forward,
    Guard,
    HealthCheck,
    Interface,
    Listener,
    LoadBalancerError,
    LoadBalancerSpec,
    Network,
    Rule,
    StickyCookie,
)
from tests.local_cloud.hosts.conftest import make_site
from tests.local_cloud.hosts.test_cleanup import traces

if TYPE_CHECKING:
    from tests.local_cloud.hosts.conftest import Site

pytestmark = pytest.mark.hosts

ANSWERING = Path(__file__).with_name("answering.py")
PRIVATE = IPv4Network("192.168.143.0/24")
CHECK = HealthCheck(
    protocol="http",
    port=80,
    path="/healthz",
    interval_seconds=3,
    timeout_seconds=3,
    failures_until_down=2,
    successes_until_up=2,
)
VISITORS, SECONDS_OF_LOAD = 8, 4

Wait = Callable[..., bool]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two hosts, `one` and `two`, that answer with their names."""
    for site in make_site(tmp_path_factory.mktemp("fleet")):
        for number, name in enumerate(("one", "two"), 1):
            spec = site.boot(name, number, network=str(PRIVATE))
            script = ANSWERING.read_text()
            site.says(spec, f"cat > /root/answering.py <<'END'\n{script}\nEND")
            site.says(spec, "systemd-run --quiet --unit=answering python3 /root/answering.py")
        yield site


@pytest.fixture(autouse=True)
def nothing_after(fleet: Site) -> Iterator[None]:
    yield
    fleet.hypervisor.apply_network(Network())
    for spec in fleet.machines.values():
        fleet.says(spec, "rm -f /tmp/ill")


def in_front_of(fleet: Site, *names: str, **changes: Any) -> LoadBalancerSpec:
    """A balancer with the hosts of these names behind it."""
    public = fleet.hypervisor.public_network()
    backends = (fleet.machines[name] for name in names)
    plain = LoadBalancerSpec(
        number=1,
        public=Interface(address=public[254], network=public),
        private=Interface(address=PRIVATE[254], network=PRIVATE),
        listeners=(Listener(protocol="http", port=80, target_port=80),),
        backends=tuple(
            Backend(machine_id=spec.id, address=spec.private.address) for spec in backends
        ),
        check=CHECK,
    )
    return replace(plain, **changes)


def apply(fleet: Site, *load_balancers: LoadBalancerSpec, **network: Any) -> None:
    fleet.hypervisor.apply_network(Network(load_balancers=load_balancers, **network))


def health(fleet: Site) -> dict[int, str]:
    return fleet.hypervisor.load_balancers.process(1).health()


def settled(fleet: Site, wait: Wait, *names: str) -> None:
    """Wait until exactly the hosts of these names get requests."""
    expected = {fleet.machines[name].id for name in names}
    process = fleet.hypervisor.load_balancers.process(1)
    assert wait(lambda: process.healthy() == expected, 15), process.health()


def ask(balancer: LoadBalancerSpec, path: str = "/", **options: Any) -> dict[str, Any]:
    answer = httpx.get(f"http://{balancer.public.address}{path}", trust_env=False, **options)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def hosts_asked(balancer: LoadBalancerSpec, times: int = 12) -> Counter[str]:
    return Counter(ask(balancer)["host"] for _ in range(times))


class Load:
    """A bounded number of visitors who ask again and again, on one connection each or many."""

    def __init__(self, address: str, *, stays: bool = True) -> None:
        self.address = address
        self.headers = {} if stays else {"Connection": "close"}
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._end = threading.Event()
        self._visitors = [threading.Thread(target=self._visit) for _ in range(VISITORS)]

    def __enter__(self) -> Load:
        for visitor in self._visitors:
            visitor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for visitor in self._visitors:
            visitor.join()

    def _visit(self) -> None:
        deadline = time.monotonic() + 10 * SECONDS_OF_LOAD
        with httpx.Client(trust_env=False, timeout=10, headers=self.headers) as client:
            while not self._end.is_set() and time.monotonic() < deadline:
                try:
                    answer = client.get(self.address)
                    answer.raise_for_status()
                    self.answers[answer.json()["host"]] += 1
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                time.sleep(0.01)


def test_requests_are_spread_over_the_droplets(fleet: Site, eventually: Wait) -> None:
    balancer = in_front_of(fleet, "one", "two")
    apply(fleet, balancer)
    settled(fleet, eventually, "one", "two")
    assert hosts_asked(balancer) == {"one": 6, "two": 6}


def test_droplets_see_the_balancer_come_from_their_own_network(
    fleet: Site, eventually: Wait
) -> None:
    balancer = in_front_of(fleet, "one")
    apply(fleet, balancer)
    settled(fleet, eventually, "one")
    assert ask(balancer)["peer"] == str(balancer.private.address)


def test_what_a_visitor_says_of_where_it_comes_from_is_replaced(
    fleet: Site, eventually: Wait
) -> None:
    balancer = in_front_of(fleet, "one")
    apply(fleet, balancer)
    settled(fleet, eventually, "one")
    forged = [
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-For", "203.0.113.8"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Port", "443"),
    ]
    told = ask(balancer, headers=forged)
    assert told["forwarded_for"] == [str(balancer.public.gateway)]
    assert told["headers"]["x-forwarded-proto"] == "http"
    assert told["headers"]["x-forwarded-port"] == "80"


def test_a_droplet_that_fails_its_check_gets_nothing_until_it_passes_again(
    fleet: Site, eventually: Wait
) -> None:
    balancer = in_front_of(fleet, "one", "two")
    apply(fleet, balancer)
    settled(fleet, eventually, "one", "two")
    fleet.says(fleet.machines["two"], "touch /tmp/ill")
    settled(fleet, eventually, "one")
    assert hosts_asked(balancer) == {"one": 12}
    fleet.says(fleet.machines["two"], "rm /tmp/ill")
    settled(fleet, eventually, "one", "two")
    assert hosts_asked(balancer) == {"one": 6, "two": 6}


def test_a_change_does_not_bring_back_a_droplet_that_is_ill(fleet: Site, eventually: Wait) -> None:
    fleet.says(fleet.machines["two"], "touch /tmp/ill")
    balancer = in_front_of(fleet, "one", "two")
    apply(fleet, balancer)
    settled(fleet, eventually, "one")
    apply(fleet, replace(balancer, idle_seconds=120))
    assert hosts_asked(balancer, 6) == {"one": 6}


def test_a_new_droplet_gets_nothing_before_it_has_passed_its_check(
    fleet: Site, eventually: Wait
) -> None:
    apply(fleet, in_front_of(fleet, "one"))
    settled(fleet, eventually, "one")
    fleet.says(fleet.machines["two"], "touch /tmp/ill")
    balancer = in_front_of(fleet, "one", "two")
    apply(fleet, balancer)
    assert hosts_asked(balancer, 6) == {"one": 6}
    assert health(fleet)[fleet.machines["two"].id].startswith("DOWN")


def test_changes_under_load_lose_no_request(fleet: Site, eventually: Wait) -> None:
    both, first = in_front_of(fleet, "one", "two"), in_front_of(fleet, "one")
    apply(fleet, both)
    settled(fleet, eventually, "one", "two")
    with Load(f"http://{both.public.address}/") as load:
        for number in range(SECONDS_OF_LOAD):
            time.sleep(0.5)
            apply(fleet, first)
            time.sleep(0.5)
            apply(fleet, replace(both, idle_seconds=60 + number))
    total = load.answers.total()
    assert load.failures == [], f"of {total} requests"
    assert total > 100
    assert set(load.answers) == {"one", "two"}


def test_a_droplet_whose_server_has_died_costs_no_request(fleet: Site, eventually: Wait) -> None:
    both = in_front_of(fleet, "one", "two")
    apply(fleet, both)
    settled(fleet, eventually, "one", "two")
    fleet.says(fleet.machines["two"], "systemctl kill -s KILL answering")
    assert hosts_asked(both, 6) == {"one": 6}
    fleet.says(
        fleet.machines["two"],
        "systemctl reset-failed answering;"
        "systemd-run --quiet --unit=answering python3 /root/answering.py",
    )


def test_a_removed_droplet_ends_what_it_has_begun(fleet: Site, eventually: Wait) -> None:
    apply(fleet, in_front_of(fleet, "two"))
    settled(fleet, eventually, "two")
    told: list[dict[str, Any]] = []
    visitor = threading.Thread(
        target=lambda: told.append(ask(in_front_of(fleet), "/slow", timeout=10))
    )
    visitor.start()
    time.sleep(0.5)
    balancer = in_front_of(fleet, "one")
    apply(fleet, balancer)
    settled(fleet, eventually, "one")
    assert hosts_asked(balancer, 4) == {"one": 4}
    assert not told, "the slow request is still under way"
    visitor.join()
    assert told[0]["host"] == "two"


def test_a_new_balancer_serves_at_once_and_never_from_an_ill_droplet(fleet: Site) -> None:
    fleet.says(fleet.machines["two"], "touch /tmp/ill")
    balancer = in_front_of(fleet, "one", "two")
    apply(fleet, balancer)
    assert hosts_asked(balancer, 6) == {"one": 6}


def test_a_visitor_of_a_forward_sees_nothing_of_a_balancer_that_comes_and_goes(
    fleet: Site, free_port: int
) -> None:
    """The port leads to a droplet, then to the balancer, then to the droplet again."""
    one, balancer = fleet.machines["one"], in_front_of(fleet, "one", "two")
    direct = Forward(loopback_port=free_port, address=one.private.address, port=80)
    through = Forward(loopback_port=free_port, address=balancer.public.address, port=80)
    apply(fleet, forwards=(direct,))
    slow: list[int] = []
    address = f"http://127.0.0.1:{free_port}"
    with Load(f"{address}/", stays=False) as load:
        for _ in range(2):
            visitor = threading.Thread(
                target=lambda: slow.append(
                    httpx.get(f"{address}/slow", trust_env=False, timeout=10).status_code
                )
            )
            visitor.start()
            time.sleep(0.5)
            apply(fleet, balancer, forwards=(through,))
            time.sleep(0.5)
            apply(fleet, forwards=(direct,))
            visitor.join()
    assert load.failures == [], f"of {load.answers.total()} requests"
    assert slow == [200, 200]
    assert load.answers["two"] > 0


def test_a_cookie_brings_a_visitor_back_to_the_same_droplet(fleet: Site, eventually: Wait) -> None:
    balancer = in_front_of(fleet, "one", "two", sticky=StickyCookie(name="seat", seconds=60))
    apply(fleet, balancer)
    settled(fleet, eventually, "one", "two")
    with httpx.Client(trust_env=False, base_url=f"http://{balancer.public.address}") as visitor:
        assert len({visitor.get("/").json()["host"] for _ in range(6)}) == 1
        assert "seat" in visitor.cookies


def test_connections_are_passed_on_unread(fleet: Site, eventually: Wait) -> None:
    listeners = (Listener(protocol="tcp", port=2222, target_port=22),)
    balancer = in_front_of(fleet, "one", listeners=listeners)
    apply(fleet, balancer)
    settled(fleet, eventually, "one")
    at_the_balancer = replace(
        fleet.machines["one"],
        public=Interface(address=balancer.public.address, network=balancer.public.network),
    )
    done = fleet.ssh(at_the_balancer, "true")
    assert "refused" in done.stderr, "SSH's own port is not open here"
    assert fleet.reaches(fleet.machines["two"], balancer.public.address, 2222)


def test_a_visitor_that_is_denied_is_not_served(fleet: Site, eventually: Wait) -> None:
    here = IPv4Network(in_front_of(fleet).public.gateway)
    balancer = in_front_of(fleet, "one", denied=(here,))
    apply(fleet, balancer)
    settled(fleet, eventually, "one")
    with pytest.raises(httpx.TransportError):
        ask(balancer)
    assert fleet.reaches(fleet.machines["two"], balancer.public.address, 80)
    apply(fleet, replace(balancer, denied=(), allowed=(here,)))
    assert ask(balancer)["host"] == "one"


def test_a_firewall_can_let_only_the_balancer_in(fleet: Site, eventually: Wait) -> None:
    one, two = fleet.machines["one"], fleet.machines["two"]
    balancer = in_front_of(fleet, "one")
    ssh = Rule(protocol="tcp", ports=(22, 22), peers=(IPv4Network("0.0.0.0/0"),))
    web = Rule(
        protocol="tcp",
        ports=(80, 80),
        peers=(IPv4Network(balancer.public.address), IPv4Network(balancer.private.address)),
    )
    guard = Guard(
        machine_id=one.id,
        addresses=(one.public.address, one.private.address),
        inbound=(ssh, web),
        outbound=(),
    )
    apply(fleet, balancer, guards=(guard,))
    settled(fleet, eventually, "one")
    assert ask(balancer)["host"] == "one"
    for address in (one.public.address, one.private.address):
        assert not fleet.reaches(two, address, 80)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://{address}/", trust_env=False, timeout=1)


def test_a_loopback_port_leads_to_the_balancer(
    fleet: Site, eventually: Wait, free_port: int
) -> None:
    balancer = in_front_of(fleet, "one")
    forward = Forward(loopback_port=free_port, address=balancer.public.address, port=80)
    apply(fleet, balancer, forwards=(forward,))
    settled(fleet, eventually, "one")
    answer = httpx.get(f"http://127.0.0.1:{free_port}/", trust_env=False)
    assert answer.json()["host"] == "one"


def test_another_cloud_process_on_the_same_folder_goes_on_with_it(
    fleet: Site, eventually: Wait
) -> None:
    balancer = in_front_of(fleet, "one", "two")
    apply(fleet, balancer)
    settled(fleet, eventually, "one", "two")
    before = fleet.hypervisor.load_balancers.process(1).process
    again = NspawnHypervisor(fleet.hypervisor.state, fleet.hypervisor.cache)
    again.apply_network(Network(load_balancers=(balancer,)))
    assert again.load_balancers.process(1).process == before
    assert hosts_asked(balancer, 4) == {"one": 2, "two": 2}


def test_one_that_was_killed_is_started_again(fleet: Site, eventually: Wait) -> None:
    balancer = in_front_of(fleet, "one")
    apply(fleet, balancer)
    process = fleet.hypervisor.load_balancers.process(1).process
    assert process is not None
    process.signal(signal.SIGKILL)
    process.wait(5)
    apply(fleet, balancer)
    settled(fleet, eventually, "one")
    assert ask(balancer)["host"] == "one"


def test_one_that_cannot_be_had_leaves_the_others_as_they_are(
    fleet: Site, eventually: Wait
) -> None:
    good = in_front_of(fleet, "one")
    bad = replace(
        good,
        number=2,
        public=replace(good.public, address=good.public.network[253]),
        private=replace(good.private, address=good.private.network[253]),
        check=replace(CHECK, path="/ two words"),
    )
    with pytest.raises(LoadBalancerError, match="haproxy failed"):
        apply(fleet, bad, good)
    settled(fleet, eventually, "one")
    assert ask(good)["host"] == "one"


def test_without_balancers_nothing_of_them_is_left(fleet: Site) -> None:
    before = traces(fleet)
    apply(fleet, in_front_of(fleet, "one"))
    assert traces(fleet) != before
    apply(fleet)
    assert traces(fleet) == before


def test_a_reset_takes_it_away(site: Site) -> None:
    from local_cloud.hosts.cleanup import remove_cloud

    balancer = in_front_of(site)
    site.hypervisor.apply_network(Network(load_balancers=(balancer,)))
    assert httpx.get(f"http://{balancer.public.address}", trust_env=False).status_code == 503
    remove_cloud(site.hypervisor.state, site.hypervisor.cache)
    assert traces(site) == {}
    assert not (site.hypervisor.state / "load_balancers").exists()

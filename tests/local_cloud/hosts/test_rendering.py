"""Pure text: the firewall, cloud-init's seed, package sources, configuration files."""

from __future__ import annotations

import configparser
import json
import subprocess
import tomllib
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.hosts import firewall, guest_files, mirrors, seed
from local_cloud.hosts.disk import write_files
from local_cloud.hosts.host_settings import resolver
from local_cloud.hosts.image import InstallationProgress
from local_cloud.hosts.names import Names, public_network_candidates
from local_cloud.hosts.netns import MachineNetwork
from local_cloud.hosts.permissions import load, save
from local_cloud.machine import Guard, Interface, MachineError, MachineSpec, Rule

GOLDEN = Path(__file__).with_name("golden")
PUBLIC, PRIVATE = IPv4Network("10.64.1.0/24"), IPv4Network("192.168.125.0/24")
NAMES = Names("ab12")


def machine_network(number: int) -> MachineNetwork:
    return MachineNetwork.of(
        NAMES,
        1000 + number,
        Interface(address=PUBLIC[9 + number], network=PUBLIC),
        Interface(address=PRIVATE[9 + number], network=PRIVATE),
    )


WEB_AND_DB = [machine_network(1), machine_network(2)]
SERVICES = firewall.Services(
    gateway=PUBLIC[1], package_cache_port=13142, name_server=(IPv4Address("127.0.0.1"), 7353)
)
DB_GUARD = Guard(
    machine_id=1002,
    addresses=(PUBLIC[11], PRIVATE[11]),
    inbound=(
        Rule(protocol="tcp", ports=(22, 22), peers=(IPv4Network("0.0.0.0/0"),)),
        Rule(
            protocol="tcp",
            ports=(5432, 5433),
            peers=(IPv4Network("192.168.125.10/32"), IPv4Network("192.168.125.0/28")),
        ),
        Rule(protocol="icmp", ports=None, peers=(PRIVATE,)),
        Rule(protocol="udp", ports=None, peers=()),
    ),
    outbound=(Rule(protocol="udp", ports=None, peers=(IPv4Network("0.0.0.0/0"),)),),
)


def spec(name: str = "web", user_data: str = "", keys: tuple[str, ...] = ()) -> MachineSpec:
    return MachineSpec(
        id=1001,
        name=name,
        image="debian-12-x64",
        public=WEB_AND_DB[0].public.interface,
        private=WEB_AND_DB[0].private.interface,
        user_data=user_data,
        ssh_keys=keys,
    )


@pytest.mark.parametrize(
    ("name", "machines", "guards", "services"),
    [
        ("empty", [], [], firewall.Services(gateway=PUBLIC[1])),
        ("web_and_guarded_db", WEB_AND_DB, [DB_GUARD], SERVICES),
    ],
)
def test_a_firewall_is_rendered_as_reviewed(
    name: str, machines: list[MachineNetwork], guards: list[Guard], services: firewall.Services
) -> None:
    assert (
        firewall.render(NAMES, machines, guards, services) == (GOLDEN / f"{name}.nft").read_text()
    )


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.nft")), ids=lambda path: path.stem)
def test_nft_accepts_what_was_reviewed(path: Path) -> None:
    checked = subprocess.run(
        ["unshare", "--map-root-user", "--net", "nft", "--check", "--file", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


def test_the_firewalls_permissions_are_read_back_as_saved(tmp_path: Path) -> None:
    assert load(tmp_path / "guards.json") == ()
    save(tmp_path / "guards.json", (DB_GUARD,))
    assert load(tmp_path / "guards.json") == (DB_GUARD,)


@given(name=st.text(min_size=1), key=st.text())
def test_the_seed_quotes_whatever_a_name_or_key_holds(name: str, key: str) -> None:
    files = seed.render(spec(name, keys=(key,)))
    meta = json.loads(files[f"{seed.FOLDER}/meta-data"])
    assert (meta["local-hostname"], meta["public-keys"]) == (name, [key])


def test_user_data_is_given_unchanged() -> None:
    user_data = "#!/bin/sh\necho 'näive'\n"
    assert seed.render(spec(user_data=user_data))[f"{seed.FOLDER}/user-data"] == user_data
    nothing = seed.render(spec())[f"{seed.FOLDER}/user-data"]
    assert nothing.startswith("#cloud-config\n")
    assert yaml.safe_load(nothing) == {}


def test_the_images_cloud_configuration_is_yaml() -> None:
    text = guest_files.IMAGE_FILES["/etc/cloud/cloud.cfg.d/90-local-cloud.cfg"]
    assert yaml.safe_load(text)["datasource_list"] == ["NoCloud"]


def test_another_release_comes_from_the_mirrors_of_this_one() -> None:
    own = [
        *mirrors.parse_list(
            "# deb http://mirror.test/ignored bookworm main\n"
            "deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian bookworm main contrib\n"
            "deb-src http://mirror.test/debian bookworm main\n"
            "deb https://tools.test/apt stable tools\n"
        ),
        *mirrors.parse_paragraphs(
            "Types: deb deb-src\n# a comment\nURIs: http://mirror.test/security\n"
            "Suites: bookworm-security\nComponents: main\n non-free-firmware\n\n"
            "Enabled: no\nTypes: deb\nURIs: http://off.test\nSuites: bookworm\nComponents: main\n\n"
            "Types: deb\nURIs: http://mirror.test/debian\n"
            "Suites: bookworm-updates bookworm-backports\nComponents: main\n"
        ),
    ]
    found = mirrors.sources_for("trixie", own, "bookworm")
    assert [(source.uri, source.suite, source.components) for source in found] == [
        ("http://mirror.test/debian", "trixie", ("main", "contrib")),
        ("http://mirror.test/security", "trixie-security", ("main",)),
        ("http://mirror.test/debian", "trixie-updates", ("main",)),
    ]
    assert list(mirrors.parse_paragraphs(mirrors.render(found))) == found


def test_a_computer_without_a_debian_mirror_is_told_where_to_add_one() -> None:
    other = list(mirrors.parse_list("deb http://mirror.test/other noble main"))
    with pytest.raises(MachineError, match=r"no Debian mirror with a suite noble.*sources.list.d"):
        mirrors.sources_for("trixie", [], "noble")
    assert mirrors.cacheable(other) == ["mirror.test/other"]


def test_only_plain_http_can_be_cached() -> None:
    sources = list(
        mirrors.parse_list(
            "deb http://a.test/debian/ s main\ndeb https://b.test/debian s main\n"
            "deb http://a.test/debian s-updates main\n"
        )
    )
    assert mirrors.cacheable(sources) == ["a.test/debian"]


@pytest.mark.parametrize(
    ("address", "proxy"),
    [("http://a.test/debian/dists/x", "DIRECT"), ("http://elsewhere.test/", "DIRECT")],
)
def test_apt_is_sent_nowhere_while_the_cache_is_dead(
    tmp_path: Path, address: str, proxy: str
) -> None:
    script = tmp_path / "script"
    # Nobody listens on this port of this address of loopback.
    script.write_text(guest_files.package_cache_script(IPv4Address("127.9.9.9"), ["a.test/debian"]))
    done = subprocess.run(["bash", script, address], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == proxy


def test_pip_and_uv_are_configured_alike() -> None:
    settings = {"index-url": "https://i.test/simple", "extra-index-url": "https://a\nhttps://b"}
    pip = configparser.RawConfigParser()
    pip.read_string(guest_files.pip_configuration({"cert": "/ca", **settings}))
    uv = tomllib.loads(guest_files.uv_configuration(settings, cache="/cache"))
    assert pip["global"]["index-url"] == uv["index-url"] == "https://i.test/simple"
    assert pip["global"]["extra-index-url"].split() == uv["extra-index-url"]
    assert uv["cache-dir"] == "/cache"
    assert "cache-dir" not in tomllib.loads(guest_files.uv_configuration({}))


def test_name_servers_behind_a_local_stub_are_found(tmp_path: Path) -> None:
    etc, run = tmp_path / "etc", tmp_path / "run"
    etc.mkdir()
    (run / "systemd/resolve").mkdir(parents=True)
    (etc / "resolv.conf").write_text("nameserver 127.0.0.53\n")
    (run / "systemd/resolve/resolv.conf").write_text(
        "search one.test two.test\nnameserver 192.168.1.1\nnameserver fe80::1\n"
    )
    assert resolver(etc, run).servers == (IPv4Address("192.168.1.1"),)
    assert resolver(etc, run).search == "one.test two.test"


def test_names_fit_the_kernel_and_differ_between_clouds(tmp_path: Path) -> None:
    one, two = Names.of(tmp_path / "one"), Names.of(tmp_path / "two")
    assert one != two
    assert len(one.public_card(999_999)) <= 15
    network = next(public_network_candidates(tmp_path))
    assert network.subnet_of(IPv4Network("10.64.0.0/10"))
    assert network.prefixlen == 24


def test_secret_files_of_a_machine_are_for_root_only(tmp_path: Path) -> None:
    write_files(tmp_path, {"/etc/pip.conf": "a", "/root/.config/x": "b"}, {"/var/lib/s": "c"})
    files = tmp_path / "files"
    modes = {str(path.relative_to(files)): path.stat().st_mode & 0o777 for path in files.rglob("*")}
    assert modes["etc/pip.conf"] == 0o644
    assert modes["var/lib/s"] == 0o600
    assert modes["root"] == 0o700
    assert modes["var/lib"] == 0o755


def test_progress_tells_how_many_packages_of_how_many() -> None:
    progress = InstallationProgress()
    told = []
    for line in (
        "0 upgraded, 2 newly installed, 0 to remove",
        "Get:1 http://a.test x/main amd64 a amd64 1.0 [1 kB]",
        "Setting up a (1.0) ...",
        "Setting up b (1.0) ...",
        "0 upgraded, 3 newly installed, 0 to remove",
        "Get:1 http://a.test x/main amd64 c amd64 1.0 [1 kB]",
        "Setting up c (1.0) ...",
    ):
        progress.read(line)
        told.append(progress.text)
    assert told == [
        "fetching packages 0/2",
        "fetching packages 1/2",
        "installing packages 1/2",
        "installing packages 2/2",
        "fetching packages 2/5",
        "fetching packages 3/5",
        "installing packages 3/5",
    ]

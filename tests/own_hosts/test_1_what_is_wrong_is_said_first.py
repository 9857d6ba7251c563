"""Before anything changes on any server: who they are, whether they open, what they run."""

from __future__ import annotations

import pytest

from tests.own_hosts.machines import OwnServers

pytestmark = pytest.mark.hosts


def test_a_server_whose_key_nobody_has_compared_is_not_logged_in_to(own: OwnServers) -> None:
    own.use("first")
    said = own.up(fails=True)
    for name, key in {"first": "webHosts", "data": "dbHost"}.items():
        address = own.machines[name].address
        assert f"{key}: {address} shows the host key {own.fingerprint(name)}" in said
    assert "scripts/trust-hosts mine" in said
    assert own.untouched()


def test_the_fingerprint_is_shown_and_taken_from_who_has_compared_it(own: OwnServers) -> None:
    shown = own.clone.run("scripts/trust-hosts mine", fails=True).stderr
    for name in ("first", "data"):
        assert f"{own.machines[name].address} shows {own.fingerprint(name)}" in shown
    assert "hostKeys" not in (own.clone.folder / "Pulumi.mine.yaml").read_text()
    own.trust()
    pinned = (own.clone.folder / "Pulumi.mine.yaml").read_text()
    assert pinned.count("ssh-ed25519 ") == 2
    assert "is pinned already" in own.clone.run("scripts/trust-hosts mine").stderr


def test_a_key_that_does_not_open_is_said_for_each_server(own: OwnServers) -> None:
    stranger = own.clone.folder / "stranger"
    own.clone.run(f"ssh-keygen -q -t ed25519 -N '' -f {stranger}")
    own.use("first", sshKey=str(stranger))
    said = own.up(fails=True)
    for name in ("first", "data"):
        address = own.machines[name].address
        assert f"{address} does not open for root with {stranger} (sshKey): " in said
    assert "Permission denied" in said
    assert own.untouched()


def test_a_server_with_another_system_is_named_and_the_others_stay_as_they_are(
    own: OwnServers,
) -> None:
    own.on("data", "cp -L /etc/os-release /root/kept && rm /etc/os-release")
    own.on("data", "printf 'ID=arch\\nVERSION_ID=\\n' >/etc/os-release")
    own.use("first")
    try:
        said = own.up(fails=True)
    finally:
        own.on("data", "cp /root/kept /etc/os-release")
    assert f"dbHost: {own.machines['data'].address} runs arch: must be Debian 12 or 13" in said
    assert own.untouched()


def test_an_address_that_the_server_does_not_have_is_named(own: OwnServers) -> None:
    address = own.machines["data"].address
    own.use("first", dbHost=f"{address} private=10.255.255.1")
    assert f"dbHost: {address} has no address 10.255.255.1, but" in own.up(fails=True)
    assert own.untouched()

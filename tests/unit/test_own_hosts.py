"""Servers of one's own: how they are named, pinned and looked at before anything changes."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
import yaml

from components.core.errors import SlipwayError
from components.platform import preflight
from components.platform.preflight import HostFacts
from components.servers.distributions import registry
from components.settings import existing_host
from components.settings.load import parse
from components.settings.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
WEB, DB = "203.0.113.10", "203.0.113.20"

# What the real programs say, by files in $FAKE: keys and answers, one each for an address.
SSH_KEYSCAN = """\
#!/bin/sh
for word in "$@"; do address=$word; done
echo "$*" >>"$FAKE/scanned"
[ -e "$FAKE/$address.keys" ] || { echo "connect to $address: refused" >&2; exit 1; }
sed "s/^/$address /" "$FAKE/$address.keys"
"""
SSH = """\
#!/bin/sh
for word in "$@"; do destination=$host host=$word; done
echo "$*" >>"$FAKE/called"
. "$FAKE/${destination#*@}"
"""
DEBIAN = "echo id=debian; echo version=12; echo root=yes; echo systemd=yes"


def key(letter: str) -> str:
    """A public key, as far as anything here looks at it."""
    return f"ssh-ed25519 {base64.b64encode(letter.encode() * 32).decode()}"


def settings(**changes: object) -> Settings:
    defaults = {name: setting["default"] for name, setting in SCHEMA.items()}
    own = {"webHosts": [WEB], "dbHost": DB, "hostKeys": [f"{WEB} {key('w')}", f"{DB} {key('d')}"]}
    return parse({**defaults, **own, **changes})


def refused(**changes: object) -> str:
    with pytest.raises(SlipwayError) as caught:
        settings(**changes)
    return str(caught.value)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two servers that are all they have to be."""
    (tmp_path / "bin").mkdir()
    for name, text in {"ssh": SSH, "ssh-keyscan": SSH_KEYSCAN}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    for address, letter in {WEB: "w", DB: "d"}.items():
        (tmp_path / f"{address}.keys").write_text(f"{key(letter)}\n")
        (tmp_path / address).write_text(f"{DEBIAN}; echo addresses={address} 10.0.0.1\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE", str(tmp_path))
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path))
    return tmp_path


def look(earlier: object = None, **changes: object) -> dict[str, HostFacts]:
    return preflight.check(settings(**changes), earlier, "mine")


def complaint(**changes: object) -> str:
    with pytest.raises(SlipwayError) as caught:
        look(**changes)
    return str(caught.value)


def test_a_server_is_named_by_its_address_and_what_differs_from_the_usual() -> None:
    plain = existing_host.parse(WEB)
    assert (plain.address, plain.private_address, plain.port, plain.user) == (WEB, WEB, 22, "")
    whole = existing_host.parse("ada@web.example.org:2222 private=10.0.0.1")
    assert (whole.address, whole.private_address) == ("web.example.org", "10.0.0.1")
    assert (whole.port, whole.user) == (2222, "ada")
    assert whole.known_as == "[web.example.org]:2222"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "web.example.org",  # PostgreSQL listens on, and lets in, addresses
        "203.0.113.256",
        "203.0.113.10:0",
        "203.0.113.10:70000",
        "203.0.113.10 private=web",
        "203.0.113.10/24",
        "a b",
        "-oProxyCommand=x",
    ],
)
def test_what_names_no_server_is_refused_with_the_form(text: str) -> None:
    message = refused(webHosts=[text])
    assert f"slipway:webHosts is {text or repr(text)}: must be" in message
    assert "[user@]address[:port]" in message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dbHost": ""}, "slipway:dbHost is empty, and slipway:webHosts is not"),
        ({"webHosts": []}, "slipway:webHosts is empty, and slipway:dbHost is not"),
        ({"webHosts": [WEB, WEB]}, f"{WEB} is both web and web-2"),
        ({"webHosts": [DB]}, f"{DB} is both db and web"),
        ({"webHosts": [f"10.0.0.5 private={DB}"]}, f"{DB} is both db and web"),
        ({"webHosts": [f"{WEB}:8022"], "webPort": 8022}, "slipway:webPort is 8022, which is"),
        ({"webCount": 3}, "slipway:webCount is set, and so is slipway:webHosts"),
        ({"loadBalancer": True}, "slipway:loadBalancer is set"),
        ({"sshFrom": ["10.0.0.0/8"]}, "slipway:sshFrom is set"),
        ({"localWebPort": 8080}, "slipway:localWebPort is set"),
        ({"hostKeys": [WEB]}, "slipway:hostKeys is"),
    ],
)
def test_settings_that_do_not_fit_servers_of_ones_own_are_refused(
    changes: dict[str, object], said: str
) -> None:
    assert said in refused(**changes)


def test_servers_of_ones_own_have_the_names_that_droplets_have() -> None:
    own = settings(webHosts=["10.0.0.1", "10.0.0.2", "10.0.0.3"])
    assert own.web_servers == ["web", "web-2", "web-3"]
    assert {name: host.address for name, host in own.own_hosts.items()} == {
        "db": DB,
        "web": "10.0.0.1",
        "web-2": "10.0.0.2",
        "web-3": "10.0.0.3",
    }
    assert own.db_clients == ["10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32"]
    assert not own.balanced


def test_a_server_is_looked_at_once_and_its_host_key_at_every_update(there: Path) -> None:
    found = look()
    assert {name: known.distribution.label for name, known in found.items()} == {
        "db": "Debian 12",
        "web": "Debian 12",
    }
    logins = (there / "called").read_text()
    assert logins.count("root@") == 2
    assert "StrictHostKeyChecking=yes" in logins
    remembered = preflight.to_output(found.values())
    assert look(remembered) == found
    assert (there / "called").read_text() == logins


def test_a_server_that_was_installed_anew_is_looked_at_again(there: Path) -> None:
    remembered = preflight.to_output(look().values())
    (there / f"{WEB}.keys").write_text(f"{key('n')}\n")
    (there / WEB).write_text(DEBIAN.replace("12", "13"))
    pins = [f"{WEB} {key('n')}", f"{DB} {key('d')}"]
    assert look(remembered, hostKeys=pins)["web"].distribution.label == "Debian 13"


def test_a_fingerprint_pins_a_host_key_as_the_key_itself_does(there: Path, tmp_path: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "host")], check=True
    )
    public = (tmp_path / "host.pub").read_text()
    shown = subprocess.run(
        ["ssh-keygen", "-lf", str(tmp_path / "host.pub")], capture_output=True, text=True
    ).stdout.split()[1]
    assert preflight.fingerprint(public) == shown
    (there / f"{WEB}.keys").write_text(public)
    assert look(hostKeys=[f"{WEB} {shown}", f"{DB} {key('d')}"])["web"].host_key in public


def test_one_of_several_host_keys_may_be_the_pinned_one(there: Path) -> None:
    other = key("e").replace("ssh-ed25519", "ecdsa-sha2-nistp256")
    (there / f"{WEB}.keys").write_text(f"{key('w')}\n{other}\n")
    pins = [f"{WEB} {other} root@web", f"{DB} {key('d')}"]
    assert look(hostKeys=pins)["web"].host_key == other


def test_a_server_is_asked_for_the_type_that_is_pinned_alone(there: Path) -> None:
    """Each type is a connection more, to each server, in every update."""
    ecdsa = key("d").replace("ssh-ed25519", "ecdsa-sha2-nistp256")
    (there / f"{DB}.keys").write_text(f"{ecdsa}\n")
    look(hostKeys=[f"{WEB} {key('w')}", f"{DB} {ecdsa}"])
    asked = {words[-1]: words[-2] for words in map(str.split, (there / "scanned").open())}
    assert asked == {WEB: "ed25519", DB: "ed25519,ecdsa"}


def test_a_host_key_that_nobody_has_pinned_is_shown_with_what_pins_it(there: Path) -> None:
    said = complaint(hostKeys=[f"{DB} {key('d')}"])
    assert f"webHosts: {WEB} shows the host key {preflight.fingerprint(key('w'))}" in said
    assert "scripts/trust-hosts mine" in said
    assert WEB not in (there / "called").read_text(), "nothing logs in to a stranger"


def test_a_changed_host_key_is_named_with_the_one_before(there: Path) -> None:
    (there / f"{DB}.keys").write_text(f"{key('x')}\n")
    said = complaint()
    assert f"dbHost: {DB} shows the host key {preflight.fingerprint(key('x'))}" in said
    assert f"but {preflight.fingerprint(key('d'))} is pinned" in said


def test_the_key_of_one_server_is_not_that_of_another(there: Path) -> None:
    (there / f"{WEB}.keys").write_text(f"{key('d')}\n")
    assert f"{WEB} shows the host key" in complaint()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (DEBIAN.replace("debian", "alpine"), "runs alpine 12: must be Debian 12 or 13, Ubuntu"),
        (DEBIAN.replace("12", "10"), "runs debian 10: must be"),
        ("echo id=FreeBSD", "runs FreeBSD: must be"),
        (DEBIAN.replace("root=yes", ""), "lets root in, who may not become root"),
        (DEBIAN.replace("systemd=yes", ""), "does not run systemd"),
        (f"{DEBIAN}; echo addresses=10.9.9.9", f"has no address {DB}, but 10.9.9.9: say private="),
        (f"{DEBIAN}; echo postgresql=/etc/postgresql/15/main", "PostgreSQL that Slipway did not"),
        ("echo 'Permission denied (publickey).' >&2; exit 255", "Permission denied (publickey)."),
    ],
)
def test_a_server_that_cannot_be_one_is_named_with_what_was_seen(
    there: Path, answers: str, said: str
) -> None:
    (there / DB).write_text(f"{answers}\n")
    message = complaint()
    assert message.startswith(f"dbHost: {DB} ")
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize("other", [{"appServer": "uwsgi"}, {"supervisor": "supervisor"}])
def test_the_rhel_family_has_gunicorn_under_systemd_only(
    there: Path, other: dict[str, str]
) -> None:
    for address in (WEB, DB):
        rocky = DEBIAN.replace("debian", "rocky").replace("12", "9.5")
        (there / address).write_text(f"{rocky}\n")
    remembered = preflight.to_output(look().values())
    with pytest.raises(SlipwayError) as caught:
        look(remembered, **other)
    assert str(caught.value) == (
        f"webHosts: {WEB} runs rocky 9.5, where appServer can only be gunicorn, and supervisor"
        " systemd"
    )


def test_a_port_that_is_taken_is_named_with_who_has_it(there: Path) -> None:
    line = 'LISTEN 0 511 *:80 *:* users:(("apache2",pid=1,fd=4))'
    (there / WEB).write_text(f"{DEBIAN}\necho 'listening={line};'\n")
    assert complaint() == f"webHosts: {WEB} has port 80 (webPort) taken by apache2"
    assert look(webPort=8080)


def test_all_servers_that_are_wrong_are_named_at_once(there: Path) -> None:
    (there / f"{DB}.keys").unlink()
    (there / WEB).write_text("echo id=arch\n")
    first, second = complaint().splitlines()
    assert first == f"dbHost: {DB} does not answer at port 22: connect to {DB}: refused"
    assert second.startswith(f"webHosts: {WEB} runs arch: must be")


def test_a_key_file_that_is_missing_is_named(there: Path) -> None:
    assert "with /no/key (sshKey): there is no such file" in complaint(sshKey="/no/key")


def test_the_key_and_user_of_the_settings_are_the_ones_that_log_in(there: Path) -> None:
    (there / "id").touch()
    look(
        sshKey=str(there / "id"),
        sshUser="ada",
        dbHost=f"grace@{DB}:2222",
        hostKeys=[f"{WEB} {key('w')}", f"[{DB}]:2222 {key('d')}"],
    )
    logins = (there / "called").read_text()
    assert f"ada@{WEB}" in logins
    assert f"-p 2222 grace@{DB}" in logins
    assert logins.count(f"IdentityFile={there / 'id'}") == 2


@pytest.mark.parametrize(
    ("seen", "family", "folder"),
    [
        ("debian 12", "debian", "/etc/postgresql/15/main"),
        ("debian 13", "debian", "/etc/postgresql/17/main"),
        ("ubuntu 22.04", "debian", "/etc/postgresql/14/main"),
        ("ubuntu 24.04", "debian", "/etc/postgresql/16/main"),
        ("rocky 9.5", "rhel", "/var/lib/pgsql/data"),
        ("almalinux 10.0", "rhel", "/var/lib/pgsql/data"),
        ("fedora 42", "rhel", "/var/lib/pgsql/data"),
    ],
)
def test_each_system_has_its_family_and_its_place_for_postgresql(
    seen: str, family: str, folder: str
) -> None:
    system = registry.of(*seen.split())
    assert (system.family, system.postgresql_folder) == (family, folder)


def test_a_droplet_is_the_system_of_its_image() -> None:
    assert registry.of_image("debian-13-x64") == registry.of("debian", "13")

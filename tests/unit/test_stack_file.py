"""Pulumi.<stack>.yaml is read as the engine reads it, however it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.core.this_machine import is_this_machine
from components.settings import stack_file
from components.settings.stack_file import StackFile, StackFileError

LOCAL = "http://127.0.0.1:7300"


def read(tmp_path: Path, text: str, project: str = "slipway") -> StackFile:
    path = tmp_path / "Pulumi.local.yaml"
    path.write_text(text)
    return stack_file.read(path, project)


@pytest.mark.parametrize(
    "line",
    [
        f"digitalocean:apiEndpoint: {LOCAL}",
        f'digitalocean:apiEndpoint: "{LOCAL}"',
        f"digitalocean:apiEndpoint: '{LOCAL}'",
        f"digitalocean:apiEndpoint: '{LOCAL}/'",
        f'"digitalocean:apiEndpoint": {LOCAL}',
        f"'digitalocean:apiEndpoint': {LOCAL}",
        f"digitalocean:apiEndpoint:\n    {LOCAL}",
        f"digitalocean:apiEndpoint:\t{LOCAL}",
        f"digitalocean:apiEndpoint : {LOCAL}  # this machine",
        f"digitalocean:config:apiEndpoint: {LOCAL}",
        f"digitalocean:apiEndpoint: >-\n    {LOCAL}",
    ],
)
def test_the_local_cloud_is_seen_in_every_spelling(tmp_path: Path, line: str) -> None:
    found = read(tmp_path, f"config:\n  {line}\n")
    assert (found.endpoint, found.local_port) == (LOCAL, 7300)


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://localhost:7301", 7301),
        ("http://[::1]:7302", 7302),
        ("http://127.0.0.1", 80),
        ("https://api.digitalocean.com", None),
        ("http://192.0.2.1:7300", None),
        ("http://127.0.0.1.example.org:7300", None),
        ("https://localhost:7300", None),
        ("http://[::1:7300", None),
        ("http://127.0.0.1:one", None),
        ("", None),
    ],
)
def test_an_environment_is_in_the_local_cloud_where_its_endpoint_is_this_machine(
    tmp_path: Path, url: str, port: int | None
) -> None:
    assert read(tmp_path, f'config:\n  digitalocean:apiEndpoint: "{url}"\n').local_port == port


def test_what_is_this_machine_is_said_in_one_place() -> None:
    assert [is_this_machine(f"http://{each}:1") for each in ("127.0.0.1", "localhost", "[::1]")]
    assert not is_this_machine("http://192.0.2.1:1")


@pytest.mark.parametrize(
    ("name", "is_it"),
    [
        ("acme.cloud.localhost", True),
        ("ACME.LOCALHOST", True),
        ("localhost.example.org", False),
        ("notlocalhost", False),
        ("localhost", True),
    ],
)
def test_every_name_below_localhost_is_this_machine(name: str, is_it: bool) -> None:
    """RFC 6761, 6.3."""
    assert is_this_machine(f"https://{name}:14000/dir") is is_it


@pytest.mark.parametrize("value", ["null", "~", "", '""', "''"])
def test_an_empty_value_is_not_set(tmp_path: Path, value: str) -> None:
    found = read(tmp_path, f"config:\n  slipway:dbHost: {value}\n  slipway:release: {value}\n")
    assert not found.has_own_hosts
    assert not found.is_held_on_a_release


@pytest.mark.parametrize("key", ["slipway:dbHost", '"slipway:dbHost"', "dbHost", "'dbHost'"])
def test_a_key_without_a_namespace_is_the_projects(tmp_path: Path, key: str) -> None:
    found = read(tmp_path, f"config:\n  {key}: root@db.example.org\n")
    assert found.settings == {"dbHost": "root@db.example.org"}
    assert found.has_own_hosts


def test_another_namespace_is_no_setting(tmp_path: Path) -> None:
    found = read(tmp_path, "config:\n  slipway:webCount: 2\n  other:dbHost: x\n", "other")
    assert found.settings == {"dbHost": "x"}


@pytest.mark.parametrize(
    "text",
    [
        "config:\n  slipway:release: 0123456789ab\n",
        'config:\n  "slipway:release": "0123456789ab"\n',
        "config:\n  release: '0123456789ab'\n",
        "config: {slipway:sites: [{appName: shop, release: 0123456789ab}]}\n",
        'config:\n  slipway:sites: \'[{"appName": "shop", "release": "0123456789ab"}]\'\n',
        "config:\n  slipway:sites:\n  - appName: shop\n  - release: 0123456789ab\n",
    ],
)
def test_a_release_that_is_held_is_seen(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).is_held_on_a_release


def test_none_is_held_where_nobody_said_so(tmp_path: Path) -> None:
    text = "config:\n  slipway:releaseCommand: x\n  slipway:sites: [{appName: shop}]\n"
    assert not read(tmp_path, f"# slipway:release: 0123456789ab\n{text}").is_held_on_a_release


@pytest.mark.parametrize(
    ("lines", "ports"),
    [
        (["slipway:localWebPort: 8080", 'slipway:localDbPort: "54322"'], [8080, 54322]),
        (['slipway:localWebPort: "0"', 'slipway:localDbPort: "70000"'], []),
        (["slipway:localWebPort: none"], []),
        (["slipway:localWebPort: 8080.5"], []),
        (["slipway:webPort: 81"], []),
    ],
)
def test_the_wanted_ports_are_those_that_can_be_one(
    tmp_path: Path, lines: list[str], ports: list[int]
) -> None:
    found = read(tmp_path, "config:\n" + "".join(f"  {line}\n" for line in lines))
    assert found.forwarded_ports == ports


def test_values_are_what_the_engine_takes_them_for(tmp_path: Path) -> None:
    """Held against `pulumi config --json` of the engine in tools/."""
    text = "a: yes\n  b: off\n  c: 1:30\n  d: 0x10\n  e: true\n  f: 1.50\n  g: [a, 1, no]\n"
    found = read(tmp_path, f"config:\n  {text}")
    assert found.settings == {
        **{"a": "yes", "b": "off", "c": "1:30", "d": 16},
        **{"e": True, "f": 1.5, "g": ["a", 1, "no"]},
    }


def test_a_token_in_the_file_is_seen_and_not_read(tmp_path: Path) -> None:
    found = read(tmp_path, 'config:\n  "digitalocean:token":\n    secure: v1:abc\n')
    assert found.has_token
    assert not read(tmp_path, "config: {}\n").has_token


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("config:\n  a: 80\n    b: 2\n", "Pulumi.local.yaml, line 3: not valid YAML: "),
        ("config: [a]\n", "Pulumi.local.yaml: config is ['a']: must be keys with their values"),
        ("config: \x07\n", "Pulumi.local.yaml: not valid YAML: "),
        ("a: [\n", "Pulumi.local.yaml, line 2: not valid YAML: "),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(StackFileError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize("text", ["", "config:\n", "encryptionsalt: v1:abc\n", "--- \n"])
def test_an_environment_may_say_nothing(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).settings == {}


@pytest.mark.parametrize(
    "line",
    [
        "encryptionsalt: v1:abc=:v1:def==\n",
        '"encryptionsalt": v1:abc\n',
        "encryptionsalt:\n  v1:abc\n",
        "encryptionsalt: v1:abc",
    ],
)
def test_a_key_is_taken_out_and_the_rest_stays_as_it_is_written(tmp_path: Path, line: str) -> None:
    before = "# Mine.\nconfig:\n  webPort:   80  # as ever\n"
    assert stack_file.without(f"{before}{line}", "encryptionsalt") == before
    after = "other: 1\n"
    if line.endswith("\n"):
        assert stack_file.without(f"{line}{after}", "encryptionsalt") == after
    assert read(tmp_path, f"{before}{line}").salt.startswith("v1:abc")


def test_a_project_with_a_name_of_its_own_takes_the_settings_along() -> None:
    text = (
        "config:\n  # slipway:webPort stays\n  slipway:webPort: 80\n"
        "  'slipway:maintenance': slipway:webPort\n  digitalocean:token: x\n"
    )
    assert stack_file.renamed(text, "slipway", "shop") == (
        "config:\n  # slipway:webPort stays\n  shop:webPort: 80\n"
        "  'shop:maintenance': slipway:webPort\n  digitalocean:token: x\n"
    )
    assert stack_file.renamed("", "slipway", "shop") == ""


@pytest.mark.parametrize(
    ("text", "domains"),
    [
        ("slipway:serverNames: [www.site.localhost, site.localhost]", ["site.localhost"]),
        ("slipway:serverNames:\n    - a.b.site.localhost", ["site.localhost"]),
        ("slipway:serverNames: '[\"*.shops.localhost\"]'", ["shops.localhost"]),
        ("slipway:serverNames: ['*.localhost']", []),
        ("slipway:serverNames: [www.example.org, localhost, xlocalhost]", []),
        ("slipway:serverNames: www.site.localhost", []),
        ("slipway:redirectNames: {old.localhost: www.site.localhost}", ["old.localhost"]),
        ('slipway:redirectNames: \'{"old.localhost": "a.localhost"}\'', ["old.localhost"]),
        ("slipway:serverNames: 5", []),
        ("slipway:webCount: 2", []),
        (
            "slipway:serverNames: [www.site.localhost]\n  slipway:sites:\n"
            "    - appName: shop\n      serverNames: [shop.localhost, www.site.localhost]\n",
            ["shop.localhost", "site.localhost"],
        ),
    ],
)
def test_domains_below_localhost_are_those_of_all_sites(
    tmp_path: Path, text: str, domains: list[str]
) -> None:
    assert read(tmp_path, f"config:\n  {text}\n").local_domains == domains


NAMES = "slipway:serverNames: [www.site.localhost]"
ACME = "slipway:acmeServer: https://acme.cloud.localhost:14000/dir"


@pytest.mark.parametrize(
    ("text", "port"),
    [
        (f"{NAMES}\n  {ACME}", 14000),
        (f"slipway:sites: [{{appName: shop, serverNames: [shop.localhost]}}]\n  {ACME}", 14000),
        (ACME, None),
        (NAMES, None),
        (f"{NAMES}\n  slipway:acmeServer: https://acme.example.org:14000/dir", None),
        (f"{NAMES}\n  slipway:acmeServer: https://localhost:port/dir", None),
        (f"{NAMES}\n  slipway:acmeServer: ''", None),
    ],
)
def test_the_local_cloud_s_acme_server_is_wanted_where_a_site_with_a_name_asks_it(
    tmp_path: Path, text: str, port: int | None
) -> None:
    assert read(tmp_path, f"config:\n  {text}\n").local_acme_port == port

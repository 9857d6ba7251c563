"""The settings of an environment: what is accepted, and what a person is told otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.errors import SlipwayError
from components.settings.load import parse
from components.settings.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
DEFAULTS: dict[str, Any] = {name: setting["default"] for name, setting in SCHEMA.items()}


def settings(**changes: Any) -> Settings:
    return parse({**DEFAULTS, **changes})


def complaint(**changes: Any) -> str:
    with pytest.raises(SlipwayError) as caught:
        settings(**changes)
    return str(caught.value)


def test_the_defaults_of_the_project_file_are_a_good_environment() -> None:
    assert settings().web_count == 1


def test_every_setting_is_declared_with_type_default_and_help() -> None:
    assert set(SCHEMA) == {field.alias for field in Settings.model_fields.values()}
    for name, setting in SCHEMA.items():
        assert set(setting) >= {"type", "default", "description"}, name


@pytest.mark.parametrize("stack", sorted(path.stem for path in ROOT.glob("Pulumi.*.yaml")))
def test_every_environment_that_is_shipped_is_valid(stack: str) -> None:
    document = yaml.safe_load((ROOT / f"{stack}.yaml").read_text())
    values = {
        key.removeprefix("slipway:"): value
        for key, value in document["config"].items()
        if key.startswith("slipway:")
    }
    parse({**DEFAULTS, **values})


def test_an_unknown_setting_is_named_with_the_one_that_was_meant() -> None:
    assert complaint(webPrt=80) == (
        "slipway:webPrt is not a setting; did you mean slipway:webPort?"
        " (Pulumi.yaml lists them all)"
    )


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("webPort", 0, "a port, 1 to 65535"),
        ("webPort", 65536, "a port, 1 to 65535"),
        ("webPort", "http", "a port, 1 to 65535"),
        ("webPort", 22, "another port"),
        ("webCount", 0, "1 to 50"),
        ("keepReleases", 1, "2 to 1000"),
        ("appName", "My App", "lower-case letters"),
        ("appName", "root", "no name that a Debian server uses itself"),
        ("appName", "deploy", "no name that a Debian server uses itself"),
        ("appName", "postgres", "no name that a Debian server uses itself"),
        ("appName", "user", "no name that a Debian server uses itself"),  # user@.service
        ("appModule", "wsgi", "module:name"),
        ("appModule", "wsgi:site.app", "module:name"),  # gunicorn takes no attribute of one
        ("appModule", "wsgi..site:app", "module:name"),
        ("appFolder", "../app", "a folder below"),
        ("appFolder", "/srv/app", "a folder below"),
        ("staticFolder", "../secrets", "a folder inside the application"),
        ("releaseCommand", "one\ntwo", "one command line"),
        ("healthPath", "healthz", "a path such as /healthz"),
        ("image", "centos-7", "debian-12-x64 or debian-13-x64"),
        ("vpcRange", "8.8.8.0/24", "a private IPv4 network"),
        ("vpcRange", "10.0.0.1/24", "a private IPv4 network"),
        ("sshFrom", ["everywhere"], "one IPv4 network or more"),
        ("sshFrom", [], "one IPv4 network or more"),
        ("release", "yesterday", "12 hexadecimal digits"),
        ("namePrefix", "Dev_", "lower-case letters"),
        ("localWebAddress", 255, "or 0 for any"),
        ("localDbAddress", 1, "2 to 250"),
        ("backups", "sometimes", "true or false"),
        ("releaseBatch", "0", "a number of servers"),
        ("releaseBatch", "101%", "a percentage"),
        ("canarySeconds", -1, "0 to 3600"),
        ("minReadySeconds", 601, "0 to 600"),
        ("confirmSeconds", 4, "5 to 3600"),
        ("connectSeconds", 0, "1 to 3600"),
        ("dbConnections", 19, "20 to 10000"),
        ("releaseCommandSeconds", 0, "1 to 86400"),
        ("releaseCommandLockSeconds", -1, "0 to 3600"),
        ("healthStatus", 100, "200 to 599"),
        ("appServer", "apache", "gunicorn, uwsgi or mod_wsgi"),
        ("supervisor", "runit", "systemd or supervisor"),
        ("workerThreads", 0, "1 to 256"),
        ("requestSeconds", 0, "1 to 3600 seconds"),
        ("maxRequests", -1, "0 for never"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(
    name: str, value: object, allowed: str
) -> None:
    text = complaint(**{name: value})
    assert text.startswith(f"slipway:{name} is ")
    assert str(value) in text or repr(value) in text or isinstance(value, list)
    assert allowed in text


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = complaint(webPort=0, webCount=0)
    assert "slipway:webPort" in text
    assert "slipway:webCount" in text


def test_two_forwards_cannot_share_a_port() -> None:
    text = complaint(localWebPort=8080, localDbPort=8080)
    assert "slipway:localDbPort is 8080" in text
    assert "slipway:localWebPort" in text


def test_the_port_where_apache_listens_cannot_be_the_site_s() -> None:
    text = complaint(appServer="mod_wsgi", webPort=7080)
    assert "slipway:webPort is 7080, and slipway:appServer is mod_wsgi, which listens" in text
    assert settings(webPort=7080).web_port == 7080


def test_a_number_outside_a_small_private_network_is_refused() -> None:
    assert "2 to 14" in complaint(vpcRange="10.0.0.0/28", localWebAddress=15)


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings().web_port = 81


def test_postgresql_opens_to_the_forward_only_when_there_is_one() -> None:
    assert settings().db_from == []
    opened = settings(localDbPort=54322, vpcRange="192.168.100.0/24")
    assert opened.db_from == ["192.168.100.1"]


def test_variables_are_given_as_text_as_a_person_wrote_them() -> None:
    given = {"MODE": "fast", "SIZE": 5, "RATIO": 0.5, "DEBUG": True, "KEY": "a\nb\n"}
    assert settings(appEnv=given).app_env == {
        "MODE": "fast",
        "SIZE": "5",
        "RATIO": "0.5",
        "DEBUG": "true",
        "KEY": "a\nb\n",
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("hush", "must be a map of names and values"),
        ({"mode": "hush"}, "has the name 'mode': must be capital letters, digits and _"),
        ({"1ST": "hush"}, "has the name '1ST': must be"),
        ({"A B": "hush"}, "has the name 'A B': must be"),
        ({"DATABASE_URL": "hush"}, "has the name DATABASE_URL, which is taken"),
        ({"PATH": "hush"}, "has the name PATH, which is taken"),
        ({"LD_PRELOAD": "hush"}, "has the name LD_PRELOAD, which is taken"),
        ({"SLIPWAY_INSTANCE": "hush"}, "has the name SLIPWAY_INSTANCE, which is taken"),
        ({"A": ["hush"]}, "has for A no plain value"),
        ({"A": None}, "has for A no plain value"),
        ({"A": "hush\r\n"}, "has for A a control character"),
        ({"A": "hush\0"}, "has for A a control character"),
    ],
)
def test_a_variable_that_cannot_be_is_named_and_its_value_never_shown(
    given: Any, said: str
) -> None:
    told = complaint(appEnv=given)
    assert told.startswith(f"slipway:appEnv {said}")
    assert "hush" not in told


def test_the_values_of_variables_are_not_in_what_settings_look_like() -> None:
    assert "hush" not in repr(settings(appEnv={"SECRET_KEY": "hush"}))

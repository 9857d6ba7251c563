"""Environments as files: what holds in one, what differs between two, what one costs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cli import paths
from cli.console import CommandError
from cli.engine import differences
from cli.project import environments
from cli.provider import new_environment, offer, price

PRICES = {"s-1vcpu-1gb": 6.0, "s-1vcpu-2gb": 12.0, "s-2vcpu-4gb": 24.0}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with our settings and no environments."""
    (tmp_path / "Pulumi.yaml").write_text((paths.ROOT / "Pulumi.yaml").read_text())
    for module in (paths, environments):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    return tmp_path


def test_an_environment_has_the_defaults_but_for_what_it_says(project: Path) -> None:
    (project / "Pulumi.dev.yaml").write_text('config:\n  slipway:webCount: "3"\n')
    found = environments.settings_of("dev")
    assert (found["webCount"], found["webPort"]) == (3, 80)


def test_numbers_and_yes_or_no_are_told_whether_they_are_in_quotes_or_not(project: Path) -> None:
    (project / "Pulumi.one.yaml").write_text("config:\n  slipway:webCount: 2\n  backups: true\n")
    (project / "Pulumi.two.yaml").write_text('config: {slipway:webCount: "2", backups: "true"}\n')
    assert environments.settings_of("one") == environments.settings_of("two")


def test_a_secret_is_told_as_one_and_not_by_its_value(project: Path) -> None:
    (project / "Pulumi.dev.yaml").write_text("config:\n  slipway:key:\n    secure: v1:abcdef\n")
    assert environments.settings_of("dev")["key"] == "(a secret)"


def test_only_what_differs_is_shown_and_defaults_count() -> None:
    one, other = {"webCount": 1, "region": "fra1"}, {"webCount": 2, "region": "fra1", "x": ""}
    assert differences.differences(one, other) == {"webCount": (1, 2), "x": (None, "")}


def test_a_new_environment_gets_a_network_that_no_other_has() -> None:
    taken = {"dev": "10.20.0.0/24", "staging": "10.21.0.0/16", "local": "192.168.100.0/24"}
    assert environments.free_network(taken) == "10.22.0.0/24"


def test_the_file_says_only_what_differs_from_the_defaults(project: Path) -> None:
    wanted = {"region": "fra1", "webCount": 2, "namePrefix": "staging-"}
    text = new_environment.document("staging", wanted)
    assert yaml.safe_load(text) == {
        "config": {"slipway:webCount": 2, "slipway:namePrefix": "staging-"}
    }


def test_the_bill_has_every_server_the_backups_and_the_balancer() -> None:
    settings = {
        "webSize": "s-1vcpu-2gb",
        "webCount": 2,
        "dbSize": "s-2vcpu-4gb",
        "backups": True,
        "loadBalancer": False,
    }
    bill = price.items(settings, PRICES)
    assert [each.dollars for each in bill] == [24.0, 24.0, pytest.approx(9.6), 12.0]
    assert price.estimate(bill).endswith("69.60")


def test_one_server_without_backups_is_two_lines() -> None:
    settings = {
        "webSize": "s-1vcpu-1gb",
        "webCount": 1,
        "dbSize": "s-1vcpu-1gb",
        "backups": False,
        "loadBalancer": False,
    }
    assert [each.dollars for each in price.items(settings, PRICES)] == [6.0, 6.0]


def test_a_size_that_the_region_has_not_got_is_named_with_those_it_has() -> None:
    sizes = {
        "small": {"price_monthly": 6, "regions": ["fra1", "ams3"]},
        "large": {"price_monthly": 60, "regions": ["ams3"]},
    }
    there = offer.Offer(sizes=sizes, regions=("ams3", "fra1"))
    there.check("fra1", "small")
    with pytest.raises(CommandError, match="size large: not to be had in fra1; there is: small"):
        there.check("fra1", "small", "large")
    with pytest.raises(CommandError, match="region is fra9: must be one of ams3, fra1"):
        there.check("fra9", "small")


def test_without_a_token_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DIGITALOCEAN_TOKEN", raising=False)
    with pytest.raises(CommandError, match="no DigitalOcean token: set DIGITALOCEAN_TOKEN"):
        offer.offer()


@pytest.mark.parametrize("name", ["dev", "staging", "production"])
def test_the_environments_shipped_are_right_and_have_networks_of_their_own(name: str) -> None:
    from components.settings import load

    load.parse(environments.settings_of(name))
    networks = [environments.settings_of(each)["vpcRange"] for each in paths.environments()]
    assert len(set(networks)) == len(networks)


def test_production_is_two_web_servers_behind_a_balancer_with_a_protected_database() -> None:
    production, staging = map(environments.settings_of, ("production", "staging"))
    assert production["webCount"] >= 2
    assert production["backups"]
    assert production["protectDatabase"]
    monthly = {"s-1vcpu-1gb": 6.0, "s-1vcpu-2gb": 12.0, "s-2vcpu-4gb": 24.0}

    def servers(settings: dict[str, object]) -> float:
        return sum(e.dollars for e in price.items(settings, monthly) if "server" in e.what)

    assert servers(staging) <= servers(production) / 2

"""What `scripts/up --only` leaves out is told by the names of the resources: each has its tier."""

from __future__ import annotations

import re
from functools import cache

import pytest

from cli.engine import tiers
from tests.components.conftest import Run


@cache
def left_out(only: str) -> list[re.Pattern[str]]:
    """The names that the engine gets to leave out, for it `*` is anything within a name."""
    said = "\n".join(tiers.options_of(only))
    globs = re.findall(r"^--exclude=\*\*::(\S+)$", said, re.MULTILINE)
    assert globs
    return [re.compile(glob.replace("*", "[^:]*")) for glob in globs]


def tiers_of(name: str) -> set[str]:
    """Of which tiers' updates a resource of that name is a part."""
    return {
        only
        for only in ("web", "db")
        if not any(pattern.fullmatch(name) for pattern in left_out(only))
    }


@pytest.mark.parametrize("servers", [1, 2])
def test_everything_on_a_server_belongs_to_the_tier_of_that_server(run: Run, servers: int) -> None:
    shop = {"appName": "shop", "serverNames": ["shop.example.org"]}
    engine = run(webCount=servers, maintenance="Back at ten.", sites=[shop])
    made = [each for each in engine.resources if each.type.endswith((":Command", ":Droplet"))]
    tiers = {each.name: tiers_of(each.name) for each in made}
    assert {"db", "database-create", "web", "web-switch"} <= tiers.keys()
    assert tiers.pop("deploy-key") == {"web", "db"}
    passwords = {name for name in tiers if name.startswith("db-password")}
    assert len(passwords) == 2
    releases = [each.name for each in engine.resources if each.type == "slipway:index:Release"]
    assert [tiers_of(name) for name in releases] == [{"web"}] * 2
    for name, of in tiers.items():
        assert of == {"db" if name.startswith(("db", "database")) else "web"}, name


def test_the_network_belongs_to_both(run: Run) -> None:
    names = [each.name for each in run().resources if "slipway-test" in each.name]
    assert len(names) > 5
    assert {frozenset(tiers_of(name)) for name in names} == {frozenset({"web", "db"})}

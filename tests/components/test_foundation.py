"""A change that would destroy or strand data is refused before anything is made."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.settings import foundation
from tests.components.conftest import Engine, Run


@pytest.fixture
def made(run: Run) -> Engine:
    """An environment after its first update."""
    return run()


@pytest.mark.parametrize(("setting", "value"), [("vpcRange", "10.99.0.0/24"), ("region", "ams3")])
def test_a_change_that_destroys_the_database_is_refused_until_it_is_named(
    run: Run, made: Engine, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    earlier, was = dict(made.exports), made.exports["made_from"][setting]
    with pytest.raises(pulumi.RunError) as caught:
        run(last_outputs=earlier, **{setting: value})
    told = str(caught.value)
    assert f"slipway:{setting} is {value}, and test was made with {was}: that destroys" in told
    assert "the database server db without its data" in told
    assert "scripts/up test --destroy db" in told
    assert f"pulumi config set {setting} {was} --stack test" in told
    monkeypatch.setenv(foundation.DESTROY, "db")
    assert run(last_outputs=earlier, **{setting: value}).all("droplet:Droplet")


def test_servers_of_one_s_own_instead_would_destroy_it_too(run: Run, made: Engine) -> None:
    own: dict[str, Any] = {"webHosts": ["203.0.113.1"], "dbHost": "203.0.113.2"}
    with pytest.raises(
        pulumi.RunError, match=r"slipway:dbHost is 203\.0\.113\.2, .* was made with none"
    ):
        run(last_outputs=dict(made.exports), **own)


def test_the_application_keeps_its_name(
    run: Run, made: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(foundation.DESTROY, "db")
    with pytest.raises(pulumi.RunError, match=r"slipway:appName is shop, .* was made with site"):
        run(last_outputs=dict(made.exports), appName="shop")


def test_what_is_not_there_yet_is_made_as_the_settings_say(run: Run) -> None:
    assert run(vpcRange="10.99.0.0/24", appName="shop").exports["made_from"] == {
        "appName": "shop",
        "dbHost": "",
        "region": "fra1",
        "vpcRange": "10.99.0.0/24",
    }


def test_servers_are_known_by_what_they_run_and_new_ones_get_the_new_image(
    run: Run, made: Engine
) -> None:
    engine = run(last_outputs=dict(made.exports), image="debian-13-x64", webCount=2)
    images = {each.name: each.inputs["image"] for each in engine.all("droplet:Droplet")}
    assert images == {"db": "debian-12-x64", "web": "debian-12-x64", "web-2": "debian-13-x64"}
    # PostgreSQL's folders are those of the system that is there.
    assert "/etc/postgresql/15/" in str(engine.one("database-postgresql-conf").inputs)
    assert [each["image"] for each in engine.exports["web"]] == ["debian-12-x64", "debian-13-x64"]

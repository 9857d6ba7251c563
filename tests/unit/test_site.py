"""Several sites on one environment: what each is made of, and what two of them cannot share."""

from __future__ import annotations

from typing import Any

import pytest

from components.application.application import Application, ApplicationFiles
from components.core.errors import SlipwayError
from components.servers.distributions.registry import of_image
from components.settings import site
from components.settings.site import Site
from tests.unit.test_settings import complaint as complaint_of_settings
from tests.unit.test_settings import settings

SHOP: dict[str, Any] = {
    "appName": "shop",
    "serverNames": ["shop.example.org", "*.shops.example.org"],
    "appFolder": "examples/plain",
    "releaseCommand": "",
}
BLOG = {"appName": "blog", "serverNames": ["blog.example.org"]}


def sites(*further: dict[str, Any], **changes: Any) -> list[Site]:
    return site.all_of(settings(sites=list(further), **changes), {})


def complaint(*further: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(SlipwayError) as caught:
        sites(*further, **changes)
    return str(caught.value)


def files(of: Site) -> ApplicationFiles:
    application = Application(settings=of.settings, module="wsgi:app", is_first=of.is_first)
    return ApplicationFiles.of(application, {"web": of_image("debian-12-x64")})


def test_without_more_the_settings_are_the_only_site() -> None:
    (only,) = sites()
    assert only.settings == settings()
    assert only.is_first
    assert only.within("local") == "local"
    assert only.outputs({"releases": [1]}) == {"releases": [1]}


def test_a_further_site_is_the_first_with_what_it_says_differently() -> None:
    first, shop = sites(SHOP, webPort=8081, appServer="uwsgi", healthPath="/ok")
    assert (shop.name, shop.server_names[0]) == ("shop", "shop.example.org")
    assert (shop.settings.app_folder, shop.settings.release_command) == ("examples/plain", "")
    assert (shop.settings.web_port, shop.settings.app_server) == (8081, "uwsgi")
    assert shop.settings.health_path == "/ok"
    assert first.settings.release_command == "python release.py"


def test_it_takes_over_nothing_that_belongs_to_one_application_alone() -> None:
    own = {"SECRET_KEY": "hush"}
    _, shop, blog = sites(
        {**SHOP, "appEnv": {"KEY": 5}},
        BLOG,
        appEnv=own,
        appModule="a:b",
        buildCommand="make",
        warmUpPaths=["/a"],
        release="0123456789ab",
        locations=[{"path": "/content", "folder": "content"}],
    )
    assert (shop.settings.app_env, blog.settings.app_env) == ({"KEY": "5"}, {})
    for each in (shop.settings, blog.settings):
        assert (each.app_module, each.build_command, each.release) == ("", "", "")
        assert (each.warm_up_paths, each.locations) == ([], [])


def test_its_releases_and_its_outputs_are_its_own() -> None:
    _, shop = sites(SHOP)
    assert shop.within("local") == "local/shop"
    earlier = {"releases": [1], "sites": {"shop": {"releases": [2]}}}
    assert shop.outputs(earlier) == {"releases": [2]}
    assert shop.outputs({"releases": [1]}) == {}


def test_an_id_that_the_engine_took_for_a_number_is_an_id() -> None:
    assert sites({**SHOP, "release": 123456789012})[1].settings.release == "123456789012"


def test_on_a_server_it_has_everything_of_its_own() -> None:
    first, shop = map(files, sites(SHOP))
    assert "listen 80 default_server;" in first.nginx["web"]
    assert "server_name _;" in first.nginx["web"]
    assert "    listen 80;\n" in shop.nginx["web"]
    assert "server_name shop.example.org *.shops.example.org;" in shop.nginx["web"]
    assert "unix:/srv/shop/current.sock" in shop.nginx["web"]
    assert '"health_host": "shop.example.org"' in shop.releasectl
    assert '"health_host": "localhost"' in first.releasectl
    assert "systemctl reload nginx" in shop.prepare, "the first one's visitors are not cut off"
    assert "/srv/site" not in shop.prepare


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"appName": "site"}, "appName is site, and so is slipway:appName: each site has a name"),
        ({"appName": "blog"}, "appName is blog, and so is slipway:sites[0].appName: each site"),
        ({"appName": "root"}, "appName is root: must be 1 to 24 lower-case letters"),
        (
            {"serverNames": ["blog.example.org"]},
            "has blog.example.org, and so has slipway:sites[0]",
        ),
        ({"serverNames": []}, "serverNames is missing: must be one name or more"),
        (
            {"serverNames": "shop.example.org"},
            "serverNames is shop.example.org: must be a list of names",
        ),
        ({"serverNames": ["shop example"]}, "serverNames is shop example: must be"),
        ({"serverNames": ["a;b"]}, "serverNames is a;b: must be"),
        ({"serverNames": ["Shop.example"]}, "serverNames is Shop.example: must be"),
        ({"serverNames": [5]}, "serverNames is 5: must be a list"),
        ({"webPort": 81}, "webPort is not a site's own: it is one for all sites"),
        ({"sites": []}, "sites is not a site's own"),
        ({"appFoldr": "x"}, "appFoldr is not a setting; did you mean slipway:sites[1].appFolder?"),
        ({"appFolder": "../x"}, "appFolder is ../x: must be a folder below"),
        ({"staticFolder": "../x"}, "staticFolder is ../x: must be a folder inside the application"),
        ({"locations": [{"path": "x"}]}, "locations[0].path is x: must be a path"),
        ({"appEnv": {"PATH": "hush"}}, "appEnv has the name PATH, which is taken"),
        ({"workers": 200}, "workers is 200: must be 1 to 128"),
    ],
)
def test_what_a_site_cannot_be_is_said_with_its_number(changed: dict[str, Any], said: str) -> None:
    told = complaint(BLOG, {**SHOP, **changed})
    assert told.startswith("slipway:sites[1].")
    assert said in told
    assert "hush" not in told


def test_one_of_the_further_sites_cannot_become_the_first_at_once() -> None:
    earlier: dict[str, Any] = {"sites": {"shop": {"releases": []}}}
    with pytest.raises(SlipwayError, match="slipway:appName is shop, which is one of slipway:site"):
        site.all_of(settings(appName="shop"), earlier)
    assert site.all_of(settings(sites=[SHOP]), earlier)


def test_a_site_without_a_name_is_refused() -> None:
    assert complaint({"serverNames": ["a.example"]}).startswith("slipway:sites[0].appName is miss")


@pytest.mark.parametrize("given", ["shop", {"shop": {"appEnv": {"KEY": "hush"}}}, ["shop"]])
def test_sites_that_are_no_list_of_maps_are_refused_and_their_secrets_not_shown(given: Any) -> None:
    told = complaint_of_settings(sites=given)
    assert told == "slipway:sites must be a list of maps, each with an appName and serverNames"


def test_the_secrets_of_sites_are_not_in_what_settings_look_like() -> None:
    assert "hush" not in repr(settings(sites=[{**SHOP, "appEnv": {"KEY": "hush"}}]))

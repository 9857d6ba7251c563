"""Several sites on the same servers: each by its name, with its own releases, user and database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from tests.clone import Clone

pytestmark = pytest.mark.hosts

SHOP: dict[str, Any] = {
    "appName": "shop",
    "serverNames": ["shop.example.org"],
    "appFolder": "examples/plain",
    "releaseCommand": "",
    "staticFolder": "",
    "appServer": "mod_wsgi",
    "workers": 1,
}
SECRET = "hush-hush-no-one-knows"
FIRST, SECOND = "Hello, whoever you are.\n", "Hello, dear customer.\n"


@pytest.fixture(scope="module", autouse=True)
def only_one_site_afterwards(site: Clone) -> Iterator[None]:
    document = (site.folder / "Pulumi.local.yaml").read_text()
    application = (site.folder / "examples/plain/wsgi.py").read_text()
    yield
    (site.folder / "Pulumi.local.yaml").write_text(document)
    (site.folder / "examples/plain/wsgi.py").write_text(application)
    site.run("scripts/up local")


def have(site: Clone, *further: dict[str, Any]) -> None:
    path = site.folder / "Pulumi.local.yaml"
    document = yaml.safe_load(path.read_text())
    # Of names with records and certificates tests/https tells.
    document["config"] |= {"slipway:dns": "none", "slipway:tls": "off"}
    document["config"]["slipway:sites"] = list(further)
    path.write_text(yaml.safe_dump(document))


def page(site: Clone, name: str, path: str = "/") -> httpx.Response:
    address = f"http://127.0.0.1:{site.place.web}{path}"
    return httpx.get(address, headers={"Host": name}, timeout=10)


def process(site: Clone, app: str) -> str:
    """Of the instance that serves, and which one that is."""
    instance = site.on("web", f"basename $(readlink /srv/{app}/current.sock) .sock").strip()
    found = site.on("web", f"systemctl show --value --property=MainPID {app}@{instance}").strip()
    assert int(found) > 0
    return f"{instance} {found}"


def test_a_second_site_comes_and_the_first_does_not_notice(site: Clone) -> None:
    site.run("scripts/up local")
    before = process(site, "site")
    have(site, SHOP)
    set_secret = "config set --path 'sites[0].appEnv.SECRET_KEY' --secret --stack local"
    site.run(f"source scripts/activate && printf {SECRET} | pulumi {set_secret}")
    assert SECRET not in (site.folder / "Pulumi.local.yaml").read_text()
    site.run("scripts/up local")
    assert page(site, "shop.example.org").text == FIRST
    assert "Ada Lovelace" in page(site, "any.other.name").text
    assert process(site, "site") == before
    shop = site.output("sites")["shop"]
    assert shop["server_names"] == ["shop.example.org"]
    assert [each["id"] for each in shop["releases"]] == [shop["release"]["id"]]
    assert site.output("release")["id"] != shop["release"]["id"]


def test_each_has_a_user_a_folder_and_a_database_of_its_own(site: Clone) -> None:
    assert "shop" in site.on("web", "ps -o user= -C apache2").split()
    assert site.on("web", "stat -c %U /srv/shop/shared").strip() == "shop"
    environment = site.on("web", "sudo cat /etc/slipway/shop/env")
    assert f'SECRET_KEY="{SECRET}"' in environment
    assert "postgresql://shop:" in environment
    assert SECRET not in site.on("web", "sudo cat /etc/slipway/site/env; ps axww")
    assert SECRET not in site.run("cat .slipway/.pulumi/stacks/*/local.json").stdout
    said = site.run("scripts/psql local -XAtc 'SELECT datname, datdba::regrole FROM pg_database'")
    assert {"site|site", "shop|shop"} <= set(said.stdout.split())
    own = environment.split('DATABASE_URL="')[1].split('"')[0]
    python = "/srv/site/current/.venv/bin/python"
    ask = f"import psycopg; print(psycopg.connect('{own}').info.dbname)"
    assert site.on("web", f'{python} -c "{ask}"').strip() == "shop"
    other = own.replace("/shop?", "/site?")
    refused = f"{python} -c \"import psycopg; psycopg.connect('{other}')\" 2>&1 || true"
    assert "no pg_hba.conf entry" in site.on("web", refused)


def test_a_second_update_changes_nothing(site: Clone) -> None:
    site.pulumi("preview --stack local --expect-no-changes")


def test_status_tells_what_each_serves(site: Clone) -> None:
    found = json.loads(site.run("scripts/status local --json").stdout)
    (web,) = (each for each in found["servers"] if each["server"] == "web")
    release = site.output("sites")["shop"]["release"]["id"]
    assert found["sites"] == {"shop": release}
    assert web["sites"]["shop"]["current"] == release
    assert found["status"] == 0, found["findings"]
    assert f"shop {release}" in site.run("scripts/status local").stdout


def test_a_release_and_a_rollback_of_one_leave_the_other_alone(site: Clone) -> None:
    of_site, of_shop = site.output("release"), site.output("sites")["shop"]["release"]["id"]
    before = process(site, "site")
    site.edit("examples/plain/wsgi.py", "whoever you are", "dear customer")
    site.run("scripts/up local")
    assert page(site, "shop.example.org").text == SECOND
    listed = json.loads(site.run("scripts/releases local --site shop --json").stdout)
    assert [each["state"] for each in listed] == ["current", "previous"]

    said = site.run("scripts/rollback local --site shop").stderr
    assert f"shop is going back to release {of_shop}" in said
    assert page(site, "shop.example.org").text == FIRST
    assert site.output("sites")["shop"]["release"]["id"] == of_shop
    assert "stays on release" in site.run("scripts/up local").stderr
    assert page(site, "shop.example.org").text == FIRST
    assert "Ada Lovelace" in site.get().text
    assert process(site, "site") == before
    assert site.output("release") == of_site

    # And the other way round.
    before = process(site, "shop")
    site.edit("app/templates/users.html", "</h1>", ", beside a shop</h1>")
    site.run("scripts/up local")
    assert ", beside a shop</h1>" in site.get().text
    site.run("scripts/rollback local")
    assert ", beside a shop</h1>" not in site.get().text
    assert process(site, "shop") == before
    assert site.output("sites")["shop"]["release"]["id"] == of_shop
    site.edit("app/templates/users.html", ", beside a shop</h1>", "</h1>")


def test_a_release_of_one_that_fails_leaves_both_as_they_are(site: Clone) -> None:
    before, outputs = process(site, "site"), site.output("sites")
    site.edit("examples/plain/wsgi.py", "dear customer", "dear guest")
    site.edit("examples/plain/wsgi.py", "def application", "import no_such\n\n\ndef application")
    done = site.run("scripts/up local", fails=True)
    assert "the application of shop is release" in done.stderr, "which it is no longer held on"
    assert "No module named 'no_such'" in done.stdout + done.stderr
    assert page(site, "shop.example.org").text == FIRST
    assert process(site, "site") == before
    assert site.output("sites") == outputs
    site.edit("examples/plain/wsgi.py", "import no_such\n\n\ndef application", "def application")


def test_once_its_application_is_repaired_it_is_released(site: Clone) -> None:
    site.edit("examples/plain/wsgi.py", "dear guest", "dear visitor")
    site.run("scripts/up local")
    assert page(site, "shop.example.org").text == "Hello, dear visitor.\n"


def test_a_site_that_has_died_is_found_and_repaired(site: Clone) -> None:
    release = site.output("sites")["shop"]["release"]["id"]
    site.on("web", "sudo systemctl stop 'shop@*'")
    # What is saved since is for the next update, not for a repair.
    site.edit("examples/plain/wsgi.py", "dear visitor", "dear stranger")
    said = site.run("scripts/status local", fails=True).stdout
    assert "web: shop: the application is inactive" in said
    site.run("scripts/repair local")
    assert page(site, "shop.example.org").text == "Hello, dear visitor.\n"
    assert site.output("sites")["shop"]["release"]["id"] == release
    site.run("scripts/status local")


def test_two_sites_on_one_name_are_refused_before_anything_changes(site: Clone) -> None:
    have(site, SHOP, {**SHOP, "appName": "other"})
    done = site.run("scripts/up local", fails=True)
    said = "slipway:sites[1].serverNames has shop.example.org, and so has slipway:sites[0]"
    assert said in done.stdout + done.stderr
    assert page(site, "shop.example.org").text == "Hello, dear visitor.\n"


def test_a_site_that_is_taken_out_of_the_list_is_gone_but_for_its_data(site: Clone) -> None:
    before = process(site, "site")
    have(site)
    site.run("scripts/up local")
    assert "Ada Lovelace" in page(site, "shop.example.org").text
    assert process(site, "site") == before
    left = "ls -d /srv/shop /etc/slipway/shop /etc/nginx/sites-*/shop /run/shop 2>/dev/null || true"
    assert site.on("web", left) == ""
    assert site.on("web", "getent passwd shop; getent group shop; true") == ""
    assert site.on("web", "systemctl list-units --plain --no-legend 'shop@*'") == ""
    databases = site.run("scripts/psql local -XAtc 'SELECT datname FROM pg_database'").stdout
    assert "shop" in databases.split()
    assert '"shop"' not in site.on("db", "sudo cat /etc/postgresql/15/main/pg_hba.conf")
    assert "shop" not in site.pulumi("stack export --stack local")

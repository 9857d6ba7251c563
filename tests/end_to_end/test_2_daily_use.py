"""What a person does every day: release, go back, change a setting, look."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from ipaddress import ip_address
from typing import Any

import httpx
import pytest
import yaml

from tests.clone import Clone

pytestmark = pytest.mark.hosts


def test_editing_the_application_and_up_shows_the_new_page(site: Clone) -> None:
    first = site.output("release")["id"]
    site.edit("app/templates/users.html", "</h1>", ", all of them</h1>")
    site.run("scripts/up local")
    assert ", all of them</h1>" in site.get().text
    assert site.output("previous_release") == first
    assert [each["id"] for each in site.output("releases")] == [site.output("release")["id"], first]


def test_a_code_only_release_installs_nothing(site: Clone) -> None:
    venvs = site.on("web", "ls /srv/site/venvs").split()
    assert len(venvs) == 1
    assert len(site.on("web", "ls /srv/site/releases").split()) == 2


def test_the_list_of_releases_says_which_serves_and_which_comes_next(site: Clone) -> None:
    said = site.run("scripts/releases local").stdout.splitlines()
    assert [line.split()[1] for line in said[1:]] == ["current", "previous"]


def test_a_rollback_brings_the_old_page_back(site: Clone) -> None:
    new, old = (each["id"] for each in site.output("releases"))
    site.run("scripts/rollback local")
    assert ", all of them</h1>" not in site.get().text
    assert site.output("release")["id"] == old
    assert {each["id"] for each in site.output("releases")} == {new, old}


def test_after_a_rollback_up_stays_there_while_the_application_is_the_same(site: Clone) -> None:
    said = site.run("scripts/up local").stderr
    assert "stays on release" in said
    assert ", all of them</h1>" not in site.get().text


def test_a_rollback_with_an_id_goes_forward_as_well(site: Clone) -> None:
    new = site.output("releases")[0]["id"]
    site.run(f"scripts/rollback local {new}")
    assert ", all of them</h1>" in site.get().text


def test_a_rollback_to_what_is_not_there_lists_what_is(site: Clone) -> None:
    said = site.run("scripts/rollback local 000000000000", fails=True).stderr
    assert site.output("release")["id"] in said or site.output("previous_release") in said


def test_a_release_marked_bad_is_gone_back_to_by_force_only(site: Clone) -> None:
    """Everything is where the tests before left it: the newer release serves."""
    new, old = (each["id"] for each in site.output("releases"))
    mark = f"/srv/site/releases/{old}/.slipway/BAD"
    reason = '{"what": "start", "reason": "no such table"}'
    site.on("web", f"echo '{reason}' | sudo tee {mark}")
    listed = json.loads(site.run("scripts/releases local --json").stdout)
    assert [(each["id"], each["state"]) for each in listed] == [(new, "current"), (old, "bad")]
    settings = (site.folder / "Pulumi.local.yaml").read_text()
    done = site.run("scripts/rollback local", fails=True)
    assert f"release {old} is marked BAD (no such table)" in done.stdout
    # Nor is any other one gone to.
    assert f"local has not gone back to release {old}" in done.stderr.splitlines()[-1]
    assert "settings have changed" not in done.stderr
    assert (site.folder / "Pulumi.local.yaml").read_text() == settings
    said = site.run(f"scripts/rollback local {old}", fails=True).stderr
    assert f"web calls {old} bad: no such table" in said
    assert ", all of them</h1>" in site.get().text

    # Nor by the setting alone: the servers refuse it before anything is switched.
    said = site.pulumi(
        f"up --stack local --yes --skip-preview -c slipway:release={old}", fails=True
    )
    assert f"release {old} is marked BAD (no such table)" in said
    assert ", all of them</h1>" in site.get().text

    site.run(f"scripts/rollback local {old} --force")
    assert ", all of them</h1>" not in site.get().text
    site.run(f"scripts/rollback local {new}")


def test_a_rollback_that_fails_says_what_was_otherwise_when_that_release_served(
    site: Clone,
) -> None:
    old = site.output("releases")[1]["id"]
    wanted = {"healthStatus": 404, "workers": 2}
    for key, value in wanted.items():
        site.pulumi(f"config set {key} {value} --stack local")
    try:
        said = site.run(f"scripts/rollback local {old}", fails=True).stderr
    finally:
        for key in wanted:
            site.pulumi(f"config rm {key} --stack local")
    assert f"since release {old} served, settings have changed; then it had:" in said
    assert "  healthStatus: not set (default: 200)\n" in said
    assert "  pulumi config rm workers --stack local\n" in said
    assert site.get().status_code == 200
    site.run("scripts/up local")


@pytest.mark.parametrize(
    "as_it_is_now",
    [
        pytest.param(
            "psql -q --dbname site -c 'DROP TABLE users' -c"
            " \"COMMENT ON SCHEMA slipway IS 'release command of Slipway: 2026-01-01T00:00:00Z'\"",
            id="an older dump was restored",
        ),
        pytest.param("dropdb --force site", id="it was dropped"),
    ],
)
def test_a_database_that_is_another_one_is_what_the_release_needs_after_up(
    site: Clone, as_it_is_now: str
) -> None:
    site.on("db", f"sudo runuser -u postgres -- {as_it_is_now}")
    assert site.get().status_code == 503
    said = site.run("scripts/up local").stderr
    assert "the database site is new or was restored since the release command ran" in said
    # Each worker notices with its next request that its connection is gone.
    deadline = time.monotonic() + 30
    while "Ada Lovelace" not in site.get().text:
        assert time.monotonic() < deadline, site.get().text
    again = site.run("scripts/up local")
    assert "restored" not in again.stderr
    assert re.search(r"Resources:\n +\d+ unchanged\n", again.stdout)


def test_an_update_of_somebody_else_that_has_nothing_to_do_does_nothing(site: Clone) -> None:
    as_grace = "source scripts/activate 2>/dev/null && SLIPWAY_BY=grace@desk pulumi"
    said = site.run(f"{as_grace} up --stack local --yes --suppress-outputs").stdout
    assert "unchanged" in said
    assert "updated" not in said


def test_of_two_updates_at_once_one_waits_or_is_told_whose_the_other_one_is(site: Clone) -> None:
    site.edit("app/templates/users.html", ", all of them</h1>", ", each of them</h1>")
    with subprocess.Popen(
        ["scripts/up", "local"],
        cwd=site.folder,
        env={**site.environment, "SLIPWAY_BY": "grace@desk"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as first:
        locks = site.folder / ".slipway/.pulumi/locks/organization/slipway/local"
        while not list(locks.glob("*.json")):
            assert first.poll() is None, "it has not taken the lock"
            time.sleep(0.05)
        said = site.run("scripts/up local", fails=True).stderr
        assert "local is being updated by " in said
        assert f"on {socket.gethostname()} (process " in said
        waited = site.run("scripts/up local --wait")
        assert first.wait() == 0
    assert "waiting for the update of " in waited.stderr
    assert ", each of them</h1>" in site.get().text


def test_the_audit_says_who_changed_what_from_where_with_what_outcome(site: Clone) -> None:
    """On all servers; the last release was grace's, whoever ran an update with nothing to do."""
    entries = json.loads(site.run("scripts/releases local --audit --json").stdout)
    assert {each["server"] for each in entries} == {"web", "db"}
    release = site.output("release")
    assert release["released_by"] == "grace@desk"
    mine = [each for each in entries if each.get("release") == release["id"]]
    assert [each["what"] for each in mine] == ["stage", "release-command", "start", "switch"]
    assert {(each["by"], each["outcome"]) for each in mine} == {("grace@desk", "ok")}
    assert {ip_address(each["from"]).version for each in mine} == {4}
    done = {(each["what"], each.get("detail")) for each in entries}
    assert {("database", "site"), ("user", "site"), ("maintenance", "off")} <= done
    assert ("file", "/etc/nginx/sites-available/site") in done
    assert "unmark-bad" in {each["what"] for each in entries}


def test_once_the_application_changes_up_releases_it_again(site: Clone) -> None:
    site.run("scripts/rollback local")
    site.edit("app/templates/users.html", ", each of them</h1>", ", every one</h1>")
    said = site.run("scripts/up local").stderr
    assert "no longer held" in said
    assert ", every one</h1>" in site.get().text


def test_a_changed_port_shows_as_a_line_in_the_preview_and_then_moves(site: Clone) -> None:
    site.pulumi("config set webPort 8081 --stack local")
    preview = site.pulumi("preview --stack local --diff")
    assert "-     listen 80 default_server;" in preview.replace("\x1b", "")
    assert "+     listen 8081 default_server;" in preview
    web = site.output("web")[0]["address"]
    assert httpx.get(f"http://{web}/", timeout=5).status_code == 200, "a preview changes nothing"

    site.pulumi("up --stack local --yes --skip-preview")
    assert httpx.get(f"http://{web}:8081/", timeout=5).status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://{web}/", timeout=3)
    assert site.get().status_code == 200, "the forwarded port follows"

    site.pulumi("config rm webPort --stack local")
    site.run("scripts/up local")
    assert httpx.get(f"http://{web}/", timeout=5).status_code == 200


def test_nginx_serves_a_folder_of_the_release_and_keeps_to_the_limits_of_a_path(
    site: Clone,
) -> None:
    document = site.folder / "Pulumi.local.yaml"
    before = document.read_text()
    note = site.folder / "app" / "content" / "first note.txt"
    note.parent.mkdir()
    note.write_text("All that was noted. " * 100)
    served = {"path": "/content", "folder": "content", "listing": True, "cacheSeconds": 86400}
    _set(site, maxBodySize="16k", locations=[served, {"path": "/upload", "maxBodySize": "3m"}])
    site.run("scripts/up local")
    assert 'href="first%20note.txt"' in site.get("/content/").text
    read = site.get("/content/first note.txt")
    assert read.text.startswith("All that was noted.")
    assert read.headers["cache-control"] == "max-age=86400"
    assert read.headers["content-encoding"] == "gzip"
    assert site.get("/content/none.txt").status_code == 404
    # Little enough for a socket to hold: the application answers without having read it.
    sent = {path: _post(site, path, b"x" * (32 << 10)) for path in ("/", "/upload")}
    assert sent["/"] == 413
    assert sent["/upload"] == 404, "which is the application's answer"

    # The next release has it no more; pages that browsers still show find it in the previous one.
    note.rename(note.with_name("second note.txt"))
    site.run("scripts/up local")
    assert "first" not in site.get("/content/").text
    assert site.get("/content/first note.txt").status_code == 200

    _set(site, locations=[{"path": "/content", "folder": "../files"}])
    done = site.run("scripts/up local", fails=True)
    said = "slipway:locations[0].folder is ../files: must be a folder inside the application"
    assert said in done.stdout + done.stderr
    assert site.get("/content/second note.txt").status_code == 200

    document.write_text(before)
    shutil.rmtree(note.parent)
    site.run("scripts/up local")
    assert site.get("/content/second note.txt").status_code == 404


def _set(site: Clone, **settings: Any) -> None:
    path = site.folder / "Pulumi.local.yaml"
    document = yaml.safe_load(path.read_text())
    document["config"] |= {f"slipway:{name}": value for name, value in settings.items()}
    path.write_text(yaml.safe_dump(document))


def _post(site: Clone, path: str, content: bytes) -> int:
    address = f"http://127.0.0.1:{site.place.web}{path}"
    return httpx.post(address, content=content, timeout=10).status_code


def test_the_logs_of_a_server_are_one_command_away(site: Clone) -> None:
    assert "gunicorn" in site.run("scripts/logs local web --lines 300").stdout
    assert "database system is ready" in site.run("scripts/logs local db --lines 300").stdout


def test_every_script_explains_itself_with_an_example(site: Clone) -> None:
    names = site.run("ls -p scripts | grep -v / | grep -v activate").stdout.split()
    for name in names:
        said = site.run(f"scripts/{name} --help").stdout
        assert f"usage: scripts/{name}" in said
        assert "example" in said, name


def test_an_environment_at_digitalocean_can_be_planned(site: Clone) -> None:
    endpoint = f"DIGITALOCEAN_API_URL={site.place.endpoint}"
    said = site.pulumi(f"stack init dev; {endpoint} pulumi preview --stack dev --diff")
    assert "digitalocean:index/droplet:Droplet" in said
    assert "s-1vcpu-512mb-10gb" in said
    site.pulumi("stack rm dev --yes --preserve-config")


def test_the_servers_come_back_by_themselves_after_a_reboot(site: Clone) -> None:
    site.reboot("web")
    assert "Ada Lovelace" in site.get().text

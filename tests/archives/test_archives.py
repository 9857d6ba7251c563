"""Where a release comes from when a server lacks it: this machine, a bucket, or another server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clone import Clone, Place
from tests.environment import environment_of_its_own
from tests.s3_server import ACCESS, SECRET, S3Server, can_be_built, s3_server

pytestmark = pytest.mark.hosts


@pytest.fixture(scope="module")
def site() -> Iterator[Clone]:
    """One web server, two releases: the plain page and the one of `Second edition`."""
    place = Place(number=Place().number + 6)
    settings = ("slipway:drainSeconds: 2", "slipway:webSize: s-1vcpu-512mb-10gb")
    with environment_of_its_own(place, *settings) as clone:
        edition(clone, "First", "Second")
        yield clone


@pytest.fixture(scope="module")
def bucket(site: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if not can_be_built():
        pytest.skip("no Go to build the S3 server of tools/s3")
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        server.make_bucket("team")
        site.pulumi("config set artifactBucket team --stack local")
        site.pulumi(f"config set artifactEndpoint {server.endpoint} --stack local")
        yield server


def edition(site: Clone, old: str, new: str) -> str:
    """Release the application with another heading; the release's id."""
    heading = "</h1>" if old == "First" else f", {old} edition</h1>"
    site.edit("app/templates/users.html", heading, f", {new} edition</h1>")
    site.run("scripts/up local")
    return str(site.output("release")["id"])


def on_another_machine(site: Clone) -> None:
    """Such as a CI runner: it has the state and the application, but never packed a release."""
    shutil.rmtree(site.folder / ".slipway" / "releases", ignore_errors=True)


def releases_on(site: Clone, server: str) -> dict[str, str]:
    told = site.on(server, "sudo releasectl --app site list --json")
    return {each["id"]: each["state"] for each in json.loads(told)["releases"]}


def droplet_of(site: Clone, server: str) -> str:
    resources = json.loads(site.pulumi("stack export --stack local"))["deployment"]["resources"]
    (urn,) = (each["urn"] for each in resources if each["urn"].endswith(f":Droplet::{server}"))
    return str(urn)


def test_a_rollback_from_another_machine_sends_and_builds_nothing(site: Clone) -> None:
    second = site.output("release")["id"]
    on_another_machine(site)
    done = site.run("scripts/rollback local")
    assert ", Second edition</h1>" not in site.get().text
    assert "came from" not in done.stdout + done.stderr
    assert list((site.folder / ".slipway").glob("releases/*/*.tar.gz")) == [], "nothing was needed"
    assert set(releases_on(site, "web")) == {second, site.output("release")["id"]}


def test_a_server_that_is_added_while_held_gets_the_held_release_from_another(site: Clone) -> None:
    held = site.output("release")["id"]
    site.pulumi("config set webCount 2 --stack local")
    said = site.run("scripts/up local").stdout
    assert f"release {held} for web-2 came from web" in said
    assert releases_on(site, "web-2") == {held: "current"}


def test_a_server_that_is_rebuilt_while_held_gets_the_held_release(site: Clone) -> None:
    held = site.output("release")["id"]
    on_another_machine(site)
    said = site.pulumi(
        f"up --stack local --yes --skip-preview --replace '{droplet_of(site, 'web-2')}'"
    )
    assert f"release {held} for web-2 came from web" in said
    assert releases_on(site, "web-2") == {held: "current"}
    assert site.output("release")["id"] == held
    assert site.get().status_code == 200


def test_what_is_to_be_had_nowhere_stops_with_one_message_and_the_site_serves(site: Clone) -> None:
    """The second server was made after the second release had served."""
    held, second = (each["id"] for each in reversed(site.output("releases")))
    assert held == site.output("release")["id"]
    site.on("web", f"sudo releasectl --app site drop {second}")
    on_another_machine(site)
    site.pulumi(f"config set release {second} --stack local")
    said = site.pulumi("up --stack local --yes --skip-preview", fails=True)
    assert f"web does not have release {second}, and it is to be had nowhere" in said
    assert f"web-2: it is not on this server (releases here: {held})" in said
    assert site.output("release")["id"] == held
    assert site.get().status_code == 200
    site.pulumi("config rm release --stack local")


def test_without_keys_an_update_stops_before_it_changes_anything(
    site: Clone, bucket: S3Server
) -> None:
    before = site.output("release")["id"]
    done = site.run("scripts/up local", fails=True)
    said = done.stdout + done.stderr
    assert f"bucket team at {bucket.endpoint}: there are no credentials" in said
    assert "web-stage" not in said
    assert site.output("release")["id"] == before


def test_an_update_keeps_the_release_in_the_bucket_and_a_preview_does_not(
    site: Clone, bucket: S3Server
) -> None:
    site.environment.update(SPACES_ACCESS_KEY_ID=ACCESS, SPACES_SECRET_ACCESS_KEY=SECRET)
    site.run("scripts/preview local")
    assert bucket.keys("team") == []
    third = edition(site, "Second", "Third")
    assert f"slipway/local/{third}.tar.gz" in bucket.keys("team")


def test_a_release_that_was_deleted_on_every_server_comes_back_from_the_bucket(
    site: Clone, bucket: S3Server
) -> None:
    third = site.output("release")["id"]
    site.run("scripts/rollback local")
    for server in ("web", "web-2"):
        site.on(server, f"sudo releasectl --app site drop {third}")
    on_another_machine(site)
    site.pulumi(f"config set release {third} --stack local")
    said = site.pulumi("up --stack local --yes --skip-preview")
    assert f"release {third} for web" in said
    assert "came from bucket team" in said
    assert ", Third edition</h1>" in site.get().text


def test_no_key_of_the_bucket_is_plain_anywhere(site: Clone, bucket: S3Server) -> None:
    home = site.folder / ".slipway"
    written = [path for path in home.rglob("*.json*") if path.is_file()]
    written += [site.folder / "Pulumi.local.yaml", Path(home, "local-cloud", "cloud.log")]
    assert len(written) > 3
    for path in written:
        assert SECRET not in path.read_text(errors="replace"), path

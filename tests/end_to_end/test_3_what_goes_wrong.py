"""What goes wrong: one clear message, the site serves on, the next run goes on from there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.changes import changed, failing_up, setting
from tests.clone import Clone, Place, copy_of_the_project, write_settings

pytestmark = pytest.mark.hosts


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("webPrt", "80", "slipway:webPrt is not a setting; did you mean slipway:webPort?"),
        ("webPort", "70000", "slipway:webPort is 70000: must be a port, 1 to 65535"),
        ("appFolder", "no-such-app", "no-such-app: there is no such folder"),
        ("vpcRange", "10.199.0.0/24", "slipway:vpcRange is 10.199.0.0/24, and local was made with"),
        ("region", "ams3", "the database server db without its data"),
        ("appName", "shop", "slipway:appName is shop, and local was made with site"),
        ("release", "0123456789ab", "slipway:release is 0123456789ab: must be a kept release"),
    ],
)
def test_a_wrong_setting_is_named(site: Clone, name: str, value: str, said: str) -> None:
    with setting(site, name, value):
        assert said in failing_up(site)


def test_a_setting_of_the_wrong_type_is_named(site: Clone) -> None:
    with changed(site, "Pulumi.local.yaml", "config:", "config:\n  slipway:webCount: several"):
        said = failing_up(site)
    assert "webCount" in said
    assert "integer" in said or "1 to 50" in said


def test_a_port_that_is_taken_on_this_machine_is_named(site: Clone) -> None:
    port = str(site.place.web + 5)
    with (
        socket.create_server(("127.0.0.1", int(port))),
        setting(site, "localWebPort", port),
    ):
        assert port in failing_up(site)
    site.run("scripts/up local")


def test_an_application_without_requirements_is_refused(site: Clone) -> None:
    requirements = site.folder / "app" / "requirements.txt"
    aside = requirements.rename(site.folder / "requirements.aside")
    try:
        assert "app: nothing says which packages it needs: there must be" in failing_up(site)
    finally:
        aside.rename(requirements)


def test_a_template_error_names_template_and_line(site: Clone) -> None:
    right = "{{ max_body_size }};"
    with changed(site, "templates/nginx-server.conf", right, "{{ max_bdy_size }};"):
        said = failing_up(site)
    text = (site.folder / "templates/nginx-server.conf").read_text()
    line = text.split(right)[0].count("\n") + 1
    assert f"templates/nginx-server.conf, line {line}: 'max_bdy_size' is undefined" in said


def test_an_nginx_that_would_not_start_is_refused_and_the_old_file_is_back(site: Clone) -> None:
    before = site.on("web", "cat /etc/nginx/sites-available/site")
    with changed(site, "templates/nginx-server.conf", "server_tokens off;", "server_tokens of;"):
        assert 'invalid value "of"' in failing_up(site)
    assert site.on("web", "cat /etc/nginx/sites-available/site") == before
    site.run("scripts/up local")


def test_an_application_that_does_not_start_leaves_the_old_page_serving(site: Clone) -> None:
    before, previous = site.output("release"), site.output("previous_release")
    with changed(site, "app/wsgi.py", "app = Flask(__name__)", "app = Flask(__name__ + no_such)"):
        said = failing_up(site)
    assert "NameError: name 'no_such' is not defined" in said, "the application's own last lines"
    assert site.output("release") == before
    assert site.output("previous_release") == previous
    site.run("scripts/up local")


def test_an_application_that_is_not_healthy_leaves_the_old_page_serving(site: Clone) -> None:
    previous = site.output("previous_release")
    broken = 'return Response("not well\\n", 500)\n    return Response(f"ok'
    with setting(site, "healthSeconds", "10"):
        site.run("scripts/up local")
        with changed(site, "app/wsgi.py", 'return Response(f"ok', broken):
            said = failing_up(site)
    assert "answers 500" in said
    assert "not well" in said
    assert site.output("previous_release") == previous
    site.run("scripts/up local")


def test_a_release_command_that_fails_stops_the_release(site: Clone) -> None:
    with setting(site, "releaseCommand", "'python -c \"raise SystemExit(3)\"'"):
        assert "failed with status 3" in failing_up(site)
    site.run("scripts/up local")


def test_a_full_disk_on_a_server_is_named_and_leaves_nothing_behind(site: Clone) -> None:
    before = site.on("web", "ls -A /srv/site/releases")
    site.on("web", "sudo mount -t tmpfs -o size=4k slipway-test /srv/site/incoming")
    try:
        with changed(site, "app/templates/users.html", "</h1>", ", on a full disk</h1>"):
            said = failing_up(site)
        assert "space" in said.lower() or "failure" in said.lower(), said
    finally:
        site.on("web", "sudo umount /srv/site/incoming")
    assert site.on("web", "ls -A /srv/site/releases") == before
    site.run("scripts/up local")


def test_the_local_cloud_may_be_killed_and_the_servers_run_on(site: Clone) -> None:
    pid = int((site.folder / ".slipway" / "local-cloud" / "lock").read_text())
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    assert site.get().status_code == 200
    assert site.place.endpoint in site.pulumi("up --stack local --yes --refresh", fails=True)
    site.run("scripts/up local")
    assert site.get().status_code == 200


def test_a_local_cloud_that_does_not_run_is_one_error_that_says_how_to_start_it(
    site: Clone,
) -> None:
    site.run("source scripts/activate && python3 -m local_cloud stop")
    try:
        said = site.pulumi("up --stack local --yes --skip-preview", fails=True)
        summary = said.split("Diagnostics:")[1]
        assert summary.count("the local cloud does not answer at http://127.0.0.1:") == 1
        assert "start it with scripts/up local" in summary
        assert "Traceback" not in said
        assert site.get().status_code == 200
    finally:
        site.run("scripts/up local")


def test_without_root_nothing_is_begun_and_root_is_asked_for(tmp_path: Path) -> None:
    """In a user namespace our files are still ours, but we are not root."""
    somebody = "unshare --user --map-user=1000 --map-group=1000"
    if subprocess.run([*somebody.split(), "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine permits no user namespaces")
    clone = copy_of_the_project(tmp_path, Place(number=Place().number + 1))
    clone.environment["SLIPWAY_PLUGINS"] = "stand-in"
    write_settings(clone)
    said = clone.run(f"{somebody} scripts/up local", fails=True).stderr
    assert "the local cloud must be started by root (try again with sudo)" in said
    assert "Traceback" not in said
    assert [each.name for each in (tmp_path / ".slipway/local-cloud").iterdir()] == ["token"]
    assert not (tmp_path / ".slipway/.pulumi/stacks").exists()


def test_an_update_that_was_killed_is_gone_on_with(site: Clone) -> None:
    with changed(site, "app/templates/users.html", "</h1>", ", after a kill</h1>"):
        running = subprocess.Popen(
            [
                "bash",
                "-c",
                "source scripts/activate; exec pulumi up --stack local --yes --skip-preview",
            ],
            cwd=site.folder,
            env=site.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        time.sleep(2.5)
        running.kill()
        running.communicate()
        assert site.get().status_code == 200
        site.run("source scripts/activate && pulumi cancel --yes --stack local; scripts/up local")
        assert ", after a kill</h1>" in site.get().text
    site.run("scripts/up local")


def test_an_update_that_is_interrupted_ends_by_itself_and_is_gone_on_with(site: Clone) -> None:
    with changed(site, "app/templates/users.html", "</h1>", ", after Ctrl-C</h1>"):
        running = subprocess.Popen(
            ["scripts/up", "local"],
            cwd=site.folder,
            env=site.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        time.sleep(2)
        os.killpg(running.pid, signal.SIGINT)
        running.communicate(timeout=60)
        assert site.get().status_code == 200
        site.run("scripts/up local")
        assert ", after Ctrl-C</h1>" in site.get().text
    site.run("scripts/up local")


def test_a_server_that_cannot_be_reached_is_named(site: Clone) -> None:
    web = site.output("web")[0]["address"]
    site.run(
        f"nft add table inet {site.place.table}; nft 'add chain inet {site.place.table} out"
        " { type filter hook output priority -10; }'"
        f"; nft add rule inet {site.place.table} out ip daddr {web} tcp dport 22 reject"
    )
    try:
        with changed(site, "app/templates/users.html", "</h1>", ", far away</h1>"):
            running = site.run("timeout -s INT 25 scripts/up local", fails=True)
        assert "web-stage" in running.stdout + running.stderr
        assert site.get().status_code == 200
    finally:
        site.run(f"nft delete table inet {site.place.table}")
    site.run("source scripts/activate && pulumi cancel --yes --stack local; scripts/up local")

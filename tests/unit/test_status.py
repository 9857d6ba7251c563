"""scripts/status and the thinking half of scripts/repair, with an engine and an ssh of ours."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local_cloud.api.conftest import TOKEN, Api, serving
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor
from tests.unit.script_project import Project, new_project
from tests.unit.stack_state import DROPLETS, NGINX, RELEASE, facts, resources, sha256, urn

SSH = """\
#!/bin/sh
for word in "$@"; do address=$host host=$word; done
cat >"$FAKE/asked-$address"
if [ -e "$FAKE/$address" ]; then cat "$FAKE/$address"; exit; fi
echo "No route to host" >&2
exit 255
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = new_project(tmp_path)
    (project.fake / "ssh").write_text(SSH)
    (project.fake / "ssh").chmod(0o755)
    Path(project.environment["SLIPWAY_HOME"]).mkdir(parents=True)
    (project.folder / "host").symlink_to(Path(__file__).parents[2] / "host")
    state(project, resources())
    for server in ("web", "web-2", "db"):
        answers(project, server)
    return project


def state(project: Project, found: list[dict[str, Any]]) -> None:
    (project.fake / "state").write_text(json.dumps({"deployment": {"resources": found}}))


def answers(project: Project, server: str, **changed: Any) -> None:
    address = {"web": 1, "web-2": 2, "db": 3}[server]
    seen = json.dumps({**facts(server), "time": time.time(), **changed})
    (project.fake / f"deploy@203.0.113.{address}").write_text(seen)


def silent(project: Project, server: str) -> None:
    address = {"web": 1, "web-2": 2, "db": 3}[server]
    (project.fake / f"deploy@203.0.113.{address}").unlink()


def changed_nginx() -> dict[str, Any]:
    files = facts()["files"]
    return {**files, NGINX: {**files[NGINX], "sha256": sha256("by hand")}}


def test_when_all_is_well_it_is_calm(project: Project) -> None:
    done = project.python("status", "local")
    assert (done.returncode, done.stderr) == (0, "")
    summary, heading, *rows = done.stdout.splitlines()
    assert summary == "local: all is well"
    assert heading.split()[:2] == ["server", "serves"]
    assert [row.split()[:2] for row in rows] == [
        ["web", RELEASE],
        ["web-2", RELEASE],
        ["db", "PostgreSQL"],
    ]
    assert "50% of 1.0G" in rows[0]
    assert "3 d" in rows[0]
    assert "by ada" in rows[0]
    assert "\x1b" not in done.stdout, "colours are for terminals"


def test_each_server_is_asked_for_what_it_should_have(project: Project) -> None:
    project.python("status", "local")
    asked = (project.fake / "asked-deploy@203.0.113.3").read_text()
    call = asked.splitlines()[-1]
    assert "/etc/postgresql/15/main/conf.d/slipway.conf" in call
    assert call.endswith("'postgresql.service'], None, True))")
    assert NGINX in (project.fake / "asked-deploy@203.0.113.1").read_text()


def test_drift_is_a_warning_for_monitors(project: Project) -> None:
    answers(project, "web", files=changed_nginx())
    done = project.python("status", "local")
    assert done.returncode == 1
    assert done.stdout.startswith("local: 1 not as it should be\n")
    assert f"web: {NGINX} was changed on the server\n" in done.stdout
    assert done.stdout.endswith("scripts/repair local puts it right\n")


def test_a_server_out_of_reach_is_an_alarm_and_the_others_are_shown(project: Project) -> None:
    silent(project, "web-2")
    done = project.python("status", "local")
    assert done.returncode == 2
    assert done.stdout.startswith("local: 1 down\n")
    assert "web-2: does not answer: No route to host\n" in done.stdout
    assert f"web     {RELEASE}" in done.stdout
    assert "scripts/repair" not in done.stdout


def test_a_server_that_says_no_more_than_an_error_is_not_taken_for_well(project: Project) -> None:
    (project.fake / "ssh").write_text("#!/bin/sh\necho python3: not found >&2; exit 127\n")
    done = project.python("status", "local")
    assert done.returncode == 2
    assert "web: does not answer: python3: not found" in done.stdout


def test_programs_get_everything_as_json(project: Project) -> None:
    answers(project, "web", files=changed_nginx())
    silent(project, "db")
    done = project.python("status", "local", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == found["status"] == 2
    assert (found["release"], found["held"]) == (RELEASE, False)
    servers = {each["server"]: each for each in found["servers"]}
    assert servers["web"]["application"]["current"] == RELEASE
    assert servers["web"]["address"] == "203.0.113.1"
    assert (servers["web"]["reachable"], servers["db"]["reachable"]) == (True, False)
    assert [each["level"] for each in found["findings"]] == ["critical", "warning"]
    assert found["findings"][1]["repair"] == [urn("web-nginx")]


def test_being_held_and_maintenance_are_said_and_no_alarm(project: Project) -> None:
    project.settings(
        f"config:\n  slipway:release: {RELEASE}\n  slipway:maintenance: Back at ten.\n"
    )
    for server in ("web", "web-2"):
        answers(project, server, maintenance=True)
    done = project.python("status", "local")
    assert done.returncode == 0
    assert f"held on release {RELEASE}" in done.stdout
    assert "maintenance is on: Back at ten." in done.stdout


def test_maintenance_on_some_servers_only_is_a_warning(project: Project) -> None:
    answers(project, "web", maintenance=True)
    done = project.python("status", "local")
    assert done.returncode == 1
    assert "maintenance is on (on web only)" in done.stdout


def test_an_update_that_was_cut_short_is_a_warning(project: Project) -> None:
    deployment = {"resources": resources(), "pending_operations": [{"type": "updating"}]}
    (project.fake / "state").write_text(json.dumps({"deployment": deployment}))
    done = project.python("status", "local")
    assert done.returncode == 1
    assert "the last update was cut short" in done.stdout
    assert "scripts/up local goes on from there" in done.stdout


@pytest.fixture
def api(tmp_path: Path, project: Project) -> Iterator[Api]:
    """What the environment's droplets come from, with its token and its private network."""
    with serving(tmp_path, MemoryHypervisor()) as api:
        project.settings(f"config:\n  digitalocean:apiEndpoint: {api.url}\n")
        project.environment["DIGITALOCEAN_TOKEN"] = TOKEN
        yield api


def network(api: Api) -> list[dict[str, Any]]:
    """Of the state: a private network and a tag."""
    wish = {"name": "slipway-local", "region": "fra1", "ip_range": "10.10.0.0/24"}
    vpc = api.ok("POST", "/v2/vpcs", json=wish)["vpc"]["id"]
    tag = "slipway-local-web"
    made = [("vpc:Vpc", vpc, "slipway-local"), ("tag:Tag", tag, tag)]
    return [
        {
            "type": f"digitalocean:index/{kind}",
            "urn": urn(name),
            "id": identity,
            "outputs": {"name": name},
        }
        for kind, identity, name in made
    ]


def test_a_server_that_the_state_does_not_know_is_named(project: Project, api: Api) -> None:
    made = network(api)
    state(project, [*made, *resources()])
    assert project.python("status", "local").stdout.startswith("local: all is well\n")
    wish = {"name": "dev-web-3", "tags": [made[1]["id"]], "vpc_uuid": made[0]["id"]}
    for _ in DROPLETS:  # the state's own ones have the first numbers
        api.droplet()
    stray = api.droplet(**wish)["id"]
    done = project.python("status", "local")
    assert (done.returncode, done.stderr) == (1, "")
    assert f"droplet {stray} (dev-web-3, " in done.stdout
    assert "the state does not know it" in done.stdout
    assert f"scripts/up local --destroy {stray}" in done.stdout
    state(project, made)
    done = project.python("status", "local")
    assert (done.returncode, f"droplet {stray} (dev-web-3" in done.stderr) == (3, True), done.stderr
    assert "local has no servers yet" in done.stderr


def test_while_an_update_makes_servers_none_is_called_unknown(project: Project, api: Api) -> None:
    made = network(api)
    state(project, [*made, *resources()])
    for _ in DROPLETS:
        api.droplet()
    api.droplet(name="dev-web-3", tags=[made[1]["id"]], vpc_uuid=made[0]["id"])
    home = project.environment["SLIPWAY_HOME"]
    project.environment["PULUMI_BACKEND_URL"] = f"file://{home}/backend"
    locks = Path(home, "backend/.pulumi/locks/organization/slipway/local")
    locks.mkdir(parents=True)
    lock = {"pid": 1, "username": "ada", "hostname": "elsewhere"}
    lock |= {"timestamp": "2027-01-15T07:00:00Z"}
    (locks / "one.json").write_text(json.dumps(lock))
    done = project.python("status", "local")
    assert (done.returncode, "dev-web-3" in done.stdout) == (0, False), done.stdout
    assert "being updated by ada on elsewhere" in done.stdout


def test_where_the_provider_does_not_answer_it_does_not_say_that_all_is_well(
    project: Project, api: Api
) -> None:
    state(project, [*network(api), *resources()])
    project.environment["DIGITALOCEAN_TOKEN"] = "wrong"
    done = project.python("status", "local")
    assert done.returncode == 1
    assert "could not ask for servers that the state does not know" in done.stdout
    assert "answers 401" in done.stdout
    assert "all is well" not in done.stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--jsno"], "unknown argument '--jsno' (allowed: --json, --watch [seconds], --help)"),
        (["--watch", "0"], "--watch is 0: must be a number of seconds from 1 up"),
        (["--watch", "web"], "--watch is web: must be a number of seconds from 1 up"),
    ],
)
def test_a_wrong_word_is_no_verdict(project: Project, words: list[str], complaint: str) -> None:
    done = project.python("status", "local", *words)
    assert (done.returncode, done.stdout) == (3, "")
    assert complaint in done.stderr


def test_a_state_that_cannot_be_read_is_no_verdict(project: Project) -> None:
    (project.fake / "pulumi").write_text("#!/bin/sh\necho error: no such stack >&2; exit 255\n")
    done = project.python("status", "local")
    assert (done.returncode, done.stderr) == (3, "slipway: error: no such stack\n")


def test_without_servers_it_says_how_to_make_them(project: Project) -> None:
    state(project, [])
    done = project.python("status", "local")
    assert done.returncode == 3
    assert "local has no servers yet: scripts/up local makes them" in done.stderr


# Repair


def plan_of(
    project: Project, *servers: str, again: bool = False
) -> subprocess.CompletedProcess[str]:
    """Prints what a repair is to do: the release, and then the resources."""
    return project.call(
        f"from cli.servers import repair\nplan = repair.plan('local', {servers!r}, again={again})\n"
        "if plan: print(plan.release, *plan.urns, sep='\\n')"
    )


def test_a_repair_names_the_release_that_serves_and_just_the_resources(project: Project) -> None:
    answers(project, "web", files=changed_nginx(), missing_packages=["nginx-light"])
    done = plan_of(project)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        RELEASE,
        urn("web-packages"),
        urn("web-nginx"),
    ]
    assert f"to repair: web: {NGINX} was changed on the server" in done.stderr


def test_a_resource_that_puts_two_things_right_is_run_once(project: Project) -> None:
    units = {**facts()["units"], "nginx.service": {"active": "failed", "enabled": "enabled"}}
    answers(project, "web", files=changed_nginx(), units=units)
    done = plan_of(project)
    assert done.stdout.splitlines() == [RELEASE, urn("web-nginx")]


def test_some_servers_can_be_repaired_and_the_others_left(project: Project) -> None:
    answers(project, "web", missing_packages=["nginx-light"])
    answers(project, "web-2", missing_packages=["nginx-light"])
    done = plan_of(project, "dev-web-2")
    assert done.stdout.splitlines()[1:] == [urn("web-2-packages")]
    done = plan_of(project, "wbe")
    assert (done.returncode, done.stdout) == (1, "")
    assert "local has no server 'wbe': must be one of db, web, web-2" in done.stderr


def test_with_nothing_to_repair_nothing_is_said(project: Project) -> None:
    done = plan_of(project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_a_repair_cannot_help_is_said_with_what_can(project: Project) -> None:
    silent(project, "web-2")
    done = plan_of(project)
    assert (done.returncode, done.stdout) == (1, "")
    assert "not for a repair: web-2: does not answer: No route to host" in done.stderr
    assert "pulumi up --refresh --stack local" in done.stderr
    assert "--replace 'urn:pulumi:local::slipway::digitalocean" in done.stderr


def test_servers_beside_one_that_is_dead_are_repaired(project: Project) -> None:
    silent(project, "web-2")
    answers(project, "web", missing_packages=["nginx-light"])
    done = plan_of(project)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)


def test_before_the_first_release_a_repair_leads_to_the_first_update(project: Project) -> None:
    state(project, [each for each in resources() if not each["type"].endswith(":Stack")])
    answers(project, "web", missing_packages=["nginx-light"])
    done = plan_of(project)
    assert (done.returncode, done.stdout) == (1, "")
    assert "local has no release yet" in done.stderr


def test_what_was_just_repaired_gets_its_time_before_it_is_judged(project: Project) -> None:
    problem = "/healthz answers 503, not 200"
    answers(project, "web", application={**facts("web")["application"], "problem": problem})
    later = threading.Timer(2, answers, [project, "web"])
    later.start()
    done = plan_of(project, again=True)
    later.join()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

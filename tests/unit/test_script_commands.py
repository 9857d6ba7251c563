"""The Python behind the scripts, with an engine that only says what the test tells it to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.release.artifact import identify
from tests.unit.script_project import Project, new_project

OLD, NEW = "a" * 12, "b" * 12


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


def release(each: str) -> dict[str, Any]:
    return {
        "id": each,
        "released_at": "2026-11-20T16:00:00Z",
        "requirements": "f" * 64,
        "commit": "c" * 40,
        "message": f"Release {each[0]}",
        "dirty": each == NEW,
    }


TWO_RELEASES = {
    "release": release(NEW),
    "previous_release": OLD,
    "releases": [release(NEW), release(OLD)],
}


def test_releases_are_a_table_with_the_newest_first(project: Project) -> None:
    project.answers(TWO_RELEASES)
    done = project.python("releases", "local", COLUMNS="120")
    heading, *rows = [line.split() for line in done.stdout.splitlines()]
    assert heading[:2] == ["release", "state"]
    assert [row[:2] for row in rows] == [[NEW, "current"], [OLD, "previous"]]
    assert "cccccccccc+" in rows[0], "a + says that the tree was not that commit"


def test_without_a_terminal_a_release_is_one_line_however_long_its_message(
    project: Project,
) -> None:
    told = {**release(NEW), "author": "A Team of Several People", "message": "Long " * 60}
    project.answers({"release": told, "releases": [told]})
    assert len(project.python("releases", "local").stdout.splitlines()) == 2


def test_releases_are_json_for_programs(project: Project) -> None:
    project.answers(TWO_RELEASES)
    listed = json.loads(project.python("releases", "local", "--json").stdout)
    assert [each["state"] for each in listed] == ["current", "previous"]


def test_without_releases_it_says_how_to_make_one(project: Project) -> None:
    project.answers({})
    for done in (project.python("releases", "local"), rollback_target(project)):
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            "slipway: local has no releases yet: scripts/up local makes the first\n"
        )


def test_a_settings_file_that_is_not_yaml_is_named_with_its_line(project: Project) -> None:
    project.settings("config:\n  slipway:webPort: 80\n    slipway:webCount: 2\n")
    done = project.python("releases", "local")
    assert done.returncode == 1
    assert done.stderr.startswith("slipway: Pulumi.local.yaml, line 3: not valid YAML: ")
    assert len(done.stderr.splitlines()) == 1


def on_a_server(**states: str) -> str:
    """A script that answers as `releasectl list` on a server with these releases, by letter."""
    rows = [
        {
            "id": letter * 12,
            "state": state,
            "staged_at": "2026-11-20T16:00:00Z",
            "activated_at": "2026-11-20T16:00:00Z",
            "activated_by": "ada@laptop",
            "took": 3.4,
            "reason": "no such table",
        }
        for letter, state in states.items()
    ]
    return f"cat <<'END'\n{json.dumps({'releases': rows})}\nEND\n"


def test_the_servers_are_asked_and_a_disagreement_is_said_below(project: Project) -> None:
    project.answers(TWO_RELEASES)
    web_2 = on_a_server(b="ready", a="current")
    away = "echo 'connect: No route to host' >&2; exit 255"
    project.servers(
        {"db": "exit 1", "web": on_a_server(b="current"), "web-2": web_2, "web-3": away}
    )
    done = project.python("releases", "local")
    assert done.returncode == 0, done.stderr
    table, _, notes = done.stdout.partition("\n\n")
    assert "ada@laptop" in table
    assert "3 s" in table
    assert f"web-2 serves {OLD}, not {NEW}" in notes
    assert f"web has not got {OLD}" in notes
    assert done.stderr == "slipway: web-3 cannot be reached: connect: No route to host\n"
    assert "deploy@db" not in project.ran


def test_offline_the_servers_are_not_asked(project: Project) -> None:
    project.answers(TWO_RELEASES)
    project.servers({"web": "exit 255"})
    done = project.python("releases", "local", "--offline")
    assert (done.returncode, done.stderr, project.ran) == (0, "", "")


def test_the_audit_merges_the_journals_and_names_who_is_missing(project: Project) -> None:
    project.answers(TWO_RELEASES)
    entry = {"at": "2026-11-20T16:00:01Z", "by": "ada@laptop", "from": "192.0.2.7", "what": "file"}
    says = f"echo '{json.dumps({**entry, 'detail': '/etc/x', 'outcome': 'ok'})}'"
    project.servers({"web": says, "db": "exit 255"})
    done = project.python("releases", "local", "--audit")
    assert done.stdout.splitlines()[1].split() == [
        *("2026-11-20", "16:00:01", "web", "ada@laptop", "192.0.2.7", "file", "/etc/x", "ok")
    ]
    assert "db cannot be reached" in done.stderr
    (listed,) = json.loads(project.python("releases", "local", "--audit", "--json").stdout)
    assert (listed["server"], listed["detail"]) == ("web", "/etc/x")


def rollback_target(
    project: Project, wanted: str | None = None, *, force: bool = False
) -> subprocess.CompletedProcess[str]:
    return project.call(
        "from cli.project import sites\n"
        "from cli.releases.rollback_target import target\n"
        "site = sites.find('local', None)\n"
        f"print(target('local', site, {wanted!r}, force={force}))"
    )


def test_a_rollback_by_force_takes_the_mark_away_first(project: Project) -> None:
    project.answers(TWO_RELEASES)
    project.servers(
        {"web": on_a_server(b="current", a="bad"), "web-2": on_a_server(b="current", a="ready")}
    )
    refused = rollback_target(project, OLD)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"web calls {OLD} bad: no such table" in refused.stderr
    assert "unmark-bad" not in project.ran
    assert rollback_target(project, OLD, force=True).stdout == f"{OLD}\n"
    (unmarked,) = [line for line in project.ran.splitlines() if "unmark-bad" in line]
    assert unmarked.startswith("deploy@web sudo releasectl --app site --by ")
    assert unmarked.endswith(f"unmark-bad {OLD}")


def test_an_unknown_word_for_releases_is_named(project: Project) -> None:
    done = project.python("releases", "local", "--jsno")
    assert done.returncode == 1
    assert "unknown argument '--jsno'" in done.stderr
    assert project.called == ""


def test_a_rollback_without_an_id_goes_by_the_outputs(project: Project) -> None:
    project.answers(TWO_RELEASES)
    project.servers({"web": on_a_server(b="current", a="bad")})
    assert rollback_target(project).stdout == f"{OLD}\n"
    assert project.ran == ""


def test_a_site_that_is_not_there_is_named(project: Project) -> None:
    refused = project.python("releases", "local", "--site", "shop")
    assert refused.returncode == 1
    assert "local has no site 'shop': must be one of site" in refused.stderr
    for command in ("releases", "rollback"):
        assert "--site needs the name" in project.python(command, "local", "--site").stderr


def test_a_rollback_goes_to_the_release_before(project: Project) -> None:
    project.answers(TWO_RELEASES)
    assert rollback_target(project).stdout == f"{OLD}\n"
    assert rollback_target(project, OLD).stdout == f"{OLD}\n"


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [("0" * 12, "there is no release 000000000000"), (NEW, f"release {NEW} already serves")],
)
def test_a_rollback_that_cannot_be_lists_what_can(
    project: Project, wanted: str, complaint: str
) -> None:
    project.answers(TWO_RELEASES)
    done = rollback_target(project, wanted)
    assert (done.returncode, done.stdout) == (1, "")
    assert complaint in done.stderr
    assert OLD in done.stderr


def test_what_the_engine_complains_of_is_passed_on(project: Project) -> None:
    (project.fake / "pulumi").write_text(
        "#!/bin/sh\necho error: incorrect passphrase >&2; exit 1\n"
    )
    done = project.python("releases", "local")
    assert (done.returncode, done.stderr) == (1, "slipway: error: incorrect passphrase\n")


def held_on(project: Project, pinned: str) -> None:
    project.settings(f"config:\n  slipway:release: {pinned}\n")


def unpin(project: Project) -> subprocess.CompletedProcess[str]:
    return project.call("from cli.releases.unpin import unpin_changed\nunpin_changed('local')")


def present_release(project: Project) -> str:
    return identify(project.folder / "app")


def test_an_application_that_was_never_gone_back_from_is_not_held(project: Project) -> None:
    project.settings("config: {}\n")
    assert unpin(project).returncode == 0
    assert project.called == ""


def test_after_a_rollback_it_stays_while_the_application_is_the_same(project: Project) -> None:
    present = present_release(project)
    project.answers({"release": release(OLD), "releases": [release(present), release(OLD)]})
    held_on(project, OLD)
    done = unpin(project)
    assert f"stays on release {OLD}" in done.stderr
    assert "config rm" not in project.called


def test_a_changed_application_is_no_longer_held(project: Project) -> None:
    project.answers({"release": release(OLD), "releases": [release(NEW), release(OLD)]})
    held_on(project, OLD)
    done = unpin(project)
    assert f"no longer held on {OLD}" in done.stderr
    assert "config rm release --stack local" in project.called


def test_an_application_that_is_the_held_release_needs_no_holding(project: Project) -> None:
    present = present_release(project)
    project.answers({"release": release(present), "releases": [release(present)]})
    held_on(project, present)
    unpin(project)
    assert "config rm release" in project.called


def test_an_application_that_cannot_be_packed_is_said_before_the_update(project: Project) -> None:
    held_on(project, OLD)
    (project.folder / "app" / "requirements.txt").unlink()
    done = unpin(project)
    assert done.returncode == 1
    assert "there must be requirements.txt" in done.stderr


def test_ssh_to_an_unknown_server_lists_those_there_are(project: Project) -> None:
    droplets = [
        {
            "type": "digitalocean:index/droplet:Droplet",
            "urn": f"urn:pulumi:local::slipway::digitalocean:index/droplet:Droplet::{name}",
            "outputs": {"name": f"dev-{name}", "ipv4Address": "203.0.113.7"},
        }
        for name in ("db", "web")
    ]
    (project.fake / "state").write_text(json.dumps({"deployment": {"resources": droplets}}))
    done = project.python("ssh", "dev", "wbe")
    assert done.returncode == 1
    assert done.stderr == "slipway: dev has no server 'wbe': must be one of db, web\n"


def test_ctrl_c_ends_ssh_and_leaves_no_key_behind(project: Project) -> None:
    server = {"name": "web", "ipv4Address": "203.0.113.7"}
    pair = {"stdout": "ssh-ed25519 PUBLIC\nPRIVATE"}
    made = {"Droplet web": server, "Command deploy-key": pair, "Command web-host-key": pair}
    resources = [
        {"type": f"x:x:{name.split()[0]}", "urn": f"urn::{name.split()[1]}", "outputs": outputs}
        for name, outputs in made.items()
    ]
    (project.fake / "state").write_text(json.dumps({"deployment": {"resources": resources}}))
    (project.fake / "ssh").write_text("#!/bin/sh\necho connected\nexec sleep 60\n")
    (project.fake / "ssh").chmod(0o755)
    home = Path(project.environment["SLIPWAY_HOME"])
    home.mkdir(parents=True)
    project.is_set_up()
    running = subprocess.Popen(
        # A test run in the background hands down that Ctrl-C is to be ignored.
        ["env", "--default-signal=INT", "python3", "-m", "cli", "ssh", "local", "web"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout
    assert running.stdout.readline() == "connected\n"
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=10)
    assert said == ""
    assert running.returncode != 0
    assert list(home.iterdir()) == []


def test_what_is_no_part_of_a_release_is_listed_with_the_reason(project: Project) -> None:
    (project.folder / "shop").mkdir()
    (project.folder / "shop/.env").write_text("")
    (project.folder / "app/.slipwayignore").write_text("notes/\n")
    (project.folder / "app/notes").mkdir()
    project.settings('config:\n  slipway:sites: [{appName: "shop", appFolder: "shop"}]\n')
    done = project.python("preview", "local", "--left-out")
    assert done.stdout.splitlines() == [
        "app/.slipwayignore\tnever released",
        "app/notes/\t.slipwayignore names it",
        "shop/.env\tnever released",
    ]

"""Two at once, and killed at any point: the next run goes on, and visitors notice nothing."""

import fcntl
import json
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.unit.releasectl_host import Host, new_host

#: More effects than any command has; a test fails rather than looping on.
ENOUGH = 200


@pytest.fixture
def host() -> Iterator[Host]:
    with new_host() as made:
        yield made


def points(host: Host, *command: str) -> Iterator[int]:
    """Every effect of a command in turn, the command killed right before it."""
    for effect in range(1, ENOUGH):
        if not host.kill_at(effect, *command):
            assert effect > 5, "the command was never killed"
            return
        yield effect
    raise AssertionError(f"still not done after {ENOUGH} effects")


def test_a_staging_killed_anywhere_is_simply_done_again(host: Host) -> None:
    kept = host.upload(files={"static/style.css": "body {}"})
    archive = host.base / "incoming" / f"{kept}.tar.gz"
    content = archive.read_bytes()
    for effect in points(host, "stage", kept):
        ready = kept in host.names("releases") if (host.base / "releases").exists() else False
        assert ready == (kept in host.states()), f"half a release after effect {effect}"
        archive.parent.mkdir(exist_ok=True)
        archive.write_bytes(content)
        host.run("stage", kept)
        assert host.names("releases") == [kept], f"after effect {effect}"
        assert len(host.names("venvs")) == 1, f"after effect {effect}"
        assert (host.base / "releases" / kept / "static" / "style.css").exists()
        host.run("drop", kept)
        archive.write_bytes(content)
    host.run("activate", kept)
    assert host.page == "one"


def test_a_switch_killed_anywhere_never_stops_the_page_and_is_completed(host: Host) -> None:
    first, second = host.release("one"), host.upload("two")
    host.run("stage", second)
    seen = []
    for effect in points(host, "activate", second):
        seen.append(host.page)
        assert host.get("/healthz").status_code == 200
        done = host.run("activate", second).result
        assert host.page == "two", f"after effect {effect}"
        assert host.running() == host.enabled() == host.names("instances") == [done["instance"]]
        assert host.run("activate", second).result["changed"] is False
        assert host.names("releases") == sorted([first, second])
        host.run("activate", first)  # back to where we were
    assert seen == sorted(seen), "one until the flip, two from then on"
    assert set(seen) == {"one", "two"}


def test_another_release_may_follow_a_switch_that_was_cut_short(host: Host) -> None:
    first = host.release("one")
    second, third = host.upload("two"), host.upload("three")
    host.run("stage", second)
    host.run("stage", third)
    for effect in range(1, ENOUGH, 3):
        if not host.kill_at(effect, "activate", second):
            break
        host.run("activate", third)
        assert host.page == "three"
        assert len(host.running()) == 1
        host.run("activate", first)
        assert host.page == "one"


def test_a_switch_cut_short_that_turns_out_sick_goes_back(host: Host) -> None:
    """Killed between the flip and the check; the old release still runs, so back to it."""
    first = host.release("one")
    second = host.upload("two")
    host.run("stage", second)
    for effect in range(1, ENOUGH):
        assert host.kill_at(effect, "activate", second), "never killed right after the flip"
        if host.page == "two" and len(host.running()) == 2:
            break
        host.run("activate", first)  # each time from where it was
    host.settings(web_port=1, health_seconds=1)  # nobody listens there
    failed = host.fails("activate", second)
    assert "through port 1" in failed.told
    assert host.page == "one"
    assert host.states()[second] == "bad"
    assert [name[:12] for name in host.running()] == [first] == [n[:12] for n in host.enabled()]


def test_a_prune_killed_anywhere_leaves_no_half_release(host: Host) -> None:
    for page in ("one", "two", "three"):
        host.release(page)
    for effect in range(1, ENOUGH):
        extra = host.upload(f"extra {effect}")
        host.run("stage", extra)
        killed = host.kill_at(effect, "drop", extra)
        host.run("prune")
        host.run("drop", extra)
        assert set(host.names("releases")) == set(host.states())
        if not killed:
            break
    assert host.page == "three"


# One at a time


def test_a_busy_server_says_who_is_at_work_and_gives_up_in_time(host: Host) -> None:
    release = host.release("one")
    with (host.base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("grace (pid 7, since 2026-11-20T16:00:00Z, activate abc)\n")
        lock.flush()
        busy = host.run("--wait", "0.3", "activate", release, check=False)
    assert (busy.status, busy.result["outcome"]) == (75, "busy")
    assert "waiting up to 0 s for grace (pid 7, since" in busy.told
    assert "busy: grace (pid 7, since 2026-11-20T16:00:00Z, activate abc)" in busy.told


def test_the_next_one_waits_for_its_turn(host: Host) -> None:
    release = host.release("one")
    with (host.base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(
            host.command("activate", release),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=host.env,
        )
        time.sleep(0.5)
        assert process.poll() is None
        fcntl.flock(lock, fcntl.LOCK_UN)
    out, told = process.communicate(timeout=10)
    assert json.loads(out)["outcome"] == "ok"
    assert "waiting up to 60 s for another releasectl" in told


def test_the_lock_of_a_killed_owner_is_taken_at_once(host: Host) -> None:
    release = host.upload()
    host.run("stage", release)
    command = "echo started >&2; sleep 20"
    owner = subprocess.Popen(
        host.command("release-command", release, "--command", command),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=host.env,
    )
    assert owner.stderr is not None
    while "started" not in owner.stderr.readline():
        pass
    owner.kill()
    owner.wait()
    assert "ada (pid" in (host.base / "lock").read_text()
    began = time.monotonic()
    host.run("activate", release)
    assert time.monotonic() - began < 5


def test_looking_needs_no_lock(host: Host) -> None:
    host.release("one")
    with (host.base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert host.status()["unit_state"] == "active"
        assert len(host.run("list", "--json").result["releases"]) == 1


def test_many_at_once_take_turns(host: Host) -> None:
    host.settings(keep_releases=4)
    releases = [host.upload(page) for page in ("one", "two", "three", "four")]
    for release in releases:
        host.run("stage", release)
    running = [
        subprocess.Popen(
            host.command("activate", release),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=host.env,
        )
        for release in releases
    ]
    outcomes = [json.loads(process.communicate(timeout=60)[0])["outcome"] for process in running]
    assert outcomes == ["ok"] * 4
    assert len(host.running()) == 1
    switched = [line["release"] for line in host.history() if line["what"] == "switch"]
    assert sorted(switched) == sorted(releases)
    assert host.status()["current"] == switched[-1]

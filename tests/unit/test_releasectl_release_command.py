"""The release command: once for a release, with the environment of the application."""

import os
import time
from collections.abc import Iterator

import pytest

from tests.unit.releasectl_host import Host, alive, new_host


@pytest.fixture
def host() -> Iterator[Host]:
    with new_host() as made:
        yield made


@pytest.fixture
def release(host: Host) -> str:
    release = host.upload()
    host.run("stage", release)
    return release


def test_it_runs_once_in_the_release_with_its_environment(host: Host, release: str) -> None:
    host.environment(DATABASE_URL="postgresql://app:secret@db/site")
    command = f'echo "$DATABASE_URL $SLIPWAY_RELEASE $PWD $(command -v python)" >> {host.root}/ran'
    first = host.run("release-command", release, "--command", command)
    host.run("activate", release)
    second = host.run("release-command", release, "--command", command)
    assert (first.result["changed"], second.result["changed"]) == (True, False)
    folder = host.base / "releases" / release
    assert (host.root / "ran").read_text() == (
        f"postgresql://app:secret@db/site {release} {folder} {folder}/.venv/bin/python\n"
    )


def test_its_output_goes_to_the_person_and_not_into_the_answer(host: Host, release: str) -> None:
    ran = host.run(
        "release-command", release, "--command", "echo from stdout; echo from stderr >&2"
    )
    assert "from stdout\nfrom stderr\n" in ran.told


def test_it_runs_again_for_another_command_environment_or_on_demand(
    host: Host, release: str
) -> None:
    host.run("activate", release)
    assert host.run("release-command", release, "--command", "true").result["changed"] is True
    assert host.run("release-command", release, "--command", "true # 2").result["changed"] is True
    host.environment(DATABASE_URL="another")
    assert host.run("release-command", release, "--command", "true # 2").result["changed"] is True
    assert host.run("release-command", release, "--command", "true # 2").result["changed"] is False
    again = host.run("release-command", release, "--command", "true # 2", "--again")
    assert again.result["changed"] is True


def test_it_runs_again_when_another_release_served_meanwhile(host: Host, release: str) -> None:
    host.run("release-command", release, "--command", "true")
    host.run("activate", release)
    other = host.upload(page="another")
    host.run("stage", other)
    host.run("activate", other)
    assert host.run("release-command", release, "--command", "true").result["changed"] is True


def test_it_runs_again_in_another_database(host: Host, release: str) -> None:
    host.run("activate", release)
    for database, changed in (("1", True), ("1", False), ("2", True)):
        ran = host.run("release-command", release, "--command", "true", "--database", database)
        assert ran.result["changed"] is changed


def test_the_command_may_be_a_setting_or_none(host: Host, release: str) -> None:
    assert host.run("release-command", release).result["changed"] is False
    host.settings(release_command="echo from the settings")
    assert "from the settings" in host.run("release-command", release).told


def test_a_failing_command_makes_the_release_bad(host: Host, release: str) -> None:
    failed = host.fails("release-command", release, "--command", "echo no such table; exit 3")
    assert "no such table" in failed.told
    assert "the release command failed with status 3" in failed.told
    assert host.states() == {release: "bad"}
    assert "is marked BAD" in host.fails("start", release).told
    host.run("release-command", release, "--command", "true")
    assert host.states() == {release: "ready"}


def test_a_command_that_hangs_is_ended_with_its_children(host: Host, release: str) -> None:
    host.settings(release_command_seconds=1)
    pid_file = host.root / "pid"
    failed = host.fails(
        "release-command", release, "--command", f"sleep 50 & echo $! > {pid_file}; wait"
    )
    assert "was not done after 1 s" in failed.told
    time.sleep(0.1)
    assert not alive(int(pid_file.read_text()))


def test_one_that_hangs_is_asked_to_end_before_it_is_killed(host: Host, release: str) -> None:
    host.settings(release_command_seconds=1)
    said, pid_file = host.root / "said", host.root / "pid"
    stubborn = f"(trap '' TERM; sleep 50 & echo $! > {pid_file}; wait) &"
    command = f"trap 'echo rolled back > {said}; exit' TERM; {stubborn} wait"
    begun = time.monotonic()
    failed = host.fails("release-command", release, "--command", command)
    assert "was not done after 1 s" in failed.told
    assert said.read_text() == "rolled back\n"
    assert time.monotonic() - begun > 10
    time.sleep(0.1)
    assert not alive(int(pid_file.read_text()))


def test_one_that_ends_when_asked_to_is_not_waited_for(host: Host, release: str) -> None:
    host.settings(release_command_seconds=1)
    begun = time.monotonic()
    host.fails("release-command", release, "--command", "sleep 50")
    assert time.monotonic() - begun < 8


@pytest.mark.parametrize(
    ("seconds", "own", "options"),
    [
        (5, {}, "-c lock_timeout=5s"),
        (9, {"PGOPTIONS": "-c work_mem=64MB"}, "-c work_mem=64MB -c lock_timeout=9s"),
        (0, {"PGOPTIONS": "-c work_mem=64MB"}, "-c work_mem=64MB"),
        (0, {}, ""),
    ],
)
def test_postgresql_hears_its_name_and_how_long_it_waits_for_a_lock(
    host: Host, release: str, seconds: int, own: dict[str, str], options: str
) -> None:
    host.environment(**own)
    host.settings(release_command_lock_seconds=seconds)
    command = f'echo "$PGAPPNAME: $PGOPTIONS" > {host.root}/said'
    host.run("release-command", release, "--command", command)
    assert (host.root / "said").read_text() == f"site release command {release}: {options}\n"


def test_a_missing_user_is_named(host: Host, release: str) -> None:
    host.settings(user="nobody-of-that-name")
    failed = host.fails("release-command", release, "--command", "true")
    assert "there is no user 'nobody-of-that-name'" in failed.told
    assert host.states() == {release: "ready"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_it_runs_as_the_user_of_the_application(host: Host, release: str) -> None:
    for folder in (host.root, *host.base.parents):
        if folder.is_relative_to(host.root):
            folder.chmod(0o755)
    host.settings(user="nobody")
    ran = host.run("release-command", release, "--command", "echo I am $(id -un) of $(id -gn)")
    assert "I am nobody of nogroup" in ran.told
    failed = host.fails("release-command", release, "--command", "touch wsgi.py")
    assert "Permission denied" in failed.told


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=plain text", "plain text"),
        ('KEY="quoted $HOME \\"text\\""', 'quoted $HOME "text"'),
        ("KEY='single \\ quoted'", "single \\ quoted"),
        ("KEY=a\\ b", "a b"),
        ("# a comment\n\n; another\nKEY=x=y", "x=y"),
        ("KEY=", ""),
    ],
)
def test_the_environment_is_read_as_systemd_does(
    host: Host, release: str, line: str, value: str
) -> None:
    (host.config / "env").write_text(line + "\n")
    host.run("release-command", release, "--command", f'printf %s "$KEY" > {host.root}/value')
    assert (host.root / "value").read_text() == value


def test_a_broken_environment_is_told_without_its_secrets(host: Host, release: str) -> None:
    (host.config / "env").write_text("A=1\nsecret\n")
    failed = host.fails("release-command", release, "--command", "true")
    assert "env: line 2 is not KEY=value" in failed.told
    assert "secret" not in failed.told

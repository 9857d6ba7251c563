"""What a server knows of its releases: by whom, how long, which are gone, which are bad."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.releasectl_host import Host, new_host

SICK = ("500 Internal Server Error", "no table users")


@pytest.fixture
def host() -> Iterator[Host]:
    with new_host() as made:
        yield made


def listed(host: Host, *options: str) -> dict[str, dict[str, Any]]:
    rows = host.run("list", "--json", *options).result["releases"]
    return {row["id"]: row for row in rows}


def spoilt(host: Host, release: str) -> None:
    """It served once, and does not start any more."""
    (host.base / "releases" / release / "wsgi.py").write_text("raise SystemExit('no such table')\n")
    host.settings(health_seconds=1)
    host.fails("start", release)
    host.settings()


def test_the_list_says_who_brought_a_release_and_how_long_it_took(host: Host) -> None:
    release = host.release("one")
    row = listed(host)[release]
    assert row["activated_by"] == "ada"
    assert 0 <= row["took"] < 60


def test_of_a_release_that_never_served_it_says_neither(host: Host) -> None:
    release = host.upload()
    host.run("stage", release)
    row = listed(host)[release]
    assert (row["activated_by"], row["took"]) == (None, None)


def test_the_history_of_an_older_version_is_read_all_the_same(host: Host) -> None:
    release = host.release("one")
    journal = host.base / "history.jsonl"
    old = [
        {key: value for key, value in entry.items() if key not in ("from", "seconds")}
        for entry in host.history()
    ]
    journal.write_text("".join(json.dumps(entry) + "\n" for entry in old))
    assert listed(host, "--all")[release]["took"] is None


def test_what_is_gone_is_still_told_of(host: Host) -> None:
    record = json.dumps({"commit": "c" * 40, "author": "Ada", "message": "First"})
    gone = host.upload("one")
    host.run("stage", gone, record=record)
    host.run("activate", gone)
    for page in ("two", "three", "four"):
        host.release(page)
    assert gone not in listed(host)
    row = listed(host, "--all")[gone]
    assert (row["state"], row["message"], row["activated_by"]) == ("pruned", "First", "ada")
    host.run("stage", host.upload("one"))
    assert listed(host, "--all")[gone]["state"] == "ready", "it came back"


def test_an_unfinished_staging_is_no_release_and_goes_with_the_next_one(host: Host) -> None:
    release = host.release("one")
    half = host.base / "releases" / ".abcdefabcdef.123"
    shutil.copytree(host.base / "releases" / release, half, symlinks=True)
    torn = host.base / "releases" / ("d" * 12)
    torn.mkdir()
    assert set(listed(host, "--all")) == {release}
    assert host.status()["previous"] is None
    host.release("two")
    assert not half.exists()
    assert set(listed(host)) == {release, host.status()["current"]}


def test_a_bad_release_is_not_the_one_to_go_back_to(host: Host) -> None:
    first, second, third = (host.release(page) for page in ("one", "two", "three"))
    assert host.status()["previous"] == second
    spoilt(host, second)
    assert host.status()["previous"] == first
    assert host.states() == {third: "current", second: "bad", first: "previous"}


def test_a_release_after_a_rollback_goes_back_to_what_served(host: Host) -> None:
    first, second = host.release("one"), host.release("two")
    host.run("activate", first)
    third = host.release("three")
    assert list(listed(host)) == [third, first, second]
    assert host.status()["previous"] == first


def test_one_that_was_taken_away_and_came_again_is_the_newest(host: Host) -> None:
    first, *_ = (host.release(page) for page in ("one", "two", "three", "four"))
    assert first not in listed(host)
    again = host.release("one")
    assert again == first
    last = host.release("five")
    assert list(listed(host))[:2] == [last, again]


def test_a_kept_release_that_is_bad_does_not_come_back_until_it_is_unmarked(host: Host) -> None:
    first, second = host.release("one"), host.release("two")
    spoilt(host, first)
    refused = host.fails("stage", first, "--kept")
    assert f"release {first} is marked BAD" in refused.told
    assert host.states() == {second: "current", first: "bad"}
    assert host.run("unmark-bad", first).result["changed"] is True
    assert host.run("unmark-bad", first).result["changed"] is False
    host.run("stage", first, "--kept")
    assert [each["what"] for each in host.history()].count("unmark-bad") == 1


def test_a_kept_release_that_is_not_here_is_staged_like_any_other(host: Host) -> None:
    host.release("one")
    release = host.upload("two")
    assert host.run("stage", release, "--kept").result["changed"] is True

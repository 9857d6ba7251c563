"""What serves, what came before, and where a rollback goes."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.errors import SlipwayError
from components.release.history import History, Release, read, record, rollback_target
from tests.unit.releasectl_host import releasectl_module

RELEASECTL = releasectl_module()
SIX = ["a" * 12, "b" * 12, "c" * 12, "d" * 12, "e" * 12, "f" * 12]
KEEPS = st.integers(1, 6)


def release(id_: str, minute: int = 0, **more: Any) -> Release:
    return Release(id_, f"2026-11-20T16:{minute % 60:02}:00Z", "0" * 64, **more)


def played(ids: list[str], keep: int = 5) -> History:
    """The history after these ids were released one after another."""
    history: History | None = None
    entries: list[dict[str, Any]] = []
    for minute, id_ in enumerate(ids):
        served = history.current if history else None
        history = record(entries, release(id_, minute), keep, served)
        entries = history.to_list()
    assert history is not None
    return history


def ids_of(history: History) -> list[str]:
    return [entry.id for entry in history.releases]


def test_the_first_release_has_nothing_before_it() -> None:
    history = record(None, release("a" * 12), 5)
    assert (history.current, history.previous, ids_of(history)) == ("a" * 12, None, ["a" * 12])


def test_releases_are_listed_newest_first() -> None:
    history = played(SIX[:3])
    assert ids_of(history) == SIX[2::-1]
    assert (history.current, history.previous) == (SIX[2], SIX[1])


def test_a_rollback_changes_what_serves_but_not_the_order() -> None:
    history = played([*SIX[:3], SIX[1]])
    assert ids_of(history) == SIX[2::-1]
    assert (history.current, history.previous) == (SIX[1], SIX[0])


def test_a_release_after_a_rollback_goes_back_to_what_served_not_to_what_was_left() -> None:
    history = played([*SIX[:3], SIX[0], SIX[3]])
    assert ids_of(history) == [SIX[3], SIX[0], SIX[2], SIX[1]]
    assert history.previous == SIX[0]


def test_what_served_until_now_is_kept_however_old_it_is() -> None:
    history = played([*SIX[:3], SIX[0], SIX[3]], keep=3)
    assert ids_of(history) == [SIX[3], SIX[0], SIX[2]]


def test_a_known_release_keeps_its_first_time_and_author() -> None:
    first = release(SIX[0], 1, author="Ada", commit="1" * 40)
    again = record([first.to_dict()], release(SIX[0], 9, author="Grace", dirty=True), 5)
    assert again.releases == (first,)


def test_a_clock_put_back_does_not_turn_the_order_around() -> None:
    history = record([release(SIX[0], 30).to_dict()], release(SIX[1], 2), 5)
    assert ids_of(history) == [SIX[1], SIX[0]]
    assert history.previous == SIX[0]


def test_the_oldest_go_first() -> None:
    assert ids_of(played(SIX, keep=3)) == [SIX[5], SIX[4], SIX[3]]


def test_keeping_one_keeps_the_previous_one_as_well() -> None:
    assert ids_of(played(SIX, keep=1)) == [SIX[5], SIX[4]]


def test_an_old_release_that_serves_is_kept_with_the_one_before_it() -> None:
    entries = played(SIX, keep=6).to_list()
    history = record(entries, release(SIX[1]), keep=3)
    assert ids_of(history) == [SIX[5], SIX[1], SIX[0]]
    assert (history.current, history.previous) == (SIX[1], SIX[0])


@given(ids=st.lists(st.sampled_from(SIX), min_size=1, max_size=20), keep=KEEPS)
def test_whatever_is_released_the_history_holds_together(ids: list[str], keep: int) -> None:
    history = played(ids, keep)
    listed = ids_of(history)
    assert history.current == ids[-1] == listed[listed.index(ids[-1])]
    assert len(set(listed)) == len(listed) <= max(keep, 2)
    older = listed[listed.index(history.current) + 1 :]
    assert history.previous == (older[0] if older else None)


@given(ids=st.lists(st.sampled_from(SIX), min_size=1, max_size=20), keep=KEEPS)
def test_servers_keep_the_same_order(ids: list[str], keep: int) -> None:
    journal: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    serving = None
    for minute, id_ in enumerate(ids):
        there = {entry["id"] for entry in entries}
        entries = record(entries, release(id_, minute), keep, serving).to_list()
        serving = id_
        if id_ not in there:
            journal.append({"what": "stage", "release": id_, "outcome": "ok"})
        journal.append({"what": "switch", "release": id_, "outcome": "ok"})
        gone = there - {entry["id"] for entry in entries}
        journal.append({"what": "prune", "release": " ".join(gone), "outcome": "ok"})
    assert RELEASECTL.newest_first(journal) == [entry["id"] for entry in entries]


@given(ids=st.lists(st.sampled_from(SIX), min_size=1, max_size=20), keep=KEEPS)
def test_recording_the_same_again_changes_nothing(ids: list[str], keep: int) -> None:
    history = played(ids, keep)
    assert record(history.to_list(), release(history.current, 59), keep) == history


@given(ids=st.lists(st.sampled_from(SIX), min_size=2, max_size=20), keep=st.integers(2, 6))
def test_going_back_to_the_previous_release_is_always_possible(ids: list[str], keep: int) -> None:
    history = played(ids, keep)
    if history.previous is not None:
        back = record(history.to_list(), release(rollback_target(history, None)), keep)
        assert back.current == history.previous
        assert set(ids_of(back)) <= set(ids_of(history))


def test_a_release_is_read_back_as_it_was_written() -> None:
    written = release(SIX[0], 3, commit="1" * 40, author="Ada", message="Faster", dirty=True)
    assert Release.from_dict(written.to_dict()) == written


def test_fields_of_a_newer_version_are_left_out_and_missing_ones_are_empty() -> None:
    [entry] = read([{"id": SIX[0], "released_at": "2026-11-20T16:00:00Z", "colour": "blue"}])
    assert (entry.requirements, entry.commit, entry.dirty) == ("", None, False)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("r1", "releases: expected a list of releases, found 'r1'"),
        (["r1"], "releases[0]: expected a release (a map), found 'r1'"),
        ([{"id": "R1"}], "releases[0].id: expected 12 hexadecimal digits, found 'R1'"),
        ([{"id": "a" * 12}], "releases[0].released_at: expected a time such as"),
        (
            [{"id": "a" * 12, "released_at": "2026-11-20T16:00:00Z", "dirty": "no"}],
            "releases[0].dirty: expected true or false, found 'no'",
        ),
        (
            [{"id": "a" * 12, "released_at": "2026-11-20T16:00:00Z", "commit": 7}],
            "releases[0].commit: expected text or nothing, found 7",
        ),
    ],
)
def test_garbage_is_refused_by_the_name_of_the_entry(entries: Any, message: str) -> None:
    with pytest.raises(SlipwayError, match=re.escape(message)):
        record(entries, release("b" * 12), 5)


def test_keeping_less_than_one_is_refused() -> None:
    with pytest.raises(
        SlipwayError, match="keep: expected a number of releases from 1 up, found 0"
    ):
        record([], release(SIX[0]), 0)


def test_a_rollback_without_a_name_goes_to_the_previous_release() -> None:
    assert rollback_target(played(SIX[:3]), None) == SIX[1]


def test_a_rollback_by_name_may_go_forward_as_well() -> None:
    assert rollback_target(played([*SIX[:3], SIX[0]]), SIX[2]) == SIX[2]


@pytest.mark.parametrize(
    ("ids", "wanted", "message"),
    [
        (SIX[:2], "f" * 12, f"there is no release {'f' * 12}; there is: {SIX[1]}, {SIX[0]}"),
        (SIX[:2], SIX[1], f"release {SIX[1]} already serves; there is: {SIX[1]}, {SIX[0]}"),
        (SIX[:1], None, f"nothing is older than release {SIX[0]}; there is: {SIX[0]}"),
    ],
)
def test_an_impossible_rollback_lists_what_there_is(
    ids: list[str], wanted: str | None, message: str
) -> None:
    with pytest.raises(SlipwayError, match=re.escape(message)):
        rollback_target(played(ids), wanted)

"""What a release is to its environment, from the outputs and from what each server says."""

from __future__ import annotations

from typing import Any

import pytest

from cli.releases import release_states
from cli.releases.release_states import State
from cli.releases.rollback_target import choose
from cli.releases.server_releases import Answer
from cli.servers import audit
from cli.servers.fleet import Result

NEW, OLD, OLDEST = "c" * 12, "b" * 12, "a" * 12
DAYS = {OLDEST: "2026-11-18", OLD: "2026-11-19", NEW: "2026-11-20"}


def outputs(*ids: str, current: str | None = None) -> dict[str, Any]:
    """The stack's outputs with these releases, newest first."""
    releases = [
        {"id": id, "released_at": f"{DAYS[id]}T16:00:00Z", "released_by": "ada@laptop"}
        for id in ids
    ]
    return {"release": {"id": current or ids[0]}, "releases": releases}


def server(**states: str) -> Answer:
    """A server with releases by their letter: server(c="current", b="bad")."""
    return Answer(
        releases={
            letter * 12: {
                "id": letter * 12,
                "state": state,
                "staged_at": "2026-11-21T16:00:00Z",
                "activated_at": None if state == "ready" else f"{day(letter)}T16:00:00Z",
                "activated_by": None if state == "ready" else "grace@desk",
                "took": 3.4,
                "reason": "no such table" if state == "bad" else None,
            }
            for letter, state in states.items()
        }
    )


def day(letter: str) -> str:
    return DAYS.get(letter * 12, "2026-11-21")


def states_of(known: dict[str, Any], **answers: Answer) -> dict[str, str]:
    return {each.id: each.state for each in release_states.of(known, answers)}


def notes_of(known: dict[str, Any], **answers: Answer) -> list[str]:
    return [note for each in release_states.of(known, answers) for note in each.notes]


FINE = server(c="current", b="previous", a="ready")


def test_where_all_agree_nothing_is_noted() -> None:
    known = outputs(NEW, OLD, OLDEST)
    assert states_of(known, web=FINE) == {NEW: "current", OLD: "previous", OLDEST: "kept"}
    assert notes_of(known, web=FINE, web_2=FINE) == []


def test_without_servers_the_outputs_say_all_they_know() -> None:
    known = outputs(NEW, OLD, OLDEST, current=OLD)
    assert states_of(known) == {NEW: "kept", OLD: "current", OLDEST: "previous"}


def test_a_server_without_a_release_is_named() -> None:
    known = outputs(NEW, OLD)
    lacks = server(c="current")
    assert notes_of(known, web=FINE, web_2=lacks) == [f"web_2 has not got {OLD}"]
    assert states_of(known, web=FINE, web_2=lacks)[OLD] == "previous"


def test_a_server_that_serves_another_one_is_named() -> None:
    other = server(c="ready", b="current")
    assert notes_of(outputs(NEW, OLD), web=FINE, web_2=other) == [f"web_2 serves {OLD}, not {NEW}"]


def test_a_release_is_bad_where_one_server_calls_it_so_and_the_one_before_is_the_previous() -> None:
    spoilt = server(c="current", b="bad", a="ready")
    known = outputs(NEW, OLD, OLDEST)
    assert states_of(known, web=FINE, web_2=spoilt) == {
        NEW: "current",
        OLD: "bad",
        OLDEST: "previous",
    }
    assert notes_of(known, web=FINE, web_2=spoilt) == [f"web_2 calls {OLD} bad: no such table"]


def test_what_never_served_is_staged_or_bad_and_stands_where_its_time_puts_it() -> None:
    web = server(d="bad", e="ready", c="current")
    found = states_of(outputs(NEW), web=web)
    assert found == {"d" * 12: "bad", "e" * 12: "staged", NEW: "current"}
    assert list(found)[-1] == NEW


def test_the_outputs_say_what_is_newest_whatever_the_clock_of_a_server_said() -> None:
    # Released an hour after, by a clock that was two days slow.
    known = outputs(OLDEST, NEW, OLD)
    assert list(states_of(known, web=server(a="current", c="previous", b="ready"))) == [
        *(OLDEST, NEW, OLD)
    ]
    states = release_states.of(known, {"web": server(a="current", c="previous", b="ready")})
    target = choose(states, None, force=False)
    assert isinstance(target, State)
    assert target.id == NEW


def test_what_no_server_has_any_more_is_pruned() -> None:
    web = server(c="current", b="pruned")
    assert states_of(outputs(NEW, OLD), web=web)[OLD] == "pruned"
    assert states_of(outputs(NEW), web=web)[OLD] == "pruned"


def test_a_server_that_cannot_be_reached_decides_nothing() -> None:
    away = Answer.of(Result(status=None, errors="timed out"))
    assert away.problem == "cannot be reached: timed out"
    found = release_states.of(outputs(NEW, OLD), {"web": away})
    assert [each.state for each in found] == ["current", "previous"]
    assert found[0].servers == {"web": "unreachable"}
    assert found[0].notes == []


def test_a_server_that_is_not_set_up_says_so() -> None:
    answer = Answer.of(Result(status=127, errors="sh: 1: releasectl: not found\n"))
    assert answer.problem == "sh: 1: releasectl: not found"


def test_the_slowest_server_says_how_long_it_took_and_the_outputs_by_whom() -> None:
    slow = server(c="current")
    slow.releases[NEW]["took"] = 9.0
    (found,) = release_states.of(outputs(NEW), {"web": server(c="current"), "web-2": slow})
    assert (found.took, found.released_by) == (9.0, "ada@laptop")


# Where a rollback goes


def chosen(
    wanted: str | None = None, force: bool = False, web: Answer = FINE, current: str = NEW
) -> str:
    states = release_states.of(outputs(NEW, OLD, OLDEST, current=current), {"web": web})
    found = choose(states, wanted, force=force)
    return found.id if isinstance(found, State) else found


def test_a_rollback_goes_to_the_newest_good_release_before_the_current_one() -> None:
    assert chosen() == OLD
    assert chosen(web=server(c="current", b="bad", a="previous")) == OLDEST
    assert chosen(web=server(c="current", b="pruned", a="previous")) == OLDEST
    assert chosen(current=OLD, web=server(c="ready", b="current", a="previous")) == OLDEST


def test_with_an_id_it_goes_to_any_kept_release() -> None:
    assert chosen(OLDEST) == OLDEST
    assert chosen(NEW, current=OLD, web=server(c="ready", b="current", a="previous")) == NEW


def test_one_that_no_server_has_any_more_may_still_lie_here_or_in_the_bucket() -> None:
    assert chosen(OLD, web=server(c="current", b="pruned", a="previous")) == OLD


def test_to_a_bad_one_only_by_force() -> None:
    web = server(c="current", b="bad", a="previous")
    assert (
        chosen(OLD, web=web)
        == f"web calls {OLD} bad: no such table (--force goes there all the same)"
    )
    assert chosen(OLD, force=True, web=web) == OLD
    assert chosen(force=True, web=web) == OLD


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ("0" * 12, "there is no release 000000000000"),
        (NEW, f"release {NEW} already serves"),
        ("f" * 12, f"release {'f' * 12} is on no server any more"),
        ("e" * 12, f"release {'e' * 12} never served on all servers"),
    ],
)
def test_where_it_cannot_go_it_lists_what_there_is_with_states(wanted: str, complaint: str) -> None:
    web = server(c="current", b="pruned", a="previous", e="ready", f="pruned")
    said = chosen(wanted, web=web)
    assert said.startswith(complaint)
    assert f"{'e' * 12} (staged), {'f' * 12} (pruned), {NEW} (current)" in said
    assert f"{OLD} (pruned), {OLDEST} (previous)" in said


def test_with_nothing_older_that_is_good_it_says_so() -> None:
    said = chosen(web=server(c="current", b="bad", a="bad"))
    assert said.startswith(f"nothing good is older than release {NEW}; there is: ")


# The journals


def test_the_journals_of_all_servers_are_one_story_told_in_order() -> None:
    web = '{"at": "2026-11-20T16:00:02Z", "by": "ada@laptop", "what": "switch"}\ntorn {"at"\n'
    db = '{"at": "2026-11-20T16:00:01Z", "by": "ada@laptop", "what": "file"}\n[]\n{}\n'
    found = audit.merged({"web": web, "db": db})
    assert [(each["server"], each["what"]) for each in found] == [("db", "file"), ("web", "switch")]

"""What each release is to its environment, and where outputs and servers disagree; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.releases.server_releases import Answer

HERE = ("current", "previous", "ready", "bad")
"""States of a release that lies on a server."""
_TOLD = ("commit", "author", "message", "dirty")


@dataclass(frozen=True, kw_only=True)
class State:
    """One release."""

    id: str
    state: str
    """`current`, `previous` (where a rollback goes), `kept`, `bad`, `staged` (it never served), or
    `pruned` (it is gone)."""
    released_at: str | None
    released_by: str | None
    took: float | None
    """Seconds from the begin of its staging to its first switch, on the slowest server."""
    commit: str | None
    author: str | None
    message: str | None
    dirty: bool
    listed: bool
    """Whether the stack's outputs have it: the program goes back to no other."""
    servers: Mapping[str, str] = field(default_factory=dict)
    """What it is on each server that was asked, see `Answer.state`."""
    notes: list[str] = field(default_factory=list)
    """Where servers and outputs disagree, and why it is bad."""


def of(outputs: Mapping[str, Any], answers: Mapping[str, Answer]) -> list[State]:
    """All releases, newest first.

    Args:
        outputs: of the stack's last good update.
        answers: of its web servers; empty where they were not asked.
    """
    known = {each["id"]: each for each in outputs.get("releases") or []}
    current = (outputs.get("release") or {}).get("id")
    previous = _previous(list(known), current, answers)
    return [
        _state(id, known.get(id), current, previous, answers)
        for id in _newest_first(known, answers)
    ]


def _previous(ids: list[str], current: str | None, answers: Mapping[str, Answer]) -> str | None:
    """The newest good one before the current one that lies on a server."""
    older = ids[ids.index(current) + 1 :] if current in ids else []
    return next((id for id in older if is_good(id, answers)), None)


def is_good(release: str, answers: Mapping[str, Answer]) -> bool:
    """Whether no server calls it bad, and one has it (or none could be asked)."""
    states = [answer.state(release) for answer in answers.values() if not answer.problem]
    return "bad" not in states and (not states or any(state in HERE for state in states))


def _state(
    id: str,
    output: Mapping[str, Any] | None,
    current: str | None,
    previous: str | None,
    answers: Mapping[str, Answer],
) -> State:
    rows = [answer.releases[id] for answer in answers.values() if id in answer.releases]
    told: Mapping[str, Any] = output or next(iter(rows), {})
    served = sorted((row for row in rows if row["activated_at"]), key=lambda r: r["activated_at"])
    first = next(iter(served), {})
    on = {name: answer.state(id) for name, answer in answers.items()}
    if id == current:
        state = "current"
    elif "bad" in on.values():
        state = "bad"
    elif on and not any(each in (*HERE, "unreachable") for each in on.values()):
        state = "pruned"
    elif id == previous:
        state = "previous"
    else:
        state = "kept" if output or served else "staged"
    took = [row["took"] for row in rows if row.get("took") is not None]
    return State(
        id=id,
        state=state,
        released_at=(output or {}).get("released_at") or first.get("activated_at"),
        released_by=(output or {}).get("released_by") or first.get("activated_by"),
        took=max(took, default=None),
        **{key: told.get(key) for key in _TOLD if key != "dirty"},
        dirty=bool(told.get("dirty")),
        listed=output is not None,
        servers=on,
        notes=_notes(id, state, bool(output), answers),
    )


def _notes(id: str, state: str, is_output: bool, answers: Mapping[str, Answer]) -> list[str]:
    notes = []
    for name, answer in answers.items():
        if answer.problem:
            continue
        on = answer.state(id)
        if on == "bad":
            notes.append(f"{name} calls {id} bad: {answer.releases[id].get('reason')}")
        elif is_output and on not in HERE and state != "pruned":
            notes.append(f"{name} has not got {id}")
        if state == "current" and on != "current":
            notes.append(f"{name} serves {answer.serving or 'nothing'}, not {id}")
    return notes


def _newest_first(known: Mapping[str, Any], answers: Mapping[str, Answer]) -> list[str]:
    """The outputs' order, which is right whatever the clocks say.

    What only servers know comes where its time puts it.
    """
    ids, times = list(known), {id: each["released_at"] for id, each in known.items()}
    for answer in answers.values():
        for id, row in answer.releases.items():
            if id not in known:
                time = row["activated_at"] or row["staged_at"] or ""
                times[id] = min(time, times.get(id, time))
    others = sorted((id for id in times if id not in known), key=lambda id: times[id], reverse=True)
    # From the oldest on, each in front of what is older.
    for id in reversed(others):
        older = (place for place, other in enumerate(ids) if times[other] <= times[id])
        ids.insert(next(older, len(ids)), id)
    return ids

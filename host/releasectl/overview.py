"""The list of releases."""

from __future__ import annotations

from .app import App
from .journal import NEVER, TOLD_OF_A_RELEASE, first_switches, newest_first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def overview(app: App) -> list[dict[str, Any]]:
    """All releases, the newest at the top."""
    current, previous = app.serving_release(), app.previous()
    entries = app.journal.entries()
    first = first_switches(entries)
    found = []
    places = {release: place for place, release in enumerate(newest_first(entries))}
    for release in sorted(app.all_releases(), key=lambda each: places.get(each.id, -1)):
        ready, bad = release.mark("READY") or {}, app.badness(release)
        state = "ready" if bad is None else "bad"
        row: dict[str, Any] = {
            **ready.get("record", {}),
            "id": release.id,
            "state": {current: "current", previous: "previous"}.get(release.id, state),
            "staged_at": ready.get("staged_at", ""),
            **(first[release.id].told if release.id in first else NEVER),
        }
        if bad is not None:
            row["reason"] = bad.get("reason")
        found.append(row)
    return found


def pruned(app: App) -> list[dict[str, Any]]:
    """The releases that were here once and are no more, the newest at the top."""
    entries = app.journal.entries()
    first, there = first_switches(entries), {release.id for release in app.all_releases()}
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        release = str(entry.get("release"))
        if (entry.get("what"), entry.get("outcome")) != ("stage", "ok") or release in there:
            continue
        found.pop(release, None)
        found[release] = {
            **{key: entry[key] for key in TOLD_OF_A_RELEASE if key in entry},
            "id": release,
            "state": "pruned",
            "staged_at": entry["at"],
            **(first[release].told if release in first else NEVER),
        }
    return list(reversed(found.values()))

"""The list of releases."""

from __future__ import annotations

from .app import App
from .journal import NEVER_SERVED, RELEASE_FIELDS, first_switches, newest_first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def overview(app: App) -> list[dict[str, Any]]:
    """All releases, newest first."""
    current, previous = app.serving_release(), app.previous()
    entries = app.journal.entries()
    first = first_switches(entries)
    found = []
    order = {release: position for position, release in enumerate(newest_first(entries))}
    for release in sorted(app.all_releases(), key=lambda each: order.get(each.id, -1)):
        ready, bad = release.mark("READY") or {}, app.bad_mark(release)
        state = "ready" if bad is None else "bad"
        row: dict[str, Any] = {
            **ready.get("record", {}),
            "id": release.id,
            "state": {current: "current", previous: "previous"}.get(release.id, state),
            "staged_at": ready.get("staged_at", ""),
            **(first[release.id].fields if release.id in first else NEVER_SERVED),
        }
        if bad is not None:
            row["reason"] = bad.get("reason")
        found.append(row)
    return found


def pruned(app: App) -> list[dict[str, Any]]:
    """The releases that have been removed from this server, newest first."""
    entries = app.journal.entries()
    first, there = first_switches(entries), {release.id for release in app.all_releases()}
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        release = str(entry.get("release"))
        if (entry.get("what"), entry.get("outcome")) != ("stage", "ok") or release in there:
            continue
        found.pop(release, None)
        found[release] = {
            **{key: entry[key] for key in RELEASE_FIELDS if key in entry},
            "id": release,
            "state": "pruned",
            "staged_at": entry["at"],
            **(first[release].fields if release in first else NEVER_SERVED),
        }
    return list(reversed(found.values()))

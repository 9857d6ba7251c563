"""The releases of an environment: which one serves, which came before, what can be gone back to.

Pure: plain data in (the stack's last outputs), plain data out (its next ones).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from components.core.errors import SlipwayError

_ID = re.compile(r"[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(frozen=True)
class Release:
    """One release, as it was first released.

    `released_at` is ISO 8601 in UTC (`2026-11-20T16:00:00Z`); `commit`, `author` and `message` are
    git's, None outside a repository; `dirty` says that the tree was not that commit; `released_by`
    is a person and their machine (ada@laptop), None where that was not noted;
    `requirements` is the sha256 of requirements.txt; `module` is the WSGI callable; `settings` are
    those that it served with last (see written_settings.py).
    """

    id: str
    released_at: str
    requirements: str
    commit: str | None = None
    author: str | None = None
    message: str | None = None
    dirty: bool = False
    module: str | None = None
    released_by: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, entry: Any, where: str = "release") -> "Release":
        """Read what `to_dict` wrote, also by an older or newer version of this program.

        Fields unknown here are left out and optional ones may be missing. Raises SlipwayError,
        naming the field by `where` ("releases[2].id"), for anything else.
        """
        if not isinstance(entry, dict):
            raise SlipwayError(f"{where}: expected a release (a map), found {entry!r}")

        def text(key: str, pattern: re.Pattern[str] | None, allowed: str) -> str:
            value = entry.get(key)
            if not isinstance(value, str) or (pattern and not pattern.fullmatch(value)):
                raise SlipwayError(f"{where}.{key}: expected {allowed}, found {value!r}")
            return value

        def optional(key: str) -> str | None:
            return None if entry.get(key) is None else text(key, None, "text or nothing")

        dirty = entry.get("dirty", False)
        if not isinstance(dirty, bool):
            raise SlipwayError(f"{where}.dirty: expected true or false, found {dirty!r}")
        settings = entry.get("settings") or {}
        if not isinstance(settings, Mapping):
            raise SlipwayError(f"{where}.settings: expected a map, found {settings!r}")
        return cls(
            id=text("id", _ID, "12 hexadecimal digits"),
            released_at=text("released_at", _TIME, "a time such as 2026-11-20T16:00:00Z"),
            requirements=optional("requirements") or "",
            commit=optional("commit"),
            author=optional("author"),
            message=optional("message"),
            dirty=dirty,
            module=optional("module"),
            released_by=optional("released_by"),
            settings={str(name): str(value) for name, value in settings.items()},
        )


@dataclass(frozen=True)
class History:
    """`releases`, newest first (see `record`); `previous` is where a rollback without a name goes:
    the next older one than `current` (both are ids)."""

    current: str
    previous: str | None
    releases: tuple[Release, ...]

    def to_list(self) -> list[dict[str, Any]]:
        return [release.to_dict() for release in self.releases]

    @classmethod
    def of(cls, current: str, releases: Sequence[Release]) -> "History":
        """The history in which `current`, one of `releases` (newest first), serves."""
        ids = [release.id for release in releases]
        if current not in ids:
            raise SlipwayError(
                f"release {current} serves but is not in the history: {_listed(ids)}"
            )
        older = ids[ids.index(current) + 1 :]
        return cls(current, older[0] if older else None, tuple(releases))


def read(entries: Any) -> list[Release]:
    """The `releases` output of a stack, newest first; None (there is none yet) is an empty list.

    Raises SlipwayError naming the entry and field that is not as expected.
    """
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise SlipwayError(f"releases: expected a list of releases, found {entries!r}")
    found: dict[str, Release] = {}
    for index, entry in enumerate(entries):
        release = Release.from_dict(entry, f"releases[{index}]")
        found.setdefault(release.id, release)
    return list(found.values())


def record(previous: Any, current: Release, keep: int, served: str | None = None) -> History:
    """The history after `current` was released on top of `previous`, the last `releases` output.

    A new release comes first, and behind it the one that `served` until then: whoever rolls back
    comes to what visitors had, not to what had been rolled back from. One that is known (a
    rollback, or the same again) keeps its place, its time and its author, and has the settings that
    it serves with now. The list order counts, not the clock, which may have been put back;
    `newest_first` of host/releasectl follows the same rules on a server. At most `keep` (>= 1)
    releases are kept, the newest, but never without the current and the previous one. Raises
    SlipwayError for a `keep` below 1 and for a `previous` that is no history.
    """
    if keep < 1:
        raise SlipwayError(f"keep: expected a number of releases from 1 up, found {keep}")
    known = [
        replace(each, settings=current.settings) if each.id == current.id else each
        for each in read(previous)
    ]
    if current.id not in [release.id for release in known]:
        known.sort(key=lambda release: release.id != served)
        known.insert(0, current)
    history = History.of(current.id, known)
    needed = {history.current, history.previous} - {None}
    room = keep - len(needed)
    kept = []
    for release in history.releases:
        if release.id in needed:
            kept.append(release)
        elif room > 0:
            kept.append(release)
            room -= 1
    return History.of(current.id, kept)


def rollback_target(history: History, wanted: str | None) -> str:
    """The id to go back to: `wanted`, or else the release before the current one.

    Raises SlipwayError, listing what there is, for an unknown id, for the one that already serves,
    and when there is nothing older.
    """
    ids = [release.id for release in history.releases]
    if wanted is None:
        if history.previous is None:
            raise SlipwayError(
                f"nothing is older than release {history.current}; there is: {_listed(ids)}"
            )
        return history.previous
    if wanted == history.current:
        raise SlipwayError(f"release {wanted} already serves; there is: {_listed(ids)}")
    if wanted not in ids:
        raise SlipwayError(f"there is no release {wanted}; there is: {_listed(ids)}")
    return wanted


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(ids) or "none"

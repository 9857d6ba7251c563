"""The releases of an environment: which one serves, which came before, and which are kept.

Pure: plain data in (the stack's last outputs), plain data out (its next outputs).
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
    git's, None outside a repository; `dirty` means that the tree differed from that commit;
    `released_by` is a person and their machine (ada@laptop), None if unknown; `requirements` is the
    SHA-256 of requirements.txt; `module` is the WSGI callable; `settings` are those that it last
    served with (see components/settings/written.py).
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
        """Read what `to_dict` wrote.

        Unknown fields are ignored and optional ones may be missing. Raises SlipwayError, naming
        the field with `where` ("releases[2].id"), for anything else.
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
    """`releases`, newest first (see `record`). `current` and `previous` are ids; `previous` is the
    next older release, and the target of a rollback without an id."""

    current: str
    previous: str | None
    releases: tuple[Release, ...]

    def to_list(self) -> list[dict[str, Any]]:
        return [release.to_dict() for release in self.releases]

    @classmethod
    def of(cls, current: str, releases: Sequence[Release]) -> "History":
        """The history in which `current`, one of the `releases` (newest first), serves."""
        ids = [release.id for release in releases]
        if current not in ids:
            raise SlipwayError(
                f"release {current} serves but is not in the history: {_listed(ids)}"
            )
        older = ids[ids.index(current) + 1 :]
        return cls(current, older[0] if older else None, tuple(releases))


def read(entries: Any) -> list[Release]:
    """Parse the `releases` output of a stack, newest first; None (no output yet) gives [].

    Raises SlipwayError, naming the entry and the field that is not as expected.
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

    A new release comes first, followed by the one that `served` until then: a rollback goes to
    what visitors had before, not to a release that had been rolled back from. A release that is
    already in the history (a rollback, or no new code) keeps its position, time and author, and
    gets the settings that it serves with now. Order is that of the list, not of the clock, which
    may have been set back; `newest_first` in host/releasectl follows the same rules on a server.
    The newest `keep` (>= 1) releases are kept, and always the current and the previous one. Raises
    SlipwayError for a `keep` below 1 and for a `previous` that is not a history.
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
    """The id to roll back to: `wanted`, or else the release before the current one.

    Raises SlipwayError, listing the kept releases, for an unknown id, for the one that already
    serves, and if there is no older one.
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

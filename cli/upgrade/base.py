"""Which version of Slipway a project is from: the base of a three-way merge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cli.console import fail, say
from cli.upgrade.git import Entry, Git
from cli.upgrade.upstream import RECORD, REFS, version

# Of the files of a version, how many a project that is from it has had at the very least.
_LIKE_IT = 0.1


def find(git: Git, recorded: str, target: str) -> str:
    """A commit of Slipway.

    Args:
        recorded: what the project's own file says; empty for nothing.
        target: the commit to upgrade to.
    """
    if recorded:
        if not (commit := git.commit(recorded)):
            fail(f"{RECORD}: commit is {recorded!r}: Slipway has none of that id")
        return commit
    # A clone, or a fork, has it in its own history.
    shared: str = git.run("merge-base", "HEAD", target).stdout.strip()
    return shared or _most_alike(git)


def _most_alike(git: Git) -> str:
    """The commit whose files the project's history has the most of, and lacks the least of.

    The same content has the same id in every repository, so a copy without history is known by it.
    """
    prefix = git("rev-parse", "--show-prefix")
    had = {
        (path.removeprefix(prefix), entry)
        for _, _, changes in _history(git, "HEAD")
        for sign, path, entry in changes
        if sign > 0 and path.startswith(prefix)
    }
    alike: dict[str, int] = {}
    for commit, parent, changes in _history(git, f"--glob={REFS}"):
        alike[commit] = alike.get(parent, 0) + sum(
            sign if (path, entry) in had else -sign for sign, path, entry in changes
        )
    # Of those that are equally alike the oldest: a change that both sides have is no conflict.
    best = max(alike, key=lambda commit: alike[commit])
    files = git.entries(best)
    common = len(files.items() & had)
    if common < _LIKE_IT * len(files):
        fail(
            "which version this project is from cannot be found out, for its files are like none:"
            " name it with --base, as a version, tag or commit of Slipway"
        )
    say(
        f"the version most like this project is {version(git, best)}:"
        f" {common} of its {len(files)} files are, or were, here"
    )
    return best


class Change(NamedTuple):
    sign: int
    """1 of a file that came, -1 of one that went; one that changed did both."""
    path: str
    entry: Entry


def _history(git: Git, commits: str) -> Iterator[tuple[str, str, list[Change]]]:
    """Each commit after its first parent: its id, that one's (empty for none), what changed."""
    options = ("--diff-merges=first-parent", "--root", "--no-renames", "--reverse", "--topo-order")
    words = iter(
        git.names("log", "--raw", "-z", "--no-abbrev", "--format=%H %P", *options, commits)
    )
    this, parent, changes = "", "", list[Change]()
    for word in words:
        if word.lstrip("\n").startswith(":"):
            old_mode, mode, old_blob, blob, _ = word.strip("\n:").split()
            path = next(words)
            old, new = Entry(old_mode, old_blob), Entry(mode, blob)
            changes += [Change(-1, path, old)] if old_mode.strip("0") else []
            changes += [Change(1, path, new)] if mode.strip("0") else []
            continue
        if this:
            yield this, parent, changes
        this, _, parents = word.strip().partition(" ")
        parent, changes = parents.partition(" ")[0], []
    yield this, parent, changes

"""The project's git repository, asked and changed with git's own commands."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cli.console import fail

#: `git merge-tree --write-tree` came with it.
OLDEST = (2, 38)
# Commits that only a merge sees need no name of a person.
_SOMEBODY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "scripts/upgrade"), ("EMAIL", "slipway@localhost"))
}


class Entry(NamedTuple):
    """A file of a commit, as git keeps it."""

    mode: str
    """100644, 100755 (executable), 120000 (a link) or 160000 (a submodule)."""
    blob: str
    """The id of its content, the same in every repository."""


@dataclass(frozen=True)
class Git:
    folder: Path
    """Where the project is: the top of its repository, or a folder in there."""

    def run(
        self, *words: str, stdin: str | None = None, index: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **_SOMEBODY}
        if index:
            environment["GIT_INDEX_FILE"] = str(index)
        return subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env=environment,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
        )

    def __call__(self, *words: str, stdin: str | None = None, index: Path | None = None) -> str:
        """What it prints; git's own message ends this program."""
        done = self.run(*words, stdin=stdin, index=index)
        if done.returncode != 0:
            fail(f"git {words[0]}: {done.stderr.strip() or 'failed'}")
        return done.stdout.rstrip("\n")

    def commit(self, name: str) -> str:
        """The id of a commit; empty where there is none of that name."""
        return self.run("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}").stdout.strip()

    def text(self, commit: str, path: str) -> str:
        """A file of a commit; empty where it has none."""
        return self.run("cat-file", "blob", f"{commit}:{path}").stdout

    def names(self, *words: str) -> list[str]:
        """What it prints, split at NUL."""
        return [name for name in self(*words).split("\0") if name]

    def entries(self, tree: str) -> dict[str, Entry]:
        """The files of a commit or tree, by path."""
        found = {}
        for line in self.names("ls-tree", "-r", "-z", "--full-tree", tree):
            about, path = line.split("\t", 1)
            mode, _, blob = about.split()
            found[path] = Entry(mode, blob)
        return found

    def new_blob(self, text: str) -> str:
        return self("hash-object", "-w", "--stdin", stdin=text)

    def new_commit(self, tree: str, message: str, *parents: str) -> str:
        after = [word for parent in parents for word in ("-p", parent)]
        return self("commit-tree", tree, *after, "-m", message)

    def new_tree(self, files: Mapping[str, Entry]) -> str:
        lines = (f"{entry.mode} {entry.blob}\t{path}\0" for path, entry in files.items())
        index = self.private("slipway-upgrade-tree")
        index.unlink(missing_ok=True)
        self("update-index", "-z", "--index-info", stdin="".join(lines), index=index)
        tree = self("write-tree", index=index)
        index.unlink()
        return tree

    def private(self, name: str) -> Path:
        """A file of ours in git's own folder, which no commit and no clone sees."""
        return self.folder / self("rev-parse", "--git-path", name)


def refuse_old_git(version: str) -> None:
    """End where this git cannot merge as we need it; of what `git version` prints."""
    digits = tuple(int(part) for part in version.split()[2].split(".")[:2])
    if digits < OLDEST:
        fail(f"{version} is too old: an upgrade needs {'.'.join(map(str, OLDEST))} or newer")

"""Which files of a folder are not released: those git ignores, unless .slipwayignore overrides it.

Git itself is asked, because it knows what is tracked: a tracked file is released whatever the rules
say. Without git the same rules are read from the files, and a tracked file that they match is left
out. A user's global rules (core.excludesFile) do not count, so that the same clone gives the same
release on every machine.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import pathspec

from components.core.errors import SlipwayError

BY_GIT = "git ignores it"
BY_US = ".slipwayignore names it"
MARK = "ps_d"
Rules = pathspec.GitIgnoreSpec


@dataclass(frozen=True)
class Ignored:
    """The rules for the entries of one folder of an application."""

    top: Path
    """The application's folder, with symlinks resolved, as git reports it."""
    own: Rules
    """.slipwayignore in the application's folder."""
    brought_back: tuple[tuple[str, ...], ...]
    """Its rules with `!` that name a path from the top, split into parts."""
    files: Files
    listed: frozenset[Path] | None
    """The files and whole folders that git ignores; None if git cannot be asked."""
    as_a_whole: bool = False
    """Git ignores this folder: only what .slipwayignore includes again is released."""

    @classmethod
    def of(cls, source: Path) -> Ignored:
        """The rules in an application's folder. Raises SlipwayError if they cannot be read."""
        top, path = source.resolve(), source / ".slipwayignore"
        lines = _lines(path)
        ways = [line[1:].strip().rstrip("/") for line in lines if line.startswith("!")]
        files, listed = _of_git(top)
        return cls(
            top=top,
            own=_rules(path, lines),
            brought_back=tuple(tuple(way.strip("/").split("/")) for way in ways if "/" in way),
            files=files,
            listed=listed,
        )

    def why(self, name: str, *, is_folder: bool) -> str | None:
        """Why a path, relative to the application's folder, is left out; None if it is not."""
        asked = f"{name}/" if is_folder else name
        said = _directly(self.own, asked)
        if said is not None:
            return BY_US if said else None
        return BY_GIT if self.as_a_whole or self._git_ignores(name, is_folder) else None

    def entered(self, name: str, why: str | None) -> Ignored | None:
        """The rules in a subfolder; None if nothing in it can be released."""
        path = self.top / name
        if why is not None:
            if why == BY_US or not any(_leads_into(way, name) for way in self.brought_back):
                return None
            return replace(self, files=self.files.entered(path), listed=None, as_a_whole=True)
        if (path / ".git").exists():  # a submodule, or a clone in a clone: its own rules
            files, listed = _of_git(path)
            return replace(self, files=files, listed=listed, as_a_whole=False)
        # If git ignores a whole folder, it does not list what it ignores inside.
        unknown = self.listed is None or path in self.listed
        return replace(
            self,
            files=self.files.entered(path),
            listed=None if unknown else self.listed,
            as_a_whole=False,
        )

    def _git_ignores(self, name: str, is_folder: bool) -> bool:
        path = self.top / name
        if self.listed is not None:
            return path in self.listed
        return self.files.ignore(path, is_folder=is_folder)


@dataclass(frozen=True)
class Files:
    """The rules read from .git/info/exclude and each folder's .gitignore."""

    rules: tuple[tuple[Path, Rules], ...] = ()
    """From the top down, each with the folder that it applies to."""

    @classmethod
    def down_to(cls, folder: Path, top: Path) -> Files:
        """The rules from a repository's top down to a folder. If they ignore the folder itself,
        only its own rules count, because releasing it was intended."""
        files = cls(((top, _file_rules(_exclude(top))),)).entered(top)
        for parent in [*reversed(folder.relative_to(top).parents), folder.relative_to(top)][1:]:
            if files.ignore(top / parent, is_folder=True):
                return cls().entered(folder)
            files = files.entered(top / parent)
        return files

    def entered(self, folder: Path) -> Files:
        rules = _file_rules(folder / ".gitignore")
        return Files((*self.rules, (folder, rules))) if len(rules) else self

    def ignore(self, path: Path, *, is_folder: bool) -> bool:
        """Whether the path itself is matched, not a folder above it. The deepest file decides."""
        for folder, rules in reversed(self.rules):
            name = path.relative_to(folder).as_posix()
            said = _directly(rules, f"{name}/" if is_folder else name)
            if said is not None:
                return said
        return False


def _of_git(folder: Path) -> tuple[Files, frozenset[Path] | None]:
    """The rules in a folder: git's list, and the files for where git has no list."""
    top = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
    if top is None:
        return Files().entered(folder), None
    return Files.down_to(folder, top), _listed(folder)


def _listed(folder: Path) -> frozenset[Path] | None:
    """What git ignores; None if git is missing or refuses, for instance in another user's clone."""
    words = ["-c", "core.fsmonitor=false", "-c", f"core.excludesFile={os.devnull}"]
    words += ["-C", str(folder), "ls-files", "--others", "--ignored", "--exclude-standard"]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *words, "--directory", "-z"],
            env=outside,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    except OSError:
        return None
    names = [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
    # Git ignores the folder itself, and so lists nothing inside it.
    if done.returncode != 0 or any(name.startswith(("./", "../")) for name in names):
        return None
    listed = frozenset(folder / name for name in names)
    # Git also lists folders that contain nothing but ignored files; these files are listed too.
    return listed.difference(parent for path in listed for parent in path.parents)


def _exclude(top: Path) -> Path:
    """Path of info/exclude. The .git of a worktree or submodule is a file with the real path."""
    found = top / ".git"
    try:
        if found.is_file():
            found = top / found.read_text().removeprefix("gitdir:").strip()
        common = found / "commondir"
        if common.is_file():
            found = found / common.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SlipwayError(f"{found}: cannot be read: {error}") from error
    return found / "info" / "exclude"


def _directly(rules: Rules, name: str) -> bool | None:
    """Whether the rules ignore the name itself; None if no rule matches it.

    A rule that matches a folder above it does not count.
    """
    for pattern in reversed(list(rules.patterns)):
        found = pattern.match_file(name) if pattern.include is not None else None
        if found is not None and not _by_a_folder(found.match, name):
            return pattern.include
    return None


def _by_a_folder(match: re.Match[str], name: str) -> bool:
    """Whether a rule matched a folder above the name.

    Pathspec's group MARK is the slash after the matched part; a folder's own name ends with it.
    """
    slash = match.start(MARK) if MARK in match.re.groupindex else -1
    # For `*/` the group is the first slash, although the last one would match as well.
    ends_it = match.re.search(name, len(name) - 1) is not None
    return slash not in (-1, len(name) - 1) and not ends_it


def _leads_into(way: tuple[str, ...], name: str) -> bool:
    """Whether a rule can match something inside the folder."""
    folder = name.split("/")
    for part, here in zip(way, folder, strict=False):
        if part == "**":
            return True
        if not fnmatchcase(here, part):
            return False
    return len(way) > len(folder)


def _file_rules(path: Path) -> Rules:
    return _rules(path, _lines(path))


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        return re.split(r"\r?\n", path.read_text("utf-8-sig", "surrogateescape"))
    except OSError as error:
        raise SlipwayError(f"{path}: cannot be read: {error.strerror}") from error


def _rules(path: Path, lines: list[str]) -> Rules:
    try:
        return Rules.from_lines(line for line in lines if line)
    except ValueError as error:
        raise SlipwayError(f"{path}: {error}") from error

"""Where Slipway comes from: the repository that a project was made from, and its versions.

A project remembers it in `.upstream.toml`, which an upgrade writes together with all else.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches

from cli.console import fail
from cli.upgrade import pulumi_yaml
from cli.upgrade.git import Git

RECORD = ".upstream.toml"
#: What is fetched has a place beside the project's own branches and tags, and is never pushed.
REFS = "refs/slipway"
_FETCHED = (
    f"+HEAD:{REFS}/HEAD",
    f"+refs/heads/*:{REFS}/heads/*",
    f"+refs/tags/*:{REFS}/tags/*",
)
_PASSWORD = re.compile(r"^\w+://[^/@]*:[^/@]*@")
_OF_A_FOLDER = re.compile(r"(https://[^/]+/[^/]+/[^/]+)/tree/.*")
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Record:
    """What `.upstream.toml` says."""

    address: str = ""
    """As `git fetch` takes it; empty where it is not known."""
    commit: str = ""
    """The commit that the project was last made equal to; empty where it is not known."""


def recorded(text: str, project: str) -> Record:
    """Of the texts of `.upstream.toml` and Pulumi.yaml, either of which may be empty; pure."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fail(f"{RECORD} is not valid TOML: {error}")
    for key in ("address", "commit"):
        if not isinstance(said.get(key, ""), str):
            fail(f"{RECORD}: {key} is {said[key]!r}: must be a text")
    address = said.get("address") or pulumi_yaml.made_from(project)
    return Record(_OF_A_FOLDER.sub(r"\1", address), said.get("commit", ""))


def record_text(record: Record, version: str) -> str:
    values = {"address": record.address, "commit": record.commit, "version": version}
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in values.items()]
    return "# What this project is made of: scripts/upgrade reads and writes it.\n" + "".join(lines)


def fetch(git: Git, address: str) -> None:
    """Bring all versions of Slipway into the project's repository, as objects only."""
    if not address:
        fail(
            "where Slipway comes from is not known: say it once, as git takes it:"
            f" scripts/upgrade --from ADDRESS (it is kept in {RECORD})"
        )
    if _PASSWORD.match(address):
        shown = _PASSWORD.sub("…@", address)
        fail(f"the address {shown} has a password, and would be committed: leave that to git")
    words = ("--quiet", "--no-tags", "--prune", "--no-write-fetch-head", "--end-of-options")
    done = git.run("fetch", *words, address, *_FETCHED)
    if done.returncode != 0:
        fail(f"{address} cannot be fetched: {done.stderr.strip()}")


def find(git: Git, wanted: str) -> str:
    """The commit of a version, tag, branch or id, as a person names it.

    Without a name that is the newest version, or where none is tagged, the newest commit.
    """
    tags = _tags(git)
    if not wanted:
        versions = sorted((_number(tag), tag) for tag in tags if _number(tag))
        wanted = versions[-1][1] if versions else "HEAD"
    places = ("tags/v", "tags/", "heads/", "")
    names = [f"{REFS}/{place}{wanted}" for place in places]
    if re.fullmatch(r"[0-9a-f]{7,40}", wanted):
        names.append(wanted)
    found = next(filter(None, map(git.commit, names)), "")
    if not found:
        near = get_close_matches(wanted, tags, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        fail(
            f"there is no version {wanted!r}: must be one of {' '.join(tags) or '(no tags)'},"
            f" a branch or a commit of Slipway{hint}"
        )
    return found


def version(git: Git, commit: str) -> str:
    """As a person reads it: 0.1.0 (13213e0)."""
    return f"{number(git, commit)} ({commit[:7]})"


def number(git: Git, commit: str) -> str:
    """The version that a commit calls itself."""
    try:
        said = tomllib.loads(git.text(commit, "pyproject.toml"))["project"]["version"]
    except (tomllib.TOMLDecodeError, KeyError):
        return "unknown"
    return str(said)


def _tags(git: Git) -> list[str]:
    return git("for-each-ref", "--format=%(refname:lstrip=3)", f"{REFS}/tags").split()


def _number(tag: str) -> tuple[int, ...]:
    found = _VERSION.fullmatch(tag)
    return tuple(map(int, found.groups())) if found else ()

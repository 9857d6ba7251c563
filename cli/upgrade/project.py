"""Takes a newer version of Slipway into a project."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from cli.console import fail, say
from cli.upgrade import base, changelog, upstream, working_tree
from cli.upgrade.git import Git, refuse_old_git
from cli.upgrade.merge import Merge, merge
from cli.upgrade.own import TEMPLATES


def upgrade(
    folder: Path, *, to: str = "", address: str = "", base_version: str = "", dry_run: bool = False
) -> int:
    """Merge a newer version into the project in a folder, and stage the result.

    Args:
        folder: the project, whose files are all committed.
        to: a version, tag, branch or commit of Slipway; empty for the newest version.
        address: where Slipway's repository is, as git takes it; empty for what is on record.
        base_version: what the project has; empty where that is to be found out.
        dry_run: only say what would change.

    Returns:
        The exit status: 0 where all of it was merged without a conflict, else 1.

    Raises:
        CommandError: the project is not in git, or something in it is not committed.
    """
    if not shutil.which("git"):
        fail("git is not installed, and an upgrade is a merge by git")
    git = Git(folder)
    refuse_old_git(git("version"))
    working_tree.refuse_no_commit(git)
    working_tree.put_aside_what_was_cut_off(git)
    working_tree.refuse_changes(git)

    texts = [git.text("HEAD", f"./{name}") for name in (upstream.RECORD, "Pulumi.yaml")]
    record = upstream.recorded(*texts)
    record = replace(record, address=address or record.address)
    upstream.fetch(git, record.address)
    target = upstream.find(git, to)
    old = upstream.find(git, base_version) if base_version else ""
    old = old or base.find(git, record.commit, target)
    if old == target:
        say(f"nothing to do: the project has {upstream.version(git, target)}")
        return 0
    _refuse_older(git, old, target)

    merged = merge(git, old, target, record)
    _say_what_it_is(git, old, target, merged)
    if dry_run:
        say("nothing has been changed")
    else:
        working_tree.write(git, merged, f"Upgrade Slipway to {upstream.version(git, target)}")
        _say_what_is_next(merged)
    return 1 if merged.conflicts else 0


def _refuse_older(git: Git, old: str, target: str) -> None:
    if git.run("merge-base", "--is-ancestor", target, old).returncode == 0:
        fail(
            f"{upstream.version(git, target)} is older than what the project has,"
            f" {upstream.version(git, old)}: git revert takes the commit of an upgrade back"
        )


def _say_what_it_is(git: Git, old: str, target: str, merged: Merge) -> None:
    news = changelog.between(git.text(old, "CHANGELOG.md"), git.text(target, "CHANGELOG.md"))
    print(news or "CHANGELOG.md has nothing new.", flush=True)  # noqa: T201
    words = ("-r", "-z", "--no-renames", "--name-status", "HEAD", merged.tree)
    letters = git.names("diff-tree", *words)[::2]
    files = ", ".join(
        f"{letters.count(letter)} {word}"
        for letter, word in (("M", "changed"), ("A", "new"), ("D", "deleted"))
    )
    say(f"from {upstream.version(git, old)} to {upstream.version(git, target)}: files {files}")
    if merged.stayed_deleted:
        say(f"files that stay away, for the project has deleted them: {merged.stayed_deleted}")
    for line in merged.said:
        say(line)
    for path in _replaced_templates(git, old, target):
        say(
            f"templates/own/{Path(path).name} stands for a template that has changed:"
            f" git diff {old[:12]} {target[:12]} -- :/{path}"
        )


def _replaced_templates(git: Git, old: str, target: str) -> list[str]:
    """Those of ours that have changed, and have one of the project's own in their place."""
    own = git.names("ls-tree", "-z", "--name-only", "HEAD", f"{TEMPLATES}/")
    paths = [f"templates/{Path(path).name}" for path in own]
    before, after = git.entries(old), git.entries(target)
    return [path for path in paths if before.get(path) != after.get(path)]


def _say_what_is_next(merged: Merge) -> None:
    if not merged.conflicts:
        say("all of it is staged, and nothing committed: look with scripts/preview, git commit")
        return
    say(
        "put these right, git add each, then git commit; git reset --hard takes all of it back: "
        + ", ".join(merged.conflicts)
    )

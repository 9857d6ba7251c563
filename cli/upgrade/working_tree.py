"""The working tree of a project: clean before an upgrade, and afterwards as git leaves a merge.

What is cut off on its way is put aside by the next run, which then begins anew.
"""

from __future__ import annotations

import json
import shutil

from cli.console import fail, say
from cli.upgrade.git import Git
from cli.upgrade.merge import Merge

# In git's own folder: the upgrade that is being written, and the index that it will have.
_UNDER_WAY = "slipway-upgrade"
_INDEX = "slipway-upgrade-index"
_NOTHING = "0" * 40


def refuse_no_commit(git: Git) -> None:
    """End where git does not have the project: there is nothing to merge with then."""
    if git.run("cat-file", "-e", "HEAD:./Pulumi.yaml").returncode != 0:
        why = git.run("rev-parse", "--git-dir").stderr.strip() or "Pulumi.yaml is not committed"
        fail(
            f"an upgrade needs the project in git ({why}):"
            ' git init && git add --all && git commit -m "As it was made", then again'
        )


def refuse_changes(git: Git) -> None:
    """End where there is something that no commit has: an upgrade would be mixed up with it."""
    changed = git("status", "--porcelain", "--untracked-files=no").splitlines()
    if changed:
        names = ", ".join(line[3:] for line in changed[:5]) + (" …" if len(changed) > 5 else "")
        fail(f"these have changes that are not committed: {names}; git commit or git stash them")


def put_aside_what_was_cut_off(git: Git) -> None:
    """Make good for a run that was killed while it wrote."""
    note = git.private(_UNDER_WAY)
    if not note.exists():
        return
    began = json.loads(note.read_text())
    # The index comes last: once it is another one, so is all else.
    same_index = git.run("diff-index", "--cached", "--quiet", "HEAD").returncode == 0
    if same_index and git.commit("HEAD") == began["head"]:
        _put_aside(git, began["tree"])
    note.unlink()


def _put_aside(git: Git, tree: str) -> None:
    ours = git.names("diff-tree", "-r", "-z", "--no-renames", "--name-only", "HEAD", tree)
    status = git.names("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    if written := {line[3:] for line in status} & set(ours):
        paths = "".join(f":(top,literal){path}\0" for path in written)
        options = ("--include-untracked", "--pathspec-from-file=-", "--pathspec-file-nul")
        git("stash", "push", "-m", "scripts/upgrade, cut off", *options, stdin=paths)
        say("an upgrade was cut off: what it had written is in git stash, and it begins anew")


def write(git: Git, merge: Merge, message: str) -> None:
    """Write a merge into the working tree and the index; nothing is committed.

    Where a file that git does not know is in the way, git says so, and nothing has changed.

    Args:
        message: what `git commit` proposes.
    """
    note, index = git.private(_UNDER_WAY), git.private(_INDEX)
    index.with_name(f"{_INDEX}.lock").unlink(missing_ok=True)
    shutil.copy(git.private("index"), index)
    head = git.commit("HEAD")
    git("read-tree", "--dry-run", "-m", "-u", head, merge.tree, index=index)
    part = note.with_name(f"{_UNDER_WAY}.part")
    part.write_text(json.dumps({"head": head, "tree": merge.tree}))
    part.replace(note)
    git("read-tree", "-m", "-u", head, merge.tree, index=index)
    git("update-index", "-z", "--index-info", stdin=_sides(merge), index=index)
    index.replace(git.private("index"))
    git.private("SQUASH_MSG").write_text(f"{message}\n")
    note.unlink()


def _sides(merge: Merge) -> str:
    """Conflicts as the index has them: no version of the file, but its sides."""
    lines = []
    for path, sides in merge.conflicts.items():
        lines.append(f"0 {_NOTHING}\t{path}\0")
        lines += [f"{entry.mode} {entry.blob} {side}\t{path}\0" for side, entry in sides]
    return "".join(lines)

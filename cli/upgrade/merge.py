"""The three-way merge of a project with another version of Slipway, made by git in its own store.

The project and Slipway need no history in common: the merge gets three commits of its own, which
no branch ever shows. Nothing is changed in the project meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cli.console import fail
from cli.upgrade import own, pulumi_yaml, upstream
from cli.upgrade.git import Entry, Git
from cli.upgrade.upstream import RECORD, Record

# What stands at the two sides of a conflict is named after them.
_REFS = "refs/upgrade"


@dataclass(frozen=True)
class Merge:
    tree: str
    """The project as it would be, with markers where there are conflicts."""
    conflicts: dict[str, list[tuple[int, Entry]]]
    """Files in conflict, each with its sides by git's numbers: 1 base, 2 project, 3 Slipway."""
    said: list[str]
    """What git says of each conflict."""
    stayed_deleted: int
    """How many changed or new files of Slipway do not come, for the project has deleted them."""


def merge(git: Git, base: str, target: str, record: Record) -> Merge:
    """Merge what changed in Slipway between two commits into the project's last commit."""
    old, new = git.entries(base), git.entries(target)
    number, prefix = upstream.number(git, target), git("rev-parse", "--show-prefix")
    left_out = own.left_out(old, new, _deleted(git, old, prefix))
    stays = [path for path in left_out & new.keys() if old.get(path) != new[path]]
    old, new = _in_its_form(git, base, old), _in_its_form(git, target, new)
    text = upstream.record_text(replace(record, commit=target), number)
    new[RECORD] = Entry("100644", git.new_blob(text))
    before, after = (
        git.new_tree({f"{prefix}{path}": files[path] for path in files.keys() - left_out})
        for files in (old, new)
    )
    found = _merged(git, before, after, f"slipway-{number}")
    return replace(found, stayed_deleted=sum(not own.is_own(path) for path in stays))


def _deleted(git: Git, base: dict[str, Entry], prefix: str) -> list[str]:
    """Files of the base that the project has deleted; one that it only renamed is not."""
    tree = git.new_tree({f"{prefix}{path}": each for path, each in base.items()})
    gone = git.names("diff-tree", "-r", "-z", "-M", "--diff-filter=D", "--name-only", tree, "HEAD")
    return [path.removeprefix(prefix) for path in gone]


def _in_its_form(git: Git, commit: str, files: dict[str, Entry]) -> dict[str, Entry]:
    """The files of a version as they would be had this project been made of it."""
    changed = dict(files)
    record = git.run("rev-parse", "--quiet", "--verify", f"HEAD:./{RECORD}").stdout.strip()
    if record:
        changed[RECORD] = Entry("100644", record)
    text = pulumi_yaml.as_in(git.text("HEAD", "./Pulumi.yaml"), git.text(commit, "Pulumi.yaml"))
    changed["Pulumi.yaml"] = Entry("100644", git.new_blob(text))
    return changed


def _merged(git: Git, base: str, target: str, name: str) -> Merge:
    common = git.new_commit(base, "base")
    for side, tree in (("yours", git("rev-parse", "HEAD^{tree}")), (name, target)):
        git("update-ref", f"{_REFS}/{side}", git.new_commit(tree, side, common))
    try:
        # A project may say in its .gitattributes that a file is its own (docs/upgrading.md).
        driver = ("-c", "merge.ours.driver=true")
        done = git.run(
            *driver, "merge-tree", "--write-tree", "-z", "upgrade/yours", f"upgrade/{name}"
        )
    finally:
        for side in ("yours", name):
            git("update-ref", "-d", f"{_REFS}/{side}")
    if done.returncode not in (0, 1):
        fail(f"git merge-tree: {done.stderr.strip()}")
    return _as_told(done.stdout)


def _as_told(text: str) -> Merge:
    """Of what `git merge-tree --write-tree -z` prints: a tree, sides of conflicts, messages."""
    tree, *rest = text.split("\0")
    conflicts: dict[str, list[tuple[int, Entry]]] = {}
    end = rest.index("") if "" in rest else len(rest)
    for line in rest[:end]:
        about, path = line.split("\t", 1)
        mode, blob, side = about.split()
        conflicts.setdefault(path, []).append((int(side), Entry(mode, blob)))
    said = [word.strip() for word in rest[end:] if word.startswith("CONFLICT")]
    return Merge(tree, conflicts, said, 0)

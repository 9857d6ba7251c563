"""Take a newer version of Slipway into this project."""

from __future__ import annotations

from argparse import Namespace

from cli.arguments import Arguments, Command, required
from cli.paths import ROOT
from cli.upgrade.project import upgrade


def _arguments(parser: Arguments) -> None:
    version = required("a version, tag, branch or commit of Slipway")
    text = "a version, tag, branch or commit of Slipway (default: the newest version)"
    parser.value("--to", "VERSION", text, version, default="")
    text = "where Slipway's repository is, as git takes it; said once, and kept in .upstream.toml"
    parser.value("--from", "ADDRESS", text, required("an address"), default="")
    text = "the version that this project has, where it cannot be found out"
    parser.value("--base", "VERSION", text, version, default="")
    parser.flag("--dry-run", "only say what would change, and which files would be in conflict")


def _run(options: Namespace) -> int:
    # Nothing is set up for it: a project whose set-up fails can be upgraded, too.
    return upgrade(
        ROOT,
        to=options.to,
        address=getattr(options, "from"),
        base_version=options.base,
        dry_run=options.dry_run,
    )


COMMAND = Command(
    description="""
        Take a newer version of Slipway into this project; its own changes stay (a three-way merge
        by git).

        It says what is new (CHANGELOG.md), merges, and stages the result; nothing is committed.
        app/, templates/own/ and Pulumi.<stack>.yaml are never touched. See docs/upgrading.md.
        """,
    arguments=_arguments,
    takes_stack=False,
    statuses="0 only where there is no conflict",
    examples=["scripts/upgrade --dry-run", "scripts/upgrade --to 0.2.0"],
    run=_run,
)

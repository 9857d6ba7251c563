"""Show what an update would change."""

from __future__ import annotations

from argparse import Namespace

from cli.arguments import Arguments, Command


def _arguments(parser: Arguments) -> None:
    parser.flag(
        "--markdown",
        "as a comment for a pull request: what is created, changed, replaced and destroyed, then"
        " the lines",
    )
    parser.flag(
        "--left-out",
        "only what is no part of the release: each file, or folder as a whole, with the reason",
    )


def _run(options: Namespace) -> int:
    stack = options.stack
    if options.left_out:
        from cli.setup import set_up

        set_up()
        from cli.releases import left_out

        left_out.show(stack)
        return 0
    from cli.engine import preview_markdown
    from cli.engine.process import run
    from cli.stack import prepare

    prepare(stack)
    if options.markdown:
        return preview_markdown.show(stack, options.rest)
    return run(["pulumi", "preview", "--stack", stack, "--diff", *options.rest])


COMMAND = Command(
    description="Show what an update would change, line by line; changes nothing.",
    arguments=_arguments,
    passes_on="pulumi options…",
    examples=[
        "scripts/preview local",
        "scripts/preview production --markdown >comment.md",
        "scripts/preview local --left-out",
    ],
    run=_run,
)

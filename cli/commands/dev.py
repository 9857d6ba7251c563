"""Develop as in production."""

from __future__ import annotations

from argparse import Namespace

from cli.arguments import Command


def _run(options: Namespace) -> None:
    from cli.engine.process import require
    from cli.setup import set_up

    set_up()
    require(["scripts/up", options.stack])

    from cli.releases.watch import watch_and_release

    watch_and_release(options.stack)


COMMAND = Command(
    description="""
        Develop as in production: bring the environment up, then release each save of the
        application's folder, with the web servers' logs beside.

        A save takes the very path of every release: packed, staged, started beside the old one,
        asked for its health. One that fails is shown, and the one before serves on. Ctrl-C ends
        it; the environment stays up.
        """,
    examples=["scripts/dev local"],
    run=_run,
)

"""List the releases of an environment, or who changed what on its servers."""

from __future__ import annotations

import json
from argparse import Namespace

from cli.arguments import Arguments, Command
from cli.console import fail, say


def _arguments(parser: Arguments) -> None:
    parser.site("of one of the further sites (default: of the first)")
    parser.flag("--offline", "do not ask the servers")
    parser.flag(
        "--audit",
        "list instead who changed what on the servers (all sites), from where, with what outcome",
    )
    parser.flag("--json", "for programs")


def _run(options: Namespace) -> None:
    from cli.setup import set_up

    set_up()

    from dataclasses import asdict

    from cli.engine.state import outputs
    from cli.project import sites
    from cli.releases import release_states, releases_table, server_releases
    from cli.servers import audit
    from cli.servers.fleet import Fleet

    stack = options.stack
    site = sites.find(stack, options.site)
    console = releases_table.console()
    if options.audit:
        audit.show(stack, as_json=options.json, console=console)
        return
    known = site.outputs(outputs(stack))
    alone = options.offline or not known
    answers = {} if alone else server_releases.ask(Fleet.of(stack), site.name)
    states = release_states.of(known, answers)
    for name, answer in answers.items():
        if answer.problem:
            say(f"{name} {answer.problem}")
    if options.json:
        print(json.dumps([asdict(state) for state in states], indent=2))  # noqa: T201
        return
    if not states:
        fail(f"{stack} has no releases yet: scripts/up {stack} makes the first")
    shown = releases_table.shown(states)
    console.print(releases_table.table(shown))
    notes = [note for each in shown for note in each.notes]
    if notes:
        print("\n" + "\n".join(notes))  # noqa: T201


COMMAND = Command(
    description="""
        List the releases of an environment, newest first: by whom, how long it took, and what each
        is. All web servers are asked too: where one of them disagrees with what the last update
        left, that is said below.

        A release is current, previous (where scripts/rollback goes), kept, bad (it failed here,
        and is gone back to with --force only), staged (it never served) or pruned (it is gone from
        the servers).
        """,
    arguments=_arguments,
    examples=["scripts/releases local", "scripts/releases local --audit"],
    run=_run,
)

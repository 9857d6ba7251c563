"""Put right what scripts/status finds."""

from __future__ import annotations

import shutil
from argparse import Namespace
from tempfile import NamedTemporaryFile

from cli.arguments import Arguments, Command
from cli.console import fail, say

ROUNDS = 3


def _arguments(parser: Arguments) -> None:
    text = "web, db, web-2, … (default: all)"
    parser.add_argument("servers", nargs="*", metavar="[server…]", help=text)
    parser.wait()


def _run(options: Namespace) -> int:
    from cli.stack import prepare_update

    stack = options.stack
    _, program = prepare_update(stack)

    from cli.engine.process import require
    from cli.engine.update import Updater
    from cli.paths import home
    from cli.project import environments
    from cli.servers import repair, visit

    updater = Updater(stack, program, wait=options.wait)
    updater.await_turn()
    # Settings for this update alone: it must not change which release serves.
    with NamedTemporaryFile(dir=home(), prefix="repair.", suffix=".yaml") as settings:
        of_settings = ["--config-file", settings.name, "--stack", stack]
        # One repair can bring to light the next: a file of a package that was missing, a service
        # that needs that file.
        for rounds in range(ROUNDS + 1):
            plan = repair.plan(stack, options.servers, again=rounds > 0)
            if plan is None:
                break
            if rounds == ROUNDS:
                fail(
                    f"{stack}: three repairs were not enough; scripts/status {stack} says what is"
                    " left"
                )
            shutil.copyfile(environments.path_of(stack), settings.name)
            for setting, release in plan.held_sites.items():
                require(["pulumi", "config", "set", *of_settings, "--path", setting, release])
            targets = [f"--target-replace={urn}" for urn in plan.urns]
            held = ["--config", f"{environments.project()}:release={plan.release}"]
            if not updater.update(*of_settings[:2], *held, *targets):
                return 1
    if rounds == 0:
        say(f"{stack}: nothing to repair")
    else:
        visit.require_well_served(stack)
        say(f"{stack} is repaired")
    return 0


COMMAND = Command(
    description="""
        Put right what scripts/status finds: files changed on a server, services that do not run,
        packages that are missing. It is an ordinary update of just the resources concerned; the
        release stays the one that serves.

        A server that does not answer is not repaired: what to do about it is said.
        """,
    arguments=_arguments,
    examples=["scripts/repair local", "scripts/repair local web-2"],
    run=_run,
)

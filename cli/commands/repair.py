"""Put right what scripts/status finds."""

from __future__ import annotations

import io
import shutil
from argparse import Namespace
from contextlib import redirect_stdout
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
    from cli.servers import visit

    updater = Updater(stack, program, wait=options.wait)
    updater.await_turn()
    # Settings for this update alone: it must not change which release serves.
    with NamedTemporaryFile(dir=home(), prefix="repair.", suffix=".yaml") as settings:
        of_settings = ["--config-file", settings.name, "--stack", stack]
        # One repair can bring to light the next: a file of a package that was missing, a service
        # that needs that file.
        for rounds in range(ROUNDS + 1):
            plan = _plan(stack, options.servers, again=rounds > 0)
            if not plan:
                break
            if rounds == ROUNDS:
                fail(
                    f"{stack}: three repairs were not enough; scripts/status {stack} says what is"
                    " left"
                )
            release, *lines = plan
            shutil.copyfile(environments.path_of(stack), settings.name)
            targets = [line for line in lines if line.startswith("--")]
            for line in lines:
                setting, _, value = line.partition("=")
                if line not in targets:
                    require(["pulumi", "config", "set", *of_settings, "--path", setting, value])
            held = ["--config", f"{environments.project()}:release={release}"]
            if not updater.update(*of_settings[:2], *held, *targets):
                return 1
    if rounds == 0:
        say(f"{stack}: nothing to repair")
    else:
        visit.require_well_served(stack)
        say(f"{stack} is repaired")
    return 0


def _plan(stack: str, servers: list[str], *, again: bool) -> list[str]:
    """The release that serves, settings and options of the update; empty with nothing to repair."""
    from cli.servers import repair

    with redirect_stdout(io.StringIO()) as said:
        status = repair.main(stack, *servers, *(["--repaired"] if again else []))
    if status != 0:
        fail("")
    return said.getvalue().splitlines()


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

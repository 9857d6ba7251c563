"""Take an environment away: its servers, their data, its state."""

from __future__ import annotations

import sys
from argparse import Namespace

from cli.arguments import Arguments, Command, one_of
from cli.console import asked, fail, say
from cli.paths import VENV
from cli.setup import set_up


def _arguments(parser: Arguments) -> None:
    parser.flag("--yes", "do not ask (a stack on the local cloud is never asked about)")
    text = (
        "db: also a database server that is protected (protectDatabase), with all its data; else"
        " its environment's name has to be typed at a terminal"
    )
    parser.value("--destroy", "db", text, one_of("db"))


def _run(options: Namespace) -> int:
    stack = options.stack
    if not (VENV / "bin" / "python3").exists():
        if stack == "local":
            say(f"{stack}: nothing was ever set up here")
            return 0
        set_up()
    from cli.project import environments

    file = environments.file_of(stack)
    if file.local_port:
        _take_from_the_local_cloud(options)
        say(f"{stack} is down: nothing of it runs on this machine")
    else:
        _take_from_its_servers(options, own_hosts=file.has_own_hosts)
    return 0


def _take_from_the_local_cloud(options: Namespace) -> None:
    from cli import stack as stacks
    from cli.engine import backend
    from cli.engine.process import require
    from cli.provider import local_cloud, strays

    stack = options.stack
    is_made = backend.state_file(stack) is not None
    if is_made:
        _lift_protection(options)
    # Another stack may live in the same local cloud; then only this one goes.
    if is_made and stacks.others_in_the_local_cloud(stack):
        stacks.prepare(stack)
        stacks.cancel(stack)
        strays.away(stack, ask=False)
        require(["pulumi", "destroy", "--stack", stack, "--yes", "--skip-preview"])
    else:
        local_cloud.reset()
    # What is left is the record of servers that are gone.
    if is_made:
        stacks.forget(stack)


def _take_from_its_servers(options: Namespace, *, own_hosts: bool) -> None:
    from cli import stack as stacks
    from cli.engine.process import require
    from cli.provider import strays

    stack = options.stack
    stacks.prepare(stack)
    does = (
        "takes the site away from its servers" if own_hosts else "destroys servers and their data"
    )
    if not (options.yes or sys.stdin.isatty()):
        fail(f"scripts/down {stack} {does}: say --yes")
    _lift_protection(options)
    if not own_hosts:
        # Billed on, were they forgotten; and their network could not go while they are there.
        strays.away(stack, ask=not options.yes)
    words = ["--yes", "--skip-preview"] if options.yes else []
    require(["pulumi", "destroy", "--stack", stack, *words])
    require(["pulumi", "stack", "rm", stack, "--yes", "--preserve-config"])
    if own_hosts:
        say(f"{stack} is down; the servers stay, with their packages and the database")


def _lift_protection(options: Namespace) -> None:
    """Go on once the database server may be destroyed, where the engine protects it."""
    from cli.engine import protection

    stack = options.stack
    if stack == "local":
        return
    protected = " ".join(protection.names(stack))
    if not protected:
        return
    if not options.destroy:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            fail(
                f"the server {protected} of {stack} is protected (protectDatabase): scripts/down"
                f" {stack} --yes --destroy db destroys it with all its data"
            )
        question = f"This destroys the server {protected} of {stack} with all its data."
        if asked(f"{question} Type {stack} to go on: ") != stack:
            fail("nothing was changed")
    protection.lift(stack)


COMMAND = Command(
    description="""
        Take an environment away: its servers, their data, its state.

        Droplets and load balancers of the environment that its state does not know
        (docs/operations.md) are named, and go with it.

        Servers of your own (webHosts, dbHost) stay: what Slipway put on them is taken away, but
        for packages, the database and the files that the application shared.

        For a stack on the local cloud everything that was made on this machine goes with it
        (processes, mounts, interfaces, nft tables), also after a crash. Caches stay; the settings
        in Pulumi.<stack>.yaml too.
        """,
    arguments=_arguments,
    examples=["scripts/down local"],
    run=_run,
)

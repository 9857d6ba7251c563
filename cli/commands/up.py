"""Bring an environment up, or up to date."""

from __future__ import annotations

import os
import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli.arguments import Arguments, Command, one_of
from cli.console import asked, fail, say

if TYPE_CHECKING:
    from cli.engine.update import Updater
    from cli.timeline.recording import Recording
    from components.settings.stack_file import StackFile

_ALLOWED = "must be db, a web server that leaves, or an id that scripts/status shows"
_ID = re.compile(r"[0-9].*|.*-.*-.*-.*-.*")


def _arguments(parser: Arguments) -> None:
    text = "web or db: this tier alone, as it is wanted; the other one stays as it is"
    parser.value("--only", "TIER", text, one_of("web", "db"))
    text = (
        "db: a change of the settings may destroy the database server (else it is refused); asks"
        " at a terminal. web-2: this web server may go by webCount with the files in its shared/."
        " An id: destroy this droplet or load balancer first, which scripts/status names as"
        " unknown to the state"
    )
    parser.value("--destroy", "WHAT", text, _destroyed, default=(), repeats=True)
    parser.wait()
    parser.flag(
        "--profile", "draw where the time goes, step by step, into .slipway/timeline-<stack>.svg"
    )


def _destroyed(option: str, word: str) -> str:
    if not word:
        fail(f"{option} needs a word: {_ALLOWED}")
    if word != "db" and not word.startswith("web-") and not _ID.fullmatch(word):
        fail(f"{option} is '{word}': {_ALLOWED}")
    return word


def _run(options: Namespace) -> int:
    if not options.profile:
        return _bring_up(options, None)
    from cli.timeline.recording import Recording

    with Recording.begun() as recording:
        return _bring_up(options, recording)


def _bring_up(options: Namespace, recording: Recording | None) -> int:
    from cli.stack import prepare_update

    stack, only, destroy = options.stack, options.only, options.destroy
    if "db" in destroy:
        os.environ["SLIPWAY_DESTROY"] = "db"
    file, program = prepare_update(stack)

    # Only now: the program gets ready while these are imported.
    from cli.engine import tiers
    from cli.engine.update import Updater
    from cli.provider import strays
    from cli.servers import visit
    from cli.servers.database_marks import Look

    updater = Updater(stack, program, wait=options.wait, recording=recording)
    updater.await_turn()
    if only == "web":
        _require_database(stack)
    if only != "db" and file.is_held_on_a_release:
        from cli.releases.unpin import unpin_changed

        unpin_changed(stack)
    words = [*tiers.options_of(only), *options.rest]
    known = _refuse_losses(file, only, [each for each in destroy if each != "db"])
    if "db" in destroy:
        _ask_before_destroying(stack, words)
    databases = Look(stack)
    well = updater.update(*words)
    if recording:
        recording.draw(stack)
    if others := databases.still_others():
        well = _update_for_databases(others, updater, words)
    if not file.has_own_hosts:
        strays.after(stack, known, well=well)
    if not well:
        return 1
    if only == "db":
        say(f"{stack}: the database is up")
    else:
        say(f"{stack} is up: {visit.require_well_served(stack)}")
    return 0


def _require_database(stack: str) -> None:
    """Web servers are made with the address and the password of a database."""
    from cli.engine.state import outputs

    if "db" not in outputs(stack):
        fail(
            f"{stack} has no database yet, and its web servers need one:"
            f" scripts/up {stack} --only db makes it"
        )


def _refuse_losses(file: StackFile, only: str | None, named: Sequence[str]) -> set[str]:
    """End the command where something would be lost, or made twice, that nobody has named.

    Returns:
        The ids of what the state knows.
    """
    from cli.provider import strays
    from cli.servers import leaving

    if file.has_own_hosts:
        if named:
            words = " ".join(named)
            fail(f"--destroy is {words}: must be db, for {file.stack} has servers of its own")
        return set()
    servers = [each for each in named if each.startswith("web-")]
    if only != "db":  # else the web servers stay as they are
        leaving.check(file.stack, servers)
    return strays.before(file.stack, [each for each in named if each not in servers])


def _ask_before_destroying(stack: str, words: Sequence[str]) -> None:
    """At a terminal somebody sees what would be destroyed, and types the environment's name.

    Where the engine protects it, that is lifted; the update protects what is there afterwards.
    """
    from cli.engine import protection
    from cli.engine.process import run

    lifted = protection.lift(stack)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    answer = ""
    if run(["pulumi", "preview", "--stack", stack, "--suppress-outputs", *words]) == 0:
        answer = asked(
            f"This may destroy the server db of {stack} with all its data. Type {stack} to go on: "
        )
    if answer != stack:
        protection.give_back(stack, lifted)
        fail("nothing was changed")


def _update_for_databases(names: Sequence[str], updater: Updater, words: Sequence[str]) -> bool:
    """Once more: the first update may have failed for want of the tables."""
    say(
        f"{updater.stack}: the database {', '.join(names)} is new or was restored since the"
        " release command ran: it runs again"
    )
    os.environ["SLIPWAY_DATABASE_EPOCH"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return updater.update(*words)


COMMAND = Command(
    description="""
        Bring an environment up, or bring it up to date: servers, configuration and the present
        state of the application's folder as a release.

        It is `pulumi up` after what that needs: set-up, the local cloud, the stack. After a
        rollback the environment stays on the release that was gone back to until the application
        changes.
        """,
    arguments=_arguments,
    passes_on="pulumi options…",
    examples=[
        "scripts/up local",
        "scripts/up local --only db",
        "scripts/up dev --diff",
        "scripts/up local --profile",
    ],
    run=_run,
)

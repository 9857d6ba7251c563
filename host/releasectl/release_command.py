"""Command: migrate, the release command."""

from __future__ import annotations

import sys

from .app import App
from .clock import now
from .console import say
from .release import Release
from .venv import end_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


#: What a command whose time is over gets to end by itself, such as to take its transaction back.
COMMAND_SECONDS_TO_END = 10


def run_release_command(
    app: App, release_id: str, command: str | None, again: bool, database: str = ""
) -> dict[str, Any]:
    """Run the release command, unless the release serves and this very command ran for it, with
    this environment, in this database.

    What was run before another release went live says nothing about the database of today. Says
    when it ran last.
    """
    release = app.release(release_id)
    app.require_good(release, after=("migrate", "start", "switch"))
    command = command or app.settings.release_command
    if not command:
        return {"id": release_id, "changed": False}
    done = {"command": command, "instance": app.instance_of(release_id), "database": database}
    ran = release.mark("MIGRATED") or {}
    serves = app.serving_release() == release_id
    if serves and ran == {**done, "at": ran.get("at")} and not again:
        return {"id": release_id, "changed": False, "at": ran["at"]}
    say(f"release command: {command}")
    problem = run_shell(app, release, command, in_database=True)
    if problem:
        reason = f"the release command {problem}"
        app.fail("migrate", release, reason, instance=done["instance"])
    ran = {**done, "at": now()}
    release.set_mark("MIGRATED", **ran)
    release.forgive("migrate")
    app.change("migrate", release_id)
    return {"id": release_id, "changed": True, "at": ran["at"]}


def run_shell(app: App, release: Release, command: str, in_database: bool = False) -> str | None:
    """As the application's user, with its environment; None, or else how it failed."""
    import subprocess

    as_the_application = app.as_the_application(release)
    if in_database:
        as_the_application["env"].update(
            database_variables(app, release, as_the_application["env"])
        )
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        start_new_session=True,
        **as_the_application,
    )
    try:
        status = process.wait(app.settings.release_command_seconds)
    except BaseException as error:
        end_group(process, COMMAND_SECONDS_TO_END)
        if isinstance(error, subprocess.TimeoutExpired):
            return f"was not done after {app.settings.release_command_seconds} s"
        raise
    return None if status == 0 else f"failed with status {status}"


def database_variables(app: App, release: Release, environment: dict[str, str]) -> dict[str, str]:
    """What libpq reads: the command's name there, and for how long it waits for a lock.

    Whoever waits for a lock makes all visitors wait that come after, behind him.
    """
    wanted = {"PGAPPNAME": f"{app.app} release command {release.id}"}
    if app.settings.release_command_lock_seconds:
        # The last one counts, so the application's own options come first.
        own = environment.get("PGOPTIONS", "")
        limit = f"-c lock_timeout={app.settings.release_command_lock_seconds}s"
        wanted["PGOPTIONS"] = f"{own} {limit}".strip()
    return wanted

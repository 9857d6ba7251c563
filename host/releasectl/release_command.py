"""Command: release-command."""

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


#: How long a command that timed out gets between SIGTERM and SIGKILL, for instance to roll back.
COMMAND_GRACE_SECONDS = 10


def run_release_command(
    app: App, release_id: str, command: str | None, again: bool, database: str = ""
) -> dict[str, Any]:
    """Run the release command, unless the release serves and this command has already run for it
    with this configuration and this database.

    A run before another release went live does not count: the database has changed since. The
    result says when the command ran last.
    """
    release = app.release(release_id)
    app.require_good(release, after=("release-command", "start", "switch"))
    command = command or app.settings.release_command
    if not command:
        return {"id": release_id, "changed": False}
    done = {"command": command, "instance": app.instance_of(release_id), "database": database}
    ran = release.mark("RELEASE_COMMAND") or {}
    serves = app.serving_release() == release_id
    if serves and ran == {**done, "at": ran.get("at")} and not again:
        return {"id": release_id, "changed": False, "at": ran["at"]}
    say(f"release command: {command}")
    problem = run_shell(app, release, command, in_database=True)
    if problem:
        reason = f"the release command {problem}"
        app.fail("release-command", release, reason, instance=done["instance"])
    ran = {**done, "at": now()}
    release.set_mark("RELEASE_COMMAND", **ran)
    release.clear_bad("release-command")
    app.journal.add("release-command", release_id)
    return {"id": release_id, "changed": True, "at": ran["at"]}


def run_shell(app: App, release: Release, command: str, in_database: bool = False) -> str | None:
    """Run it as the application's user with its environment; None, or how it failed."""
    import subprocess

    options = app.subprocess_options(release)
    if in_database:
        options["env"].update(database_variables(app, release, options["env"]))
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        start_new_session=True,
        **options,
    )
    try:
        status = process.wait(app.settings.release_command_seconds)
    except BaseException as error:
        end_group(process, COMMAND_GRACE_SECONDS)
        if isinstance(error, subprocess.TimeoutExpired):
            return f"was not done after {app.settings.release_command_seconds} s"
        raise
    return None if status == 0 else f"failed with status {status}"


def database_variables(app: App, release: Release, environment: dict[str, str]) -> dict[str, str]:
    """Variables for libpq: the command's application name, and how long it waits for a lock.

    While a statement waits for a lock, the visitors' statements queue up behind it.
    """
    variables = {"PGAPPNAME": f"{app.app} release command {release.id}"}
    if app.settings.release_command_lock_seconds:
        # The application's own options come first, because the last one wins.
        own = environment.get("PGOPTIONS", "")
        limit = f"-c lock_timeout={app.settings.release_command_lock_seconds}s"
        variables["PGOPTIONS"] = f"{own} {limit}".strip()
    return variables

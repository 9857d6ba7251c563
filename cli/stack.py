"""One environment, ready to be worked with: set-up, its cloud, its stack.

    python3 -m cli.stack STACK

makes the stack of an environment that has none, before plain `pulumi config`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

from cli.console import CommandError, fail, status_of
from cli.engine import backend
from cli.engine.prestart import Prestart
from cli.engine.process import run
from cli.paths import ROOT, home
from cli.paths import environments as all_environments
from cli.project import environments, salt
from cli.provider import local_cloud
from cli.setup import set_up
from components.settings.stack_file import StackFile


def prepare(stack: str) -> StackFile:
    """Have everything ready that the engine needs. Raises `CommandError`."""
    set_up()
    file = environments.file_of(stack)
    _use_its_token(file)
    _prepare(file)
    return file


def prepare_update(stack: str) -> tuple[StackFile, Prestart]:
    """The same before an update, whose program starts as early as it can."""
    set_up()
    file = environments.file_of(stack)
    _use_its_token(file)
    program = Prestart(["command"] if file.has_own_hosts else ["command", "digitalocean"])
    _prepare(file)
    return file, program


def ensure(stack: str) -> None:
    """Have the stack, from its file. Raises `CommandError`."""
    # To look into the backend's folder is 100 times quicker than to ask the engine.
    if backend.state_file(stack) or _succeeds("stack", "select", stack):
        return
    salt.forget_foreign(stack)
    if run(["pulumi", "stack", "init", stack], stdout=subprocess.DEVNULL) != 0:
        fail(f"the stack '{stack}' could not be made; see above")
    salt.remember(stack)
    salt.show_git_the_new_size(stack)


def forget(stack: str) -> None:
    """Take the record of servers away that are gone, and keep the settings."""
    salt.remember(stack)
    cancel(stack)
    words = ["stack", "rm", stack, "--force", "--yes", "--preserve-config", "--remove-backups"]
    if run(["pulumi", *words], stdout=subprocess.DEVNULL) != 0:
        fail("")


def cancel(stack: str) -> None:
    """End an update that is under way, or was."""
    _succeeds("cancel", "--stack", stack, "--yes")


def others_in_the_local_cloud(stack: str) -> list[str]:
    """The other stacks of this clone that need its local cloud, too."""
    made = {path.stem for path in (home() / ".pulumi" / "stacks").glob("*/*.json")} - {stack}
    found = []
    for other in sorted(made & set(all_environments())):
        with suppress(CommandError):
            if environments.file_of(other).local_port:
                found.append(other)
    return found


def _use_its_token(file: StackFile) -> None:
    if file.local_port:
        local_cloud.use_its_token()


def _prepare(file: StackFile) -> None:
    if file.local_port:
        local_cloud.start(file)
    elif not (file.has_own_hosts or file.has_token or os.environ.get("DIGITALOCEAN_TOKEN")):
        fail(
            f"no DigitalOcean token for '{file.stack}': set DIGITALOCEAN_TOKEN,"
            " or pulumi config set --secret digitalocean:token"
        )
    ensure(file.stack)


def _succeeds(*words: str) -> bool:
    return subprocess.run(["pulumi", *words], cwd=ROOT, capture_output=True).returncode == 0


def _make(stack: str) -> None:
    """Where it can be seen without asking the engine that there is none yet."""
    if stack in all_environments() and backend.is_our_own() and not backend.state_file(stack):
        ensure(stack)


if __name__ == "__main__":
    sys.exit(status_of(lambda: _make(*sys.argv[1:])))

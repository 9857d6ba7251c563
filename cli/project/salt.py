"""The salt in Pulumi.local.yaml: what its secrets are encrypted with, beside the passphrase.

The passphrase is of this clone alone, and so is the salt that belongs to it. Only the environment
`local` has such a one: the others are shared, with a passphrase of the team's.
"""

from __future__ import annotations

import subprocess

from cli.paths import ROOT, home
from cli.project import environments
from components.settings import stack_file

LOCAL = "local"
KEY = "encryptionsalt"


def remember(stack: str) -> None:
    """Note it: the secrets in the file outlive servers and state, and so does what opens them."""
    salt = _of(stack)
    if salt and salt not in _known():
        with (home() / "salts").open("a") as file:
            file.write(f"{salt}\n")


def forget_foreign(stack: str) -> None:
    """Take one out that belongs to another clone's passphrase: nothing here could open it."""
    salt = _of(stack)
    if salt and salt not in _known():
        path = environments.path_of(stack)
        path.write_text(stack_file.without(path.read_text(), KEY))


def show_git_the_new_size(stack: str) -> None:
    """The salt is filtered out of what git sees (.gitattributes).

    But by the size of the file alone git would call it modified until it has looked once more.
    """
    name = environments.path_of(stack).name
    git = ["git", "-C", str(ROOT)]
    if subprocess.run([*git, "diff", "--quiet", "--", name], capture_output=True).returncode == 0:
        subprocess.run([*git, "add", "--", name], capture_output=True)


def _of(stack: str) -> str:
    return environments.file_of(stack).salt if stack == LOCAL else ""


def _known() -> list[str]:
    file = home() / "salts"
    return file.read_text().split("\n") if file.is_file() else []

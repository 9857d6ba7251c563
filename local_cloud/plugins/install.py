"""Puts a stand-in plugin where the engine looks for the official one of the same version.

Run as `python -m local_cloud.plugins.install command 1.2.1`, in the environment that has the
plugin's libraries and with `pulumi` on PATH. What is installed is a few lines of shell that
start this folder's code, so a change of the code needs no new installation.
"""

from __future__ import annotations

import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import typing
from pathlib import Path

from local_cloud.plugins.start import PLUGINS

START = Path(__file__).with_name("start.py")


class InstallError(Exception):
    """The plugin could not be installed; the text says why."""


def launcher(plugin: str, python: Path) -> str:
    """The executable the engine starts.

    `-P` keeps the folder of the Pulumi program off the plugin's module path; nothing is set in
    the environment, since commands of `local.Command` inherit it.
    """
    words = ["exec", str(python), "-P", str(START), plugin]
    return f'#!/bin/sh\n{shlex.join(words)} "$@"\n'


def install(
    plugin: typing.Literal["command", "digitalocean"],
    version: str,
    pulumi: Path | str = "pulumi",
    python: Path | str = sys.executable,
) -> None:
    """Install a stand-in under the official name and version; replaces what is there.

    Args:
        plugin: Which one.
        version: Such as `1.2.1`; the engine asks for the version of the Python SDK in use.
        pulumi: The Pulumi CLI. It installs into `PULUMI_HOME` (`~/.pulumi`).
        python: The interpreter that runs the plugin, in an environment with its libraries.

    Raises:
        InstallError: unknown plugin, or the CLI refused; its own words are in the text.
    """
    if plugin not in PLUGINS:
        raise InstallError(f"{plugin!r} is no stand-in plugin; there are {', '.join(PLUGINS)}.")
    with tempfile.TemporaryDirectory(prefix="slipway-plugin-") as folder:
        executable = Path(folder) / f"pulumi-resource-{plugin}"
        executable.write_text(launcher(plugin, Path(python).absolute()))
        executable.chmod(executable.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        arguments = ["plugin", "install", "resource", plugin, version, "--file", folder]
        command = [str(pulumi), *arguments, "--reinstall"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise InstallError(f"There is no Pulumi CLI at {pulumi}.") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise InstallError(f"`{shlex.join(command)}` failed: {said}")


def main(arguments: list[str]) -> int:
    """Install the plugin and version named on the command line."""
    if len(arguments) != 2 or arguments[0] not in PLUGINS:
        sys.stderr.write(f"usage: python -m {__spec__.name} {'|'.join(PLUGINS)} <version>\n")
        return 2
    plugin = typing.cast(typing.Literal["command", "digitalocean"], arguments[0])
    pulumi = shutil.which("pulumi")
    try:
        if pulumi is None:
            raise InstallError("There is no `pulumi` on PATH.")
        install(plugin, arguments[1], pulumi)
    except InstallError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

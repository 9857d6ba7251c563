"""Runs a command on this machine: `local.Command`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import typing
from pathlib import Path

from local_cloud.plugins.command import error_messages
from local_cloud.plugins.command.found_files import archive_of, assets_of, found_files
from local_cloud.plugins.command.output import Output
from local_cloud.plugins.command.steps import environment
from local_cloud.plugins.shared_provider import Call, PluginError
from local_cloud.plugins.shared_values import Properties

SHELL = ["/bin/sh", "-c"]
READ_SIZE = 64 * 1024


async def run_locally(
    call: Call, command: str, inputs: Properties, previous: Properties
) -> Properties:
    """Run a command and return its outputs.

    Raises:
        PluginError: it could not start, or ended with anything but 0.
    """
    folder = Path(inputs.get("dir", ".")).absolute()
    async with Output(call.log, inputs.get("logging")) as output:
        how = await _run(
            [*(inputs.get("interpreter") or SHELL), command],
            folder,
            {**os.environ, **environment(inputs, previous)},
            inputs.get("stdin", "").encode(),
            output,
        )
    if how:
        raise PluginError(error_messages.failed_command(how, command, output.everything))
    outputs = output.outputs()
    if "assetPaths" in inputs:
        outputs["assets"] = assets_of(found_files(folder, inputs["assetPaths"]))
    if "archivePaths" in inputs:
        outputs["archive"] = archive_of(found_files(folder, inputs["archivePaths"]))
    return outputs


async def _run(
    words: list[str], folder: Path, variables: dict[str, str], stdin: bytes, output: Output
) -> str:
    """Run until the process has ended and its output is closed; "" if it went well."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=folder,
            env=variables,
            stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # A group of its own, so that an interrupt ends what the command has started too.
            process_group=0,
        )
    except OSError as error:
        return _not_started(error, words[0], folder)
    work = asyncio.gather(
        _read(process.stdout, 1, output),
        _read(process.stderr, 2, output),
        _write(process.stdin, stdin),
        process.wait(),
    )
    try:
        await work
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if not process.returncode:
            return "context canceled"
    return error_messages.ended_locally(process.returncode) if process.returncode else ""


async def _read(
    pipe: asyncio.StreamReader | None, descriptor: typing.Literal[1, 2], output: Output
) -> None:
    while pipe is not None and (data := await pipe.read(READ_SIZE)):
        output.add(descriptor, data)


async def _write(pipe: asyncio.StreamWriter | None, data: bytes) -> None:
    if pipe is None:
        return
    # A command may well end without having read all of its input.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        pipe.write(data)
        await pipe.drain()
    pipe.close()


def _not_started(error: OSError, program: str, folder: Path) -> str:
    if not folder.is_dir():
        return f"chdir {folder}: {error_messages.system_error(error)}"
    if isinstance(error, FileNotFoundError) and "/" not in program:
        return f"exec: {error_messages.quoted(program)}: executable file not found in $PATH"
    return f"fork/exec {program}: {error_messages.system_error(error)}"

"""Copies by SFTP.

Where things go is the official plugin's table, like that of `cp -r`:

    source  | remote path is a folder | does not exist | is a file
    folder  | path/folder             | path/folder    | an error
    folder/ | path                    | path           | an error
    file    | path/file               | path           | path, overwritten
    text    | an error                | path           | path, overwritten

Parent folders are made. Modes and owners are not copied, nothing is ever removed.
"""

from __future__ import annotations

import asyncio
import os
import stat
import typing
from pathlib import Path, PurePosixPath

import asyncssh

from local_cloud.plugins.command import error_messages
from local_cloud.plugins.command.links import NotOpenedError
from local_cloud.plugins.shared_provider import PluginError
from local_cloud.plugins.shared_values import Archive, Asset

FILES_AT_ONCE = 16
CHUNK_BYTES = 1024 * 1024


class SftpSession:
    """An SFTP session to copy with."""

    def __init__(self, sftp: asyncssh.SFTPClient) -> None:
        self._sftp = sftp

    async def upload(self, source: Asset | Archive, remote_path: str) -> None:
        """Copy a source to its place, and end the session.

        Raises:
            PluginError: the source cannot be read or the place cannot be written.
        """
        try:
            if isinstance(source, Asset) and not source.path:
                await self._text(source.text, remote_path)
            else:
                await self._path(source.path, remote_path)
        finally:
            self._sftp.exit()

    async def _text(self, text: str, remote_path: str) -> None:
        if await self._is_folder(remote_path):
            raise PluginError(
                f"remote path {remote_path} is a directory; "
                "when using a text asset, remotePath must be a file path"
            )
        await self._make_parents(remote_path)
        await self._write(remote_path, [text.encode()], "failed to write text content")

    async def _path(self, source: str, remote_path: str) -> None:
        try:
            is_folder = stat.S_ISDIR(os.stat(source).st_mode)  # noqa: PTH116 - keeps "folder/"
        except OSError as error:
            raise PluginError(f"open {source}: {error_messages.system_error(error)}") from None
        there = await self._is_folder(remote_path)
        if is_folder:
            await self._folder(source, remote_path, there)
        elif there:
            await self._file(Path(source), str(PurePosixPath(remote_path, Path(source).name)))
        else:
            if there is None:
                await self._make_parents(remote_path)
            await self._file(Path(source), remote_path)

    async def _folder(self, source: str, remote_path: str, there: bool | None) -> None:
        if there is None:
            await self._make_folders(remote_path)
        target = remote_path
        if not source.endswith("/"):
            target = str(PurePosixPath(remote_path, Path(source).name))
        copies = []
        for parent, folders, files in os.walk(source):
            place = PurePosixPath(target, Path(parent).relative_to(source).as_posix())
            await self._have_folder(str(place))
            links = [name for name in folders if Path(parent, name).is_symlink()]
            copies += [(Path(parent, name), str(place / name)) for name in [*files, *links]]
        at_once = asyncio.Semaphore(FILES_AT_ONCE)

        async def copy(path: Path, remote: str) -> None:
            async with at_once:
                await self._file(path, remote)

        try:
            async with asyncio.TaskGroup() as group:
                for path, remote in copies:
                    group.create_task(copy(path, remote))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _file(self, path: Path, remote_path: str) -> None:
        try:
            with path.open("rb") as content:
                chunks = iter(lambda: content.read(CHUNK_BYTES), b"")
                await self._write(remote_path, chunks, f"failed to copy file {path}")
        except OSError as error:
            raise PluginError(f"open {path}: {error_messages.system_error(error)}") from None

    async def _write(self, remote_path: str, chunks: typing.Iterable[bytes], failure: str) -> None:
        try:
            file = await self._sftp.open(remote_path, "wb")
        except asyncssh.Error as error:
            reason = _reason(error)
            raise PluginError(f"failed to create remote file {remote_path}: {reason}") from None
        try:
            async with file:
                for chunk in chunks:
                    await file.write(chunk)
        except asyncssh.Error as error:
            raise PluginError(f"{failure} to remote path {remote_path}: {_reason(error)}") from None

    async def _is_folder(self, remote_path: str) -> bool | None:
        """Whether it is one; None if there is nothing."""
        try:
            attributes = await self._sftp.stat(remote_path)
        except asyncssh.SFTPNoSuchFile:
            return None
        except asyncssh.Error as error:
            raise PluginError(
                f"failed to stat remote path {remote_path}: {_reason(error)}"
            ) from None
        return attributes.type == asyncssh.FILEXFER_TYPE_DIRECTORY

    async def _have_folder(self, remote_path: str) -> None:
        there = await self._is_folder(remote_path)
        if there is False:
            raise PluginError(f"remote path {remote_path} exists but is not a directory")
        if there is None:
            await self._make_folders(remote_path)

    async def _make_folders(self, remote_path: str) -> None:
        try:
            await self._sftp.makedirs(remote_path, exist_ok=True)
        except asyncssh.Error as error:
            reason = _reason(error)
            raise PluginError(
                f"failed to create remote directory {remote_path}: {reason}"
            ) from None

    async def _make_parents(self, remote_path: str) -> None:
        parent = str(PurePosixPath(remote_path).parent)
        try:
            await self._sftp.makedirs(parent, exist_ok=True)
        except asyncssh.Error as error:
            reason = _reason(error)
            raise PluginError(
                f"failed to create parent directories for {remote_path}: {reason}"
            ) from None


async def open_sftp(ssh: asyncssh.SSHClientConnection) -> SftpSession:
    """Start an SFTP session.

    Raises:
        NotOpenedError: the connection is broken, full, or has no SFTP.
    """
    try:
        return SftpSession(await ssh.start_sftp_client())
    except (OSError, asyncssh.Error) as error:
        raise NotOpenedError(f"ssh: {getattr(error, 'reason', error)}") from None


def _reason(error: asyncssh.Error) -> str:
    if isinstance(error, asyncssh.SFTPNoSuchFile):
        return "file does not exist"
    if isinstance(error, asyncssh.SFTPPermissionDenied):
        return "permission denied"
    if isinstance(error, asyncssh.SFTPFailure):
        return f'sftp: "{error.reason}" (SSH_FX_FAILURE)'
    return error.reason

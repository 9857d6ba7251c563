"""Copies a file, a text or a folder to a server: `remote.CopyToRemote`."""

from __future__ import annotations

import asyncio
import os

from local_cloud.plugins.command.connection import Connection
from local_cloud.plugins.command.input_types import checked
from local_cloud.plugins.command.links import Link, Links, NotOpenedError
from local_cloud.plugins.command.schema import COPY_TO_REMOTE
from local_cloud.plugins.command.steps import changes_outputs, previewed, replaces
from local_cloud.plugins.shared_diff import Diff, diff_of_inputs
from local_cloud.plugins.shared_provider import (
    Call,
    Checked,
    CheckFailure,
    Created,
    Found,
    Severity,
)
from local_cloud.plugins.shared_stopwatch import Stopwatch
from local_cloud.plugins.shared_values import Archive, Asset, Properties, Value, revealed


class CopyToRemote:
    """Copies at creation, and when the content or the remote path has changed.

    A change of the connection alone copies nothing, and deletion removes nothing.
    """

    def __init__(self, links: Links) -> None:
        self._links = links

    def check(self, call: Call, old_inputs: Properties, new_inputs: Properties) -> Checked:
        """Validate the inputs; the connection becomes secret."""
        inputs, failures = checked(COPY_TO_REMOTE, new_inputs)
        return Checked(inputs, [*failures, *_source_failures(revealed(inputs.get("source")))])

    def diff(self, state: Properties, old_inputs: Properties, new_inputs: Properties) -> Diff:
        """Compare the inputs."""
        return diff_of_inputs(old_inputs, new_inputs, replaces=replaces)

    async def create(self, call: Call, inputs: Properties) -> Created:
        """Copy."""
        if call.preview:
            return Created("", previewed(inputs, inputs, unsettled=True))
        await self._copy(call, inputs)
        return Created(os.urandom(4).hex(), inputs)

    async def read(
        self, call: Call, resource_id: str, state: Properties, inputs: Properties
    ) -> Found:
        """The server is not asked: the state is as it was."""
        return Found(resource_id, inputs, state)

    async def update(
        self, call: Call, resource_id: str, state: Properties, inputs: Properties
    ) -> Properties:
        """Copy if the content or the remote path has changed."""
        if call.preview:
            unsettled = changes_outputs(COPY_TO_REMOTE, state, inputs)
            return previewed(inputs, inputs, unsettled=unsettled)
        before, now = revealed(state), revealed(inputs)
        moved = now["remotePath"] != before["remotePath"]
        if moved or now["source"].hash != before["source"].hash:
            await self._copy(call, inputs)
        return inputs

    async def delete(self, call: Call, resource_id: str, state: Properties) -> None:
        """Leave the copy where it is."""

    async def _copy(self, call: Call, inputs: Properties) -> None:
        from local_cloud.plugins.command.upload import SftpSession, open_sftp

        given = revealed(inputs)
        source, place = given["source"], f"{given['connection']['host']}:{given['remotePath']}"
        where_from = f"local file {source.path}" if source.path else "text asset"
        await call.log.message(Severity.DEBUG, f"Creating file: {place} from {where_from}")

        async def open_session(link: Link) -> SftpSession:
            try:
                async with asyncio.timeout(link.patience):
                    return await open_sftp(link.ssh)
            except TimeoutError:
                raise NotOpenedError("the connection is broken") from None

        connection = Connection.of(given["connection"])
        watch = Stopwatch(call.name)
        async with self._links.session(connection, call.log.status, open_session) as session:
            watch.lap("connect")
            await session.upload(source, given["remotePath"])
            watch.lap("transfer")


def _source_failures(source: Value) -> list[CheckFailure]:
    if isinstance(source, Asset):
        if not source.path and (source.uri or not (source.text or source.hash)):
            reason = "asset must be a path-based file asset or a text asset"
            return [CheckFailure("asset", reason)]
    elif isinstance(source, Archive):
        if not source.path:
            return [CheckFailure("archive", "archive must be a path to a file or directory")]
    else:
        return [CheckFailure("asset", "either asset or archive must be set")]
    return []

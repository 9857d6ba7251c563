"""Open SSH connections, kept and shared for as long as the plugin runs.

Dialling costs more than most commands, so a connection stays open for the next command to the
same place with the same keys. A server limits the sessions of one connection (`MaxSessions`,
10 by default) and the logins at one time (`MaxStartups`), so at most eight commands share one
connection, and those that wait for the same server wait for the same dial.
"""

from __future__ import annotations

import asyncio
import contextlib
import typing
from dataclasses import dataclass, field

from local_cloud.plugins.command.connection import Connection
from local_cloud.plugins.shared_provider import PluginError

if typing.TYPE_CHECKING:
    import asyncssh

    from local_cloud.plugins.command.dial import Report

SESSIONS_PER_LINK = 8
PATIENCE_WITH_OLD_LINK_SECONDS = 10.0
"""How long a connection that was open already may take to open one more session."""

Channel = typing.TypeVar("Channel")


class NotOpenedError(Exception):
    """A session could not be opened, and nothing has been started in it."""


@dataclass(eq=False)
class Link:
    """One open connection."""

    ssh: asyncssh.SSHClientConnection
    sessions: int = 0
    limit: int = SESSIONS_PER_LINK
    used: bool = False

    @property
    def patience(self) -> float | None:
        """Seconds to wait for a session; a connection just made is not doubted."""
        return PATIENCE_WITH_OLD_LINK_SECONDS if self.used else None


Open = typing.Callable[[Link], typing.Awaitable[Channel]]
"""Opens a session on a link; raises NotOpenedError if that failed before anything began."""


@dataclass(eq=False)
class _Dial:
    """A dial under way, and everybody who waits for it."""

    task: asyncio.Task[Link]
    reports: list[Report] = field(default_factory=list)
    waiting: int = 0


class Links:
    """All open connections of this process."""

    def __init__(self) -> None:
        self._links: dict[Connection, list[Link]] = {}
        self._dials: dict[tuple[Connection, int, float], _Dial] = {}

    @contextlib.asynccontextmanager
    async def session(
        self, connection: Connection, report: Report, open_channel: Open[Channel]
    ) -> typing.AsyncIterator[Channel]:
        """A session on a connection, an open one if there is room, else a new one.

        Args:
            connection: Where to.
            report: Told of failed attempts to dial.
            open_channel: Opens the session. Tried again on another connection if an old one
                turns out to be broken or full.

        Raises:
            PluginError: dialling failed, or the server refuses sessions.
        """
        link, channel = await self._opened(connection, report, open_channel)
        try:
            yield channel
        finally:
            link.sessions -= 1

    async def _opened(
        self, connection: Connection, report: Report, open_channel: Open[Channel]
    ) -> tuple[Link, Channel]:
        while True:
            link = self._free_link(connection)
            if link is None:
                await self._dialled(connection, report)
                continue
            opened = False
            link.sessions += 1
            try:
                channel = await open_channel(link)
                opened = link.used = True
                return link, channel
            except NotOpenedError as error:
                alone = link.sessions == 1
                if alone and not link.used:
                    raise PluginError(str(error)) from None
                self._doubt(connection, link, others=link.sessions - 1)
            finally:
                if not opened:
                    link.sessions -= 1

    async def close(self) -> None:
        """Close all connections, whatever still runs on them."""
        for dial in self._dials.values():
            dial.task.cancel()
        for link in [link for links in self._links.values() for link in links]:
            link.ssh.abort()
        self._links.clear()

    def _doubt(self, connection: Connection, link: Link, others: int) -> None:
        """A session was refused: the connection is full if others run on it, else broken."""
        if others and not link.ssh.is_closed():
            link.limit = others
        else:
            self._forget(connection, link)

    def _forget(self, connection: Connection, link: Link) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._links[connection].remove(link)
        link.ssh.abort()

    def _free_link(self, connection: Connection) -> Link | None:
        for link in tuple(self._links.get(connection, ())):
            if link.ssh.is_closed():
                self._forget(connection, link)
            elif link.sessions < link.limit:
                return link
        return None

    async def _dialled(self, connection: Connection, report: Report) -> Link:
        """A new link. Others may have taken all its room by the time this returns."""
        key = (connection, connection.dial_error_limit, connection.per_dial_timeout)
        dial = self._dials.get(key)
        if dial is None:
            dial = self._dials[key] = _Dial(asyncio.create_task(self._dial(key)))
        dial.reports.append(report)
        dial.waiting += 1
        try:
            return await asyncio.shield(dial.task)
        finally:
            dial.waiting -= 1
            dial.reports.remove(report)
            if not dial.waiting:
                dial.task.cancel()

    async def _dial(self, key: tuple[Connection, int, float]) -> Link:
        # Imported here: a run that dials nothing must not pay 0.2 s for it.
        from local_cloud.plugins.command.dial import dial

        connection, dialling = key[0], self._dials[key]

        async def report(text: str) -> None:
            await asyncio.gather(*(tell(text) for tell in tuple(dialling.reports)))

        try:
            if connection.proxy is None:
                link = Link(await dial(connection, report, None))
            else:
                link = Link(await self._dial_through(connection.proxy, connection, report))
        finally:
            del self._dials[key]
        self._links.setdefault(connection, []).append(link)
        return link

    async def _dial_through(
        self, proxy: Connection, connection: Connection, report: Report
    ) -> asyncssh.SSHClientConnection:
        from local_cloud.plugins.command.dial import dial

        try:
            way = self._free_link(proxy) or await self._dialled(proxy, report)
            return await dial(connection, report, way.ssh)
        except PluginError as error:
            raise PluginError(f"proxy: {error}") from None

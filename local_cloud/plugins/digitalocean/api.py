"""DigitalOcean's API through its official client, pydo.

pydo takes a quarter of a second to import; it is imported with the first request, so that an
update with nothing to do never pays for it.
"""

from __future__ import annotations

import asyncio
import functools
import operator
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from local_cloud.plugins.shared_values import Properties

Answer = TypeVar("Answer")

PARALLEL_REQUESTS = 32
RETRIES_WHERE_NOBODY_LISTENS = 2
"""Such a machine is not worth the long waits."""
FIRST_PAUSE = 0.2
"""Seconds between the first looks at something that is under way; later looks are rarer."""
LONGEST_PAUSE = 2.0


class ApiError(Exception):
    """The API refused a request: `POST <address>: 422 <message>`. Never holds the token."""

    def __init__(self, method: str, address: str, status: int, message: str) -> None:
        super().__init__(f"{method} {address}: {status} {message}")
        self.status = status
        self.message = message


class Unreachable(Exception):  # noqa: N818 - reads better where it is raised
    """Nothing answers, or there is no token to ask with."""


class GaveUp(Exception):  # noqa: N818
    """What was waited for failed or did not come in time, or a person interrupted the run."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The plugin's configuration, as the official plugin names and defaults it."""

    token: str = field(default="", repr=False)
    endpoint: str = "https://api.digitalocean.com"
    retries: int = 4
    shortest_wait: float = 1.0
    """Seconds before the first retry; then twice as long each time."""
    longest_wait: float = 30.0
    requests_per_second: float = 0.0
    """0 for no limit."""


class Api:
    """One client for all requests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._threads = ThreadPoolExecutor(PARALLEL_REQUESTS, thread_name_prefix="api")
        self._lock = threading.Lock()
        self._client: Any = None
        self._next_turn = 0.0

    async def call(self, operation: str, *arguments: Any, **options: Any) -> Properties:
        """Call one of pydo's operations (`vpcs.create`) and return the answer's JSON.

        Raises `ApiError` for every status of 400 and above (for some of them pydo itself
        returns the error as if it were an answer), `Unreachable` if there is no answer.
        """
        loop = asyncio.get_running_loop()
        work = functools.partial(self._call, operation, *arguments, **options)
        return await loop.run_in_executor(self._threads, work)

    def _call(self, operation: str, *arguments: Any, **options: Any) -> Properties:
        """Ask, and ask again as the official plugin's HTTP client does, whatever the method is.

        Also an order that was carried out, and answered with an error, is given a second time.
        """
        from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError

        function = operator.attrgetter(operation)(self._connected())
        for attempt in range(self.settings.retries + 1):
            last = attempt == self.settings.retries
            self._wait_for_turn()
            try:
                response, body = function(
                    *arguments,
                    **options,
                    cls=_whole_answer,
                    enforce_https=not self._on_this_machine,
                )
            except AzureError as error:
                found = error.response if isinstance(error, HttpResponseError) else None
                if found is None:
                    if isinstance(error, ServiceRequestError):
                        last = last or attempt == RETRIES_WHERE_NOBODY_LISTENS
                    if last:
                        raise self._unreachable(error) from None
                    time.sleep(self._pause(attempt))
                    continue
                response, body = found, _json_of(found)
            if last or not _may_pass(response.status_code):
                break
            time.sleep(self._pause(attempt, response))
        if response.status_code >= 400:
            tries = f"; giving up after {attempt + 1} attempt(s)" if attempt else ""
            raise ApiError(
                response.request.method,
                response.request.url,
                response.status_code,
                _message_of(body) + tries,
            )
        return body or {}

    def _pause(self, attempt: int, response: Any = None) -> float:
        """Seconds before the next attempt, as go-retryablehttp's DefaultBackoff has them."""
        if response is not None and response.status_code in (429, 503):
            wished = response.headers.get("Retry-After", "")
            if wished.isdigit():
                return float(wished)
        wait: float = self.settings.shortest_wait * 2**attempt
        return min(wait, self.settings.longest_wait)

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                if not self.settings.token:
                    raise Unreachable(
                        "no token for DigitalOcean's API: set `digitalocean:token` "
                        "(pulumi config set --secret) or DIGITALOCEAN_TOKEN"
                    )
                import pydo

                self._client = pydo.Client(
                    token=self.settings.token,
                    endpoint=self.settings.endpoint,
                    # Its own rules are others than the official plugin's: see `_call`.
                    retry_total=0,
                )
            return self._client

    def _wait_for_turn(self) -> None:
        if self.settings.requests_per_second <= 0:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next_turn)
            self._next_turn = turn + 1 / self.settings.requests_per_second
        time.sleep(turn - now)

    def _unreachable(self, error: Exception) -> Unreachable:
        hint = " Is the local cloud running? scripts/up starts it." if self._on_this_machine else ""
        return Unreachable(f"no answer from {self.settings.endpoint}: {error}.{hint}")

    @property
    def _on_this_machine(self) -> bool:
        """Only there may the token go over plain HTTP."""
        return urlsplit(self.settings.endpoint).hostname in ("127.0.0.1", "localhost", "::1")


class Work:
    """One request of the engine under way.

    An interrupt ends its waits, never a request to the API: what was asked for would come to
    exist all the same, and nobody would know of it.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._interrupted = asyncio.Event()

    async def call(self, operation: str, *arguments: Any, **options: Any) -> Properties:
        """See `Api.call`."""
        return await self._api.call(operation, *arguments, **options)

    async def find(self, operation: str, *arguments: Any) -> Properties | None:
        """The same, but None for what does not exist (404)."""
        try:
            return await self.call(operation, *arguments)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def done(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run to the end; cancelling this only interrupts the waits of the work."""
        task = asyncio.ensure_future(work)
        while True:
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                if task.done():
                    raise
                self._interrupted.set()

    async def wait(self, look: Callable[[], Awaitable[Answer | None]], seconds: float) -> Answer:
        """Look again and again until there is an answer.

        Raises `GaveUp` after so many seconds, and when interrupted.
        """
        deadline = time.monotonic() + seconds
        pause = FIRST_PAUSE
        while (answer := await look()) is None:
            if time.monotonic() + pause > deadline:
                raise GaveUp(f"not within {seconds:g} seconds")
            if await self._interrupted_within(pause):
                raise GaveUp("interrupted")
            pause = min(pause * 1.2, LONGEST_PAUSE)
        return answer

    async def _interrupted_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._interrupted.wait()
        except TimeoutError:
            return False


def _may_pass(status: int) -> bool:
    """Whether the official plugin asks again (go-retryablehttp's DefaultRetryPolicy)."""
    return status == 429 or (status >= 500 and status != 501)


def _whole_answer(response: Any, body: Any, headers: Any) -> tuple[Any, Any]:
    return response.http_response, body


def _json_of(response: Any) -> Any:
    try:
        return response.json()
    except ValueError:
        return {"message": response.text()}


def _message_of(body: Any) -> str:
    message = str(body.get("message", body)) if isinstance(body, dict) else str(body or "")
    request = body.get("request_id") if isinstance(body, dict) else None
    return f'(request "{request}") {message}' if request else message

"""Health checks of an application over HTTP."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from .settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


BODY_LINES = 5


SECONDS_BETWEEN_CHECKS = 0.1


#: A load balancer picks any of its servers: this many quick requests to reach this one.
QUICK_REQUESTS = 50


SECONDS_BETWEEN_QUICK_REQUESTS = 0.005


#: A response such as 301 or 404 that stays the same for this long will not change by itself.
SECONDS_UNCHANGED = 3


#: Interval of the checks that a healthy release stays healthy.
SECONDS_BETWEEN_READINESS_CHECKS = 0.5


#: The health check of an instance, in its folder.
HEALTH_FILE = "health.json"


#: The Host header for checks of the load balancer, in the configuration folder; nginx includes it.
HEALTH_HOST_FILE = "health-host.conf"


class Health:
    """The health check of an instance: what to request, and the status to expect."""

    def __init__(self, host: str, path: str, status: int) -> None:
        self.host, self.path, self.status = host, path, status

    @classmethod
    def of(cls, settings: Settings) -> Health:
        return cls(settings.health_host, settings.health_path, settings.health_status)

    def to_bytes(self) -> bytes:
        return json.dumps(vars(self), sort_keys=True).encode()


class Response:
    """The parts of an HTTP response that matter here."""

    def __init__(self, status: int, body: str, server: str, location: str) -> None:
        self.status, self.server, self.location = status, server, location
        self.beginning = "".join(f"\n    {line}" for line in body.strip().splitlines()[:BODY_LINES])

    @property
    def redirects_to_https(self) -> bool:
        return 300 <= self.status < 400 and self.location.startswith("https:")


class HealthProblem(str):
    """Why an instance is not healthy; `is_permanent` if the response will not change by itself."""

    is_permanent = False


def http_get(
    health: Health, where: Path | int | str, path: str, seconds: float, scheme: str = "http"
) -> Response | str:
    """GET a path from a UNIX socket, a local port or an address; a string says what went wrong.

    `scheme` is sent as X-Forwarded-Proto; on ports and addresses nginx overwrites it.
    """
    import http.client
    import socket

    class Connection(http.client.HTTPConnection):
        def connect(self) -> None:
            if isinstance(where, Path):
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.settimeout(seconds)
                self.sock.connect(str(where))
                return
            address = ("127.0.0.1", where) if isinstance(where, int) else (where, 80)
            self.sock = socket.create_connection(address, seconds)

    connection = Connection("localhost", timeout=seconds)
    try:
        headers = {"Host": health.host, "User-Agent": "releasectl", "Connection": "close"}
        headers["X-Forwarded-Proto"] = scheme
        connection.request("GET", path, headers=headers)
        received = connection.getresponse()
        body = received.read(4096).decode("utf-8", "replace")
        server = received.getheader("X-Slipway-Server", "")
        return Response(received.status, body, server, received.getheader("Location", ""))
    except (OSError, http.client.HTTPException) as error:
        refused = isinstance(error, (FileNotFoundError, ConnectionRefusedError))
        why = "nothing listens there" if refused else error or type(error).__name__
        return f"{path} gives no answer: {why}"
    finally:
        connection.close()


def health_problem(
    health: Health, where: Path | int | str, seconds: float, server: str = ""
) -> HealthProblem | None:
    """Check the health once; None if healthy, otherwise why not.

    With `server`, only a response of that server counts: behind a load balancer any may answer.
    """
    response = http_get(health, where, health.path, seconds)
    redirected = not isinstance(response, str) and response.redirects_to_https
    if redirected and isinstance(where, Path):
        # The application may be meant for HTTPS only, behind a proxy that terminates TLS.
        response = http_get(health, where, health.path, seconds, "https")
        redirected = False
    if isinstance(response, str):
        return HealthProblem(response)
    # On ports and addresses the redirect is correct: HTTPS was checked on the socket.
    if response.status != health.status and not redirected:
        target = f" ({response.location})" if response.location else ""
        reason = HealthProblem(
            f"{health.path} answers {response.status}{target}, not {health.status}"
            f"{response.beginning and ':'}{response.beginning}"
            f"\n    ({likely_cause(health, response)})"
        )
        reason.is_permanent = 300 <= response.status < 500
        return reason
    if server and response.server != server:
        return HealthProblem(
            f"{health.path} is answered by {response.server or '?'}, never by {server}"
        )
    return None


def likely_cause(health: Health, response: Response) -> str:
    """A hint about the settings to look at."""
    if response.status == 400:
        return (
            f"the Host header was {health.host!r}, from healthHost: an application that checks"
            " it, as Django does with ALLOWED_HOSTS, must accept that name"
        )
    if response.redirects_to_https:
        return (
            "it redirects to HTTPS even when X-Forwarded-Proto is https: the application must"
            " trust that header, as Django does with SECURE_PROXY_SSL_HEADER"
        )
    return "healthPath and healthStatus set the path to request and the status to expect"


def wait_for_health(
    health: Health,
    where: Path | int | str,
    seconds: float,
    should_abort: Callable[[], bool] = lambda: False,
    server: str = "",
) -> str | None:
    """Check until healthy, timed out or `should_abort`; None if healthy, otherwise why not."""
    deadline = time.monotonic() + seconds
    next_abort_check = time.monotonic() + 1
    requests = 0
    last, since = "", time.monotonic()
    while True:
        left = deadline - time.monotonic()
        reason = health_problem(health, where, min(max(left, 0.1), 10), server)
        if reason is None:
            return None
        if time.monotonic() >= deadline:
            return f"{reason}\n    (tried for {seconds:.0f} s)"
        if reason != last:
            last, since = reason, time.monotonic()
        elif reason.is_permanent and time.monotonic() >= since + SECONDS_UNCHANGED:
            return f"{reason}\n    (the same for {SECONDS_UNCHANGED} s)"
        if time.monotonic() >= next_abort_check:
            if should_abort():
                return f"{reason}\n    (and the unit has failed)"
            next_abort_check = time.monotonic() + 1
        # With jitter: two servers that check in step through a round-robin load balancer would
        # always reach each other, and never themselves.
        requests += 1
        quick = isinstance(where, str) and requests < QUICK_REQUESTS
        pause = SECONDS_BETWEEN_QUICK_REQUESTS if quick else SECONDS_BETWEEN_CHECKS
        time.sleep(pause * (0.5 + os.urandom(1)[0] / 255))

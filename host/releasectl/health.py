"""Asking an application whether it is well."""

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


#: A load balancer answers from any of its servers: so many times it is asked at once for this one.
ASKED_AT_ONCE = 50


SECONDS_BETWEEN_ASKS = 0.005


#: An answer such as 301 or 404 that is the same for so long will not change by itself.
SECONDS_UNCHANGED = 3


#: Between two looks at whether a healthy release stays so.
SECONDS_BETWEEN_LOOKS = 0.5


#: Where an instance has how it is asked for its health.
HEALTH_FILE = "health.json"


#: In the folder of the configuration: what nginx-site.conf includes for a load balancer's checks.
ASKED_AS_FILE = "asked-as.conf"


class Health:
    """How an instance is asked whether it is well."""

    def __init__(self, host: str, path: str, status: int) -> None:
        self.host, self.path, self.status = host, path, status

    @classmethod
    def of(cls, settings: Settings) -> Health:
        return cls(settings.health_host, settings.health_path, settings.health_status)

    def to_bytes(self) -> bytes:
        return json.dumps(vars(self), sort_keys=True).encode()


class Answer:
    """An answer, as far as it is looked at."""

    def __init__(self, status: int, body: str, server: str, location: str) -> None:
        self.status, self.server, self.location = status, server, location
        self.beginning = "".join(f"\n    {line}" for line in body.strip().splitlines()[:BODY_LINES])

    @property
    def leads_to_https(self) -> bool:
        return 300 <= self.status < 400 and self.location.startswith("https:")


class Unwell(str):
    """Why an instance is not well; `lasting` where its answer will not change by itself."""

    lasting = False


def ask(
    health: Health, where: Path | int | str, path: str, seconds: float, scheme: str = "http"
) -> Answer | str:
    """Ask for a path on a UNIX socket, a port of this server or another address, or say why not.

    `scheme` is how a visitor came; nginx, on ports and addresses, says that itself.
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
            place = ("127.0.0.1", where) if isinstance(where, int) else (where, 80)
            self.sock = socket.create_connection(place, seconds)

    connection = Connection("localhost", timeout=seconds)
    try:
        headers = {"Host": health.host, "User-Agent": "releasectl", "Connection": "close"}
        headers["X-Forwarded-Proto"] = scheme
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read(4096).decode("utf-8", "replace")
        server, location = (answer.getheader(name, "") for name in ("X-Slipway-Server", "Location"))
        return Answer(answer.status, body, server, location)
    except (OSError, http.client.HTTPException) as error:
        nobody = isinstance(error, (FileNotFoundError, ConnectionRefusedError))
        told = "nothing listens there" if nobody else error or type(error).__name__
        return f"{path} gives no answer: {told}"
    finally:
        connection.close()


def unhealthy(
    health: Health, where: Path | int | str, seconds: float, server: str = ""
) -> Unwell | None:
    """Ask once for the health path; None is healthy, else why not.

    With `server`, only an answer of the one of that name counts: a load balancer asks many.
    """
    answer = ask(health, where, health.path, seconds)
    redirected = not isinstance(answer, str) and answer.leads_to_https
    if redirected and isinstance(where, Path):
        # It may be meant for visitors who come over HTTPS, as somebody's proxy in front lets them.
        answer = ask(health, where, health.path, seconds, "https")
        redirected = False
    if isinstance(answer, str):
        return Unwell(answer)
    # How it serves those was asked on its socket; further outside, the redirect is right.
    if answer.status != health.status and not redirected:
        said = f" ({answer.location})" if answer.location else ""
        reason = Unwell(
            f"{health.path} answers {answer.status}{said}, not {health.status}"
            f"{answer.beginning and ':'}{answer.beginning}\n    ({likely_cause(health, answer)})"
        )
        reason.lasting = 300 <= answer.status < 500
        return reason
    if server and answer.server != server:
        return Unwell(f"{health.path} is answered by {answer.server or '?'}, never by {server}")
    return None


def likely_cause(health: Health, answer: Answer) -> str:
    """Which settings it is about, for whoever has to change one of them."""
    if answer.status == 400:
        return (
            f"it was asked as {health.host!r}, which healthHost says: an application that knows"
            " its names, as Django by ALLOWED_HOSTS, has to know that one"
        )
    if answer.leads_to_https:
        return (
            "it sends to HTTPS also whoever comes over HTTPS, which X-Forwarded-Proto says: an"
            " application that looks there, as Django by SECURE_PROXY_SSL_HEADER, serves them"
        )
    return "healthPath and healthStatus say what it is asked for, and what it has to answer"


def wait_for_health(
    health: Health,
    where: Path | int | str,
    seconds: float,
    in_vain: Callable[[], bool] = lambda: False,
    server: str = "",
) -> str | None:
    """Ask until it is healthy, the seconds are over or there is no hope; None, or else why not."""
    deadline = time.monotonic() + seconds
    next_look = time.monotonic() + 1
    asked = 0
    last, since = "", time.monotonic()
    while True:
        left = deadline - time.monotonic()
        reason = unhealthy(health, where, min(max(left, 0.1), 10), server)
        if reason is None:
            return None
        if time.monotonic() >= deadline:
            return f"{reason}\n    (tried for {seconds:.0f} s)"
        if reason != last:
            last, since = reason, time.monotonic()
        elif reason.lasting and time.monotonic() >= since + SECONDS_UNCHANGED:
            return f"{reason}\n    (the same for {SECONDS_UNCHANGED} s)"
        if time.monotonic() >= next_look:
            if in_vain():
                return f"{reason}\n    (and the unit has failed)"
            next_look = time.monotonic() + 1
        # Not evenly: a load balancer that takes its servers in turn would show two that ask in step
        # each other for ever, and never themselves.
        asked += 1
        at_once = isinstance(where, str) and asked < ASKED_AT_ONCE
        pause = SECONDS_BETWEEN_ASKS if at_once else SECONDS_BETWEEN_CHECKS
        time.sleep(pause * (0.5 + os.urandom(1)[0] / 255))

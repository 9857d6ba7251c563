"""Ask for every site as a visitor would.

An update has gone well only if what is asked from outside answers well, on every server.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cli.console import fail, say
from cli.engine.state import outputs

#: How long visitors may be answered wrongly after an update: a load balancer takes some seconds to
#: find a server well (components/network/load_balancer.py).
SECONDS = 30
SECONDS_BETWEEN_ASKS = 0.1
SECONDS_FOR_AN_ANSWER = 10
#: The page of maintenance does not tell the servers apart.
PAGES_OF_MAINTENANCE = 4


@dataclass(frozen=True, kw_only=True)
class Visit:
    """How one site is asked, as the stack's output `visits` says."""

    host: str
    path: str
    status: int
    maintenance: bool
    balanced: bool
    open: bool
    """Whether anybody may come, so that this machine has to be answered too."""


class UnreachableError(Exception):
    """There was no answer at all."""


def ask(url: str, visit: Visit) -> tuple[int, str, str]:
    """Status, Location and the server's name."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(
        place.hostname or "", place.port or 80, timeout=SECONDS_FOR_AN_ANSWER
    )
    try:
        headers = {"Host": visit.host, "User-Agent": "slipway", "Connection": "close"}
        connection.request("GET", visit.path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        names = ("Location", "X-Slipway-Server")
        location, server = (answer.getheader(name) or "" for name in names)
        return answer.status, location, server
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"gives no answer: {error or type(error).__name__}") from None
    finally:
        connection.close()


def leads_to_https(status: int, location: str) -> bool:
    """Whether it is the answer to a visitor who should have come over HTTPS, as by a proxy."""
    return 300 <= status < 400 and location.startswith("https:")


def problem_of(url: str, visit: Visit, servers: Sequence[str], seconds: float) -> str | None:
    """Ask until every server has answered well with no bad answer between; None, or else why not.

    Raises:
        UnreachableError: nobody has answered in all that time.
    """
    wanted = 503 if visit.maintenance else visit.status
    deadline = time.monotonic() + seconds
    unseen, pages, problem = set(servers), 0, ""
    while True:
        reached = True
        try:
            status, location, server = ask(url, visit)
        except UnreachableError as error:
            reached, problem = False, str(error)
        else:
            if status == wanted or leads_to_https(status, location):
                unseen.discard(server)
                pages += 1
                problem = f"is answered well, but not by {', '.join(sorted(unseen))}"
                if visit.maintenance and pages >= PAGES_OF_MAINTENANCE:
                    return None
                if not visit.maintenance and (not visit.balanced or not unseen):
                    return None
            else:
                unseen, pages = set(servers), 0
                problem = f"answers {status}{f' ({location})' if location else ''}, not {wanted}"
        if time.monotonic() >= deadline:
            if not reached:
                raise UnreachableError(problem)
            return problem
        time.sleep(SECONDS_BETWEEN_ASKS)


def require_well_served(stack: str) -> str:
    """The address that visitors come to; ends the command, saying why, where they fare badly."""
    known = outputs(stack)
    for name, visit in visits(known).items():
        for url in places(known, visit):
            asked = f"{url.rstrip('/')}{visit.path} (asked as {visit.host})"
            try:
                problem = problem_of(url, visit, [each["server"] for each in known["web"]], SECONDS)
            except UnreachableError as error:
                if not visit.open:
                    say(f"{stack}: {asked} {error}: not everybody may come, so that says nothing")
                    continue
                problem = str(error)
            if problem:
                fail(
                    f"{stack}: visitors of {name} are not served as they should be:"
                    f" {asked} {problem}. scripts/status {stack} says more,"
                    f" scripts/rollback {stack} goes back"
                )
    _tell_of_https(stack, known)
    return str(known["url"])


def _tell_of_https(stack: str, known: Mapping[str, Any]) -> None:
    """It may come later: a name has to lead here first, and the servers go on trying."""
    if not known.get("https"):
        return
    from cli.provider import local_cloud
    from cli.servers import certificates, visit_https

    problems = list(visit_https.problems(known, local_cloud.roots()))
    if problems and known.get("certificates"):
        certificates.hurry(stack)
        problems = list(visit_https.problems(known, local_cloud.roots()))
    for problem in problems:
        say(f"{stack}: {problem}. scripts/certificates {stack} says what it waits for")


def visits(known: Mapping[str, Any]) -> dict[str, Visit]:
    """By the name of the site."""
    return {name: Visit(**each) for name, each in known["visits"].items()}


def places(known: Mapping[str, Any], visit: Visit) -> list[str]:
    """Where visitors come in: one address, or without a load balancer each server's."""
    url = str(known["entrance"])
    if visit.balanced or len(known["web"]) == 1:
        return [url]
    port = urlsplit(url).port
    return [f"http://{each['address']}{f':{port}' if port else ''}/" for each in known["web"]]

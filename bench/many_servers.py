"""Cases with several web servers behind a load balancer; in the end there is one again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.processors import Processors
from bench.site import SITE, Site
from bench.work import Values, expect, expect_new_release, settle
from tests.visitors import Answer, Visitors

RELEASES = 20
CONNECTIONS = 64
# So that all of them keep asking, and the servers are busy but not at their end.
PAUSE_SECONDS = 0.5
# Around the moment in which the first visitor sees a release: four servers switch one after the
# other, and what served before ends.
SECONDS_BEFORE, SECONDS_AFTER = 0.5, 3


def measure_eight(site: Site) -> Values:
    """The same work on one server and on eight, one after the other."""
    settle(site)
    values: Values = {}
    for servers in (1, 8):
        with _servers(site, servers):
            values[f"nothing on {servers}"] = site.up().seconds
            before = site.outputs()["release"]["id"]
            heading = site.new_edition()
            by_then = Processors.used(site)
            values[f"code on {servers}"] = site.up().seconds
            used = Processors.used(site).since(by_then)
            values[f"code on {servers}, of processors"] = used.all
            values[f"code on {servers}, of processors by servers"] = used.servers
            expect_new_release(site, before, heading)
            expect(len(site.outputs()["web"]) == servers, f"there should be {servers} servers")
    for what in ("nothing", "code"):
        values[f"{what}, 8 to 1"] = values[f"{what} on 8"] / values[f"{what} on 1"]
    return values


def measure_fleet(site: Site) -> Values:
    """Releases one after the other, and a rollback, while visitors come in by the balancer."""
    settle(site)
    with _servers(site, 4):
        served = [site.outputs()["release"]["id"]]
        with Visitors(SITE, connections=CONNECTIONS, pause=PAUSE_SECONDS) as visitors:
            for _ in range(RELEASES):
                site.new_edition()
                site.up()
                served.append(site.outputs()["release"]["id"])
            rollback = site.run("scripts/rollback local")
            time.sleep(1)
        expect(len(set(served)) == RELEASES + 1, "each release should have been another one")
        expect(set(visitors.seen) == set(served), "visitors should have seen every release")
        expect(site.released(site.page()) == served[-2], f"{served[-2]} should serve again")
        settle(site)
    at_a_switch, others = split_at_switches(visitors.good, [*served, served[-2]])
    worst, usual = _worst(at_a_switch), _worst(others)
    return {
        "failed": visitors.failed,
        "requests": len(visitors.answers),
        "worst at a switch": worst * 1000,
        "worst at other times": usual * 1000,
        "worst, a switch to other times": worst / usual,
        "rollback": rollback.seconds,
    }


def split_at_switches(
    answers: Sequence[Answer], served: Sequence[str]
) -> tuple[list[Answer], list[Answer]]:
    """The answers to requests of the moments of a switch, and all others; pure.

    Args:
        answers: good ones, which say the release they came from.
        served: the releases, in the order in which they served.
    """
    moments: list[float] = []
    for release in served[1:]:
        # By then nothing of the release before is left that could come again by a rollback.
        since = moments[-1] + SECONDS_AFTER if moments else 0.0
        seen = [each.began for each in answers if each.said == release and each.began > since]
        moments.append(min(seen))
    near: list[Answer] = []
    far: list[Answer] = []
    for each in answers:
        ended = each.began + each.seconds
        at_a_switch = any(
            moment - SECONDS_BEFORE <= ended and each.began <= moment + SECONDS_AFTER
            for moment in moments
        )
        (near if at_a_switch else far).append(each)
    return near, far


def _worst(answers: Sequence[Answer]) -> float:
    return max(each.seconds for each in answers)


@contextmanager
def _servers(site: Site, number: int) -> Iterator[None]:
    """So many small web servers for a while, with nothing to do."""
    site.set(webCount=number, workers=2)
    site.up()
    site.up()
    try:
        yield
    finally:
        site.set(webCount=None, workers=None)
        site.up()

"""What an update has to do to put right what is not as the last one left it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from cli.console import fail, say
from cli.project import sites
from cli.servers.finding import Finding, Level
from cli.servers.status_report import StatusReport

#: What a repair has started gets to be well: an application pauses up to 20 s before it tries again
#: to reach a database that is back.
SECONDS_TO_SETTLE = 60


@dataclass(frozen=True, kw_only=True)
class Repair:
    release: str
    """The one that serves, whatever the application's folder holds by now."""
    held_sites: dict[str, str]
    """Settings that have each further site stay with its release."""
    urns: list[str]
    """The resources to run again."""


def plan(stack: str, servers: Sequence[str] = (), *, again: bool = False) -> Repair | None:
    """Look at the servers, and say what is to be repaired; None where nothing is.

    Args:
        stack: the environment.
        servers: names of some of its servers; empty for all.
        again: something was just put right, and gets its time before it is judged.

    Raises:
        CommandError: something is wrong that an update of resources does not help against.
    """
    deadline = time.monotonic() + (SECONDS_TO_SETTLE if again else 0)
    if options := [word for word in servers if word.startswith("-")]:
        fail(f"unknown argument {options[0]!r} (allowed: names of servers, --help)")
    report = StatusReport.of(stack)
    chosen = {report.fleet.find(name).name for name in servers}
    while True:
        found = [each for each in report.findings if not chosen or each.server in chosen]
        urns = targets(found)
        ill = any(each.level is Level.CRITICAL for each in found)
        if urns or not ill or time.monotonic() >= deadline:
            break
        time.sleep(1)
        report = StatusReport.of(stack)
    if not urns:
        # Only now: what is wrong beside something that can be repaired may come from it.
        _refuse_what_remains([each for each in found if each.level > Level.WELL])
        return None
    if report.release is None:
        fail(f"{stack} has no release yet: scripts/up {stack} goes on with the first update")
    for finding in found:
        if finding.repair:
            say(f"to repair: {_said(finding)}")
    return Repair(release=report.release, held_sites=_held_sites(report), urns=urns)


def _held_sites(report: StatusReport) -> dict[str, str]:
    held = {}
    for site in sites.all_of(report.stack):
        if site.number is not None:
            release = report.sites.get(site.name)
            if not release:
                fail(f"{site.name} was never up: scripts/up {report.stack} makes it")
            held[site.path("release")] = release
    return held


def _refuse_what_remains(found: Sequence[Finding]) -> None:
    for finding in found:
        say(f"not for a repair: {_said(finding)}")
        if finding.advice:
            say(f"    {finding.advice}")
    if found:
        fail("")


def targets(found: Sequence[Finding]) -> list[str]:
    """The resources to run again, each once."""
    return list(dict.fromkeys(urn for finding in found for urn in finding.repair))


def _said(finding: Finding) -> str:
    text = finding.text.splitlines()[0]
    return f"{finding.server}: {text}" if finding.server else text

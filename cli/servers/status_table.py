"""The state of an environment as a table for a person, or as a map for a program."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.servers.finding import DAY, Level
from cli.servers.findings import RUNNING
from cli.servers.status_report import StatusReport

_COLOURS = {Level.WELL: "dim", Level.WARNING: "yellow", Level.CRITICAL: "bold red"}


def to_dict(report: StatusReport) -> dict[str, Any]:
    """For programs: facts as they were found, and what they come to."""
    return {
        "stack": report.stack,
        "looked_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": int(report.level),
        "release": report.release,
        "sites": report.sites,
        "held": report.held,
        "balancer": report.balancer,
        "servers": [
            {
                "server": server.name,
                "name": server.hostname,
                "address": server.address,
                "reachable": server.name in report.facts,
                **report.facts.get(server.name, {}),
            }
            for server in report.fleet.servers.values()
        ],
        "findings": [
            {**asdict(each), "level": each.level.name.lower()} for each in report.findings
        ],
    }


def show(report: StatusReport, console: Console, *, repairable: bool) -> None:
    colour = _COLOURS[report.level] if report.level else "green"
    console.print(f"{report.stack}: {_summary(report)}", style=colour)
    console.print(_table(report))
    for finding in report.findings:
        where = f"{finding.server}: " if finding.server else ""
        advice = f"\n    {finding.advice}" if finding.advice else ""
        text = escape(f"{where}{finding.text}{advice}")
        console.print(f"[{_COLOURS[finding.level]}]{text}[/]", soft_wrap=True)
    if repairable and any(each.repair for each in report.findings):
        console.print(f"scripts/repair {report.stack} puts it right", style="bold")


def _summary(report: StatusReport) -> str:
    counts = [
        (sum(each.level is level for each in report.findings), word)
        for level, word in ((Level.CRITICAL, "down"), (Level.WARNING, "not as it should be"))
    ]
    said = ", ".join(f"{count} {word}" for count, word in counts if count)
    return said or "all is well"


def _table(report: StatusReport) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("server", "serves", "load", "memory", "disk", "up", "certificate"):
        table.add_column(heading, no_wrap=True)
    table.add_column("last change")
    for server in report.fleet.servers.values():
        facts = report.facts.get(server.name)
        worst = max((f.level for f in report.findings if f.server == server.name), default=0)
        style = _COLOURS[Level(worst)] if worst else None
        cells = _cells(facts) if facts else ["no answer"]
        table.add_row(server.name, *map(escape, cells), style=style)
    return table


def _cells(facts: dict[str, Any]) -> list[str]:
    memory, disk = facts["memory"], facts["disk"]
    ends = [end for end in facts["certificates"].values() if end is not None]
    sites = facts.get("https", {}).values()
    ends += [
        each["ends"]
        for each in sites
        if isinstance(each, dict) and each.get("placeholder") is False
    ]
    return [
        _serves(facts),
        f"{facts['load']:.1f}/{facts['processors']}",
        f"{memory['used'] / memory['total']:.0%} of {memory['total'] / 2**30:.1f}G",
        f"{disk['used'] / disk['total']:.0%} of {disk['total'] / 2**30:.0f}G",
        _duration(facts["uptime"]),
        f"{(min(ends) - facts['time']) / DAY:.0f} days" if ends else "-",
        _change(facts.get("last_change"), facts["time"]),
    ]


def _serves(facts: dict[str, Any]) -> str:
    if "postgresql" in facts:
        database = facts["postgresql"]
        return f"PostgreSQL {database['version']}" if database["accepts"] else "nothing"
    first = _release(facts.get("application", {}))
    further = [f"{name} {_release(each)}" for name, each in facts.get("sites", {}).items()]
    return ", ".join([first, *further])


def _release(application: dict[str, Any]) -> str:
    well = application.get("unit_state") in RUNNING and not application.get("problem")
    return str(application.get("current")) if well else "nothing"


def _change(entry: dict[str, Any] | None, now: float) -> str:
    """What was last done there, when and by whom."""
    if not entry:
        return "-"
    try:
        ago = _duration(now - datetime.fromisoformat(str(entry["at"])).timestamp())
    except (KeyError, ValueError):
        return "-"
    failed = " failed" if entry.get("outcome") == "failed" else ""
    return f"{entry.get('what')}{failed} {ago} ago by {entry.get('by')}"


def _duration(seconds: float) -> str:
    for size, unit in ((DAY, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"

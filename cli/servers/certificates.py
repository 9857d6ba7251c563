"""The certificates of an environment's sites, as its web servers have and serve them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from cli.console import fail, say
from cli.engine.state import outputs
from cli.servers.finding import DAY
from cli.servers.fleet import Fleet, Result

SECONDS_FOR_AN_ORDER = 150.0

Found = Mapping[str, Mapping[str, Any]]
"""By server, by site: what `certctl status` prints."""


def look(stack: str, site: str) -> dict[str, dict[str, Any]]:
    """What there is on each web server.

    Args:
        stack: the environment.
        site: one of its sites; empty for all.
    """
    fleet = _with_certificates(stack)
    results = fleet.run_on_all(_certctl("status --leads", site), servers=_web_servers(fleet))
    found = {}
    for server, result in results.items():
        if not result.reached:
            say(f"{server} cannot be reached: {result.errors}")
        elif result.status != 0:
            fail(result.errors.strip() or _ends(server, result))
        else:
            found[server] = json.loads(result.output)
    return found


def renew(stack: str, site: str) -> None:
    """Have the first server that answers order anew, and the others take it from there."""
    fleet = _with_certificates(stack)
    force = "--force "
    for server in _web_servers(fleet):
        command = _certctl(f"keep --hurry {force}".strip(), site)
        (result,) = fleet.run_on_all(
            command, servers=[server], timeout=SECONDS_FOR_AN_ORDER
        ).values()
        if not result.reached:
            say(f"{server} cannot be reached: {result.errors}")
        elif result.status != 0 or "no certificate is ordered" in result.errors:
            said = result.errors.strip().splitlines()
            fail(said[-1] if said else _ends(server, result))
        else:
            force = ""
    if force:
        fail(f"no web server of {stack} can be reached")


def hurry(stack: str) -> None:
    """Have the servers try again at once what they wait for, or what has failed a while ago."""
    fleet = _with_certificates(stack)
    for server in _web_servers(fleet):
        fleet.run_on_all(
            _certctl("keep --hurry", ""), servers=[server], timeout=SECONDS_FOR_AN_ORDER
        )


def _with_certificates(stack: str) -> Fleet:
    known = outputs(stack)
    if not known.get("certificates"):
        if known.get("https"):
            fail(
                f"{stack}: its servers order no certificates: HTTPS ends at the load balancer,"
                " whose certificate DigitalOcean renews, or with one of your own (docs/https.md)"
            )
        fail(
            f"{stack} has no certificates: they come with slipway:serverNames, and"
            f" scripts/up {stack} (docs/https.md)"
        )
    return Fleet.of(stack)


def _web_servers(fleet: Fleet) -> list[str]:
    return [name for name in fleet.servers if name.startswith("web")]


def _ends(server: str, result: Result) -> str:
    """Of a certctl that said nothing, such as one that was killed."""
    return f"{server}: certctl ends with {result.status}"


def _certctl(command: str, site: str) -> str:
    of_site = f"--site {shlex.quote(site)} " if site else ""
    return f"sudo certctl {of_site}{command}"


def table(found: Found) -> Table:
    """For a person: a row for each site on each server."""
    headings = (
        "site",
        "names, and where they lead",
        "server",
        "signed by",
        "lasts",
        "renewed",
        "last time",
        "served",
    )
    shown = Table(*headings, box=None, pad_edge=False, header_style="dim")
    for column in shown.columns:
        column.overflow = "fold"  # on a narrow terminal nothing is cut off
    for site in sorted({each for sites in found.values() for each in sites}):
        for server, sites in found.items():
            if site in sites:
                shown.add_row(site, *_cells(server, sites[site]), style=_style(sites[site]))
    return shown


def _cells(server: str, state: Mapping[str, Any]) -> Iterator[str]:
    leads = state.get("leads", {})
    yield "\n".join(f"{name} → {', '.join(leads.get(name, [])) or '-'}" for name in state["names"])
    yield server
    if "ends" not in state or state["placeholder"]:
        yield from ("nobody yet", "-", "-")
    else:
        yield state["issuer"]
        yield f"{state['life_left'] * (state['ends'] - state['begins']) / DAY:.0f} days"
        yield f"{datetime.fromtimestamp(state['renewed_from'], UTC):%Y-%m-%d}"
    last = state["last"]
    yield f"{last['outcome'] or '-'}{': ' if last['reason'] else ''}{last['reason']}"
    yield state["serial"][:12] if state.get("served") else "something else"


def _style(state: Mapping[str, Any]) -> str | None:
    return None if state.get("served") and not state["placeholder"] else "yellow"

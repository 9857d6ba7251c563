"""An environment as it is now: every server looked at, at once, and what is wrong with it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cli.console import fail, say
from cli.engine import update_lock
from cli.engine.state import by_name, exported
from cli.paths import ROOT
from cli.project import environments
from cli.project.sites import all_of as all_sites
from cli.provider import strays
from cli.provider.account import NotAskedError
from cli.servers import findings
from cli.servers.desired_state import Expectation, expectations
from cli.servers.finding import Finding, Level
from cli.servers.fleet import Fleet, Result
from components.core import ssh_timeouts

SURVEY = ROOT / "host" / "survey.py"


@dataclass(frozen=True, kw_only=True)
class StatusReport:
    stack: str
    fleet: Fleet
    expectations: dict[str, Expectation]
    facts: dict[str, dict[str, Any]]
    """Of each server that answered, what host/survey.py found."""
    findings: list[Finding]
    """The worst first."""
    release: str | None
    """What is to serve, as the stack's outputs say."""
    sites: dict[str, str | None]
    """The same for each further site."""
    held: bool
    """Whether slipway:release keeps the environment on a release."""
    balancer: str | None
    """Its address, if there is one."""

    @property
    def level(self) -> Level:
        return findings.worst(self.findings)

    @classmethod
    def of(cls, stack: str) -> StatusReport:
        """Look; ends this program where the stack has no state or no server."""
        state = exported(stack)
        resources = state["resources"]
        fleet = Fleet.in_state(stack, by_name(resources))
        if not fleet.servers:
            for each in _strays(stack, state["made"]):
                say(". ".join(filter(None, (each.text, each.advice))))
            fail(f"{stack} has no servers yet: scripts/up {stack} makes them")
        wanted = expectations(resources)
        balancer = _find(resources, "digitalocean:index/loadBalancer:LoadBalancer")
        outputs = (_find(resources, "pulumi:pulumi:Stack") or {}).get("outputs", {})
        with ThreadPoolExecutor(3) as pool:
            unknown = pool.submit(_strays, stack, state["made"])
            entry = pool.submit(_entry_problem, balancer) if balancer else None
            secured = pool.submit(_https_problems, outputs)
            results = fleet.run_on_all(
                "sudo python3 -I -",
                stdin={name: _survey_of(each) for name, each in wanted.items()},
                timeout=ssh_timeouts.STATUS_ANSWER,
            )
        now = time.time()
        release = (outputs.get("release") or {}).get("id")
        sites = {
            name: (each.get("release") or {}).get("id")
            for name, each in (outputs.get("sites") or {}).items()
        }
        facts, found = _read(stack, wanted, results, now)
        found += findings.of_releases(wanted, facts, release, sites)
        if entry and (problem := entry.result()):
            text = f"the load balancer {problem}"
            found.append(Finding(level=Level.CRITICAL, server="", text=text))
        found += [*unknown.result(), *secured.result()]
        settings = environments.file_of(stack).settings
        found += _of_updates(stack, state) + _of_maintenance(facts, settings)
        for site in all_sites(stack):
            if held := site.settings.get("release"):
                text = f"held on release {held} (slipway:{site.path('release')})"
                found.append(Finding(level=Level.WELL, server="", text=text))
        return cls(
            stack=stack,
            fleet=fleet,
            expectations=wanted,
            facts=facts,
            findings=sorted(found, key=lambda each: -each.level),
            release=release,
            sites=sites,
            held=bool(settings.get("release")),
            balancer=balancer["outputs"]["ip"] if balancer else None,
        )


def _find(resources: list[dict[str, Any]], kind: str) -> dict[str, Any] | None:
    return next((each for each in resources if each["type"] == kind), None)


def _survey_of(wanted: Expectation) -> str:
    arguments = (
        *(wanted.system, list(wanted.files), list(wanted.units)),
        *(wanted.application, wanted.postgresql),
        *([tuple(wanted.sites)] if wanted.sites else []),
    )
    return f"{SURVEY.read_text()}\nprint(survey{arguments!r})\n"


def _read(
    stack: str, wanted: Mapping[str, Expectation], results: Mapping[str, Result], now: float
) -> tuple[dict[str, dict[str, Any]], list[Finding]]:
    facts: dict[str, dict[str, Any]] = {}
    found = []
    for server, result in results.items():
        if result.status == 0:
            facts[server] = json.loads(result.output)
            found += findings.of_server(wanted[server], facts[server], stack=stack, now=now)
        else:
            said = result.errors.strip().splitlines() or [f"exit status {result.status}"]
            found.append(findings.unreachable(wanted[server], said[-1], stack=stack))
    return facts, found


def _entry_problem(balancer: Mapping[str, Any]) -> str | None:
    """What is wrong with the way in through the load balancer, asked as a visitor would."""
    outputs = balancer["outputs"]
    rules = outputs["forwardingRules"]
    port = next(each["entryPort"] for each in rules if each["entryProtocol"] == "http")
    connection = http.client.HTTPConnection(outputs["ip"], port, timeout=ssh_timeouts.STATUS)
    try:
        connection.request("GET", outputs["healthcheck"]["path"])
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"({outputs['ip']}) does not answer: {error or type(error).__name__}"
    finally:
        connection.close()
    return f"({outputs['ip']}) answers {status}: no server is well" if status >= 500 else None


def _https_problems(outputs: Mapping[str, Any]) -> list[Finding]:
    """What a browser would warn of, where no certctl on a server tells of it."""
    if not outputs.get("https") or outputs.get("certificates"):
        return []
    from cli.provider import local_cloud
    from cli.servers import visit_https

    problems = visit_https.problems(outputs, local_cloud.roots())
    return [Finding(level=Level.WARNING, server="", text=each) for each in problems]


def _strays(stack: str, resources: list[dict[str, Any]]) -> list[Finding]:
    """Servers and load balancers that are billed and that the state does not know."""
    if strays.is_being_updated(stack):
        return []
    try:
        there = strays.find(stack, resources)
    except NotAskedError as error:
        text = f"could not ask for servers that the state does not know: {error}"
        return [Finding(level=Level.WARNING, server="", text=text)]
    return [
        Finding(
            level=Level.WARNING,
            server="",
            text=f"{each} is there, but the state does not know it: {strays.WHY}",
            advice=f"to destroy it, with all that is on it: {strays.way_out(stack, [each])}",
        )
        for each in there
    ]


def _of_updates(stack: str, state: Mapping[str, Any]) -> list[Finding]:
    """An update that is under way, or that was cut short."""
    locks = update_lock.held(stack)
    living = [lock for lock in locks if not lock.is_dead]
    if living:
        text = f"being updated by {living[0].describe(datetime.now(UTC))}"
        return [Finding(level=Level.WELL, server="", text=text)]
    if locks or state.get("pending_operations"):
        text, advice = "the last update was cut short", f"scripts/up {stack} goes on from there"
        return [Finding(level=Level.WARNING, server="", text=text, advice=advice)]
    return []


def _of_maintenance(
    facts: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any]
) -> list[Finding]:
    """Servers that show visitors the page instead of the site; `scripts/up` makes them agree."""
    shown = {server: each["maintenance"] for server, each in facts.items() if "maintenance" in each}
    where = [server for server, shows in shown.items() if shows]
    if not where:
        return []
    text = f"maintenance is on: {settings.get('maintenance', '')}".removesuffix(": ")
    if len(where) == len(shown):
        return [Finding(level=Level.WELL, server="", text=text)]
    text += f" (on {', '.join(where)} only)"
    return [Finding(level=Level.WARNING, server="", text=text, advice="scripts/up")]

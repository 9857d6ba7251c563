"""What is not as it should be in an environment: from facts to findings; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cli.servers import https_findings as https
from cli.servers.desired_state import OWN_MACHINE, Expectation, WantedFile
from cli.servers.finding import DAY, Finding, Level

DISK_WARNING, DISK_CRITICAL = 0.90, 0.98
MEMORY_WARNING = 0.95
CERTIFICATE_WARNING_DAYS = 14
CLOCK_WARNING_SECONDS = 30
RUNNING = ("active", "running")
"""As systemd and supervisor call it."""


def of_server(
    expectation: Expectation, facts: Mapping[str, Any], *, stack: str, now: float
) -> list[Finding]:
    """What is wrong on a server that was looked at, the worst first.

    Args:
        expectation: what the state says of it.
        facts: what host/survey.py found.
        stack: for the commands in the advice.
        now: the time here when the server said what the time is there.
    """
    found = [
        *_services(expectation, facts, stack),
        *_application(expectation, facts, stack),
        *(each for site in expectation.sites for each in _site(site, expectation, facts, stack)),
        *_packages(expectation, facts),
        *_files(expectation, facts),
        *_resources(expectation.server, facts, stack),
        *_certificates(expectation.server, facts, now),
        *https.of_server(expectation, facts, stack),
        *_clock(expectation.server, facts, now),
    ]
    return sorted(found, key=lambda finding: -finding.level)


def unreachable(expectation: Expectation, why: str, *, stack: str) -> Finding:
    return Finding(
        level=Level.CRITICAL,
        server=expectation.server,
        text=f"does not answer: {why}",
        advice="switch it on if it is off"
        if expectation.machine.endswith(OWN_MACHINE)
        else "switch it on if it is off; if it was destroyed:"
        f" pulumi up --refresh --stack {stack}; to make it anew:"
        f" pulumi up --stack {stack} --replace '{expectation.machine}'",
    )


def of_releases(
    expectations: Mapping[str, Expectation],
    facts: Mapping[str, Mapping[str, Any]],
    wanted: str | None,
    sites: Mapping[str, str | None],
) -> list[Finding]:
    """Servers that serve another release than the outputs of the stack name.

    Args:
        expectations: by server.
        facts: by server.
        wanted: the release of the first site.
        sites: the releases of the further ones, by their names.
    """
    found = []
    for server, each in facts.items():
        for site, release in {"": wanted, **sites}.items():
            serves = _state_of(site, each).get("current")
            if serves and release and serves != release:
                where = f"{site}: " if site else ""
                text = f"{where}serves release {serves}, the stack's outputs say {release}"
                repair = expectations[server].serving_of(site)
                found.append(Finding(level=Level.WARNING, server=server, text=text, repair=repair))
    return found


def _state_of(site: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What releasectl says of a site, by its name; that of the first one is empty."""
    found = facts.get("sites", {}).get(site) if site else facts.get("application")
    return found if isinstance(found, Mapping) else {}


def worst(found: list[Finding]) -> Level:
    return max((finding.level for finding in found), default=Level.WELL)


def _services(expectation: Expectation, facts: Mapping[str, Any], stack: str) -> Iterator[Finding]:
    server = expectation.server
    for unit, wanted in expectation.units.items():
        state = facts["units"].get(unit, {})
        if state.get("active") != "active":
            level = Level.CRITICAL if wanted.serves else Level.WARNING
            text = f"{unit} is {state.get('active') or 'not there'}"
            yield Finding(level=level, server=server, text=text, repair=wanted.repair)
        elif state.get("enabled") in ("disabled", "masked"):
            text = f"{unit} runs, but is {state['enabled']}: it is not started at boot"
            yield Finding(level=Level.WARNING, server=server, text=text, repair=wanted.repair)
    # That service starts the clusters; each is one of its own, which may end alone.
    database, service = facts.get("postgresql"), "postgresql.service"
    if database and not database["accepts"] and facts["units"][service]["active"] == "active":
        yield Finding(
            level=Level.CRITICAL,
            server=server,
            text="PostgreSQL does not accept connections",
            repair=expectation.units[service].repair,
        )
    for unit in facts["failed_units"]:
        # What serves is judged by itself; how an instance ended that no longer does is history.
        applications = (expectation.application, *expectation.sites)
        if unit in expectation.units or unit.partition("@")[0] in applications:
            continue
        yield Finding(
            level=Level.WARNING,
            server=server,
            text=f"{unit} has failed",
            advice=f"scripts/ssh {stack} {server} systemctl status {unit}",
        )


def _application(
    expectation: Expectation, facts: Mapping[str, Any], stack: str
) -> Iterator[Finding]:
    if expectation.application:
        yield from _site("", expectation, facts, stack)


def _site(
    site: str, expectation: Expectation, facts: Mapping[str, Any], stack: str
) -> Iterator[Finding]:
    server, serving = expectation.server, expectation.serving_of(site)
    if not serving:
        return
    state = _state_of(site, facts)
    where = f"{site}: " if site else ""

    def bad(text: str, level: Level = Level.CRITICAL, **more: Any) -> Finding:
        return Finding(level=level, server=server, text=where + text, **more)

    if state.get("error"):
        yield bad(f"what is served cannot be told: {state['error']}")
    elif not state.get("instance"):
        yield bad("no release serves", repair=serving)
    elif state.get("unit_state") not in RUNNING:
        text = f"the application is {state.get('unit_state')} ({state.get('unit')})"
        yield bad(text, repair=serving)
    elif state.get("problem"):
        yield bad(
            f"the application is not well: {state['problem']}",
            advice=f"scripts/logs {stack} {server}",
        )
    else:
        if state.get("entry_problem"):
            text = f"through nginx: {state['entry_problem']}"
            yield bad(text, repair=expectation.units["nginx.service"].repair)
        if state.get("starts_at_boot") is False:
            text = "the application runs, but is not started at boot"
            yield bad(text, Level.WARNING, repair=serving)
        if state.get("refused"):
            text = "serves with the settings before: an update of them was refused, or cut short"
            advice = f"scripts/up {stack} says why, or with the settings before that all is well"
            yield bad(text, Level.WARNING, advice=advice)


def _packages(expectation: Expectation, facts: Mapping[str, Any]) -> Iterator[Finding]:
    for package in facts["missing_packages"] or ():
        yield Finding(
            level=Level.WARNING,
            server=expectation.server,
            text=f"the package {package} is missing",
            repair=expectation.named("packages"),
        )


def _files(expectation: Expectation, facts: Mapping[str, Any]) -> Iterator[Finding]:
    for path, wanted in expectation.files.items():
        text = _difference(wanted, facts["files"].get(path))
        if text:
            yield Finding(
                level=Level.WARNING,
                server=expectation.server,
                text=f"{path} {text}",
                repair=(wanted.urn,),
            )


def _difference(wanted: WantedFile, found: Mapping[str, Any] | None) -> str:
    """Of a file from what is wanted of it; empty where there is none."""
    if found is None:
        return "is missing"
    if found["sha256"] != wanted.sha256:
        if found["sha256"] == found["recorded"]:
            return "is from an update that the stack's state does not know of"
        return "was changed on the server"
    differences = []
    if int(found["mode"], 8) != int(wanted.put.mode, 8):
        differences.append(f"has mode {found['mode']} instead of {wanted.put.mode}")
    if found["owner"] != wanted.put.owner:
        differences.append(f"belongs to {found['owner']} instead of {wanted.put.owner}")
    return " and ".join(differences)


def _resources(server: str, facts: Mapping[str, Any], stack: str) -> Iterator[Finding]:
    disk, memory = (facts[each]["used"] / facts[each]["total"] for each in ("disk", "memory"))
    if disk >= DISK_WARNING:
        level = Level.CRITICAL if disk >= DISK_CRITICAL else Level.WARNING
        advice = f"scripts/ssh {stack} {server} sudo du -xh -d 2 /"
        yield Finding(
            level=level, server=server, text=f"the disk is {disk:.0%} full", advice=advice
        )
    if memory >= MEMORY_WARNING:
        text = f"{memory:.0%} of the memory is in use"
        yield Finding(level=Level.WARNING, server=server, text=text)
    if facts["reboot_required"]:
        text = "an update waits for a reboot"
        advice = f"scripts/ssh {stack} {server} sudo reboot"
        yield Finding(level=Level.WELL, server=server, text=text, advice=advice)


def _certificates(server: str, facts: Mapping[str, Any], now: float) -> Iterator[Finding]:
    for path, end in facts["certificates"].items():
        if end is None:
            text = f"the certificate {path} cannot be read"
            yield Finding(level=Level.WARNING, server=server, text=text)
        elif end <= now:
            text = f"the certificate {path} has run out"
            yield Finding(level=Level.CRITICAL, server=server, text=text)
        elif (days := int((end - now) / DAY)) < CERTIFICATE_WARNING_DAYS:
            text = f"the certificate {path} runs out in {days} days"
            yield Finding(level=Level.WARNING, server=server, text=text)


def _clock(server: str, facts: Mapping[str, Any], now: float) -> Iterator[Finding]:
    off = round(facts["time"] - now)
    if abs(off) > CLOCK_WARNING_SECONDS:
        text = f"its clock is {abs(off)} s {'ahead of' if off > 0 else 'behind'} this machine's"
        yield Finding(level=Level.WARNING, server=server, text=text)

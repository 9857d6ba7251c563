"""What is not as it should be with the certificates of a server's sites; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cli.servers.desired_state import Expectation
from cli.servers.finding import DAY, Finding, Level

LIFE_WARNING = 0.25
"""The part of its life that a certificate has left when something has gone wrong with its renewal:
that begins when a third, or half, is left."""


def of_server(expectation: Expectation, facts: Mapping[str, Any], stack: str) -> Iterator[Finding]:
    """What is wrong on a server that was looked at.

    Args:
        expectation: what the state says of it.
        facts: what host/survey.py found.
        stack: for the commands in the advice.
    """
    found = facts.get("https")
    if not found:
        return
    server = expectation.server
    if error := found.get("error"):
        text = f"what is served over HTTPS cannot be told: {error}"
        yield Finding(level=Level.CRITICAL, server=server, text=text)
        return
    for site, state in found.items():
        repair = expectation.named("certificates") + expectation.named("certificate")
        yield from _of_site(server, site, state, repair, stack)


def _of_site(
    server: str, site: str, state: Mapping[str, Any], repair: tuple[str, ...], stack: str
) -> Iterator[Finding]:
    last = state["last"]

    def bad(text: str, level: Level = Level.CRITICAL, **more: Any) -> Finding:
        return Finding(level=level, server=server, text=f"{site}: {text}", **more)

    again = f"scripts/certificates {stack} renew tries it now"
    if problem := state.get("problem"):
        yield bad(problem, repair=repair)
        return
    if state["placeholder"]:
        names = ", ".join(state["names"])
        reason = last["reason"] or "nothing was ordered yet"
        text = f"there is no certificate for {names} yet: {reason}"
        yield bad(text, Level.WARNING, advice=again)
    elif state["life_left"] <= 0:
        text = f"the certificate has run out: {last['reason'] or 'it was not renewed'}"
        yield bad(text, advice=again)
    elif state["life_left"] < LIFE_WARNING:
        left = (state["ends"] - state["begins"]) * state["life_left"] / DAY
        reason = f": {last['reason']}" if last["reason"] else ""
        text = f"the certificate runs out in {left:.0f} days, and was not renewed{reason}"
        yield bad(text, advice=again)
    elif last["outcome"] == "waiting":
        text = f"there is no certificate for all names yet: {last['reason']}"
        yield bad(text, Level.WARNING, advice=again)
    elif last["outcome"] == "failed":
        yield bad(f"the last renewal failed: {last['reason']}", Level.WARNING, advice=again)
    if not state["served"]:
        yield bad("what nginx serves is not the certificate that is there", repair=repair)

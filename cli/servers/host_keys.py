"""Pin the host keys of servers of one's own, after a person has seen their fingerprints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import click

from cli.console import fail, say
from cli.engine.process import pulumi
from cli.project.environments import settings_of
from components.core.errors import SlipwayError
from components.platform.preflight import fingerprint, is_pinned, pins_of, scan_host_keys
from components.settings import existing_host
from components.settings.existing_host import ExistingHost


def pin(stack: str, accept: Sequence[str]) -> None:
    """Pin each key that a person takes for the server's, or that is among the accepted.

    Args:
        accept: fingerprints.
    """
    settings = settings_of(stack)
    pinned: list[str] = list(settings["hostKeys"])
    new, open_questions = list(pinned), []
    for host, keys in _shown(_hosts(settings["webHosts"], settings["dbHost"])):
        pins = pins_of(host, pinned)
        if any(is_pinned(key, pins) for key in keys):
            say(f"{host.known_as} is pinned already")
            continue
        key = _agreed(host, keys, pins, accept)
        if not key:
            open_questions.append(fingerprint(keys[0]))
            continue
        new = [line for line in new if line.split()[0] not in (host.address, host.known_as)]
        new.append(f"{host.known_as} {key}")
    if open_questions:
        words = " ".join(f"--accept {each}" for each in open_questions)
        fail(f"nothing is pinned; compare with what the servers themselves say, then: {words}")
    if new != pinned:
        _save(stack, new)


def _hosts(web: Sequence[str], db: str) -> list[ExistingHost]:
    hosts = []
    for text in (*web, db):
        try:
            hosts.append(existing_host.parse(text))
        except ValueError:
            fail(f"webHosts or dbHost has {text!r}: must be {existing_host.ALLOWED}")
    return hosts


def _shown(hosts: Sequence[ExistingHost]) -> list[tuple[ExistingHost, list[str]]]:
    def keys_of(host: ExistingHost) -> list[str] | str:
        try:
            return scan_host_keys(host)
        except SlipwayError as error:
            return f"{host.known_as} {error}"

    with ThreadPoolExecutor(max(1, len(hosts))) as pool:
        found = list(zip(hosts, pool.map(keys_of, hosts), strict=True))
    if errors := [keys for _, keys in found if isinstance(keys, str)]:
        fail("\n".join(errors))
    return [(host, keys) for host, keys in found if not isinstance(keys, str)]


def _agreed(
    host: ExistingHost, keys: Sequence[str], pins: Sequence[str], accepted: Sequence[str]
) -> str:
    """The key that a person takes for the server's; empty where there is no person to ask."""
    for key in keys:
        if fingerprint(key) in accepted:
            say(f"{host.known_as} is pinned: {fingerprint(key)}")
            return key
    key = keys[0]
    shown = f"{host.known_as} shows {fingerprint(key)} ({key.split()[0]})"
    if pins:
        before = pins[0] if pins[0].startswith("SHA256:") else fingerprint(pins[0])
        shown += f"; until now {before} is pinned"
    say(shown)
    if not sys.stdin.isatty():
        return ""
    if not click.confirm("Is that the server's?", err=True):
        fail("nothing was pinned")
    return key


def _save(stack: str, lines: Sequence[str]) -> None:
    # The whole list: one that is shorter than before would keep its old end.
    pulumi("config", "rm", "hostKeys", "--stack", stack)
    words = [
        word
        for number, line in enumerate(lines)
        for word in ("--plaintext", f"hostKeys[{number}]={line}")
    ]
    pulumi("config", "set-all", "--path", *words, "--stack", stack)

"""Print, a line each, the release that serves, what further sites stay with (path=id), and the
options of the `pulumi up` that puts right what is not as the last update left it.

Nothing is printed where there is nothing to repair. What is said to the person goes to standard
error. Exit status 1 where all that is wrong is nothing that an update of resources helps against.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from cli.console import fail, say
from cli.project import sites
from cli.servers.condition import Condition
from cli.servers.findings import Finding, Level

#: What a repair has started gets to be well: an application pauses up to 20 s before it tries again
#: to reach a database that is back.
SECONDS_TO_SETTLE = 60


def main(stack: str, *words: str) -> int:
    """With `--repaired` something was just put right, and gets its time before it is judged."""
    servers = [word for word in words if word != "--repaired"]
    deadline = time.monotonic() + (SECONDS_TO_SETTLE if "--repaired" in words else 0)
    if options := [word for word in servers if word.startswith("-")]:
        fail(f"unknown argument {options[0]!r} (allowed: names of servers, --help)")
    condition = Condition.of(stack)
    chosen = {condition.fleet.find(name).name for name in servers}
    while True:
        found = [each for each in condition.findings if not chosen or each.server in chosen]
        urns = targets(found)
        ill = any(each.level is Level.CRITICAL for each in found)
        if urns or not ill or time.monotonic() >= deadline:
            break
        time.sleep(1)
        condition = Condition.of(stack)
    if not urns:
        # Only now: what is wrong beside something that can be repaired may come from it.
        return _say_what_remains([each for each in found if each.level > Level.WELL])
    if condition.release is None:
        fail(f"{stack} has no release yet: scripts/up {stack} goes on with the first update")
    for finding in found:
        if finding.repair:
            say(f"to repair: {_said(finding)}")
    # The release that serves, whatever the application's folder holds by now.
    print(condition.release)  # noqa: T201 - the script that called reads it
    for setting in _held_sites(condition):
        print(setting)  # noqa: T201
    for urn in urns:
        print(f"--target-replace={urn}")  # noqa: T201
    return 0


def _held_sites(condition: Condition) -> list[str]:
    """Settings that have each further site stay with its release, whatever its folder holds."""
    further = [site for site in sites.all_of(condition.stack) if site.number is not None]
    if not further:
        return []
    for site in further:
        if not condition.sites.get(site.name):
            fail(f"{site.name} was never up: scripts/up {condition.stack} makes it")
    return [f"{site.path('release')}={condition.sites[site.name]}" for site in further]


def _say_what_remains(found: Sequence[Finding]) -> int:
    for finding in found:
        say(f"not for a repair: {_said(finding)}")
        if finding.advice:
            say(f"    {finding.advice}")
    return 1 if found else 0


def targets(found: Sequence[Finding]) -> list[str]:
    """The resources to run again, each once."""
    return list(dict.fromkeys(urn for finding in found for urn in finding.repair))


def _said(finding: Finding) -> str:
    text = finding.text.splitlines()[0]
    return f"{finding.server}: {text}" if finding.server else text


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

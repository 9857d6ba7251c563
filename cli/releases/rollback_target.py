"""The release that a rollback goes to.

Without an id it is the one that the outputs know for the previous: asking the servers takes a
quarter of a rollback, and they refuse one that went bad since. With an id or `--force` they are
asked first.
"""

from __future__ import annotations

from cli.console import fail, say
from cli.engine.state import outputs
from cli.project.sites import Site
from cli.releases import release_states, server_releases
from cli.releases.release_states import State
from cli.servers.fleet import Fleet


def target(stack: str, site: Site, wanted: str | None, *, force: bool) -> str:
    """Its id; ends the command where there is none, saying why.

    Args:
        wanted: an id that a person has chosen.
        force: also one that is marked bad, whose mark is taken away.
    """
    known = site.outputs(outputs(stack))
    if not known.get("releases"):
        what = stack if site.number is None else f"{site.name} of {stack}"
        fail(f"{what} has no releases yet: scripts/up {stack} makes the first")
    if wanted is None and not force:
        previous = choose(release_states.of(known, {}), None, force=False)
        if isinstance(previous, State):
            return previous.id
    fleet = Fleet.of(stack)
    answers = server_releases.ask(fleet, site.name)
    for name, answer in answers.items():
        if answer.problem:
            say(f"{name} {answer.problem}")
    states = release_states.of(known, answers)
    chosen = choose(states, wanted, force=force)
    if isinstance(chosen, str):
        fail(chosen)
    if chosen.state == "bad":
        _unmark_bad(fleet, site.name, chosen)
    return chosen.id


def choose(states: list[State], wanted: str | None, *, force: bool) -> State | str:
    """The release to go back to, or why there is none; pure.

    Without a `wanted` id the newest good one before the current; with one, any that is kept. A bad
    one only by `force`.
    """
    there = "; there is: " + (", ".join(f"{each.id} ({each.state})" for each in states) or "none")
    ids = [each.id for each in states]
    if wanted is None:
        current = next((n for n, each in enumerate(states) if each.state == "current"), len(ids))
        allowed = ("previous", "kept", "bad") if force else ("previous", "kept")
        older = [each for each in states[current + 1 :] if each.listed and each.state in allowed]
        if older:
            return older[0]
        serving = ids[current] if current < len(ids) else "none"
        return f"nothing good is older than release {serving}{there}"
    found = next((each for each in states if each.id == wanted), None)
    if found is None:
        return f"there is no release {wanted}{there}"
    if found.state == "current":
        return f"release {wanted} already serves{there}"
    # One that the stack still knows may lie here, or in the bucket: the update looks for it.
    if found.state == "pruned" and not found.listed:
        return f"release {wanted} is on no server any more{there}"
    if not found.listed:
        return f"release {wanted} never served on all servers: scripts/up releases it{there}"
    if found.state == "bad" and not force:
        return f"{'; '.join(found.notes)} (--force goes there all the same)"
    return found


def _unmark_bad(fleet: Fleet, app: str, release: State) -> None:
    """Take the mark away where there is one, or the servers would refuse it."""
    # Only now: the program's modules take Pulumi's SDK along, which takes 0.2 s to import.
    from components.release import performer

    bad = [name for name, state in release.servers.items() if state == "bad"]
    command = (
        f"sudo releasectl --app {app} --by {performer.current_performer()} unmark-bad {release.id}"
    )
    for name, result in fleet.run_on_all(command, servers=bad).items():
        if result.status != 0:
            fail(f"{name}: release {release.id} stays bad: {result.errors.strip()}")

"""Commands: switch, settle and activate."""

from __future__ import annotations

import os

from .app import App
from .connections import answers
from .console import say
from .drain import retire
from .entrance import balancer_of, check_from_outside, check_here, lets_nobody_in, watched
from .pending_switch import flip_to, former_of, keep_promise, promise_way_back, promised
from .prune import prune_old
from .start import show_log, start_release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def switch_release(
    app: App,
    release_id: str,
    settle_within: float = 0,
    watch: float = 0,
    balancer_judges_in: float = 0,
) -> dict[str, Any]:
    """Send the visitors to it, check, and stop what served before once it is idle.

    With `settle_within`, what served before runs on, and serves again by itself unless
    `settle` comes within those seconds: another server may fail, or whoever runs the update.
    For `watch` seconds its health is asked for again and again before it counts as well, and
    behind a load balancer for as long as that takes to turn away a server it finds unwell. One
    that lets nobody in before the switch and after it either says nothing about the release.
    """
    release = app.release(release_id)
    app.require_good(release, after=("start", "switch"))
    instance = app.instance_of(release_id)
    if is_settled(app, instance):
        return switched(app, release_id, changed=False)
    start_release(app, release_id, warm_up=False)
    former = former_of(app, instance)
    was_shut = lets_nobody_in(app)
    if settle_within:
        promise_way_back(app, instance, former, settle_within)
    app.units.enable(instance)
    flip_to(app, instance)
    if balancer_of(app):
        watch = max(watch, balancer_judges_in)
    reason = check_from_outside(app) or watched(app, watch)
    if reason is not None and was_shut and lets_nobody_in(app):
        reason = check_here(app)
        say("the load balancer lets nobody in, as before the switch")
    if reason is not None:
        cause = show_log(app, instance)
        reason += f"\n    {cause}" if cause else ""
        flip_to(app, former)
        keep_promise(app)
        retire(app, [instance])
        back = f"back to {former}" if former else "nothing serves"
        app.fail("switch", release, f"after the switch, {reason}\n    ({back})", instance=instance)
    app.change("switch", release_id, instance=instance)
    if not settle_within:
        stop_former(app, instance)
    return switched(app, release_id, changed=True)


def settle_switch(app: App, release_id: str) -> dict[str, Any]:
    """Every server has switched: what served before will not be needed again."""
    instance = app.instance_of(release_id)
    if app.serving() != instance or not answers(app.current_socket):
        return switch_release(app, release_id)  # it went back by itself before this came
    changed = promised(app) is not None
    keep_promise(app)
    if changed:
        app.change("settle", release_id, instance=instance)
    stop_former(app, instance)
    return switched(app, release_id, changed)


def stop_former(app: App, instance: str) -> None:
    retire(app, [other for other in app.known_instances() if other != instance])
    prune_old(app)


def activate_release(app: App, release_id: str) -> dict[str, Any]:
    """start and switch in one go (a switch starts what does not run)."""
    return switch_release(app, release_id)


def is_settled(app: App, instance: str) -> bool:
    """Whether it serves and nothing of a switch is left to be done."""
    release = instance.split("-")[0]
    last = (app.journal.activations() or [{}])[-1]
    known = app.known_instances()
    return (
        app.serving() == instance == last.get("instance")
        and app.current.is_symlink()
        and str(app.current.readlink()) == f"releases/{release}"
        and instance in known
        and all(each == instance or app.units.is_draining(each) for each in known)
        and answers(app.current_socket)
        and app.units.is_enabled(instance)
    )


def switched(app: App, release_id: str, changed: bool) -> dict[str, Any]:
    instance = app.serving()
    times = [e["at"] for e in app.journal.activations() if e.get("instance") == instance]
    return {
        "id": release_id,
        "changed": changed,
        "instance": instance,
        "activated_at": times[0],
        # Another one for each switch: whoever has to settle it sees that there was one.
        "attempt": os.urandom(6).hex() if changed else "",
        "previous": app.previous(),
    }

"""Commands: switch, confirm and activate."""

from __future__ import annotations

import os

from .app import App
from .connections import is_listening
from .console import say
from .drain import drain_or_stop
from .entrance import balancer_has_no_server, balancer_of, check_from_outside, check_here, observe
from .pending_switch import clear_pending, load_pending, previous_instance, set_pending, swap_links
from .prune import prune_old
from .start import show_log, start_release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def switch_release(
    app: App,
    release_id: str,
    confirm_within: float = 0,
    watch: float = 0,
    watch_behind_balancer: float = 0,
) -> dict[str, Any]:
    """Send visitors to it, check its health, and stop what served before once that has drained.

    With `confirm_within`, what served before keeps running, and serves again unless `confirm` is
    run within that many seconds: another server may fail, or the machine that runs the update.
    The health is checked for `watch` seconds, and behind a load balancer for at least
    `watch_behind_balancer` seconds, after which it would have removed an unhealthy server.
    A load balancer that had no server before the switch and has none after it is no reason to
    reject the release.
    """
    release = app.release(release_id)
    app.require_good(release, after=("start", "switch"))
    instance = app.instance_of(release_id)
    if is_complete(app, instance):
        return switched(app, release_id, changed=False)
    start_release(app, release_id, warm_up=False)
    previous = previous_instance(app, instance)
    had_no_server = balancer_has_no_server(app)
    if confirm_within:
        set_pending(app, instance, previous, confirm_within)
    app.process_manager.enable(instance)
    swap_links(app, instance)
    if balancer_of(app):
        watch = max(watch, watch_behind_balancer)
    reason = check_from_outside(app) or observe(app, watch)
    if reason is not None and had_no_server and balancer_has_no_server(app):
        reason = check_here(app)
        say("the load balancer has no server to send visitors to, as before the switch")
    if reason is not None:
        cause = show_log(app, instance)
        reason += f"\n    {cause}" if cause else ""
        swap_links(app, previous)
        clear_pending(app)
        drain_or_stop(app, [instance])
        back = f"back to {previous}" if previous else "nothing serves"
        app.fail("switch", release, f"after the switch, {reason}\n    ({back})", instance=instance)
    app.journal.add("switch", release_id, instance=instance)
    if not confirm_within:
        stop_previous(app, instance)
    return switched(app, release_id, changed=True)


def confirm_switch(app: App, release_id: str) -> dict[str, Any]:
    """Every server has switched: stop what served before, it will not be needed again."""
    instance = app.instance_of(release_id)
    if app.serving() != instance or not is_listening(app.current_socket):
        return switch_release(app, release_id)  # it was reverted before it was confirmed
    changed = load_pending(app) is not None
    clear_pending(app)
    if changed:
        app.journal.add("confirm", release_id, instance=instance)
    stop_previous(app, instance)
    return switched(app, release_id, changed)


def stop_previous(app: App, instance: str) -> None:
    drain_or_stop(app, [other for other in app.all_instances() if other != instance])
    prune_old(app)


def activate_release(app: App, release_id: str) -> dict[str, Any]:
    """Start and switch in one step: a switch starts what is not running."""
    return switch_release(app, release_id)


def is_complete(app: App, instance: str) -> bool:
    """Whether the instance serves and no step of the switch is missing."""
    release = instance.split("-")[0]
    last = (app.journal.activations() or [{}])[-1]
    present = app.all_instances()
    return (
        app.serving() == instance == last.get("instance")
        and app.current.is_symlink()
        and str(app.current.readlink()) == f"releases/{release}"
        and instance in present
        and all(each == instance or app.process_manager.is_draining(each) for each in present)
        and is_listening(app.current_socket)
        and app.process_manager.is_enabled(instance)
    )


def switched(app: App, release_id: str, changed: bool) -> dict[str, Any]:
    instance = app.serving()
    times = [e["at"] for e in app.journal.activations() if e.get("instance") == instance]
    return {
        "id": release_id,
        "changed": changed,
        "instance": instance,
        "activated_at": times[0],
        # Different for each switch, so that each one is confirmed.
        "attempt": os.urandom(6).hex() if changed else "",
        "previous": app.previous(),
    }

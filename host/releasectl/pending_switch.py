"""A switch that has not been confirmed yet. Unless it is in time, a timer reverts it.

The same idea as the confirmed commit of network equipment (RFC 6241, section 8.4).
"""

from __future__ import annotations

import json
import os
import time

from .app import App
from .connections import is_listening
from .console import say
from .drain import drain_or_stop
from .files import make_link, write_file, write_if_changed
from .health import HEALTH_HOST_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def revert_switch(app: App, pending_id: str = "") -> dict[str, Any]:
    """Undo the pending switch: go back to what served before.

    With `pending_id`, only if that switch is still the pending one.
    """
    pending = load_pending(app)
    if pending is None or pending_id not in ("", pending.get("id")):
        return {"changed": False}
    instance, previous = pending["to"], pending["from"]
    release_id = instance.split("-")[0]
    if previous is not None:  # None for the very first release: it keeps serving
        kept_running = app.process_manager.cancel_drain(previous)
        if not (kept_running and is_listening(app.socket_of(previous))):
            app.process_manager.start(previous, app.settings.health_seconds)
        app.process_manager.enable(previous)
        swap_links(app, previous)
        drain_or_stop(app, [instance])
    clear_pending(app)
    app.journal.add("revert", release_id, instance=instance)
    outcome = f"back to {previous}" if previous else "it serves on, as there is no other"
    say(f"release {release_id} was not confirmed in time: {outcome}")
    return {"id": release_id, "changed": True, "instance": previous}


def set_pending(app: App, instance: str, previous: str | None, seconds: float) -> None:
    """Arrange for a revert after that many seconds, even if the caller is gone by then."""
    before = load_pending(app)
    pending_id = os.urandom(6).hex()
    pending = {"id": pending_id, "to": instance, "from": previous, "until": time.time() + seconds}
    write_file(app.pending_file, json.dumps(pending) + "\n")
    app.process_manager.arm_revert(pending_id, seconds)
    if before is not None:
        app.process_manager.disarm_revert(before.get("id", ""))


def load_pending(app: App) -> dict[str, Any] | None:
    try:
        pending = json.loads(app.pending_file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return pending if isinstance(pending, dict) else None


def clear_pending(app: App) -> None:
    pending = load_pending(app)
    if pending is not None:
        app.pending_file.unlink()
        app.process_manager.disarm_revert(pending.get("id", ""))


def previous_instance(app: App, instance: str) -> str | None:
    """The instance to go back to: what serves now, or served before an interrupted switch."""
    serving = app.serving()
    if serving != instance:
        return serving
    pending = load_pending(app)
    if pending is not None:
        return str(pending["from"]) if pending["from"] else None
    last = str((app.journal.activations() or [{}])[-1].get("instance"))
    return last if last != instance and last in app.all_instances() else None


def swap_links(app: App, instance: str | None) -> None:
    if instance is None:
        app.current_socket.unlink(missing_ok=True)
        app.current.unlink(missing_ok=True)
        return
    target = f"releases/{instance.split('-')[0]}"
    if app.current.is_symlink() and str(app.current.readlink()) != target:
        make_link(app.previous_static, str(app.current.readlink()))
    make_link(app.current, target)
    app.next_static.unlink(missing_ok=True)
    make_link(app.current_socket, str(app.socket_of(instance)))
    write_health_host(app, app.health(instance).host)


def write_health_host(app: App, host: str) -> None:
    """Have nginx set this Host header on the load balancer's checks, which come without one."""
    import subprocess

    if write_if_changed(app.config / HEALTH_HOST_FILE, f'"" "{host}";\n'):
        # A check that fails during the reload does no harm: it takes several to remove a server.
        reload = ["systemctl", "try-reload-or-restart", "nginx"]
        subprocess.run(reload, capture_output=True, check=False)

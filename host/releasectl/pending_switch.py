"""A switch that is not settled yet, and the way back from it, which a timer takes: revert."""

from __future__ import annotations

import json
import os
import time

from .app import App
from .connections import answers
from .console import say
from .drain import retire
from .files import make_link, write_file, write_if_changed
from .health import ASKED_AS_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def revert_switch(app: App, which: str = "") -> dict[str, Any]:
    """Go back to what served before a switch that nobody settled.

    With `which`, the id of a promise, only if it is still that switch.
    """
    promise = promised(app)
    if promise is None or which not in ("", promise.get("id")):
        return {"changed": False}
    instance, former = promise["to"], promise["from"]
    release_id = instance.split("-")[0]
    if former is not None:  # the first release of all has nothing to go back to
        if not (app.units.keep(former) and answers(app.socket_of(former))):
            app.units.start(former, app.settings.health_seconds)
        app.units.enable(former)
        flip_to(app, former)
        retire(app, [instance])
    keep_promise(app)
    app.change("revert", release_id, instance=instance)
    say(f"release {release_id} was not settled in time: back to {former or 'it all the same'}")
    return {"id": release_id, "changed": True, "instance": former}


def promise_way_back(app: App, instance: str, former: str | None, seconds: float) -> None:
    """To go back, whatever becomes of whoever asked for the switch."""
    before = promised(app)
    name = os.urandom(6).hex()
    promise = {"id": name, "to": instance, "from": former, "until": time.time() + seconds}
    write_file(app.pending, json.dumps(promise) + "\n")
    app.units.arm(name, seconds)
    if before is not None:
        app.units.disarm(before.get("id", ""))


def promised(app: App) -> dict[str, Any] | None:
    try:
        promise = json.loads(app.pending.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return promise if isinstance(promise, dict) else None


def keep_promise(app: App) -> None:
    promise = promised(app)
    if promise is not None:
        app.pending.unlink()
        app.units.disarm(promise.get("id", ""))


def former_of(app: App, instance: str) -> str | None:
    """Where to go back to: what serves now, or served before a switch that was cut short."""
    serving = app.serving()
    if serving != instance:
        return serving
    promise = promised(app)
    if promise is not None:
        return str(promise["from"]) if promise["from"] else None
    last = str((app.journal.activations() or [{}])[-1].get("instance"))
    return last if last != instance and last in app.known_instances() else None


def flip_to(app: App, instance: str | None) -> None:
    if instance is None:
        app.current_socket.unlink(missing_ok=True)
        app.current.unlink(missing_ok=True)
        return
    target = f"releases/{instance.split('-')[0]}"
    if app.current.is_symlink() and str(app.current.readlink()) != target:
        make_link(app.former_static, str(app.current.readlink()))
    make_link(app.current, target)
    app.coming_static.unlink(missing_ok=True)
    make_link(app.current_socket, str(app.socket_of(instance)))
    ask_as(app, app.health(instance).host)


def ask_as(app: App, host: str) -> None:
    """Let nginx pass on the checks of a load balancer under this name: they have none."""
    import subprocess

    if write_if_changed(app.config / ASKED_AS_FILE, f'"" "{host}";\n'):
        # It asks again and again before it turns a server away: one between is no harm.
        reload = ["systemctl", "try-reload-or-restart", "nginx"]
        subprocess.run(reload, capture_output=True, check=False)

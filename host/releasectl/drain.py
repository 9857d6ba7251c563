"""Commands: drain-server and drain-instance. Instances that are no longer needed are stopped."""

from __future__ import annotations

import time

from .app import App
from .connections import connections_to, open_connections
from .console import ReleaseError, say
from .files import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


#: A server counts as drained after this long without a connection from a visitor.
IDLE_SECONDS = 2


def drain_server(app: App) -> dict[str, Any]:
    """Wait until no visitor is being served here, at most `drain_seconds`.

    Used before a server is removed: its load balancer already sends it no new visitors.
    """
    deadline = time.monotonic() + app.settings.drain_seconds
    idle_since = time.monotonic()
    while time.monotonic() < idle_since + IDLE_SECONDS:
        time.sleep(0.1)
        if open_connections(app.settings.web_port):
            idle_since = time.monotonic()
            if idle_since >= deadline:
                say(f"requests were not over after {app.settings.drain_seconds} s")
                break
    return {"changed": False}


def drain_or_stop(app: App, instances: Iterable[str]) -> None:
    """Stop instances that get no new visitors.

    One that still has requests is left to a `releasectl drain-instance` in the background.
    """
    for instance in list(instances):
        if not connections_to(app.socket_of(instance)):
            stop_instance(app, instance)
        elif not app.process_manager.is_draining(instance):
            app.process_manager.disable(instance)
            app.process_manager.drain(instance)


def drain_instance(app: App, instance: str) -> dict[str, Any]:
    """Wait until an instance has no requests, at most `drain_seconds`, then stop it.

    Runs without the lock: a command that needs the instance again stops this one (`cancel_drain`).
    """
    if instance == app.serving():
        raise ReleaseError(f"{instance} serves: without it visitors would get no answer")
    deadline = time.monotonic() + app.settings.drain_seconds
    while connections_to(app.socket_of(instance)):
        if time.monotonic() >= deadline:
            say(f"{instance}: requests were not over after {app.settings.drain_seconds} s")
            app.process_manager.stop_now(instance)
            break
        time.sleep(0.05)
    stop_instance(app, instance)
    return {"changed": True, "instance": instance}


def stop_instance(app: App, instance: str) -> None:
    app.process_manager.disable(instance)
    app.process_manager.stop(instance)
    app.socket_of(instance).unlink(missing_ok=True)
    forget_attempts(app, instance)
    app.process_manager.remove(instance)
    remove_tree(app.instances / instance)


def forget_attempts(app: App, instance: str) -> None:
    """Reset the start counter of `serve`, which delays frequent restarts: start without delay."""
    (app.run / f"{instance}.attempts").unlink(missing_ok=True)

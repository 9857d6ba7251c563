"""Commands: idle and drain; instances that nobody needs any more are stopped."""

from __future__ import annotations

import time

from .app import App
from .connections import connections_to, visitors_at
from .console import ReleaseError, say
from .files import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


#: How long no visitor may have been served before a server counts as idle.
SECONDS_OF_QUIET = 2


def wait_until_idle(app: App) -> dict[str, Any]:
    """Wait until no visitor is being served here, at most `drain_seconds`.

    For a server that is to go: no new ones come, for its load balancer has let go of it.
    """
    deadline = time.monotonic() + app.settings.drain_seconds
    quiet_since = time.monotonic()
    while time.monotonic() < quiet_since + SECONDS_OF_QUIET:
        time.sleep(0.1)
        if visitors_at(app.settings.web_port):
            quiet_since = time.monotonic()
            if quiet_since >= deadline:
                say(f"requests were not over after {app.settings.drain_seconds} s")
                break
    return {"changed": False}


def retire(app: App, instances: Iterable[str]) -> None:
    """Stop instances no visitor is sent to any more: once their requests have ended.

    Nobody waits for that: one that has requests is left to a `releasectl drain` of its own.
    """
    for instance in list(instances):
        if not connections_to(app.socket_of(instance)):
            stop_instance(app, instance)
        elif not app.units.is_draining(instance):
            app.units.disable(instance)
            app.units.drain(instance)


def drain_instance(app: App, instance: str) -> dict[str, Any]:
    """Wait until an instance has no requests, at most `drain_seconds`, then stop it.

    Without the lock: whoever wants the instance again ends this first (`Units.keep`).
    """
    if instance == app.serving():
        raise ReleaseError(f"{instance} serves: visitors would be sent to nobody")
    deadline = time.monotonic() + app.settings.drain_seconds
    while connections_to(app.socket_of(instance)):
        if time.monotonic() >= deadline:
            say(f"{instance}: requests were not over after {app.settings.drain_seconds} s")
            app.units.end(instance)
            break
        time.sleep(0.05)
    stop_instance(app, instance)
    return {"changed": True, "instance": instance}


def stop_instance(app: App, instance: str) -> None:
    app.units.disable(instance)
    app.units.stop(instance)
    app.socket_of(instance).unlink(missing_ok=True)
    forget_attempts(app, instance)
    app.units.remove(instance)
    remove_tree(app.instances / instance)


def forget_attempts(app: App, instance: str) -> None:
    """`serve` counts how often it was started lately, and pauses; it is to start at once."""
    (app.run / f"{instance}.attempts").unlink(missing_ok=True)

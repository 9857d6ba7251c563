"""Command: status."""

from __future__ import annotations

from .app import App
from .console import ReleaseError
from .health import health_problem
from .overview import overview
from .pending_switch import load_pending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def status_of(app: App) -> dict[str, Any]:
    instance, port = app.serving(), app.settings.web_port
    health = app.health(instance)
    problem = health_problem(health, app.current_socket, 5) if instance else None
    healthy = instance and problem is None
    return {
        "current": app.serving_release(),
        "previous": app.previous(),
        "instance": instance,
        "unit": app.process_manager.name(instance) if instance else None,
        "draining": [each for each in app.all_instances() if app.process_manager.is_draining(each)],
        "unit_state": app.process_manager.state(instance) if instance else None,
        "starts_at_boot": app.process_manager.is_enabled(instance) if instance else None,
        "problem": problem,
        "entry_problem": health_problem(health, port, 5) if healthy and port else None,
        "refused": bool(instance) and not load_pending(app) and was_refused(app, str(instance)),
        "releases": overview(app),
    }


def was_refused(app: App, instance: str) -> bool:
    """Whether the configuration now on this server differs from that of the serving instance."""
    try:
        return app.instance_of(instance.split("-")[0]) != instance
    except ReleaseError:  # a file is missing, which is reported elsewhere
        return False

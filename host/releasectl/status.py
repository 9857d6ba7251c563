"""Command: status."""

from __future__ import annotations

from .app import App
from .console import ReleaseError
from .health import unhealthy
from .overview import overview
from .pending_switch import promised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def status_of(app: App) -> dict[str, Any]:
    instance, port = app.serving(), app.settings.web_port
    health = app.health(instance)
    problem = unhealthy(health, app.current_socket, 5) if instance else None
    well = instance and problem is None
    return {
        "current": app.serving_release(),
        "previous": app.previous(),
        "instance": instance,
        "unit": app.units.name(instance) if instance else None,
        "draining": [each for each in app.known_instances() if app.units.is_draining(each)],
        "unit_state": app.units.state(instance) if instance else None,
        "starts_at_boot": app.units.is_enabled(instance) if instance else None,
        "problem": problem,
        "entry_problem": unhealthy(health, port, 5) if well and port else None,
        "refused": bool(instance) and not promised(app) and was_refused(app, str(instance)),
        "releases": overview(app),
    }


def was_refused(app: App, instance: str) -> bool:
    """Whether the configuration here is another one than what serves was made from."""
    try:
        return app.instance_of(instance.split("-")[0]) != instance
    except ReleaseError:  # a file of it is missing, which is said elsewhere
        return False

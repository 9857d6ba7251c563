"""What serves, asked as visitors ask: through nginx and the load balancer."""

from __future__ import annotations

import time
from pathlib import Path

from .app import App
from .console import ReleaseError
from .health import ask, wait_for_health

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


#: How long the check after the switch is tried; visitors already see the new release.
SECONDS_TO_PROVE_ITSELF = 5


#: How long the check through the load balancer is tried: it may be slow to find a server well.
SECONDS_FOR_THE_BALANCER = 15


def watch_entrance(app: App, seconds: float) -> dict[str, Any]:
    """Ask for the health of what serves, if anything does, from outside for some time."""
    serving = app.serving()
    reason = (check_from_outside(app) or watched(app, seconds)) if serving else None
    if reason is not None:
        raise ReleaseError(reason)
    return {"instance": serving}


def watched(app: App, seconds: float) -> str | None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        reason = check_from_outside(app)
        if reason is not None:
            return reason
        time.sleep(min(1, max(deadline - time.monotonic(), 0)))
    return None


def check_from_outside(app: App) -> str | None:
    """Why visitors are not served well; None where they are."""
    return check_here(app) or check_through_balancer(app)


def check_here(app: App) -> str | None:
    health, port = app.health(app.serving()), app.settings.web_port
    places: list[tuple[str, Path | int]] = [(f"on {app.current_socket}", app.current_socket)]
    if port:
        places.append((f"through port {port}", port))
    for through, place in places:
        reason = wait_for_health(health, place, SECONDS_TO_PROVE_ITSELF)
        if reason is not None:
            return f"{through}: {reason}"
    return None


def check_through_balancer(app: App) -> str | None:
    balancer, health = balancer_of(app), app.health(app.serving())
    if balancer is None:
        return None
    address, server = balancer
    reason = wait_for_health(health, address, SECONDS_FOR_THE_BALANCER, server=server)
    return None if reason is None else f"through the load balancer at {address}: {reason}"


def lets_nobody_in(app: App) -> bool:
    """Whether the load balancer answers by itself, for want of a server it finds well."""
    balancer, health = balancer_of(app), app.health(app.serving())
    if balancer is None:
        return False
    answer = ask(health, balancer[0], health.path, SECONDS_TO_PROVE_ITSELF)
    return isinstance(answer, str) or (answer.status == 503 and not answer.server)


def balancer_of(app: App) -> tuple[str, str] | None:
    """The address of the load balancer that sends visitors here, and what it knows as us."""
    if not app.settings.balanced:
        return None
    try:
        told = (app.config / "balancer").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    address, server = told.split()
    return address, server

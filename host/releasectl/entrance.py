"""Health of what serves, checked as visitors see it: through nginx and the load balancer."""

from __future__ import annotations

import time
from pathlib import Path

from .app import App
from .console import ReleaseError
from .health import http_get, wait_for_health

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


#: Time-out of the check after the switch. Short, because visitors already see the new release.
SECONDS_AFTER_SWITCH = 5


#: Time-out of the check through the load balancer, which may take a while to see a server as up.
SECONDS_FOR_THE_BALANCER = 15


def watch_entrance(app: App, seconds: float) -> dict[str, Any]:
    """Check the health of what serves, if anything does, from outside for that many seconds."""
    serving = app.serving()
    reason = (check_from_outside(app) or observe(app, seconds)) if serving else None
    if reason is not None:
        raise ReleaseError(reason)
    return {"instance": serving}


def observe(app: App, seconds: float) -> str | None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        reason = check_from_outside(app)
        if reason is not None:
            return reason
        time.sleep(min(1, max(deadline - time.monotonic(), 0)))
    return None


def check_from_outside(app: App) -> str | None:
    """Why visitors are not served; None if they are."""
    return check_here(app) or check_through_balancer(app)


def check_here(app: App) -> str | None:
    health, port = app.health(app.serving()), app.settings.web_port
    targets: list[tuple[str, Path | int]] = [(f"on {app.current_socket}", app.current_socket)]
    if port:
        targets.append((f"through port {port}", port))
    for through, target in targets:
        reason = wait_for_health(health, target, SECONDS_AFTER_SWITCH)
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


def balancer_has_no_server(app: App) -> bool:
    """Whether the load balancer answers 503 itself because no server passes its health check."""
    balancer, health = balancer_of(app), app.health(app.serving())
    if balancer is None:
        return False
    response = http_get(health, balancer[0], health.path, SECONDS_AFTER_SWITCH)
    return isinstance(response, str) or (response.status == 503 and not response.server)


def balancer_of(app: App) -> tuple[str, str] | None:
    """The address of the load balancer in front, and this server's name in X-Slipway-Server."""
    if not app.settings.balanced:
        return None
    try:
        content = (app.config / "balancer").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    address, server = content.split()
    return address, server

"""Command: start a release beside the one that serves."""

from __future__ import annotations

import os
import time
from pathlib import Path

from .app import App
from .connections import is_listening, listening_processes
from .console import say
from .drain import drain_or_stop, forget_attempts, stop_instance
from .files import make_link
from .health import SECONDS_BETWEEN_READINESS_CHECKS, health_problem, http_get, wait_for_health
from .log_excerpt import cause_in, readable
from .pending_switch import load_pending, previous_instance, revert_switch
from .release import Release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


#: More requests than workers, because the kernel picks the worker, and each should be warm.
WARM_UPS_PER_WORKER = 3


TRACEBACK = 5  # lines


def start_release(app: App, release_id: str, warm_up: bool = True) -> dict[str, Any]:
    """Start it beside what serves, and wait until it is healthy, warm and ready on its own socket.

    Without `warm_up`, an instance that is already running counts as warm and ready.
    """
    release = app.release(release_id)
    app.require_good(release, after=("start", "switch"))
    instance = app.instance_of(release_id)
    pending = load_pending(app)
    if pending is not None and instance != pending["to"]:
        revert_switch(app)  # nobody will confirm it any more
    serving = app.serving()
    needed = (instance, serving, previous_instance(app, instance))
    drain_or_stop(app, [other for other in app.all_instances() if other not in needed])
    socket = app.socket_of(instance)
    ran = app.process_manager.cancel_drain(instance) and is_listening(socket)
    app.make_instance(release_id)
    app.process_manager.put(instance)
    if instance != serving:
        make_link(app.next_static, f"releases/{release_id}")
    deadline = time.monotonic() + app.settings.health_seconds
    reason = None
    if not ran:
        forget_attempts(app, instance)
        reason = import_problem(app, release) or app.process_manager.start(
            instance, app.settings.health_seconds
        )
    if reason is None:
        left = max(deadline - time.monotonic(), 1)
        has_failed = app.process_manager.has_failed
        health = app.health(instance)
        reason = wait_for_health(health, socket, left, lambda: has_failed(instance))
    if reason is None and (warm_up or not ran):
        reason = warm_up_problem(app, instance, socket)
    if reason is None and (warm_up or not ran) and instance != serving:
        reason = readiness_problem(app, instance, socket)
    if reason is not None:
        cause = show_log(app, instance)
        reason += f"\n    {cause}" if cause else ""
        if instance != serving:
            app.next_static.unlink(missing_ok=True)
            stop_instance(app, instance)
        app.fail("start", release, reason, instance=instance)
    release.clear_bad("start", "switch")
    if not ran:
        app.journal.add("start", release_id, instance=instance)
    return {"id": release_id, "changed": not ran, "instance": instance}


def readiness_problem(app: App, instance: str, socket: Path) -> str | None:
    """Check that it stays healthy for `min_ready_seconds`; None, or what went wrong.

    A worker that exits counts as a failure, even if it is replaced before any check fails.
    """
    seconds = app.settings.min_ready_seconds
    deadline = time.monotonic() + seconds
    workers: set[int] = set()
    seen_before: set[int] = set()
    while seconds:
        seen = listening_processes(socket)
        # Seen twice: a child that a worker has forked and that is about to exec is not a worker.
        workers |= seen_before & seen
        seen_before = seen
        ended = [each for each in workers if not Path("/proc", str(each)).exists()]
        if ended:
            reason: str | None = f"{len(ended)} of its processes ended by themselves"
        elif app.process_manager.has_failed(instance):
            reason = "the unit has failed"
        else:
            reason = health_problem(app.health(instance), socket, 10)
        if reason is not None:
            return f"{reason}\n    (it was healthy before, and must stay so for {seconds} s)"
        if time.monotonic() >= deadline:
            break
        time.sleep(SECONDS_BETWEEN_READINESS_CHECKS)
    return None


def import_problem(app: App, release: Release) -> str | None:
    """Import the module in the release's own venv; None, or why it cannot be imported.

    For app servers that start even if it cannot: Apache would answer every request with an error,
    uWSGI would restart again and again.
    """
    import subprocess

    if not app.settings.import_first:
        return None
    name, _, application = app.settings.module.partition(":")
    load = f"import importlib; importlib.import_module({name!r}).{application.split('(')[0]}"
    try:
        done = subprocess.run(
            [release.path / ".venv" / "bin" / "python", "-B", "-c", load],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, check=False, timeout=app.settings.health_seconds,
            **app.subprocess_options(release),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{app.settings.module} was not imported after {app.settings.health_seconds} s"
    if done.returncode == 0:
        return None
    lines = "".join(f"\n    {line}" for line in done.stderr.strip().splitlines()[-TRACEBACK:])
    return f"{app.settings.module} cannot be imported:{lines}"


def warm_up_problem(app: App, instance: str, socket: Path) -> str | None:
    """Request the warm-up paths; None, or how one of them failed."""
    if not app.settings.warm_up_paths:
        return None
    from concurrent.futures import ThreadPoolExecutor

    workers = app.settings.workers or 2 * (os.cpu_count() or 1) + 1
    deadline = time.monotonic() + app.settings.health_seconds
    health = app.health(instance)

    def problem_of(path: str) -> str | None:
        left = max(deadline - time.monotonic(), 0.1)
        response = http_get(health, socket, path, left)
        if isinstance(response, str):
            return f"warm-up: {response}"
        if response.status >= 500:
            return f"warm-up: {path} answers {response.status}:{response.beginning}"
        return None

    paths = app.settings.warm_up_paths * workers * WARM_UPS_PER_WORKER
    with ThreadPoolExecutor(workers) as visitors:
        return next(filter(None, visitors.map(problem_of, paths)), None)


def show_log(app: App, instance: str) -> str:
    """Print the end of its log; return the error that it failed with, or an empty string."""
    log = app.process_manager.log(instance)
    if log:
        say(f"the last lines of {app.process_manager.name(instance)}:\n{readable(log)}")
    return cause_in(log, app.base)

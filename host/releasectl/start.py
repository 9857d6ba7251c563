"""Command: start a release beside the one that serves."""

from __future__ import annotations

import os
import time
from pathlib import Path

from .app import App
from .connections import answers, processes_at
from .console import say
from .drain import forget_attempts, retire, stop_instance
from .files import make_link
from .health import SECONDS_BETWEEN_LOOKS, ask, unhealthy, wait_for_health
from .log_excerpt import cause_in, readable
from .pending_switch import former_of, promised, revert_switch
from .release import Release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


#: Each worker is to have answered a warm-up path; who answers is up to the kernel.
WARM_UPS_PER_WORKER = 3


TRACEBACK = 5  # lines


def start_release(app: App, release_id: str, warm_up: bool = True) -> dict[str, Any]:
    """Start it beside what serves; wait until it is healthy on its own socket, warm and steady.

    Without `warm_up` one that runs already is taken for that.
    """
    release = app.release(release_id)
    app.require_good(release, after=("start", "switch"))
    instance = app.instance_of(release_id)
    promise = promised(app)
    if promise is not None and instance != promise["to"]:
        revert_switch(app)  # nobody will settle it any more
    serving = app.serving()
    needed = (instance, serving, former_of(app, instance))
    retire(app, [other for other in app.known_instances() if other not in needed])
    socket = app.socket_of(instance)
    ran = app.units.keep(instance) and answers(socket)
    app.make_instance(release_id)
    app.units.put(instance)
    if instance != serving:
        make_link(app.coming_static, f"releases/{release_id}")
    deadline = time.monotonic() + app.settings.health_seconds
    reason = None
    if not ran:
        forget_attempts(app, instance)
        reason = import_problem(app, release) or app.units.start(
            instance, app.settings.health_seconds
        )
    if reason is None:
        left = max(deadline - time.monotonic(), 1)
        given_up = app.units.given_up
        health = app.health(instance)
        reason = wait_for_health(health, socket, left, lambda: given_up(instance))
    if reason is None and (warm_up or not ran):
        reason = warm_up_problem(app, instance, socket)
    if reason is None and (warm_up or not ran) and instance != serving:
        reason = readiness_problem(app, instance, socket)
    if reason is not None:
        cause = show_log(app, instance)
        reason += f"\n    {cause}" if cause else ""
        if instance != serving:
            app.coming_static.unlink(missing_ok=True)
            stop_instance(app, instance)
        app.fail("start", release, reason, instance=instance)
    release.forgive("start", "switch")
    if not ran:
        app.change("start", release_id, instance=instance)
    return {"id": release_id, "changed": not ran, "instance": instance}


def readiness_problem(app: App, instance: str, socket: Path) -> str | None:
    """Go on asking for its health for `steady_seconds`; None, or else what went wrong.

    A worker that ends is often replaced before anybody could have noticed: its end counts.
    """
    seconds = app.settings.steady_seconds
    deadline = time.monotonic() + seconds
    workers: set[int] = set()
    before: set[int] = set()
    while seconds:
        now_there = processes_at(socket)
        # Not what is there for a moment only, such as a worker's own child before its exec.
        workers |= before & now_there
        before = now_there
        ended = [each for each in workers if not Path("/proc", str(each)).exists()]
        if ended:
            reason: str | None = f"{len(ended)} of its processes ended by themselves"
        elif app.units.given_up(instance):
            reason = "the unit has failed"
        else:
            reason = unhealthy(app.health(instance), socket, 10)
        if reason is not None:
            return f"{reason}\n    (it was healthy before, and has to stay so for {seconds} s)"
        if time.monotonic() >= deadline:
            break
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return None


def import_problem(app: App, release: Release) -> str | None:
    """Import the module in the release's own venv; None, or else why it cannot be imported.

    For an app server that starts all the same: Apache would then answer every request with an
    error, uWSGI would start again and again.
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
            **app.as_the_application(release),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{app.settings.module} was not imported after {app.settings.health_seconds} s"
    if done.returncode == 0:
        return None
    lines = "".join(f"\n    {line}" for line in done.stderr.strip().splitlines()[-TRACEBACK:])
    return f"{app.settings.module} cannot be imported:{lines}"


def warm_up_problem(app: App, instance: str, socket: Path) -> str | None:
    """Ask for the pages that are to be warm; None, or else what one of them answered."""
    if not app.settings.warm_up_paths:
        return None
    from concurrent.futures import ThreadPoolExecutor

    workers = app.settings.workers or 2 * (os.cpu_count() or 1) + 1
    deadline = time.monotonic() + app.settings.health_seconds
    health = app.health(instance)

    def cold(path: str) -> str | None:
        left = max(deadline - time.monotonic(), 0.1)
        answer = ask(health, socket, path, left)
        if isinstance(answer, str):
            return f"warm-up: {answer}"
        if answer.status >= 500:
            return f"warm-up: {path} answers {answer.status}:{answer.beginning}"
        return None

    paths = app.settings.warm_up_paths * workers * WARM_UPS_PER_WORKER
    with ThreadPoolExecutor(workers) as visitors:
        return next(filter(None, visitors.map(cold, paths)), None)


def show_log(app: App, instance: str) -> str:
    """Show the end of its log; the error in there that it fell over with, if there is one."""
    log = app.units.log(instance)
    if log:
        say(f"the last lines of {app.units.name(instance)}:\n{readable(log)}")
    return cause_in(log, app.base)

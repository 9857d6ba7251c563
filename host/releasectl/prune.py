"""Commands: prune and drop."""

from __future__ import annotations

import time

from .app import App
from .console import ReleaseError
from .drain import drain_instance, drain_or_stop
from .files import remove_tree
from .overview import overview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


#: An upload that was not staged within a day never will be.
UPLOAD_LIFETIME_SECONDS = 86400


def prune_releases(app: App) -> dict[str, Any]:
    """Remove the releases that nobody will go back to."""
    serving = app.serving()
    drain_or_stop(app, [other for other in app.all_instances() if other != serving])
    dropped = prune_old(app)
    return {"changed": bool(dropped), "dropped": dropped}


def prune_old(app: App) -> list[str]:
    """Remove all but the best `keep_releases`: first those that have served, then the newest.

    The current and the previous one always stay. So does what was staged after the last switch: it
    may be about to start, or it is BAD and somebody wants to find out why.
    """
    last = str((app.journal.activations() or [{"at": ""}])[-1]["at"])
    rows = overview(app)
    good = [row for row in rows if row["activated_at"] or row["state"] != "bad"]
    good.sort(key=lambda row: row["activated_at"] is None)
    kept = {row["id"] for row in good[: app.settings.keep_releases]}
    kept |= {row["id"] for row in rows if row["state"] in ("current", "previous")}
    # Those that are still draining, and the one that static files are still served from.
    kept |= {instance.split("-")[0] for instance in app.all_instances()}
    if app.previous_static.is_symlink():
        kept.add(app.previous_static.readlink().name)
    kept |= {r["id"] for r in rows if not r["activated_at"] and r["staged_at"] >= last}
    dropped = [row["id"] for row in rows if row["id"] not in kept]
    for release in dropped:
        remove_release(app, release)
    if dropped:
        app.journal.add("prune", " ".join(dropped))
    remove_unused(app)
    return dropped


def drop_release(app: App, release_id: str) -> dict[str, Any]:
    release = app.release(release_id)
    if not release.path.exists():
        return {"id": release_id, "changed": False}
    if release_id == app.serving_release():
        raise ReleaseError(f"release {release_id} serves: activate another one before you drop it")
    running = [other for other in app.all_instances() if other.startswith(release_id)]
    for instance in running:
        app.process_manager.cancel_drain(instance)
        drain_instance(app, instance)
    remove_release(app, release_id)
    remove_unused(app)
    app.journal.add("drop", release_id)
    return {"id": release_id, "changed": True}


def remove_release(app: App, release_id: str) -> None:
    """Rename it first, so that a partly removed release never looks complete."""
    aside = app.releases / f".{release_id}.dropped"
    remove_tree(aside)
    (app.releases / release_id).rename(aside)
    remove_tree(aside)


def remove_unused(app: App) -> None:
    app.remove_unfinished()
    used = {release.venv for release in app.all_releases()}
    for venv in app.venvs.iterdir():
        if venv.name not in used:
            remove_tree(venv)
    remove_old_configurations(app)
    for upload in app.incoming.iterdir():
        if time.time() - upload.stat().st_mtime > UPLOAD_LIFETIME_SECONDS:
            remove_tree(upload)


def remove_old_configurations(app: App) -> None:
    """Remove configuration files of the application that no environment refers to.

    Their names contain their digest, so each configuration has a file of its own.
    """
    environments = [app.config / "env", *app.instances.glob("[!.]*/env")]
    referenced = "".join(path.read_text(encoding="utf-8") for path in environments)
    for path in app.config.glob("config-*"):
        if path.name not in referenced:
            path.unlink()

"""Which release an environment is to serve: decided before anything is created or changed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pulumi

from components.application import entry_point
from components.core.errors import SlipwayError
from components.release import artifact_store, history
from components.release.bucket import Bucket, BucketError
from components.release.history import History
from components.release.source import Source
from components.settings import location, written
from components.settings.settings import Settings
from components.settings.site import Site

# A release that is new gets its time from the server that first served it.
NOT_YET = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which release is to serve after this update."""

    release: history.Release
    module: str
    """Its WSGI callable, as module:name."""
    comes_back: bool
    """Whether a kept release is gone back to: then nothing was packed on this machine."""
    earlier: Mapping[str, Any]
    """The site's outputs of the last good update; empty before the first."""
    keep: int
    written: Mapping[str, str] = field(default_factory=dict)
    """What the stack's file says of the site."""

    @property
    def kept(self) -> list[history.Release]:
        """What could be gone back to until now, newest first."""
        return history.read(self.earlier.get("releases"))

    def history(self, switched: Mapping[str, Any], released_by: str) -> History:
        """The history once the first server serves what its last switch was to.

        That is this release, first released then, by them, unless known; or still the one before
        where this update left the web servers out (`scripts/up --only db`).

        Args:
            switched: what `releasectl switch` said there.
            released_by: who runs this update.
        """
        release, serving = self.release, switched["id"]
        if serving != release.id:
            known = {each.id: each for each in self.kept}
            unknown = history.Release(id=serving, released_at=NOT_YET, requirements="")
            release, released_by = known.get(serving, unknown), ""
        else:
            release = replace(release, settings=self.written)
        if release.released_at == NOT_YET:
            at = switched["activated_at"]
            release = replace(release, released_at=at, released_by=released_by or None)
        served = (self.earlier.get("release") or {}).get("id")
        return history.record(self.earlier.get("releases"), release, self.keep, served)


def decide(site: Site, earlier: Mapping[str, Any]) -> Plan:
    """Pack the application of a site, or find the kept release that its setting `release` names.

    Args:
        site: one of the environment's.
        earlier: the outputs of the last good update.

    Raises:
        SlipwayError: the application cannot be packed, there is no such release, or the bucket for
            archives cannot be used.
    """
    project, place = pulumi.get_project(), site.within(pulumi.get_stack())
    folder = artifact_store.folder_of(place)
    plan = replace(
        choose(site.settings, folder, site.outputs(earlier), key=site.key),
        written=written.of_stack(pulumi.get_stack(), project, "" if site.is_first else site.name),
    )
    bucket = Bucket.of(site.settings.model_dump(by_alias=True), project, place)
    try:
        _keep_archives(plan, folder, bucket, only_look=pulumi.runtime.is_dry_run())
    except BucketError as error:
        raise SlipwayError(str(error)) from None
    return plan


def _keep_archives(plan: Plan, folder: Path, bucket: Bucket | None, *, only_look: bool) -> None:
    """Have the release kept where teammates find it, and let go of what nobody can go back to."""
    kept = {plan.release.id, *(release.id for release in plan.kept)}
    if bucket and not plan.comes_back:
        if only_look:
            bucket.has(plan.release.id)
        else:
            artifact_store.keep_in(bucket, plan.release.id, kept, folder)
    if not only_look:
        artifact_store.forget_all_but(kept, folder)


def choose(
    settings: Settings, archives: Path, earlier: Mapping[str, Any], *, key: str = "slipway:"
) -> Plan:
    """`decide` without an engine; `key` is put before the names of settings in messages."""
    known = {release.id: release for release in history.read(earlier.get("releases"))}
    if settings.release:
        if settings.release not in known:
            kept = ", ".join(known) or "none yet"
            raise SlipwayError(
                f"{key}release is {settings.release}: must be a kept release ({kept}), or empty"
            )
        release = known[settings.release]
        return Plan(
            release=release,
            # Of its own time: the folder may have another one by now.
            module=settings.app_module or release.module or _module_in(_source_of(settings)),
            comes_back=True,
            earlier=earlier,
            keep=settings.keep_releases,
        )
    source = _source_of(settings)
    packed = source.pack(archives)
    if not settings.build_command:  # which may make folders, on the servers
        location.require_folders(
            settings.locations,
            packed.folders,
            key=f"{key}locations",
            release=settings.app_folder,
        )
    module = settings.app_module or _module_in(source)
    release = known.get(packed.id) or history.Release(
        id=packed.id,
        module=module,
        released_at=NOT_YET,
        requirements=packed.requirements_hash,
        **_commit_of(settings.app_path),
    )
    return Plan(
        release=release,
        module=module,
        comes_back=False,
        earlier=earlier,
        keep=settings.keep_releases,
    )


def _source_of(settings: Settings) -> Source:
    return Source.of(
        settings.app_path,
        kind=settings.app_source,
        build_command=settings.build_command,
        packages=settings.packages,
    )


def _module_in(source: Source) -> str:
    return entry_point.find(source.folder, installed=source.installed)


def last_outputs() -> dict[str, Any]:
    """The outputs of this stack's last good update; empty before the first.

    The engine's own call is used, not a StackReference, for its answer is plain data: what is wrong
    with a plan has to stop the update before it begins.
    """
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    for patience in (0.1, 0.3, 1.0, None):
        try:
            answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": stack})
            return dict(answer.value["outputs"])
        except Exception as error:
            # The engine writes its first checkpoint at this moment, and not in one step: a reader
            # may meet half a file ("failed to load checkpoint: EOF").
            if patience is None:
                raise SlipwayError(f"the last outputs of {stack}: {error}") from None
            time.sleep(patience)
    return {}


def _commit_of(source: Path) -> dict[str, Any]:
    """The commit that a folder is at, where it is in a git checkout; of a file its folder's."""
    folder = source if source.is_dir() else source.parent

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        commit, author, message = git("log", "-1", "--format=%H%n%an%n%s").split("\n", 2)
        dirty = bool(git("status", "--porcelain", "--", "."))
    except (OSError, subprocess.CalledProcessError, ValueError):
        return {}
    return {"commit": commit, "author": author, "message": message, "dirty": dirty}

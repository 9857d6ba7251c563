"""Chooses the release that a site serves, before anything is created or changed."""

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

# A new release gets its time from the server that first serves it.
NOT_RELEASED_YET = ""


@dataclass(frozen=True, kw_only=True)
class ReleaseChoice:
    """The release that a site serves after this update."""

    release: history.Release
    module: str
    """Its WSGI callable, as module:name."""
    is_rollback: bool
    """Whether it is a kept release named by the setting `release`: then nothing was packed."""
    earlier: Mapping[str, Any]
    """The site's outputs of the last successful update; empty before the first."""
    keep: int
    written: Mapping[str, str] = field(default_factory=dict)
    """The site's settings in the stack's file."""

    @property
    def kept(self) -> list[history.Release]:
        """The releases in the history so far, newest first."""
        return history.read(self.earlier.get("releases"))

    def history(self, switched: Mapping[str, Any], released_by: str) -> History:
        """The history after the switch.

        The first server serves this release, unless the update left the web servers out
        (`scripts/up --only db`): then it still serves the one before.

        Args:
            switched: output of `releasectl switch` on the first server.
            released_by: who performs this update.
        """
        release, serving = self.release, switched["id"]
        if serving != release.id:
            known = {each.id: each for each in self.kept}
            unknown = history.Release(id=serving, released_at=NOT_RELEASED_YET, requirements="")
            release, released_by = known.get(serving, unknown), ""
        else:
            release = replace(release, settings=self.written)
        if release.released_at == NOT_RELEASED_YET:
            at = switched["activated_at"]
            release = replace(release, released_at=at, released_by=released_by or None)
        served = (self.earlier.get("release") or {}).get("id")
        return history.record(self.earlier.get("releases"), release, self.keep, served)


def choose(site: Site, earlier: Mapping[str, Any]) -> ReleaseChoice:
    """Pack the application of a site, or find the kept release that its setting `release` names.

    Args:
        site: one of the environment's.
        earlier: the outputs of the last successful update.

    Raises:
        SlipwayError: the application cannot be packed, there is no such release, or the bucket for
            archives cannot be used.
    """
    project, archive_key = pulumi.get_project(), site.within(pulumi.get_stack())
    folder = artifact_store.folder_of(archive_key)
    choice = replace(
        from_settings(site.settings, folder, site.outputs(earlier), key=site.key),
        written=written.of_stack(pulumi.get_stack(), project, "" if site.is_first else site.name),
    )
    bucket = Bucket.of(site.settings.model_dump(by_alias=True), project, archive_key)
    try:
        _store_archives(choice, folder, bucket, dry_run=pulumi.runtime.is_dry_run())
    except BucketError as error:
        raise SlipwayError(str(error)) from None
    return choice


def _store_archives(
    choice: ReleaseChoice, folder: Path, bucket: Bucket | None, *, dry_run: bool
) -> None:
    """Upload the release for teammates, and remove archives that no rollback can need."""
    kept = {choice.release.id, *(release.id for release in choice.kept)}
    if bucket and not choice.is_rollback:
        if dry_run:
            bucket.has(choice.release.id)
        else:
            artifact_store.store_in(bucket, choice.release.id, kept, folder)
    if not dry_run:
        artifact_store.remove_all_but(kept, folder)


def from_settings(
    settings: Settings, archives: Path, earlier: Mapping[str, Any], *, key: str = "slipway:"
) -> ReleaseChoice:
    """The choice without Pulumi's engine; `key` is the prefix of settings in messages."""
    known = {release.id: release for release in history.read(earlier.get("releases"))}
    if settings.release:
        if settings.release not in known:
            kept = ", ".join(known) or "none yet"
            raise SlipwayError(
                f"{key}release is {settings.release}: must be a kept release ({kept}), or empty"
            )
        release = known[settings.release]
        return ReleaseChoice(
            release=release,
            # The module of that release: the application's folder may have another one by now.
            module=settings.app_module or release.module or _module_in(_source_of(settings)),
            is_rollback=True,
            earlier=earlier,
            keep=settings.keep_releases,
        )
    source = _source_of(settings)
    packed = source.pack(archives)
    if not settings.build_command:  # a build command may create the folders on the servers
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
        released_at=NOT_RELEASED_YET,
        requirements=packed.requirements_hash,
        **_commit_of(settings.app_path),
    )
    return ReleaseChoice(
        release=release,
        module=module,
        is_rollback=False,
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
    """The outputs of this stack's last successful update; empty before the first.

    Calls the engine directly instead of a StackReference, whose outputs are not plain data: an
    error in the choice must stop the update before it begins.
    """
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    for pause in (0.1, 0.3, 1.0, None):
        try:
            answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": stack})
            return dict(answer.value["outputs"])
        except Exception as error:
            # The engine may be writing its first checkpoint, which is not atomic: a reader may see
            # an incomplete file ("failed to load checkpoint: EOF").
            if pause is None:
                raise SlipwayError(f"the last outputs of {stack}: {error}") from None
            time.sleep(pause)
    return {}


def _commit_of(source: Path) -> dict[str, Any]:
    """The git commit of a folder, or of a file's folder; empty outside a repository."""
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

"""The application on this server: its folders, releases and instances."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from .clock import now
from .console import ReleaseError
from .environment import environment_of
from .files import remove_tree
from .health import HEALTH_FILE, Health
from .journal import Journal, first_switches, newest_first
from .process_manager import ProcessManager
from .release import InstanceFile, Release
from .settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


class App:
    """One application on this server: where its releases and instances are, and their state."""

    def __init__(self, app: str, root: Path, by: str) -> None:
        self.app = app
        self.base = root / "srv" / app
        self.releases = self.base / "releases"
        self.venvs = self.base / "venvs"
        self.instances = self.base / "instances"
        self.incoming = self.base / "incoming"
        self.current = self.base / "current"
        self.current_socket = self.base / "current.sock"
        self.previous_static = self.base / "previous"
        self.next_static = self.base / "next"
        self.pending_file = self.base / "pending.json"
        self.run = root / "run" / app
        self.config = root / "etc" / "slipway" / app
        self.root = root
        self.settings = Settings(self.config / "app.json")
        self.journal = Journal(self.base / "history.jsonl", by)
        self.process_manager = ProcessManager(app, root)

    def prepare(self) -> None:
        folders = [self.releases, self.venvs, self.instances, self.incoming, self.base / "shared"]
        for folder in folders:
            if not folder.is_dir():
                folder.mkdir(parents=True)

    def release(self, release: str) -> Release:
        return Release(self.releases, release)

    def all_releases(self) -> list[Release]:
        names = [path.name for path in self.releases.glob("[0-9a-f]*")]
        return [release for release in map(self.release, names) if release.ready]

    def socket_of(self, instance: str) -> Path:
        return self.run / f"{instance}.sock"

    def instance_of(self, release: str) -> str:
        """The instance that this release would be with the configuration now on this server."""
        return self.instance_name(release, self.instance_files())

    def instance_name(self, release: str, files: list[InstanceFile]) -> str:
        configuration = hashlib.sha256()
        for file in files:
            configuration.update(hashlib.sha256(file.content).digest())
        return f"{release}-{configuration.hexdigest()[:8]}"

    def instance_files(self) -> list[InstanceFile]:
        found = []
        for name in self.settings.instance_files:
            path = self.root / name.lstrip("/")
            try:
                found.append(InstanceFile.read(path))
            except FileNotFoundError:
                raise ReleaseError(
                    f"{path}: missing; the application cannot run without it"
                ) from None
        # The health check is part of the configuration: changing it makes a new instance.
        found.append(InstanceFile(self.config / HEALTH_FILE, Health.of(self.settings).to_bytes()))
        return found

    def health(self, instance: str | None) -> Health:
        """The health check that this instance was started with."""
        if instance is None:
            return Health.of(self.settings)
        try:
            return Health(**json.loads((self.instances / instance / HEALTH_FILE).read_text()))
        except FileNotFoundError:  # somebody removed it
            return Health.of(self.settings)

    def make_instance(self, release: str) -> str:
        """Create the folder with everything the instance is made from; return the instance's name.

        It never changes: a later configuration makes another instance. So an instance that serves
        restarts exactly as it was tested, whenever and by whomever it is restarted.
        """
        self.remove_unfinished()
        files = self.instance_files()
        instance = self.instance_name(release, files)
        # Files for the whole server, such as supervisord's own configuration, stay where they are.
        own = [file for file in files if file.path.parent == self.config]
        folder, link = self.instances / instance, f"../../releases/{release}"
        if (folder / "release").is_symlink() and all(file.is_in(folder) for file in own):
            return instance
        aside = self.instances / f".{instance}.{os.getpid()}"
        aside.mkdir()
        for file in own:
            file.copy_to(aside)
        (aside / "release").symlink_to(link)
        remove_tree(folder)  # the rest of an interrupted removal
        aside.rename(folder)
        return instance

    def serving(self) -> str | None:
        """The instance that nginx sends requests to."""
        try:
            return self.current_socket.readlink().name[: -len(".sock")]
        except FileNotFoundError:
            return None

    def serving_release(self) -> str | None:
        instance = self.serving()
        return instance.split("-")[0] if instance else None

    def all_instances(self) -> list[str]:
        return [path.name for path in self.instances.glob("[!.]*")]

    def previous(self) -> str | None:
        """The newest good release that served here before the current one."""
        current = self.serving_release()
        entries = self.journal.entries()
        first = first_switches(entries)
        served = [release for release in newest_first(entries) if release in first]
        if current not in served:
            return None
        older = served[served.index(current) + 1 :]
        return next((release for release in older if self.is_good(self.release(release))), None)

    def bad_mark(self, release: Release) -> dict[str, Any] | None:
        """Content of the mark BAD; None without one, or if it is about another configuration.

        A release that served well is not rejected because of a setting that has changed since.
        """
        bad = release.mark("BAD")
        if bad is not None and bad.get("instance") not in (None, self.instance_of(release.id)):
            return None
        return bad

    def is_good(self, release: Release) -> bool:
        return release.ready and self.bad_mark(release) is None

    def require_good(self, release: Release, after: tuple[str, ...] = ()) -> None:
        """Refuse a release that is not staged, or BAD, except after these commands."""
        if not release.ready:
            raise ReleaseError(f"release {release.id} is not on this server: stage it first")
        bad = self.bad_mark(release)
        if bad is not None and bad.get("what") not in after:
            raise ReleaseError(
                f"release {release.id} is marked BAD ({bad.get('reason', 'no reason given')}); "
                "`releasectl unmark-bad` takes the mark away, and so does staging it anew"
            )

    def remove_unfinished(self) -> None:
        """Remove what a killed releasectl left: temporary names all begin with a dot."""
        for folder in (self.base, self.releases, self.venvs, self.instances):
            for path in folder.glob(".*"):
                remove_tree(path)

    def subprocess_options(self, release: Release) -> dict[str, Any]:
        """Working directory, environment and user to run a process of this release with."""
        import pwd

        name = self.settings.user or self.app
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            raise ReleaseError(f"there is no user {name!r} to run the application as") from None
        identity: dict[str, Any] = {}
        if os.geteuid() == 0:
            groups = os.getgrouplist(name, user.pw_gid)
            identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": groups}
        return {
            "cwd": release.path,
            "env": {
                "PATH": f"{release.path}/.venv/bin:/usr/local/bin:/usr/bin:/bin",
                "HOME": user.pw_dir,
                "LANG": "C.UTF-8",
                "PYTHONUNBUFFERED": "1",
                "SLIPWAY_RELEASE": release.id,
                **environment_of(self.config / "env"),
            },
            **identity,
        }

    def fail(self, what: str, release: Release, reason: str, *, instance: str) -> NoReturn:
        """Record the failure, and mark the release BAD with this configuration unless it serves."""
        self.journal.add(what, release.id, "failed", reason=reason, instance=instance)
        if release.id != self.serving_release():
            first = reason.splitlines()[0]
            release.set_mark("BAD", at=now(), what=what, reason=first, instance=instance)
        raise ReleaseError(f"{what} {release.id}: {reason}")

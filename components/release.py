"""A release: staged on every server, its release command run once, started beside the old one
everywhere, and only then switched to, one server after the other.

Which release that is, is decided first (`plan`), before anything is created or changed.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pulumi
from pulumi_command import remote

from components import artifact, history
from components.application import Application
from components.errors import SlipwayError
from components.history import History
from components.remote import Host, Logging, RemoteScript
from components.settings import Settings
from components.web import Web

# A release that is new gets its time from the server that first served it.
NOT_YET = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which release is to serve after this update."""

    release: history.Release
    archive: Path | None
    """The packed application; None when a kept release comes back and nothing is uploaded."""
    earlier: Any
    """The `releases` output of the last good update."""
    keep: int

    def history(self, released_at: str) -> History:
        """The history once this release serves, first released at that time unless known."""
        release = replace(self.release, released_at=self.release.released_at or released_at)
        return history.record(self.earlier, release, self.keep)


def plan(settings: Settings) -> Plan:
    """Pack the application, or find the kept release that `slipway:release` names.

    Raises:
        SlipwayError: the application cannot be packed, or there is no such release.
    """
    return choose(settings, settings.archives, _last_output("releases"))


def choose(settings: Settings, archives: Path, earlier: Any) -> Plan:
    """`plan` without an engine."""
    known = {release.id: release for release in history.read(earlier)}
    if settings.release:
        if settings.release not in known:
            kept = ", ".join(known) or "none yet"
            raise SlipwayError(
                f"slipway:release is {settings.release}: must be a kept release ({kept}), or empty"
            )
        return Plan(
            release=known[settings.release],
            archive=None,
            earlier=earlier,
            keep=settings.keep_releases,
        )
    packed = artifact.pack(settings.app_source, archives)
    release = known.get(packed.id) or history.Release(
        id=packed.id,
        released_at=NOT_YET,
        requirements=packed.requirements_hash,
        **_commit_of(settings.app_source),
    )
    return Plan(release=release, archive=packed.path, earlier=earlier, keep=settings.keep_releases)


def _last_output(name: str) -> Any:
    """An output of this stack's last good update; None before the first.

    The engine's own call is used, not a StackReference, for its answer is plain data: what is wrong
    with a plan has to stop the update before it begins.
    """
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    for patience in (0.1, 0.3, 1.0, None):
        try:
            answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": stack})
            return answer.value["outputs"].get(name)
        except Exception as error:
            # The engine writes its first checkpoint at this moment, and not in one step: a reader
            # may meet half a file ("failed to load checkpoint: EOF").
            if patience is None:
                raise SlipwayError(f"the last outputs of {stack}: {error}") from None
            time.sleep(patience)
    return None


def _commit_of(source: Path) -> dict[str, Any]:
    """The commit that a folder is at, where it is in a git checkout."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(source), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        commit, author, message = git("log", "-1", "--format=%H%n%an%n%s").split("\n", 2)
        dirty = bool(git("status", "--porcelain", "--", "."))
    except (OSError, subprocess.CalledProcessError, ValueError):
        return {}
    return {"commit": commit, "author": author, "message": message, "dirty": dirty}


@dataclass(frozen=True, kw_only=True)
class ReleaseArgs:
    plan: Plan
    application: Application
    web: Web
    after: Sequence[pulumi.Resource] = ()
    """What the release command needs, such as the database."""


class Release(pulumi.ComponentResource):
    """The release that serves, and the history of which it is the newest word."""

    current: pulumi.Output[dict[str, Any]]
    previous: pulumi.Output[str | None]
    """Id of the release that a rollback goes to."""
    releases: pulumi.Output[list[dict[str, Any]]]
    """Newest first, at most `keepReleases`."""

    def __init__(
        self, name: str, args: ReleaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:Release", name, None, opts)
        self._args = args
        self._id = args.plan.release.id
        hosts = args.web.hosts

        ready: list[pulumi.Resource] = [
            self._stage(host, configured)
            for host, configured in zip(hosts, args.web.configured, strict=True)
        ]
        if args.application.release_command:
            ready = [self._migrate(hosts[0], [*ready, *args.after])]
        started: list[pulumi.Resource] = [
            self._run("start", host, digest, ready)
            for host, digest in zip(hosts, args.web.digests, strict=True)
        ]
        switches: list[RemoteScript] = []
        for host, digest in zip(hosts, args.web.digests, strict=True):
            switches.append(self._run("switch", host, digest, [*started, *switches[-1:]]))

        known = switches[0].stdout.apply(
            lambda line: args.plan.history(json.loads(line)["activated_at"])
        )
        self.releases = known.apply(History.to_list)
        self.current = known.apply(_current_of)
        self.previous = known.apply(lambda history: history.previous)
        self.register_outputs({"current": self.current, "previous": self.previous})

    def _stage(self, host: Host, configured: Sequence[pulumi.Resource]) -> RemoteScript:
        archive = f"{self._args.application.root}/incoming/{self._id}.tar.gz"
        copied = self._copy(host, archive, configured)
        return RemoteScript(
            f"{host.name}-stage",
            host=host,
            script=self._releasectl(f"stage {self._id} --archive {archive}"),
            stdin=json.dumps(_record_of(self._args.plan.release), sort_keys=True),
            shown=Logging.STDERR,
            opts=host.options(self, depends_on=[copied]),
        )

    def _copy(
        self, host: Host, path: str, configured: Sequence[pulumi.Resource]
    ) -> remote.CopyToRemote:
        """Upload the archive. A rollback uploads nothing: the resource then stays as it was."""
        archive = self._args.plan.archive
        opts = host.options(self, depends_on=configured)
        if archive is None:
            opts.ignore_changes = ["source", "remotePath"]
        return remote.CopyToRemote(
            f"{host.name}-archive",
            connection=host.connection(),
            source=pulumi.FileAsset(str(archive)) if archive else pulumi.StringAsset("kept"),
            remote_path=path,
            triggers=[host.droplet_id],
            opts=opts,
        )

    def _migrate(self, host: Host, after: Sequence[pulumi.Resource]) -> RemoteScript:
        command = shlex.quote(self._args.application.release_command)
        return RemoteScript(
            f"{host.name}-release-command",
            host=host,
            script=self._releasectl(f"migrate {self._id} --command {command}"),
            shown=Logging.STDERR,
            opts=host.options(self, depends_on=after),
        )

    def _run(
        self,
        verb: str,
        host: Host,
        configuration: pulumi.Output[str],
        after: Sequence[pulumi.Resource],
    ) -> RemoteScript:
        """`start` or `switch`. A changed configuration is rolled out just as new code is."""
        return RemoteScript(
            f"{host.name}-{verb}",
            host=host,
            script=configuration.apply(
                lambda digest: self._releasectl(f"{verb} {self._id} # configuration {digest}")
            ),
            shown=Logging.STDERR,
            opts=host.options(self, depends_on=after),
        )

    def _releasectl(self, arguments: str) -> str:
        """A script whose output is releasectl's line of JSON, if all went well.

        Where it did not, standard error says it for a person; the line would say it twice.
        """
        app = self._args.application.name
        return f'line=$(releasectl --app {app} {arguments}\n) && echo "$line"'


def _record_of(release: history.Release) -> dict[str, Any]:
    """What a server is told of a release; not when it was first released, which it knows itself."""
    return {key: value for key, value in release.to_dict().items() if key != "released_at"}


def _current_of(known: History) -> dict[str, Any]:
    return next(each.to_dict() for each in known.releases if each.id == known.current)

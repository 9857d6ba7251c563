"""A release: staged on every server, its release command run once, started beside the old one
everywhere, and only then switched to: first one server, then the others in batches.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_command import remote

from components import history
from components.application import Application
from components.history import History
from components.plan import Plan
from components.remote import UPDATED_BY, Host, Logging, RemoteScript
from components.rollout import Rollout
from components.web import Web


@dataclass(frozen=True, kw_only=True)
class ReleaseArgs:
    plan: Plan
    application: Application
    web: Web
    rollout: Rollout
    updated_by: str
    """Who releases it, for the history."""
    after: Sequence[pulumi.Resource] = ()
    """What the release command needs, such as the database."""


class Release(pulumi.ComponentResource):
    """The release that serves, and the history of which it is the newest word."""

    current: pulumi.Output[dict[str, Any]]
    previous: pulumi.Output[str]
    """Id of the release that a rollback goes to; empty when there is none."""
    served: Sequence[pulumi.Resource]
    """What is done once every server serves the release."""
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
        started = self._start_everywhere(ready)
        switched = self._switch_everywhere(started)
        self.served = switched
        if args.rollout.has_to_settle(len(hosts)):
            self.served = [
                self._run("settle", host, digest, switched)
                for host, digest in zip(hosts, args.web.digests, strict=True)
            ]

        known = switched[0].stdout.apply(
            lambda line: args.plan.history(json.loads(line)["activated_at"], args.updated_by)
        )
        self.releases = known.apply(History.to_list)
        self.current = known.apply(_current_of)
        self.previous = known.apply(lambda history: history.previous or "")
        self.register_outputs({"current": self.current, "previous": self.previous})

    def _stage(self, host: Host, configured: Sequence[pulumi.Resource]) -> RemoteScript:
        archive = f"{self._args.application.root}/incoming/{self._id}.tar.gz"
        copied = self._copy(host, archive, configured)
        return RemoteScript(
            f"{host.name}-stage",
            host=host,
            # A kept one that went bad since is not to come back unawares.
            script=self._releasectl(
                f"stage {self._id} --archive {archive}"
                + (" --kept" if self._args.plan.comes_back else "")
            ),
            stdin=json.dumps(_record_of(self._args.plan.release), sort_keys=True),
            shown=Logging.STDERR,
            opts=host.options(self, depends_on=[copied]),
        )

    def _copy(
        self, host: Host, path: str, configured: Sequence[pulumi.Resource]
    ) -> remote.CopyToRemote:
        """Upload the archive; after a rollback to new servers only, for the others have it."""
        archive = self._args.plan.archive
        opts = host.options(self, depends_on=configured)
        if self._args.plan.comes_back:
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

    def _start_everywhere(self, ready: Sequence[pulumi.Resource]) -> list[RemoteScript]:
        started: list[RemoteScript] = []
        for host, digest in zip(self._args.web.hosts, self._args.web.digests, strict=True):
            before = started[-1:] if self._args.rollout.start_one_by_one else []
            started.append(self._run("start", host, digest, [*ready, *before]))
        return started

    def _switch_everywhere(self, started: Sequence[pulumi.Resource]) -> list[RemoteScript]:
        """The first server is the canary: the others follow when it has done well."""
        web, rollout = self._args.web, self._args.rollout
        switched: list[RemoteScript] = []
        for batch in rollout.batches(len(web.hosts)):
            after = [*started, *switched]
            switched += [
                self._run(
                    "switch",
                    web.hosts[number],
                    web.digests[number],
                    after,
                    options=rollout.switch_options(number, len(web.hosts)),
                )
                for number in batch
            ]
        return switched

    def _run(
        self,
        verb: str,
        host: Host,
        configuration: pulumi.Output[str],
        after: Sequence[pulumi.Resource],
        options: str = "",
    ) -> RemoteScript:
        """`start`, `switch` or `settle`. A changed configuration is rolled out as new code is."""
        return RemoteScript(
            f"{host.name}-{verb}",
            host=host,
            script=configuration.apply(
                lambda digest: self._releasectl(
                    f"{verb} {self._id}{options} # configuration {digest}"
                )
            ),
            shown=Logging.STDERR,
            opts=host.options(self, depends_on=after),
        )

    def _releasectl(self, arguments: str) -> str:
        """A script whose output is releasectl's line of JSON, if all went well.

        Where it did not, standard error says it for a person; the line would say it twice.
        """
        app = self._args.application.name
        return f'line=$(releasectl --app {app} --by @{UPDATED_BY} {arguments}\n) && echo "$line"'


def _record_of(release: history.Release) -> dict[str, Any]:
    """What a server is told of a release; when it was first released, by whom, it knows itself."""
    known = ("released_at", "released_by")
    return {key: value for key, value in release.to_dict().items() if key not in known}


def _current_of(known: History) -> dict[str, Any]:
    return next(each.to_dict() for each in known.releases if each.id == known.current)

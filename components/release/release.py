"""A release on all servers.

It is staged on every server, its release command runs once, and it starts beside the old one
everywhere. Only then do servers switch: the first one alone, the others in batches.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_command import local

from components.application.application import Application
from components.application.web import Web
from components.core.render import render
from components.core.shell import HERE
from components.release import history
from components.release.history import History
from components.release.release_choice import ReleaseChoice
from components.release.rollout import Rollout
from components.servers.remote import RUN_RELEASECTL, UPDATED_BY, Host, Logging, RemoteScript

_DELIVER = f"{HERE} cli.releases.upload_release"


@dataclass(frozen=True, kw_only=True)
class ReleaseArgs:
    choice: ReleaseChoice
    archive_key: str
    """Folder in the artifact store: the stack, or for a further site such as `local/shop`."""
    application: Application
    web: Web
    rollout: Rollout
    updated_by: str
    """Who performs the update, for the history."""
    after: Sequence[pulumi.Resource] = ()
    """What the release command depends on, such as the database."""
    database: Host
    """The database server: if it is another machine, the release command runs again."""
    database_epoch: str = ""
    """Changes when the database on that server was created anew or restored."""


class Release(pulumi.ComponentResource):
    """The release that serves, and the history of releases."""

    current: pulumi.Output[dict[str, Any]]
    previous: pulumi.Output[str]
    """Id of the release that a rollback goes to; empty if there is none."""
    served: Sequence[pulumi.Resource]
    """The resources that are complete once every server serves the release."""
    releases: pulumi.Output[list[dict[str, Any]]]
    """Newest first, at most `keepReleases`."""
    database_mark: pulumi.Output[str]
    """When the release command last ran, as recorded in the database; empty if it does not run."""

    def __init__(
        self, name: str, args: ReleaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:Release", name, None, opts)
        self._args = args
        self._id = args.choice.release.id
        self._prefix = args.application.prefix
        hosts = args.web.hosts

        ready: list[pulumi.Resource] = [
            self._stage(host, configured)
            for host, configured in zip(hosts, args.web.configured, strict=True)
        ]
        self.database_mark = pulumi.Output.from_input("")
        if args.application.settings.release_command:
            ran = self._run_release_command(hosts[0], [*ready, *args.after])
            self.database_mark = ran.stdout.apply(_mark_of)
            self._mark_database(ran)
            ready = [ran]
        # A switch starts what is not running, which is enough without other servers to wait for.
        started = self._start_everywhere(ready) if len(hosts) > 1 else ready
        batches = self._switch_everywhere(started)
        switched = [switch for batch in batches for switch in batch]
        self.served = switched
        if args.rollout.must_confirm(len(hosts)):
            self.served = [
                self._run("confirm", host, _confirmation_of(digest, switch), batches[-1])
                for host, digest, switch in zip(hosts, args.web.digests, switched, strict=True)
            ]

        # The outputs must hold for every server, so they wait for the last confirmation: until then
        # all servers go back if one fails or the update is interrupted.
        known = pulumi.Output.all(*(each.stdout for each in [switched[0], *self.served])).apply(
            lambda lines: args.choice.history(json.loads(lines[0]), args.updated_by)
        )
        self.releases = known.apply(History.to_list)
        self.current = known.apply(_current_of)
        self.previous = known.apply(lambda history: history.previous or "")
        self.register_outputs({"current": self.current, "previous": self.previous})

    def _stage(self, host: Host, configured: Sequence[pulumi.Resource]) -> local.Command:
        """Stage the release on a server; its archive is sent if the server does not have it.

        A local command, because only this machine knows where to get archives from. It runs again
        if its command line changes (the release), or the machine.
        """
        words = [self._args.archive_key, host.name, self._id]
        # Refuse a kept release that was marked BAD after it last served.
        words += ["--kept"] if self._args.choice.is_rollback else []
        return local.Command(
            f"{host.name}-{self._prefix}stage",
            create=f"{_DELIVER} {shlex.join(words)}",
            stdin=pulumi.Output.json_dumps(
                {
                    **host.seen_from_here(),
                    "releasectl": f'sudo SSH_CLIENT="$SSH_CLIENT" {self._program}',
                    "record": _record_of(self._args.choice.release),
                },
                sort_keys=True,
            ),
            triggers=[host.machine_id],
            logging=local.Logging.STDERR,
            add_previous_output_in_env=False,
            opts=host.options(self, depends_on=configured),
        )

    def _run_release_command(self, host: Host, after: Sequence[pulumi.Resource]) -> RemoteScript:
        command = shlex.quote(self._args.application.settings.release_command)
        if self._args.choice.is_rollback:
            # Its release command ran when it was new. This script replaces the last one in the
            # state, so that the command runs again for the next release. The resource stays, with
            # its dependencies, because a targeted update (a repair) relies on the state.
            return RemoteScript(
                f"{host.name}-{self._prefix}release-command",
                host=host,
                script=f"true # release {self._id} comes back",
                shown=Logging.STDERR,
                opts=host.options(self, depends_on=after),
            )
        return RemoteScript(
            f"{host.name}-{self._prefix}release-command",
            host=host,
            script=self._args.database.machine_id.apply(
                lambda machine: self._releasectl(
                    f"release-command {self._id} --command {command} --database "
                    + shlex.quote(f"{machine} {self._args.database_epoch}".strip())
                )
            ),
            shown=Logging.STDERR,
            opts=host.options(self, depends_on=after),
        )

    def _mark_database(self, ran: RemoteScript) -> None:
        """Record in the database itself that the release command ran; nothing waits for that.

        If nothing ran, the mark in the database stays as it is: `scripts/up` compares it.
        """
        host, name = self._args.database, self._args.application.name

        def script(said: str) -> str:
            if said.strip() and json.loads(said)["changed"]:
                return render("mark_database.sh", database=name, mark=_mark_of(said))
            return f"true # nothing ran for release {self._id}"

        RemoteScript(
            f"{self._args.web.hosts[0].name}-{self._prefix}release-mark",
            host=host,
            script=ran.stdout.apply(script),
            opts=host.options(self, depends_on=[ran]),
        )

    def _start_everywhere(self, ready: Sequence[pulumi.Resource]) -> list[RemoteScript]:
        started: list[RemoteScript] = []
        for host, digest in zip(self._args.web.hosts, self._args.web.digests, strict=True):
            before = started[-1:] if self._args.rollout.start_one_by_one else []
            started.append(self._run("start", host, digest, [*ready, *before]))
        return started

    def _switch_everywhere(self, started: Sequence[pulumi.Resource]) -> list[list[RemoteScript]]:
        """The first server is the canary: the others follow if it stays healthy.

        Each batch depends on the one before it only, and so indirectly on all earlier ones.
        Explicit dependencies on all would make the state grow quadratically with the fleet.
        """
        web, rollout = self._args.web, self._args.rollout
        batches: list[list[RemoteScript]] = []
        for batch in rollout.batches(len(web.hosts)):
            switches = [
                self._run(
                    "switch",
                    web.hosts[number],
                    web.digests[number],
                    after=batches[-1] if batches else started,
                    options=rollout.switch_options(number, len(web.hosts)),
                )
                for number in batch
            ]
            batches.append(switches)
        return batches

    def _run(
        self,
        verb: str,
        host: Host,
        configuration: pulumi.Output[str],
        after: Sequence[pulumi.Resource],
        options: str = "",
    ) -> RemoteScript:
        """`start`, `switch` or `confirm`. A changed configuration is rolled out like new code."""
        return RemoteScript(
            f"{host.name}-{self._prefix}{verb}",
            host=host,
            script=configuration.apply(
                lambda digest: self._releasectl(
                    f"{verb} {self._id}{options} # configuration {digest}"
                )
            ),
            # Their only output is the reason of a failure, which is in the error already.
            shown=Logging.NONE,
            opts=host.options(self, depends_on=after),
        )

    @property
    def outputs(self) -> dict[str, pulumi.Output[Any]]:
        """Its part of the stack's outputs."""
        return {
            "release": self.current,
            "previous_release": self.previous,
            "releases": self.releases,
            "database_mark": self.database_mark,
        }

    def _releasectl(self, arguments: str) -> str:
        """A script that prints releasectl's line of JSON on success.

        On failure, standard error has the reason already; the line would repeat it.
        """
        return f'line=$({self._program} {arguments}\n) && echo "$line"'

    @property
    def _program(self) -> str:
        return f"{RUN_RELEASECTL.name} --app {self._args.application.name} --by @{UPDATED_BY}"


def _mark_of(ran: str) -> str:
    """When the release command ran, from releasectl's output; empty in a rollback."""
    return str(json.loads(ran)["at"]) if ran.strip() else ""


def _confirmation_of(digest: pulumi.Output[str], switch: RemoteScript) -> pulumi.Output[str]:
    """What a confirmation is for: the configuration and the attempt to switch to it.

    A repeated switch must be confirmed again, or its server goes back. That includes a switch that
    is repeated after a killed update, even if the state has a confirmation of this release.
    """
    return pulumi.Output.all(digest, switch.stdout).apply(
        lambda both: f"{both[0]}, switch {json.loads(both[1]).get('attempt', 'unknown')}"
    )


def _record_of(release: history.Release) -> dict[str, Any]:
    """What servers store about a release. They record time and performer themselves."""
    left_out = ("released_at", "released_by", "settings")
    return {key: value for key, value in release.to_dict().items() if key not in left_out}


def _current_of(known: History) -> dict[str, Any]:
    return next(each.to_dict() for each in known.releases if each.id == known.current)

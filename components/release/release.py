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
from pulumi_command import local

from components.application.application import Application
from components.application.web import Web
from components.core.render import render
from components.core.shell import HERE
from components.release import history
from components.release.history import History
from components.release.plan import Plan
from components.release.rollout import Rollout
from components.servers.remote import RUN_RELEASECTL, UPDATED_BY, Host, Logging, RemoteScript

_DELIVER = f"{HERE} cli.releases.upload_release"


@dataclass(frozen=True, kw_only=True)
class ReleaseArgs:
    plan: Plan
    place: str
    """Where its archives are kept: the stack, or for a further site `local/shop`."""
    application: Application
    web: Web
    rollout: Rollout
    updated_by: str
    """Who releases it, for the history."""
    after: Sequence[pulumi.Resource] = ()
    """What the release command needs, such as the database."""
    database: Host
    """The server of its database: on another machine the release command runs again."""
    database_epoch: str = ""
    """Another one where the database on that server is another one: new, or restored."""


class Release(pulumi.ComponentResource):
    """The release that serves, and the history of which it is the newest word."""

    current: pulumi.Output[dict[str, Any]]
    previous: pulumi.Output[str]
    """Id of the release that a rollback goes to; empty when there is none."""
    served: Sequence[pulumi.Resource]
    """What is done once every server serves the release."""
    releases: pulumi.Output[list[dict[str, Any]]]
    """Newest first, at most `keepReleases`."""
    database_mark: pulumi.Output[str]
    """When the release command ran last, as it stands in the database; empty where it does not
    run."""

    def __init__(
        self, name: str, args: ReleaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:Release", name, None, opts)
        self._args = args
        self._id = args.plan.release.id
        self._prefix = args.application.prefix
        hosts = args.web.hosts

        ready: list[pulumi.Resource] = [
            self._stage(host, configured)
            for host, configured in zip(hosts, args.web.configured, strict=True)
        ]
        self.database_mark = pulumi.Output.from_input("")
        if args.application.settings.release_command:
            migrated = self._migrate(hosts[0], [*ready, *args.after])
            self.database_mark = migrated.stdout.apply(_mark_of)
            self._mark_database(migrated)
            ready = [migrated]
        # A switch starts what does not run: where there is no other server to wait for, that does.
        started = self._start_everywhere(ready) if len(hosts) > 1 else ready
        batches = self._switch_everywhere(started)
        switched = [switch for batch in batches for switch in batch]
        self.served = switched
        if args.rollout.has_to_settle(len(hosts)):
            self.served = [
                self._run("settle", host, _settled_with(digest, switch), batches[-1])
                for host, digest, switch in zip(hosts, args.web.digests, switched, strict=True)
            ]

        # What the outputs say is so on every server: not before the last one has confirmed it, for
        # all go back where one fails or the update is cut short.
        known = pulumi.Output.all(*(each.stdout for each in [switched[0], *self.served])).apply(
            lambda lines: args.plan.history(json.loads(lines[0]), args.updated_by)
        )
        self.releases = known.apply(History.to_list)
        self.current = known.apply(_current_of)
        self.previous = known.apply(lambda history: history.previous or "")
        self.register_outputs({"current": self.current, "previous": self.previous})

    def _stage(self, host: Host, configured: Sequence[pulumi.Resource]) -> local.Command:
        """Have the release on a server: its archive is sent if that server does not have it.

        On this machine, for only here is known where archives are to be had from. What the command
        line names is what makes it run again: the release, and the machine.
        """
        words = [self._args.place, host.name, self._id]
        # A kept one that went bad since is not to come back unawares.
        words += ["--kept"] if self._args.plan.comes_back else []
        return local.Command(
            f"{host.name}-{self._prefix}stage",
            create=f"{_DELIVER} {shlex.join(words)}",
            stdin=pulumi.Output.json_dumps(
                {
                    **host.seen_from_here(),
                    "releasectl": f'sudo SSH_CLIENT="$SSH_CLIENT" {self._program}',
                    "record": _record_of(self._args.plan.release),
                },
                sort_keys=True,
            ),
            triggers=[host.machine_id],
            logging=local.Logging.STDERR,
            add_previous_output_in_env=False,
            opts=host.options(self, depends_on=configured),
        )

    def _migrate(self, host: Host, after: Sequence[pulumi.Resource]) -> RemoteScript:
        command = shlex.quote(self._args.application.settings.release_command)
        if self._args.plan.comes_back:
            # It has run its own when it was new. This takes the place of the one that ran last, so
            # that the command runs again for whatever goes live next. All depends as ever: in an
            # update of some resources, a repair, the engine goes by what the state says of others.
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
                    f"migrate {self._id} --command {command} --database "
                    + shlex.quote(f"{machine} {self._args.database_epoch}".strip())
                )
            ),
            shown=Logging.STDERR,
            opts=host.options(self, depends_on=after),
        )

    def _mark_database(self, migrated: RemoteScript) -> None:
        """Note in the database itself what ran for it; nothing waits for that.

        Where nothing ran, another mark that is there is the truth: `scripts/up` looks for it.
        """
        host, name = self._args.database, self._args.application.name

        def script(said: str) -> str:
            if said.strip() and json.loads(said)["changed"]:
                return render("mark_database.sh", database=name, mark=_mark_of(said))
            return f"true # nothing ran for release {self._id}"

        RemoteScript(
            f"{self._args.web.hosts[0].name}-{self._prefix}release-mark",
            host=host,
            script=migrated.stdout.apply(script),
            opts=host.options(self, depends_on=[migrated]),
        )

    def _start_everywhere(self, ready: Sequence[pulumi.Resource]) -> list[RemoteScript]:
        started: list[RemoteScript] = []
        for host, digest in zip(self._args.web.hosts, self._args.web.digests, strict=True):
            before = started[-1:] if self._args.rollout.start_one_by_one else []
            started.append(self._run("start", host, digest, [*ready, *before]))
        return started

    def _switch_everywhere(self, started: Sequence[pulumi.Resource]) -> list[list[RemoteScript]]:
        """The first server is the canary: the others follow when it has done well.

        Each batch waits for the one before, and so for all before that: to say so for each of them
        would make the state of a large fleet grow with its square.
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
        """`start`, `switch` or `settle`. A changed configuration is rolled out as new code is."""
        return RemoteScript(
            f"{host.name}-{self._prefix}{verb}",
            host=host,
            script=configuration.apply(
                lambda digest: self._releasectl(
                    f"{verb} {self._id}{options} # configuration {digest}"
                )
            ),
            # They say nothing but why they failed, which the error tells.
            shown=Logging.NONE,
            opts=host.options(self, depends_on=after),
        )

    @property
    def outputs(self) -> dict[str, pulumi.Output[Any]]:
        """What the stack's outputs say of it."""
        return {
            "release": self.current,
            "previous_release": self.previous,
            "releases": self.releases,
            "database_mark": self.database_mark,
        }

    def _releasectl(self, arguments: str) -> str:
        """A script whose output is releasectl's line of JSON, if all went well.

        Where it did not, standard error says it for a person; the line would say it twice.
        """
        return f'line=$({self._program} {arguments}\n) && echo "$line"'

    @property
    def _program(self) -> str:
        return f"{RUN_RELEASECTL.name} --app {self._args.application.name} --by @{UPDATED_BY}"


def _mark_of(migrated: str) -> str:
    """When the release command ran, out of what `releasectl migrate` said; empty in a rollback."""
    return str(json.loads(migrated)["at"]) if migrated.strip() else ""


def _settled_with(digest: pulumi.Output[str], switch: RemoteScript) -> pulumi.Output[str]:
    """The configuration and the very switch that is to be settled.

    A switch that is made once more has to be settled once more, else its server goes back: also
    where, after an update that was killed, the state says that this release was settled before.
    """
    return pulumi.Output.all(digest, switch.stdout).apply(
        lambda both: f"{both[0]}, switch {json.loads(both[1]).get('attempt', 'unknown')}"
    )


def _record_of(release: history.Release) -> dict[str, Any]:
    """What a server is told of a release; it knows itself when, by whom and with what it served."""
    known = ("released_at", "released_by", "settings")
    return {key: value for key, value in release.to_dict().items() if key not in known}


def _current_of(known: History) -> dict[str, Any]:
    return next(each.to_dict() for each in known.releases if each.id == known.current)

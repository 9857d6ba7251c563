"""Certificates of the sites: ordered and renewed by the web servers themselves (host/certctl).

Keys are made once and are secrets of the state; every server has the same ones, so one certificate
is good for all of them, and any of them can order it.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pulumi

from components.application.application import Application
from components.application.kept_chains import KeptChain
from components.core import nginx, ports
from components.core.paths import SLIPWAY_FOLDER, TOOLS
from components.core.project import ROOT
from components.core.put_file import PutFile, Unit
from components.core.render import render
from components.servers.keys import TlsKey
from components.servers.remote import Host, Logging, RemoteFile, RemoteScript
from components.servers.server import Server
from components.servers.uploaded_file import UploadedFile
from components.settings.settings import Settings
from components.settings.tls import certified_names

CERTCTL = ROOT / "host" / "certctl"
PACKAGES = ROOT / "host" / "certctl.lock"
ACCOUNT_KEY = f"{SLIPWAY_FOLDER}/acme-account.pem"
CONFIGURATION = f"{SLIPWAY_FOLDER}/certificates.json"
STATE = "/var/lib/slipway/certificates"
TIMER = "slipway-certificates.timer"


@dataclass(frozen=True, kw_only=True)
class CertificatesArgs:
    settings: Settings
    servers: Sequence[Server]
    applications: Sequence[Application]
    """Those that have a certificate."""
    kept: Mapping[str, KeptChain]
    """By the application's name."""


class Certificates(pulumi.ComponentResource):
    """What nginx needs for HTTPS on each server; a site's configuration waits for `ready`."""

    ready: list[list[pulumi.Resource]]

    def __init__(
        self, name: str, args: CertificatesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:Certificates", name, None, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        self._account = TlsKey("acme-account-key", child)
        self._keys = {
            each.name: TlsKey("tls-key" if each.is_first else f"tls-key-{each.name}", child)
            for each in args.applications
        }
        self.ready = []
        for number in range(len(args.servers)):
            self.ready.append(self._configure(number, self.ready[-1] if self.ready else ()))
        self.register_outputs({})

    def _configure(self, number: int, before: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """What one server needs.

        A site that visitors come to already has its certificate ordered before nginx, or a load
        balancer, uses it: by the first server, from which the others take it (`before`).
        """
        server, first = self._args.servers[number], self._args.applications[0]
        host = server.host

        def file(
            what: str,
            put: PutFile,
            content: pulumi.Input[str],
            after: Sequence[pulumi.Resource],
            *,
            stays: bool = False,
        ) -> RemoteFile:
            return RemoteFile(
                f"{host.name}-{what}",
                host=host,
                put=put,
                content=content,
                gone_with_resource=not stays,
                opts=host.options(self, depends_on=after),
            )

        program = self._program(host, server.ready, file)
        account = file(
            "acme-account",
            PutFile(path=ACCOUNT_KEY, mode="0600"),
            self._account.private,
            [server.ready],
        )
        challenge = file(
            "acme-challenge",
            PutFile(
                path=Application.CHALLENGE_FILE,
                # A site that is there already answers the CA before it is to have a certificate.
                check=f"{nginx.UNLESS_IT_RUNS} || nginx -t -q",
                then=nginx.RELOAD,
            ),
            self._account.thumbprint.apply(
                lambda known: render("acme-challenge.conf", thumbprint=known, folder=SLIPWAY_FOLDER)
            ),
            [server.ready],
        )
        of_sites = [
            each for app in self._args.applications for each in self._of_site(app, server, file)
        ]
        wanted = file(
            "certificates",
            # Whatever nginx serves meanwhile has to be there before nginx is told of it.
            PutFile(path=CONFIGURATION, then="certctl prepare"),
            self._configuration(number),
            [program, account, *of_sites],
        )
        service = file(
            "certificates-service",
            PutFile(path="/etc/systemd/system/slipway-certificates.service"),
            render("slipway-certificates.service"),
            [wanted],
        )
        timer = file(
            "certificates-timer",
            PutFile(path=f"/etc/systemd/system/{TIMER}", unit=Unit(name=TIMER, verb="start")),
            render(TIMER),
            [service],
        )
        ahead = RemoteScript(
            f"{host.name}-certificate-ahead",
            host=host,
            script=pulumi.Output.all(challenge.digest, wanted.digest).apply(
                lambda known: (
                    f"[ ! -e {server.distribution.site.format(app=first.name)} ] ||"
                    f" certctl ahead # {''.join(each[:4] for each in known)}"
                )
            ),
            shown=Logging.NONE,
            opts=host.options(self, depends_on=[challenge, wanted, *before]),
        )
        return [challenge, wanted, timer, ahead]

    def _program(self, host: Host, ready: pulumi.Resource, file: Any) -> UploadedFile:
        packages = file(
            "certctl-packages",
            PutFile(
                path=f"{SLIPWAY_FOLDER}/certctl.lock",
                then=f"{TOOLS}/bin/uv pip install --quiet --python {TOOLS}/bin/python"
                f" --require-hashes --requirement {SLIPWAY_FOLDER}/certctl.lock",
            ),
            PACKAGES.read_text(),
            [ready],
        )
        return UploadedFile(
            f"{host.name}-certctl",
            host=host,
            source=CERTCTL,
            put=PutFile(
                path="/usr/local/sbin/certctl", mode="0755", check="certctl --help >/dev/null"
            ),
            interpreter=f"{TOOLS}/bin/python",
            opts=host.options(self, depends_on=[packages]),
        )

    def _of_site(self, app: Application, server: Server, file: Any) -> list[RemoteFile]:
        host, kept = server.host, self._args.kept[app.name]
        folder = f"{app.configuration}/tls"
        notes = shlex.quote(f"{STATE}/{app.name}.json")
        key = file(
            f"{app.prefix}tls-key",
            PutFile(
                path=f"{folder}/key.pem",
                mode="0600",
                site=app.name,
                undo=f"rm -rf {folder} {notes}",
            ),
            self._keys[app.name].private,
            [server.ready],
            # It goes with the site: nginx must not be without it before that.
            stays=True,
        )
        chain = file(
            f"{app.prefix}tls-kept",
            PutFile(path=f"{folder}/kept.pem", site=app.name),
            host.machine_id.apply(lambda machine: kept.for_server(host.name, machine)),
            [key],
            stays=True,
        )
        when_served = file(
            f"{app.prefix}tls-when-served",
            PutFile(
                path=f"{folder}/when-served/https.conf",
                site=app.name,
                then="nginx -t -q && systemctl reload-or-restart nginx.service",
            ),
            app.once_served_over_https,
            [key],
            stays=True,
        )
        return [chain, when_served]

    def _configuration(self, number: int) -> pulumi.Output[str]:
        args = self._args
        wanted: dict[str, Any] = {
            "acme_server": args.settings.acme_server,
            "email": args.settings.acme_email,
            "account_key": ACCOUNT_KEY,
            "state": STATE,
            "turn": number,
            "port": args.settings.web_port,
            "tls_port": ports.HTTPS,
            "sites": {
                each.name: {
                    "names": certified_names(each.settings),
                    "folder": f"{each.configuration}/tls",
                }
                for each in args.applications
            },
        }
        others = [
            each.private_address for place, each in enumerate(args.servers) if place != number
        ]
        return pulumi.Output.all(*others).apply(
            lambda peers: json.dumps({**wanted, "peers": peers}, indent=2, sort_keys=True) + "\n"
        )

    def obtain(self, after: Sequence[pulumi.Resource]) -> dict[str, pulumi.Output[Any]]:
        """Have the first server order what is missing, and the others take it from there.

        Args:
            after: complete once visitors, and so the CA, get an answer.

        Returns:
            What the state keeps of each site's chain, by the application's name.
        """
        before: list[pulumi.Resource] = list(after)
        first: RemoteScript | None = None
        for server, ready in zip(self._args.servers, self.ready, strict=True):
            digests = pulumi.Output.all(
                *(each.digest for each in ready if isinstance(each, RemoteFile))
            )
            obtained = RemoteScript(
                f"{server.host.name}-certificate",
                host=server.host,
                # A name that does not lead here yet, or a CA that is away, is no reason to fail:
                # the site is up, and the timer goes on.
                script=digests.apply(
                    lambda known: (
                        "certctl keep --hurry || :; certctl chains"
                        f" # {''.join(each[:4] for each in known)}"
                    )
                ),
                shown=Logging.STDERR,
                opts=server.host.options(self, depends_on=[*ready, *before]),
            )
            before, first = [obtained], first or obtained
        assert first is not None
        chains: pulumi.Output[dict[str, str]] = first.stdout.apply(_read_chains)
        machines = {each.host.name: each.host.machine_id for each in self._args.servers}
        return {
            app: kept.output(machines, pulumi.Output.from_input(chains).apply(partial(_chain, app)))
            for app, kept in self._args.kept.items()
        }


def _read_chains(text: str | None) -> dict[str, str]:
    """What `certctl chains` has printed; nothing in a preview."""
    found: dict[str, str] = json.loads(text) if text else {}
    return found


def _chain(app: str, chains: Mapping[str, str]) -> str:
    return chains.get(app, "")

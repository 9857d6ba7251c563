"""The web tier: on each server nginx, and what the application behind it needs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.application.application import Application, ApplicationFiles, environment_file
from components.application.config_file import ConfigFile
from components.core import nginx
from components.core.paths import TOOLS
from components.core.project import ROOT
from components.core.put_file import PutFile
from components.core.render import render
from components.servers.distributions.distribution import Distribution
from components.servers.remote import REMOVE, Host, RemoteFile, RemoteScript
from components.servers.server import Server
from components.servers.uploaded_file import UploadedFile

# uv makes the virtual environments of releases. Pinned, in a folder of its own.
UV_VERSION = "0.13.8"
RELEASECTL = ROOT / "host" / "releasectl"


def post_install(system: Distribution) -> list[str]:
    """Shell commands that complete the packages of a web server."""
    return [
        f"{TOOLS}/bin/uv --version 2>/dev/null | grep -qF 'uv {UV_VERSION}' || {{"
        ' echo "packages: installing uv";'
        f" {system.python} -m venv {TOOLS}"
        f" && {TOOLS}/bin/pip install -q 'uv=={UV_VERSION}'; }}",
        f"echo 'rm -rf {TOOLS}' | slipway-on-remove uv",
    ]


@dataclass(frozen=True, kw_only=True)
class WebArgs:
    application: Application
    files: ApplicationFiles
    servers: Sequence[Server]
    environment: Mapping[str, pulumi.Input[str]]
    """Environment variables of the application; may hold secrets."""
    config_file: ConfigFile | None = None
    after: Sequence[Sequence[pulumi.Resource]] = ()
    """For each server, what has to be there first: the site before this one."""
    certificates: Sequence[Sequence[pulumi.Resource]] = ()
    """For each server, what nginx needs before it can serve over HTTPS."""


class Web(pulumi.ComponentResource):
    """Servers ready for releases; `configured` holds, for each, what a release depends on."""

    hosts: list[Host]
    configured: list[list[pulumi.Resource]]
    digests: list[pulumi.Output[str]]
    """For each server, a digest of everything except code that an instance is made from."""

    def __init__(
        self, name: str, args: WebArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:Web", name, None, opts)
        self.hosts, self.configured, self.digests = [], [], []
        for number, server in enumerate(args.servers):
            before = args.after[number] if args.after else ()
            secured = args.certificates[number] if args.certificates else ()
            self._configure(server, args, before, secured)
        self.register_outputs({})

    def _configure(
        self,
        server: Server,
        args: WebArgs,
        before: Sequence[pulumi.Resource],
        secured: Sequence[pulumi.Resource],
    ) -> None:
        host, app, files = server.host, args.application, args.files
        system = server.distribution
        first: list[pulumi.Resource] = [server.ready, *before]
        if not app.is_first:
            first.append(self._removed_with_its_setting(host, app, first))
        prepared = RemoteScript(
            f"{host.name}-{app.prefix}prepare",
            host=host,
            script=files.prepare,
            opts=host.options(self, depends_on=first),
        )

        def file(
            what: str,
            put: pulumi.Input[PutFile],
            content: pulumi.Input[str],
            after: Sequence[pulumi.Resource] = (),
        ) -> RemoteFile:
            return RemoteFile(
                f"{host.name}-{app.prefix}{what}",
                host=host,
                put=put,
                content=content,
                opts=host.options(self, depends_on=[prepared, *after]),
            )

        noted = shlex.quote(app.settings.maintenance or "off")
        maintenance = file(
            "maintenance",
            PutFile(
                path=f"{app.configuration}/maintenance.html",
                site=app.name,
                then=f"slipway-note maintenance {noted} || :",
            ),
            files.maintenance,
        )
        if app.is_first and app.tls.ends_at_servers:  # shared by all sites
            tls = RemoteFile(
                f"{host.name}-tls",
                host=host,
                put=PutFile(path=app.TLS_FILE),
                content=render("tls.conf"),
                gone_with_resource=True,
                opts=host.options(self, depends_on=[prepared]),
            )
            secured = [*secured, tls]
        site = file("nginx", _nginx_site(app, system), files.nginx[host.name], secured)
        proxied = self._proxied(host, args, system, [site, *secured])
        sockets = file(
            "sockets",
            PutFile(
                path=f"/etc/tmpfiles.d/{app.name}.conf",
                site=app.name,
                then=f"systemd-tmpfiles --create {app.name}.conf",
            ),
            files.sockets,
        )
        # Apache needs the folder of the sockets when its configuration is checked.
        instance = [file(each.name, each.put, each.content, [sockets]) for each in files.instance]
        config_files = []
        variables = args.environment
        if args.config_file:
            content, path = _config_file(args.config_file, args)
            # Only the application's group may read it.
            put = path.apply(
                lambda known: PutFile(
                    path=known, mode="0640", owner=f"root:{app.name}", site=app.name
                )
            )
            config_files = [file("app-config", put, content)]
            variables = {**variables, args.config_file.variable: path}
        environment = file(
            "environment",
            PutFile(path=app.environment, mode="0600", site=app.name),
            pulumi.Output.secret(pulumi.Output.all(**variables).apply(environment_file)),
            config_files,
        )
        settings = file(
            "releasectl-settings",
            PutFile(path=f"{app.configuration}/app.json", site=app.name),
            files.releasectl,
        )
        configured: list[pulumi.Resource] = [
            *[
                maintenance,
                site,
                *proxied,
                *instance,
                sockets,
                *config_files,
                environment,
                settings,
            ],
        ]
        if app.is_first:  # shared by all sites
            releasectl = UploadedFile(
                f"{host.name}-releasectl",
                host=host,
                source=RELEASECTL,
                put=PutFile(
                    path="/usr/local/bin/releasectl",
                    mode="0755",
                    check="python3 /usr/local/bin/releasectl --help",
                ),
                # The one that makes the virtual environments.
                interpreter=system.python,
                opts=host.options(self, depends_on=[prepared]),
            )
            configured.append(releasectl)
        self.hosts.append(host)
        self.configured.append([*before, *configured])
        self.digests.append(
            pulumi.Output.all(
                app.health, *(each.digest for each in [*instance, environment])
            ).apply(lambda digests: "".join(digest[:4] for digest in digests))
        )

    def _proxied(
        self,
        host: Host,
        args: WebArgs,
        system: Distribution,
        after: Sequence[pulumi.Resource],
    ) -> list[RemoteFile]:
        """A file of its own: it goes only once the load balancer no longer uses it."""
        app = args.application
        if host.name not in args.files.proxied:
            return []
        name = f"{app.name}-proxied"
        return [
            RemoteFile(
                f"{host.name}-{app.prefix}nginx-proxied",
                host=host,
                put=PutFile(
                    path=system.site.format(app=name),
                    site=app.name,
                    check=system.enable_site.format(app=name) + "nginx -t -q",
                    undo=system.disable_site.format(app=name),
                    unit=nginx.UNIT,
                ),
                content=args.files.proxied[host.name],
                gone_with_resource=True,
                opts=host.options(self, depends_on=after),
            )
        ]

    def _removed_with_its_setting(
        self, host: Host, app: Application, after: Sequence[pulumi.Resource]
    ) -> RemoteScript:
        """Runs nothing when it is made: its delete command removes a site that left `sites`."""
        return RemoteScript(
            f"{host.name}-{app.prefix}site",
            host=host,
            script="true",
            undo=f"{REMOVE.name} --site {app.name}",
            opts=host.options(self, depends_on=after),
        )


def _nginx_site(app: Application, system: Distribution) -> PutFile:
    path = system.site.format(app=app.name)
    keep_old_port = render(
        "keep_old_port.sh",
        app=app.name,
        site=path,
        configuration=app.configuration,
        web_port=app.settings.web_port,
        behind=app.behind,
        is_first=app.is_first,
    )
    return PutFile(
        path=path,
        site=app.name,
        check=keep_old_port + system.enable_site.format(app=app.name) + "nginx -t -q",
        undo=system.disable_site.format(app=app.name),
        unit=nginx.UNIT,
    )


def _config_file(file: ConfigFile, args: WebArgs) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    """Its content, which may hold secrets, and its path on a server, which holds none."""
    variables: pulumi.Output[dict[str, str]] = pulumi.Output.all(**args.environment)
    content: pulumi.Output[str] = pulumi.Output.secret(variables.apply(file.render))
    name = pulumi.Output.unsecret(content.apply(file.name))
    return content, pulumi.Output.concat(args.application.configuration, "/", name)

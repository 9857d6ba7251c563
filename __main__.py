"""One environment: its settings become a network, servers, a database, a web tier and a release."""

import pulumi

from components.app_servers import registry as app_servers
from components.application import web
from components.application.application import Application, ApplicationFiles
from components.application.config_file import ConfigFile
from components.application.kept_chains import OUTPUT as CHAINS_OUTPUT
from components.application.secured import secure
from components.application.web import Web, WebArgs
from components.core import errors, outputs, render
from components.database.postgresql import EPOCH_OUTPUT, Database, DatabaseArgs, epoch
from components.network import names
from components.network.visitors_https import VisitorsHttps
from components.platform import dns
from components.platform.platform import platform_of
from components.release import performer, release_choice
from components.release.release import Release, ReleaseArgs
from components.release.rollout import Rollout
from components.servers.keys import KeyPair, Password
from components.servers.server import Server, ServerArgs
from components.settings import foundation, interruption, load, site, tls

errors.end_quietly_when_interrupted()
errors.refuse_another_clone(__file__)
wanted = load.load()
earlier = release_choice.last_outputs()
foundation.check(wanted, earlier, project=pulumi.get_project(), stack=pulumi.get_stack())
database_epoch = epoch(earlier)
sites = site.all_of(wanted, earlier, project=pulumi.get_project())
https = tls.choose(sites, earlier, project=pulumi.get_project())
platform = platform_of(wanted, earlier)
placed_names = dns.find(wanted, sites, earlier, project=pulumi.get_project())
chosen = [release_choice.choose(each, earlier) for each in sites]
changed = performer.of_update(wanted, [each.release.id for each in chosen], earlier.get("updated"))
applications = [
    Application(
        settings=each.settings,
        module=its.module,
        web_user=platform.web_distribution.web_user,
        is_first=each.is_first,
        tls=https,
    )
    for each, its in zip(sites, chosen, strict=True)
]
systems = {name: platform.distribution(name) for name in wanted.web_servers}
files = [ApplicationFiles.of(each, systems) for each in applications]
visitors_https = VisitorsHttps(
    tls=https,
    once_served={each.name: each.once_served_over_https for each in applications if each.https},
)
config_files = [ConfigFile.of(each.settings) for each in sites]
render.check_all()

deploy_key = KeyPair("deploy-key")
db_passwords = {
    each.name: Password("db-password" if each.is_first else f"db-password-{each.name}").value
    for each in sites
}

interruption.warn(wanted, earlier)
tls.tell(https)
platform.create_shared_resources(deploy_key)

db_server = Server(
    "db",
    ServerArgs(
        machine=platform.machine("db"),
        role="db",
        deploy_key=deploy_key,
        updated_by=changed.by,
        connect_seconds=wanted.connect_seconds,
    ),
)

web_servers = [
    Server(
        server_name,
        ServerArgs(
            machine=platform.machine(server_name),
            role="web",
            deploy_key=deploy_key,
            updated_by=changed.by,
            connect_seconds=wanted.connect_seconds,
            packages=app_servers.packages(
                ((each.settings.app_server, each.settings.supervisor) for each in sites),
                platform.web_distribution.family,
            ),
            post_install=web.post_install(platform.web_distribution),
        ),
    )
    for server_name in wanted.web_servers
]

db = Database(
    "database",
    DatabaseArgs(
        server=db_server,
        passwords=db_passwords,
        connections=wanted.db_connections,
        clients=wanted.db_clients,
        epoch=database_epoch,
    ),
)

certificates = secure(https, wanted, web_servers, applications, earlier)

web_tiers: list[Web] = []
for number, each in enumerate(sites):
    web_tiers.append(
        Web(
            "web-tier" if each.is_first else f"web-tier-{each.name}",
            WebArgs(
                application=applications[number],
                files=files[number],
                servers=web_servers,
                environment={**each.settings.app_env, "DATABASE_URL": db.urls[each.name]},
                config_file=config_files[number],
                after=web_tiers[-1].configured if web_tiers else (),
                certificates=certificates.ready,
            ),
        )
    )

releases = {
    each.name: Release(
        "release" if each.is_first else f"release-{each.name}",
        ReleaseArgs(
            choice=chosen[number],
            archive_key=each.within(pulumi.get_stack()),
            application=applications[number],
            web=web_tiers[number],
            rollout=Rollout.of(wanted),
            updated_by=changed.by,
            after=[db.ready[each.name]],
            database=db_server.host,
            database_epoch=database_epoch,
        ),
    )
    for number, each in enumerate(sites)
}

served = [resource for release in releases.values() for resource in release.served]
further = {
    each.name: {"server_names": list(each.server_names), **releases[each.name].outputs}
    for each in sites
    if not each.is_first
}
# What a CA asks for is answered by nginx alone: the application has not to be there yet.
answering = [resource for each in web_tiers[-1].configured for resource in each]
entrance = platform.allow_traffic(web_servers, visitors_https, after=served)
every_name = [name for each in sites for name in each.all_names]
leading = names.lead(placed_names, every_name, entrance.addresses)
outputs.export(
    {
        "url": https.url or entrance.url,
        "entrance": entrance.url,
        "https": https.visited,
        CHAINS_OUTPUT: certificates.obtain([*entrance.resources, *leading.records, *answering]),
        tls.HSTS_OUTPUT: https.hsts,
        "records_to_set": pulumi.Output.all(*leading.to_set),
        dns.OUTPUT: pulumi.Output.all(*(each.id for each in leading.records)),
        "web": pulumi.Output.all(*(server.summary for server in web_servers)),
        "db": db_server.summary,
        **releases[wanted.app_name].outputs,
        **({"sites": pulumi.Output.from_input(further)} if further else {}),
        "updated": changed.to_dict(),
        EPOCH_OUTPUT: database_epoch,
        foundation.OUTPUT: foundation.of(wanted),
        interruption.OUTPUT: interruption.of(wanted),
        "visits": {each.name: each.visit(wanted.http_from) for each in applications},
        **platform.outputs,
    },
    earlier,
)

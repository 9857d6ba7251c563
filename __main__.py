"""One environment: its settings become a network, servers, a database, a web tier and a release."""

import pulumi

from components import database, endpoint, errors, plan, render, settings, updater, web
from components.application import Application, ApplicationFiles
from components.config_file import ConfigFile
from components.database import Database, DatabaseArgs
from components.identity import KeyPair, Password
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.network import POSTGRESQL_PORT, Network, NetworkArgs
from components.release import Release, ReleaseArgs
from components.rollout import Rollout
from components.server import Server, ServerArgs, local_hints
from components.web import Web, WebArgs

errors.end_quietly_when_interrupted()
wanted = settings.load()
endpoint.check(settings.api_endpoint())
earlier = plan.last_outputs()
chosen = plan.decide(wanted, earlier)
changed = updater.decide(wanted, chosen.release.id, earlier.get("updated"))
application = Application.of(wanted, module=chosen.module)
files = ApplicationFiles.of(application)
config_file = ConfigFile.of(wanted)
render.check_all()

deploy_key = KeyPair("deploy-key")
db_password = Password("db-password")

network = Network(
    f"{pulumi.get_project()}-{pulumi.get_stack()}",
    NetworkArgs(
        region=wanted.region,
        ip_range=wanted.vpc_range,
        deploy_key=deploy_key.public,
        ssh_from=wanted.ssh_from,
        web_port=wanted.web_port,
        db_from=wanted.db_from,
    ),
)

db_server = Server(
    "db",
    ServerArgs(
        name=f"{wanted.name_prefix}db",
        region=wanted.region,
        image=wanted.image,
        size=wanted.db_size,
        network=network,
        tag=network.db_tag,
        deploy_key=deploy_key,
        updated_by=changed.by,
        connect_seconds=wanted.connect_seconds,
        packages=database.PACKAGES,
        backups=wanted.backups,
        protected=wanted.protect_database,
        hints=local_hints(
            address=wanted.local_db_address,
            forward=(wanted.local_db_port, POSTGRESQL_PORT),
        ),
    ),
)

web_servers = [
    Server(
        server_name,
        ServerArgs(
            name=f"{wanted.name_prefix}{server_name}",
            region=wanted.region,
            image=wanted.image,
            size=wanted.web_size,
            network=network,
            tag=network.web_tag,
            deploy_key=deploy_key,
            updated_by=changed.by,
            connect_seconds=wanted.connect_seconds,
            packages=web.packages(wanted),
            after_packages=web.AFTER_PACKAGES,
            backups=wanted.backups,
            hints=hints,
        ),
    )
    for server_name, hints in web.servers_of(wanted)
]

db = Database(
    "database",
    DatabaseArgs(
        server=db_server,
        image=wanted.image,
        name=wanted.app_name,
        password=db_password.value,
        network=wanted.vpc_range,
    ),
)

web_tier = Web(
    "web-tier",
    WebArgs(
        application=application,
        files=files,
        servers=web_servers,
        environment={**wanted.app_env, "DATABASE_URL": db.url},
        config_file=config_file,
    ),
)

site = Release(
    "release",
    ReleaseArgs(
        plan=chosen,
        application=application,
        web=web_tier,
        rollout=Rollout.of(wanted),
        updated_by=changed.by,
        after=[db.ready],
    ),
)

balancer = (
    LoadBalancer(
        "balancer",
        LoadBalancerArgs(
            region=wanted.region,
            network=network,
            hosts=web_tier.hosts,
            port=wanted.web_port,
            health_path=wanted.health_path,
            after=site.served,
        ),
    )
    if wanted.balanced
    else None
)
network.open_site(
    wanted.web_port,
    addresses=wanted.http_from,
    load_balancer_id=balancer.id if balancer else None,
)

pulumi.export("url", web.url_of(wanted, web_servers, balancer))
pulumi.export("web", [server.summary for server in web_servers])
pulumi.export("db", db_server.summary)
pulumi.export("release", site.current)
pulumi.export("previous_release", site.previous)
pulumi.export("releases", site.releases)
pulumi.export("updated", changed.to_dict())

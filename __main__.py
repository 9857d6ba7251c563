"""One environment: its settings become a network, servers, a database, a web tier and a release."""

import pulumi

from components import app_server, errors, outputs, place, plan, render, settings, updater, web
from components.application import Application, ApplicationFiles
from components.config_file import ConfigFile
from components.database import Database, DatabaseArgs
from components.identity import KeyPair, Password
from components.release import Release, ReleaseArgs
from components.rollout import Rollout
from components.server import Server, ServerArgs
from components.web import Web, WebArgs

errors.end_quietly_when_interrupted()
wanted = settings.load()
earlier = plan.last_outputs()
ground = place.of(wanted, earlier)
chosen = plan.decide(wanted, earlier)
changed = updater.decide(wanted, chosen.release.id, earlier.get("updated"))
application = Application.of(
    wanted, module=chosen.module, web_user=ground.web_distribution.web_user
)
files = ApplicationFiles.of(application)
config_file = ConfigFile.of(wanted)
render.check_all()

deploy_key = KeyPair("deploy-key")
db_password = Password("db-password")

ground.settle(deploy_key)

db_server = Server(
    "db",
    ServerArgs(
        machine=ground.machine("db"),
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
            machine=ground.machine(server_name),
            role="web",
            deploy_key=deploy_key,
            updated_by=changed.by,
            connect_seconds=wanted.connect_seconds,
            packages=app_server.packages(wanted.app_server, wanted.supervisor),
            after_packages=web.after_packages(ground.web_distribution),
        ),
    )
    for server_name in wanted.web_servers
]

db = Database(
    "database",
    DatabaseArgs(
        server=db_server,
        name=wanted.app_name,
        password=db_password.value,
        clients=wanted.db_clients,
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

outputs.export(
    {
        "url": ground.open_site(web_servers, after=site.served),
        "web": pulumi.Output.all(*(server.summary for server in web_servers)),
        "db": db_server.summary,
        "release": site.current,
        "previous_release": site.previous,
        "releases": site.releases,
        "updated": changed.to_dict(),
        **ground.outputs,
    },
    earlier,
)

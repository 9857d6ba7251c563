"""PostgreSQL on a server of its own, open to the application only, at its private address."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.core import ports
from components.core.put_file import PutFile, Unit
from components.core.render import render
from components.servers.remote import RemoteFile, RemoteScript
from components.servers.server import Server

#: The stack output, and the environment variable with the next value, which scripts/up sets.
EPOCH_OUTPUT = "database_epoch"
EPOCH = "SLIPWAY_DATABASE_EPOCH"


def epoch(earlier: Mapping[str, Any]) -> str:
    """Identifies the database on its server: changes once it is found to be new or restored."""
    return os.environ.get(EPOCH) or str(earlier.get(EPOCH_OUTPUT) or "")


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    server: Server
    passwords: Mapping[str, pulumi.Input[str]]
    """By the name of the database: the password of its owner, a role of the same name."""
    connections: int
    """PostgreSQL's `max_connections`."""
    clients: Sequence[str]
    """The networks from which the application comes, in CIDR form."""
    epoch: str = ""
    """See `epoch`: when it changes, missing roles and databases are created again."""


class Database(pulumi.ComponentResource):
    """Databases with their roles. By name, `urls` (secret) are for the applications, and `ready` is
    what they depend on."""

    urls: dict[str, pulumi.Output[str]]
    ready: dict[str, pulumi.Resource]

    def __init__(
        self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:index:Database", name, None, opts)
        host = args.server.host
        system = args.server.distribution
        folder = system.postgresql_folder
        after_packages = host.options(self, depends_on=[args.server.ready])

        configuration = RemoteFile(
            f"{name}-postgresql-conf",
            host=host,
            put=PutFile(
                path=f"{folder}/conf.d/slipway.conf",
                owner="postgres:postgres",
                check=f"runuser -u postgres -- {system.postgresql_program}"
                f" -D {folder} -C listen_addresses",
                # A new address or port needs a restart.
                unit=Unit(name="postgresql.service", verb="restart", serves=True),
                # A server that leaves the environment keeps its database and access rules.
                stays=True,
            ),
            content=args.server.private_address.apply(
                lambda address: render(
                    "postgresql.conf",
                    address=address,
                    port=ports.POSTGRESQL,
                    connections=args.connections,
                    notices_lost_clients=system.notices_lost_clients,
                )
            ),
            opts=after_packages,
        )
        access = RemoteFile(
            f"{name}-pg-hba",
            host=host,
            put=PutFile(
                path=f"{folder}/pg_hba.conf",
                mode="0640",
                owner="postgres:postgres",
                check="runuser -u postgres -- psql -qtAX -c"
                " 'SELECT 1 / (count(*) = 0)::int FROM pg_hba_file_rules WHERE error IS NOT NULL'",
                then="systemctl reload postgresql",
                stays=True,
            ),
            content=render("pg_hba.conf", names=list(args.passwords), clients=args.clients),
            opts=host.options(self, depends_on=[configuration]),
        )
        self.urls, self.ready = {}, {}
        for number, (database, password) in enumerate(args.passwords.items()):
            self.ready[database] = RemoteScript(
                f"{name}-{database}-create" if number else f"{name}-create",
                host=host,
                script=render(
                    "create_database.sh", role=database, database=database, epoch=args.epoch
                ),
                stdin=pulumi.Output.secret(password),
                opts=host.options(self, depends_on=[access]),
            )
            self.urls[database] = pulumi.Output.secret(
                pulumi.Output.format(
                    "postgresql://{0}:{1}@{2}:{3}/{0}?sslmode=require",
                    database,
                    password,
                    args.server.private_address,
                    ports.POSTGRESQL,
                )
            )
        self.register_outputs({})

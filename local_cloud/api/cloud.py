"""One running local cloud: its records, its machines, and the network kept in step with both."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from local_cloud.api.domain_models import zones
from local_cloud.api.models import (
    Droplet,
    Firewall,
    LoadBalancer,
    ReservedIp,
    Vpc,
    served_certificates,
)
from local_cloud.api.network_plan import plan
from local_cloud.api.store import Store
from local_cloud.machine import (
    Hypervisor,
    LoadBalancerError,
    MachineError,
    NameServer,
    Network,
)

log = logging.getLogger("slipway.cloud")


@dataclass(frozen=True)
class Cloud:
    """What every request works with."""

    state_folder: Path
    store: Store
    hypervisor: Hypervisor
    name_server: NameServer

    @cached_property
    def public_network(self) -> IPv4Network:
        """Chosen once for a state folder; kept here, so that no read waits for the hypervisor."""
        return self.hypervisor.public_network()

    @contextmanager
    def change_network(self) -> Iterator[sqlite3.Connection]:
        """A change of records that the firewalls or forwards depend on.

        The network is planned from the changed records and applied before they are committed, so
        that both happen or neither. The store has one writer: changes come one after the other.
        """
        with self.store.write() as db:
            yield db
            self.hypervisor.apply_network(self._planned(db))

    @contextmanager
    def change_domains(self) -> Iterator[sqlite3.Connection]:
        """A change of the records that the name server answers from, likewise."""
        with self.store.write() as db:
            yield db
            self.name_server.serve(zones(db))

    def restore_names(self) -> None:
        """Have the name server answer from the records, after a restart.

        Without one the cloud starts all the same: domains are then refused, with the reason.
        """
        with self.store.read() as db:
            recorded = zones(db)
        try:
            self.name_server.serve(recorded)
        except MachineError as error:
            log.error("the name server does not answer: %s", error)

    def restore_network(self) -> None:
        """Apply the network of the records, after a restart.

        A load balancer that does not start, or a forward whose port another program took meanwhile,
        is left out with a line in the log: the firewalls matter more. Raises MachineError when even
        they cannot be had.
        """
        with self.store.read() as db:
            network = self._planned(db)
        try:
            self._apply(network)
        except MachineError as error:
            if not network.forwards:
                raise
            log.error("the forwards from 127.0.0.1 are not in place: %s", error)
            self._apply(replace(network, forwards=()))

    def _apply(self, network: Network) -> None:
        try:
            self.hypervisor.apply_network(network)
        except LoadBalancerError as error:
            log.error("not every load balancer is in place: %s", error)

    def _planned(self, db: sqlite3.Connection) -> Network:
        vpcs = [Vpc.from_row(row) for row in db.execute("SELECT * FROM vpcs")]
        return plan(
            Droplet.all(db),
            Firewall.all(db),
            LoadBalancer.all(db),
            self.public_network,
            vpcs,
            served_certificates(db),
            ReservedIp.all(db),
        )


async def cloud_of(request: Request) -> Cloud:
    cloud: Cloud = request.app.state.cloud
    return cloud


TheCloud = Annotated[Cloud, Depends(cloud_of)]

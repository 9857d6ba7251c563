"""The local cloud as an ASGI application: every noun's routes under /v2, behind a bearer token."""

from __future__ import annotations

import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from local_cloud.api import (
    account,
    actions,
    associated_resources,
    catalogue,
    certificate_renewal,
    certificates,
    domain_records,
    domains,
    droplet_actions,
    droplet_details,
    droplet_requests,
    droplets,
    firewalls,
    images,
    load_balancer_members,
    load_balancers,
    not_served,
    reserved_ips,
    snapshots,
    ssh_keys,
    tags,
    vpcs,
)
from local_cloud.api.action_runner import ActionRunner
from local_cloud.api.cloud import Cloud
from local_cloud.api.errors import answer, install_handlers
from local_cloud.api.store import Store
from local_cloud.machine import Hypervisor, MachineError, NameServer

SERVICE = "slipway-local-cloud"
DATABASE = "cloud.db"
PREFIX = "/v2"
OWN_PREFIX = "/local"
"""For what DigitalOcean has no word for: its own doings, asked for at once."""

ROUTERS = (
    account,
    actions,
    catalogue,
    certificates,
    domain_records,
    domains,
    # Fixed paths under /droplets come before those with an identifier in their place.
    droplet_details,
    droplet_actions,
    associated_resources,
    droplet_requests,
    droplets,
    firewalls,
    images,
    load_balancer_members,
    load_balancers,
    reserved_ips,
    snapshots,
    ssh_keys,
    tags,
    vpcs,
    not_served,
)


def create_app(
    state_folder: Path, hypervisor: Hypervisor, name_server: NameServer, token: str
) -> FastAPI:
    """The application over the records in `state_folder`; requests must bear `token`.

    Its start (the ASGI lifespan) brings names and network back and goes on with unfinished work; it
    raises MachineError when the firewalls cannot be had.
    """
    cloud = Cloud(state_folder.resolve(), Store(state_folder / DATABASE), hypervisor, name_server)
    runner = ActionRunner(cloud)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Names first: the firewall leads the hosts to the name server.
        cloud.restore_names()
        try:
            cloud.restore_network()
        except MachineError as error:
            app.state.start_failure = error
            raise
        runner.resume()
        associated_resources.resume(cloud, runner)
        load_balancers.resume(cloud)
        certificates.resume(cloud)
        ended = Event()
        certificate_renewal.keep_renewed(cloud, ended)
        yield
        ended.set()

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.cloud, app.state.action_runner, app.state.start_failure = cloud, runner, None
    install_handlers(app)
    app.add_middleware(BearerToken, token=token, where=cloud.state_folder / "token")
    routes = APIRouter(prefix=PREFIX)
    for module in ROUTERS:
        routes.include_router(module.router)
    app.include_router(routes)
    app.include_router(certificate_renewal.router, prefix=OWN_PREFIX)

    @app.get("/healthz")
    async def health() -> JSONResponse:
        """Who is on this port: for the command line, without a token."""
        state = str(cloud.state_folder)
        return JSONResponse({"service": SERVICE, "state": state, "pid": os.getpid()})

    return app


class BearerToken:
    """Lets only requests with the token through to the API."""

    def __init__(self, app: ASGIApp, token: str, where: Path) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._where = where

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/healthz":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("authorization", "")
        if hmac.compare_digest(given.encode(), self._expected):
            await self._app(scope, receive, send)
            return
        message = f"Unable to authenticate you (the token of this local cloud is in {self._where})"
        await answer(401, "unauthorized", message)(scope, receive, send)

"""Web servers are resized one after the other, each out of the load balancer meanwhile.

DigitalOcean resizes a droplet only while it is off, and the provider powers it off hard: resizing
all of them at once would take the site down.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Mapping
from typing import Any

import pulumi

from components.core.render import render
from components.core.shell import as_root
from components.network.balancer_check import SECONDS_TO_JUDGE
from components.servers.keys import KeyPair
from components.servers.machine import DEPLOY_USER
from components.settings.settings import Settings

#: How long a server may take to serve again after power-on.
SECONDS_UNTIL_IT_IS_BACK = 300
SECONDS_BETWEEN_TRIES = 1


class Resize:
    """Options for the droplets of web servers in an update that resizes them."""

    def __init__(self, settings: Settings, earlier: Mapping[str, str]) -> None:
        """`earlier` is what was ordered by the last good update; empty before the first."""
        self._settings = settings
        self._is_due = earlier.get("webSize", settings.web_size) != settings.web_size
        self._last: pulumi.Resource | None = None

    def options(
        self, server: str, host_key: KeyPair, deploy_key: KeyPair
    ) -> pulumi.ResourceOptions | None:
        """Of the next droplet; None if there is nothing to wait for."""
        if not (self._is_due and self._settings.balanced):
            return None
        script = _StepScript(server, host_key, deploy_key)
        app, drain_seconds = self._settings.app_name, self._settings.drain_seconds

        async def step_aside(args: pulumi.ResourceHookArgs) -> None:
            before, after = args.old_inputs or {}, args.new_inputs or {}
            if before.get("size") == after.get("size"):
                return
            command = render(
                "step_aside.sh",
                app=app,
                drain_seconds=drain_seconds,
                seconds_to_judge=SECONDS_TO_JUDGE,
            )
            # A server that cannot be reached serves nobody, or goes as it would without this.
            await script.run(as_root(command), args.old_outputs or {})

        async def come_back(args: pulumi.ResourceHookArgs) -> None:
            deadline = time.monotonic() + SECONDS_UNTIL_IT_IS_BACK
            command = as_root(f"releasectl --app {app} watch >/dev/null")
            while (reason := await script.run(command, args.new_outputs or {})) is not None:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{server} does not serve with its new size: {reason}")
                await asyncio.sleep(SECONDS_BETWEEN_TRIES)

        return pulumi.ResourceOptions(
            depends_on=[self._last] if self._last else [],
            hooks=pulumi.ResourceHookBinding(
                before_update=[pulumi.ResourceHook(f"{server}-step-aside", step_aside)],
                after_update=[pulumi.ResourceHook(f"{server}-come-back", come_back)],
            ),
        )

    def made(self, droplet: pulumi.Resource) -> None:
        """The next one waits for it."""
        self._last = droplet


class _StepScript:
    """Commands on one server, from this machine."""

    def __init__(self, server: str, host_key: KeyPair, deploy_key: KeyPair) -> None:
        self._server, self._host_key, self._deploy_key = server, host_key, deploy_key

    async def run(self, command: str, droplet: Mapping[str, Any]) -> str | None:
        """None where it went well, else why not."""
        environment = {
            "SERVER_ADDRESS": str(droplet["ipv4Address"]),
            "SERVER_KEY": str(await self._host_key.public.future()),
        }
        key = await self._deploy_key.private.future()
        script = render("on_server.sh", server=self._server, user=DEPLOY_USER, command=command)
        done = await asyncio.to_thread(
            subprocess.run,
            ["sh", "-c", script],
            env={**os.environ, **environment},
            input=str(key),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return None
        return done.stderr.strip() or f"exit status {done.returncode}"

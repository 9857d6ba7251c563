"""What can happen to a server, done to it from outside, and taken back."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.clone import Clone
from tests.fleet.fleet import WebServers

SECONDS_FOR_AN_ACTION = 60


def switch_off(fleet: WebServers, name: str) -> None:
    """Cut the power of a server; returns when it is off."""
    _power(fleet.site, name, "power_off")


def switch_on(fleet: WebServers, name: str) -> None:
    """Returns when its SSH answers again."""
    _power(fleet.site, name, "power_on")


@contextmanager
def switched_off(fleet: WebServers, name: str) -> Iterator[None]:
    """If it is still there afterwards it is on again: the stories behind need it."""
    switch_off(fleet, name)
    try:
        yield
    finally:
        if _droplets(fleet.site, name):
            switch_on(fleet, name)


@contextmanager
def cut_off(fleet: WebServers, name: str) -> Iterator[None]:
    """Nothing reaches a server or comes from it: no refusal either, as with a pulled cable."""
    table = fleet.site.place.table
    addresses = ", ".join(_droplet(fleet.site, name)["addresses"])
    rules = [f"add table inet {table}"]
    for hook in ("input", "forward", "output"):
        rules += [
            f"add chain inet {table} {hook} {{ type filter hook {hook} priority -10; }}",
            f"add rule inet {table} {hook} ip saddr {{ {addresses} }} drop",
            f"add rule inet {table} {hook} ip daddr {{ {addresses} }} drop",
        ]
    try:
        subprocess.run(["nft", "-f", "-"], input="\n".join(rules), text=True, check=True)
        yield
    finally:
        subprocess.run(["nft", "delete", "table", "inet", table], check=True)


@contextmanager
def full_disk(fleet: WebServers, name: str) -> Iterator[None]:
    """The releases of a server lie on a small disk that is nearly full; what serves is there."""
    folder, small = "/srv/site/releases", "/run/slipway-test"
    fleet.everywhere(
        _as_root(
            f"mkdir {small} && mount -t tmpfs -o size=2m,mode=755 tmpfs {small}"
            f" && cp -a {folder}/. {small}/ && mount --bind {small} {folder}"
            f" && {{ dd if=/dev/zero of={small}/filler bs=4k 2>/dev/null || true; }}"
        ),
        name,
    )
    try:
        yield
    finally:
        fleet.everywhere(_as_root(f"umount {folder} && umount {small} && rmdir {small}"), name)


@contextmanager
def clock_set_wrong(fleet: WebServers, name: str, *, by: str) -> Iterator[None]:
    """For releasectl and what it starts, the time of day is another one, such as "-1h".

    All hosts have this machine's kernel, and with it one clock: libfaketime stands between.
    """
    program = "/usr/local/bin/releasectl"
    library = "$(echo /usr/lib/*/faketime/libfaketime.so.1)"
    wrapper = f"""#!/bin/sh
export LD_PRELOAD={library} FAKETIME={by}
exec python3 -I {program}.real "$@"
"""
    fleet.everywhere(
        _as_root(
            f"apt-get install -qq libfaketime >/dev/null; test -e {library}"
            f"; mv {program} {program}.real; printf %s {shlex.quote(wrapper)} >{program}"
            f"; chmod 755 {program}"
        ),
        name,
    )
    try:
        yield
    finally:
        fleet.everywhere(_as_root(f"mv {program}.real {program}"), name)


def _as_root(script: str) -> str:
    return f"sudo sh -ec {shlex.quote(script)}"


def _power(site: Clone, name: str, kind: str) -> None:
    droplet = _droplet(site, name)
    with _api(site) as api:
        action = api.post(f"/droplets/{droplet['id']}/actions", json={"type": kind}).json()
        for _ in range(SECONDS_FOR_AN_ACTION * 10):
            found = api.get(f"/actions/{action['action']['id']}").json()["action"]
            if found["status"] != "in-progress":
                break
            time.sleep(0.1)
    assert found["status"] == "completed", found


def _droplet(site: Clone, name: str) -> dict[str, Any]:
    (droplet,) = _droplets(site, name)
    networks = droplet["networks"]["v4"]
    return {"id": droplet["id"], "addresses": [each["ip_address"] for each in networks]}


def _droplets(site: Clone, name: str) -> list[dict[str, Any]]:
    with _api(site) as api:
        found: list[dict[str, Any]] = api.get("/droplets", params={"name": name}).json()["droplets"]
    return found


def _api(site: Clone) -> httpx.Client:
    token = (site.folder / ".slipway/local-cloud/token").read_text().strip()
    address = f"{site.place.endpoint}/v2"
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60)

"""Carries out actions on the machines, each in its own thread, and records how they ended.

An action is recorded as `in-progress`, with everything it needs, before it starts. After a crash it
is simply repeated: every call of a hypervisor is idempotent.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from threading import Lock, Thread
from typing import Annotated

from fastapi import Depends, Request

from local_cloud.api import actions
from local_cloud.api.actions import Action
from local_cloud.api.catalogue import SIZES
from local_cloud.api.cloud import Cloud
from local_cloud.api.errors import ApiError
from local_cloud.api.models import Droplet, Vpc
from local_cloud.machine import Interface, MachineError, MachineSpec

log = logging.getLogger("slipway.cloud")

SHUTDOWN_GRACE_SECONDS = 30.0


class DropletGoneError(MachineError):
    """The droplet was deleted while the action waited for its turn."""


class ActionRunner:
    """Runs all actions on the machines of one cloud, one at a time for each droplet."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._hypervisor = cloud.hypervisor
        self._turns: defaultdict[int, Lock] = defaultdict(Lock)
        self._steps: dict[str, Callable[[Droplet, Action], str]] = {
            "create": self._create,
            "rebuild": self._rebuild,
            "restore": self._rebuild,
            "power_on": self._power_on,
            "power_off": self._power_off,
            "power_cycle": self._power_cycle,
            "shutdown": self._shut_down,
            "reboot": self._reboot,
            "rename": self._rename,
            "resize": self._resize,
            "snapshot": self._snapshot,
        }

    def start(self, action: Action) -> Thread:
        """Carry out a recorded action in a daemon thread, so that the cloud can always stop."""
        carry_out = self._destroy if action.type == "destroy" else self._carry_out
        thread = Thread(
            target=self._in_turn,
            args=(carry_out, action),
            name=f"{action.type} {action.droplet_id}",
            daemon=True,
        )
        thread.start()
        return thread

    def finish(self, begun: Iterable[Action]) -> list[Action]:
        """Carry out actions in parallel, wait for all of them, and return them as they ended."""
        identifiers = []
        threads = []
        for action in begun:
            identifiers.append(action.id)
            threads.append(self.start(action))
        for thread in threads:
            thread.join()
        with self._cloud.store.read() as db:
            return [actions.find(db, identifier) for identifier in identifiers]

    def resume(self) -> None:
        """After a restart: finish interrupted actions, and start droplets that should run."""
        with self._cloud.store.write() as db:
            busy = actions.busy_droplets(db)
            for droplet in Droplet.all(db):
                stopped = droplet.status == "active" and droplet.id not in busy
                if stopped and not self._hypervisor.is_running(droplet.id):
                    actions.begin(db, droplet, "power_on")
            unfinished = actions.unfinished(db)
        for action in unfinished:
            log.info("resuming %s of droplet %s", action.type, action.droplet_id)
            self.start(action)

    def _in_turn(self, carry_out: Callable[[Action], None], action: Action) -> None:
        label = f"{action.type} of droplet {action.droplet_id} (action {action.id})"
        try:
            with self._turns[action.droplet_id]:
                carry_out(action)
        except MachineError as error:
            log.error("%s failed: %s", label, error)
            self._record_failure(action, str(error))
        except ApiError as error:
            log.error("%s failed: %s", label, error.message)
            self._record_failure(action, error.message)
        except Exception:
            log.exception("%s failed", label)
            self._record_failure(action, "unexpected error of the local cloud; see its cloud.log")
        else:
            log.info("%s completed", label)

    def _record_failure(self, action: Action, message: str) -> None:
        with self._cloud.store.write() as db:
            actions.fail(db, action, message)
            if action.type == "snapshot":
                db.execute(
                    "DELETE FROM snapshots WHERE id = ?", (action.parameters["snapshot_id"],)
                )

    def _carry_out(self, action: Action) -> None:
        droplet = self._droplet(action)
        status = self._steps[action.type](droplet, action)
        with self._cloud.store.write() as db:
            db.execute(
                "UPDATE droplets SET status = ? WHERE id = ? AND status != 'archive'",
                (status, droplet.id),
            )
            actions.complete(db, action)

    def _destroy(self, action: Action) -> None:
        self._hypervisor.destroy(action.droplet_id)
        with self._cloud.change_network() as db:
            db.execute("DELETE FROM droplets WHERE id = ?", (action.droplet_id,))
            actions.complete(db, action)
        self._turns.pop(action.droplet_id, None)

    def _droplet(self, action: Action) -> Droplet:
        with self._cloud.store.read() as db:
            droplet = Droplet.find(db, action.droplet_id)
        if droplet is None or droplet.status == "archive":
            raise DropletGoneError(f"droplet {action.droplet_id} was deleted")
        return droplet

    def _specification(self, droplet: Droplet) -> MachineSpec:
        size = SIZES[droplet.size]
        with self._cloud.store.read() as db:
            row = db.execute("SELECT * FROM vpcs WHERE id = ?", (droplet.vpc_id,)).fetchone()
        public = self._cloud.public_network
        return MachineSpec(
            id=droplet.id,
            name=droplet.name,
            image=droplet.image["slug"] or f"snapshot-{droplet.image['id']}",
            public=Interface(address=droplet.public_address, network=public),
            private=Interface(address=droplet.private_address, network=Vpc.from_row(row).ip_range),
            user_data=droplet.user_data,
            ssh_keys=droplet.ssh_keys,
            region=droplet.region,
            memory_mib=size.memory,
            vcpus=size.vcpus,
        )

    # Each step returns the status the droplet has afterwards.

    def _create(self, droplet: Droplet, action: Action) -> str:
        specification = self._specification(droplet)
        if droplet.image["slug"]:
            self._hypervisor.prepare_image(
                specification.image,
                lambda line: log.info("image %s: %s", specification.image, line),
            )
            self._droplet(action)  # an image takes a minute: the droplet may be deleted by now
        self._hypervisor.create(specification)
        return "active"

    def _rebuild(self, droplet: Droplet, action: Action) -> str:
        self._hypervisor.destroy(droplet.id)
        return self._create(droplet, action)

    def _power_on(self, droplet: Droplet, action: Action) -> str:
        if not self._hypervisor.is_running(droplet.id):
            self._hypervisor.start(self._specification(droplet))
        return "active"

    def _power_off(self, droplet: Droplet, action: Action) -> str:
        self._hypervisor.power_off(droplet.id)
        return "off"

    def _power_cycle(self, droplet: Droplet, action: Action) -> str:
        self._hypervisor.power_off(droplet.id)
        self._hypervisor.start(self._specification(droplet))
        return "active"

    def _shut_down(self, droplet: Droplet, action: Action) -> str:
        self._hypervisor.shut_down(droplet.id, SHUTDOWN_GRACE_SECONDS)
        return "off"

    def _reboot(self, droplet: Droplet, action: Action) -> str:
        self._hypervisor.reboot(droplet.id)
        return "active"

    def _rename(self, droplet: Droplet, action: Action) -> str:
        name = action.parameters["name"]
        self._hypervisor.rename(droplet.id, name)
        with self._cloud.store.write() as db:
            db.execute("UPDATE droplets SET name = ? WHERE id = ?", (name, droplet.id))
        return droplet.status

    def _resize(self, droplet: Droplet, action: Action) -> str:
        size, disk = action.parameters["size"], action.parameters["disk"]
        with self._cloud.store.write() as db:
            db.execute(
                "UPDATE droplets SET size = ?, disk = ? WHERE id = ?", (size, disk, droplet.id)
            )
        return droplet.status

    def _snapshot(self, droplet: Droplet, action: Action) -> str:
        snapshot_id = action.parameters["snapshot_id"]
        size = self._hypervisor.snapshot(droplet.id, snapshot_id)
        with self._cloud.store.write() as db:
            db.execute("UPDATE snapshots SET size_gigabytes = ? WHERE id = ?", (size, snapshot_id))
        return droplet.status


async def action_runner_of(request: Request) -> ActionRunner:
    runner: ActionRunner = request.app.state.action_runner
    return runner


TheActionRunner = Annotated[ActionRunner, Depends(action_runner_of)]

"""A local cloud without machines, served by a real uvicorn on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from local_cloud.api.app import create_app
from tests.local_cloud.api.description import FILE, Description, Operation
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor
from tests.local_cloud.api.memory_name_server import MemoryNameServer

TOKEN = "local_v1_test"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl someone"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7nUu0ZL2Ry8tq0Ly0zRLnEvXn0e5AzTtm8h0g9jHo1 other"
DROPLET: dict[str, Any] = {
    "name": "web",
    "region": "fra1",
    "size": "s-1vcpu-1gb",
    "image": "debian-12-x64",
}


class Api(httpx.Client):
    """A client that holds every answer against the description, where there is one."""

    def __init__(self, url: str, description: Description | None) -> None:
        super().__init__(
            base_url=url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            verify=False,
            trust_env=False,
        )
        self._description = description
        self.exercised: set[Operation] = set()
        """Operations that gave an answer other than an error of the client."""
        self.url = url

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        answer = super().send(request, **options)
        answer.read()
        if self._description:
            operation = self._description.operation(request.method, request.url.path)
            if operation:
                problems = self._description.problems(operation, answer.status_code, answer.content)
                assert not problems, f"{operation} answered {answer.status_code}: {problems}"
                self.exercised.add(operation)
        return answer

    def ok(self, method: str, path: str, **options: Any) -> Any:
        """The body of an answer that must be a success; None where it has none."""
        answer = self.request(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def refused(self, status: int, method: str, path: str, **options: Any) -> str:
        """The message of an answer that must be an error with this status."""
        answer = self.request(method, path, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        message: str = answer.json()["message"]
        return message

    def delete_with_body(self, path: str, body: Any) -> None:
        self.ok("DELETE", path, json=body)

    def droplet(self, **changes: Any) -> dict[str, Any]:
        """A new droplet, once it is active."""
        order = DROPLET | changes
        created: dict[str, Any] = self.ok("POST", "/v2/droplets", json=order)["droplet"]
        return self.settled(created["id"])

    def settled(self, droplet_id: int) -> dict[str, Any]:
        """The droplet, once nothing is under way on it."""
        wait_until(lambda: not self.read_droplet(droplet_id)["locked"])
        return self.read_droplet(droplet_id)

    def read_droplet(self, droplet_id: int) -> dict[str, Any]:
        droplet: dict[str, Any] = self.ok("GET", f"/v2/droplets/{droplet_id}")["droplet"]
        return droplet

    def act(self, droplet_id: int, **wish: Any) -> dict[str, Any]:
        """An action on a droplet, once it is over."""
        path = f"/v2/droplets/{droplet_id}/actions"
        return self.finished(self.ok("POST", path, json=wish)["action"]["id"])

    def finished(self, action_id: int) -> dict[str, Any]:
        def read() -> dict[str, Any]:
            action: dict[str, Any] = self.ok("GET", f"/v2/actions/{action_id}")["action"]
            return action

        wait_until(lambda: read()["status"] != "in-progress")
        return read()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@contextmanager
def serving(
    state_folder: Path,
    hypervisor: MemoryHypervisor,
    description: Description | None = None,
    name_server: MemoryNameServer | None = None,
) -> Iterator[Api]:
    """A local cloud over a state folder, until the end of the block."""
    app = create_app(state_folder, hypervisor, name_server or MemoryNameServer(), TOKEN)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_until(lambda: server.started)
            with Api(f"http://127.0.0.1:{listener.getsockname()[1]}", description) as api:
                yield api
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def described() -> Description | None:
    """None where the description is absent: then answers are not held against it."""
    return Description.load() if FILE.exists() else None


@pytest.fixture
def hypervisor() -> MemoryHypervisor:
    return MemoryHypervisor()


@pytest.fixture
def name_server() -> MemoryNameServer:
    return MemoryNameServer()


@pytest.fixture
def api(
    tmp_path: Path,
    hypervisor: MemoryHypervisor,
    name_server: MemoryNameServer,
    described: Description | None,
) -> Iterator[Api]:
    with serving(tmp_path, hypervisor, described, name_server) as client:
        yield client

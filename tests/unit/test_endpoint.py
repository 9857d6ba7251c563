"""A cloud on this machine that does not run is one clear error before anything is made."""

from __future__ import annotations

import socket

import pytest

from components.core.errors import SlipwayError
from components.platform import endpoint
from tests.ports import free_port


@pytest.fixture(name="free_port")
def _free_port() -> int:
    return free_port()


def test_nobody_there_is_said_with_how_to_start_it(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pulumi.get_stack", lambda: "local")
    address = f"http://127.0.0.1:{free_port}"
    with pytest.raises(SlipwayError) as caught:
        endpoint.check(address)
    said = str(caught.value)
    assert address in said
    assert "scripts/up local" in said
    assert f"python3 -m local_cloud start --port {free_port}" in said


def test_a_cloud_that_listens_is_fine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as cloud:
        endpoint.check(f"http://127.0.0.1:{cloud.getsockname()[1]}")


@pytest.mark.parametrize("address", ["", "https://api.digitalocean.com", "http://192.0.2.1:9"])
def test_another_machine_is_not_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_connection(*_: object) -> None:
        raise AssertionError("it was asked")

    monkeypatch.setattr(socket, "create_connection", no_connection)
    endpoint.check(address)

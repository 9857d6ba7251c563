"""Chains that the state keeps: what a server is given, and what the next update knows."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.application.kept_chains import KeptChain, kept_chains
from tests.unit.certctl_ca import Ca, new_key
from tests.unit.certctl_server import http_server

OLD, NEW = (Ca().chain(new_key()).pem for _ in range(2))
PATH = "/.well-known/slipway/site.pem"


def earlier(port: int, **known: Any) -> dict[str, Any]:
    entrance = f"http://127.0.0.1:{port}/"
    return {"entrance": entrance, "certificates": {"site": {"latest": OLD, "given": {}, **known}}}


def latest(outputs: dict[str, Any]) -> str:
    return kept_chains(outputs, ["site"])["site"].latest


def test_a_machine_keeps_what_it_was_given_and_a_new_one_gets_the_latest() -> None:
    kept = KeptChain(latest=NEW, given={"web": {"machine": "17", "chain": OLD}})
    assert kept.for_server("web", "17") == OLD, "so nothing changes on it"
    assert kept.for_server("web", "18") == NEW
    assert kept.for_server("web-2", "17") == NEW
    assert KeptChain().for_server("web", "17") == ""


def test_before_the_first_certificate_nobody_is_asked() -> None:
    with http_server({PATH: (200, NEW)}) as port:
        found = kept_chains({"entrance": f"http://127.0.0.1:{port}/"}, ["site", "shop"])
    assert found == {"site": KeptChain(), "shop": KeptChain()}


def test_what_a_server_shows_is_newer_than_what_is_kept() -> None:
    with http_server({PATH: (200, NEW)}) as port:
        assert latest(earlier(port)) == NEW
        assert latest({**earlier(port), "entrance": ""}) == OLD, "nobody knows where to ask"
    assert latest(earlier(port)) == OLD, "now that it is away"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (404, NEW),
        (200, "<html>"),
        (200, NEW.partition("\n")[2]),
        (200, NEW[:-40]),
        (200, b"\xff"),
        (200, ""),
    ],
)
def test_what_is_no_chain_of_ours_is_not_kept(status: int, text: str | bytes) -> None:
    with http_server({PATH: (status, text)}) as port:
        assert latest(earlier(port)) == OLD


def says(text: bytes) -> Callable[[socket.socket], None]:
    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(text)

    return answer


@pytest.mark.parametrize("text", [b"", b"SSH-2.0-server\r\n", b"HTTP/1.1 huh\r\n\r\n"])
def test_what_is_no_web_server_is_no_reason_to_fail(text: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=says(text), args=(listener,))
        thread.start()
        assert latest(earlier(listener.getsockname()[1])) == OLD
        thread.join()


def test_an_answer_that_is_cut_short_is_not_kept() -> None:
    with http_server({PATH: (200, OLD)}, length=len(OLD) + 1) as port:
        assert latest(earlier(port, latest=NEW)) == NEW


def test_what_the_state_knows_after_an_update() -> None:
    kept = KeptChain(latest="", given={})
    machines = {"web": "17", "web-2": "18"}

    def output(kept: KeptChain, obtained: str) -> dict[str, Any]:
        found: dict[str, Any] = {}

        @pulumi.runtime.test  # type: ignore[untyped-decorator]
        def run() -> Any:
            known = {name: pulumi.Output.from_input(each) for name, each in machines.items()}
            return kept.output(known, obtained).apply(found.update)

        run()
        return found

    first = output(kept, NEW)
    assert first["latest"] == NEW
    assert first["given"] == {
        "web": {"machine": "17", "chain": ""},
        "web-2": {"machine": "18", "chain": ""},
    }
    machines["web-2"] = "19"
    second = output(KeptChain(**first), "")
    assert second["latest"] == NEW
    assert second["given"]["web"] == {"machine": "17", "chain": ""}
    assert second["given"]["web-2"] == {"machine": "19", "chain": NEW}

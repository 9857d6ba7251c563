"""Whether a name leads here, asked over HTTP on this machine's loopback."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from typing import Any

import pytest

from host.certctl import reach
from host.certctl.settings import SiteSettings
from tests.ports import free_port
from tests.unit.certctl_server import http_server

SITE = SiteSettings(app="shop", names=("shop.example", "www.shop.example"), folder=Path("/tls"))
OURS = "thumbprint-of-this-environment"


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The addresses of the names that there are."""
    names: dict[str, list[str]] = {}
    original = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *rest: Any, **more: Any) -> Any:
        if not host.endswith(".example"):
            return original(host, port, *rest, **more)
        if host not in names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (address, port)) for address in names[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


def wrong(port: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(reach, "CHALLENGE_PORT", port)
    return reach.wrong_names(SITE, OURS)


def test_names_that_all_lead_here_are_right(
    dns: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    dns |= {"shop.example": ["127.0.0.1", "127.0.0.2"], "www.shop.example": ["127.0.0.1"]}
    with (
        http_server(thumbprint=OURS) as port,
        http_server(thumbprint=OURS, address="127.0.0.2", port=port),
    ):
        assert wrong(port, monkeypatch) == []


def test_a_name_without_an_address_is_said(
    dns: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    dns["shop.example"] = ["127.0.0.1"]
    with http_server(thumbprint=OURS) as port:
        (said,) = wrong(port, monkeypatch)
    assert said == "www.shop.example leads nowhere: it has no address in the DNS"


def test_one_address_that_is_another_environment_s_is_enough_to_be_wrong(
    dns: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    dns |= {"shop.example": ["127.0.0.1"], "www.shop.example": ["127.0.0.2", "127.0.0.1"]}
    with (
        http_server(thumbprint=OURS) as port,
        http_server(thumbprint="of-another", address="127.0.0.2", port=port),
    ):
        (said,) = wrong(port, monkeypatch)
    assert said == (
        "www.shop.example leads to 127.0.0.2, which is not this environment: it answers 200 to the"
        " CA's question"
    )


@pytest.mark.parametrize("status", [404, 301, 503])
def test_an_answer_of_somebody_else_is_said_with_its_status(
    dns: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    dns |= {name: ["127.0.0.1"] for name in SITE.names}
    monkeypatch.setattr(secrets, "token_urlsafe", lambda length: "token")
    with http_server({f"{reach.CHALLENGES}token": (status, f"token.{OURS}")}) as port:
        said = wrong(port, monkeypatch)
    assert [each.split()[0] for each in said] == list(SITE.names)
    assert all(f"it answers {status} to the CA's question" in each for each in said)


def test_an_address_without_an_answer_is_said(
    dns: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    dns |= {name: ["127.0.0.1"] for name in SITE.names}
    said = wrong(free_port(), monkeypatch)
    assert len(said) == 2
    assert said[0].startswith("shop.example leads to 127.0.0.1, which gives no answer: ")
    assert "Connection refused" in said[0]


def test_an_answer_that_is_no_http_is_said(
    dns: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    dns |= {name: ["127.0.0.1"] for name in SITE.names}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        monkeypatch.setattr(reach, "SECONDS_FOR_AN_ADDRESS", 0.2)
        said = wrong(listener.getsockname()[1], monkeypatch)
    assert len(said) == 2
    assert all("which gives no answer: timed out" in each for each in said)


def test_each_question_is_another_one(
    dns: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So nobody can have kept the answer of an earlier one."""
    asked: list[str] = []
    original = secrets.token_urlsafe

    def token(length: int) -> str:
        asked.append(original(length))
        return asked[-1]

    monkeypatch.setattr(secrets, "token_urlsafe", token)
    dns |= {name: ["127.0.0.1"] for name in SITE.names}
    with http_server(thumbprint=OURS) as port:
        assert wrong(port, monkeypatch) == []
    assert len(set(asked)) == 2
    assert min(map(len, asked)) >= 22, "128 bits, as RFC 8555, 8.3 wants of a token"

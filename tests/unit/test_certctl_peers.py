"""Which of the chains that are there already certctl serves, asked of real servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from host.certctl.chain import Chain
from host.certctl.peers import LONGEST_CHAIN, ask_peer, best_chain
from host.certctl.placeholder import placeholder
from tests.ports import free_port
from tests.unit.certctl_ca import NAMES, new_key, pem
from tests.unit.certctl_server import WebServer, http_server, new_web_server

PATH = "/.well-known/slipway/shop.pem"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    with new_web_server(tmp_path) as server:
        yield server


def best(server: WebServer) -> Chain | None:
    return best_chain(server.settings, server.site, server.key, server.now)


def test_without_any_there_is_none(server: WebServer) -> None:
    assert best(server) is None


def test_of_its_own_and_the_kept_one_it_takes_that_which_lasts_longer(server: WebServer) -> None:
    older, newer = server.chain(20), server.chain(80)
    server.site.kept.write_text(newer.pem)
    assert best(server) == newer
    server.site.chain.write_text(older.pem)
    assert best(server) == newer
    server.site.kept.write_text(older.pem)
    server.site.chain.write_text(newer.pem)
    assert best(server) == newer


def test_what_another_server_has_is_taken_if_it_lasts_longer(server: WebServer) -> None:
    own, theirs, best_of_all = server.chain(20), server.chain(50), server.chain(70)
    server.site.chain.write_text(own.pem)
    with ExitStack() as servers:
        port = servers.enter_context(http_server({PATH: (200, theirs.pem)}))
        again = http_server({PATH: (200, best_of_all.pem)}, address="127.0.0.2", port=port)
        servers.enter_context(again)
        server.changes(port=port, peers=("127.0.0.1",))
        assert best(server) == theirs
        server.changes(peers=("127.0.0.1", "127.0.0.2", "127.0.0.3"))
        assert best(server) == best_of_all, "the third one refuses connections"
    assert best(server) == own, "now that all of them are away"


def chains_that_are_no_good(server: WebServer) -> dict[str, Chain]:
    return {
        "it is of another key": server.ca.chain(new_key()),
        "another CA was asked": server.chain(ordered_from="https://staging.example/directory"),
        "nobody knows which CA was asked": server.chain(ordered_from=""),
        "it is for fewer names": server.chain(names=NAMES[:1]),
        "it has run out": server.chain(10, age=11),
        "no CA has signed it": placeholder(server.key, NAMES, server.now),
    }


def test_what_is_no_good_is_left_where_it_is(server: WebServer) -> None:
    for why, chain in chains_that_are_no_good(server).items():
        with http_server({PATH: (200, chain.pem)}) as port:
            server.changes(port=port, peers=("127.0.0.1",))
            server.site.kept.write_text(chain.pem)
            assert best(server) is None, why


def test_what_comes_from_another_server_is_whole_or_nothing(server: WebServer) -> None:
    chain = server.chain()
    leaf = len(chain.pem) - len(pem(server.ca.certificate))
    long = chain.pem + pem(server.ca.certificate) * 300
    assert len(long) > LONGEST_CHAIN
    for why, answer, length in (
        ("cut off within", chain.pem[: leaf + 100], None),
        ("cut off between two certificates", chain.pem[:leaf], len(chain.pem)),
        ("too long", long, None),
        ("no text", b"\xff", None),
        ("nothing", "", None),
    ):
        with http_server({PATH: (200, answer)}, length=length) as port:
            assert ask_peer("127.0.0.1", port, "shop") is None, why


def test_an_error_page_is_no_chain(server: WebServer) -> None:
    with http_server({PATH: (503, server.chain().pem)}) as port:
        assert ask_peer("127.0.0.1", port, "shop") is None
    with http_server({}) as port:
        assert ask_peer("127.0.0.1", port, "shop") is None
    assert ask_peer("127.0.0.1", free_port(), "shop") is None


def test_a_chain_is_asked_for_by_the_application_s_name(server: WebServer) -> None:
    shop, blog = server.chain(), server.chain(30)
    answers = {PATH: (200, shop.pem), PATH.replace("shop", "blog"): (200, blog.pem)}
    with http_server(answers) as port:
        assert ask_peer("127.0.0.1", port, "shop") == shop
        assert ask_peer("127.0.0.1", port, "blog") == blog

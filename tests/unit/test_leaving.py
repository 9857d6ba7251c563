"""Nobody loses the files of a web server that leaves who has not named the server."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.console import CommandError
from cli.project import environments
from cli.servers import leaving
from cli.servers.fleet import Fleet, Result
from cli.servers.leaving import LOOK, Shared, held


def droplet(name: str) -> dict[str, Any]:
    kind = "digitalocean:index/droplet:Droplet"
    return {"type": kind, "urn": f"urn:pulumi:dev::slipway::{kind}::{name}"}


STATE = [droplet(name) for name in ("db", "web", "web-2", "web-10")]


def test_the_servers_beyond_the_wanted_number_leave() -> None:
    assert leaving.leaving(STATE, 10) == []
    assert leaving.leaving(STATE, 2) == ["web-10"]
    assert leaving.leaving(STATE, 1) == ["web-2", "web-10"]


def test_a_server_says_what_each_application_has_there(tmp_path: Path) -> None:
    (tmp_path / "srv/shop/shared/photos").mkdir(parents=True)
    (tmp_path / "srv/site/shared").mkdir(parents=True)
    for number in range(3):
        (tmp_path / f"srv/shop/shared/photos/{number}").write_bytes(b"x" * 700_000)
    look = LOOK.removeprefix("sudo ").replace("/srv/", f"{tmp_path}/srv/")
    said = subprocess.run(["sh", "-c", look], capture_output=True, text=True, check=True).stdout
    (shop,) = held(Result(status=0, output=said))
    assert shop == Shared(files=3, bytes=2_100_000, where=f"{tmp_path}/srv/shop/shared")
    assert str(shop) == f"3 files (2.1 MB) in {tmp_path}/srv/shop/shared"


@pytest.fixture
def one_wanted(monkeypatch: pytest.MonkeyPatch) -> dict[str, Result]:
    """An environment that goes from three web servers to one; what the servers answer."""
    answers: dict[str, Result] = {}
    monkeypatch.setattr(leaving, "made", lambda _: STATE)
    monkeypatch.setattr(leaving, "exported", lambda _: {"resources": []})
    monkeypatch.setattr(environments, "settings_of", lambda _: {"webCount": 1})
    fleet = Fleet("dev", {}, "")
    monkeypatch.setattr(Fleet, "in_state", lambda *_: fleet)
    monkeypatch.setattr(
        Fleet, "run_on_all", lambda *_, servers: {name: answers[name] for name in servers}
    )
    return answers


FILES = Result(status=0, output="2 3000000 /srv/site/shared\n")
EMPTY = Result(status=0, output="")


def test_files_are_not_lost_before_their_server_is_named(one_wanted: dict[str, Result]) -> None:
    one_wanted |= {"web-2": FILES, "web-10": EMPTY}
    with pytest.raises(CommandError) as caught:
        leaving.check("dev", [])
    told = str(caught.value)
    assert "webCount takes web-2 away, and it holds 2 files (3.0 MB) in /srv/site/shared" in told
    assert "scripts/up dev --destroy web-2" in told
    leaving.check("dev", ["web-2"])


def test_a_server_that_does_not_answer_may_hold_files(one_wanted: dict[str, Result]) -> None:
    one_wanted |= {"web-2": Result(status=None, output="", errors="no route"), "web-10": EMPTY}
    with pytest.raises(CommandError, match="nobody knows what its shared/ holds, for no route"):
        leaving.check("dev", [])


def test_a_server_that_does_not_leave_is_not_destroyed(one_wanted: dict[str, Result]) -> None:
    with pytest.raises(CommandError, match="--destroy is web-3: must be db, "):
        leaving.check("dev", ["web-3"])

"""Commands on all servers at once, with an ssh that does what the test tells it to."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from cli.servers.fleet import Fleet

SSH = """\
#!/bin/sh
# The last two words are user@address and the command; each address has a script.
for word in "$@"; do address=$host host=$word; done
echo "$*" >>"$FAKE/called"
exec sh "$FAKE/${address#deploy@}" "$host"
"""


def state(*servers: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {"Command deploy-key": {"stdout": "public\nPRIVATE"}}
    for name in servers:
        found[f"Droplet {name}"] = {"name": f"dev-{name}", "ipv4Address": f"203.0.113.{name}"}
        found[f"Command {name}-host-key"] = {"stdout": f"ssh-ed25519 {name}\nsecret"}
    return found


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "bin" / "ssh").write_text(SSH)
    (tmp_path / "bin" / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FAKE", str(tmp_path))
    return tmp_path


def on(fake: Path, server: str, script: str) -> None:
    (fake / f"203.0.113.{server}").write_text(script)


def test_the_web_servers_come_first_in_their_order() -> None:
    fleet = Fleet.in_state("dev", state("db", "web-10", "web-2", "web"))
    assert list(fleet.servers) == ["web", "web-2", "web-10", "db"]


def test_each_server_says_what_it_says(fake: Path) -> None:
    on(fake, "web", 'read word; echo "$1 $word"')
    on(fake, "db", "echo no >&2; exit 3")
    found = Fleet.in_state("dev", state("web", "db")).run_on_all("uptime", stdin="hello\n")
    assert (found["web"].status, found["web"].output) == (0, "uptime hello\n")
    assert (found["db"].status, found["db"].errors) == (3, "no\n")


def test_host_keys_are_pinned_and_the_key_is_gone_afterwards(fake: Path) -> None:
    on(
        fake,
        "web",
        "cat $FAKE/home/*/known_hosts; stat -c %a $FAKE/home/*/key; cat $FAKE/home/*/key",
    )
    found = Fleet.in_state("dev", state("web")).run_on_all("x")
    assert found["web"].output == "203.0.113.web ssh-ed25519 web\n600\nPRIVATE\n"
    called = (fake / "called").read_text()
    assert "StrictHostKeyChecking=yes" in called
    assert "BatchMode=yes" in called
    assert list((fake / "home").iterdir()) == []


def test_one_that_cannot_be_reached_says_why_in_ssh_own_words(fake: Path) -> None:
    on(fake, "web", "echo warning >&2; echo 'connect: No route to host' >&2; exit 255")
    found = Fleet.in_state("dev", state("web")).run_on_all("x")["web"]
    assert (found.reached, found.errors) == (False, "connect: No route to host")


def test_one_that_does_not_answer_does_not_delay_the_others(fake: Path) -> None:
    on(fake, "web", "exec sleep 30")
    on(fake, "db", "echo here")
    began = time.monotonic()
    found = Fleet.in_state("dev", state("web", "db")).run_on_all("x", timeout=1)
    assert time.monotonic() - began < 20
    assert (found["web"].reached, found["web"].errors) == (False, "not done after 1 s")
    assert found["db"].output == "here\n"


def test_some_of_the_servers_can_be_asked(fake: Path) -> None:
    on(fake, "db", "echo here")
    fleet = Fleet.in_state("dev", state("web", "db"))
    assert list(fleet.run_on_all("x", servers=["db"])) == ["db"]
    assert fleet.run_on_all("x", servers=[]) == {}


def test_the_folder_of_the_keys_may_have_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held against ssh itself, which only says how it reads its options."""
    home = tmp_path / "50% off? #2 of two"
    home.mkdir()
    monkeypatch.setenv("SLIPWAY_HOME", str(home))
    fleet = Fleet.in_state("dev", state("web"))
    with fleet.ssh_session() as session:
        line = [*session.ssh(fleet.servers["web"]), "-G"]
        told = subprocess.run(line, capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
        assert f"userknownhostsfile {session.known_hosts}\n" in told.stdout
        assert f"identityfile {session.key}\n".replace("%", "%%") in told.stdout

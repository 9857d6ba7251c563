"""A release comes in over the connection that asks for it, and goes out again to other servers."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.release import verify
from tests.unit.releasectl_host import Host, new_host

RECORD = json.dumps({"author": "Ada"}).encode() + b"\n"


@pytest.fixture
def host() -> Iterator[Host]:
    with new_host() as made:
        yield made


def packed(host: Host, **more: str) -> tuple[str, bytes]:
    """A release's id and archive, which is not on the server."""
    release = host.upload(files={"static/deep/style.css": "a {}", **more})
    upload = host.base / "incoming" / f"{release}.tar.gz"
    content = upload.read_bytes()
    upload.unlink()
    return release, content


def receive(host: Host, release: str, content: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        host.command("stage", release, "--receive"),
        input=RECORD + content,
        env=host.env,
        capture_output=True,
        check=False,
    )


def pack(host: Host, release: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        host.command("pack", release), env=host.env, capture_output=True, check=False
    )


def test_a_release_that_is_missing_is_asked_for_and_staged(host: Host) -> None:
    release, content = packed(host)
    asked, answer = receive(host, release, content).stdout.splitlines()
    assert asked == b"send"
    assert json.loads(answer)["changed"] is True
    assert host.states() == {release: "ready"}
    assert host.run("list", "--json").result["releases"][0]["author"] == "Ada"
    assert host.names("incoming") == []


def test_a_release_that_is_here_is_not_asked_for(host: Host) -> None:
    release, content = packed(host)
    receive(host, release, content)
    [answer] = receive(host, release, b"").stdout.splitlines()
    assert json.loads(answer)["changed"] is False


@pytest.mark.parametrize(
    ("share", "said"), [(0, "was not sent"), (0.2, "broken archive"), (0.7, "broken archive")]
)
def test_what_is_cut_off_on_its_way_leaves_nothing(host: Host, share: float, said: str) -> None:
    release, content = packed(host)
    done = receive(host, release, content[: int(len(content) * share)])
    assert done.returncode == 1
    assert said in done.stderr.decode()
    assert host.names("releases") == []


def test_what_goes_out_is_the_release_that_came_in(host: Host, tmp_path: Path) -> None:
    release, content = packed(host)
    receive(host, release, content)
    done = pack(host, release)
    assert done.returncode == 0, done.stderr
    again = tmp_path / "again.tar.gz"
    again.write_bytes(done.stdout)
    assert verify.identify(again) == release


def test_what_was_made_on_the_server_does_not_go_out(host: Host) -> None:
    release, content = packed(host, **{"pkg/__init__.py": "x = 1\n"})
    receive(host, release, content)
    host.run("activate", release)
    folder = host.base / "releases" / release
    assert list(folder.rglob("*.pyc")), "it was compiled when it was staged"
    with tarfile.open(fileobj=io.BytesIO(pack(host, release).stdout), mode="r:gz") as out:
        names = out.getnames()
    assert not [name for name in names if ".pyc" in name or name.startswith((".venv", ".slipway"))]
    assert "pkg/__init__.py" in names


def test_packing_a_release_that_is_not_here_says_what_is(host: Host) -> None:
    release, content = packed(host)
    receive(host, release, content)
    done = pack(host, "0" * 12)
    assert (done.returncode, done.stdout) == (1, b"")
    assert f"it is not on this server (releases here: {release})" in done.stderr.decode()

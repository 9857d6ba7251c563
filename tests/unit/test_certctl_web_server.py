"""How certctl has nginx serve a chain, and what it does when that fails."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from host.certctl import web_server
from host.certctl.console import CertificateError
from host.certctl.placeholder import placeholder
from host.certctl.web_server import install, mark_served, served_fingerprint, write_durably
from tests.unit.certctl_server import WebServer, new_web_server, running_nginx

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount file systems")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    with new_web_server(tmp_path) as server:
        yield server


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", folder], check=False).returncode:
        pytest.skip("this machine does not let a test mount anything")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_file_is_written_aside_and_put_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "chain.pem"
    for text in ("one", "two"):
        write_durably(path, text)
        assert path.read_text() == text
    assert path.stat().st_mode & 0o777 == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["chain.pem"]


@as_root
def test_on_a_full_disk_the_old_file_stays(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-o", "size=64k") as disk:
        write_durably(disk / "chain.pem", "old")
        with pytest.raises(CertificateError) as caught:
            write_durably(disk / "chain.pem", "new" * 100_000)
        said = f"{disk}/chain.pem: No space left on device; the old file stays"
        assert str(caught.value) == said
        assert (disk / "chain.pem").read_text() == "old"
        assert [each.name for each in disk.iterdir()] == ["chain.pem"]


@as_root
def test_on_a_disk_that_is_read_only_the_old_file_stays(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk") as disk:
        write_durably(disk / "chain.pem", "old")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(CertificateError, match="Read-only file system; the old file stays"):
            write_durably(disk / "chain.pem", "new")
        assert (disk / "chain.pem").read_text() == "old"


def test_without_its_folder_a_file_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="No such file or directory"):
        write_durably(tmp_path / "nowhere" / "chain.pem", "new")


def test_what_counts_only_with_a_real_certificate_is_switched_on_and_off(
    server: WebServer,
) -> None:
    link = server.site.folder / "served"
    for _ in range(2):
        mark_served(server.site, real=True)
        assert link.readlink() == Path("when-served")
    for _ in range(2):
        mark_served(server.site, real=False)
        assert not os.path.lexists(link)


def test_nginx_serves_a_new_chain_once_it_has_read_it(server: WebServer) -> None:
    old, new = server.chain(20), server.chain(80)
    server.site.chain.write_text(old.pem)
    with running_nginx(server):
        assert served_fingerprint(server.settings, server.site) == old.fingerprint
        install(server.settings, server.site, new)
        assert served_fingerprint(server.settings, server.site) == new.fingerprint
    assert server.called == [
        "systemctl is-active --quiet nginx.service",
        "nginx -t -q",
        "systemctl reload nginx.service",
        "systemctl is-active --quiet nginx.service",
    ]
    assert (server.site.folder / "served").is_symlink()


def test_an_nginx_that_does_not_run_gets_its_chain_all_the_same(server: WebServer) -> None:
    chain = server.chain()
    install(server.settings, server.site, chain)
    assert server.served == chain
    assert not [each for each in server.called if "is-active" not in each]


def test_when_nginx_refuses_a_chain_the_old_one_is_there_again(server: WebServer) -> None:
    old = placeholder(server.key, server.site.names, server.now)
    server.site.chain.write_text(old.pem)
    with running_nginx(server):
        (server.folder / "refuses").touch()
        with pytest.raises(CertificateError, match=r"nginx refuses it: .*cannot load certificate"):
            install(server.settings, server.site, server.chain())
        assert server.served == old
        assert not (server.site.folder / "served").exists()
        assert served_fingerprint(server.settings, server.site) == old.fingerprint


def test_when_nginx_serves_something_else_the_old_one_is_there_again(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when its new workers die: the reload succeeds, and the old ones go on."""
    monkeypatch.setattr(web_server, "SECONDS_TO_SERVE", 0.3)
    old = server.chain(20)
    server.site.chain.write_text(old.pem)
    mark_served(server.site, real=True)
    with running_nginx(server):
        # It reads no chain any more.
        monkeypatch.setattr(web_server, "reload_nginx", lambda: None)
        with pytest.raises(CertificateError) as caught:
            install(server.settings, server.site, server.chain(80))
        assert str(caught.value) == "nginx serves another certificate for www.shop.example"
    assert server.served == old
    assert (server.site.folder / "served").is_symlink()


def test_when_nothing_listens_that_is_said(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "SECONDS_TO_SERVE", 0.3)
    (server.folder / "nginx-runs").touch()
    assert served_fingerprint(server.settings, server.site) is None
    with pytest.raises(CertificateError, match=r"nginx serves nothing for www\.shop\.example"):
        install(server.settings, server.site, server.chain())

"""What was put on a server is taken away again, by its own records: host/slipway-remove."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.core.put_file import PutFile, Unit
from components.core.shell import END_OF_FILE
from components.servers.remote import ON_REMOVE, PUT_FILE, REMOVE
from tests.server_folder import ServerFolder

NGINX = Unit(name="nginx.service", verb="reload", serves=True)


@pytest.fixture
def server(tmp_path: Path) -> ServerFolder:
    return ServerFolder.new(tmp_path)


def put(
    server: ServerFolder,
    name: str,
    *,
    undo: str = "",
    unit: Unit | None = None,
    site: str = "",
    stays: bool = False,
) -> None:
    path, owner = f"{server.root}/{name}", server.owner
    file = PutFile(path=path, owner=owner, undo=undo, unit=unit, site=site, stays=stays)
    server.run(f"sh {file.script.replace(PUT_FILE.name, str(PUT_FILE), 1)}", "ours\n" + END_OF_FILE)


def on_remove(server: ServerFolder, name: str, script: str) -> None:
    server.run(f"sh {ON_REMOVE} {name}", script)


def remove(server: ServerFolder, words: str = "--all") -> str:
    return server.run(f"sh {REMOVE} {words}")


def test_files_go_with_the_folders_that_were_made_for_them(server: ServerFolder) -> None:
    (server.root / "etc").mkdir()
    put(server, "etc/one/two/file")
    put(server, "etc/file")
    assert remove(server) == ""
    assert server.files == {"etc"}
    assert not server.records.exists()


def test_a_folder_that_holds_something_else_by_now_stays(server: ServerFolder) -> None:
    put(server, "etc/ours")
    (server.root / "etc" / "theirs").touch()
    remove(server)
    assert server.files == {"etc", "etc/theirs"}


def test_a_file_that_was_there_before_comes_back_as_it_was(server: ServerFolder) -> None:
    path = server.root / "automatic.conf"
    path.write_text("theirs\n")
    path.chmod(0o640)
    for _ in range(2):
        put(server, path.name)
    assert path.read_text() == "ours\n"
    assert f"as it was before: {path}" in remove(server)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("theirs\n", 0o640)


def test_what_stays_is_said(server: ServerFolder) -> None:
    put(server, "pg_hba.conf", stays=True)
    (server.records / "packages").write_text("nginx-light\npython3-venv\n")
    said = remove(server)
    assert f"stays: {server.root}/pg_hba.conf" in said
    assert "stay: the packages nginx-light python3-venv" in said
    assert server.files == {"pg_hba.conf"}


def test_a_unit_of_ours_ends_before_its_file_goes_and_others_are_told_after(
    server: ServerFolder,
) -> None:
    put(server, "etc/systemd/system/toy.timer", unit=Unit(name="toy.timer", verb="restart"))
    for site in ("site", "shop"):
        put(server, f"nginx/{site}", unit=NGINX)
    server.run("systemctl start nginx.service")
    before = len(server.asked)
    remove(server)
    assert server.asked[before:] == [
        "disable --now toy.timer",
        "daemon-reload",
        "reload nginx.service",
    ]


def test_a_service_that_does_not_run_is_not_started(server: ServerFolder) -> None:
    put(server, "nginx/site", unit=NGINX)
    before = len(server.asked)
    remove(server)
    assert server.asked[before:] == []


def test_what_was_done_besides_is_undone(server: ServerFolder) -> None:
    link = server.root / "enabled"
    link.symlink_to("nowhere")
    put(server, "available", undo=f"rm {link}")
    remove(server)
    assert server.files == set()


def test_what_came_last_goes_first_and_one_that_fails_does_not_stop_the_others(
    server: ServerFolder,
) -> None:
    log = server.fake / "log"
    on_remove(server, "bootstrap", f"echo bootstrap >>{log}")
    on_remove(server, "port-80", "exit 1")
    on_remove(server, "site-shop", f"echo shop >>{log}")
    on_remove(server, "bootstrap", f"echo bootstrap again >>{log}")
    assert "port-80 has failed" in remove(server)
    assert log.read_text() == "shop\nbootstrap again\n"


def test_a_site_goes_alone(server: ServerFolder) -> None:
    log = server.fake / "log"
    for site in ("site", "shop"):
        put(server, f"etc/{site}", site=site)
        on_remove(server, f"site-{site}", f"echo {site} >>{log}")
    put(server, "etc/sshd")
    remove(server, "--site shop")
    assert log.read_text() == "shop\n"
    assert server.files == {"etc", "etc/site", "etc/sshd"}
    remove(server)
    assert log.read_text() == "shop\nsite\n"
    assert server.files == set()


def test_a_file_goes_alone(server: ServerFolder) -> None:
    put(server, "one")
    put(server, "two")
    remove(server, f"{server.root}/one")
    assert server.files == {"two"}


def test_a_file_that_was_refused_at_first_is_none_of_ours(server: ServerFolder) -> None:
    path = server.root / "site.conf"
    path.write_text("theirs\n")
    file = PutFile(path=str(path), owner=server.owner, check="false")
    server.run(f"! {file.script}", "bad\n" + END_OF_FILE)
    remove(server)
    assert path.read_text() == "theirs\n"


def test_a_second_run_finds_nothing_to_do(server: ServerFolder) -> None:
    put(server, "one")
    remove(server)
    (server.root / "one").write_text("theirs by now\n")
    assert remove(server) == ""
    assert server.files == {"one"}

"""Stories of `remote.CopyToRemote`, on a real OpenSSH server."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_cloud.plugins.shared_values import UNKNOWN, Archive, Asset, Properties, Secret
from tests.local_cloud.plugins.command.plugin import COPY, Plugin, PluginRefusedError
from tests.local_cloud.plugins.command.ssh_server import SshServer


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "top.txt").write_text("top")
    (folder / "sub" / "deep" / "big.bin").write_bytes(bytes(range(256)) * 20_000)
    return folder


def copy(server: SshServer, source: Asset | Archive, target: Path) -> Properties:
    connection = Secret(server.connection())
    return {"source": source, "remotePath": str(target), "connection": connection}


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_file_is_copied_and_its_parents_are_made(
    plugin: Plugin, server: SshServer, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "new" / "folder" / "name"
    plugin.create(COPY, copy(server, Asset("h", str(source / "top.txt")), target))
    assert target.read_text() == "top"


def test_a_file_goes_into_a_folder_that_is_there(
    plugin: Plugin, server: SshServer, source: Path, tmp_path: Path
) -> None:
    plugin.create(COPY, copy(server, Asset("h", str(source / "top.txt")), tmp_path))
    assert (tmp_path / "top.txt").read_text() == "top"


def test_a_text_needs_no_file(plugin: Plugin, server: SshServer, tmp_path: Path) -> None:
    plugin.create(COPY, copy(server, Asset("h", text="grün\n"), tmp_path / "a" / "text"))
    assert (tmp_path / "a" / "text").read_text() == "grün\n"
    with pytest.raises(PluginRefusedError, match="is a directory; when using a text asset"):
        plugin.create(COPY, copy(server, Asset("h", text="x"), tmp_path))


def test_a_folder_keeps_its_name_unless_a_slash_follows(
    plugin: Plugin, server: SshServer, source: Path, tmp_path: Path
) -> None:
    whole = {"top.txt", "empty", "sub", "sub/deep", "sub/deep/big.bin"}
    plugin.create(COPY, copy(server, Archive("h", str(source)), tmp_path / "named"))
    plugin.create(COPY, copy(server, Archive("h", f"{source}/"), tmp_path / "bare"))
    assert tree(tmp_path / "named" / "source") == whole
    assert tree(tmp_path / "bare") == whole
    big = Path("sub", "deep", "big.bin")
    assert (tmp_path / "bare" / big).read_bytes() == (source / big).read_bytes()


def test_a_folder_is_merged_and_nothing_is_removed(
    plugin: Plugin, server: SshServer, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "there"
    target.mkdir()
    (target / "kept").write_text("kept")
    (target / "top.txt").write_text("old and longer")
    plugin.create(COPY, copy(server, Archive("h", f"{source}/"), target))
    assert (target / "kept").read_text() == "kept"
    assert (target / "top.txt").read_text() == "top"


def test_only_other_content_or_another_path_is_copied_again(
    plugin: Plugin, server: SshServer, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy"
    state = copy(server, Asset("h", str(source / "top.txt")), target)
    plugin.update(COPY, state, {**state, "connection": Secret({"host": "192.0.2.1"})})
    assert not target.exists()
    plugin.update(COPY, state, {**state, "source": Asset("h2", str(source / "top.txt"))})
    assert target.read_text() == "top"
    plugin.update(COPY, state, {**state, "remotePath": str(tmp_path / "other")})
    assert (tmp_path / "other").exists()


def test_deletion_leaves_the_copy(
    plugin: Plugin, server: SshServer, source: Path, tmp_path: Path
) -> None:
    state = copy(server, Asset("h", str(source / "top.txt")), tmp_path / "copy")
    plugin.create(COPY, state)
    plugin.delete(COPY, state)
    assert (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    ("name", "target", "told"),
    [
        ("nothing", "copy", "open .*/nothing: no such file or directory"),
        ("top.txt", "file/name", "failed to create parent directories for .*/file/name"),
        ("top.txt", "../../../../../../proc/no/name", "failed to create parent directories"),
    ],
)
def test_what_cannot_be_copied_says_which_path(
    plugin: Plugin,
    server: SshServer,
    source: Path,
    tmp_path: Path,
    name: str,
    target: str,
    told: str,
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PluginRefusedError, match=told):
        plugin.create(COPY, copy(server, Asset("h", str(source / name)), tmp_path / target))


@pytest.mark.parametrize(
    "source",
    [UNKNOWN, Archive("h", assets={"a": Asset("h", "/a")}), Asset("h", uri="https://a.example")],
)
def test_a_source_that_is_no_path_or_text_is_refused(plugin: Plugin, source: object) -> None:
    inputs = {"source": source, "remotePath": "/a", "connection": {"host": "a"}}
    _, failures = plugin.check(COPY, inputs)
    assert [name for name, _ in failures] in (["asset"], ["archive"])

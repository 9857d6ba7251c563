"""A folder becomes a release: same tree, same id; another tree, another id; or one clear error."""

import os
import socket
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.core.errors import SlipwayError
from components.release.artifact import SAMPLE, identify, pack
from components.release.verify import verify

NAMES = st.text("abcXYZ019._- é", min_size=1, max_size=8).filter(
    lambda name: name.strip(". ") != "" and not name.endswith(".pyc") and not name.startswith(".")
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TREES = st.dictionaries(PATHS, st.tuples(st.binary(max_size=40), st.booleans()), max_size=8)
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def write_tree(folder: Path, tree: dict[str, tuple[bytes, bool]]) -> bool:
    """False when the tree has a name both as a file and as a folder, which no disk can hold."""
    folder.mkdir(parents=True)
    (folder / "requirements.txt").write_text("")
    try:
        for name, (content, executable) in tree.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o755 if executable else 0o644)
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        return False
    return True


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write(
        tmp_path / "app",
        {"requirements.txt": "flask\n", "wsgi.py": "app = 1\n", "static/style.css": "body {}\n"},
    )


def names_in(archive: Path) -> list[str]:
    with tarfile.open(archive) as tar:
        return tar.getnames()


@quick
@given(tree=TREES)
def test_the_same_tree_has_the_same_id_whatever_its_order_times_and_umask(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, tuple[bytes, bool]]
) -> None:
    base = tmp_path_factory.mktemp("trees")
    if not write_tree(base / "one", tree):
        return
    umask = os.umask(0o077)
    try:
        write_tree(base / "two", dict(reversed(tree.items())))
        for path in (base / "two").rglob("*"):
            if path.is_file():
                path.chmod(0o700 if path.stat().st_mode & 0o100 else 0o600)
            os.utime(path, (1, 1))
    finally:
        os.umask(umask)
    one, two = pack(base / "one", base / "out1"), pack(base / "two", base / "out2")
    assert one.id == two.id == identify(base / "one")
    assert one.path.read_bytes() == two.path.read_bytes()


@quick
@given(tree=TREES, other=TREES)
def test_different_trees_have_different_ids(
    tmp_path_factory: pytest.TempPathFactory,
    tree: dict[str, tuple[bytes, bool]],
    other: dict[str, tuple[bytes, bool]],
) -> None:
    base = tmp_path_factory.mktemp("trees")
    if write_tree(base / "one", tree) and write_tree(base / "two", other):
        assert (identify(base / "one") == identify(base / "two")) == (tree == other)


def test_moving_bytes_from_a_name_to_its_content_changes_the_id(tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"requirements.txt": "", "ab": "c"})
    two = write(tmp_path / "two", {"requirements.txt": "", "a": "bc"})
    assert identify(one) != identify(two)


def test_the_executable_bit_is_part_of_the_id(app: Path) -> None:
    before = identify(app)
    (app / "wsgi.py").chmod(0o755)
    assert identify(app) != before


def test_the_archive_unpacks_to_the_same_release(app: Path, tmp_path: Path) -> None:
    (app / "manage").write_text("#!/bin/sh\n")
    (app / "manage").chmod(0o755)
    (app / "static" / "main.css").symlink_to("style.css")
    (app / "static" / "photo.jpeg").write_bytes(os.urandom(2 * SAMPLE))
    artifact = pack(app, tmp_path / "out")
    verify(artifact.id, artifact.path)
    with tarfile.open(artifact.path) as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    assert identify(tmp_path / "unpacked") == artifact.id
    assert artifact.files == 6
    assert artifact.size == artifact.path.stat().st_size
    assert artifact.path.name == f"{artifact.id}.tar.gz"


def test_the_archive_tells_nothing_about_who_packed_it(app: Path, tmp_path: Path) -> None:
    with tarfile.open(pack(app, tmp_path / "out").path) as tar:
        assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in tar} == {(0, 0, "", "", 0)}


def test_an_archive_that_is_there_is_not_packed_again(app: Path, tmp_path: Path) -> None:
    first = pack(app, tmp_path / "out")
    os.utime(first.path, (1, 1))
    assert pack(app, tmp_path / "out") == first
    assert first.path.stat().st_mtime == 1


def test_caches_secrets_and_ignored_files_stay_at_home(app: Path, tmp_path: Path) -> None:
    before = identify(app)
    (app / ".gitignore").write_text("*.log\n/local/\n")
    (app / ".slipwayignore").write_text("notes.txt\n")
    ignored = [".env", ".git/HEAD", ".venv/bin/python", "a/__pycache__/b.pyc", "old.pyc"]
    ignored += [
        "debug.log",
        "deep/er/debug.log",
        "local/settings.py",
        "notes.txt",
        ".slipway/READY",
    ]
    write(app, dict.fromkeys(ignored, "secret"))
    artifact = pack(app, tmp_path / "out")
    assert artifact.id == before
    assert names_in(artifact.path) == ["requirements.txt", "static/style.css", "wsgi.py"]


def test_slipwayignore_brings_back_what_git_ignores_but_never_a_secret(
    app: Path, tmp_path: Path
) -> None:
    write(app, {".gitignore": "dist/\n.env\n", ".slipwayignore": "!dist/\n!.env\n"})
    write(app, {"dist/site.js": "", ".env": "PASSWORD=1"})
    names = names_in(pack(app, tmp_path / "out").path)
    assert "dist/site.js" in names
    assert ".env" not in names


def test_the_requirements_hash_changes_with_the_requirements_alone(
    app: Path, tmp_path: Path
) -> None:
    first = pack(app, tmp_path / "out")
    write(app, {"wsgi.py": "app = 2\n"})
    second = pack(app, tmp_path / "out")
    write(app, {"requirements.txt": "django\n"})
    third = pack(app, tmp_path / "out")
    assert first.id != second.id
    assert first.requirements_hash == second.requirements_hash != third.requirements_hash


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "static/../../outside", "../app"])
def test_a_symlink_that_leaves_the_folder_is_refused_by_name(app: Path, target: str) -> None:
    (app / "link").symlink_to(target)
    with pytest.raises(SlipwayError, match=r"app/link: the symlink leads out of the folder"):
        identify(app)


def test_a_symlink_that_leaves_by_way_of_another_is_refused(app: Path) -> None:
    (app / "static" / "top").symlink_to("..")
    (app / "link").symlink_to("static/top/../outside")
    with pytest.raises(SlipwayError, match="app/link: the symlink leads out"):
        identify(app)


def test_sockets_and_pipes_are_refused_by_name(app: Path, tmp_path: Path) -> None:
    os.mkfifo(app / "pipe")
    with pytest.raises(SlipwayError, match="app/pipe: not a file"):
        identify(app)
    (app / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(app / "sock"))
        with pytest.raises(SlipwayError, match="app/sock: not a file"):
            identify(app)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file_is_named(app: Path) -> None:
    (app / "wsgi.py").chmod(0)
    with pytest.raises(SlipwayError, match=r"wsgi\.py: cannot be read: Permission denied"):
        identify(app)


def test_a_file_that_cannot_be_read_is_named(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def refuse(path: Path, *rest: object) -> object:
        if path.name == "wsgi.py":
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SlipwayError, match=r"wsgi\.py: cannot be read: Permission denied"):
        identify(app)


def test_missing_and_empty_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="nowhere: there is no such folder"):
        identify(tmp_path / "nowhere")
    write(tmp_path / "empty", {".env": ""})
    with pytest.raises(SlipwayError, match="empty: the folder is empty"):
        identify(tmp_path / "empty")


def test_a_folder_without_requirements_says_what_is_missing(app: Path) -> None:
    (app / "requirements.txt").unlink()
    with pytest.raises(SlipwayError, match=r"app/requirements\.txt: missing"):
        identify(app)


def test_a_name_that_is_not_utf8_is_refused(app: Path) -> None:
    (Path(os.fsdecode(os.fsencode(app) + b"/caf\xe9"))).write_text("")
    with pytest.raises(SlipwayError, match=r"caf.: the name is not valid UTF-8"):
        identify(app)


def test_a_file_that_changes_while_it_is_packed_leaves_no_archive(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = tarfile.TarFile.addfile

    def addfile(tar: tarfile.TarFile, header: tarfile.TarInfo, file: object = None) -> None:
        if header.name == "requirements.txt":
            (app / "wsgi.py").write_text("app = 9\n")
        original(tar, header, file)  # type: ignore[arg-type]

    monkeypatch.setattr(tarfile.TarFile, "addfile", addfile)
    with pytest.raises(SlipwayError, match="changed while they were packed"):
        pack(app, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_what_a_killed_run_left_is_taken_away_but_not_a_running_one(
    app: Path, tmp_path: Path
) -> None:
    out = write(tmp_path / "out", {".old.partial": "", ".young.partial": ""})
    os.utime(out / ".old.partial", (1, 1))
    artifact = pack(app, out)
    assert sorted(path.name for path in out.iterdir()) == [".young.partial", artifact.path.name]


def test_a_destination_that_is_a_file_is_a_clear_error(app: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(SlipwayError, match=r"out/[0-9a-f]{12}\.tar\.gz: cannot be written"):
        pack(app, tmp_path / "out")

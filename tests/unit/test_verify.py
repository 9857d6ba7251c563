"""What comes back from elsewhere is the release it was asked for, or it is not kept."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.release import artifact, verify
from components.release.verify import ArchiveError

NAMES = st.text("abcXYZ019_- é", min_size=1, max_size=8).filter(lambda name: name.strip() != "")
TREES = st.dictionaries(NAMES, st.tuples(st.binary(max_size=40), st.booleans()), max_size=8)
quick = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def packed(folder: Path, files: dict[str, tuple[bytes, bool]]) -> artifact.Artifact:
    """A release with a folder and a symlink in it as well."""
    source = folder / "source"
    (source / "inside").mkdir(parents=True)
    (source / "requirements.txt").write_text("")
    (source / "link").symlink_to("inside")
    for name, (content, executable) in files.items():
        (source / "inside" / name).write_bytes(content)
        (source / "inside" / name).chmod(0o755 if executable else 0o644)
    return artifact.pack(source, folder / "packed")


@quick
@given(files=TREES)
def test_an_archive_has_the_id_of_the_folder_it_was_packed_from(
    files: dict[str, tuple[bytes, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    release = packed(tmp_path_factory.mktemp("tree"), files)
    assert verify.identify(release.path) == release.id


@quick
@given(data=st.data())
def test_an_archive_that_was_cut_off_or_changed_is_never_taken_in(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    release = packed(folder, {"page": (b"one", False)})
    whole = release.path.read_bytes()
    # gzip's own header (10 bytes) names a time and a system, which are nothing of the release.
    position = data.draw(st.integers(10, len(whole) - 1))
    if data.draw(st.booleans()):
        bad = whole[:position]
    else:
        bad = whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :]
    destination = folder / "here" / "release.tar.gz"
    try:
        verify.receive(release.id, destination, lambda file: _write(file, bad))
    except ArchiveError:
        assert list(destination.parent.iterdir()) == [], "nothing is left behind"
    else:
        assert verify.identify(destination) == release.id


def test_another_release_is_not_taken_in(tmp_path: Path) -> None:
    release = packed(tmp_path, {})
    wanted = "0" * 12
    with pytest.raises(ArchiveError, match=f"contains release {release.id}, not {wanted}"):
        verify.receive(
            wanted, tmp_path / "here.tar.gz", lambda file: _write(file, release.path.read_bytes())
        )


def test_what_is_no_release_at_all_is_said(tmp_path: Path) -> None:
    device = tmp_path / "device.tar.gz"
    with tarfile.open(device, "w:gz") as tar:
        member = tarfile.TarInfo("null")
        member.type = tarfile.CHRTYPE
        tar.addfile(member)
    with pytest.raises(ArchiveError, match="null in it is neither"):
        verify.identify(device)
    page = tmp_path / "page.tar.gz"
    page.write_text("<html>sign in</html>")
    with pytest.raises(ArchiveError, match="broken archive"):
        verify.identify(page)


def _write(file: object, content: bytes) -> None:
    assert isinstance(file, io.BufferedWriter)
    file.write(content)

"""Archives on this machine: one folder for each environment, with none but the kept ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.release.artifact_store import archive_in, folder_of, remove_all_but

IDS = st.sets(st.text("0123456789abcdef", min_size=12, max_size=12), max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(present=IDS, kept=IDS)
def test_the_kept_ones_stay_and_the_others_go(
    present: set[str], kept: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("store")
    for each in present:
        archive_in(folder, each).write_bytes(b"")
    remove_all_but(kept, folder)
    assert {path.name[:12] for path in folder.iterdir()} == present & kept


def test_what_is_no_archive_of_ours_stays(tmp_path: Path) -> None:
    others = {"backup.tar.gz", ".0123456789ab.partial", "notes"}
    for name in others:
        (tmp_path / name).write_text("")
    remove_all_but(set(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == others
    remove_all_but(set(), tmp_path / "not-there-yet")


def test_two_environments_of_a_clone_do_not_clear_each_other_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path))
    assert folder_of("local") != folder_of("dev")
    assert folder_of("local").is_relative_to(tmp_path)

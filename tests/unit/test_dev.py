"""Each save is released."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from components import artifact
from scripts.commands import dev


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "requirements.txt").write_text("")
    (folder / "wsgi.py").write_text("one")
    return folder


@pytest.fixture
def released(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the module said at each release; the second one is Ctrl-C."""
    contents: list[str] = []

    def release(stack: str) -> None:
        contents.append((folder / "wsgi.py").read_text())
        if contents[-1] == "end":
            raise KeyboardInterrupt

    monkeypatch.setattr(dev, "release", release)
    return contents


def later(seconds: float, path: Path, text: str) -> None:
    threading.Timer(seconds, path.write_text, [text]).start()


def test_a_save_is_released_once_and_what_is_no_part_of_it_is_not(
    folder: Path, released: list[str]
) -> None:
    later(1.0, folder / "wsgi.pyc", "no part of a release")
    later(1.5, folder / "wsgi.py", "two")
    later(3.0, folder / "wsgi.py", "end")
    with pytest.raises(KeyboardInterrupt):
        dev.follow("local", folder, artifact.identify(folder))
    assert released == ["two", "end"]


def test_what_was_saved_before_the_watch_began_is_released_too(
    folder: Path, released: list[str]
) -> None:
    seen = artifact.identify(folder)
    (folder / "wsgi.py").write_text("end")
    with pytest.raises(KeyboardInterrupt):
        dev.follow("local", folder, seen)
    assert released == ["end"]

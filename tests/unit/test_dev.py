"""Each save is released."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.releases import watch
from components.release import artifact


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "requirements.txt").write_text("")
    (folder / "wsgi.py").write_text("one")
    return folder


class Releases(list[str]):
    """What the module said at each release; one that says "end" is Ctrl-C."""

    def of(self, folder: Path) -> Callable[[], None]:
        def release() -> None:
            self.append((folder / "wsgi.py").read_text())
            if self[-1] == "end":
                raise KeyboardInterrupt

        return release


def later(seconds: float, path: Path, text: str) -> None:
    threading.Timer(seconds, path.write_text, [text]).start()


def test_a_save_is_released_once_and_what_is_no_part_of_it_is_not(folder: Path) -> None:
    released = Releases()
    later(1.0, folder / "wsgi.pyc", "no part of a release")
    later(1.5, folder / "wsgi.py", "two")
    later(3.0, folder / "wsgi.py", "end")
    with pytest.raises(KeyboardInterrupt):
        watch.follow(folder, artifact.identify(folder), released.of(folder))
    assert released == ["two", "end"]


def test_what_was_saved_before_the_watch_began_is_released_too(folder: Path) -> None:
    released = Releases()
    seen = artifact.identify(folder)
    (folder / "wsgi.py").write_text("end")
    with pytest.raises(KeyboardInterrupt):
        watch.follow(folder, seen, released.of(folder))
    assert released == ["end"]

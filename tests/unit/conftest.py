"""What several of these tests need."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from components.core import render


@pytest.fixture(scope="module")
def our_templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Without those of the project's own: for tests of what ours become, to the letter."""
    folder = tmp_path_factory.mktemp("ours") / "templates"
    shutil.copytree(render.FOLDER, folder, ignore=shutil.ignore_patterns(render.OWN))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "FOLDER", folder)
        yield

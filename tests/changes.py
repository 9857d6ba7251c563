"""Changes of a clone that are taken back, and an update that has to fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.clone import Clone


@contextmanager
def changed(site: Clone, path: str, old: str, new: str) -> Iterator[None]:
    """An edit that is taken back, and the site brought back to what it was."""
    file = site.folder / path
    text = file.read_text()
    site.edit(path, old, new)
    try:
        yield
    finally:
        file.write_text(text)


@contextmanager
def setting(site: Clone, name: str, value: str) -> Iterator[None]:
    file = site.folder / "Pulumi.local.yaml"
    text = file.read_text()
    site.pulumi(f"config set {name} {value} --stack local")
    try:
        yield
    finally:
        file.write_text(text)


def failing_up(site: Clone) -> str:
    done = site.run("scripts/up local", fails=True)
    said = done.stdout + done.stderr
    assert f'File "{site.folder}' not in said, f"a traceback of ours, not one clear error: {said}"
    assert site.get().status_code == 200, "the site that served must serve on"
    return said

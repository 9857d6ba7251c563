"""A machine's disk: a writable layer over the read-only layers of its image (overlayfs).

    machines/<id>/upper        what the machine wrote
    machines/<id>/files        ours: resolver, caches, cloud-init's seed; written anew at each boot
    snapshots/<id>/disk        what a machine had written when the snapshot was taken
    snapshots/<id>/layers      the image layers below it, the uppermost first
    images/<slug>-<hash>/      a base image, in the user's cache

The files of ours lie below what the machine wrote, so that a change made inside wins.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from local_cloud.hosts.commands import run
from local_cloud.hosts.guest_files import CERTIFICATES
from local_cloud.hosts.image import Images
from local_cloud.machine import MachineError

SNAPSHOT_PREFIX = "snapshot-"

EXECUTABLE_FOLDER = "/usr/local/lib/slipway/"
PRIVATE_FOLDERS = ("/root", "/root/.config")


class Snapshots:
    """The snapshots of one cloud."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, machine: Path, layers: list[str], snapshot_id: int) -> int:
        """Copy a machine's disk aside, whole or not at all; return its size in bytes."""
        final = self.folder / str(snapshot_id)
        if not final.exists():
            aside = self.folder / f".taking-{snapshot_id}"
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            run(["cp", "--archive", "--reflink=auto", machine / "upper", aside / "disk"])
            (aside / "layers").write_text(json.dumps(layers))
            aside.rename(final)
        return size(final / "disk")

    def layers(self, snapshot_id: str) -> list[str]:
        """The layers of a machine made from a snapshot, the uppermost first."""
        folder = self.folder / snapshot_id
        try:
            below = json.loads((folder / "layers").read_text())
        except OSError as error:
            raise MachineError(
                f"image snapshot-{snapshot_id}: there is no such snapshot"
            ) from error
        return [str(folder / "disk"), *below]

    def delete(self, snapshot_id: int) -> None:
        """Remove a snapshot's disk. Machines made from it must be gone."""
        shutil.rmtree(self.folder / str(snapshot_id), ignore_errors=True)

    def used_by(self, machines: Mapping[int, list[str]], snapshot_id: int) -> list[int]:
        """The machines (and their layers) that stand on a snapshot."""
        disk = str(self.folder / str(snapshot_id) / "disk")
        return [machine for machine, layers in machines.items() if disk in layers]


def image_layers(image: str, images: Images, snapshots: Snapshots) -> list[str]:
    """The read-only layers of an image, the uppermost first; the image must be there already."""
    if image.startswith(SNAPSHOT_PREFIX):
        return snapshots.layers(image.removeprefix(SNAPSHOT_PREFIX))
    path = images.path(image)
    if not path.is_dir():
        raise MachineError(f"image {image} is not built yet")
    return [str(path)]


def make(machine: Path) -> None:
    """Make an empty disk; one that is there stays as it is."""
    for name in ("upper", "work", "root", "files"):
        # The disk's uppermost folder is the machine's `/`: everybody may pass.
        (machine / name).mkdir(mode=0o755, exist_ok=True)
        (machine / name).chmod(0o755)


def write_files(machine: Path, files: Mapping[str, str], secret: Mapping[str, str]) -> None:
    """Replace the layer of our own files; the secret ones are for root's eyes only."""
    aside, final = machine / "files.new", machine / "files"
    shutil.rmtree(aside, ignore_errors=True)
    for mode, group in ((0o644, files), (0o600, secret)):
        for name, content in group.items():
            path = aside / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=mode)
            path.write_text(content)
            if name.startswith(EXECUTABLE_FOLDER):
                path.chmod(0o755)
    for folder in (aside, *(path for path in aside.rglob("*") if path.is_dir())):
        inside = f"/{folder.relative_to(aside)}"
        folder.chmod(0o700 if inside in PRIVATE_FOLDERS else 0o755)
    shutil.rmtree(final, ignore_errors=True)
    aside.rename(final)


def certificates(layers: Sequence[str]) -> str:
    """The certificates that an image trusts, of its layers from the uppermost down."""
    for layer in layers:
        bundle = Path(layer, CERTIFICATES.lstrip("/"))
        if bundle.is_file():
            return bundle.read_text()
    return ""


def size(folder: Path) -> int:
    """The bytes a tree takes on disk."""
    return int(run(["du", "--summarize", "--block-size=1", folder]).split()[0])

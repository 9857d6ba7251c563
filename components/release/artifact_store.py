"""Where packed releases are kept: in a folder of this machine, and in a bucket where one is set.

A release is its content, so an archive never changes: it is put there once, and taken away when no
rollback can ask for it any more.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

# Each server's delivery asks here for a path, and nothing else.
if TYPE_CHECKING:
    from components.release.bucket import Bucket

_NAME = re.compile(r"([0-9a-f]{12})\.tar\.gz")


def folder_of(stack: str) -> Path:
    """Where the archives of an environment are on this machine."""
    return Path(os.environ.get("SLIPWAY_HOME", ".slipway")) / "releases" / stack


def archive_in(folder: Path, release: str) -> Path:
    return folder / f"{release}.tar.gz"


def forget_all_but(kept: Collection[str], folder: Path) -> None:
    """Take away the archives of other releases, and nothing else that may lie there."""
    for path in folder.glob("*.tar.gz"):
        found = _NAME.fullmatch(path.name)
        if found and found[1] not in kept:
            path.unlink(missing_ok=True)


def keep_in(bucket: Bucket, release: str, kept: Collection[str], folder: Path) -> None:
    """Have the release in the bucket, and once it is new there, none but the kept ones.

    Kept ones that the bucket lacks and this machine has are put there as well, so that a bucket
    which is set later has them all.

    Raises:
        BucketError: it cannot be used, or an archive here is not what its name says.
    """
    from components.release import archive
    from components.release.bucket import BucketError

    if bucket.has(release):
        return
    present = bucket.releases()
    for each in {release, *kept} - present:
        path = archive_in(folder, each)
        if path.exists():
            try:
                archive.require(each, path)
            except archive.ArchiveError as error:
                raise BucketError(f"{path}: {error}; remove it and try again") from None
            bucket.put(each, path)
    bucket.remove(present - {release, *kept})

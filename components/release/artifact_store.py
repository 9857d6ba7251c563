"""Stores packed releases: in a folder on this machine, and in a bucket if one is set.

An id is a hash of the content, so an archive never changes: it is stored once, and removed when no
rollback can need it any more.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

# An upload only needs the path from here, so boto3 is not imported for it.
if TYPE_CHECKING:
    from components.release.bucket import Bucket

_NAME = re.compile(r"([0-9a-f]{12})\.tar\.gz")


def folder_of(stack: str) -> Path:
    """The folder on this machine with the archives of an environment."""
    return Path(os.environ.get("SLIPWAY_HOME", ".slipway")) / "releases" / stack


def archive_in(folder: Path, release: str) -> Path:
    return folder / f"{release}.tar.gz"


def remove_all_but(kept: Collection[str], folder: Path) -> None:
    """Remove the archives of all other releases, and nothing else in that folder."""
    for path in folder.glob("*.tar.gz"):
        found = _NAME.fullmatch(path.name)
        if found and found[1] not in kept:
            path.unlink(missing_ok=True)


def store_in(bucket: Bucket, release: str, kept: Collection[str], folder: Path) -> None:
    """Upload the release to the bucket; if it was not there yet, remove all but the kept ones.

    Kept releases that are on this machine but not in the bucket are uploaded as well, so that a
    bucket which is set later gets them all.

    Raises:
        BucketError: it cannot be used, or an archive here is not what its name says.
    """
    from components.release import verify
    from components.release.bucket import BucketError

    if bucket.has(release):
        return
    present = bucket.releases()
    for each in {release, *kept} - present:
        path = archive_in(folder, each)
        if path.exists():
            try:
                verify.verify(each, path)
            except verify.ArchiveError as error:
                raise BucketError(f"{path}: {error}; remove it and try again") from None
            bucket.put(each, path)
    bucket.remove(present - {release, *kept})

"""Settings of releases: which one serves, where they are kept, and how they are rolled out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.settings.declaration import LATER, OWN, ROLLED_OUT, TAKEN_OVER, Setting
from components.settings.section import Section
from components.settings.types import (
    BucketEndpoint,
    BucketFolder,
    BucketName,
    Flag,
    ReleaseId,
    between,
    matches,
)


class ReleaseSettings(Section):
    """Releases."""

    release: Annotated[
        ReleaseId,
        Setting(
            "Id of a kept release to serve instead of the application folder (a rollback); "
            "empty for none",
            ROLLED_OUT,
            OWN,
        ),
    ] = ""
    keep_releases: Annotated[
        int,
        between(2, 1000),
        Setting(
            "Number of releases that stay on the servers, ready for a rollback",
            LATER,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = 5
    artifact_bucket: Annotated[
        BucketName,
        Setting(
            "Bucket (S3 API) that stores packed releases for a team; empty to keep them on this "
            "machine only",
            LATER,
        ),
    ] = ""
    artifact_endpoint: Annotated[
        BucketEndpoint,
        Setting(
            "URL of the bucket's service, such as https://fra1.digitaloceanspaces.com; "
            "empty for AWS",
            LATER,
        ),
    ] = ""
    artifact_region: Annotated[
        str,
        matches(r"|[a-z0-9][a-z0-9-]*"),
        Field(description="a region's name, or empty"),
        Setting(
            "Region of the bucket; empty for a service without regions, such as DigitalOcean (and "
            "for us-east-1 at AWS)",
            LATER,
        ),
    ] = ""
    artifact_prefix: Annotated[
        BucketFolder,
        Setting(
            "Folder in the bucket, with a subfolder for each environment; empty for the "
            "project's name",
            LATER,
        ),
    ] = ""
    release_batch: Annotated[
        str,
        matches(r"[1-9][0-9]?|([1-9][0-9]?|100)%"),
        Field(description="a number of servers, 1 to 99, or a percentage, 1% to 100%"),
        Setting(
            "Number of servers that switch at a time after the first - a number or a percentage",
            LATER,
        ),
    ] = "50%"
    canary_seconds: Annotated[
        int,
        between(0, 3600, "seconds"),
        Setting(
            "How long the first server serves and is watched before the others follow, in seconds",
            LATER,
        ),
    ] = 0
    confirm_seconds: Annotated[
        int,
        between(5, 3600, "seconds"),
        Setting(
            "How long a switch waits for its confirmation (once all servers have switched) before "
            "it is undone, in seconds",
            LATER,
        ),
    ] = 120
    start_one_by_one: Annotated[
        Flag, Setting("Start a release on one server after another, not on all at once", LATER)
    ] = False
    rollback_on_failure: Annotated[
        Flag,
        Setting(
            "Switch all servers back if one of them fails or the update is interrupted",
            LATER,
        ),
    ] = True

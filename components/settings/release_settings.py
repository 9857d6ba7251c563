"""Settings of releases: which one serves, where they are kept, and how they go over the servers."""

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
            "How many releases stay on the servers, ready to roll back to",
            LATER,
            TAKEN_OVER,
            releasectl=True,
        ),
    ] = 5
    artifact_bucket: Annotated[
        BucketName,
        Setting(
            "Bucket (S3 API) that keeps packed releases for a team; empty to keep them on this "
            "machine only",
            LATER,
        ),
    ] = ""
    artifact_endpoint: Annotated[
        BucketEndpoint,
        Setting(
            "Address of the bucket's service, such as https://fra1.digitaloceanspaces.com; "
            "empty for AWS",
            LATER,
        ),
    ] = ""
    artifact_region: Annotated[
        str,
        matches(r"|[a-z0-9][a-z0-9-]*"),
        Field(description="a region's name, or empty"),
        Setting(
            "Region of the bucket; empty where there are none, as at DigitalOcean (us-east-1 "
            "at AWS)",
            LATER,
        ),
    ] = ""
    artifact_prefix: Annotated[
        BucketFolder,
        Setting(
            "Folder in the bucket under which each environment has one; empty for the "
            "project's name",
            LATER,
        ),
    ] = ""
    release_batch: Annotated[
        str,
        matches(r"[1-9][0-9]?|([1-9][0-9]?|100)%"),
        Field(description="a number of servers, 1 to 99, or a percentage, 1% to 100%"),
        Setting(
            "How many servers switch at a time after the first - a number, or a percentage of all",
            LATER,
        ),
    ] = "50%"
    canary_seconds: Annotated[
        int,
        between(0, 3600, "seconds"),
        Setting(
            "How long the first server serves a new release, watched, before the others follow",
            LATER,
        ),
    ] = 0
    settle_seconds: Annotated[
        int,
        between(5, 3600, "seconds"),
        Setting(
            "How long servers that have switched wait for the others before they go back, in "
            "seconds",
            LATER,
        ),
    ] = 120
    start_one_by_one: Annotated[
        Flag, Setting("Start a release on one server after the other, not on all at once", LATER)
    ] = False
    revert_on_failure: Annotated[
        Flag,
        Setting(
            "Servers that have switched go back when another one fails or the update is cut short",
            LATER,
        ),
    ] = True

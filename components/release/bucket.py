"""A bucket with the S3 API, such as a DigitalOcean Space, that stores packed releases.

Credentials come from environment variables only, and no message contains them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

# boto3 takes half a second to import, so only what uses a bucket does.
if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CREDENTIALS = (
    ("SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY"),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
)
CONNECT_SECONDS = 5
READ_SECONDS = 60
ATTEMPTS = 3
# The region to sign for where there are none, as in DigitalOcean's documentation.
ANY_REGION = "us-east-1"
_KEY = re.compile(r"([0-9a-f]{12})\.tar\.gz")
# Error codes of S3 (its API reference, "Error responses").
_WRONG_CREDENTIALS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken")


class BucketError(Exception):
    """The bucket cannot be used; the message names it and says why."""


class NotThereError(BucketError):
    """The bucket works, but does not have this release."""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """Every method raises BucketError if the bucket cannot be used."""

    name: str
    endpoint: str
    """URL such as https://fra1.digitaloceanspaces.com; empty for AWS."""
    region: str
    folder: str
    """Prefix of the keys of this environment."""

    @classmethod
    def of(cls, settings: Mapping[str, Any], project: str, stack: str) -> Bucket | None:
        """The bucket in the settings (with their names in Pulumi.yaml); None if none is set."""
        if not settings.get("artifactBucket"):
            return None
        return cls(
            name=settings["artifactBucket"],
            endpoint=settings.get("artifactEndpoint") or "",
            region=settings.get("artifactRegion") or ANY_REGION,
            folder=f"{settings.get('artifactPrefix') or project}/{stack}",
        )

    @property
    def where(self) -> str:
        return f"bucket {self.name} at {self.endpoint or f'AWS, region {self.region}'}"

    def has(self, release: str) -> bool:
        from botocore.exceptions import ClientError

        with self._explained():
            try:
                self._client.head_object(Bucket=self.name, Key=self._key(release))
            except ClientError as error:
                # A response to HEAD has no body that says why; one to this request does.
                self._client.list_objects_v2(Bucket=self.name, Prefix=self.folder, MaxKeys=1)
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                    raise
                return False
        return True

    def releases(self) -> set[str]:
        """The ids of all releases in the bucket."""
        with self._explained():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=f"{self.folder}/"
            )
            names = [
                entry["Key"].removeprefix(f"{self.folder}/")
                for page in pages
                for entry in page.get("Contents", [])
            ]
        return {found[1] for name in names if (found := _KEY.fullmatch(name))}

    def put(self, release: str, archive: Path) -> None:
        with self._explained(), archive.open("rb") as file:
            self._client.put_object(Bucket=self.name, Key=self._key(release), Body=file)

    def read(self, release: str, into: BinaryIO) -> None:
        """Download an archive, without verifying it. Raises NotThereError if it does not exist."""
        from botocore.exceptions import ClientError

        with self._explained():
            try:
                found = self._client.get_object(Bucket=self.name, Key=self._key(release))
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchKey":
                    raise NotThereError(f"{self.where} does not have it") from None
                raise
            shutil.copyfileobj(found["Body"], into, 1 << 20)

    def remove(self, releases: Collection[str]) -> None:
        with self._explained():
            for release in releases:
                self._client.delete_object(Bucket=self.name, Key=self._key(release))

    def _key(self, release: str) -> str:
        return f"{self.folder}/{release}.tar.gz"

    @cached_property
    def _client(self) -> S3Client:
        import boto3
        from botocore.config import Config

        access, secret = self._credentials()
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint or None,
            region_name=self.region,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            # Only AWS's temporary keys have a session token.
            aws_session_token=os.environ.get("AWS_SESSION_TOKEN")
            if access == os.environ.get("AWS_ACCESS_KEY_ID")
            else None,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                # Not every server supports AWS's newest checksums; the release id is a better one.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path" if self.endpoint else "auto"},
            ),
        )

    def _credentials(self) -> tuple[str, str]:
        for names in CREDENTIALS:
            access, secret = (os.environ.get(name, "") for name in names)
            if access and secret:
                return access, secret
        pairs = ", or ".join(" and ".join(names) for names in CREDENTIALS)
        raise BucketError(f"{self.where}: there are no credentials: set {pairs}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn any error of boto3 into a BucketError of one line."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            raise BucketError(f"{self.where}: {_reason(error.response)}") from None
        except BotoCoreError as error:
            # Its own text may contain the whole request.
            reason = type(error).__name__
            raise BucketError(f"{self.where} cannot be reached ({reason})") from None


def _reason(answer: Any) -> str:
    code, status = answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]
    if code == "NoSuchBucket":
        return "there is no such bucket"
    if code in _WRONG_CREDENTIALS:
        return f"the credentials are wrong ({code})"
    if status == 403:
        return f"the credentials do not permit this ({code})"
    return f"it answers {status} ({code})"

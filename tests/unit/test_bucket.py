"""Archives in a bucket, on a real server with the API of S3 that runs on loopback."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.release import artifact, artifact_store, bucket, verify
from components.release.bucket import Bucket, BucketError, NotThereError
from components.release.verify import ArchiveError
from tests.s3_server import ACCESS, SECRET, S3Server, can_be_built, s3_server

ABSENT = "0" * 12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if not can_be_built():
        pytest.skip("no Go to build the S3 server of tools/s3")
    with s3_server(tmp_path_factory.mktemp("s3")) as running:
        running.make_bucket("releases")
        yield running


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in bucket.CREDENTIALS:
        for name in names:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SPACES_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("SPACES_SECRET_ACCESS_KEY", SECRET)


def of(server: S3Server, stack: str, name: str = "releases", endpoint: str = "") -> Bucket:
    settings = {"artifactBucket": name, "artifactEndpoint": endpoint or server.endpoint}
    found = Bucket.of(settings, "slipway", stack)
    assert found
    return found


def release(folder: Path, page: str) -> str:
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "requirements.txt").write_text("")
    (source / "page").write_text(page)
    return artifact.pack(source, folder / "packed").id


def test_without_the_setting_there_is_no_bucket() -> None:
    assert Bucket.of({"artifactBucket": ""}, "slipway", "dev") is None


def test_a_release_comes_back_as_it_was(server: S3Server, tmp_path: Path) -> None:
    place, one = of(server, "comes-back"), release(tmp_path, "one")
    packed = artifact_store.archive_in(tmp_path / "packed", one)
    assert not place.has(one)
    artifact_store.store_in(place, one, {one}, tmp_path / "packed")
    assert place.has(one)
    assert server.keys("releases") == [f"slipway/comes-back/{one}.tar.gz"]

    back = tmp_path / "back" / "one.tar.gz"
    verify.receive(one, back, lambda file: place.read(one, file))
    assert back.read_bytes() == packed.read_bytes()


def test_what_is_there_is_not_sent_again(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, one = of(server, "once"), release(tmp_path, "one")
    artifact_store.store_in(place, one, {one}, tmp_path / "packed")
    monkeypatch.setattr(Bucket, "put", lambda *_: pytest.fail("sent again"))
    artifact_store.store_in(place, one, {one}, tmp_path / "packed")


def test_the_bucket_holds_the_kept_releases_of_each_environment(
    server: S3Server, tmp_path: Path
) -> None:
    dev, production = of(server, "dev"), of(server, "production")
    one, two, three = (release(tmp_path, page) for page in ("one", "two", "three"))
    artifact_store.store_in(dev, one, {one}, tmp_path / "packed")
    artifact_store.store_in(production, one, {one}, tmp_path / "packed")
    # A bucket that is set late gets what this machine still has of the kept ones.
    artifact_store.store_in(dev, three, {two, three}, tmp_path / "packed")
    assert dev.releases() == {two, three}
    assert production.releases() == {one}, "another environment's are its own"


def test_a_release_that_is_not_there_is_said_to_be_absent(server: S3Server) -> None:
    with pytest.raises(NotThereError, match=r"bucket releases at http.* does not have it"):
        of(server, "dev").read(ABSENT, io.BytesIO())


def test_a_release_that_was_changed_in_the_bucket_is_refused(
    server: S3Server, tmp_path: Path
) -> None:
    place, one = of(server, "changed"), release(tmp_path, "one")
    other = artifact_store.archive_in(tmp_path / "packed", release(tmp_path, "other"))
    place.put(one, other)
    with pytest.raises(ArchiveError, match=f"not {one}"):
        verify.receive(one, tmp_path / "back", lambda file: place.read(one, file))
    assert not (tmp_path / "back").exists()


def test_an_archive_that_is_not_what_its_name_says_is_not_spread(
    server: S3Server, tmp_path: Path
) -> None:
    place, one = of(server, "spread"), release(tmp_path, "one")
    artifact_store.archive_in(tmp_path / "packed", one).write_bytes(b"torn")
    with pytest.raises(BucketError, match=rf"{one}\.tar\.gz: broken archive.*remove it"):
        artifact_store.store_in(place, one, {one}, tmp_path / "packed")
    assert place.releases() == set()


def test_credentials_of_aws_do_as_well(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for spaces, aws in zip(*bucket.CREDENTIALS, strict=True):
        monkeypatch.setenv(aws, ACCESS if "ACCESS_KEY_ID" in aws else SECRET)
        monkeypatch.delenv(spaces)
    assert not of(server, "dev").has(ABSENT)


def test_without_credentials_it_says_which_to_set(
    server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPACES_SECRET_ACCESS_KEY")
    with pytest.raises(BucketError, match=r"no credentials: set SPACES_.* or AWS_ACCESS_KEY_ID"):
        of(server, "dev").has(ABSENT)


@pytest.mark.parametrize("wrong", ["SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY"])
def test_wrong_credentials_are_said_to_be_wrong_and_not_shown(
    server: S3Server, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv(wrong, "not-the-right-one")
    with pytest.raises(BucketError, match="the credentials are wrong") as caught:
        of(server, "dev").has(ABSENT)
    for value in ("not-the-right-one", ACCESS, SECRET):
        assert value not in str(caught.value)


def test_a_bucket_that_is_not_there_is_named(server: S3Server) -> None:
    with pytest.raises(BucketError, match=r"bucket no-such-one at http.*: there is no such bucket"):
        of(server, "dev", name="no-such-one").has(ABSENT)


def test_an_endpoint_where_nobody_listens_is_named(
    server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "ATTEMPTS", 1)
    with pytest.raises(BucketError, match=r"at http://127\.0\.0\.1:9 cannot be reached"):
        of(server, "dev", endpoint="http://127.0.0.1:9").has(ABSENT)

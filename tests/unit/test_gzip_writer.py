"""gzip with parts that are packed and parts that are not: any reader reads all of it."""

import gzip
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.release.gzip_writer import GzipWriter, is_compressible

PARTS = st.lists(st.tuples(st.booleans(), st.binary(max_size=200), st.integers(1, 2000)))


def packed(parts: list[tuple[bool, bytes]]) -> bytes:
    out = io.BytesIO()
    compressed = GzipWriter(out)
    for stored, data in parts:
        compressed.stored = stored
        compressed.write(data)
    compressed.finish()
    return out.getvalue()


@given(PARTS)
def test_what_went_in_comes_out(parts: list[tuple[bool, bytes, int]]) -> None:
    repeated = [(stored, data * times) for stored, data, times in parts]
    assert gzip.decompress(packed(repeated)) == b"".join(data for _, data in repeated)


def test_the_same_content_is_the_same_archive() -> None:
    parts = [(False, b"text " * 1000), (True, bytes(100_000)), (False, b"text " * 1000)]
    assert packed(parts) == packed(parts)


def test_what_is_put_in_as_it_is_grows_by_next_to_nothing() -> None:
    noise = os.urandom(1 << 20)
    assert len(noise) < len(packed([(True, noise)])) < len(noise) * 1.001
    assert len(packed([(False, b"text " * 100_000)])) < 10_000


@pytest.mark.parametrize(
    ("sample", "expected"),
    [(b"import os\n" * 1000, True), (os.urandom(10_000), False)],
    ids=["a program", "noise"],
)
def test_packing_pays_for_what_gets_smaller(sample: bytes, expected: bool) -> None:
    assert is_compressible(sample) is expected

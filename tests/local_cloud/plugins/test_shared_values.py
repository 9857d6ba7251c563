"""Values come through the wire as they were, and are compared as Pulumi compares them."""

from __future__ import annotations

import typing

from hypothesis import given
from hypothesis import strategies as st

from local_cloud.plugins.shared_diff import Change, diff_of_inputs, text_of, top_level
from local_cloud.plugins.shared_values import (
    UNKNOWN,
    UNKNOWN_TEXTS,
    Archive,
    Asset,
    Secret,
    from_wire,
    revealed,
    same,
    to_wire,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = (
    texts
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.just(UNKNOWN)
    | st.builds(Asset, texts, texts, texts, texts)
    | st.builds(Archive, texts, texts, texts)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts, inner, max_size=4)
        | inner.filter(lambda value: not isinstance(value, Secret)).map(Secret)
    ),
    max_leaves=12,
)
properties = st.dictionaries(texts, values, max_size=5)


@given(properties)
def test_what_is_sent_arrives(sent: dict[str, typing.Any]) -> None:
    assert from_wire(to_wire(sent)) == sent


@given(properties)
def test_nothing_differs_from_itself(value: dict[str, typing.Any]) -> None:
    assert same(value, value)
    assert not diff_of_inputs(value, value).changes


@given(properties, properties)
def test_a_difference_is_told_exactly_when_there_is_one(
    old: dict[str, typing.Any], new: dict[str, typing.Any]
) -> None:
    settled = {k: v for k, v in new.items() if v != Secret(UNKNOWN)}
    before = {k: v for k, v in old.items() if k in settled or k not in new}
    assert bool(diff_of_inputs(before, settled).changes) != same(before, settled)


def test_no_two_marks_are_alike() -> None:
    assert len(UNKNOWN_TEXTS) == 7
    assert not same(True, 1.0)
    assert not same(Secret("a"), "a")


def test_files_are_equal_by_content_alone() -> None:
    assert same(Asset("hash", "/a"), Asset("hash", "/b"))
    assert not same(Asset("hash", "/a"), Asset("other", "/a"))
    assert not same(Asset("hash", "/a"), Archive("hash", "/a"))


def test_a_secret_is_not_shown_but_can_be_revealed() -> None:
    value = {"a": [Secret({"b": Secret("hush")})]}
    assert "hush" not in repr(value)
    assert revealed(value) == {"a": [{"b": "hush"}]}


def test_paths_are_written_as_pulumi_writes_them() -> None:
    assert text_of(("a", 0, "b")) == "a[0].b"
    assert text_of(("a", "with.dot", 'quo"te')) == 'a["with.dot"]["quo\\"te"]'
    assert top_level('["with.dot"][0]') == "with.dot"


def test_additions_removals_and_changes_are_told_apart() -> None:
    old = {"a": "1", "b": ["x", "y"], "c": {"d": "1", "e": "2"}}
    new = {"b": ["x", "z", "w"], "c": {"d": "1"}, "f": "n"}
    assert diff_of_inputs(old, new).changes == {
        "a": Change.DELETE,
        "b[1]": Change.UPDATE,
        "b[2]": Change.ADD,
        "c.e": Change.DELETE,
        "f": Change.ADD,
    }


def test_a_change_that_replaces_is_told_as_one() -> None:
    diff = diff_of_inputs({"a": "1"}, {"a": "2", "b": "1"}, replaces=lambda path: path == "a")
    assert diff.changes == {"a": Change.UPDATE_REPLACE, "b": Change.ADD}
    assert (diff.changed_keys, diff.replacing_keys) == (["a", "b"], ["a"])

"""The order in which servers switch to a release."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from components.release.rollout import Rollout


def rollout(
    batch: str = "1", canary: int = 0, balancer: int = 0, *, rollback: bool = True
) -> Rollout:
    return Rollout(
        batch=batch,
        canary_seconds=canary,
        balancer_seconds=balancer,
        confirm_seconds=120,
        start_one_by_one=False,
        rollback_on_failure=rollback,
    )


@pytest.mark.parametrize(
    ("batch", "servers", "expected"),
    [
        ("1", 1, [[0]]),
        ("1", 3, [[0], [1], [2]]),
        ("2", 4, [[0], [1, 2], [3]]),
        ("50%", 4, [[0], [1, 2], [3]]),
        ("100%", 4, [[0], [1, 2, 3]]),
        ("1%", 3, [[0], [1], [2]]),
        ("99", 2, [[0], [1]]),
    ],
)
def test_the_first_server_goes_alone_and_the_others_in_batches(
    batch: str, servers: int, expected: list[list[int]]
) -> None:
    assert [list(each) for each in rollout(batch).batches(servers)] == expected


@given(
    some.one_of(some.integers(1, 99).map(str), some.integers(1, 100).map(lambda each: f"{each}%")),
    some.integers(1, 50),
)
def test_every_server_switches_exactly_once(batch: str, servers: int) -> None:
    batches = rollout(batch).batches(servers)
    assert [number for each in batches for number in each] == list(range(servers))
    assert all(len(each) for each in batches)


def test_one_server_alone_has_nobody_to_wait_for() -> None:
    assert rollout().switch_options(0, 1) == ""
    assert not rollout().must_confirm(1)


def test_the_others_wait_until_the_load_balancer_has_judged_the_first() -> None:
    balanced = rollout(balancer=7)
    assert balanced.switch_options(0, 2) == " --confirm-within 127 --watch-behind-balancer 7"
    assert balanced.switch_options(1, 2) == " --confirm-within 127"
    alone = rollout(balancer=7, rollback=False)
    assert alone.switch_options(0, 1) == " --watch-behind-balancer 7"


def test_only_the_canary_is_watched_and_the_way_back_outlasts_it() -> None:
    watched = rollout(canary=30)
    assert watched.switch_options(0, 2) == " --confirm-within 150 --watch 30"
    assert watched.switch_options(1, 2) == " --confirm-within 150"


def test_without_rollback_no_server_waits_for_a_confirmation() -> None:
    assert rollout(rollback=False).switch_options(1, 2) == ""
    assert not rollout(rollback=False).must_confirm(2)

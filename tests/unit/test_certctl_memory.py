"""What certctl remembers, when it tries again, and when a renewal is due."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from host.certctl import renewal
from host.certctl.chain import Chain
from host.certctl.console import CertificateError
from host.certctl.memory import Memory, path_of, recall, remember
from host.certctl.order import seconds_in
from host.certctl.renewal import is_due, renewal_begins, with_times
from tests.unit.certctl_ca import NOW, Ca, new_key
from tests.unit.certctl_server import WebServer, new_web_server

CA, KEY = Ca(), new_key()
LONG, SHORT = CA.chain(KEY, days=90), CA.chain(KEY, days=6)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    with new_web_server(tmp_path) as server:
        yield server


def minutes(memory: Memory) -> float:
    """From the last try to the next one."""
    return (memory.next_try - memory.at) / 60


def test_each_failure_in_a_row_is_followed_by_a_longer_pause() -> None:
    memory, pauses = Memory(), []
    for _ in range(6):
        memory = memory.failed("the CA is away", None, NOW)
        pauses.append(minutes(memory))
    assert pauses == [1, 10, 100, 1440, 1440, 1440]
    assert (memory.outcome, memory.reason, memory.failures) == ("failed", "the CA is away", 6)
    done = memory.done("ordered", NOW)
    assert (done.failures, done.next_try, done.reason) == (0, 0, "")
    assert minutes(done.failed("again", None, NOW)) == 1


def test_the_ca_s_own_wish_counts_where_it_is_longer() -> None:
    assert minutes(Memory().failed("busy", 7200, NOW)) == 120
    assert minutes(Memory().failed("busy", 5, NOW)) == 1
    assert minutes(Memory(failures=3).failed("busy", 7200, NOW)) == 1440


def test_what_is_only_waited_for_is_looked_at_every_five_minutes() -> None:
    memory = Memory(failures=2)
    for _ in range(4):
        memory = memory.waiting("shop.example leads nowhere", NOW)
        assert minutes(memory) == 5
    assert (memory.outcome, memory.failures) == ("waiting", 2)


def test_what_happened_is_there_the_next_time(server: WebServer) -> None:
    assert server.memory == Memory()
    memory = Memory(serial="1f", renew_at=5.5).failed("busy", None, NOW)
    remember(server.settings, server.site, memory)
    assert recall(server.settings, server.site) == memory


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"colour": "red"}', "\x00", "1"])
def test_a_memory_that_cannot_be_read_is_none(server: WebServer, text: str) -> None:
    remember(server.settings, server.site, Memory())
    path_of(server.settings, server.site).write_text(text)
    assert server.memory == Memory()
    path_of(server.settings, server.site).write_bytes(b"\xff")
    assert server.memory == Memory()


def test_times_are_those_of_one_certificate() -> None:
    memory = Memory(serial="1f", renew_at=7, ask_again_at=8, outcome="ordered")
    assert memory.about("1f") == memory
    assert memory.about("2f") == Memory(serial="2f", outcome="ordered")


def test_seconds_are_a_number_or_until_a_date() -> None:
    assert seconds_in("120") == 120
    assert seconds_in("0") == 0
    later = datetime.now(UTC) + timedelta(hours=1)
    assert seconds_in(format_datetime(later, usegmt=True)) == pytest.approx(3600, abs=5)
    assert seconds_in("Sun, 06 Nov 1994 08:49:37 GMT") == 0, "a date that is over"


@pytest.mark.parametrize("text", [None, "", "soon", "-5", "1.5", "²", "Sun, 99 Nov 1994", "1 2"])
def test_what_is_no_time_says_nothing(text: str | None) -> None:
    assert seconds_in(text) is None


# When it is renewed


def after(chain: Chain, days: float) -> datetime:
    return chain.begins + timedelta(days=days)


def test_a_certificate_is_renewed_when_a_third_is_left_and_a_short_one_when_half_is() -> None:
    assert renewal_begins(LONG, Memory()) == after(LONG, 60)
    assert renewal_begins(SHORT, Memory()) == after(SHORT, 3)
    ten_days = CA.chain(KEY, days=10)
    assert renewal_begins(ten_days, Memory()) == after(ten_days, 10 * 2 / 3)


def test_the_ca_s_time_counts_for_its_own_certificate() -> None:
    wanted = after(LONG, 20)
    memory = Memory(serial=LONG.serial, renew_at=wanted.timestamp())
    assert renewal_begins(LONG, memory) == wanted
    assert renewal_begins(SHORT, memory) == after(SHORT, 3)


@pytest.mark.parametrize("days", [90, 91, 36_500])
def test_a_time_after_the_end_is_no_time_to_renew(days: float) -> None:
    memory = Memory(serial=LONG.serial, renew_at=after(LONG, days).timestamp())
    assert renewal_begins(LONG, memory) == after(LONG, 60)


@pytest.mark.parametrize(
    ("chain", "turn", "due_after"),
    [
        (LONG, 0, 60),
        (LONG, 1, 60.5),
        (LONG, 2, 61),
        (LONG, 9, 64.5),
        (LONG, 99, 75),
        (SHORT, 0, 3),
        (SHORT, 2, 4),
        (SHORT, 9, 4.5),
    ],
)
def test_servers_take_turns_but_none_beyond_half_of_what_is_left(
    server: WebServer, chain: Chain, turn: int, due_after: float
) -> None:
    server.changes(turn=turn)
    moment, a_moment = after(chain, due_after), timedelta(seconds=1)
    assert not is_due(server.settings, chain, Memory(), moment - a_moment)
    assert is_due(server.settings, chain, Memory(), moment)


def test_a_certificate_whose_time_to_renew_is_long_over_is_everybody_s_turn(
    server: WebServer,
) -> None:
    server.changes(turn=5)
    assert is_due(server.settings, LONG, Memory(), after(LONG, 95))


def says(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[int]:
    """What the CA answers; test_certctl_order.py asks a real one."""
    asked: list[int] = []

    def renewal_time(*_: object) -> Any:
        asked.append(1)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(renewal, "renewal_time", renewal_time)
    return asked


def test_the_ca_is_asked_again_only_when_it_wants_to_be(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    again, wanted = NOW + timedelta(hours=2), after(LONG, 20)
    asked = says(monkeypatch, (wanted, again))
    memory = with_times(server.settings, LONG, Memory(), NOW)
    assert (memory.renew_at, memory.ask_again_at) == (wanted.timestamp(), again.timestamp())
    with_times(server.settings, LONG, memory, again - timedelta(seconds=1))
    assert len(asked) == 1
    with_times(server.settings, LONG, memory, again)
    assert len(asked) == 2
    with_times(server.settings, SHORT, memory, NOW)
    assert len(asked) == 3, "another certificate has times of its own"


def test_what_it_said_once_holds_while_it_says_nothing(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Memory(serial=LONG.serial, renew_at=after(LONG, 20).timestamp())
    says(monkeypatch, (None, NOW + timedelta(hours=6)))
    assert with_times(server.settings, LONG, before, NOW).renew_at == before.renew_at
    assert with_times(server.settings, LONG, Memory(), NOW).renew_at == 0
    says(monkeypatch, CertificateError("the CA is away"))
    memory = with_times(server.settings, LONG, before, NOW)
    assert memory.renew_at == before.renew_at
    assert memory.ask_again_at == (NOW + timedelta(hours=6)).timestamp()

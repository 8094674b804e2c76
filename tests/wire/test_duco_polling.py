"""When a board that searches is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minertui.wire.duco import dialect
from minertui.wire.duco.exchange import Read, Solved, Wait, Write
from minertui.wire.duco.hash import Job, digest
from minertui.wire.duco.polling import LONGEST_S, QUESTION_S, SHORTEST_S, UNKNOWN_S, pause_s

LAST = "05b7406b3909071b2d85b2d2958ad07a0d52bd12"


def cost_s(longest_s: float, sharing: int = 1, fixed_s: float | None = None) -> float:
    """What questions and late answers cost on average, over searches that end evenly within ``longest_s``."""
    asked_s, total_s, questions = 0.0, 0.0, 0
    while asked_s < longest_s:
        pause = fixed_s or pause_s(asked_s, longest_s, sharing)
        within = min(pause, longest_s - asked_s)
        questions += 1
        total_s += within * (pause - within / 2 + questions * QUESTION_S)
        asked_s += pause
    return total_s / longest_s


@pytest.mark.parametrize("longest_s", [0.6, 2.4, 5.0, 20.0])
def test_it_costs_less_than_any_even_pause(longest_s: float) -> None:
    best = min(cost_s(longest_s, fixed_s=ms / 1000) for ms in range(4, 120))
    assert cost_s(longest_s) < best


@given(st.floats(0, 1e5), st.none() | st.floats(0, 1e5), st.integers(1, 127))
def test_a_pause_is_neither_too_short_nor_too_long(searched_s: float, longest_s: float | None, sharing: int) -> None:
    pause = pause_s(searched_s, longest_s, sharing)
    assert SHORTEST_S <= pause <= LONGEST_S
    assert longest_s is not None or pause == UNKNOWN_S


@given(st.floats(0.1, 50), st.floats(0, 1), st.integers(1, 60))
def test_near_the_end_and_with_few_others_it_asks_more_often(longest_s: float, part: float, sharing: int) -> None:
    now = pause_s(part * longest_s, longest_s, sharing)
    assert pause_s((part + 1) / 2 * longest_s, longest_s, sharing) <= now
    assert pause_s(part * longest_s, longest_s, sharing + 4) >= now


def questions(kind: str, nonce: int, sharing: int) -> int:
    """Busy polls of an exchange with a board of 208 H/s that is asked at once whenever it is due."""
    exchange = dialect.solve(kind, Job(LAST, digest(LAST, nonce), 5), rate_hs=208.0)
    now_s, begun_s, letter = 0.0, None, b""
    while not isinstance(step := exchange.next(now_s, sharing), Solved):
        done = begun_s is not None and now_s - begun_s >= nonce / 208
        if isinstance(step, Wait):
            now_s = step.until_s
        elif isinstance(step, Write):
            letter = step.data[:1]
            begun_s = now_s if letter == b"O" else begun_s
            exchange.got(b"")
        else:
            assert isinstance(step, Read)
            told = {b"R": b"%5d" % nonce, b"E": b"%5d" % round(1000 * nonce / 208)}
            exchange.got(told.get(letter) or (b"I? " if begun_s is None else b"C? " if done else b"B?O"))
    return exchange.tally.busy_polls


def test_boards_that_share_a_bus_are_asked_less_often() -> None:
    alone, crowded = questions("A", 300, 1), questions("A", 300, 40)
    assert 35 < alone < 70
    assert 10 < crowded < alone / 2

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from minertui.engine.loglines import KEPT, KEPT_IN_ALL, Followed, LogBook
from minertui.model.errors import Unreachable
from minertui.model.events import Event
from tests.engine.fakes import LoopClock

pytestmark = pytest.mark.looptime


class Stream:
    """A log that gives a line a second, and breaks after ``lines``."""

    def __init__(self, lines: int = 10**6, *, dead: bool = False) -> None:
        self.lines, self.dead, self.opened, self.open = lines, dead, 0, 0

    async def log_lines(self) -> AsyncIterator[str]:
        self.opened += 1
        if self.dead:
            raise Unreachable("m1", "no websocket")
        self.open += 1
        try:
            for n in range(self.lines):
                await asyncio.sleep(1)
                yield f"line {n}"
        finally:
            self.open -= 1


def book() -> tuple[LogBook, list[Event]]:
    told: list[Event] = []
    return LogBook(LoopClock(), told.append), told


async def test_lines_are_kept_by_source_merged_in_time_and_told():
    log, told = book()
    for n in range(6):
        log.say("a" if n % 2 else "b", f"{n}")
        await asyncio.sleep(1)
    assert [line.text for line in log.newest(None, 4)] == ["2", "3", "4", "5"]
    assert [line.text for line in log.newest("a", 10)] == ["1", "3", "5"]
    assert log.newest("nobody", 10) == []
    assert len(told) == 6


async def test_a_source_keeps_only_its_newest_lines():
    log, _ = book()
    for n in range(KEPT + 500):
        log.say("a", f"{n}")
    assert [log.newest("a", 10**6)[0].text, len(log.newest("a", 10**6))] == ["500", KEPT]


async def test_when_all_is_full_who_talks_most_gives_way():
    log, _ = book()
    log.say("quiet", "once")
    for n in range(KEPT):
        for source in range(12):
            log.say(f"m{source}", f"{n}")
    assert [line.text for line in log.newest("quiet", 10)] == ["once"]
    kept = [len(log.newest(f"m{source}", 10**6)) for source in range(12)]
    assert sum(kept) == KEPT_IN_ALL - 1
    assert max(kept) - min(kept) <= 1
    assert [line.text for line in log.newest("m0", 1)] == [f"{KEPT - 1}"]
    assert [(line.source, line.text) for line in log.newest(None, 2)] == [("m10", "1999"), ("m11", "1999")]


async def test_a_followed_log_runs_for_its_lease_and_no_longer():
    log, _ = book()
    followed, stream = Followed(LoopClock(), log), Stream()
    followed.follow("m1", stream)
    await asyncio.sleep(50)
    followed.follow("m1", stream)
    await asyncio.sleep(55)
    assert (stream.opened, stream.open) == (1, 1)
    await asyncio.sleep(10)
    assert stream.open == 0
    assert 100 <= len(log.newest("m1", 1000)) <= 112
    followed.follow("m1", stream)
    await asyncio.sleep(1.5)
    assert stream.opened == 2
    await followed.release("m1")
    assert stream.open == 0


async def test_a_stream_that_breaks_is_opened_again_and_a_dead_one_less_and_less():
    log, _ = book()
    clock = LoopClock()
    followed, breaking, dead = Followed(clock, log), Stream(3), Stream(dead=True)
    followed.follow("m1", breaking)
    followed.follow("m2", dead)
    await asyncio.sleep(58)
    assert breaking.opened >= 12
    assert 4 <= dead.opened <= 8
    assert [line.text for line in log.newest("m2", 100)] == ["the log stream is closed: m1: no websocket"]
    await followed.close()


class Flood:
    """A log that never pauses; its end is there so that a test of it has one."""

    async def log_lines(self) -> AsyncIterator[str]:
        for n in range(100_000):
            yield f"line {n}"
        await asyncio.Event().wait()


async def test_a_log_without_pause_holds_up_nobody():
    log, told = book()
    followed = Followed(LoopClock(), log)
    followed.follow("m1", Flood())
    for second in range(1, 6):
        await asyncio.sleep(1)
        assert len(told) <= 200 * second + 50, "the loop had its turn in between"
    assert len(told) >= 900
    await followed.close()

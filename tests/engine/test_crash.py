"""Killed anywhere in a sweep, the miner comes back: the crash is injected at every call that leaves the program.

A crash point is the n-th call of: a read, the arrival of a write, the moment after a write took effect, a journal
operation before or after it is durable. After it nothing of the old program runs; a new one is started on what is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minertui.engine.arbiter import Arbiter
from minertui.engine.journal import Journal
from minertui.model.commands import Order, Rank, Tune
from tests.engine.hardware import GAMMA, FakeMiner, LoopClock, line
from tests.engine.test_cut_short import Ramping

SWEEP = "sweep:garage"
POINTS = (Tune(545, 1170), Tune(600, 1210), Tune(560, 1180), Tune(450, 1050), Tune(625, 1240))


class Killed(BaseException):
    """The end of the process: not an Exception, so that nobody handles it."""


class Bomb:
    """Goes off at the n-th call and stays off: a dead program does nothing more."""

    def __init__(self, at: int) -> None:
        self.at, self.calls, self.off = at, 0, False
        self.where = ""
        self.heard: list[str] = []

    def tick(self, what: str) -> None:
        if self.off:
            raise Killed(what)
        self.calls += 1
        self.heard.append(what)
        if self.calls == self.at:
            self.off, self.where = True, what
            raise Killed(what)


class MinedJournal(Journal):
    """A journal that can die before or after each operation."""

    bomb: Bomb

    def _around(self, what: str, work: Callable[[], Any]) -> Any:
        self.bomb.tick(f"before {what}")
        result = work()
        self.bomb.tick(f"after {what}")
        return result

    def open_entry(self, entry: Any, **how: Any) -> Any:
        return self._around("open", lambda: Journal.open_entry(self, entry, **how))

    def note_write(self, *args: Any) -> Any:
        return self._around("note", lambda: Journal.note_write(self, *args))

    def close(self, key: str) -> None:
        self._around("close", lambda: Journal.close(self, key))


async def sweep(miner: FakeMiner, folder: Path, bomb: Bomb, clock: LoopClock, last: Tune | None) -> None:
    """A small sweep that ends with its baseline (or its best point); raises Killed at the bomb."""
    journal = MinedJournal(folder, clock.wall)
    journal.bomb = bomb
    miner.spy = bomb.tick
    one = line(miner, clock)
    arbiter = Arbiter(clock, journal, {"garage": one}.__getitem__)
    for n, point in enumerate(POINTS):
        record = await arbiter.execute(Order(f"p{n}", "garage", point, SWEEP, Rank.SWEEP))
        assert record.outcome.ok, record.outcome
    assert (await arbiter.conclude("garage", last, SWEEP)).ok


async def crash_and_restore(
    folder: Path, at: int, last: Tune | None, miner: FakeMiner | None = None
) -> tuple[Bomb, FakeMiner]:
    clock, miner, bomb = LoopClock(), miner or FakeMiner(), Bomb(at)
    task = asyncio.ensure_future(_killable(miner, folder, bomb, clock, last))
    await task
    miner.spy = lambda _: None
    journal = Journal(folder, clock.wall)
    arbiter = Arbiter(clock, journal, {"garage": line(miner, clock)}.__getitem__)
    for _, outcome in await arbiter.restore_all():
        assert outcome.ok, (bomb.where, outcome)
    assert journal.entries() == (), bomb.where
    assert journal.problems == ()
    return bomb, miner


async def _killable(miner: FakeMiner, folder: Path, bomb: Bomb, clock: LoopClock, last: Tune | None) -> None:
    # a BaseException in a task ends the loop; the arbiter's own tasks are therefore not used
    try:
        await sweep(miner, folder, bomb, clock, last)
    except Killed:
        return


@pytest.fixture(autouse=True)
def _orders_run_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders run in the caller, not in a task of their own, so that a kill ends the program and not the test's loop."""

    async def execute(self: Arbiter, order: Order):
        return await self._execute(order)

    monkeypatch.setattr(Arbiter, "execute", execute)

    async def in_place(work: Callable[[], Any]) -> Any:
        return work()

    for module in ("arbiter", "walk", "way_back"):
        monkeypatch.setattr(f"minertui.engine.{module}.off_loop", in_place)


@pytest.mark.looptime
@pytest.mark.parametrize("tells", [True, False], ids=["tells its clock", "does not"])
async def test_killed_right_after_a_write_no_voltage_is_taken_from_a_clock_on_its_way(tmp_path: Path, tells: bool):
    rehearsal, _ = await crash_and_restore(tmp_path / "rehearsal", 10**9, None, Ramping(tells=tells))
    writes = [n for n, what in enumerate(rehearsal.heard, 1) if what == "written"]
    for at in writes[-4:]:
        bomb, miner = await crash_and_restore(tmp_path / str(at), at, None, Ramping(tells=tells))
        assert (bomb.where, miner.low) == ("written", []), at
        assert (miner.status.frequency_mhz, miner.status.core_mv) == (GAMMA.frequency_mhz, GAMMA.core_mv)


@pytest.mark.looptime
@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("last", [None, Tune(575, 1200)], ids=["baseline", "best point"])
async def test_killed_at_every_point_of_a_sweep_the_miner_comes_back(tmp_path: Path, last: Tune | None, stride: int):
    """Every n-th call, and the first and last of each kind; the long mode takes them all."""
    rehearsal, _ = await crash_and_restore(tmp_path / "rehearsal", 10**9, last)
    calls = rehearsal.heard
    assert len(calls) > 100
    firsts = {calls.index(what) + 1 for what in calls}
    lasts = {len(calls) - calls[::-1].index(what) for what in calls}
    places: set[str] = set()
    for at in sorted(firsts | lasts | set(range(1, len(calls) + 1, stride))):
        bomb, miner = await crash_and_restore(tmp_path / str(at), at, last)
        assert bomb.off, f"call {at} did not come"
        have = (miner.status.frequency_mhz, miner.status.core_mv)
        base = (GAMMA.frequency_mhz, GAMMA.core_mv)
        over = bomb.where == "after close"
        wanted = {base} if last is None or not over else {(last.frequency_mhz, last.core_mv)}
        assert have in wanted, f"killed {bomb.where} (call {at}): {have}"
        assert miner.low == [], f"killed {bomb.where} (call {at}): {miner.low}"
        places.add(bomb.where)
    assert places == {
        "read",
        "write",
        "written",
        "before open",
        "after open",
        "before note",
        "after note",
        "before close",
        "after close",
    }

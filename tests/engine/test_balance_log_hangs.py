"""A folder for balances that hangs, as one of a network may."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from minertui.engine.rig_site import Site
from minertui.model.account import BalanceRow
from minertui.model.plans import JobState, Phase
from minertui.model.relay import RelayPlan, RelayView
from tests.engine.fakes import LoopClock

PLAN = RelayPlan("attic", user="alice")


class Hanging:
    def __init__(self) -> None:
        self.free, self.inside, self.most_inside, self.rows = threading.Event(), 0, 0, list[float]()

    def write(self, row: BalanceRow) -> None:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.free.wait(20)
        self.inside -= 1
        self.rows.append(row.at_s)


def site(log: Any) -> Site:
    state = JobState("relay:attic", "attic", Phase.RUNNING, RelayView(PLAN))
    return Site(state, "", LoopClock(), lambda *_: None, lambda _: None, lambda *_: None, log)


async def test_it_takes_one_thread_that_nobody_else_needs_and_loses_no_reading():
    log = Hanging()
    rig = site(log)
    for n in range(1, 41):
        rig.report(RelayView(PLAN, balance=(BalanceRow(float(n), 1.0, 0.0, 0.1),)))
    async with asyncio.timeout(10):
        await asyncio.to_thread(lambda: None)  # as the journal is written
    assert log.most_inside <= 1
    log.free.set()
    async with asyncio.timeout(10):
        while len(log.rows) < 40:
            await asyncio.sleep(0.01)
    assert log.rows == sorted(log.rows)

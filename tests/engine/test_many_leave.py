"""Many miners leave the config at once, and some of them do not answer: nobody else waits for each of them in turn."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from minertui.config import Config
from minertui.model.plans import Strategy, SweepPlan
from tests.engine.house import House, miner, until

pytestmark = pytest.mark.looptime

PLAN = SweepPlan(strategy=Strategy.GRID, settle_s=30, measure_s=60, start_mhz=545, start_mv=1180, max_mhz=560)
MINERS = [miner(f"m{n}", f"127.0.0.1:80{n:02}") for n in range(1, 7)]


async def test_what_becomes_read_only_does_not_wait_for_each_that_hangs(house: House):
    engine = house.engine(*MINERS)
    await engine.open()
    await asyncio.sleep(6)
    boards = [house.miners[each.address] for each in MINERS]
    for each in MINERS:
        await engine.start(replace(PLAN, device=each.name))
    await until(lambda: all((board.mhz, board.mv) == (545, 1180) for board in boards))
    for board in boards[:-1]:
        board.dead = True
    changing = asyncio.create_task(engine.reload(Config(miner=(replace(MINERS[-1], readonly=True),))))
    await until(lambda: engine.line("m6").readonly, 30)
    assert (boards[-1].mhz, boards[-1].mv) == (500, 1150)
    async with asyncio.timeout(100):  # a minute is what each of them is waited for
        await changing
    assert engine.hub.fleet.snapshots.keys() == {"m6"}
    await engine.close()


async def test_a_fault_with_one_of_them_costs_the_others_nothing(house: House, monkeypatch: pytest.MonkeyPatch):
    engine = house.engine(*MINERS)
    await engine.open()
    await asyncio.sleep(6)
    real = engine._followed.release

    async def release(name: str) -> None:
        if name == "m1":
            raise RuntimeError("a bug")
        await asyncio.sleep(5)
        await real(name)

    monkeypatch.setattr(engine._followed, "release", release)
    with pytest.raises(RuntimeError):
        await engine.reload(Config(miner=(MINERS[-1],)))
    assert engine.hub.fleet.snapshots.keys() == {"m1", "m6"}
    monkeypatch.setattr(engine._followed, "release", real)
    await engine.reload(Config(miner=(MINERS[-1],)))
    assert engine.hub.fleet.snapshots.keys() == {"m6"}
    await engine.close()

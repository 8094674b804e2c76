"""A limit is lowered while a way back is owed: what keeps the limit is nobody's choice, and the way back goes on."""

from __future__ import annotations

import asyncio

import pytest

from minertui.config import Config
from minertui.model.commands import Order, OutcomeState, Rank, Restart, Tune
from minertui.model.plans import Limits, Strategy, SweepPlan
from tests.engine.bench import SWEEP, Bench
from tests.engine.house import House, miner, until

pytestmark = pytest.mark.looptime

PLAN = SweepPlan("m1", strategy=Strategy.GRID, settle_s=30, measure_s=60, start_mhz=545, start_mv=1180, max_mhz=560)


@pytest.mark.parametrize("away_s", [0, 20, 100])
async def test_a_miner_that_was_taken_from_its_sweep_still_goes_home(house: House, away_s: float):
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    await engine.start(PLAN)
    await until(lambda: (it.mhz, it.mv) == (545, 1180))
    await asyncio.sleep(7)
    assert (await engine.send(Order("o1", "m1", Restart(), confirmed=True))).outcome.ok
    it.dead = away_s > 0
    await engine.reload(Config(miner=(miner(limits=Limits(max_mhz=530)),)))
    await asyncio.sleep(away_s)
    it.dead = False
    await until(lambda: (it.mhz, it.mv) == (500, 1150), 120)
    await asyncio.sleep(30)
    assert (it.mhz, it.mv) == (500, 1150)
    await engine.close()


async def test_it_takes_no_voltage_from_the_clock_that_is_left(bench: Bench):
    assert (await bench.do(Tune(600, 1250))).ok
    outcome = await bench.do(Tune(575, at_most=True), Rank.PERSON, "config")
    assert (outcome.state, bench.at) == (OutcomeState.APPLIED, (575, 1250))
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == (525, 1150)


async def test_without_one_what_was_lowered_stays(bench: Bench):
    await bench.line.refresh()
    assert (await bench.do(Tune(500, at_most=True), Rank.PERSON, "config")).ok
    assert bench.journal.entries() == ()

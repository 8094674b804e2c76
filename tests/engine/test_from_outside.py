"""Orders of those who are no part of the engine: a client of the API may give any rank but safety's, and any name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from minertui.engine.journal import FOLDER
from minertui.model.commands import Command, Order, Pause, Rank, Restart, SetFan, Tune
from minertui.model.errors import JobError
from minertui.model.plans import GuardPlan, Strategy, SweepPlan
from tests.engine.house import House, until

pytestmark = pytest.mark.looptime

SWEEP = SweepPlan("m1", strategy=Strategy.GRID, settle_s=30, measure_s=60, start_mhz=545, start_mv=1180, max_mhz=560)


@pytest.mark.parametrize("rank", [Rank.CURTAILMENT, Rank.SWEEP])
@pytest.mark.parametrize("command", [Tune(550.0), Tune(400.0), SetFan(auto=False, pct=90)])
async def test_settings_of_a_job_that_there_is_not_are_refused(house: House, rank: Rank, command: Command):
    """Nobody would walk the way back before the next start of the engine."""
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    with pytest.raises(JobError, match="rank 1"):
        await engine.send(Order("o1", "m1", command, "script", rank))
    await asyncio.sleep(600)
    assert it.mhz == 500 or not list((Path(house.folder) / FOLDER).glob("*.json"))
    assert (await engine.send(Order("o2", "m1", Tune(550.0), "script"))).outcome.ok
    await engine.close()


async def test_what_leaves_no_way_back_may_have_a_rank_of_its_own(house: House):
    engine = await house.running()
    assert (await engine.send(Order("o1", "m1", Restart(), "repairs", Rank.CURTAILMENT))).outcome.ok
    assert "cannot do that" in (await engine.send(Order("o2", "m1", Pause(), "meter", Rank.CURTAILMENT))).outcome.reason
    await engine.close()


@pytest.mark.parametrize("rank", [Rank.PERSON, Rank.SWEEP])
async def test_nobody_orders_in_the_name_of_a_job(house: House, rank: Rank):
    """Its sweep would measure one point and run another; its guard would take the order for one of its own."""
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    await engine.start(SWEEP)
    await engine.start(GuardPlan("m1"))
    await until(lambda: it.mhz == 545)
    for name in ("sweep:m1", "guard:m1"):
        with pytest.raises(JobError, match="name of a job"):
            await engine.send(Order(f"x-{name}", "m1", Tune(590.0), name, rank))
    assert it.mhz == 545
    await engine.close()

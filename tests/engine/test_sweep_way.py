"""On the way to a far point a sweep keeps its own limits too: the walk takes many steps before it looks again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from minertui.model.commands import Tune
from minertui.model.plans import Strategy, SweepPlan, SweepView
from minertui.model.status import MinerStatus
from tests.engine.house import House, Miner, job, miner, until

pytestmark = pytest.mark.looptime


class Warm(Miner):
    """Heat and power follow the clock at once."""

    async def read(self) -> MinerStatus:
        status = await super().read()
        return replace(status, chip_temp_c=50 + (self.mhz - 500) * 0.08, power_w=17 + (self.mhz - 500) * 0.1)


async def test_a_far_start_ends_at_the_first_reading_over_the_sweeps_own_limits(tmp_path: Path):
    house = House(tmp_path)
    it = house.miners["127.0.0.1:8001"] = Warm("127.0.0.1:8001")
    engine = house.engine(miner())
    await engine.open()
    await asyncio.sleep(6)
    plan = SweepPlan(
        "m1", strategy=Strategy.GRID, start_mhz=700, max_mhz=800, max_power_w=28, settle_s=60, measure_s=60
    )
    await engine.start(plan)

    def points() -> list[tuple[float, str]]:
        view = job(engine, "sweep:m1").view
        assert isinstance(view, SweepView)
        return [(point.mhz, point.reason) for point in view.points]

    await until(lambda: bool(points()), 4000)
    assert points()[0] == (625, "power 29.5 W is above 28 W"), "as it read, not as it was to be"
    highest = it.tunes.index(Tune(625.0))
    await until(lambda: len(it.tunes) > highest + 1, 4000)
    assert (it.tunes[highest + 1].frequency_mhz or 0) <= 525, "and at once lower"
    await engine.close()

"""A sweep whose plan says no power keeps the one that it begins with, for whoever goes on with it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from minertui.model.plans import SweepView
from minertui.model.status import MinerStatus
from tests.engine.house import PLAN, House, Miner, job, miner

pytestmark = pytest.mark.looptime


class Strong(Miner):
    """On 12 V, built for 100 W."""

    async def read(self) -> MinerStatus:
        status = await super().read()
        return msgspec.structs.replace(status, nominal_input_v=12, input_mv=12050, max_power_w=100)


async def test_it_is_kept_as_it_was_when_the_sweep_began(tmp_path: Path):
    house = House(tmp_path / "state")
    house.miners["127.0.0.1:8001"] = Strong("127.0.0.1:8001")
    engine = await house.running()
    await engine.start(PLAN)
    view = job(engine, "sweep:m1").view
    assert isinstance(view, SweepView)
    assert view.plan.max_power_w == 90
    [kept] = await engine.sweeps()
    assert kept.plan == view.plan
    await engine.close()


async def test_of_a_miner_that_was_not_read_yet_it_stays_open(tmp_path: Path):
    house = House(tmp_path / "state")
    house.miners["127.0.0.1:8001"] = it = Strong("127.0.0.1:8001")
    it.dead = True
    engine = house.engine(miner())
    await engine.open()
    await engine.start(PLAN)
    [kept] = await engine.sweeps()
    assert kept.plan.max_power_w is None
    await engine.close()

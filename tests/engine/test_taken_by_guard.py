"""A guard that steps in ends a sweep. Its miner is not left at the sweep's voltage for as long as the guard runs: what
goes down of the way back goes down at once, and what goes up waits until it is as cool as the guard asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui.engine.journal import FOLDER
from minertui.model.plans import GuardPlan, Phase, Strategy, SweepPlan
from tests.engine.house import House, Miner, job, until

pytestmark = pytest.mark.looptime

SWEEP = SweepPlan(
    "m1",
    strategy=Strategy.GRID,
    settle_s=30,
    measure_s=60,
    start_mhz=545,
    start_mv=1180,
    max_mhz=560,
    max_chip_temp_c=69,
)


async def test_a_sweep_that_a_guard_ended_goes_back_to_the_users_own_settings(tmp_path: Path):
    house = House(tmp_path)
    it = house.miners["127.0.0.1:8001"] = Miner("127.0.0.1:8001")
    engine = await house.running()
    await engine.start(GuardPlan("m1", max_chip_temp_c=60))
    await engine.start(SWEEP)
    await until(lambda: (it.mhz, it.mv) == (545, 1180))
    it.chip_c = 60.5
    said = "a safety stop took the device; it goes back by itself to 500 MHz / 1150 mV"
    await until(lambda: job(engine, "sweep:m1").note == said, 60)
    it.chip_c = 59.0  # under the limit, and not yet as cool as the guard asks
    await until(lambda: it.mv == 1150, 30)
    assert it.mhz == 495
    it.chip_c = 55.0
    await until(lambda: (it.mhz, it.mv) == (500, 1150), 120)
    await until(lambda: not list((tmp_path / FOLDER).glob("*.json")), 60)
    assert job(engine, "guard:m1").phase is Phase.RUNNING
    await engine.close()

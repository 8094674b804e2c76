"""What a program asks for over the API is held to what a config may say, where obeying it would harm."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from minertui.model.errors import JobError
from minertui.model.plans import GuardPlan, MinerPlan
from tests.engine.house import PLAN, House


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (GuardPlan("m1", max_mhz=55), "m1: max_mhz: must be 160 to 3000, not 55; no known chip works at so little"),
        (GuardPlan("m1", high_mhz=55), "m1: high_mhz: must be 160 to 3000, not 55"),
        (GuardPlan("m1", step_down_mhz=0), "m1: step_down_mhz: must be 1 to 500, not 0"),
        (GuardPlan("m1", step_down_mhz=-50), "m1: step_down_mhz: must be 1 to 500, not -50"),
        (GuardPlan("m1", hysteresis_c=-20), "m1: hysteresis_c: must be 0.5 to 20, not -20"),
        (GuardPlan("m1", check_s=1e9), "m1: check_s: must be 2 to 3600, not 1e"),
        (GuardPlan("m1", settle_s=1e9), "m1: settle_s: must be 10 to 3600, not 1e"),
        (GuardPlan("m1", max_chip_temp_c=149), "m1: max_chip_temp_c: must be 30 to 110, not 149"),  # as °F
        (GuardPlan("m1", max_vr_temp_c=1e300), "m1: max_vr_temp_c: must be 30 to 125, not 1e"),
        (msgspec.structs.replace(PLAN, step_mhz=0), "m1: step_mhz: must be 1 to 500, not 0"),
        (msgspec.structs.replace(PLAN, step_mv=0), "m1: step_mv: must be 1 to 100, not 0"),
        (msgspec.structs.replace(PLAN, sample_s=-1), "m1: sample_s: must be 2 to 300, not -1"),
        (msgspec.structs.replace(PLAN, max_mv=120), "m1: max_mv: must be 800 to 2000, not 120"),
    ],
)
async def test_what_can_only_be_a_slip_is_refused_before_anything_is_touched(house: House, plan: MinerPlan, why: str):
    engine = house.engine()
    await engine.open()
    await asyncio.sleep(6)
    with pytest.raises(JobError, match=why):
        await engine.start(plan)
    assert not engine.hub.fleet.jobs
    assert house.miners["127.0.0.1:8001"].mhz == 500.0
    await engine.close()

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
        (msgspec.structs.replace(PLAN, max_mv=120), "m1: max_mv: must be 800 to 2000, not 120"),
    ],
)
async def test_a_digit_that_is_missing_is_refused_before_anything_is_touched(house: House, plan: MinerPlan, why: str):
    engine = house.engine()
    await engine.open()
    await asyncio.sleep(6)
    with pytest.raises(JobError, match=why):
        await engine.start(plan)
    assert not engine.hub.fleet.jobs
    assert house.miners["127.0.0.1:8001"].mhz == 500.0
    await engine.close()

"""A guard goes on as it was started. A config that asks for something else now must not look as if it were in force."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from minertui.config import Config
from minertui.engine.engine import Engine
from minertui.model.plans import GuardPlan, Limits
from tests.engine.test_engine import House, miner

pytestmark = pytest.mark.looptime

MINER = miner(guarded=True)
SAID = "its guard goes on as it was started"


async def said(engine: Engine) -> int:
    return sum(SAID in line.text for line in await engine.log("m1"))


async def test_other_limits_for_a_guard_that_runs_are_said_to_wait(tmp_path: Path):
    house = House(tmp_path / "state")
    engine = house.engine(MINER)
    await engine.open()
    await asyncio.sleep(6)
    await engine.reload(Config(miner=(replace(MINER, tags=("cellar",)),)))
    assert await said(engine) == 0
    cooler = replace(MINER, guard=GuardPlan(max_chip_temp_c=55))
    await engine.reload(Config(miner=(cooler,)))
    assert await said(engine) == 1
    await engine.reload(Config(miner=(replace(cooler, limits=Limits(max_chip_temp_c=60)),)))
    assert await said(engine) == 2
    await engine.close()


async def test_a_persons_guard_has_its_own_plan(tmp_path: Path):
    house = House(tmp_path / "state")
    engine = house.engine(miner(), config_path=tmp_path / "config.toml")
    await engine.open()
    await asyncio.sleep(6)
    await engine.start(GuardPlan("m1"))
    await engine.reload(Config(miner=(miner(guard=GuardPlan(max_chip_temp_c=55)),)))
    assert await said(engine) == 0
    await engine.close()

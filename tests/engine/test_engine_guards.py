"""Guards of the whole engine: the config's, and those that persons start and stop, over restarts and names."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from minertui.config import Config
from minertui.model.history import MinerEntry
from minertui.model.plans import GuardPlan, GuardView, Phase
from tests.engine.house import CONFIG, PLAN, House, Miner, job, miner, until

pytestmark = pytest.mark.looptime


async def test_a_guard_of_the_config_starts_with_the_engine_and_cools(house: House):
    engine = house.engine(miner(guarded=True, guard=GuardPlan(max_chip_temp_c=60)))
    await engine.open()
    await asyncio.sleep(20)
    assert job(engine, "guard:m1").phase is Phase.RUNNING
    it = house.miners["127.0.0.1:8001"]
    it.chip_c = 66.0
    await until(lambda: it.mhz <= 450.0, 60)
    it.chip_c = 50.0
    await engine.close()
    assert it.mhz == 500.0


async def test_a_persons_guard_is_there_again_until_a_person_stops_it(house: House, tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text(CONFIG)
    plan = GuardPlan("m1", max_chip_temp_c=61)
    engine = house.engine(config_path=file)
    await engine.open()
    await engine.start(plan)
    await engine.close()

    engine = house.engine(config_path=file)
    await engine.open()
    state = job(engine, "guard:m1")
    assert (state.view.plan, state.by, state.phase.over) == (plan, "person", False)
    await asyncio.sleep(6)
    await engine.stop("guard:m1")
    await until(lambda: job(engine, "guard:m1").phase.over)
    await engine.close()

    engine = house.engine(config_path=file)
    await engine.open()
    assert engine.hub.fleet.jobs == {}
    await engine.close()


async def test_a_persons_guard_follows_a_new_name_and_goes_with_its_miner(house: House, tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text(CONFIG)
    engine = house.engine(config_path=file)
    await engine.open()
    await engine.start(GuardPlan("m1", max_chip_temp_c=61))
    await asyncio.sleep(6)
    await engine.save_miner(MinerEntry("rack", "127.0.0.1:8001"), "m1")
    renamed = job(engine, "guard:rack")
    assert renamed.view.plan == GuardPlan("rack", max_chip_temp_c=61)
    await engine.remove_miner("rack")
    await engine.save_miner(MinerEntry("rack", "127.0.0.1:8002"))
    assert engine.hub.fleet.jobs == {}, "another miner of that name was never guarded"
    await engine.close()


async def test_a_config_that_guards_no_more_ends_its_guard_and_not_a_persons(house: House, tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text(CONFIG + "guarded = true\n")
    engine = house.engine(miner(guarded=True), config_path=file)
    await engine.open()
    await asyncio.sleep(6)
    await engine.reload(Config(miner=(miner(),)))
    await until(lambda: job(engine, "guard:m1").phase.over)
    await engine.start(GuardPlan("m1"))
    await engine.reload(Config(miner=(miner(guarded=True),)))
    await engine.reload(Config(miner=(miner(),)))
    await asyncio.sleep(20)
    assert not job(engine, "guard:m1").phase.over
    await engine.close()


async def test_the_guard_of_an_engine_that_ends_with_its_command_is_not_kept(house: House):
    engine = await house.running()
    await engine.start(GuardPlan("m1"))
    await engine.close()
    engine = await house.running()
    assert engine.hub.fleet.jobs == {}
    await engine.close()


async def test_a_guard_above_the_limits_in_force_is_lowered_to_them_and_says_so(house: House):
    engine = await house.running()
    state = await engine.start(GuardPlan("m1", max_chip_temp_c=99))
    assert isinstance(state.view, GuardView)
    assert state.view.plan.max_chip_temp_c == 70
    assert "lowered to those in force: max_chip_temp_c 99 → 70" in (await engine.log("guard:m1"))[0].text
    await engine.close()


async def test_the_guard_of_a_miner_that_never_answered_says_that_and_ends(house: House):
    house.miners["127.0.0.1:8001"] = Miner("127.0.0.1:8001")
    house.miners["127.0.0.1:8001"].dead = True
    engine = await house.running()
    await engine.start(GuardPlan("m1"))
    await asyncio.sleep(20)
    await engine.stop("guard:m1")
    await until(lambda: job(engine, "guard:m1").phase is Phase.STOPPED, 30)
    assert job(engine, "guard:m1").note == "it never answered, so it was not guarded and nothing was changed"
    await engine.close()


async def test_a_wall_clock_that_tells_the_same_time_again_makes_no_new_order_an_old_one(house: House):
    """As that of a board without a battery does at each start."""
    engine = await house.running()
    it, start_s = house.miners["127.0.0.1:8001"], house.clock.wall()
    house.clock.wall = lambda: start_s  # type: ignore[method-assign]
    for _ in range(2):
        await engine.start(GuardPlan("m1", max_chip_temp_c=60))
        it.chip_c = 61.0
        await until(lambda: it.mhz < 500.0, 30)
        it.chip_c = 50.0
        await engine.stop("guard:m1")
        await until(lambda: job(engine, "guard:m1").phase.over)
        assert it.mhz == 500.0
    await engine.close()


async def test_nor_a_new_sweep(house: House):
    engine = await house.running()
    start_s = house.clock.wall()
    house.clock.wall = lambda: start_s  # type: ignore[method-assign]
    for n in range(2):
        await engine.start(PLAN)
        await asyncio.sleep(200)
        await engine.stop("sweep:m1")
        await until(lambda: job(engine, "sweep:m1").phase.over)
        assert len(await engine.sweeps()) == n + 1
    await engine.close()

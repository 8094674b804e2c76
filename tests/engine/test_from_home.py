"""A sweep begins, or goes on, at the miner's own settings, not on the test point that an earlier run left it at."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from minertui.engine.engine import Engine
from minertui.model.commands import Command
from minertui.model.plans import Phase, Strategy, SweepPlan, SweepRecord, SweepView
from tests.engine.house import House, Miner, as_left, job, miner, until

pytestmark = pytest.mark.looptime
SWEEP, HOME, TEST_POINT = "sweep:m1", (500.0, 1150.0), (545.0, 1250.0)
PLAN = SweepPlan(
    "m1", strategy=Strategy.GRID, settle_s=60, measure_s=60, start_mhz=545, start_mv=1250, max_mhz=560, max_mv=1300
)


@dataclass
class Killed:
    """An engine that was killed while it measured a point, and the next one, which began while the miner was silent."""

    engine: Engine
    it: Miner


async def killed(tmp_path: Path, *, goes_on: bool = True) -> Killed:
    house = House(tmp_path / "before")
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    await engine.start(PLAN)
    await until(lambda: (it.mhz, it.mv) == TEST_POINT)
    as_left(house.folder, tmp_path / "after")
    await engine.close()
    if not goes_on:
        (tmp_path / "after" / "records.db").unlink()
    it.mhz, it.mv = TEST_POINT
    it.dead = True
    after = House(tmp_path / "after")
    after.miners = {"127.0.0.1:8001": it}
    engine = after.engine()
    await engine.open()
    await asyncio.sleep(20)
    return Killed(engine, it)


def own(engine: Engine) -> tuple[float | None, float | None]:
    """The settings that the sweep takes for the miner's own."""
    view = job(engine, SWEEP).view
    assert isinstance(view, SweepView)
    return view.baseline_mhz, view.baseline_mv


async def test_a_sweep_that_goes_on_with_a_miner_that_was_silent_at_the_start_knows_its_own_settings(tmp_path: Path):
    found = await killed(tmp_path)
    written = len(found.it.tunes)
    found.it.dead = False
    await until(lambda: own(found.engine) == HOME, 120)
    await until(lambda: (found.it.mhz, found.it.mv) == TEST_POINT, 300)
    assert (found.it.tunes[written].frequency_mhz, found.it.tunes[written + 1].core_mv) == HOME
    await found.engine.close()
    assert (found.it.mhz, found.it.mv) == HOME


@pytest.mark.parametrize("left", [(50.0, 1000.0), (400.0, 1050.0), (500.0, 1100.0)])
async def test_one_whose_miner_was_lowered_meanwhile_does_not_go_on(tmp_path: Path, left: tuple[float, float]):
    """Its firmware tripped while no engine ran: the next start climbed from there to where the sweep had been."""
    found = await killed(tmp_path)
    found.it.mhz, found.it.mv = left
    written, found.it.dead = len(found.it.tunes), False
    await until(lambda: job(found.engine, SWEEP).phase is Phase.FAILED, 300)
    assert "lowered it to" in job(found.engine, SWEEP).note
    await asyncio.sleep(60)
    assert found.it.tunes[written:] == []
    await found.engine.close()
    assert (found.it.mhz, found.it.mv) == left


async def test_one_that_is_started_before_its_way_back_was_walked_does_too(tmp_path: Path):
    found = await killed(tmp_path, goes_on=False)
    await found.engine.start(PLAN)
    found.it.dead = False
    await until(lambda: own(found.engine) == HOME, 120)
    await found.engine.close()
    assert (found.it.mhz, found.it.mv) == HOME


async def test_while_it_cannot_be_led_back_nothing_is_measured_and_it_is_said_why(tmp_path: Path):
    found = await killed(tmp_path)

    async def refuses(command: Command) -> None:
        await asyncio.sleep(0.02)

    apply, found.it.apply = found.it.apply, refuses  # type: ignore[method-assign]
    found.it.dead = False
    await until(lambda: "the way back is kept" in job(found.engine, SWEEP).note, 180)
    assert job(found.engine, SWEEP).phase is Phase.RUNNING
    found.it.apply = apply  # type: ignore[method-assign]
    await until(lambda: own(found.engine) == HOME, 300)
    await found.engine.close()
    assert (found.it.mhz, found.it.mv) == HOME


async def test_one_whose_miner_got_another_name_does_not_go_on_with_the_one_that_has_its_name_now(house: House):
    engine = await house.running()
    mac = house.miners["127.0.0.1:8001"].mac
    await engine.records.keep_sweep(SweepRecord("m1@1", "m1", mac, "Gamma", PLAN, Phase.WAITING, 1.0))
    await engine.records.rename("m1", "attic")
    await engine.close()
    engine = house.engine(miner("m1", "127.0.0.1:8002"), miner("attic"))
    await engine.open()
    await asyncio.sleep(60)
    assert list(engine.hub.fleet.jobs) == ["sweep:attic"]
    assert house.miners["127.0.0.1:8002"].tunes == []
    await engine.close()

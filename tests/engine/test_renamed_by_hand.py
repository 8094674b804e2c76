"""A miner that gets another name in the config file is the one that it was, as if the screen had given it that."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from minertui.config import Config
from minertui.engine.store import StoreError
from minertui.model.fleet import Health
from minertui.model.plans import GuardPlan, GuardView
from tests.engine.house import CONFIG, House, job, miner, until

pytestmark = pytest.mark.looptime
ATTIC = Config(miner=(miner("attic"),))


async def test_who_is_parked_stays_so(house: House, tmp_path: Path):
    engine = await house.from_file(tmp_path)
    engine.line("m1").park("three restarts")
    await engine.reload(ATTIC)
    await until(lambda: engine.line("attic").snapshot().health is Health.PARKED, 20)
    await engine.close()
    engine = house.engine(miner("attic"))
    await engine.open()
    await until(lambda: engine.line("attic").snapshot().health is Health.PARKED, 20)
    await engine.close()


async def test_another_board_there_is_a_stranger(house: House, tmp_path: Path):
    engine = await house.from_file(tmp_path)
    house.miners["127.0.0.1:8001"].mac = "AA:BB:CC:00:00:77"
    await engine.reload(ATTIC)
    await until(lambda: engine.line("attic").snapshot().health is Health.STRANGER, 20)
    await engine.close()


async def test_the_guard_of_a_person_goes_with_it(house: House, tmp_path: Path):
    engine = await house.from_file(tmp_path)
    await engine.start(GuardPlan("m1", max_chip_temp_c=61))
    (tmp_path / "config.toml").write_text(CONFIG.replace("m1", "attic"))
    await until(lambda: "guard:attic" in engine.hub.fleet.jobs, 60)
    view = job(engine, "guard:attic").view
    assert isinstance(view, GuardView)
    assert view.plan.max_chip_temp_c == 61
    await engine.close()


async def test_a_disk_that_refuses_to_note_it_keeps_nothing_from_being_in_force(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    engine = await house.from_file(tmp_path)
    engine.line("m1").park("three restarts")
    await asyncio.sleep(10)

    async def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(engine.records, "rename", full)
    monkeypatch.setattr(engine._history, "rename", full)
    await engine.reload(ATTIC)
    await until(lambda: engine.line("attic").snapshot().health is Health.PARKED, 20)
    await engine.close()


async def test_its_past_goes_with_it_and_is_not_lost_by_being_told_twice(house: House, tmp_path: Path):
    engine = await house.from_file(tmp_path)
    await asyncio.sleep(180)
    await engine.reload(ATTIC)
    for _ in range(2):
        await engine._renaming.one("m1", "attic")
        now_s = house.clock.wall()
        assert (await engine.history("attic", ["power_w"], now_s - 600, now_s)).at_s
    await engine.close()

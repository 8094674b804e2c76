"""A miner that a person guards is guarded under its new name too, whatever the disk says just then."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from minertui.engine.store import StoreError
from minertui.model.history import MinerEntry
from minertui.model.plans import GuardPlan, GuardView
from tests.engine.house import CONFIG, House, job, miner, until

pytestmark = pytest.mark.looptime

PLAN = GuardPlan("m1", max_chip_temp_c=61)


@pytest.mark.parametrize("refused", [1, 20])
async def test_a_guard_that_a_person_started_follows_a_new_name_that_the_disk_refuses_to_note(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: int
):
    file = tmp_path / "config.toml"
    file.write_text(CONFIG)
    engine = house.engine(config_path=file)
    await engine.open()
    await asyncio.sleep(6)
    await engine.start(PLAN)
    await asyncio.sleep(6)
    real, left = engine.records._store.run, refused

    async def full(work: Any) -> Any:
        nonlocal left
        if left > 0:
            left -= 1
            raise StoreError("the disk is full")
        return await real(work)

    monkeypatch.setattr(engine.records._store, "run", full)
    with pytest.raises(StoreError):
        await engine.save_miner(MinerEntry("rack", "127.0.0.1:8001"), "m1")
    await until(lambda: "guard:rack" in engine.hub.fleet.jobs)
    view = job(engine, "guard:rack").view
    assert isinstance(view, GuardView)
    assert view.plan.max_chip_temp_c == 61
    await engine.close()
    engine = house.engine(miner("rack"), config_path=file)
    await engine.open()
    assert set(engine.hub.fleet.jobs) == {"guard:rack"}, "kept, too"
    await engine.close()

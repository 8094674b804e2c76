"""Whatever goes wrong in leading a miner back, somebody goes on leading it back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from minertui.engine.journal import FOLDER
from minertui.model.commands import Outcome, Tune
from minertui.model.plans import Phase
from tests.engine.house import PLAN, House, job, until

pytestmark = pytest.mark.looptime


async def test_a_fault_at_a_sweeps_end_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    house = House(tmp_path / "state")
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    conclude, faults = engine.arbiter.conclude, 0

    async def faulty(device: str, settings: Tune | None, by: str) -> Outcome:
        nonlocal faults
        faults += 1
        if faults <= 3:
            raise RuntimeError("a bug")
        return await conclude(device, settings, by)

    monkeypatch.setattr(engine.arbiter, "conclude", faulty)
    await engine.start(PLAN)
    await until(lambda: (it.mhz, it.mv) != (500.0, 1150.0), 3600)
    await engine.stop("sweep:m1")
    await asyncio.sleep(1)
    assert job(engine, "sweep:m1").phase is Phase.RESTORING
    await until(lambda: job(engine, "sweep:m1").phase is Phase.FAILED, 120)
    assert (it.mhz, it.mv) == (500.0, 1150.0)
    assert not list((house.folder / FOLDER).glob("*.json"))
    await engine.close()


async def test_a_fault_at_the_end_of_the_rigs_costs_no_miner_its_way_back(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    engine = await house.running()
    it = house.miners["127.0.0.1:8001"]
    await engine.start(PLAN)
    await until(lambda: (it.mhz, it.mv) != (500.0, 1150.0), 3600)

    async def faulty() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(engine._rigs, "close", faulty)
    with pytest.raises(RuntimeError, match="a bug"):
        await engine.settle()
    assert (it.mhz, it.mv) == (500.0, 1150.0)
    await engine.close()

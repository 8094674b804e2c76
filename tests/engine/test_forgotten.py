"""What is over leaves the memory of an engine that runs for years."""

from __future__ import annotations

import gc

import pytest

from minertui.jobs.sweep import _Sweep
from minertui.model.plans import Phase
from tests.engine.house import PLAN, House, job, until

pytestmark = pytest.mark.looptime


async def test_of_many_sweeps_of_a_miner_only_the_last_is_held(house: House):
    engine = await house.running()
    held = engine._runner.book._records
    for count in (1, 2, 3):
        await engine.start(PLAN)
        await engine.stop("sweep:m1")
        await until(lambda: job(engine, "sweep:m1").phase.over)
        held = engine._runner.book._records
        assert [record.phase for record in held.values()] == [Phase.STOPPED]
        assert len(await engine.sweeps("m1")) == count, "on disk are all"
    await engine.forget("sweep:m1")
    assert not held
    assert not engine._runner._sites
    await engine.close()


async def test_how_a_sweep_was_ended_holds_nothing_of_its_work(house: House):
    engine = await house.running()
    await engine.start(PLAN)
    await until(lambda: job(engine, "sweep:m1").phase is Phase.RUNNING)
    await engine.stop("sweep:m1")
    await until(lambda: job(engine, "sweep:m1").phase.over)
    await until(engine._runner._tasks["sweep:m1"].done)
    gc.collect()
    assert not [held for held in gc.get_objects() if isinstance(held, _Sweep)]
    await engine.close()

"""One miner, two people (or one with a quick finger): it is swept once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from minertui.model.errors import JobError
from minertui.model.plans import JobState, Phase
from tests.engine.house import PLAN, House, job, until

pytestmark = pytest.mark.looptime


async def test_a_sweep_that_is_started_twice_at_once_runs_once(tmp_path: Path):
    house = House(tmp_path / "state")
    engine = await house.running()
    first, second = await asyncio.gather(engine.start(PLAN), engine.start(PLAN), return_exceptions=True)
    assert isinstance(first, JobState)
    assert isinstance(second, JobError)
    assert "runs on m1 already" in str(second)
    assert len(await engine.sweeps()) == 1
    await engine.stop("sweep:m1")
    await until(lambda: job(engine, "sweep:m1").phase is Phase.STOPPED)
    assert isinstance(await engine.start(PLAN), JobState), "and may be started again when it is over"
    await engine.close()

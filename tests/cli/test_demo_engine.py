"""The demo's engine lets things go wrong on purpose, at its own boards only."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui.cli.demo import simulated
from minertui.cli.demo_engine import DemoEngine, forget
from minertui.clock import SystemClock
from minertui.config import Config, MinerConfig
from minertui.engine.engine import Engine
from minertui.model.errors import ConfigError, JobError
from minertui.model.seams import FaultConsole
from minertui.sim.axeos import fleet


async def test_a_fault_is_switched_at_the_board_behind_the_miners_name(tmp_path: Path):
    clock, boards = SystemClock(60), fleet(2, seed=7)
    async with simulated(boards, clock) as miners:
        elsewhere = MinerConfig(name="elsewhere", address="127.0.0.1:9")
        config = Config(miner=(*miners, elsewhere))
        engine = DemoEngine(config, state=tmp_path, clock=clock, boards={miners[0].address: boards[0]})
        await engine.open()
        assert isinstance(engine, FaultConsole)
        assert engine.hub.fleet.demo
        assert "fan-dead" in await engine.faults()
        await engine.fault(miners[0].name, "hang", True)
        assert (list(boards[0].faults), list(boards[1].faults)) == (["hang"], [])
        assert await engine.faults_on(miners[0].name) == ("hang",)
        await engine.fault(miners[0].name, "hang", False)
        assert list(boards[0].faults) == []
        with pytest.raises(ConfigError, match="the faults are"):
            await engine.fault(miners[0].name, "explode", True)
        with pytest.raises(JobError, match="none of the demo's"):
            await engine.fault("elsewhere", "hang", True)
        with pytest.raises(JobError, match="no miner named"):
            await engine.fault("nobody", "hang", True)
        said = [line.text for line in await engine.log(miners[0].name)]
        assert "fault “hang” on: accepts and never answers" in said
        await engine.close()


def test_an_engine_of_real_miners_is_no_fault_console(tmp_path: Path):
    assert not isinstance(Engine(Config(), state=tmp_path, clock=SystemClock()), FaultConsole)


async def test_a_demo_leaves_no_past_for_the_next_one(tmp_path: Path):
    clock, boards = SystemClock(60), fleet(1, seed=7)
    async with simulated(boards, clock) as miners:
        engine = DemoEngine(Config(miner=tuple(miners)), state=tmp_path, clock=clock, boards={})
        await engine.open()
        await engine.close()
    assert {path.name for path in tmp_path.glob("*.db")} >= {"history.db", "records.db"}
    (tmp_path / "themes").mkdir()
    forget(tmp_path)
    assert not [path.name for path in tmp_path.iterdir() if ".db" in path.name]
    assert (tmp_path / "themes").is_dir()

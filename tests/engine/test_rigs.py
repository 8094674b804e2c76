"""Rigs in the engine: by name, by config, by orders; with simulated boards and a pool on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from minertui.clock import SystemClock
from minertui.config import Config, EngineConfig
from minertui.config_rigs import RigConfig
from minertui.engine.engine import Engine
from minertui.model.errors import JobError
from minertui.model.plans import JobState, Phase
from minertui.model.relay import (
    AddBoard,
    BoardPlan,
    BoardState,
    DropBoard,
    LimitBoard,
    PauseBoard,
    Place,
    RelayPlan,
    RelayView,
)
from minertui.secret import Secret
from minertui.sim.duco_boards import board
from minertui.sim.duco_bus import FakeBus, Opened
from minertui.sim.duco_pool import DucoPool
from minertui.sim.duco_rules import Rules, Tier

SPEED = 10.0


def view(job: JobState) -> RelayView:
    assert isinstance(job.view, RelayView)
    return job.view


class House:
    def __init__(self, engine: Engine, pool: DucoPool, config: Config) -> None:
        self.engine, self.pool, self.config = engine, pool, config

    @property
    def job(self) -> JobState:
        return self.engine.hub.fleet.jobs["relay:rig"]

    async def until(self, true: Any) -> None:
        async with asyncio.timeout(20):
            while not true():
                await asyncio.sleep(0.02)

    def good(self, name: str) -> int:
        return next((b.stats.good for b in view(self.job).boards if b.name == name), 0)


@asynccontextmanager
async def house(
    tmp_path: Path,
    engine: EngineConfig | None = None,
    *,
    config_path: Path | None = None,
    bus_type: type[Opened] | None = None,
    boards: tuple[BoardPlan, ...] = (BoardPlan("one", "i2c:1:20"),),
    **more: Any,
) -> AsyncIterator[House]:
    clock = SystemClock(SPEED)
    bus = FakeBus({20: board("A"), 8: board("C", seed=1)}, clock.mono)

    def way(place: Place) -> Any:
        return lambda: (bus_type or Opened)(bus)

    async with DucoPool(clock=clock, rules=Rules(tiers={"AVR": Tier(2, 0, 1e6)})) as pool:
        rig = RigConfig(name="rig", user="alice", rest=pool.rest, board=boards, **more)
        config = Config(engine=engine or EngineConfig(), rig=(rig,))
        house = Engine(config, state=tmp_path, clock=clock, open_way=way, config_path=config_path)
        await house.open()
        try:
            yield House(house, pool, config)
        finally:
            await house.close()


async def test_start_steer_stop(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        job = await here.engine.start(RelayPlan("rig"))
        assert (job.id, job.phase) == ("relay:rig", Phase.RUNNING)
        assert [b.name for b in view(job).boards] == ["one"]
        with pytest.raises(JobError, match="rig mines already"):
            await here.engine.start(RelayPlan("rig"))
        await here.until(lambda: here.good("one") > 2)
        job = await here.engine.steer("relay:rig", AddBoard(BoardPlan("two", "i2c:1:8")))
        assert [b.name for b in view(job).boards] == ["one", "two"]
        await here.until(lambda: here.good("two") > 2)
        await here.engine.steer("relay:rig", DropBoard("one"))
        with pytest.raises(JobError, match="no board 'one'"):
            await here.engine.steer("relay:rig", DropBoard("one"))
        await here.engine.stop("relay:rig")
        await here.until(lambda: here.job.phase is Phase.STOPPED)
        assert [b.state for b in view(here.job).boards] == [BoardState.DISCONNECTED]
        with pytest.raises(JobError, match="no job relay:rig runs; start the rig first"):
            await here.engine.steer("relay:rig", DropBoard("two"))
        await here.engine.forget("relay:rig")
        assert (here.job.phase, here.job.note) == (Phase.STOPPED, "not started")
        assert [b.name for b in view(here.job).boards] == ["one"]
    assert sum(m.rejected for m in here.pool.miners) == 0


async def test_starts_with_the_engine_and_follows_the_config(tmp_path: Path) -> None:
    async with house(tmp_path, start=True) as here:
        await here.until(lambda: here.good("one") > 0)
        (rig,) = here.config.rig
        more = (*rig.board, BoardPlan("two", "i2c:1:8"))
        await here.engine.reload(Config(rig=(RigConfig("rig", "alice", start=True, rest=rig.rest, board=more),)))
        await here.until(lambda: here.good("two") > 0)
        one = next(b for b in view(here.job).boards if b.name == "one")
        assert (one.stats.connects, one.stats.good > 0) == (1, True), "the others go on undisturbed"
        fewer = RigConfig("rig", "alice", start=True, rest=rig.rest, board=(BoardPlan("two", "i2c:1:8"),))
        await here.engine.reload(Config(rig=(fewer,)))
        assert [b.name for b in here.engine._rigs._relays["relay:rig"].view().boards] == ["two"]
        await here.engine.reload(Config(rig=(msgspec.structs.replace(fewer, software="other"),)))
        await here.until(lambda: view(here.job).plan.software == "other" and here.good("two") > 0)
        await here.engine.reload(Config())
        assert here.engine.hub.fleet.jobs == {}


async def test_what_cannot_start_says_why(tmp_path: Path) -> None:
    async with house(tmp_path, EngineConfig(readonly=True)) as here:
        with pytest.raises(JobError, match="there is no rig named 'attic' in the config; there are: rig"):
            await here.engine.start(RelayPlan("attic"))
        with pytest.raises(JobError, match="as the config says"):
            await here.engine.start(RelayPlan("rig", user="mallory"))
        with pytest.raises(JobError, match="read-only"):
            await here.engine.start(RelayPlan("rig"))


async def test_a_wrong_key_fails_and_is_never_shown(tmp_path: Path) -> None:
    async with house(tmp_path, mining_key=Secret("canary-31")) as here:
        here.pool.rules.keys["alice"] = "another"
        await here.engine.start(RelayPlan("rig"))
        await here.until(lambda: here.job.phase is Phase.FAILED)
        assert "mining key of alice is wrong or missing" in here.job.note
        assert here.pool.miners == []
        lines = await here.engine.log()
        assert "canary-31" not in f"{here.engine.hub.fleet}{lines}{here.engine.config}"
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"canary-31" not in file.read_bytes()


class Real(Opened):
    """A bus with hardware behind it."""

    simulated = False
    closed = 0

    def close(self) -> None:
        Real.closed += 1


async def test_real_boards_need_real_time(tmp_path: Path) -> None:
    async with house(tmp_path, bus_type=Real) as here:
        await here.engine.start(RelayPlan("rig"))
        await here.until(lambda: "real boards run in real time only" in view(here.job).boards[0].why)
    assert Real.closed > 0
    assert here.pool.miners == []


async def test_every_rig_of_the_config_is_in_the_fleet(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        assert (here.job.phase, here.job.note) == (Phase.STOPPED, "not started")
        assert [b.state for b in view(here.job).boards] == [BoardState.DISCONNECTED]
        await here.engine.reload(Config())
        assert here.engine.hub.fleet.jobs == {}


async def test_what_a_person_started_and_steered_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    async with house(tmp_path, config_path=path) as here:
        await here.engine.start(RelayPlan("rig"))
        await here.engine.steer("relay:rig", AddBoard(BoardPlan("two", "i2c:1:8")))
        await here.engine.steer("relay:rig", PauseBoard("one"))
        await here.until(lambda: here.good("two") > 1)
        await here.engine.steer("relay:rig", LimitBoard("two", 1000))
        await here.until(lambda: here.good("two") > 4)
    async with house(tmp_path, config_path=path) as here:
        await here.until(lambda: here.good("two") > 0)
        one, two = view(here.job).boards
        assert (one.state, one.name) == (BoardState.PAUSED, "one")
        assert two.left is not None
        assert two.left < 1000
        assert [plan.name for plan in view(here.job).plan.board] == ["one"]
        await here.engine.stop("relay:rig")
    async with house(tmp_path, config_path=path) as here:
        assert here.job.note == "not started"


async def test_boards_that_the_config_changed_are_steered_anew(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    async with house(tmp_path, config_path=path) as here:
        await here.engine.start(RelayPlan("rig"))
        await here.engine.steer("relay:rig", PauseBoard("one"))
    async with house(tmp_path, config_path=path, boards=(BoardPlan("uno", "i2c:1:20"),)) as here:
        await here.until(lambda: here.good("uno") > 0)


async def test_an_engine_that_ends_with_its_command_keeps_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.engine.start(RelayPlan("rig"))
    async with house(tmp_path) as here:
        assert here.job.note == "not started"

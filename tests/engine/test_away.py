"""A miner that was told to restart is silent for a while: that is no news, unless it stays away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from minertui.engine.engine import Engine
from minertui.model.commands import Command, Order, Pause, Restart
from minertui.model.fleet import Health, Snapshot
from minertui.model.status import MinerStatus
from tests.engine.house import House, until
from tests.engine.test_taken import Able

pytestmark = pytest.mark.looptime


class Booting(Able):
    """Gone for ``away_s`` after a restart, then up again with a new uptime."""

    away_s, went_s = 60.0, float("-inf")

    async def apply(self, command: Command) -> None:
        await super().apply(command)
        if isinstance(command, Restart):
            self.went_s = asyncio.get_running_loop().time()

    async def read(self) -> MinerStatus:
        now_s = asyncio.get_running_loop().time()
        self.dead = self.dead or now_s - self.went_s < self.away_s
        try:
            status = await super().read()
        finally:
            self.dead = False
        up_s = now_s - self.went_s - self.away_s
        return status if up_s == float("inf") else msgspec.structs.replace(status, uptime_s=up_s)


async def booting(folder: Path) -> tuple[Engine, Booting]:
    house = House(folder)
    it = house.miners["127.0.0.1:8001"] = Booting("127.0.0.1:8001")
    return await house.running(), it


async def told(engine: Engine, command: Command) -> None:
    assert (await engine.send(Order(f"o-{command}", "m1", command, confirmed=True))).outcome.ok


def now(engine: Engine) -> Snapshot:
    return engine.hub.fleet.snapshots["m1"]


async def test_a_restart_that_was_ordered_is_not_a_lost_miner(tmp_path: Path):
    engine, _ = await booting(tmp_path)
    await told(engine, Restart())
    await asyncio.sleep(50)
    assert (now(engine).health, now(engine).misses >= 3) == (Health.STALE, True)
    assert "it was told to restart" in now(engine).why
    await until(lambda: now(engine).health is Health.OK, 20)
    assert "lost:m1" not in engine.hub.fleet.alerts
    assert not [line.text for line in await engine.log("m1") if "lost" in line.text or "answers again" in line.text]
    await engine.close()


async def test_one_that_does_not_come_back_is_lost_after_three_minutes(tmp_path: Path):
    engine, it = await booting(tmp_path)
    it.away_s = 1e6
    await told(engine, Restart())
    await asyncio.sleep(175)
    assert "lost:m1" not in engine.hub.fleet.alerts
    await asyncio.sleep(15)
    assert now(engine).health is Health.LOST
    assert engine.hub.fleet.alerts["lost:m1"].active
    await engine.close()


async def test_a_miner_that_came_back_and_goes_again_is_lost_at_once(tmp_path: Path):
    engine, it = await booting(tmp_path)
    it.away_s = 20.0
    await told(engine, Restart())
    await asyncio.sleep(40)
    assert now(engine).health is Health.OK
    it.away_s = 1e6
    await asyncio.sleep(30)
    assert now(engine).health is Health.LOST
    await engine.close()


async def test_a_pause_explains_silence_too_and_nothing_else_does(tmp_path: Path):
    engine, it = await booting(tmp_path)
    await told(engine, Pause())
    it.went_s, it.away_s = asyncio.get_running_loop().time(), 1e6
    await asyncio.sleep(60)
    assert now(engine).health is Health.STALE
    assert "told to pause" in now(engine).why
    await until(lambda: now(engine).health is Health.LOST, 200)
    await told_in_vain(engine)
    await asyncio.sleep(60)
    assert now(engine).health is Health.LOST, "what was lost before stays so"
    await engine.close()


async def told_in_vain(engine: Engine) -> None:
    await engine.send(Order("o-vain", "m1", Pause(), confirmed=True))

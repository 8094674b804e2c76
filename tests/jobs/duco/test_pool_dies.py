"""A pool dies and the server names another one: all boards mine there within 30 s, however their luck falls."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from minertui.jobs.duco_relay.actions import Backoff
from minertui.sim.duco_boards import board
from minertui.sim.duco_bus import FakeBus
from tests.jobs.duco.world import LoopClock, World

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize(("fault", "within_s"), [("stall", 27.0), ("half-job", 27.0), ("refuse", 18.0)])
async def test_all_boards_mine_at_another_pool_in_time(
    fault: str, within_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, luck = Backoff.__init__, itertools.chain([0.9, 0.9], itertools.repeat(0.0))  # the first board waits long

    def unequal(backoff: Backoff, _: object) -> None:
        made(backoff, itertools.repeat(next(luck)).__next__)

    monkeypatch.setattr(Backoff, "__init__", unequal)
    world = World({"i2c:1": FakeBus({20 + n: board("A", seed=n) for n in range(4)}, LoopClock().mono)}, pools=2)
    async with world.mining(apart_s=0.1) as relay:
        await asyncio.sleep(0.9)  # the server was just asked, and may be asked again in 15 s
        assert all(one.pool.endswith(":7001") for one in relay.view().boards)
        second = [*world.pools.values()][1]
        world.servers.told = second.address
        world.pool.faults.add(fault)
        if fault == "refuse":
            world.servers.kick()
        began_s = world.clock.mono()
        while any(not one.pool.endswith(":7002") for one in relay.view().boards):
            await asyncio.sleep(0.1)
        took_s = world.clock.mono() - began_s
    assert took_s < within_s, "and a share takes three seconds at most"
    assert second.results > 0

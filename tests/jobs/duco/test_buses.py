"""Who looks after the buses of a computer."""

from __future__ import annotations

import asyncio

from minertui.jobs.duco_relay.buses import Buses
from minertui.model.relay import Place, Wire
from minertui.sim.duco_bus import FakeBus
from tests.jobs.duco.test_bus import Way

PLACE = Place(Wire.I2C, "1")


class Sleeps:
    """A clock whose sleeps end at once, a few of them; counts them."""

    speed = 1.0

    def __init__(self) -> None:
        self.slept = 0

    def mono(self) -> float:
        return 0.0

    boot = wall = mono

    async def sleep(self, seconds: float) -> None:
        self.slept += 1
        await asyncio.sleep(0 if self.slept < 5 else 3600)


async def test_nobody_wakes_for_buses_that_are_not_there():
    clock = Sleeps()
    buses = Buses(lambda _: Way(FakeBus({}, clock.mono)), clock)
    watching = asyncio.create_task(buses.watch())
    for _ in range(10):
        await asyncio.sleep(0)
    assert clock.slept == 0
    buses.take(PLACE)
    for _ in range(10):
        await asyncio.sleep(0)
    assert clock.slept == 5
    buses.release(PLACE)
    watching.cancel()

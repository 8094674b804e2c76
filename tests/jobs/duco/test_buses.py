"""Who looks after the buses of a computer."""

from __future__ import annotations

import asyncio
import threading

from minertui.clock import SystemClock
from minertui.jobs.duco_relay.buses import Buses
from minertui.model.relay import Place, Wire
from minertui.sim.duco_bus import FakeBus
from minertui.wire.duco import sketch
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


class Port:
    """A serial port: one at a time has it, and whoever reads comes back after a while."""

    taken, simulated = False, True

    def __init__(self) -> None:
        if Port.taken:
            raise OSError(16, "/dev/ttyUSB0 is in use: end the other program")
        Port.taken = True

    def write(self, address: int, data: bytes) -> None:
        """Nobody hears."""

    def read(self, address: int, count: int) -> bytes:
        threading.Event().wait(0.05)
        return b""

    def close(self) -> None:
        Port.taken = False


async def test_a_port_that_is_given_back_and_taken_again_at_once_is_in_nobody_elses_use():
    """A board that is renamed in the config, a rig that is stopped and started."""
    place = Place(Wire.SERIAL, "/dev/ttyUSB0")
    buses = Buses(lambda _: Port, SystemClock())
    for _ in range(3):
        bus = buses.take(place)
        assert await bus.open()
        asked = asyncio.create_task(bus.do(0, sketch.Handshake().exchange))
        await asyncio.sleep(0.01)
        asked.cancel()
        buses.release(place)

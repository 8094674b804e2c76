"""The ways of this computer to its boards: one Bus for each port, bus or adaptor, shared by all boards on it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from minertui.jobs.duco_relay.bus import Bus
from minertui.jobs.duco_relay.seams import Opener
from minertui.model.relay import Place
from minertui.model.seams import Clock

_WATCH_S = 0.5  # real seconds

Way = Callable[[Place], Opener]
"""How a place is opened; kept for as long as a board needs it, because it remembers which port was meant."""


class Buses:
    """The Benches of a computer. ``watch`` must run."""

    def __init__(self, way: Way, clock: Clock) -> None:
        self._way, self._clock = way, clock
        self._buses: dict[str, Bus] = {}
        self._left: dict[str, Bus] = {}  # closed last; its thread may still have the port
        self._users: Counter[str] = Counter()
        self._used = asyncio.Event()  # there is a bus to watch

    def take(self, place: Place) -> Bus:
        """The bus of ``place``."""
        if place.key not in self._buses:
            before = self._left.pop(place.key, None)
            self._buses[place.key] = Bus(place.way, self._way(place), self._clock, after=before)
        self._users[place.key] += 1
        self._used.set()
        return self._buses[place.key]

    def release(self, place: Place) -> None:
        """The last one closes it."""
        self._users[place.key] -= 1
        if self._users[place.key] <= 0:
            del self._users[place.key]
            self._left[place.key] = bus = self._buses.pop(place.key)
            bus.close()
        if not self._buses:
            self._used.clear()

    async def watch(self) -> None:
        """Cuts off boards that hang their bus; for ever."""
        while True:
            await self._used.wait()
            await self._clock.sleep(_WATCH_S * self._clock.speed)
            for bus in [*self._buses.values()]:
                await bus.look()

"""The one place where all that is known comes together.

The hub holds the newest Fleet, numbers every change and keeps the last changes in a ring. A watcher is nothing but the
number it has seen: it is never queued for, so the engine never waits for a screen, and a watcher that falls further
behind than the ring reaches gets the whole fleet again. Nothing is encoded here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

import msgspec

from minertui.model.events import (
    Event,
    Message,
    Numbered,
    Whole,
    after,
)
from minertui.model.fleet import Fleet
from minertui.model.seams import Clock

_RING = 2048  # changes kept for watchers that fell behind or come back
_replace = msgspec.structs.replace


class Hub:
    """Newest fleet, numbered changes. Only the event loop's thread may touch it."""

    def __init__(self, fleet: Fleet, clock: Clock, *, ring: int = _RING) -> None:
        """``fleet.version`` is the number to count on from; numbers of different engine runs must not meet."""
        self._fleet, self._clock = fleet, clock
        self._ring: deque[Numbered] = deque(maxlen=ring)
        self._waiting: list[asyncio.Future[None]] = []
        self._listeners: list[Callable[[Event], None]] = []
        self._closed = False

    @property
    def fleet(self) -> Fleet:
        """All known now."""
        return self._fleet

    def renumber(self, version: int) -> None:
        """Count on from ``version``, before anybody watches: numbers of different runs of the engine must not meet."""
        self._fleet = _replace(self._fleet, version=version)
        self._ring.clear()

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call ``listener`` with every event right after it entered the fleet; it neither waits nor raises."""
        self._listeners.append(listener)

    def publish(self, event: Event) -> None:
        """Let ``event`` change the fleet, number it and wake the watchers; costs microseconds, never waits."""
        version = self._fleet.version + 1
        self._fleet = _replace(after(self._fleet, event), version=version, at_s=self._clock.wall())
        self._ring.append(Numbered(version, event))
        self._wake()
        for listener in self._listeners:
            listener(event)

    def restate(self, *, readonly: bool) -> None:
        """Change what no event tells: every watcher gets the whole fleet again."""
        self._fleet = _replace(self._fleet, readonly=readonly, version=self._fleet.version + 1)
        self._ring.clear()
        self._wake()

    async def watch(self, after: int | None = None) -> AsyncIterator[Message]:
        """The whole fleet, then every change; with ``after``, what came after that version, as far as it is kept."""
        seen = after
        while True:
            if seen != self._fleet.version:
                message = self._following(seen)
                yield message  # one at a time: who stalls here keeps nothing else alive
                seen = message.fleet.version if isinstance(message, Whole) else message.version
            elif self._closed:
                return
            else:
                await self._next()

    def close(self) -> None:
        """End every watch."""
        self._closed = True
        self._wake()

    def _following(self, seen: int | None) -> Message:
        """What brings a watcher that has seen version ``seen`` one step further, or up to date."""
        newest = self._fleet.version
        if seen is None or not newest - len(self._ring) <= seen < newest:
            return Whole(self._fleet)
        return self._ring[seen - newest]

    async def _next(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

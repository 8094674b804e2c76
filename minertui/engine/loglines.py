"""What was said: the newest lines of every device, job and of the engine, and the miners' own log streams.

A miner's stream is opened only while somebody looks: ``follow`` is a lease of 60 s. It is opened again after it broke,
later and later, because an AxeOS web server under load drops it often. One that talks faster than any board can is read
no faster than that: each line costs the engine, and every screen.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from minertui.model.alerts import Severity
from minertui.model.errors import DeviceError, Unsupported
from minertui.model.events import Event, LogLine
from minertui.model.seams import Clock, Device, LogSource

KEPT = 2000  # lines a source
KEPT_IN_ALL = 20_000  # lines, some 250 bytes each
_NEWEST = 5000  # of all sources together, in the order in which they were said; nobody may ask for more
LEASE_S = 60.0
_RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)
_SOURCES = 4096
_AT_ONCE = 50
_A_SECOND = 200  # lines of one stream; a board's serial port (115,200 baud), where the log goes too, carries no more


class LogBook:
    """Rings of lines by source. When all together are full, the longest gives way, so that one that talks much takes
    nothing from the others. ``publish`` is the hub's."""

    def __init__(self, clock: Clock, publish: Callable[[Event], None]) -> None:
        self._clock, self._publish = clock, publish
        self._lines: dict[str, deque[LogLine]] = {}
        self._newest: deque[LogLine] = deque(maxlen=_NEWEST)
        self._kept = 0

    def say(self, source: str, text: str, severity: Severity = Severity.INFO) -> None:
        """Keep a line and tell everybody."""
        line = LogLine(source, text, self._clock.wall(), severity)
        if source not in self._lines and len(self._lines) >= _SOURCES:
            self._kept -= len(self._lines.pop(next(iter(self._lines))))
        ring = self._lines.setdefault(source, deque(maxlen=KEPT))
        self._kept += len(ring) < KEPT
        ring.append(line)
        if self._kept > KEPT_IN_ALL:
            max(self._lines.values(), key=len).popleft()
            self._kept -= 1
        self._newest.append(line)
        self._publish(line)

    def newest(self, source: str | None, limit: int) -> list[LogLine]:
        """The newest ``limit`` lines of a source, or of all together, oldest first."""
        lines = self._newest if source is None else self._lines.get(source, ())
        return list(lines)[-limit:] if limit > 0 else []


class Followed:
    """The log streams that are open now."""

    def __init__(self, clock: Clock, book: LogBook) -> None:
        self._clock, self._book = clock, book
        self._until_s: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def follow(self, name: str, source: LogSource) -> None:
        """Keep the stream of ``name`` open for the next 60 s."""
        self._until_s[name] = self._clock.mono() + LEASE_S
        task = self._tasks.get(name)
        if task is None or task.done():
            self._tasks[name] = asyncio.create_task(self._lease(name, source), name=f"log of {name}")

    async def ask(self, name: str, device: Device, on: bool) -> None:
        """Open, or keep open, the stream of ``name``, or close it. Raises Unsupported where the device has none."""
        if not on:
            await self.release(name)
        elif isinstance(device, LogSource):
            self.follow(name, device)
        else:
            raise Unsupported(name, "this kind of device has no log stream")

    async def release(self, name: str) -> None:
        """Close the stream of ``name``, if it is open."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def close(self) -> None:
        """Close all streams."""
        for name in list(self._tasks):
            await self.release(name)

    async def _lease(self, name: str, source: LogSource) -> None:
        """Read until nobody asks any more."""
        reading = asyncio.create_task(self._read(name, source))
        try:
            while (left := self._until_s[name] - self._clock.mono()) > 0.001 and not reading.done():
                await self._clock.sleep(min(left, 1.0))
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading

    async def _read(self, name: str, source: LogSource) -> None:
        tries = lines = 0
        while True:
            try:
                async for text in source.log_lines():
                    tries = 0
                    self._book.say(name, text)
                    lines += 1
                    if lines % _AT_ONCE == 0:
                        await self._clock.sleep(_AT_ONCE / _A_SECOND)
            except DeviceError as error:
                if tries == 0:
                    self._book.say(name, f"the log stream is closed: {error}", Severity.WARNING)
            await self._clock.sleep(_RETRY_S[min(tries, len(_RETRY_S) - 1)])
            tries += 1

"""What was: every metric of every device, at poll rate for an hour, by the minute for 14 days, by the quarter-hour for
two years.

A minute is gathered in memory and written once, as samples and as a summary, when it is over, also that of a device
which says nothing any more; so a crash loses at most the minute that was being gathered. Quarter-hours are made from
the minutes, and what is too old is dropped, a few devices at a time. Wall time is the key: after the host's clock was
set, a minute met twice is joined, never overwritten.
"""

from __future__ import annotations

import contextlib
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from minertui.engine import rows, tables
from minertui.engine.buckets import Point, Question, answer
from minertui.engine.store import Store, StoreError
from minertui.model.history import Series
from minertui.model.seams import Clock
from minertui.model.status import MinerStatus

_WRITE_EVERY_S = 10.0
_AT_ONCE, _PAUSE_S = (
    25,
    0.1,
)  # all minutes end together; packing those of a thousand devices at once would hold up polls
_ROUND_S = 300.0  # devices are tended in turn, a few at each writing; all of them once in that time, for SD cards wear
_UNWRITTEN = 10_000  # minutes that wait in memory while the disk is full

_Samples = list[tuple[float, bytes]]


class History:
    """The telemetry database. ``add`` is called at every poll and touches only memory."""

    def __init__(
        self, path: Path, clock: Clock, *, trouble: Callable[[str], None], damaged: Callable[[str], None]
    ) -> None:
        self._clock = clock
        self._store = Store(path, tables.SCHEMA, durable=False, stamp=clock.wall, trouble=trouble, damaged=damaged)
        self._open: dict[str, tuple[int, _Samples]] = {}
        self._full: deque[tuple[str, int, _Samples]] = deque(maxlen=_UNWRITTEN)
        self._tended = 0

    async def start(self) -> None:
        """Open the file; one whose columns are in another order than METRICS is put aside."""
        if not await self._store.run(tables.fits):
            await self._store.put_aside("holds other numbers than this program knows")
            await self._store.run(tables.fits)

    def add(self, device: str, at_s: float, status: MinerStatus) -> None:
        """Remember a reading; ``at_s`` is wall time."""
        at = int(at_s // 60) * 60
        opened = self._open.get(device)
        if opened is None or opened[0] != at:
            if opened is not None:
                self._full.append((device, *opened))
            opened = self._open[device] = (at, [])
        opened[1].append((at_s, rows.sample(status)))

    async def keep(self) -> None:
        """Write and tend for ever."""
        next_round_s = 0.0
        while True:
            await self._clock.sleep(_WRITE_EVERY_S)
            self._complete()
            while await self.write(_AT_ONCE):
                await self._clock.sleep(_PAUSE_S)
            now_s = self._clock.mono()
            if self._tended == 0 and now_s < next_round_s:
                continue
            if self._tended == 0:
                next_round_s = now_s + _ROUND_S
            await self._tend()

    def _complete(self) -> None:
        """Nothing more belongs to a minute that is over, whether its device goes on or is lost, or gone."""
        now_s = self._clock.wall()
        for device, (at, samples) in list(self._open.items()):
            if now_s >= at + 60 + _WRITE_EVERY_S:
                del self._open[device]
                self._full.append((device, at, samples))

    async def write(self, at_most: int = _UNWRITTEN) -> bool:
        """Write ``at_most`` of the minutes that are complete; True when more wait. They stay in memory when the disk
        refuses."""
        full = [self._full.popleft() for _ in range(min(at_most, len(self._full)))]
        if not full:
            return False
        try:
            await self._store.run(lambda db: tables.write(db, full))
        except StoreError:
            self._full.extendleft(reversed(full[max(0, len(full) + len(self._full) - _UNWRITTEN) :]))
            return False
        return bool(self._full)

    async def close(self) -> None:
        """Write everything, the minutes that are not complete too, and close."""
        self._full.extend((device, *opened) for device, opened in self._open.items())
        self._open.clear()
        await self.write()
        await self._store.close()

    async def ping(self) -> None:
        """Returns when the writer is through with what it was given."""
        await self._store.ping()

    async def series(self, question: Question) -> Series:
        """The answer from the finest rows that reach back far enough, made beside the loop: years of quarter-hours cost
        a second of CPU. Raises StoreError."""
        now_s = self._clock.wall()
        unwritten = [s for d, _, samples in self._full if d == question.device for s in samples]
        unwritten += self._open.get(question.device, (0, []))[1]
        fresh = [Point(at_s, 1, *([array("f", data)] * 3)) for at_s, data in unwritten]
        return await self._store.show(lambda db: answer(question, [*tables.points(db, question, now_s), *fresh]))

    async def recent_ghs(self) -> dict[str, tuple[float, ...]]:
        """By device: minute means of the hashrate over the last hour, oldest first; none where the disk refuses."""
        since = int(self._clock.wall()) - 3600
        with contextlib.suppress(StoreError):
            return await self._store.run(lambda db: tables.recent(db, since))
        return {}

    async def backfill(self, device: str, statistics: Sequence[tuple[float, dict[str, float]]]) -> int:
        """Take what the device itself remembers, ``(seconds before now, metric id → value)``, for the minutes of which
        we know nothing; returns how many. What is older than minutes are kept is left out."""
        now_s = self._clock.wall()
        recent = [(ago_s, values) for ago_s, values in statistics if 60 <= ago_s < tables.MINUTES_S]
        minutes = {int((now_s - ago_s) // 60) * 60: values for ago_s, values in recent}
        minutes.pop(self._open.get(device, (0, []))[0], None)
        return await self._store.run(lambda db: tables.backfill(db, device, minutes))

    async def rename(self, old: str, new: str) -> None:
        """The device is called ``new`` from now on; a past of that name is joined by nothing and goes."""
        if old in self._open:
            self._full.append((old, *self._open.pop(old)))
            await self.write()
        await self._store.run(lambda db: tables.rename(db, old, new))

    async def _tend(self) -> None:
        """Roll up and prune the next few devices."""
        now = int(self._clock.wall())
        try:
            self._tended = await self._store.run(lambda db: tables.tend(db, self._tended, now))
        except StoreError:
            return

"""The records of the sweeps: on disk before anything changes, then point by point, and how each ended."""

from __future__ import annotations

import contextlib
import secrets
from typing import Protocol

import msgspec

from minertui.engine.background import Background
from minertui.engine.line import Line
from minertui.engine.records import Records
from minertui.engine.store import StoreError
from minertui.model import ranking
from minertui.model.errors import JobError
from minertui.model.plans import JobState, Phase, SweepPlan, SweepPoint, SweepRecord, SweepSample, SweepView
from minertui.model.seams import Clock

_AGAIN_S = 5.0


class Desk(Protocol):
    """What is needed of the engine."""

    @property
    def records(self) -> Records:
        """Where sweeps are kept."""
        ...

    def line(self, device: str) -> Line:
        """The line of that name."""
        ...

    def say(self, source: str, text: str) -> None:
        """A line for the log."""
        ...


class SweepBook:
    """One an engine. A sweep is in it from its beginning until it leaves the fleet."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk, self._clock = desk, clock
        self._records: dict[str, SweepRecord] = {}  # by sweep
        self._owed: dict[str, SweepRecord] = {}  # how these went, which the disk did not take yet
        self._writes = Background()

    async def begin(self, state: JobState, plan: SweepPlan, resumed: SweepRecord | None) -> JobState:
        """The sweep is on disk before it changes anything. Raises JobError where there is no disk, or where it would
        start outside the limits."""
        snapshot = self._desk.line(state.device).snapshot()
        status = snapshot.status
        if resumed is None and status and (why := ranking.unreachable(plan, status, snapshot.limits)):
            raise JobError(why)
        if said := ranking.lowered(plan, status, snapshot.limits):
            self._desk.say(state.id, said)
        if status is not None and plan.max_power_w is None:
            most_w = ranking.bounds(plan, status, snapshot.limits).max_power_w
            plan = msgspec.structs.replace(plan, max_power_w=most_w)
        record = resumed or SweepRecord(
            id=f"{state.device}@{state.since_s:.3f}-{secrets.token_hex(4)}",  # a wall clock tells the same time twice
            device=state.device,
            mac=status.mac if status else None,
            model=status.model if status else None,
            plan=plan,
            phase=Phase.RUNNING,
            since_s=state.since_s,
            chip=status.chip if status else None,
            firmware=status.firmware if status else None,
        )
        try:
            await self._settle()
            await self._desk.records.begin_sweep(record)
        except StoreError as error:
            raise JobError(f"no sweep without a disk to keep it on: {error}") from error
        others = {kept.id: kept for kept in self._records.values() if kept.device != record.device}
        self._records = {**others, record.id: record}  # the one before it is over, and on disk
        view = SweepView(plan, record.id, record.points, baseline_mhz=record.home_mhz, baseline_mv=record.home_mv)
        return msgspec.structs.replace(state, view=view, done=len(record.points))

    async def withdraw(self, view: SweepView, *, ended: bool) -> None:
        """It does not begin after all. ``ended``: as if it had never been asked for; otherwise it stays for the next
        start."""
        record = self._records.pop(view.sweep_id)
        if ended:
            await self._write(_told(record, Phase.STOPPED, self._clock.wall(), "the engine was stopping"))

    async def keep(self, sweep_id: str, record: SweepPoint | SweepSample) -> None:
        """Keep a point or a sample of a running sweep. A point known already takes the place of what it was."""
        if isinstance(record, SweepSample):
            await self._desk.records.keep_sample(sweep_id, record)
            return
        whole = self._records[sweep_id]
        points = {**{point.n: point for point in whole.points}, record.n: record}
        self._records[sweep_id] = whole = msgspec.structs.replace(whole, points=tuple(points.values()))
        await self._desk.records.keep_sweep(whole)

    async def earlier(self, view: SweepView) -> tuple[SweepPoint, ...]:
        """The points of the newest sweep of the same board that ended well; none where its MAC is not known."""
        now = self._records[view.sweep_id]
        if now.mac is None:
            return ()
        try:
            return await self._desk.records.earlier(now.mac, now.id)
        except StoreError:
            return ()

    def hear(self, state: JobState, view: SweepView) -> None:
        """How a sweep goes: its phase goes to disk when it changed, and once where its miner is at home."""
        record = known = self._records[view.sweep_id]
        if record.phase is not state.phase:
            until_s = self._clock.wall() if state.phase.over else None
            record = _told(record, state.phase, until_s, state.note)
        if record.home_mhz is None and view.baseline_mhz:
            record = msgspec.structs.replace(record, home_mhz=view.baseline_mhz, home_mv=view.baseline_mv)
        if record is not known:
            self._records[record.id] = record
            self._writes(self._write(record))

    def forget(self, view: SweepView) -> None:
        """It leaves the fleet; on disk it stays."""
        self._records.pop(view.sweep_id, None)

    async def written(self) -> None:
        """Until all of it is on disk, or was tried once more."""
        await self._writes.wait()
        with contextlib.suppress(StoreError):
            await self._settle()

    async def run(self) -> None:
        """Try again for ever what the disk did not take."""
        while True:
            await self._clock.sleep(_AGAIN_S)
            with contextlib.suppress(StoreError):
                await self._settle()

    async def _settle(self) -> None:
        for sweep_id, owed in tuple(self._owed.items()):
            await self._desk.records.keep_sweep(self._records.get(sweep_id, owed))
            if self._owed.get(sweep_id) is owed:
                del self._owed[sweep_id]

    async def _write(self, record: SweepRecord) -> None:
        try:
            await self._desk.records.keep_sweep(record)
        except StoreError as error:
            self._owed[record.id] = record
            self._desk.say(f"sweep:{record.device}", f"its state is not kept yet, and is tried again: {error}")
        else:
            self._owed.pop(record.id, None)


def _told(record: SweepRecord, phase: Phase, until_s: float | None, note: str) -> SweepRecord:
    return msgspec.structs.replace(record, phase=phase, until_s=until_s, note=note)

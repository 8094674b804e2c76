"""What a job sees and asks, bound to its device, its rank and its name.

``end`` asks the job to end: what it waits for then raises Stopped. A step on its way is never cut short, so that it is
read back; a climb ends after it. When a higher rank took the device the waits raise Preempted.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import msgspec

from minertui.engine.arbiter import Arbiter
from minertui.engine.frontiers import left_to
from minertui.engine.guard_plans import difference, under
from minertui.engine.journal import JournalError
from minertui.engine.line import Line
from minertui.engine.records import Records
from minertui.engine.store import StoreError
from minertui.engine.thinking import Think
from minertui.model import ranking
from minertui.model.commands import Command, CommandRecord, Order, Outcome, Rank, Tune, Word
from minertui.model.errors import JobError, Stopped
from minertui.model.fleet import Health, Snapshot
from minertui.model.frontier import Known
from minertui.model.plans import (
    GuardPlan,
    GuardView,
    JobState,
    JobView,
    Limits,
    Phase,
    SweepPoint,
    SweepSample,
    SweepView,
)
from minertui.model.seams import Clock
from minertui.safety.calm import Calm
from minertui.safety.settings import SAME, Settings

T = TypeVar("T")


class Office(Protocol):
    """What a site needs of the engine beside the device's line."""

    @property
    def arbiter(self) -> Arbiter:
        """The only path to hardware."""
        ...

    @property
    def think(self) -> Think:
        """Where to compute what takes long."""
        ...

    @property
    def records(self) -> Records:
        """Where sweeps are kept."""
        ...

    def say(self, source: str, text: str) -> None:
        """A line for the log."""
        ...

    async def execute(self, order: Order) -> CommandRecord:
        """Through the arbiter, and into the command log."""
        ...

    def busy(self, device: str, other_than: str) -> bool:
        """True while another job changes the device."""
        ...

    async def keep(self, job_id: str, record: SweepPoint | SweepSample) -> None:
        """Durable when it returns."""
        ...


class JobSite:
    """A Site, a SweepSite and a GuardSite. ``changed`` hears every report."""

    def __init__(
        self,
        state: JobState,
        rank: Rank,
        line: Line,
        clock: Clock,
        office: Office,
        changed: Callable[[JobState], None],
        asked: GuardPlan | None = None,
    ) -> None:
        """``asked``: a guard's plan, before the limits in force lower it."""
        self.state, self.unproven = state, ""
        self._rank, self._line, self._clock, self._office, self._changed = rank, line, clock, office, changed
        self._sweep_id = state.view.sweep_id if isinstance(state.view, SweepView) else ""
        self._at_home = not isinstance(state.view, SweepView)
        self._home_was = _home_of(state.view)
        self.asked = asked
        self._calm: Calm | None = None  # what the journal was told last
        self._final: bool | None = None  # asked to end by a person, or with the engine; None: not asked
        self._ended = asyncio.Event()

    def end(self, *, final: bool) -> None:
        """Ask the job to end; the first asking counts, but a person's after the engine's does not come to pass."""
        if self._final is None:
            self._final = final
            self._ended.set()
            self._office.arbiter.stop(self._line.name, self.state.id)

    def replan(self, plan: GuardPlan) -> None:
        """The guard goes on by this plan, under the limits in force, from its next reading on."""
        self.asked = plan

    @property
    def ending(self) -> bool:
        """True once the job was asked to end."""
        return self._final is not None

    def snapshot(self) -> Snapshot:
        """The newest of the device."""
        return self._line.snapshot()

    async def next_snapshot(self, within_s: float | None = None) -> Snapshot:
        """After the next poll, or after a reading in ``within_s`` seconds when that is sooner. A sweep's first one
        shows the miner at its own settings: until an earlier run's way back has ended, none counts. Raises JobError
        where a sweep that goes on finds it lower than at its start: a program does not raise what was lowered."""
        snapshot = await self._or_end(self._next(within_s))
        if self._at_home or not snapshot.answered:
            return snapshot
        why = await self._home()
        if why:
            return msgspec.structs.replace(snapshot, health=Health.STALE, why=why)
        self._at_home = True
        snapshot = self._line.snapshot()
        if text := _lowered(self._home_was, snapshot):
            raise JobError(text)
        return snapshot

    async def send(self, command: Command) -> Outcome:
        """Through arbiter and safety, into the command log. A stop ends a climb at its next look, and then raises
        Stopped: what did not arrive says nothing about the miner."""
        self._check()
        order_id = f"{self.state.id}/{secrets.token_hex(8)}"  # no clock: the wall clock tells the same time twice
        order = Order(order_id, self._line.name, command, self.state.id, self._rank, within=self._within())
        outcome = (await self._office.execute(order)).outcome
        if not outcome.ok and self._final is not None:
            raise Stopped(final=self._final)
        return outcome

    def _within(self) -> Limits:
        """What the job keeps under beside the limits in force: on the way to a setting too, where it does not look."""
        view, snapshot = self.state.view, self.snapshot()
        if not isinstance(view, SweepView):
            assert isinstance(view, GuardView)  # no other job has a miner
            return Limits(max_chip_temp_c=view.plan.max_chip_temp_c, max_vr_temp_c=view.plan.max_vr_temp_c)
        most = ranking.wild(view.plan, ranking.bounds(view.plan, snapshot.status, snapshot.limits))
        return Limits(most.max_chip_temp_c, most.max_vr_temp_c, most.max_power_w)

    async def conclude(self, settings: Tune | None) -> Outcome:
        """Prove ``settings`` (None: the baseline) and close the journal's entry; also after Stopped and Preempted."""
        outcome = await self._office.arbiter.conclude(self._line.name, settings, self.state.id)
        self.unproven = "" if outcome.ok else outcome.reason or str(outcome.state)
        return outcome

    async def sleep(self, seconds: float) -> None:
        """Wait, unless the job ends."""
        await self._or_end(self._clock.sleep(seconds))

    def now(self) -> float:
        """Boot-clock seconds."""
        return self._clock.boot()

    def log(self, text: str) -> None:
        """A line under the job's id."""
        self._office.say(self.state.id, text)

    def report(self, phase: Phase, view: JobView, note: str = "", **progress: float | None) -> None:
        """How the job goes."""
        if isinstance(view, SweepView):
            view = msgspec.structs.replace(view, sweep_id=self._sweep_id)
        done, total = progress.get("done"), progress.get("total")
        self.state = msgspec.structs.replace(
            self.state,
            phase=phase,
            view=view,
            note=note,
            done=self.state.done if done is None else int(done),
            total=None if total is None else int(total),
            left_s=progress.get("left_s"),
        )
        self._changed(self.state)

    def yielding(self) -> bool:
        """True while another job changes this device."""
        return self._office.busy(self._line.name, self.state.id)

    def word(self) -> Word:
        """What a person ordered of this device last; what is sent from now on is decided with that in mind."""
        return self._office.arbiter.hear(self._line.name, self.state.id)

    async def renewed(self, plan: GuardPlan) -> GuardPlan:
        """What is asked for now, under the limits that are in force now; said where that is not ``plan`` any more. The
        journal asks for it too before this returns."""
        now = under(self.asked or plan, self._line.snapshot().limits, self._line.limits)
        if text := difference(plan, now):
            self._office.arbiter.guard(self._line.name, self.state.id, Calm.of(now))
            self.log(f"takes over from the config and the limits in force: {text}")
        if self._calm != Calm.of(now):
            await self._keep_calm(Calm.of(now))
        return now

    async def _keep_calm(self, calm: Calm) -> None:
        try:
            await self._office.arbiter.asks(self._line.name)
        except JournalError as error:
            self.log(f"{error}; after a crash its settings may be given back earlier than it asks now")
        self._calm = calm

    async def known(self) -> Known | None:
        """The frontier that the newest sweep left of this board; None without one, and where its MAC is unknown."""
        return await left_to(self._line.snapshot(), self._office.records, self.log)

    async def room(self) -> tuple[float, float] | None:
        """What a guard of this board learned of its room, °C, and how long ago, seconds; None: nothing."""
        found = None
        if mac := self._line.expected_mac:
            try:
                found = await self._office.records.room(mac)
            except StoreError as error:
                self.log(f"what was learned of its room cannot be read: {error}")
        return found and (found[0], self._clock.wall() - found[1])

    async def keep_room(self, room_c: float) -> None:
        """Keep what was learned just now, °C."""
        if mac := self._line.expected_mac:
            try:
                await self._office.records.keep_room(mac, room_c)
            except StoreError as error:
                self.log(f"what was learned of its room could not be kept: {error}")

    async def think(self, work: Callable[[], T]) -> T:
        """Compute what takes long without holding up anybody else."""
        return await self._office.think(work)

    async def keep(self, record: SweepPoint | SweepSample) -> None:
        """Durable when it returns."""
        await self._office.keep(self._sweep_id, record)

    async def _home(self) -> str:
        """Walk the way back that another sweep left; why that did not succeed yet, empty when none is left."""
        try:
            entry = await self._office.arbiter.left(self._line.name)
        except JournalError as error:
            return str(error)
        if entry is None or entry.rank is not Rank.SWEEP:
            return ""
        self.log(f"first back to {entry.baseline.tune_text}, from where an earlier run left it")
        outcome = await self._office.arbiter.conclude(self._line.name, None, self.state.id)
        return "" if outcome.ok else outcome.reason or str(outcome.state)

    async def _next(self, within_s: float | None) -> Snapshot:
        if within_s is None or self._clock.boot() + within_s >= self._line.due_s:
            return await self._line.next()
        await self._clock.sleep(within_s)
        return await self._line.refresh()

    async def _or_end(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            self._check()
        except BaseException:
            work.close()
            raise
        working = asyncio.ensure_future(work)
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((working, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            if not working.done():
                working.cancel()
        self._check()
        return await working

    def _check(self) -> None:
        if self._final is not None:
            raise Stopped(final=self._final)  # a new one each time: one that is kept holds every frame it went through
        self._office.arbiter.check(self._line.name, self._rank, self.state.id)


def _home_of(view: JobView) -> Settings:
    """Where a sweep that goes on had found its miner."""
    return Settings(view.baseline_mhz, view.baseline_mv) if isinstance(view, SweepView) else Settings()


def _lowered(home: Settings, snapshot: Snapshot) -> str:
    """That somebody else, or the firmware, lowered it since, in a sentence; empty where it is not, and where a limit
    that was lowered says why."""
    if snapshot.status is None:
        return ""
    now, limits = Settings.of(snapshot.status), snapshot.limits
    for was, runs, most in (
        (home.frequency_mhz, now.frequency_mhz, limits.max_mhz),
        (home.core_mv, now.core_mv, limits.max_mv),
    ):
        if was is not None and runs is not None and runs < min(was, most or was) - SAME:
            return (
                f"somebody else or its firmware lowered it to {now.tune_text} since this sweep began at "
                f"{home.tune_text}; set it by hand if that was well, and start the sweep anew"
            )
    return ""

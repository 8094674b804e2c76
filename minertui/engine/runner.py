"""Starts jobs, ends them, and sees to it that each leaves its miner proven.

    WAITING → RUNNING → RESTORING → DONE | STOPPED | FAILED        a baseline that cannot be proven is tried for ever
                  ├── somebody took the miner ──→ STOPPED          and it is led back in the background
                  └── a guard ends ─────────────→ STOPPED          the same, and it may be guarded again at once

A sweep claims its miner; a guard does not, it only steps in at the rank of safety. Whatever escapes a job's own code
ends here: the job is FAILED with a sentence, and its miner is led back to the baseline all the same; a guard is started
again (``guards``). A sweep that ended with the engine stays unfinished on disk and is started again with the points it
has.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec

from minertui.config_ranges import mistyped
from minertui.engine import again
from minertui.engine.background import Background
from minertui.engine.desk import WORDS
from minertui.engine.guard_plans import lowered, under
from minertui.engine.line import Line
from minertui.engine.records import Records
from minertui.engine.site import JobSite, Office
from minertui.engine.sweep_book import SweepBook
from minertui.engine.way_back import leads_to
from minertui.model.commands import Rank
from minertui.model.errors import JobError, MinertuiError, fault_of_ours
from minertui.model.events import Event, JobChanged, JobForgotten
from minertui.model.plans import (
    GuardPlan,
    GuardView,
    JobState,
    MinerPlan,
    Phase,
    SweepPlan,
    SweepPoint,
    SweepRecord,
    SweepSample,
    SweepView,
)
from minertui.model.seams import Clock
from minertui.safety.calm import Calm

_LOG = logging.getLogger(__name__)
_PATIENCE_S = 60.0  # real seconds for a job to end when its device leaves


class _Kind(msgspec.Struct, frozen=True):
    """Where the job lives, and whether it holds its device."""

    module: str
    rank: Rank
    claims: bool


JOBS = {
    "sweep": _Kind("minertui.jobs.sweep", Rank.SWEEP, claims=True),
    "guard": _Kind("minertui.jobs.guard", Rank.SAFETY, claims=False),
}


class Desk(Office, Protocol):
    """What the runner needs of the engine."""

    @property
    def records(self) -> Records:
        """Where sweeps are kept."""
        ...

    def line(self, device: str) -> Line:
        """Raises LookupError for a device that is not in the config."""
        ...

    def damaged(self, text: str) -> None:
        """Something that a person has to look at, wherever they look."""
        ...


class Runner:
    """The jobs that are known. ``publish`` is the hub's; ``owe`` has a device led back in the background."""

    def __init__(
        self, desk: Desk, clock: Clock, publish: Callable[[Event], None], owe: Callable[[str], Awaitable[None]]
    ) -> None:
        self._desk, self._clock, self._publish, self._owe = desk, clock, publish, owe
        self._sites: dict[str, JobSite] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.book = SweepBook(desk, clock)
        self._beginning: dict[str, asyncio.Event] = {}  # admitted, and on the way to disk; set when it is there
        self._starting = Background()
        self._closing = False

    async def start(self, plan: MinerPlan, by: str = "person", resumed: SweepRecord | None = None) -> JobState:
        """Start ``plan``; a caller that goes away meanwhile leaves no half of it behind: it starts. Raises JobError,
        saying why, when it cannot."""
        state = self._admit(plan, by)
        if isinstance(plan, SweepPlan):
            self._beginning[state.id] = asyncio.Event()
            return await asyncio.shield(self._starting(self._sweep(state, plan, resumed)))
        line = self._desk.line(plan.device)
        asked, plan = plan, under(plan, line.snapshot().limits, line.limits)
        self._desk.arbiter.guard(state.device, state.id, Calm.of(plan))
        if text := lowered(asked, plan):
            self._desk.say(state.id, text)
        return self._launch(msgspec.structs.replace(state, view=GuardView(plan)), plan, asked)

    async def _sweep(self, state: JobState, plan: SweepPlan, resumed: SweepRecord | None) -> JobState:
        state = await self._begin(state, plan, resumed)
        assert isinstance(state.view, SweepView)  # it is a sweep's
        return self._launch(state, state.view.plan, None, () if resumed is None else resumed.points)

    def _launch(
        self, state: JobState, plan: MinerPlan, asked: GuardPlan | None, done: Sequence[SweepPoint] = ()
    ) -> JobState:
        kind = JOBS[state.kind]
        if kind.claims:
            self._desk.arbiter.claim(state.device, kind.rank, state.id)
        site = JobSite(state, kind.rank, self._desk.line(state.device), self._clock, self._desk, self._changed, asked)
        self._sites[state.id] = site
        self._changed(state)
        self._tasks[state.id] = asyncio.create_task(self._run(site, plan, kind, done), name=state.id)
        return state

    def stop(self, job_id: str) -> JobState:
        """A person's stop; returns at once. A guard that failed is not started again. Raises JobError for a job that
        does not run."""
        site = self._sites.get(job_id)
        fell = self._fell(job_id)
        if site is None or (self._tasks[job_id].done() and not fell):
            raise JobError(f"no job {job_id} runs")
        site.end(final=True)
        if fell:
            self._desk.arbiter.release(site.state.device, job_id)  # nobody else would, and the next one may raise
            site.report(Phase.STOPPED, site.state.view, f"not started again; it failed: {site.state.note}")
        return site.state

    def fallen(self) -> list[JobState]:
        """The guards that ended by a fault, and not because somebody asked for it."""
        return [] if self._closing else [self._sites[job_id].state for job_id in self._tasks if self._fell(job_id)]

    async def again(self, job_id: str) -> JobState:
        """Start such a guard once more, as it was asked for. Raises JobError, saying why, when it cannot."""
        site = self._sites[job_id]
        assert site.asked is not None  # it is a guard's
        return await self.start(site.asked, site.state.by)

    def replan(self, device: str, plan: GuardPlan) -> None:
        """The config asks for this plan now: a guard of its own that runs goes on by it, from its next reading on."""
        site = self._sites.get(f"guard:{device}")
        if site is not None and site.state.by == "config":
            site.replan(plan)

    def unplan(self, device: str) -> None:
        """The config asks for no guard of this device any more: one of its own ends."""
        site = self._sites.get(job_id := f"guard:{device}")
        if site is not None and site.state.by == "config":
            with contextlib.suppress(JobError):
                self.stop(job_id)

    def alive(self, device: str) -> list[str]:
        """The ids of the device's jobs that have not ended."""
        return [j for j, task in self._tasks.items() if not task.done() and self._sites[j].state.device == device]

    def ending(self, job_id: str) -> bool:
        """True of a job that was asked to end."""
        return job_id in self._sites and self._sites[job_id].ending

    def starts(self, device: str) -> bool:
        """True while a sweep of this device was asked for, and is on its way to disk."""
        return f"sweep:{device}" in self._beginning

    def held(self, device: str) -> bool:
        """True while a job that claims its device works on this one."""
        return any(JOBS[self._sites[job_id].state.kind].claims for job_id in self.alive(device))

    async def end(self, device: str, *, forget: bool) -> None:
        """End the jobs of a device whose line ends, and ``forget`` them; one that is late is forgotten in any case, and
        leaves its way back to others."""
        if begun := self._beginning.get(f"sweep:{device}"):
            await begun.wait()
        for job_id in self.alive(device):
            if job_id not in self._tasks:  # it ended while another one was waited for, and a person has seen that
                continue
            self._sites[job_id].end(final=True)
            _, late = await asyncio.wait([self._tasks[job_id]], timeout=_PATIENCE_S)
            for task in late:
                task.cancel()
                await asyncio.wait([task])
                site = self._sites[job_id]
                site.report(Phase.STOPPED, site.state.view, "its miner left before the way back was proven")
                self._desk.arbiter.release(device, job_id)
                self.forget(job_id)
        for job_id in [j for j, site in self._sites.items() if forget and site.state.device == device]:
            self.forget(job_id)

    def dismiss(self, job_id: str) -> None:
        """A person has seen how it ended. Raises JobError for a job that runs, or that nobody knows."""
        if job_id not in self._tasks:
            raise JobError(f"there is no job {job_id}")
        if not self._tasks[job_id].done():
            raise JobError(f"{job_id} runs; stop it first")
        self.forget(job_id)

    def forget(self, job_id: str) -> None:
        """An ended job leaves the fleet."""
        if job_id in self._tasks and self._tasks[job_id].done():
            view = self._sites[job_id].state.view
            if isinstance(view, SweepView):
                self.book.forget(view)
            del self._tasks[job_id], self._sites[job_id]
            self._publish(JobForgotten(job_id))

    async def close(self) -> None:
        """End all jobs for now: each leads its miner back, and sweeps go on at the next start."""
        self._closing = True
        for site in self._sites.values():
            site.end(final=False)
        for begun in tuple(self._beginning.values()):
            await begun.wait()
        running: list[asyncio.Task[Any]] = [task for task in self._tasks.values() if not task.done()]
        if running:
            await asyncio.wait(running)
        await self.book.written()

    async def resume(self, known: Callable[[str], bool]) -> None:
        """Start again the sweeps that ended with the engine. One that cannot be read is dropped, and that is said."""
        records, unreadable = await self._desk.records.unfinished()
        for (sweep_id, device), why in unreadable.items():
            await self._desk.records.drop(sweep_id)
            text = f"{device}: its unfinished sweep cannot be read by this version ({why}) and is dropped"
            self._desk.damaged(f"{text}; the way back to its own settings is in the journal; start the sweep anew")
        for record in records:
            if not known(record.device):
                continue
            try:
                await self.start(msgspec.structs.replace(record.plan, device=record.device), "engine", record)
            except MinertuiError as error:
                self._desk.say(f"sweep:{record.device}", f"cannot go on: {error}")

    async def keep(self, sweep_id: str, record: SweepPoint | SweepSample) -> None:
        """Keep a point or a sample of a running sweep."""
        await self.book.keep(sweep_id, record)

    def _admit(self, plan: MinerPlan, by: str) -> JobState:
        kind = "sweep" if isinstance(plan, SweepPlan) else "guard"
        job_id = f"{kind}:{plan.device}"
        if self._closing:
            raise JobError("the engine is stopping")
        try:
            line = self._desk.line(plan.device)
        except LookupError:
            raise JobError(f"there is no miner named {plan.device!r} in the config") from None
        if line.ends:
            raise JobError(f"{plan.device}: {line.ends}; try again in a moment")
        if line.readonly:
            raise JobError(f"{plan.device} is read-only in the config; a {kind} would change it")
        if why := mistyped(plan):
            raise JobError(f"{plan.device}: {why}")
        if job_id in self._beginning or (job_id in self._tasks and not self._tasks[job_id].done()):
            raise JobError(f"a {kind} runs on {plan.device} already; stop it first")
        view = GuardView(plan) if isinstance(plan, GuardPlan) else SweepView(plan)
        return JobState(job_id, plan.device, Phase.WAITING, view, since_s=self._clock.wall(), by=by)

    async def _begin(self, state: JobState, plan: SweepPlan, resumed: SweepRecord | None) -> JobState:
        """On its way to disk it is known as beginning. Raises JobError where the engine began to stop meanwhile: a new
        one then ends as if it had never been asked for, and one of an earlier run stays for the next start."""
        try:
            state = await self.book.begin(state, plan, resumed)
            if self._closing:
                assert isinstance(state.view, SweepView)  # the book made it
                await self.book.withdraw(state.view, ended=resumed is None)
                raise JobError("the engine is stopping")
            return state
        finally:
            self._beginning.pop(state.id).set()

    async def _run(self, site: JobSite, plan: MinerPlan, kind: _Kind, done: Sequence[SweepPoint]) -> None:
        job = importlib.import_module(kind.module)
        try:
            if isinstance(site.state.view, SweepView):
                earlier = await self.book.earlier(site.state.view)
                await (job.run(site, plan, done, earlier) if earlier else job.run(site, plan, done))
            else:
                await job.run(site, plan)
        except MinertuiError as error:
            await self._failed(site, str(error))
        except Exception as error:  # noqa: BLE001 - the task boundary: the miner is led back whatever it was
            _LOG.exception("job %s failed", site.state.id)
            await self._failed(site, fault_of_ours(error))
        if site.unproven and not kind.claims:
            await self._owe(site.state.device)
        elif site.unproven:
            await self._restore(site)
        elif not site.state.phase.over and not self._closing:
            site.report(Phase.FAILED, site.state.view, site.state.note or "it ended without saying how")
        await self._taken(site)
        self._desk.arbiter.release(site.state.device, site.state.id)

    async def _taken(self, site: JobSite) -> None:
        """Somebody took the device. What a person tuned it to stays; from anything else, a guard's step too, it must
        not go on at the settings of a job that is over."""
        arbiter, device = self._desk.arbiter, site.state.device
        if (taker := arbiter.taker(device, site.state.id)) is None:
            return
        try:
            entry = await arbiter.left(device)
        except MinertuiError as error:
            site.log(f"{WORDS[taker]} took the device; whether it must be led back is not known: {error}")
            return
        if entry is not None:
            await self._owe(device)
            there = leads_to(entry, site.snapshot())
            text = f"{WORDS[taker]} took the device; it goes back by itself to {there}"
            site.report(site.state.phase, site.state.view, text, total=site.state.total, left_s=0.0)
        site.log(site.state.note)

    def _fell(self, job_id: str) -> bool:
        task, site = self._tasks.get(job_id), self._sites.get(job_id)
        if task is None or site is None or not task.done() or site.ending:
            return False
        return site.asked is not None and site.state.phase is Phase.FAILED

    async def _failed(self, site: JobSite, why: str) -> None:
        if site.asked is None or site.ending:  # of a guard ``guards`` says it, which starts it again
            site.log(f"failed: {why}")
        await self._back(site)
        site.report(Phase.FAILED, site.state.view, why)

    async def _back(self, site: JobSite) -> str:
        """Lead the miner to its baseline; how that went. Whatever goes wrong leaves it unproven, to be tried again."""
        try:
            return (await site.conclude(None)).reason
        except MinertuiError as error:
            site.unproven = str(error)
        except Exception as error:  # noqa: BLE001 - nobody else would lead this miner back before the next start
            _LOG.exception("the way back of %s failed", site.state.id)
            site.unproven = fault_of_ours(error)
        return site.unproven

    async def _restore(self, site: JobSite) -> None:
        """Until the baseline is proven, for ever; at the engine's end the journal keeps it for the next start."""
        ended, tries, how = site.state, 0, ""
        while site.unproven and not self._closing:
            wait_s = again.wait_s(tries)
            site.report(Phase.RESTORING, ended.view, f"{site.unproven}; tried again in {wait_s:g} s")
            await self._clock.sleep(wait_s)
            how = await self._back(site)
            tries += 1
        if not site.unproven:
            site.report(ended.phase, ended.view, f"{ended.note}; later: {how}")

    def _changed(self, state: JobState) -> None:
        """Publish how a job goes."""
        self._publish(JobChanged(state))
        if isinstance(state.view, SweepView):
            self.book.hear(state, state.view)

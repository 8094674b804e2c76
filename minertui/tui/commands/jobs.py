"""Jobs from the screen: a benchmark and a guard. Starting and stopping are different keys, never one that toggles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from minertui.model.errors import JobError
from minertui.model.fleet import Fleet, Snapshot
from minertui.model.plans import GuardPlan, JobState, SweepPlan
from minertui.model.status import Ability
from minertui.tui.commands.base import Danger, Desk, DeviceAction, KeyOf, pane_of
from minertui.tui.commands.orders import TOLD_EACH
from minertui.tui.widgets.wording import whom


def job_of(fleet: Fleet, device: str, kind: str) -> JobState | None:
    """The device's job of this kind, running or over."""
    return fleet.jobs.get(f"{kind}:{device}")


def runs(fleet: Fleet, device: str, kind: str) -> bool:
    """Is such a job under way?"""
    job = job_of(fleet, device, kind)
    return job is not None and not job.phase.over


def tell(desk: Desk, jobs: Sequence[JobState], how: Callable[[JobState], str]) -> None:
    """How these jobs are now, each; of more than can be read over the screen, how many are so."""
    if len(jobs) <= TOLD_EACH:
        said = [f"{job.device}: {job.kind} {how(job)}" for job in jobs]
    else:
        alike = Counter(f"{job.kind} {how(job)}" for job in jobs)
        said = [f"{count} miners: {text}" if count > 1 else f"1 miner: {text}" for text, count in alike.items()]
    for text in said:
        desk.say(text)


def _begun(job: JobState) -> str:
    """The engine answers before the first reading: that it waits for one is no news."""
    return job.phase.value if job.phase.over else "started"


def _ending(job: JobState) -> str:
    """The engine answers before the job has ended: that it still runs is the opposite of what was done."""
    return job.phase.value if job.phase.over else "is ending"


async def each(
    desk: Desk,
    jobs: Sequence[JobState],
    order: Callable[[str], Awaitable[JobState | None]],
    how: Callable[[JobState], str],
) -> None:
    """Give the order for these jobs one by one. Those done are told of, should a later one fail."""
    done: list[JobState] = []
    try:
        for job in jobs:
            done.append(await order(job.id) or job)  # noqa: PERF401
    finally:
        tell(desk, done, how)


class StartJob(DeviceAction):
    """Start a job of ``kind`` on every device here. ``stop``: the id of the action that ends it."""

    kind: ClassVar[str]
    stop: ClassVar[str]
    ability = Ability.TUNE

    def fits(self, snapshot: Snapshot, fleet: Fleet) -> bool:
        """It can be tuned and has no such job yet."""
        return super().fits(snapshot, fleet) and not runs(fleet, snapshot.device, self.kind)

    def unfit(self, snapshot: Snapshot, fleet: Fleet, key: KeyOf) -> str:
        """One runs already, or it cannot be tuned."""
        if runs(fleet, snapshot.device, self.kind):
            return f"a {self.kind} runs already; {key(self.stop)} stops it"
        return super().unfit(snapshot, fleet, key)

    async def start(self, desk: Desk, plans: Sequence[SweepPlan | GuardPlan]) -> list[JobState]:
        """One independent job per device, of those that still can have it; gives those that began."""
        begun, here = [], {snapshot.device for snapshot in self.targets(desk)}
        for plan in plans:
            if plan.device not in here:
                continue
            try:
                job = await desk.link.start(plan)
            except JobError as error:  # one miner that cannot does not keep the others from it
                desk.say(f"{plan.device}: {error}", "error")
                continue
            begun.append(job)
        tell(desk, begun, _begun)
        return begun


class StartBenchmark(StartJob):
    """Search the best settings."""

    id, key, footer, title, kind = "benchmark", "b", "Sweep", "Start a benchmark sweep", "sweep"
    stop = "stop-benchmark"
    help = "Measures frequencies and voltages one by one, within limits, and applies the best that passed."
    danger = Danger.YES_NO

    async def run(self, desk: Desk) -> None:
        """Ask for the plans (the config's are the proposal), show them, start."""
        from minertui.tui.dialogs.sweep import SweepDialog

        targets = self.targets(desk)
        proposals = [(await desk.link.plans(snapshot.device)).sweep for snapshot in targets]
        plans = await desk.ask(SweepDialog(targets, proposals))
        if plans is not None:
            begun = await self.start(desk, plans)
            desk.open_tab("sweep")
            if begun:
                pane_of(desk).await_sweep(begun[0].device)


class StartGuard(StartJob):
    """Watch the temperatures."""

    id, key, footer, title, kind = "guard", "g", "Guard", "Switch the thermal guard on", "guard"
    stop = "guard-off"
    help = "Steps the frequency down at once when it gets too hot, and back up slowly."
    danger = Danger.YES_NO

    async def run(self, desk: Desk) -> None:
        """Ask for the plans (the config's are the proposal), show what they do along what sweeps left, start."""
        from minertui.tui.dialogs.along import Swept
        from minertui.tui.dialogs.guard import GuardDialog

        targets = self.targets(desk)
        proposals = [await desk.link.plans(snapshot.device) for snapshot in targets]
        swept = [runs(desk.at.fleet, snapshot.device, "sweep") for snapshot in targets]
        boards = [Swept(s, found.known, on) for s, found, on in zip(targets, proposals, swept, strict=True)]
        plans = await desk.ask(GuardDialog(boards, [found.guard for found in proposals], desk.at.fleet.at_s))
        if plans is not None:
            await self.start(desk, plans)


class StopJob(DeviceAction):
    """Stop the jobs of ``kind`` on every device here."""

    kind: ClassVar[str]
    start: ClassVar[str]  # the id of the action that starts one
    does: ClassVar[str]
    danger = Danger.YES_NO

    def fits(self, snapshot: Snapshot, fleet: Fleet) -> bool:
        """Such a job is under way."""
        return runs(fleet, snapshot.device, self.kind)

    def unfit(self, snapshot: Snapshot, fleet: Fleet, key: KeyOf) -> str:
        """None is."""
        return f"no {self.kind} runs; {key(self.start)} starts one"

    async def run(self, desk: Desk) -> None:
        """Say what would be lost, ask, stop."""
        at = desk.at
        devices = [snapshot.device for snapshot in self.targets(desk)]
        jobs = [job for device in devices if (job := job_of(at.fleet, device, self.kind))]
        lines = [f"{job.device}: {job.note or job.phase.value}; {self.does}" for job in jobs]
        if await desk.confirm(f"{self.title}: {whom(devices)}", lines, self.danger):
            await each(desk, jobs, desk.link.stop, _ending)


class StopBenchmark(StopJob):
    """End a sweep early."""

    id, key, footer, title, kind = "stop-benchmark", "B", "Stop sweep", "Stop the benchmark sweep", "sweep"
    start = "benchmark"
    help = "Ends the sweep; the miner gets its best passing point, or what it ran before."
    does = "the miner gets its best passing point, or what it ran before"


class StopGuard(StopJob):
    """Nobody watches any more."""

    id, key, footer, title, kind = "guard-off", "G", "Guard off", "Switch the thermal guard off", "guard"
    start = "guard"
    help = "Ends the guard; the miner gets back what it ran before, and nobody steps it down when it gets hot."
    does = "nobody steps it down any more when it gets hot"


class DismissJobs(DeviceAction):
    """What ended has been seen."""

    id, key, title = "dismiss", "D", "Dismiss ended jobs"
    help = "An ended, failed or parked job leaves the list; what it measured is kept."

    def fits(self, snapshot: Snapshot, fleet: Fleet) -> bool:
        """A job of it ended."""
        return any(job.phase.over for job in fleet.jobs_of(snapshot.device))

    def unfit(self, snapshot: Snapshot, fleet: Fleet, key: KeyOf) -> str:
        """None did, or what ended was dismissed."""
        return "no job of it has ended"

    async def run(self, desk: Desk) -> None:
        """One by one."""
        fleet = desk.at.fleet
        ended = [job for s in self.targets(desk) for job in fleet.jobs_of(s.device) if job.phase.over]
        await each(desk, ended, desk.link.forget, lambda job: f"{job.phase.value}, dismissed")

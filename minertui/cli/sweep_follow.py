"""Sweeps followed over a Link: shown, saved after every point, stopped well. It cannot tell whose engine it is.

The first Ctrl+C (or SIGTERM) asks every sweep to stop and goes on waiting until each has applied its best point or the
user's own settings; a further one only says what is being waited for.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from minertui import durable
from minertui.cli import sweep_lines as lines
from minertui.cli.terminal import ended_by, say
from minertui.cli.watching import read_once, watched
from minertui.model import ranking
from minertui.model.errors import LinkError, MinertuiError
from minertui.model.events import JobChanged, JobForgotten, Message, Whole
from minertui.model.fleet import Snapshot
from minertui.model.plans import JobState, Phase, SweepPlan, SweepPoint, SweepSample, SweepView
from minertui.model.seams import Link
from minertui.wire.results import encode_results, result_name

_WELL = (Phase.DONE, Phase.STOPPED)
_GIVEN_BACK = "every miner gets its best point that passed, or your own settings"
_COUNT = re.compile(r": \d+(/\d+| readings)$")
"""What a note counts at every sample; the sample's own line says it already."""
_WAY = re.compile(r"at .+ on the way to (?P<to>[^:]+)(: (?P<what>\w+))?")
"""A note on the way to a point: figures change with every reading, the meaning with where to and what holds it up."""


@dataclass
class Sweep:
    """One miner's sweep as it is shown. ``number`` counts from 1 and chooses the colour."""

    number: int
    address: str
    plan: SweepPlan
    job: JobState | None = None
    failed: str = ""
    sample: SweepSample | None = None
    points: tuple[SweepPoint, ...] = ()
    note: str = ""
    news: str = ""
    told: set[str] = field(default_factory=set)
    saved: Path | None = None

    @property
    def over(self) -> bool:
        """True when nothing more happens to it."""
        return bool(self.failed) or (self.job is not None and self.job.phase.over)

    @property
    def measured(self) -> bool:
        """True when a point of it gave a hashrate."""
        return any(point.hashrate_ghs is not None for point in self.points)

    @property
    def well(self) -> bool:
        """True when it ended as it should."""
        return not self.failed and self.job is not None and self.job.phase in _WELL


@dataclass
class Follower:
    """All sweeps of one command. ``out`` prints a line, ``folder`` takes the result files."""

    link: Link
    sweeps: Sequence[Sweep]
    folder: Path
    out: Callable[[str], None] = say
    colour: bool = False
    impossible: list[Sweep] = field(default_factory=list)  # what the preview found cannot be started
    _asked: int = 0
    _stopping: set[asyncio.Task[None]] = field(default_factory=set)

    def say(self, sweep: Sweep, text: str) -> None:
        """One line about one miner, by the name that the engine knows it by: its address where it has none. The texts
        of all miners begin in the same column."""
        name = f"[{sweep.plan.device}]".ljust(max(len(s.plan.device) for s in self.sweeps) + 2)
        self.out(lines.painted(f"{name} {text}", sweep.number, self.colour))

    async def preview(self) -> Sequence[Sweep]:
        """What is going to happen, once every miner was read (or did not answer for 20 s); those that did not."""
        silent: list[Sweep] = []
        fleet = await read_once(self.link, {sweep.plan.device for sweep in self.sweeps}, self._adopt)
        for sweep in self.sweeps:
            snapshot = fleet.snapshots.get(sweep.plan.device) or Snapshot(sweep.plan.device, address=sweep.address)
            for text in lines.running(sweep.job) if sweep.job else lines.preview(sweep.plan, snapshot):
                self.say(sweep, text)
            why = ranking.unreachable(sweep.plan, snapshot.status, snapshot.limits) if snapshot.status else ""
            if why and sweep.job is None:
                self.say(sweep, f"! {why}")
                self.impossible.append(sweep)
            if snapshot.status is None:
                silent.append(sweep)
        return silent

    def _adopt(self, message: Message) -> None:
        """A sweep that runs on a miner already (taken up again by the engine, say) is followed, not doubled."""
        for job in _jobs(message):
            for sweep in self.sweeps:
                if sweep.job is None and job.id == f"sweep:{sweep.plan.device}" and not job.phase.over:
                    sweep.job = job

    async def run(self) -> int:
        """Start them all, follow them to their ends; the exit code."""
        with ended_by(self.ask_to_stop):
            for sweep in self.sweeps:
                await self._start(sweep)
            if not self._asked and not all(sweep.over for sweep in self.sweeps):
                self.out(f"Ctrl+C ends {'it' if len(self.sweeps) == 1 else 'them all'}: {_GIVEN_BACK}.")
            if not all(sweep.over for sweep in self.sweeps):
                try:
                    await self._follow()
                except LinkError:
                    self._engine_gone()
            for task in tuple(self._stopping):
                await task
        self._finish()
        return 0 if all(sweep.well for sweep in self.sweeps) else 1

    def ask_to_stop(self) -> None:
        """What a signal does."""
        self._asked += 1
        waiting = ", ".join(f"{s.plan.device} ({s.note or s.address})" for s in self.sweeps if not s.over)
        if self._asked > 1:
            self.out(f"Still stopping; waiting for {waiting or 'nothing more'}.")
            self.out("If this is killed now, “minertui restore” brings the miners back.")
            return
        self.out(f"Stopping: {_GIVEN_BACK}. Please wait.")
        task = asyncio.get_running_loop().create_task(self._stop_all())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def _start(self, sweep: Sweep) -> None:
        if sweep.job is not None:
            return
        if self._asked:
            sweep.failed = "not started"
            return
        try:
            job = await self.link.start(sweep.plan)
        except MinertuiError as error:  # one miner's failure does not touch the others
            sweep.failed = str(error)
            self.say(sweep, f"cannot be swept: {error}")
        else:
            self._changed(sweep, job)
            if self._asked:
                await self._stop(sweep)

    async def _stop_all(self) -> None:
        for sweep in self.sweeps:
            await self._stop(sweep)

    async def _stop(self, sweep: Sweep) -> None:
        if sweep.over or sweep.job is None:
            return
        try:
            await self.link.stop(sweep.job.id)
        except MinertuiError as error:
            self.say(sweep, f"could not be stopped: {error}")

    async def _follow(self) -> None:
        """To the end of all. A sweep whose miner could not be proven ends and is taken up again at once, so the end
        counts when the whole fleet, asked for once more, says the same."""
        await self._watch_until_over()
        while not await self._still_over():
            await self._watch_until_over()

    async def _watch_until_over(self) -> None:
        async with watched(self.link) as messages:
            async for message in messages:
                self._take(message)
                if all(sweep.over for sweep in self.sweeps):
                    return
        self._engine_gone()

    async def _still_over(self) -> bool:
        async with watched(self.link) as messages:
            async for message in messages:
                self._take(message)
                break
        return all(sweep.over for sweep in self.sweeps)

    def _take(self, message: Message) -> None:
        for job in _jobs(message):
            for sweep in self.sweeps:
                if sweep.job is not None and sweep.job.id == job.id:
                    self._changed(sweep, job)
        self._forgotten(message)

    def _engine_gone(self) -> None:
        for sweep in self.sweeps:
            if not sweep.over:
                sweep.failed = (
                    "the engine ended before the sweep did, and may have left this miner at test settings; starting it "
                    "again (“minertui”), or “minertui restore”, brings the miner back"
                )
                self.say(sweep, sweep.failed)

    def _forgotten(self, message: Message) -> None:
        """A sweep that the engine no longer knows cannot be waited for."""
        if isinstance(message, Whole):
            gone = [s for s in self.sweeps if s.job and not s.over and s.job.id not in message.fleet.jobs]
        else:
            event = message.event
            gone = [s for s in self.sweeps if isinstance(event, JobForgotten) and s.job and s.job.id == event.id]
        for sweep in gone:
            if not sweep.over:
                sweep.failed = "the engine no longer knows this sweep"
                self.say(sweep, sweep.failed)

    def _changed(self, sweep: Sweep, job: JobState) -> None:
        """Show what is new of this sweep, and save new points."""
        view = job.view
        if not isinstance(view, SweepView):
            return
        sweep.job = job
        new = view.points[len(sweep.points) :]
        if view.sample is not None and view.sample != sweep.sample:
            sweep.sample = view.sample
            self.say(sweep, lines.sample_line(view.sample, view.plan.strategy))
        for point in new:
            self.say(sweep, lines.point_line(point, job))
        if new:
            sweep.points = view.points
            self._save(sweep)
        news = f"{job.phase}: {_COUNT.sub('', job.note)}"
        if job.note and news != sweep.news and not job.note.startswith("measuring") and _tells(sweep, job.note):
            self.say(sweep, news)
        sweep.note, sweep.news = job.note, news

    def _save(self, sweep: Sweep) -> None:
        """Write the result file, when there is anything to write. One of an earlier sweep is set aside by its time."""
        path = self.folder / result_name(sweep.address)
        if not sweep.measured:
            return
        try:
            if sweep.saved is None and path.exists():
                path.rename(_unused(path, path.stat().st_mtime))
            durable.replace(path, encode_results(sweep.points, sweep.plan.goal), mode=0o644)
        except OSError as error:  # the points are in the engine's store too; a full disk must not end a sweep
            self.say(sweep, f"{path} cannot be written: {error.strerror}")
        else:
            sweep.saved = path

    def _finish(self) -> None:
        for sweep in self.sweeps:
            if sweep.job is None:
                continue
            self._save(sweep)
            for text in lines.summary(sweep.points, sweep.plan.goal):
                self.say(sweep, text)
            if sweep.saved:
                self.say(sweep, lines.saved_line(sweep.saved))
            elif not sweep.measured:
                self.say(sweep, "no point was measured, so no result file was written")


def _tells(sweep: Sweep, note: str) -> bool:
    """True unless ``note`` is of a way of which the same was told already, with other figures."""
    way = _WAY.match(note)
    if way is None:
        sweep.told.clear()
        return True
    meaning = f"{way['to']} {way['what']}"
    if meaning in sweep.told:
        return False
    sweep.told.add(meaning)
    return True


def _jobs(message: Message) -> Iterable[JobState]:
    if isinstance(message, Whole):
        return message.fleet.jobs.values()
    return (message.event.job,) if isinstance(message.event, JobChanged) else ()


def _unused(path: Path, at_s: float) -> Path:
    """A name beside ``path`` that tells its time and is not taken."""
    stem = f"{path.stem}_{datetime.fromtimestamp(at_s, UTC).astimezone():%Y-%m-%d_%H-%M-%S}"
    return next(
        free for n in count() if not (free := path.with_name(f"{stem}{f'_{n}' if n else ''}{path.suffix}")).exists()
    )

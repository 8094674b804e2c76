"""The engine: builds its parts, starts them in the order that safety wants, and is the Link that screens talk to.

    open     lock the state folder → open the databases → lines → restore what the journal holds → poll → guards, sweeps
    close    jobs lead their miners back → orders on their way end → everything is written → unlock

It decides nothing itself: orders are the arbiter's, jobs the runner's, health the lines', rows the stores'.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

from minertui import __version__, config_file, config_places
from minertui.config import Config
from minertui.engine import discovery, kinds, reach
from minertui.engine.alarms import Alarms
from minertui.engine.arbiter import Arbiter
from minertui.engine.backfill import Backfill
from minertui.engine.background import Background
from minertui.engine.buckets import Question
from minertui.engine.command_log import CommandLog
from minertui.engine.config_watch import ConfigWatch, Turn, doors_wait
from minertui.engine.frontiers import left_to
from minertui.engine.guards import Guards
from minertui.engine.history import History
from minertui.engine.hub import Hub
from minertui.engine.journal import FOLDER, Journal
from minertui.engine.journal_watch import JournalWatch
from minertui.engine.last_resort import LastResort
from minertui.engine.leaving import Leaving
from minertui.engine.line import Identity, Line
from minertui.engine.lines import Connect, Lines, only_simulated
from minertui.engine.lock import StateLock
from minertui.engine.loglines import Followed, LogBook
from minertui.engine.notices import Notices
from minertui.engine.notify import tell_standing
from minertui.engine.orders import Orders, from_outside
from minertui.engine.over_limits import OverLimits
from minertui.engine.recall import Recall
from minertui.engine.records import RECORDS, Records
from minertui.engine.renaming import Renaming
from minertui.engine.restoring import Restoring
from minertui.engine.rigs import Rigs, Way, way
from minertui.engine.runner import Runner
from minertui.engine.store import StoreError
from minertui.engine.sudden_end import SuddenEnd
from minertui.engine.supervisor import Supervisor
from minertui.engine.thinking import Think, at_once
from minertui.model.alerts import Alert, Severity
from minertui.model.commands import CommandRecord, Order
from minertui.model.errors import ConfigError, LinkError
from minertui.model.events import LogLine, Message, SnapshotTaken
from minertui.model.fleet import Fleet, Snapshot
from minertui.model.history import Found, MinerEntry, Series, Templates
from minertui.model.plans import SWEEPS_SHOWN, GuardPlan, JobState, Plan, SweepPoint, SweepRecord, SweepSample
from minertui.model.relay import BoardOrder, RelayPlan
from minertui.model.seams import Clock


class Engine:
    """One a state folder. ``open`` raises LinkError when another engine has the folder."""

    def __init__(
        self,
        config: Config,
        *,
        state: Path,
        clock: Clock,
        config_path: Path | None = None,
        demo: bool = False,
        connect: Connect = kinds.connect,
        open_way: Way = way,
        think: Think = at_once,
    ) -> None:
        """``state``: folder of databases and journal. ``config_path`` None: nothing can be added or changed. ``think``:
        where jobs compute what takes long; ``Beside`` where time is real. Raises ConfigError for a clock that does not
        run at 1 on anything but this host's own simulators."""
        only_simulated(config, clock.speed)
        self.config, self.ending, self.think = config, asyncio.Event(), think
        self._state, self._clock, self._config_path, self._demo = state, clock, config_path, demo
        self._lock = StateLock(state)
        fleet = Fleet(engine=__version__, speed=clock.speed, readonly=config.engine.readonly, demo=demo)
        self.hub = Hub(fleet, clock)
        self._book, self._spawn = LogBook(clock, self.hub.publish), Background()
        self._followed = Followed(clock, self._book)
        self._alarms = Alarms(config.alerts, state, clock, self.hub, lambda a: self._spawn(self._records.keep_alert(a)))
        self._notices = notices = Notices(self.hub.publish, self.say, alert := self._alarms.book.take)
        put, disk, self.damaged = notices.put, notices.disk, notices.damaged
        self._records = Records(state / RECORDS, clock, trouble=partial(disk, RECORDS), damaged=self.damaged)
        self._history = History(state / "history.db", clock, trouble=partial(disk, "history.db"), damaged=self.damaged)
        self._supervisor = Supervisor(clock, partial(self.say, "engine"), self._stood_still)
        self._lines = Lines(clock, self, self._supervisor, connect)
        self._journal = Journal(state / FOLDER, clock.wall)
        command_log = CommandLog(self._records, clock, self.hub.publish, self.say)
        self._arbiter = Arbiter(clock, self._journal, self._lines.__getitem__, command_log)
        self._runner = Runner(self, clock, self.hub.publish, lambda device: self._restoring.owe(device))
        kept = config_path is not None
        self._guards = Guards(self._runner, self._records, clock, self.say, lasting=kept)
        self._rigs = Rigs.kept_in(
            state, self._records, self, clock, partial(disk, "rigs.db"), lasting=kept, open_way=open_way
        )
        self._orders = Orders(self._arbiter, command_log, clock)
        self._ended = ended = SuddenEnd(state, clock, alert)
        self._restoring = Restoring(self._arbiter, self._journal, clock, self, self._runner.held, notices, ended.tell)
        self._backfill = Backfill(self._history, self._lines.__getitem__, self.say)
        self._leaving = Leaving(self, self._lines, self._runner, self._restoring, self._followed, alert)
        self._api = config.api  # as its doors were opened
        self._last_resort = LastResort(self, self._spawn, alert)
        self._over_limits = OverLimits(self, self._spawn, self._runner.starts)
        self._recall = Recall(self._records, clock, self._lines, self._remembered, self._spawn, put, self.say)
        self._renaming = Renaming(self._recall, self._guards, self._history, self._restoring)
        self._changing = Turn()
        tell = partial(put, "config"), partial(self.say, "engine")
        self._watch = ConfigWatch(config_path, clock, self.reload, *tell) if config_path else None  # from now on
        self._settling: asyncio.Task[None] | None = None
        self._closed = False

    # -- life ---------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Returns when what an earlier run left behind was led back, as far as it answers, and everything runs."""
        async with self._changing:  # a config that changes meanwhile is taken over after it
            await self._begin()

    async def _begin(self) -> None:
        self._lock.__enter__()
        await asyncio.to_thread(self._ended.look)
        self.hub.renumber((epoch := await self._open()) << 32)
        self._backfill.expect(self._lines.apply(self.config, self._recall.known, await self._history.recent_ghs()))
        self._notices.config(config_places.notice(self.config), self._alarms.wrong)
        await self._restoring.once(self._lines.names())
        await asyncio.to_thread(self._ended.begin)
        self._lines.poll(self._lines)
        self._supervisor.start()
        self._supervisor.watch("records", self._records.ping)
        self._supervisor.watch("history", self._history.ping)
        self._supervisor.keep("history", self._history.keep)
        self._supervisor.keep("recall", self._recall.run)
        self._supervisor.keep("journal", JournalWatch(self._journal, self._clock, self._notices.disk).run)
        self._supervisor.keep("restoring", lambda: self._restoring.run(self._lines.names))
        self._supervisor.keep("status", lambda: tell_standing(lambda: self.hub.fleet, self._clock))
        self._supervisor.keep("signs of life", self._ended.run)
        self._supervisor.keep("outbox", self._alarms.run)
        self._supervisor.keep("rig alerts", self._alarms.rigs.run)
        if self._watch is not None:
            self._supervisor.keep("config", self._watch.run)
        await self._guards.begin(self.config)
        self._supervisor.keep("guards", self._guards.run)
        self._supervisor.keep("sweeps", self._runner.book.run)
        with contextlib.suppress(StoreError):
            await self._runner.resume(lambda device: device in self._lines.names())
        await self._rigs.open(self.config, self._supervisor.keep)
        self.say("engine", f"started (run {epoch}), {len(self._lines.names())} miners")

    async def settle(self) -> None:
        """Jobs lead their miners back, orders on their way end; nothing new is begun. Whoever asks again waits too."""
        if self._settling is None:
            self._settling = asyncio.create_task(self._settle(), name="settle")
        if not self._settling.done():
            await asyncio.shield(self._settling)

    async def _settle(self) -> None:
        self._arbiter.end()
        rigs = self._spawn(self._rigs.close())  # a fault there costs no miner its way back
        await self._runner.close()
        await self._orders.drain()
        await self._restoring.last(self._lines.names())
        await rigs

    async def close(self) -> None:
        """Settle, write everything, give the folder back."""
        if self._closed:
            return
        await self.settle()
        await self._changing.end()
        self._closed = True
        await self._supervisor.close()
        await self._followed.close()
        await asyncio.gather(*(self._lines.close(name) for name in self._lines.names()))
        await self._spawn.wait()
        self.hub.close()
        await self._history.close()
        await self._rigs.end()
        await self._records.close()
        await asyncio.to_thread(self._ended.end)
        self._lock.__exit__(None, None, None)

    async def reload(self, config: Config) -> None:
        """Take a new config over: only what it changes is touched. Raises ConfigError."""
        async with self._changing:
            await self._take_over(config)

    async def _take_over(self, config: Config) -> None:
        self._lines.prepare(config)
        self._alarms.change(config.alerts)
        if config.engine.readonly is not self.hub.fleet.readonly:
            self.hub.restate(readonly=config.engine.readonly)
        if config.engine.log_level != self.config.engine.log_level:
            logging.getLogger("minertui").setLevel(config.engine.log_level.upper())
        await self._leaving.follow(config)
        await self._renaming.follow(self.config, config)
        before, self.config = self.config, config
        self._notices.config(config_places.notice(config), self._alarms.wrong)
        self._notices.warn("api", doors_wait(self._api, config.api))
        self._backfill.expect(fresh := self._lines.apply(config, self._recall.known, await self._history.recent_ghs()))
        self._lines.poll(fresh)
        await self._guards.change(before, config)
        await self._rigs.apply(config)

    # -- Link ---------------------------------------------------------------------------------------------------------

    def watch(self, after: int | None = None) -> AsyncIterator[Message]:
        """The whole fleet, then changes; ``after``: go on after this version if it is still kept."""
        return self.hub.watch(after)

    async def send(self, order: Order) -> CommandRecord:
        """Carry an order out."""
        self._check()
        return await self.execute(from_outside(order))

    async def commands(self, limit: int = 200) -> Sequence[CommandRecord]:
        """The command log, newest first."""
        self._check()
        return await self._records.commands(limit)

    async def start(self, plan: Plan) -> JobState:
        """Start a job for a person."""
        self._check()
        if isinstance(plan, RelayPlan):
            return await self._rigs.start(plan)
        state = await self._runner.start(plan)
        if isinstance(plan, GuardPlan):
            await self._guards.started(plan)
        return state

    async def stop(self, job_id: str) -> JobState:
        """Ask a job to end."""
        state = await self._rigs.stop(job_id) if self._rigs.has(job_id) else self._runner.stop(job_id)
        await self._guards.stopped(job_id)
        return state

    async def forget(self, job_id: str) -> None:
        """An ended job leaves the fleet."""
        (self._rigs if self._rigs.has(job_id) else self._runner).dismiss(job_id)

    async def plans(self, device: str) -> Templates:
        """What a sweep and a guard of this miner start from."""
        known = await left_to(self._lines.named(device).snapshot(), self._records, partial(self.say, device))
        return config_file.templates(self.config, device, known)

    async def steer(self, job_id: str, order: BoardOrder) -> JobState:
        """Tell a running rig something about a board."""
        self._check()
        return await self._rigs.steer(job_id, order)

    async def clear(self, device: str) -> None:
        """A person clears a parked device, or accepts another one at its address."""
        self._lines.named(device)
        self._arbiter.clear(device)
        self.say(device, "cleared by a person")

    async def history(
        self, device: str, metrics: Sequence[str], since_s: float, until_s: float, points: int = 500
    ) -> Series:
        """Metrics over time; of a rig, or of its board as ``rig/board``, those of RIG_METRICS."""
        self._check()
        if self._rigs.knows(device):
            return await self._rigs.series(device, metrics, since_s, until_s, points)
        return await self._history.series(Question(device, tuple(metrics), since_s, until_s, points).sound())

    async def sweeps(
        self, device: str | None = None, limit: int = SWEEPS_SHOWN, before_s: float | None = None
    ) -> Sequence[SweepRecord]:
        """Sweeps kept, newest first."""
        self._check()
        return await self._records.sweeps(device, limit, before_s)

    async def log(self, source: str | None = None, limit: int = 500) -> Sequence[LogLine]:
        """The newest lines, oldest first."""
        return self._book.newest(source, limit)

    async def follow(self, device: str, on: bool) -> None:
        """Keep the miner's log stream open for 60 s more, or close it."""
        await self._followed.ask(device, self._lines.named(device).device, on)

    async def acknowledge(self, alert_id: str) -> Alert:
        """A person has seen an alert."""
        return self._alarms.book.acknowledge(alert_id)

    async def save_miner(self, entry: MinerEntry, replaces: str | None = None) -> None:
        """Add or change a miner in the config file, and take it over."""
        path = self._file()
        await reach.check_host(entry.address, confirm=True)
        async with self._changing:  # the file's watcher sees it too
            config = await asyncio.to_thread(config_file.save_miner, path, entry, replaces)
            if replaces is not None and replaces != entry.name:
                await self._leaving.leave(replaces)
                await self._renaming.one(replaces, entry.name)
            await self._take_over(config)

    async def remove_miner(self, name: str) -> None:
        """Take a miner out of the config file. Its history stays until it is too old."""
        async with self._changing:
            await self._take_over(await asyncio.to_thread(config_file.remove_miner, self._file(), name))

    async def miners(self) -> Sequence[MinerEntry]:
        """The miners of the config in force."""
        return config_file.entries(self.config)

    async def discover(self, networks: Sequence[str]) -> Sequence[Found]:
        """Miners that answer, known or not. A demo listens to nobody and asks this computer alone."""
        return await discovery.asked_for(networks, self._lines.known(), demo=self._demo)

    async def shutdown(self) -> None:
        """Ask whoever runs the engine to end it, and wait until the miners are led back."""
        self.ending.set()
        await self.settle()

    # -- what lines and jobs say --------------------------------------------------------------------------------------

    @property
    def arbiter(self) -> Arbiter:
        """The only path to hardware."""
        return self._arbiter

    @property
    def records(self) -> Records:
        """Where sweeps are kept."""
        return self._records

    def line(self, device: str) -> Line:
        """The line of that name; KeyError where there is none."""
        return self._lines[device]

    def say(self, source: str, text: str, severity: Severity = Severity.INFO) -> None:
        """A line for the log."""
        self._book.say(source, text, severity)

    said = say

    def took(self, snapshot: Snapshot, *, fresh: bool) -> None:
        """A device was read, or could not be."""
        self.hub.publish(SnapshotTaken(snapshot))
        if fresh and snapshot.status is not None and snapshot.at_s is not None:
            self._last_resort.took(snapshot)
            self._over_limits.took(snapshot)
            self._history.add(snapshot.device, snapshot.at_s, snapshot.status)
            if self._backfill.due(snapshot.device):
                self._spawn(self._backfill.fill(snapshot.device))

    def learned(self, device: str, identity: Identity) -> None:
        """Something to be kept of a device."""
        self._recall.learned(device, identity)

    def busy(self, device: str, other_than: str = "") -> bool:
        """True while a job (another one) works on the device."""
        return any(job != other_than for job in self._runner.alive(device))

    async def keep(self, job_id: str, record: SweepPoint | SweepSample) -> None:
        """Keep a point or a sample."""
        await self._runner.keep(job_id, record)

    async def execute(self, order: Order) -> CommandRecord:
        """Through the arbiter and into the command log."""
        return await self._orders.execute(order)

    # -- inside -------------------------------------------------------------------------------------------------------

    async def _open(self) -> int:
        """The number of this run; the wall clock's when the disk refuses, which may still tell who is parked."""
        epoch = int(self._clock.wall()) % (1 << 20)
        with contextlib.suppress(StoreError):
            epoch = await self._records.start()
        await self._recall.read()
        with contextlib.suppress(StoreError):
            await self._history.start()
        return epoch

    def _remembered(self, alerts: Sequence[Alert]) -> None:
        self._alarms.restore(alerts, self.config)

    def _stood_still(self, late_s: float) -> None:
        self.say("engine", why := f"the engine stood still for {late_s:.0f} s", Severity.WARNING)
        self._lines.doubt(why)

    def _file(self) -> Path:
        self._check()
        if self._config_path is None:
            raise ConfigError("this engine has no config file, so its miners cannot be changed")
        return self._config_path

    def _check(self) -> None:
        if self._settling is not None:
            raise LinkError("the engine is going down; try again when it is back")

"""Duino-Coin rigs: starts, steers and ends their relay jobs.

    not started ─start→ RUNNING → STOPPED | FAILED

A rig has no line, no baseline and nothing to restore, so it goes neither through the runner nor through the arbiter:
its job ends as soon as the shares under way are judged. Every rig of the config is in the fleet, whether it runs or
not. What a person started, and how its boards were steered, is kept: it goes on after a restart of the engine.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from minertui.config import Config
from minertui.config_rigs import RigConfig
from minertui.engine.balance_log import balance_log
from minertui.engine.hub import Hub
from minertui.engine.records import Records
from minertui.engine.rig_history import RigHistory
from minertui.engine.rig_site import Site
from minertui.engine.rig_ways import Way as Way
from minertui.engine.rig_ways import in_real_time, servers
from minertui.engine.rig_ways import way as way
from minertui.engine.rig_wishes import RigWish, RigWishes, steered
from minertui.jobs.duco_relay import Buses, Outside, Relay
from minertui.model.errors import JobError, MinertuiError, fault_of_ours
from minertui.model.events import Event, JobChanged, JobForgotten
from minertui.model.history import Series
from minertui.model.plans import JobState, Phase
from minertui.model.relay import AddBoard, BoardOrder, BoardPlan, BoardView, DropBoard, RelayPlan, RelayView
from minertui.model.seams import Clock

_LOG = logging.getLogger(__name__)
NOT_STARTED = "not started"
_AGAIN_S = 5.0


class House(Protocol):
    """What rigs need of the engine."""

    @property
    def hub(self) -> Hub: ...  # noqa: D102 - events go there
    def say(self, source: str, text: str) -> None: ...  # noqa: D102 - a line for the log
    def damaged(self, text: str) -> None: ...  # noqa: D102 - a file was set aside


class Rigs:
    """The rigs of the config. ``publish`` is the hub's."""

    def __init__(
        self,
        clock: Clock,
        publish: Callable[[Event], None],
        say: Callable[[str, str], None],
        history: RigHistory,
        wishes: RigWishes,
        *,
        open_way: Way = way,
        outside: Callable[[], Outside] = servers,
    ) -> None:
        """``open_way``: how boards are reached; simulated ones may bring their own."""
        self._clock, self._publish, self._say, self._outside = clock, publish, say, outside
        self._history, self._wishes = history, wishes
        self._buses = Buses(in_real_time(open_way, clock), clock)
        self._rigs: Mapping[str, RigConfig] = {}
        self._readonly = self._closing = False
        self._waiting: set[str] = set()  # would mine, were the engine not read-only
        self._sites: dict[str, Site] = {}
        self._relays: dict[str, Relay] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @classmethod
    def kept_in(
        cls,
        state: Path,
        records: Records,
        house: House,
        clock: Clock,
        trouble: Callable[[str], None],
        *,
        lasting: bool,
        open_way: Way,
    ) -> Rigs:
        """Rigs with their history in ``state`` and their wishes in ``records``. ``lasting``: what a person started
        outlives this engine."""
        history = RigHistory(state / "rigs.db", clock, trouble=trouble, damaged=house.damaged)
        wishes = RigWishes(records, house.say, lasting=lasting)
        return cls(clock, house.hub.publish, house.say, history, wishes, open_way=open_way)

    async def open(self, config: Config, keep: Callable[[str, Callable[[], Awaitable[None]]], None]) -> None:
        """Start what shall run. ``keep`` is the supervisor's."""
        keep("buses", self._buses.watch)
        keep("rig history", self._history.keep)
        await self.apply(config)
        keep("rig wishes", self._wish_again)

    async def apply(self, config: Config) -> None:
        """Take over what the config says: rigs that are gone or changed end, and all of them when the engine becomes
        read-only; those that shall run start."""
        rigs = {rig.name: rig for rig in config.rig}
        self._readonly = config.engine.readonly
        before, self._rigs = self._rigs, rigs
        again, same = await self._cleared(before, rigs)
        late, wanted = self._wishes.unread, await self._wishes.kept()
        if not self._readonly:
            again += self._waiting
            self._waiting = set()
        for name, rig in rigs.items():
            new = before.get(name) != rig and name not in same
            if new:
                self._idle(rig)
            told = name in wanted and (new or (late and not self._alive(name)))
            if name in again or told or (new and rig.start):
                self._begin(rig, wanted.get(name))

    def has(self, job_id: str) -> bool:
        """True for a relay's id."""
        return job_id.startswith("relay:")

    async def start(self, plan: RelayPlan) -> JobState:
        """A person starts a rig of the config. Raises JobError, saying why, when it cannot."""
        rig = self._rigs.get(plan.device)
        if rig is None:
            known = ", ".join(self._rigs) or "none"
            raise JobError(f"there is no rig named {plan.device!r} in the config; there are: {known}")
        if plan not in (RelayPlan(plan.device), rig.plan):
            raise JobError("a rig runs as the config says: start it by its name, and steer its boards while it runs")
        state = self._launch(rig, rig.board, "person")
        await self._wishes.started(RigWish(rig.name, rig.board, rig.board))
        return state

    async def stop(self, job_id: str) -> JobState:
        """A person's stop; returns before it has ended. Raises JobError for a relay that does not run."""
        site = self._running(job_id)
        await self._wishes.stopped(site.state.device)
        site.end()
        return site.state

    async def steer(self, job_id: str, order: BoardOrder) -> JobState:
        """Carry an order about a board out. Raises JobError, saying why."""
        site = self._running(job_id)
        self._relays[job_id].steer(order)
        site.report(self._relays[job_id].view(), site.state.note)
        await self._note(job_id)
        return site.state

    def knows(self, device: str) -> bool:
        """True for a rig of the config, and for ``rig/board``."""
        return device.partition("/")[0] in self._rigs

    async def series(self, device: str, metrics: Sequence[str], since_s: float, until_s: float, points: int) -> Series:
        """RIG_METRICS over time."""
        return await self._history.series(device, metrics, since_s, until_s, points)

    def dismiss(self, job_id: str) -> None:
        """A person has seen how it ended. Raises JobError for a job that runs, or that nobody knows."""
        rig = self._rigs.get(job_id.partition(":")[2])
        if rig is None:
            raise JobError(f"there is no job {job_id}")
        if self._alive(rig.name):
            raise JobError(f"{job_id} runs; stop it first")
        self._idle(rig)

    async def close(self) -> None:
        """End all rigs; those that a person started are started again with the engine."""
        self._closing = True
        alive = [name for name in self._rigs if self._alive(name)]
        for name in alive:
            await self._note(f"relay:{name}")
        await asyncio.gather(*(self._end(name) for name in alive))

    async def end(self) -> None:
        """After ``close``: write what is not written yet."""
        await self._history.close()

    # -- inside -------------------------------------------------------------------------------------------------------

    async def _cleared(
        self, before: Mapping[str, RigConfig], rigs: Mapping[str, RigConfig]
    ) -> tuple[list[str], list[str]]:
        """End what does not run on as it is. Which ended by this alone, and which others were adjusted instead."""
        again, same = list[str](), list[str]()
        for name, rig in before.items():
            if (self._readonly or rigs.get(name) != rig) and self._alive(name):
                if not self._readonly and name in rigs and await self._adjusted(rig, rigs[name]):
                    same.append(name)
                    continue
                stopped = self._sites[f"relay:{name}"].ending  # by a person, before this
                await self._end(name)
                again += [] if stopped else [name]
            if name not in rigs:
                await self._wishes.stopped(name)
                self._forget(name)
        return again, same

    async def _adjusted(self, before: RigConfig, rig: RigConfig) -> bool:
        """Where only boards are others: the running rig drops and adds those, and the rest goes on undisturbed."""
        if replace(before, board=()) != replace(rig, board=()):
            return False
        job_id = f"relay:{rig.name}"
        relay, old = self._relays[job_id], {board.name: board for board in before.board}
        relay.plan = rig.plan
        present = {board.name for board in relay.view().boards}
        new = {board.name: board for board in rig.board}
        orders: list[BoardOrder] = [DropBoard(n) for n, plan in old.items() if n in present and new.get(n) != plan]
        orders += [AddBoard(plan) for name, plan in new.items() if old.get(name) != plan]
        for order in orders:
            try:
                relay.steer(order)
            except MinertuiError as error:
                self._say(job_id, f"not as the config says: {error}")
        await self._note(job_id)
        return True

    def _idle(self, rig: RigConfig) -> None:
        """In the fleet, not running."""
        view = RelayView(rig.plan, tuple(BoardView(plan) for plan in rig.board))
        self._publish(JobChanged(JobState(f"relay:{rig.name}", rig.name, Phase.STOPPED, view, NOT_STARTED)))

    def _forget(self, name: str) -> None:
        job_id = f"relay:{name}"
        self._tasks.pop(job_id, None)
        self._sites.pop(job_id, None)
        self._relays.pop(job_id, None)
        self._publish(JobForgotten(job_id))

    async def _wish_again(self) -> None:
        """What the disk did not take, or tell, for ever; rigs that it tells of late start then."""
        while True:
            await self._clock.sleep(_AGAIN_S)
            await self._wishes.keep()
            for name, wish in (await self._wishes.kept()).items() if self._wishes.unread else ():
                if name in self._rigs and not self._alive(name):
                    self._begin(self._rigs[name], wish)

    def _begin(self, rig: RigConfig, wish: RigWish | None) -> None:
        if self._readonly:
            self._waiting.add(rig.name)
        try:
            boards = wish.boards if wish is not None and wish.of == rig.board else rig.board
            self._launch(rig, boards, "config" if wish is None else "person")
        except MinertuiError as error:
            self._say(f"relay:{rig.name}", f"does not mine: {error}")

    def _launch(self, rig: RigConfig, boards: tuple[BoardPlan, ...], by: str) -> JobState:
        self._check(rig)
        job_id = f"relay:{rig.name}"
        state = JobState(job_id, rig.name, Phase.RUNNING, RelayView(rig.plan), since_s=self._clock.wall(), by=by)
        key = rig.mining_key.reveal() if rig.mining_key else ""
        site = Site(state, key, self._clock, self._say, self._publish, self._history.take, balance_log(rig))
        outside = self._outside()
        self._sites[job_id] = site
        self._relays[job_id] = Relay(rig.plan, site, outside, self._buses, boards)
        self._tasks[job_id] = asyncio.create_task(self._run(site, self._relays[job_id], outside), name=job_id)
        site.change(replace(state, view=self._relays[job_id].view()))
        return site.state

    async def _note(self, job_id: str) -> None:
        """Keep how a person steered the boards; a rig that only the config started is kept nowhere until then."""
        site = self._sites[job_id]
        rig, boards = self._rigs[site.state.device], steered(self._relays[job_id].view().boards)
        if not site.ending and (site.state.by == "person" or boards != rig.board):
            await self._wishes.started(RigWish(rig.name, rig.board, boards))

    def _check(self, rig: RigConfig) -> None:
        if self._closing:
            raise JobError("the engine is stopping")
        if self._readonly:
            raise JobError("the config makes this engine read-only; a rig would mine")
        if self._alive(rig.name):
            raise JobError(f"{rig.name} mines already")

    def _alive(self, name: str) -> bool:
        task = self._tasks.get(f"relay:{name}")
        return task is not None and not task.done()

    def _running(self, job_id: str) -> Site:
        if job_id not in self._sites or self._tasks[job_id].done():
            raise JobError(f"no job {job_id} runs; start the rig first")
        return self._sites[job_id]

    async def _end(self, name: str) -> None:
        self._sites[f"relay:{name}"].end()
        await asyncio.wait([self._tasks[f"relay:{name}"]])

    async def _run(self, site: Site, relay: Relay, outside: Outside) -> None:
        phase, note = Phase.STOPPED, ""
        try:
            await relay.run()
        except MinertuiError as error:
            phase, note = Phase.FAILED, str(error)
        except Exception as error:  # noqa: BLE001 - the task boundary
            _LOG.exception("job %s failed", site.state.id)
            phase, note = Phase.FAILED, fault_of_ours(error)
        finally:
            await outside.close()
            self._history.ended(site.state.device)
        if note:
            site.log(f"failed: {note}")
        site.change(replace(site.state, phase=phase, note=note or "stopped"))

"""Duino-Coin rigs: starts, steers and ends their relay jobs.

    RUNNING → STOPPED | FAILED

A rig has no line, no baseline and nothing to restore, so it goes neither through the runner nor through the arbiter:
its job ends as soon as the shares under way are judged.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec.structs import replace

from minertui.config import Config
from minertui.config_rigs import RigConfig
from minertui.jobs.duco_relay import Buses, Opener, Outside, Relay
from minertui.jobs.duco_relay import Way as Way
from minertui.model.errors import JobError, MinertuiError
from minertui.model.events import Event, JobChanged, JobForgotten
from minertui.model.plans import JobState, Phase
from minertui.model.relay import BoardOrder, Place, RelayPlan, RelayView, Wire
from minertui.model.seams import Clock

_LOG = logging.getLogger(__name__)
_DRIVERS = {
    Wire.SERIAL: ("duco_serial", "connect"),
    Wire.I2C: ("duco_i2c", "connect"),
    Wire.ADAPTOR: ("duco_serial", "connect_adaptor"),
}


def way(place: Place) -> Opener:
    """The real way to a place; its driver is imported now, so that a machine without it runs the rest."""
    module, function = _DRIVERS[place.wire]
    opener: Opener = getattr(importlib.import_module(f"minertui.devices.{module}"), function)(place.way)
    return opener


def servers() -> Outside:
    """Real pools and the real master server."""
    made: Outside = importlib.import_module("minertui.devices.duco_pool").Servers()
    return made


class _Site:
    """What one rig's relay gets of the engine."""

    def __init__(self, state: JobState, key: str, clock: Clock, say: Callable[[str, str], None], changed: Any) -> None:
        self.state, self.mining_key = state, key
        self._clock, self._say, self._changed = clock, say, changed
        self._over = asyncio.Event()

    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock.mono()

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._clock.wall()

    async def sleep(self, seconds: float) -> None:
        """Program seconds."""
        await self._clock.sleep(seconds)

    async def ended(self) -> None:
        """Waits for ``end``."""
        await self._over.wait()

    def end(self) -> None:
        """Ask the relay to end."""
        self._over.set()

    def log(self, text: str) -> None:
        """A line under the job's id."""
        self._say(self.state.id, text)

    def report(self, view: RelayView, note: str = "") -> None:
        """How the rig does."""
        shares = sum(board.stats.shares for board in view.boards)
        self.change(replace(self.state, view=view, note=note, done=shares))

    def change(self, state: JobState) -> None:
        """Tell the fleet."""
        self.state = state
        self._changed(JobChanged(state))


class Rigs:
    """The rigs of the config. ``publish`` is the hub's."""

    def __init__(
        self,
        clock: Clock,
        publish: Callable[[Event], None],
        say: Callable[[str, str], None],
        *,
        open_way: Way = way,
        outside: Callable[[], Outside] = servers,
    ) -> None:
        """``open_way``: how boards are reached; simulated ones bring their own."""
        self._clock, self._publish, self._say, self._outside = clock, publish, say, outside
        self._real = open_way is way
        self._buses = Buses(open_way, clock)
        self._rigs: Mapping[str, RigConfig] = {}
        self._readonly = self._closing = False
        self._sites: dict[str, _Site] = {}
        self._relays: dict[str, Relay] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def open(self, config: Config, keep: Callable[[str, Callable[[], Awaitable[None]]], None]) -> None:
        """Start what shall run. ``keep`` is the supervisor's."""
        keep("buses", self._buses.watch)
        await self.apply(config)

    async def apply(self, config: Config) -> None:
        """Take over what the config says: rigs that are gone or changed end; those that shall run start."""
        rigs = {rig.name: rig for rig in config.rig}
        self._readonly = config.engine.readonly
        before, self._rigs = self._rigs, rigs
        again = []
        for name, rig in before.items():
            if rigs.get(name) != rig and self._alive(name):
                await self._end(name)
                again.append(name)
            if name not in rigs and f"relay:{name}" in self._sites:
                self.dismiss(f"relay:{name}")
        for name, rig in rigs.items():
            if name in again or (rig.start and before.get(name) != rig):
                self._begin(name)

    def has(self, job_id: str) -> bool:
        """True for a relay's id."""
        return job_id.startswith("relay:")

    def start(self, plan: RelayPlan, by: str = "person") -> JobState:
        """Start a rig of the config. Raises JobError, saying why, when it cannot."""
        rig = self._rigs.get(plan.device)
        if rig is None:
            known = ", ".join(self._rigs) or "none"
            raise JobError(f"there is no rig named {plan.device!r} in the config; there are: {known}")
        if plan not in (RelayPlan(plan.device), rig.plan):
            raise JobError("a rig runs as the config says: start it by its name, and steer its boards while it runs")
        self._check(rig)
        job_id = f"relay:{rig.name}"
        state = JobState(job_id, rig.name, Phase.RUNNING, RelayView(rig.plan), since_s=self._clock.wall(), by=by)
        key = rig.mining_key.reveal() if rig.mining_key else ""
        site = _Site(state, key, self._clock, self._say, self._publish)
        outside = self._outside()
        self._sites[job_id], self._relays[job_id] = site, Relay(rig.plan, site, outside, self._buses)
        self._tasks[job_id] = asyncio.create_task(self._run(site, self._relays[job_id], outside), name=job_id)
        site.change(replace(state, view=self._relays[job_id].view()))
        return site.state

    def stop(self, job_id: str) -> JobState:
        """A person's stop; returns at once. Raises JobError for a relay that does not run."""
        site = self._running(job_id)
        site.end()
        return site.state

    def steer(self, job_id: str, order: BoardOrder) -> JobState:
        """Carry an order about a board out. Raises JobError, saying why."""
        site = self._running(job_id)
        self._relays[job_id].steer(order)
        site.report(self._relays[job_id].view(), site.state.note)
        return site.state

    def dismiss(self, job_id: str) -> None:
        """A person has seen how it ended. Raises JobError for a job that runs, or that nobody knows."""
        if job_id not in self._tasks:
            raise JobError(f"there is no job {job_id}")
        if not self._tasks[job_id].done():
            raise JobError(f"{job_id} runs; stop it first")
        del self._tasks[job_id], self._sites[job_id], self._relays[job_id]
        self._publish(JobForgotten(job_id))

    async def close(self) -> None:
        """End all rigs."""
        self._closing = True
        await asyncio.gather(*(self._end(name) for name in self._rigs if self._alive(name)))

    def _begin(self, name: str) -> None:
        try:
            self.start(RelayPlan(name), "config")
        except MinertuiError as error:
            self._say(f"relay:{name}", f"does not mine: {error}")

    def _check(self, rig: RigConfig) -> None:
        if self._closing:
            raise JobError("the engine is stopping")
        if self._readonly:
            raise JobError("the config makes this engine read-only; a rig would mine")
        if self._alive(rig.name):
            raise JobError(f"{rig.name} mines already")
        if self._real and self._clock.speed != 1:
            raise JobError("real boards run in real time only; start the engine without --speed")

    def _alive(self, name: str) -> bool:
        task = self._tasks.get(f"relay:{name}")
        return task is not None and not task.done()

    def _running(self, job_id: str) -> _Site:
        if job_id not in self._sites or self._tasks[job_id].done():
            raise JobError(f"no job {job_id} runs; start the rig first")
        return self._sites[job_id]

    async def _end(self, name: str) -> None:
        self._sites[f"relay:{name}"].end()
        await asyncio.wait([self._tasks[f"relay:{name}"]])

    async def _run(self, site: _Site, relay: Relay, outside: Outside) -> None:
        phase, note = Phase.STOPPED, ""
        try:
            await relay.run()
        except MinertuiError as error:
            phase, note = Phase.FAILED, str(error)
        except Exception as error:  # noqa: BLE001 - the task boundary
            _LOG.exception("job %s failed", site.state.id)
            phase, note = Phase.FAILED, f"a fault of this program ({type(error).__name__}: {error})"
        finally:
            await outside.close()
        if note:
            site.log(f"failed: {note}")
        site.change(replace(site.state, phase=phase, note=note or "stopped"))

"""A Link without an engine: it holds a made-up fleet, answers like an engine and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from minertui.model.alerts import Alert
from minertui.model.commands import Change, CommandRecord, Order, Outcome, OutcomeState, Tune
from minertui.model.errors import JobError, LinkError, MinertuiError
from minertui.model.events import Event, LogLine, Message, Numbered, Whole
from minertui.model.fleet import Fleet
from minertui.model.history import Found, MinerEntry, Series, Templates
from minertui.model.plans import SWEEPS_SHOWN, GuardView, JobState, Phase, Plan, SweepPlan, SweepRecord, SweepView
from minertui.model.relay import BoardOrder, RelayPlan, RelayView
from tests.tui import pictures


class FakeLink:
    """``calls`` holds what was asked as tuples (method, arguments…). ``push`` sends an event to the watcher,
    ``lose`` breaks the stream, ``refuse`` makes every asking call fail with this sentence,
    ``refuse_start`` a job on one device."""

    def __init__(self, fleet: Fleet, lines: Sequence[LogLine] | None = None) -> None:
        self.fleet = fleet
        self.calls: list[tuple[Any, ...]] = []
        self.refuse: str | None = None
        self.refuse_start: dict[str, str] = {}
        self.down: str | None = None
        self.lines = list(pictures.log_lines(fleet) if lines is None else lines)
        self.records = list(pictures.records(fleet))
        self.outcome = OutcomeState.APPLIED
        self.remark = ""  # what a dry run warns of
        self.templates = Templates()
        self.plans_of: dict[str, Templates] = {}  # of those that have their own
        self.swept = ""  # the device whose frontier is known
        self.found: tuple[Found, ...] = ()
        self._queue: asyncio.Queue[Message | LinkError] = asyncio.Queue()

    # what a test does

    def push(self, event: Event) -> None:
        """The engine says that this happened."""
        self.fleet = msgspec.structs.replace(self.fleet, version=self.fleet.version + 1)
        self._queue.put_nowait(Numbered(self.fleet.version, event))

    def picture(self, fleet: Fleet) -> None:
        """The engine sends a whole new fleet."""
        self.fleet = fleet
        self._queue.put_nowait(Whole(fleet))

    def lose(self, why: str = "the engine does not answer; start it with: minertui engine") -> None:
        """The engine goes away and stays away until ``down`` is None again."""
        self.down = why
        self._queue.put_nowait(LinkError(why))

    def sent(self, method: str) -> list[Any]:
        """The arguments of each call of this method; a single argument is not wrapped."""
        return [call[1] if len(call) == 2 else call[1:] for call in self.calls if call[0] == method]

    def _ask(self, *call: Any) -> None:
        self.calls.append(call)
        if self.down:
            raise LinkError(self.down)
        if self.refuse:
            raise MinertuiError(self.refuse)

    # Link

    async def watch(self) -> AsyncIterator[Message]:
        self.calls.append(("watch",))
        if self.down:
            raise LinkError(self.down)
        yield Whole(self.fleet)
        while True:
            message = await self._queue.get()
            if isinstance(message, LinkError):
                raise message
            yield message

    async def send(self, order: Order) -> CommandRecord:
        self._ask("send", order)
        changes: tuple[Change, ...] = ()
        if isinstance(order.command, Tune):
            changes = (Change("frequency", "525 MHz", f"{order.command.frequency_mhz:g} MHz"),)
        state = OutcomeState.DRY_RUN if order.dry_run else self.outcome
        reason = self.remark if order.dry_run else "read back"
        record = CommandRecord(order, pictures.NOW_S, Outcome(state, reason, changes))
        if not order.dry_run:
            self.records.insert(0, record)
        return record

    async def commands(self, limit: int = 200) -> Sequence[CommandRecord]:
        self._ask("commands", limit)
        return self.records[:limit]

    async def start(self, plan: Plan) -> JobState:
        self._ask("start", plan)
        if plan.device in self.refuse_start:
            raise JobError(self.refuse_start[plan.device])
        if isinstance(plan, RelayPlan):
            return JobState(f"relay:{plan.device}", plan.device, Phase.WAITING, RelayView(plan), since_s=pictures.NOW_S)
        view = SweepView(plan) if isinstance(plan, SweepPlan) else GuardView(plan)
        kind = "sweep" if isinstance(plan, SweepPlan) else "guard"
        return JobState(f"{kind}:{plan.device}", plan.device, Phase.WAITING, view, since_s=pictures.NOW_S)

    async def stop(self, job_id: str) -> JobState:
        self._ask("stop", job_id)
        return self.fleet.jobs[job_id]  # as the engine: it is answered before the job has ended

    async def forget(self, job_id: str) -> None:
        self._ask("forget", job_id)

    async def plans(self, device: str) -> Templates:
        self._ask("plans", device)
        if device in self.plans_of:
            return self.plans_of[device]
        sweep, guard = self.templates.sweep, self.templates.guard
        known = self.templates.known if device == self.swept else None
        sweep, guard = msgspec.structs.replace(sweep, device=device), msgspec.structs.replace(guard, device=device)
        return Templates(sweep, guard, known)

    async def steer(self, job_id: str, order: BoardOrder) -> JobState:
        self._ask("steer", job_id, order)
        device = job_id.partition(":")[2]
        return JobState(job_id, device, Phase.RUNNING, RelayView(RelayPlan(device)))

    async def clear(self, device: str) -> None:
        self._ask("clear", device)

    async def history(
        self, device: str, metrics: Sequence[str], since_s: float, until_s: float, points: int = 500
    ) -> Series:
        self._ask("history", device, tuple(metrics), since_s, until_s, points)
        return pictures.series(device, tuple(metrics), since_s, until_s)

    async def sweeps(
        self, device: str | None = None, limit: int = SWEEPS_SHOWN, before_s: float | None = None
    ) -> Sequence[SweepRecord]:
        self._ask("sweeps", device)
        return [pictures.sweep_record(device or next(iter(self.fleet.snapshots), "gone"))]

    async def log(self, source: str | None = None, limit: int = 500) -> Sequence[LogLine]:
        self._ask("log", source, limit)
        return [line for line in self.lines if source in (None, line.source)][-limit:]

    async def follow(self, device: str, on: bool) -> None:
        self._ask("follow", device, on)

    async def acknowledge(self, alert_id: str) -> Alert:
        self._ask("acknowledge", alert_id)
        return msgspec.structs.replace(self.fleet.alerts[alert_id], acknowledged=True)

    async def save_miner(self, entry: MinerEntry, replaces: str | None = None) -> None:
        self._ask("save_miner", entry, replaces)

    async def remove_miner(self, name: str) -> None:
        self._ask("remove_miner", name)

    async def miners(self) -> Sequence[MinerEntry]:
        self._ask("miners")
        return pictures.entries(self.fleet)

    async def discover(self, networks: Sequence[str]) -> Sequence[Found]:
        self._ask("discover", tuple(networks))
        return self.found

    async def faults_on(self, device: str) -> Sequence[str]:
        self._ask("faults_on", device)
        on: dict[tuple[str, str], bool] = {(call[1], call[2]): call[3] for call in self.calls if call[0] == "fault"}
        return [name for (where, name), is_on in on.items() if is_on and where == device]

    async def faults(self) -> Mapping[str, str]:
        self._ask("faults")
        return {"fan-dead": "the fan stands still", "hang": "accepts and never answers"}

    async def fault(self, device: str, name: str, on: bool) -> None:
        self._ask("fault", device, name, on)

    async def shutdown(self) -> None:
        self._ask("shutdown")

    async def close(self) -> None:
        self.calls.append(("close",))

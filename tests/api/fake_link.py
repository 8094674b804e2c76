"""A Link without an engine: answers with made-up values, remembers what it was asked, resumes its stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import msgspec

from minertui.model.alerts import Alert, Severity
from minertui.model.commands import Change, CommandRecord, Order, Outcome, OutcomeState, Tune
from minertui.model.errors import MinertuiError
from minertui.model.events import Event, LogLine, Message, Numbered, Whole, advance
from minertui.model.fleet import Fleet, Health, Snapshot
from minertui.model.history import Found, MinerEntry, Series, Templates
from minertui.model.plans import (
    SWEEPS_SHOWN,
    GuardPlan,
    GuardView,
    JobState,
    Phase,
    Plan,
    PointVerdict,
    SweepPlan,
    SweepPoint,
    SweepRecord,
    SweepView,
)
from minertui.model.relay import BoardOrder, RelayPlan, RelayView
from minertui.model.status import Ability, ChipStatus, MinerStatus, PoolSetting, RejectReason

STATUS = MinerStatus(
    mac="AA:BB:CC:DD:EE:01",
    model="Gamma",
    abilities=frozenset({Ability.TUNE, Ability.FAN, Ability.POOLS}),
    hashrate_ghs=1200.0,
    expected_ghs=1224.0,
    chips=(ChipStatus(1200.0, 3, (300.0, 300.0)),),
    power_w=17.5,
    core_mv=1150,
    frequency_mhz=600,
    chip_temp_c=58.5,
    vr_temp_c=61.0,
    fan_pct=44,
    fan_auto=True,
    temp_target_c=60,
    shares_accepted=100,
    shares_rejected=1,
    reject_reasons=(RejectReason("Above target", 1),),
    pools=(PoolSetting("pool.example", 3333, "bc1qexampleexampleexample"), PoolSetting("second.example", 4444, "x")),
)
ALERT = Alert("chip_temp_c:garage", "chip_temp_c", "garage", Severity.CRITICAL, "chip at 71 °C", 1000.0)
POINT = SweepPoint(1, 600, 1150, PointVerdict.PASSED, hashrate_ghs=1200, expected_ghs=1224)


def fleet() -> Fleet:
    garage = Snapshot("garage", address="10.0.0.1", status=STATUS, at_s=990.0, boot_s=10.0, health=Health.OK)
    attic = Snapshot("attic", address="10.0.0.2", health=Health.LOST, why="no answer", misses=3)
    return Fleet(7, 1000.0, "0.1.0", snapshots={"garage": garage, "attic": attic}, alerts={ALERT.id: ALERT})


class FakeLink:
    """``calls``: what was asked. ``fails``: what every asking call raises. ``gate``: what ``send`` waits for."""

    def __init__(self) -> None:
        self.fleet = fleet()
        self.calls: list[tuple[Any, ...]] = []
        self.fails: MinertuiError | None = None
        self.gate: asyncio.Event | None = None
        self.outcome = Outcome(OutcomeState.APPLIED, changes=(Change("frequency", "600 MHz", "575 MHz"),))
        self.entries = [MinerEntry("garage", "10.0.0.1"), MinerEntry("attic", "10.0.0.2")]
        self.events: list[Numbered] = []
        self.changed = asyncio.Condition()
        self.watchers = 0
        self.done: list[str] = []
        self.on_shutdown: Callable[[], None] = lambda: None

    async def push(self, event: Event) -> None:
        message = Numbered(self.fleet.version + 1, event)
        self.fleet = advance(self.fleet, message)
        self.events.append(message)
        async with self.changed:
            self.changed.notify_all()

    def _asked(self, *call: Any) -> None:
        self.calls.append(call)
        if self.fails:
            raise self.fails

    async def watch(self, after: int | None = None) -> AsyncIterator[Message]:
        self._asked("watch", after)
        self.watchers += 1
        seen = after
        try:
            if seen is None:
                seen = self.fleet.version
                yield Whole(self.fleet)
            while True:
                for message in [m for m in self.events if m.version > seen]:
                    seen = message.version
                    yield message
                async with self.changed:
                    if self.fleet.version == seen:
                        await self.changed.wait()
        finally:
            self.watchers -= 1

    async def send(self, order: Order) -> CommandRecord:
        self._asked("send", order)
        if self.gate:
            await self.gate.wait()
        self.done.append(order.id)
        outcome = self.outcome
        if order.dry_run and outcome.state is OutcomeState.APPLIED:
            outcome = msgspec.structs.replace(outcome, state=OutcomeState.DRY_RUN)
        return CommandRecord(order, 1001.0, outcome)

    async def commands(self, limit: int = 200) -> Sequence[CommandRecord]:
        self._asked("commands", limit)
        return [CommandRecord(Order("1", "garage", Tune(575, 1150)), 1001.0, self.outcome)]

    async def start(self, plan: Plan) -> JobState:
        self._asked("start", plan)
        if isinstance(plan, RelayPlan):
            return JobState(f"relay:{plan.device}", plan.device, Phase.RUNNING, RelayView(plan))
        if isinstance(plan, GuardPlan):
            return JobState(f"guard:{plan.device}", plan.device, Phase.RUNNING, GuardView(plan))
        return JobState(f"sweep:{plan.device}", plan.device, Phase.RUNNING, SweepView(plan, points=(POINT,)))

    async def stop(self, job_id: str) -> JobState:
        self._asked("stop", job_id)
        device = job_id.partition(":")[2]
        return JobState(job_id, device, Phase.RESTORING, SweepView(SweepPlan(device)))

    async def forget(self, job_id: str) -> None:
        self._asked("forget", job_id)

    async def plans(self, device: str) -> Templates:
        self._asked("plans", device)
        return Templates(SweepPlan(device, step_mv=10), GuardPlan(device, low_mhz=410))

    async def steer(self, job_id: str, order: BoardOrder) -> JobState:
        self._asked("steer", job_id, order)
        device = job_id.partition(":")[2]
        return JobState(job_id, device, Phase.RUNNING, RelayView(RelayPlan(device)))

    async def clear(self, device: str) -> None:
        self._asked("clear", device)

    async def history(
        self, device: str, metrics: Sequence[str], since_s: float, until_s: float, points: int = 500
    ) -> Series:
        self._asked("history", device, tuple(metrics), since_s, until_s, points)
        return Series(device, 60.0, (1.0, 61.0), dict.fromkeys(metrics, (1.5, None)))

    async def sweeps(
        self, device: str | None = None, limit: int = SWEEPS_SHOWN, before_s: float | None = None
    ) -> Sequence[SweepRecord]:
        self._asked("sweeps", device, limit, before_s)
        return [SweepRecord("s1", "garage", None, "Gamma", SweepPlan("garage"), Phase.DONE, 1.0, 2.0, (POINT,))]

    async def log(self, source: str | None = None, limit: int = 500) -> Sequence[LogLine]:
        self._asked("log", source, limit)
        return [LogLine("garage", "hello", 999.0), LogLine("engine", "hot", 1000.0, Severity.WARNING)]

    async def follow(self, device: str, on: bool) -> None:
        self._asked("follow", device, on)

    async def acknowledge(self, alert_id: str) -> Alert:
        self._asked("acknowledge", alert_id)
        return msgspec.structs.replace(ALERT, acknowledged=True)

    async def save_miner(self, entry: MinerEntry, replaces: str | None = None) -> None:
        self._asked("save_miner", entry, replaces)

    async def remove_miner(self, name: str) -> None:
        self._asked("remove_miner", name)

    async def miners(self) -> Sequence[MinerEntry]:
        self._asked("miners")
        return self.entries

    async def discover(self, networks: Sequence[str]) -> Sequence[Found]:
        self._asked("discover", tuple(networks))
        return [Found("10.0.0.7", "axeos", "Gamma", known_as="garage")]

    async def faults_on(self, device: str) -> Sequence[str]:
        self._asked("faults_on", device)
        return ["hang"]

    async def faults(self) -> Mapping[str, str]:
        self._asked("faults")
        return {"fan-dead": "the fan stands still", "hang": "accepts and never answers"}

    async def fault(self, device: str, name: str, on: bool) -> None:
        self._asked("fault", device, name, on)

    async def shutdown(self) -> None:
        self._asked("shutdown")
        self.on_shutdown()

    async def close(self) -> None:
        self._asked("close")

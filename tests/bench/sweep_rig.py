"""A sweep on a simulated board in virtual time: a SweepSite without engine, sockets or waiting.

Writes take the kernel's ordered steps (one setting each, 25 MHz or 25 mV up), the time that proving each takes and the
engine's wait for heat between two raises of one order, so that device minutes are honest; more raises within an hour
than safety allows are refused as safety would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

from minertui.jobs.sweep import run
from minertui.model.commands import Command, Outcome, OutcomeState, Rank, Restart, Tune
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import JobView, Limits, Phase, SweepPlan, SweepPoint, SweepSample
from minertui.model.ranking import GUIDE_POWER_W, bounds
from minertui.model.status import MinerStatus
from minertui.safety import raising
from minertui.safety.kernel import decide
from minertui.safety.request import HOUR_S, RULES, Request
from minertui.safety.steps import Steps

T = TypeVar("T")

POLL_S = 5.0
PROVE_S = 6.0  # write, read back, see it followed
WARM_MOST_S = 180.0  # as the engine's: so long one step of a climb is waited for
_LIMITED = ("chip", "VR", "power", "fan")  # in the order of Felt
CAPS = Limits(max_mhz=1200, max_mv=1500, max_chip_temp_c=70, max_vr_temp_c=95, max_power_w=500)


@dataclass(frozen=True)
class Steady:
    """What a board does at rest and without noise."""

    ghs: float
    power_w: float
    chip_c: float
    vr_c: float
    fan_pct: float
    passes: bool


class Felt(NamedTuple):
    """What has limits, now and without noise: asked every second, so cheaper than all of the truth."""

    chip_c: float
    vr_c: float
    power_w: float
    fan_pct: float


Worth = Callable[[Steady], float]


class Rig(Protocol):
    """A board that can be driven; both board models of the benchmark are this."""

    def status(self) -> MinerStatus: ...
    def advance(self, seconds: float) -> None: ...
    def write(self, mhz: float, mv: float) -> None: ...
    def restart(self) -> None: ...
    def truth(self) -> Steady:
        """Now, noise-free; ``passes`` means nothing here."""
        ...

    def felt(self) -> Felt:
        """The part of ``truth`` that has limits."""
        ...

    def steady(self, mhz: float, mv: float, plan: SweepPlan) -> Steady: ...


@dataclass
class Excursions:
    """Seconds over each limit, by the true value."""

    seconds: dict[str, float] = field(default_factory=dict)

    def look(self, felt: Felt, plan: SweepPlan, dt_s: float) -> None:
        fan_pct = plan.max_fan_pct if plan.max_fan_pct is not None else 101.0
        limits = Felt(plan.max_chip_temp_c, plan.max_vr_temp_c, plan.max_power_w or GUIDE_POWER_W, fan_pct)
        for name, value, limit in zip(_LIMITED, felt, limits, strict=True):
            if value > limit:
                self.seconds[name] = self.seconds.get(name, 0.0) + dt_s


class RigSite:
    """The SweepSite of a rig."""

    def __init__(self, rig: Rig, plan: SweepPlan) -> None:
        self.rig, self.plan = rig, plan
        self.clock = 10_000.0
        self.points: list[SweepPoint] = []
        self.said: list[tuple[float, str]] = []
        self.sent: list[Command] = []
        self.raised: list[float] = []
        self.excursions = Excursions()
        self.concluded: Tune | None = None
        self.phase = Phase.WAITING
        self.note = ""
        status = rig.status()
        self._home = (status.frequency_mhz or 0.0, status.core_mv or 0.0)

    def live(self, seconds: float) -> None:
        left = seconds
        while left > 1e-9:
            dt = min(1.0, left)
            self.rig.advance(dt)
            self.excursions.look(self.rig.felt(), self.plan, dt)
            left -= dt
        self.clock += seconds

    def snapshot(self) -> Snapshot:
        status = self.rig.status()
        return Snapshot("a", status=status, at_s=self.clock, boot_s=self.clock, health=Health.OK, limits=Limits())

    async def next_snapshot(self, within_s: float | None = None) -> Snapshot:
        self.live(min(POLL_S, within_s or POLL_S))
        return self.snapshot()

    async def send(self, command: Command) -> Outcome:
        self.sent.append(command)
        if isinstance(command, Restart):
            self.rig.restart()
            self.live(1.0)
            return Outcome(OutcomeState.APPLIED)
        assert isinstance(command, Tune)
        snapshot = self.snapshot()
        decision = decide(
            Request(
                command, Rank.SWEEP, snapshot, self.clock, limits=CAPS, journalled=True,
                raised_s=tuple(t for t in self.raised if self.clock - t < HOUR_S),
            )
        )  # fmt: skip
        if not isinstance(decision, Steps):
            return Outcome(OutcomeState.REFUSED, decision.reason)
        for n, step in enumerate(decision.steps):
            assert isinstance(step.command, Tune)
            if n and decision.steps[n - 1].raises and self._beyond(step.command) and not self._warm():
                return Outcome(OutcomeState.REFUSED, "stopped on the way: no room yet")
            now = self.rig.status()
            self.rig.write(
                step.command.frequency_mhz or now.frequency_mhz or 0, step.command.core_mv or now.core_mv or 0
            )
            if step.raises:
                self.raised.append(self.clock)
            self.live(PROVE_S)
        return Outcome(OutcomeState.APPLIED)

    def _beyond(self, to: Tune) -> bool:
        return (to.frequency_mhz or 0) > self._home[0] or (to.core_mv or 0) > self._home[1]

    def _warm(self) -> bool:
        """The engine's wait between two raises of one order, above where the miner was at home."""
        then, ends_s = self.rig.status(), self.clock + WARM_MOST_S
        while True:
            self.live(RULES.dwell_s)
            now = self.rig.status()
            if raising.no_room(then, now, RULES.dwell_s, CAPS) is None:
                return True
            if self.clock >= ends_s:
                return False
            then = now

    async def conclude(self, settings: Tune | None) -> Outcome:
        self.concluded = settings
        if settings is not None:
            await self.send(settings)
        return Outcome(OutcomeState.APPLIED)

    async def think(self, work: Callable[[], T]) -> T:
        return work()

    async def keep(self, record: SweepPoint | SweepSample) -> None:
        if isinstance(record, SweepPoint):
            self.points = list({**{point.n: point for point in self.points}, record.n: record}.values())

    async def sleep(self, seconds: float) -> None:
        self.live(seconds)

    def now(self) -> float:
        return self.clock

    def log(self, text: str) -> None:
        self.said.append((self.clock, text))

    def report(self, phase: Phase, view: JobView, note: str = "", **progress: float | None) -> None:
        self.phase, self.note = phase, note


@dataclass(frozen=True)
class Result:
    """How one method did on one board."""

    minutes: float
    final: tuple[float, int]
    share: float
    excursions: dict[str, float]
    points: int
    note: str
    site: RigSite


def best_of(rig: Rig, plan: SweepPlan, start: tuple[float, int], worth: Worth) -> tuple[float, tuple[float, int]]:
    """The true best on the plan's steps under its limits: worth and settings."""
    within = bounds(plan)
    best, where = 0.0, start
    mhz = start[0] - int((start[0] - within.min_mhz) / plan.step_mhz) * plan.step_mhz
    while mhz <= within.max_mhz:
        mv = start[1] - int((start[1] - within.min_mv) / plan.step_mv) * plan.step_mv
        while mv <= within.max_mv:
            there = rig.steady(mhz, mv, plan)
            if there.passes and inside(there, plan) and worth(there) > best:
                best, where = worth(there), (mhz, mv)
            mv += plan.step_mv
        mhz += plan.step_mhz
    return best, where


def inside(there: Steady, plan: SweepPlan) -> bool:
    return (
        there.chip_c < plan.max_chip_temp_c
        and there.vr_c < plan.max_vr_temp_c
        and there.power_w <= (plan.max_power_w or GUIDE_POWER_W)
        and (plan.max_fan_pct is None or there.fan_pct <= plan.max_fan_pct)
    )


async def swept(rig: Rig, plan: SweepPlan, best: float, worth: Worth) -> Result:
    """Run the job on ``rig``."""
    site = RigSite(rig, plan)
    begun = site.clock
    await run(site, plan, ())
    end = site.rig.status()
    final = (end.frequency_mhz or 0.0, int(end.core_mv or 0))
    there = rig.steady(*final, plan)
    share = worth(there) / best if there.passes and best else 0.0
    return Result((site.clock - begun) / 60, final, share, site.excursions.seconds, len(site.points), site.note, site)

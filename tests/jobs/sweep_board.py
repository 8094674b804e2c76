"""A board made of three formulas, and a site that moves its clock instead of waiting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from minertui.model.commands import Command, Outcome, OutcomeState, Restart, Tune
from minertui.model.errors import Preempted, Stopped
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import JobView, Limits, Phase, Strategy, SweepPlan, SweepPoint, SweepSample, SweepView
from minertui.model.status import Ability, ChipStatus, MinerStatus

T = TypeVar("T")

POLL_S = 5.0
LIVE = frozenset({Ability.TUNE, Ability.TUNE_LIVE, Ability.RESTART})


@dataclass
class Board:
    """One miner. ``top_mhz`` is what it hashes cleanly at a voltage; above, errors grow with the distance."""

    mhz: float = 500
    mv: int = 1150
    cores: float = 2.04  # GH/s per MHz
    top_mhz: Callable[[int], float] = lambda mv: 500 + (mv - 1150) * 1.0
    chip_c: Callable[[float, int], float] = lambda mhz, mv: 25 + mhz * mv * mv / 2.4e7
    power_w: Callable[[float, int], float] = lambda mhz, mv: mhz * mv * mv / 4e7
    vr_c: float | None = 55.0
    input_mv: float = 5000
    nominal_v: float | None = 5
    reports_errors: bool = True
    reports_expected: bool = True
    silent_chip: bool = False
    abilities: frozenset[Ability] = LIVE
    actual: bool = True
    extra: dict[str, object] = field(default_factory=dict)  # what the next readings say instead

    def read(self, now_s: float, booted_s: float) -> MinerStatus:
        over = max(0.0, self.mhz - self.top_mhz(self.mv))
        ratio = 1.0 - over / 50
        wobble = 1 + 0.002 * ((now_s // POLL_S) % 5 - 2)
        rate = self.cores * self.mhz * ratio * wobble * (0.5 if self.silent_chip else 1)
        fields: dict[str, object] = {
            "mac": "AA:BB:CC:00:00:01",
            "chip": "BM1370",
            "chip_count": 2 if self.silent_chip else 1,
            "small_cores": 1020 if self.silent_chip else 2040,
            "abilities": self.abilities,
            "hashrate_ghs": rate,
            "expected_ghs": self.cores * self.mhz if self.reports_expected else None,
            "error_pct": 0.1 + over / 4 if self.reports_errors and not self.silent_chip else None,
            "chips": (ChipStatus(rate), ChipStatus(0.0)) if self.silent_chip else (),
            "power_w": self.power_w(self.mhz, self.mv),
            "input_mv": self.input_mv,
            "nominal_input_v": self.nominal_v,
            "core_mv": self.mv,
            "core_actual_mv": self.mv * 0.99,
            "frequency_mhz": self.mhz,
            "actual_mhz": self.mhz if self.actual else None,
            "chip_temp_c": self.chip_c(self.mhz, self.mv),
            "vr_temp_c": self.vr_c,
            "fan_auto": True,
            "fan_pct": 60.0,
            "uptime_s": now_s - booted_s,
            "paused": False,
        }
        return MinerStatus(**{**fields, **self.extra})  # type: ignore[arg-type]


@dataclass
class FakeSite:
    """A SweepSite. ``at`` holds (program time, what happens then) in order; nothing ever really waits."""

    board: Board = field(default_factory=Board)
    limits: Limits = field(default_factory=Limits)
    clock: float = 1000.0
    booted: float = 0.0
    misses: int = 0
    answers: bool = True
    incidents: int = 0
    refuse: Callable[[Tune], str | None] = lambda _: None
    unknown_once: bool = False
    at: list[tuple[float, Callable[[FakeSite], None]]] = field(default_factory=list)
    every: Callable[[FakeSite], None] = lambda _: None
    ending: Exception | None = None
    sent: list[Command] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)
    kept: list[SweepPoint | SweepSample] = field(default_factory=list)
    concluded: list[Tune | None] = field(default_factory=list)
    conclude_fails: Callable[[Tune | None], bool] = lambda _: False
    left: str = ""  # why a conclusion leaves it where it is
    reports: list[tuple[Phase, SweepView, str, dict[str, float | None]]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    down_until: float = 0.0
    last: Snapshot | None = None

    def __post_init__(self) -> None:
        self.own = self.board.mhz, self.board.mv

    @property
    def points(self) -> list[SweepPoint]:
        return list({record.n: record for record in self.kept if isinstance(record, SweepPoint)}.values())

    @property
    def samples(self) -> list[SweepSample]:
        return [record for record in self.kept if isinstance(record, SweepSample)]

    @property
    def tunes(self) -> list[Tune]:
        return [command for command in self.sent if isinstance(command, Tune)]

    @property
    def end(self) -> tuple[Phase, str]:
        return self.reports[-1][0], self.reports[-1][2]

    def snapshot(self) -> Snapshot:
        assert self.last is not None
        return self.last

    async def next_snapshot(self, within_s: float | None = None) -> Snapshot:
        self._stop()
        self.clock += min(POLL_S, within_s or POLL_S)
        while self.at and self.at[0][0] <= self.clock:
            self.at.pop(0)[1](self)
        self.every(self)
        self._stop()
        answers = self.answers and self.clock >= self.down_until
        self.misses = 0 if answers else self.misses + 1
        health = Health.OK if answers else Health.STALE if self.misses < 3 else Health.LOST
        if answers or self.last is None:
            status = self.board.read(self.clock, self.booted)
            self.last = Snapshot("a", status=status, at_s=self.clock, boot_s=self.clock, limits=self.limits)
        stale = self.last
        self.last = Snapshot(
            "a",
            status=stale.status,
            at_s=stale.at_s,
            boot_s=stale.boot_s,
            health=health,
            misses=self.misses,
            limits=self.limits,
            incidents=self.incidents,
        )
        return self.last

    async def send(self, command: Command) -> Outcome:
        self._stop()
        self.sent.append(command)
        self.sent_at.append(self.clock)
        if not self.answers:
            return Outcome(OutcomeState.UNKNOWN, "no answer")
        if isinstance(command, Restart):
            self.booted, self.down_until = self.clock + 20, self.clock + 20
            return Outcome(OutcomeState.APPLIED)
        assert isinstance(command, Tune)
        if self.unknown_once:
            self.unknown_once = False
            return Outcome(OutcomeState.UNKNOWN, "the answer was lost")
        why = self.refuse(command)
        if why:
            return Outcome(OutcomeState.REFUSED, why)
        assert command.frequency_mhz is not None
        assert command.core_mv is not None
        self.board.mhz, self.board.mv = command.frequency_mhz, command.core_mv
        return Outcome(OutcomeState.APPLIED)

    async def conclude(self, settings: Tune | None) -> Outcome:
        self.concluded.append(settings)
        if self.conclude_fails(settings):
            return Outcome(OutcomeState.REFUSED, "not now")
        if not self.left:
            at = settings or Tune(*self.own)
            self.board.mhz, self.board.mv = at.frequency_mhz or 0.0, at.core_mv or 0
        if self.last is not None:
            self.last = msgspec.structs.replace(self.last, status=self.board.read(self.clock, self.booted))
        return Outcome(OutcomeState.APPLIED, self.left)

    async def think(self, work: Callable[[], T]) -> T:
        return work()

    async def keep(self, record: SweepPoint | SweepSample) -> None:
        self.kept.append(record)

    async def sleep(self, seconds: float) -> None:
        self._stop()
        self.clock += seconds

    def now(self) -> float:
        return self.clock

    def log(self, text: str) -> None:
        self.said.append(text)

    def report(self, phase: Phase, view: JobView, note: str = "", **progress: float | None) -> None:
        assert isinstance(view, SweepView)
        self.reports.append((phase, view, note, progress))

    def _stop(self) -> None:
        if isinstance(self.ending, Stopped | Preempted):
            raise self.ending


def plan(**fields: object) -> SweepPlan:
    """The guide's plan with bigger steps, so that a whole walk is a dozen points."""
    usual: dict[str, object] = {
        "device": "a",
        "strategy": Strategy.GRID,
        "step_mhz": 10,
        "step_mv": 10,
        "min_mhz": 400,
        "max_mhz": 700,
        "min_mv": 1100,
        "max_mv": 1200,
    }
    return SweepPlan(**{**usual, **fields})  # type: ignore[arg-type]


def steps(points: list[SweepPoint]) -> list[tuple[float, int, str]]:
    """The walk as (MHz, mV, verdict)."""
    return [(p.mhz, p.mv, p.verdict.value) for p in points]

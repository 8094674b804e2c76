"""What a guard costs on a hot day: the temperature-control script's level rule, the guard that moves the frequency
alone, and the guard on the frontier that a sweep left, side by side in virtual time.

``python -m tests.bench.bench_guard [--short] [--seeds N]`` prints for each board and way:

    over     minutes that the true chip temperature is over the limit, and by how many °C at worst
    GH/s     mean of the true hashrate, restarts included
    J/TH     energy of the day by its hashes
    writes   settings written (the script's restarts are counted beside them)

A day: the room goes from 18 to 38 °C and back as a sine, with noise of half a degree that lasts for minutes. Boards:
two of the simulator and the differently built one of ``other_board``, fan automatic or full. All begin where an
adaptive sweep (limit 62 °C, in a room of 25 °C) left them, and have the same limit: 65 °C.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import statistics
from dataclasses import dataclass
from functools import cache

from minertui.jobs import guard
from minertui.jobs.sweep import run as sweep
from minertui.model.commands import Command, Outcome, OutcomeState, Tune, Word
from minertui.model.errors import Stopped
from minertui.model.fleet import Snapshot
from minertui.model.frontier import Known, known_of
from minertui.model.plans import GuardPlan, Phase, Strategy, SweepPlan, SweepRecord
from minertui.sim.axeos_models import FAMILIES
from tests.bench.figures import must
from tests.bench.other_board import OtherBoard
from tests.bench.pooled import told
from tests.bench.sweep_boards import SimulatorRig
from tests.bench.sweep_rig import RigSite

LIMIT_C = 65.0
BOARDS = (("gamma", "automatic"), ("supra", "full"), ("other", "automatic"))
WAYS = ("script", "frequency alone", "frontier")
_DAY_S = 86_400.0
_ROOM_C, _SWING_C, _NOISE_C, _NOISE_S = 28.0, 10.0, 0.5, 300.0
_SWEPT_C = 25.0

SimulatedRig = SimulatorRig | OtherBoard


@dataclass(frozen=True)
class Row:
    """How one way went on one board."""

    board: str
    way: str
    hours: float
    over_min: float
    worst_c: float
    ghs: float
    jth: float
    writes: int
    restarts: int


def made(family: str, fan: str, seed: int) -> SimulatedRig:
    """The board as a sweep finds it."""
    if family == "other":
        return OtherBoard(seed, fixed_fan=100.0 if fan == "full" else None)
    return SimulatorRig(family, seed, "v2.15.3", 0.06, full_fan=fan == "full")


def room(rig: SimulatedRig, ambient_c: float) -> None:
    """It is so warm around the board now."""
    if isinstance(rig, OtherBoard):
        rig.room0_c, rig.drift_c = ambient_c, 0.0
    else:
        rig.board.ambient_c = ambient_c


@cache
def known(family: str, fan: str, seed: int) -> tuple[Known, Tune]:
    """The frontier that a sweep of this board leaves, and what it leaves the board at."""
    rig = made(family, fan, seed)
    room(rig, _SWEPT_C)
    most_w = 28.0 if family == "other" else 0.9 * FAMILIES[family].max_power_w
    plan = SweepPlan("a", strategy=Strategy.ADAPTIVE, max_vr_temp_c=70, max_power_w=most_w)
    site, status = RigSite(rig, plan), rig.status()
    asyncio.run(sweep(site, plan, ()))
    record = SweepRecord(
        "s", "a", status.mac, None, plan, Phase.DONE, 0.0, points=tuple(site.points), chip=status.chip,
        firmware=status.firmware,
    )  # fmt: skip
    found = known_of(record)
    must(found is not None and site.concluded is not None, f"the sweep of {family}-{seed} left no frontier")
    assert found is not None
    assert site.concluded is not None
    return found, site.concluded


class Day(RigSite):
    """A GuardSite: a board through a day, or the first hours of it from ``begins_s``."""

    def __init__(self, rig: SimulatedRig, seed: int, hours: float, frontier: Known | None) -> None:
        self._dice, self._noise_c = random.Random(f"day-{seed}"), 0.0
        self.board, self.left = rig, frontier
        self.begins_s = 0.0 if hours >= 24 else 9 * 3600.0
        self.ends_s, self.day_s = self.begins_s + hours * 3600, self.begins_s
        super().__init__(rig, SweepPlan("a", max_chip_temp_c=LIMIT_C, max_vr_temp_c=200, max_power_w=1000))
        self.ghs_s = self.joules = self.worst_c = 0.0
        self.writes = self.restarts = 0

    def weather(self, seconds: float) -> None:
        fade = math.exp(-seconds / _NOISE_S)
        self._noise_c = fade * self._noise_c + math.sqrt(1 - fade * fade) * self._dice.gauss(0, _NOISE_C)
        room(self.board, _ROOM_C - _SWING_C * math.cos(2 * math.pi * self.day_s / _DAY_S) + self._noise_c)

    def live(self, seconds: float) -> None:
        left = seconds
        while left > 1e-9:
            dt = min(1.0, left)
            self.weather(dt)
            super().live(dt)
            truth = self.rig.truth()
            self.ghs_s += truth.ghs * dt
            self.joules += truth.power_w * dt
            self.worst_c = max(self.worst_c, truth.chip_c - LIMIT_C)
            self.day_s += dt
            left -= dt

    async def next_snapshot(self, within_s: float | None = None) -> Snapshot:
        if self.day_s >= self.ends_s:
            raise Stopped(final=True)
        return await super().next_snapshot(within_s)

    async def send(self, command: Command) -> Outcome:
        before = self.rig.status()
        outcome = await super().send(command)
        after = self.rig.status()
        self.writes += (before.frequency_mhz, before.core_mv) != (after.frequency_mhz, after.core_mv)
        return outcome

    async def conclude(self, settings: Tune | None) -> Outcome:
        return Outcome(OutcomeState.APPLIED)

    def yielding(self) -> bool:
        return False

    def word(self) -> Word:
        return Word()

    async def renewed(self, plan: GuardPlan) -> GuardPlan:
        return plan

    async def known(self) -> Known | None:
        return self.left

    async def room(self) -> tuple[float, float] | None:
        return None

    async def keep_room(self, room_c: float) -> None:
        pass


async def scripted(day: Day, first_mhz: float, second_mhz: float) -> None:
    """TEMP_THRESHOLD, FIRST, SECOND and MAX_FREQUENCY as the script uses them: a look every 5 minutes, each change
    with a restart, and 450 sent again and again where 450 is still too hot."""
    changed_s, temps = -math.inf, list[tuple[float, float]]()
    while day.day_s < day.ends_s:
        status = day.rig.status()
        temp, runs = status.chip_temp_c or 0.0, status.frequency_mhz or 0.0
        temps = [(at, t) for at, t in [*temps, (day.day_s, temp)] if day.day_s - at <= 3600]
        to = None
        if temp > LIMIT_C:
            to = max(second_mhz, first_mhz - 50)
        elif runs < first_mhz and day.day_s - changed_s >= 3600 and _cool(temp, temps):
            to = min(runs + 25, first_mhz)
        if to is not None:
            day.rig.write(to, status.core_mv or 0)
            day.rig.restart()
            day.writes, day.restarts, changed_s = day.writes + (to != runs), day.restarts + 1, day.day_s
        day.live(300)


def _cool(temp: float, temps: list[tuple[float, float]]) -> bool:
    return temp < LIMIT_C - 1 and statistics.fmean(t for _, t in temps) <= LIMIT_C


def lived(family: str, fan: str, seed: int, way: str, hours: float) -> Row:
    """A day of this board."""
    left, best = known(family, fan, seed)
    rig = made(family, fan, seed)
    day = Day(rig, seed, hours, left if way == "frontier" else None)
    day.weather(0.0)
    rig.write(best.frequency_mhz or 0, best.core_mv or 0)
    rig.advance(1800)
    if way == "script":
        asyncio.run(scripted(day, best.frequency_mhz or 0, 0.7 * (best.frequency_mhz or 0)))
    else:
        asyncio.run(guard.run(day, GuardPlan("a", max_chip_temp_c=LIMIT_C)))
    took_s = day.day_s - day.begins_s
    return Row(
        f"{family}-{seed}, fan {fan}", way, took_s / 3600, day.excursions.seconds.get("chip", 0.0) / 60, day.worst_c,
        day.ghs_s / took_s, day.joules / (day.ghs_s / 1000), day.writes, day.restarts,
    )  # fmt: skip


def line(row: Row) -> str:
    """A row for people."""
    worst = f"{row.worst_c:+5.1f} °C"
    return (
        f"{row.board:24} {row.way:16} over {row.over_min:6.1f} min, worst {worst}  {row.ghs:8.1f} GH/s  "
        f"{row.jth:6.2f} J/TH  {row.writes:4} writes  {row.restarts:4} restarts"
    )


def summary(rows: list[Row]) -> list[str]:
    """By way: sums, and the hashrate as a share of what the frequency alone brings on the same board."""
    alone = {row.board: row.ghs for row in rows if row.way == "frequency alone"}
    lines = []
    for way in WAYS:
        of = [row for row in rows if row.way == way]
        share = statistics.fmean(row.ghs / alone[row.board] for row in of)
        lines.append(
            f"all: {way:16} over {statistics.fmean(r.over_min for r in of):6.1f} min, worst "
            f"{max(r.worst_c for r in of):+5.1f} °C, hashrate {share:7.2%} of frequency alone, "
            f"{statistics.fmean(r.jth for r in of):6.2f} J/TH, {statistics.fmean(r.writes for r in of):5.1f} writes "
            f"(most {max(r.writes for r in of)}), {statistics.fmean(r.restarts for r in of):4.1f} restarts"
        )
    return lines


def _lived(job: tuple[str, str, int, str, float]) -> Row:
    return lived(*job)


def main() -> None:
    """Print it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="two hours of one board: does it work at all?")
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()
    boards, seeds, hours = (BOARDS[-1:], 1, 2.0) if args.short else (BOARDS, args.seeds, 24.0)
    todo = [(family, fan, seed, way, hours) for family, fan in boards for seed in range(seeds) for way in WAYS]
    told(_lived, todo, line, summary)


if __name__ == "__main__":
    main()

"""What a sweep costs and finds: the guide's walk, `grid` and `adaptive` side by side, in virtual time.

``python -m tests.bench.bench_sweep [--short] [--all] [--seeds N] [--first SEED] [--only adaptive]`` prints for each
board and method:

    min     device minutes
    final   MHz / mV it is left at
    share   true steady hashrate there, of the true best under the same limits (noise-free); 0 when it would not pass
    over    seconds over a limit by the true value, chip, VR or power; "-": none

Boards: four chips of the simulator (BM1370, BM1368, BM1366 and six BM1366 on a Hex), so many seeds of silicon each,
at two levels of noise, with a firmware that reports errors (v2.15.3) and one that does not (v2.9.0), the fan at full
speed; with ``--all`` the differently built board of ``other_board`` as well, and all of them with an automatic fan,
which takes two and a half times as long. The limits are the plan's own (62 °C, 65 °C), power and voltage those of
the board.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

from minertui.model.plans import Strategy, SweepPlan
from minertui.sim.axeos_models import FAMILIES
from tests.bench.other_board import OtherBoard
from tests.bench.pooled import told
from tests.bench.sweep_boards import SimulatorRig
from tests.bench.sweep_guide import guided
from tests.bench.sweep_rig import Rig, Steady, best_of, swept

FAMILIES_MEASURED = ("gamma", "supra", "ultra", "hex")
NOISES = (0.06, 0.12)
REPORTING, SILENT = "v2.15.3", "v2.9.0"
FANS = ("full", "auto")
METHODS = ("guide", "grid", "adaptive")
FIRST_SEED = 900  # boards that no number of the strategy was chosen on


@dataclass(frozen=True)
class Case:
    """One board under one method."""

    family: str
    seed: int
    noise: float
    reports: bool
    method: str
    fan: str = "full"

    @property
    def board(self) -> str:
        """Name of the board, the same for all methods."""
        errors = "errors" if self.reports else "silent"
        return f"{self.family}-{self.seed} {errors} {self.noise:.0%} fan {self.fan}"


@dataclass(frozen=True)
class Row:
    """How it went."""

    case: Case
    minutes: float
    final: tuple[float, int]
    share: float
    over: dict[str, float]
    points: int


def cases(
    families: tuple[str, ...],
    seeds: range,
    methods: tuple[str, ...],
    noises: tuple[float, ...],
    fans: tuple[str, ...] = FANS[:1],
) -> Iterator[Case]:
    """All of them, a board's methods together and a seed's boards before the next one's. The guide looks at no errors:
    it walks once."""
    for seed, fan, family, noise, reports, method in product(seeds, fans, families, noises, (True, False), methods):
        if reports or method != "guide":
            yield Case(family, seed, noise, reports, method, fan)


def ghs(there: Steady) -> float:
    """What the benchmark's goal, the highest hashrate, counts."""
    return there.ghs


def made(case: Case) -> tuple[Rig, SweepPlan, tuple[float, int]]:
    """The board, the plan and where it starts."""
    strategy = Strategy.ADAPTIVE if case.method == "adaptive" else Strategy.GRID
    if case.family == "other":
        other = OtherBoard(case.seed, reports=case.reports, fixed_fan=100.0 if case.fan == "full" else None)
        other.noise = case.noise
        return other, SweepPlan("a", strategy=strategy, max_vr_temp_c=70), (500.0, 1150)
    family = FAMILIES[case.family]
    rig = SimulatorRig(
        case.family, case.seed, REPORTING if case.reports else SILENT, case.noise, full_fan=case.fan == "full"
    )
    plan = SweepPlan("a", strategy=strategy, max_power_w=0.9 * family.max_power_w, max_mv=max(1200, family.stock_mv))
    return rig, plan, (float(family.stock_mhz), family.stock_mv)


@cache
def best_there(family: str, seed: int, fan: str) -> float:
    """The true best of a board. Neither firmware nor noise changes it, so it is looked for once."""
    best, _ = best_of(*made(Case(family, seed, NOISES[0], True, "adaptive", fan)), ghs)
    return best


def measured(case: Case) -> Row:
    """Run it."""
    rig, plan, _ = made(case)
    best = best_there(case.family, case.seed, case.fan)
    if case.method == "guide":
        result = asyncio.run(guided(rig, plan, best, ghs))
    else:
        result = asyncio.run(swept(rig, plan, best, ghs))
    return Row(case, result.minutes, result.final, result.share, result.excursions, result.points)


def line(row: Row) -> str:
    """A row for people."""
    over = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in row.over.items()) or "-"
    mhz, mv = row.final
    return (
        f"{row.case.board:24} {row.case.method:9} {row.minutes:7.1f} min  {mhz:6g} / {mv:4}  {row.share:7.2%}  "
        f"{row.points:3} points  {over}"
    )


def summary(rows: list[Row]) -> list[str]:
    """Medians and the worst, by firmware, fan and method."""
    lines = []
    for reports, fan, method in product((True, False), FANS, METHODS):
        of = [r for r in rows if (r.case.reports, r.case.fan, r.case.method) == (reports, fan, method)]
        if of:
            lines.append(f"{'errors reported' if reports else 'no error figure'}, fan {fan:4}  {method:9}{_sums(of)}")
    return lines


def _sums(rows: list[Row]) -> str:
    shares, minutes = [r.share for r in rows], [r.minutes for r in rows]
    return (
        f"{len(rows):4} boards: median {statistics.median(minutes):6.1f} min (most {max(minutes):6.1f}), "
        f"share median {statistics.median(shares):7.2%} worst {min(shares):7.2%}, "
        f"{sum(s >= 0.99 for s in shares)} of {len(shares)} at 99 % or more, "
        f"{sum(bool(r.over) for r in rows)} over a limit"
    )


def main() -> None:
    """Print it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="two boards, adaptive and grid: does it work at all?")
    parser.add_argument("--all", action="store_true", help="the other model of a board too, and automatic fans")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument(
        "--first", type=int, default=FIRST_SEED, help="the first seed: the strategy was tuned on 0 to 5 and 200 to 805"
    )
    parser.add_argument("--only", choices=METHODS, action="append")
    args = parser.parse_args()
    methods = tuple(args.only or METHODS)
    if args.short:
        todo = list(cases(("gamma", "other"), range(1), ("adaptive",), NOISES[:1]))
    else:
        families, fans = ((*FAMILIES_MEASURED, "other"), FANS) if args.all else (FAMILIES_MEASURED, FANS[:1])
        todo = [*cases(families, range(args.first, args.first + args.seeds), methods, NOISES, fans)]
    told(measured, todo, line, summary)


if __name__ == "__main__":
    main()

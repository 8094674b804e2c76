"""Firmware that reports no errors: what the hashrate alone tells, and that luck does not pass for evidence."""

from __future__ import annotations

import math
import random
import statistics

from minertui.jobs.sweep import evidence, silent
from minertui.model.plans import PointVerdict, SweepPlan, SweepPoint
from minertui.model.status import MinerStatus


def share(mhz: float, mv: float) -> float:
    """A board: 3 % lost at 600 MHz / 1150 mV, e times as much for 12 mV less or 20 MHz more."""
    return 1.005 - 0.03 * math.exp((mhz - 600) / 20 - (mv - 1150) / 12)


def seen(dice: random.Random, mhz: float, mv: int, samples: int) -> SweepPoint:
    rates = [share(mhz, mv) * (1 + dice.gauss(0, 0.1)) * 2 * mhz for _ in range(samples)]
    return SweepPoint(
        1, mhz, mv, PointVerdict.PASSED, hashrate_ghs=statistics.fmean(rates), expected_ghs=2 * mhz, samples=samples,
        hashrate_sd_ghs=statistics.stdev(rates),
    )  # fmt: skip


def spread_at(rows: list[SweepPoint], mhz: float, mv: int) -> tuple[float, float]:
    home = rows[0]
    found = [
        board.r0 - math.exp(min(0.0, board.c + board.a * (mv - home.mv) + board.b * (mhz - home.mhz)))
        for board in silent.boards(silent.settings(rows), -1 / 15, 0.5 / 15, 1.0, 0.02)
    ]
    return statistics.fmean(found), statistics.pstdev(found)


def test_a_few_noisy_points_tell_the_curve_between_them():
    dice = random.Random(3)
    rows = [seen(dice, mhz, mv, 60) for mhz, mv in [(500, 1150), (610, 1150), (640, 1150), (650, 1200), (630, 1180)]]
    mean, spread = spread_at(rows, 620, 1165)
    assert abs(mean - share(620, 1165)) < 0.015
    assert spread < 0.015


def test_what_was_not_looked_at_stays_unknown():
    dice = random.Random(4)
    rows = [seen(dice, 500, 1150, 60)]
    assert spread_at(rows, 500, 1150)[1] < 0.015
    assert spread_at(rows, 640, 1150)[1] > 0.1


def test_the_same_points_give_the_same_boards():
    rows = [seen(random.Random(5), 500, 1150, 60)]
    seen_ = silent.settings(rows)
    assert silent.boards(seen_, -1 / 15, 1 / 30, 1.0, 0.02) == silent.boards(seen_, -1 / 15, 1 / 30, 1.0, 0.02)


def soaked(seed: int, true_share: float) -> bool:
    """A soak that ends as the job would end it: as soon as the evidence suffices, or at its time."""
    dice, plan, readings = random.Random(seed), SweepPlan(), list[MinerStatus]()
    while not evidence.enough(plan, readings, 5.0 * len(readings), soak=True):
        rate = 1000 * true_share * (1 + dice.gauss(0, 0.12))
        readings.append(MinerStatus(hashrate_ghs=rate, expected_ghs=1000.0))
    mean = statistics.fmean(s.hashrate_ghs or 0.0 for s in readings)
    point = SweepPoint(1, 600, 1150, PointVerdict.PASSED, hashrate_ghs=mean, expected_ghs=1000.0)
    return evidence.judged(plan, point, readings, soak=True).passed


def test_a_setting_just_under_the_tolerance_is_hardly_ever_taken_for_stable():
    assert sum(soaked(seed, 0.935) for seed in range(60)) <= 3


def test_a_good_setting_is_confirmed_nearly_always():
    assert sum(soaked(seed, 0.985) for seed in range(40)) >= 36

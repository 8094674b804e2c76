"""What long looks have shown beyond the form of the curve, and how much readings that remember each other tell."""

from __future__ import annotations

import math
import random
import statistics
from dataclasses import replace

import msgspec
import pytest

from minertui.jobs.sweep import evidence, ramp, residue, stats
from minertui.jobs.sweep.adaptive import CONTENDERS, GAIN, next_target
from minertui.jobs.sweep.curves import Curves, ratios
from minertui.jobs.sweep.residue import Residue, Seen
from minertui.jobs.sweep.state import State
from minertui.jobs.sweep.surface import Surface
from minertui.jobs.sweep.thermal import Trace
from minertui.jobs.sweep.walk import Target
from minertui.model.plans import PointVerdict, Strategy, SweepPlan, SweepPoint
from minertui.model.ranking import bounds
from minertui.model.status import MinerStatus

A, B = -1 / 15, 1 / 30


def corrected(seen: list[Seen], off: float, mv: float, mhz: float) -> tuple[float, float]:
    """Mean and spread over 64 equal boards of what is added at a setting, where all are ``off`` at all of ``seen``."""
    found = Residue(seen, A, B, [[off] * len(seen)] * 64).corrections(mv, mhz, 0.01)
    return statistics.fmean(found), statistics.pstdev(found)


def test_a_setting_that_was_looked_at_for_long_is_what_it_showed_and_others_near_it_partly():
    seen = [Seen(0, 0, 0.95, 0.0005**2, 0.01)]
    mean, spread = corrected(seen, 0.01, 0, 0)
    assert mean == pytest.approx(0.01, rel=0.05)
    assert spread < 0.001
    near, far = corrected(seen, 0.01, 0, 30)[0], corrected(seen, 0.01, 0, 300)[0]
    assert near == pytest.approx(0.01 * math.exp(-1), rel=0.05)  # one e-fold away
    assert abs(far) < 0.0001


def test_a_short_look_hardly_corrects_and_leaves_open_what_it_does_not_know():
    mean, spread = corrected([Seen(0, 0, 0.95, 0.04**2, 0.01)], 0.04, 0, 0)
    assert mean == pytest.approx(0.04 / 17, rel=0.3)
    assert spread == pytest.approx(0.0097, rel=0.2)


def test_two_looks_that_differ_only_in_place_count_as_one_fact_about_the_form():
    once = corrected([Seen(0, 0, 0.95, 0.005**2, 0.01)], 0.01, 0, 5)[0]
    twice = corrected([Seen(0, 0, 0.95, 0.005**2, 0.01), Seen(0, 10, 0.95, 0.005**2, 0.01)], 0.01, 0, 5)[0]
    assert once < twice < 0.01


def test_many_settings_at_once_are_the_same_as_each_by_itself():
    curves = [
        Curves(-1.2, -0.07, 0.03, 0.14, 0.02, 550, 1150, lambda mhz: 1.0 - 0.0001 * (mhz - 500)),
        Curves(-4.0, -0.03, 0.06, 0.05, 0.00, 600, 1180, lambda _: 0.99),
    ]
    at = [(mhz, mv) for mv in (1000, 1145, 1200) for mhz in (400.0, 555.0, 700.0, 1150.0)]
    for one, found in zip(curves, ratios(curves, at), strict=True):
        assert found == pytest.approx([one.ratio(mhz, mv) for mhz, mv in at], abs=1e-12)


def noise(rho: float, seed: int, count: int = 400) -> list[float]:
    dice, value, found = random.Random(seed), 0.0, []
    for _ in range(count):
        value = rho * value + math.sqrt(1 - rho * rho) * dice.gauss(0, 0.1)
        found.append(1000 * (1 + value))
    return found


@pytest.mark.parametrize("rho", [0.0, 0.4, 0.7])
def test_what_readings_remember_is_found(rho):
    found = [stats.memory(noise(rho, seed)) or 0.0 for seed in range(10)]
    assert statistics.fmean(found) == pytest.approx(rho, abs=0.03)
    short = [stats.memory(noise(rho, seed, 20)) or 0.0 for seed in range(200)]
    assert statistics.fmean(short) == pytest.approx(rho, abs=0.16)


def test_too_few_readings_or_ones_that_stand_still_tell_nothing_of_it():
    assert stats.memory([1.0, 2.0, 3.0]) is None
    assert stats.memory([5.0] * 30) is None
    assert evidence.per_fact([SweepPoint(1, 500, 1150, PointVerdict.PASSED, samples=30)]) == 1.0


def readings(rates: list[float]) -> list[MinerStatus]:
    return [MinerStatus(hashrate_ghs=rate, expected_ghs=1000.0) for rate in rates]


def test_readings_that_remember_each_other_need_a_longer_look_and_a_longer_soak():
    plan, seen = SweepPlan(strategy=Strategy.ADAPTIVE), readings(noise(0.0, 7, 60))
    assert evidence.enough(plan, seen, 300, soak=False)
    assert not evidence.enough(plan, seen, 300, soak=False, per_fact=3.0)
    good = readings(noise(0.0, 7, 100))
    assert evidence.enough(plan, good, 500, soak=True)
    assert not evidence.enough(plan, good, 500, soak=True, per_fact=5.0)
    point = SweepPoint(1, 600, 1150, PointVerdict.PASSED, hashrate_ghs=1000.0, expected_ghs=1000.0)
    assert evidence.judged(plan, point, good, soak=True).passed
    assert not evidence.judged(plan, point, good, soak=True, per_fact=5.0).passed


def test_a_soak_counts_what_readings_remember_where_errors_are_reported_too():
    """A mean of the last minute that the firmware shows instead of readings passed a setting in four minutes."""
    plan = SweepPlan("a", strategy=Strategy.ADAPTIVE)
    at = Target(600, 1200, soak=True)
    state = State(plan, bounds(plan), at, at, restart=False, at=at, trail=(Trace(0.0, MinerStatus()),))
    for rho, ready in ((0.0, True), (0.7, False)):
        rates = noise(rho, 7, 60)
        about = [rate - statistics.fmean(rates) + 965 for rate in rates]  # 2.5 % over the tolerance
        seen = [msgspec.structs.replace(s, error_pct=0.1) for s in readings(about)]
        assert ramp.enough(replace(state, readings=tuple(seen)), 300.0) is ready
        assert ramp.enough(replace(state, readings=tuple(seen), at=Target(600, 1200)), 300.0)


def test_the_standard_error_of_a_mean_is_that_of_as_many_facts():
    seen = readings(noise(0.4, 1))
    assert evidence.per_fact([], seen) == pytest.approx(1.4 / 0.6, rel=0.3)
    alone, together = evidence.ratio_of(seen)[1], evidence.ratio_of(seen, 4.0)[1]
    assert together == pytest.approx(2 * alone)


def known(n: int, mhz: float, mv: int, samples: int) -> SweepPoint:
    """A board that loses 4 % at 600 MHz / 1200 mV, and e times as much 25 MHz further."""
    share = 1.0 - 0.04 * math.exp((mhz - 600) / 25 - (mv - 1200) / 14)
    return SweepPoint(
        n, mhz, mv, PointVerdict.PASSED, hashrate_ghs=2 * mhz * share, expected_ghs=2 * mhz, samples=samples,
        hashrate_sd_ghs=2 * mhz * 0.05, power_w=mhz * (mv / 1000) ** 2 / 40,
    )  # fmt: skip


KNOWN = [known(n, mhz, 1200, 4000) for n, mhz in enumerate((500.0, 560.0, 575.0, 585.0, 590.0, 600.0, 610.0))]


def test_of_settings_as_good_as_each_other_the_coolest_is_confirmed():
    plan = SweepPlan("a", strategy=Strategy.ADAPTIVE)
    answer = next_target(plan, bounds(plan), Target(500, 1200), KNOWN)
    assert isinstance(answer, Target)
    assert answer.soak
    fit = Surface(plan, KNOWN)
    best = max(fit.ghs(float(mhz), 1200) for mhz in range(560, 625, 5))
    assert (1 - 1.5 * GAIN) * best < fit.ghs(answer.mhz, answer.mv) < best


def test_a_decision_looks_closely_at_no_more_than_the_contenders(monkeypatch):
    looked: list[int] = []
    corrected_ = Surface.corrected

    def counted(self: Surface, at: list[tuple[float, float]], by: list[list[float]]) -> list[list[float]]:
        looked.append(len(at))
        return corrected_(self, at, by)

    monkeypatch.setattr(Surface, "corrected", counted)
    plan = SweepPlan("a", strategy=Strategy.ADAPTIVE)
    next_target(plan, bounds(plan), Target(500, 1200), KNOWN)
    assert looked
    assert max(looked) <= CONTENDERS + len(KNOWN)


def test_luck_is_kept_once_a_setting_and_not_once_a_length_of_sweep():
    held = residue._luck.cache_info().currsize
    lucks = [residue._lucks(7, settings) for settings in range(1, 31)]
    assert residue._luck.cache_info().currsize - held == 30
    assert [row[:3] for row in lucks[29]] == lucks[2]
    assert all(sorted(column) == sorted({*column}) for column in zip(*lucks[29], strict=True))

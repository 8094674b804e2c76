"""Errors that the firmware shows as a mean which forgets slowly: what they come to is told before they get there."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from minertui.jobs.sweep import evidence, lag
from minertui.model.plans import PointVerdict, SweepPlan, SweepPoint
from minertui.model.status import MinerStatus


def shown(keeps_s: float, before: float, now: float, count: int = 14, seed: int = 1) -> list[float]:
    """Readings every 5 s, the first 10 s after the errors went from ``before`` to ``now``; each second by chance a
    third more or less; the firmware shows what it keeps for ``keeps_s``."""
    dice, share = random.Random(seed), 1 - math.exp(-1 / keeps_s) if keeps_s else 1.0
    value, found = before, []
    for second in range(5 * count + 10):
        value += (now * (1 + dice.gauss(0, 0.3)) - value) * share
        if second >= 10 and second % 5 == 0:
            found.append(value)
    return found


@pytest.mark.parametrize("keeps_s", [10, 30, 60])
def test_what_errors_are_on_their_way_to_is_told(keeps_s):
    """With 0.8 % before and 0.2 % now their mean over a minute says 0.22 %, 0.34 %, 0.46 %."""
    for seed in range(10):
        values = shown(keeps_s, 0.8, 0.2, seed=seed)
        told = lag.memory(values)
        assert told is not None
        assert told.share == pytest.approx(math.exp(-5 / keeps_s), abs=0.12)
        mean, error = lag.level(values, lag.together([told]))
        assert mean == pytest.approx(0.2, abs=0.03)
        assert error < 0.02


def test_errors_shown_as_they_are_keep_their_mean():
    found = [lag.memory(shown(0, 0.8, 0.2, seed=seed)) for seed in range(20)]
    share = lag.together([told for told in found if told])
    assert share < 0.15
    values = shown(0, 0.8, 0.2)
    assert lag.level(values, 0.0)[0] == statistics.fmean(values)


def test_nothing_is_told_by_few_readings_or_without_a_change():
    assert lag.memory([0.3, 0.2, 0.3]) is None
    assert lag.memory([0.0] * 12) is None
    assert lag.together([]) == 0.0
    assert lag.level([], 0.9) == (0.0, math.inf)
    assert lag.level([0.2], 0.9) == (0.2, math.inf)


def test_a_point_is_judged_by_what_its_errors_come_to():
    plan = SweepPlan("a")
    readings = [MinerStatus(hashrate_ghs=1000.0, expected_ghs=1000.0, error_pct=value) for value in shown(60, 3.0, 0.5)]
    values = [s.error_pct or 0.0 for s in readings]
    seen = SweepPoint(
        1, 500, 1150, PointVerdict.PASSED, hashrate_ghs=1000, expected_ghs=1000, samples=14,
        error_pct=statistics.fmean(values),
    )  # fmt: skip
    assert (seen.error_pct or 0.0) > 1.4
    point = evidence.judged(plan, seen, readings, soak=False, remembered=evidence.remembered([], values))
    assert point.verdict is PointVerdict.PASSED
    assert point.error_pct == pytest.approx(0.5, abs=0.1)


def test_few_errors_need_not_be_known_to_a_hundredth():
    """At 0.1 % a firmware that counts single errors shows 0.0 or 0.2: the first point took six minutes."""
    dice = random.Random(3)
    readings = [
        MinerStatus(
            hashrate_ghs=1000 * (1 + dice.gauss(0, 0.06)), expected_ghs=1000.0, error_pct=dice.choice((0.0, 0.2))
        )
        for _ in range(40)
    ]
    assert evidence.enough(SweepPlan("a"), readings, 200.0, soak=False)

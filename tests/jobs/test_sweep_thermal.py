"""Where a temperature comes to rest, told before it is there: the fit, its margins, and when there is none."""

from __future__ import annotations

import math
import random

import msgspec
import pytest

from minertui.jobs.sweep import linear, thermal
from minertui.jobs.sweep.headroom import power_allowed
from minertui.jobs.sweep.thermal import Trace
from minertui.jobs.sweep.transient import SURE_C
from minertui.model.plans import PointVerdict, SweepPoint
from minertui.model.ranking import Bounds
from minertui.model.status import MinerStatus

WITHIN = Bounds(400, 1200, 1000, 1200, 62, 65, 28)


def climbing(
    to_w: float, seconds: float, *, tau_s: float = 70.0, noise_c: float = 0.3, seed: int = 1, fan: float = 100.0
) -> list[Trace]:
    """A regulator at 20 °C + 1.8 °C/W, read in whole degrees: 5 minutes at 22 W, then at ``to_w``."""
    dice, vr_c, trail = random.Random(seed), 20 + 1.8 * 22, []
    for n in range(int((300 + seconds) / 5)):
        watts = 22.0 if n < 60 else to_w
        vr_c += (20 + 1.8 * watts - vr_c) * (1 - math.exp(-5 / tau_s))
        shown = round(vr_c + dice.gauss(0, noise_c)) if noise_c else vr_c
        seen_w = watts * (1 + dice.gauss(0, 0.005))
        trail.append(Trace(5.0 * n, MinerStatus(chip_temp_c=50.0, vr_temp_c=shown, power_w=seen_w, fan_pct=fan)))
    return trail


def test_the_rest_is_known_long_before_it_is_reached():
    true_c = 20 + 1.8 * 24.5  # 64.1
    misses = []
    for seed in range(20):
        trail = climbing(24.5, 90, seed=seed)
        (rest,) = thermal.fitted(trail, WITHIN)
        mean, error = rest.rest_c(24.5)
        assert abs(mean - (trail[-1].status.vr_temp_c or 0.0)) < 4
        misses.append((mean - true_c) / error)
    assert max(abs(miss) for miss in misses) < 4
    assert sum(abs(miss) < 2 for miss in misses) >= 17


def two_masses(to_w: float, seconds: float, seed: int) -> list[Trace]:
    """A good sensor on a die that is warmer than its sink by 0.6 °C/W within seconds, the sink (1 °C/W) in minutes."""
    dice, sink_c, trail = random.Random(seed), 22 + 1.0 * 20, []
    for n in range(int((300 + seconds) / 5)):
        watts = 20.0 if n < 60 else to_w
        sink_c += (22 + watts - sink_c) * (1 - math.exp(-5 / 120))
        chip_c = round(8 * (sink_c + 0.6 * watts + dice.gauss(0, 0.08))) / 8
        seen_w = watts * (1 + dice.gauss(0, 0.005))
        trail.append(Trace(5.0 * n, MinerStatus(chip_temp_c=chip_c, vr_temp_c=50.0, power_w=seen_w, fan_pct=100.0)))
    return trail


def test_a_die_on_a_sink_is_not_taken_for_one_fast_mass():
    """It was thought to settle up to 1.4 °C too cool while it began to warm up, and went over its limit."""
    for seed in range(10):
        for seconds in (60, 120, 240):
            (rest,) = thermal.fitted(two_masses(24.0, seconds, seed), WITHIN)
            mean, error = rest.rest_c(24.0)
            assert 22 + 1.6 * 24.0 - mean < 3 * error + 0.05
            assert rest.allowed_w(thermal.SURE_Z) < 25.0  # where it settles at 62 °C


def test_the_power_allowed_is_on_the_safe_side_and_closes_in_on_the_true_one():
    true_w = (65 - 20) / 1.8
    early = [thermal.allowed_w(climbing(24.5, 60, seed=seed), WITHIN) or 0.0 for seed in range(10)]
    late = [thermal.allowed_w(climbing(24.5, 500, seed=seed), WITHIN) or 0.0 for seed in range(10)]
    assert max(early + late) < true_w
    assert min(late) > 0.98 * true_w
    assert sum(early) < sum(late)


def test_nothing_is_fitted_while_the_fan_has_an_answer_or_too_little_was_read():
    answering = [
        Trace(t.at_s, MinerStatus(vr_temp_c=63, power_w=24, fan_pct=80, fan_auto=True)) for t in climbing(24, 60)
    ]
    assert thermal.fitted(answering, WITHIN) == ()
    assert thermal.fitted(climbing(24.5, 200)[-10:], WITHIN) == ()
    assert thermal.awaited(climbing(24.5, 200)[-10:], WITHIN)
    assert not thermal.awaited(climbing(24.5, 60), WITHIN)
    assert thermal.fitted(climbing(17.0, 300), WITHIN) == ()  # far from any limit


def test_only_readings_since_the_fan_turned_as_now_count():
    slow = climbing(24.5, 100, fan=60.0)
    fast = [Trace(t.at_s + 400, t.status) for t in climbing(24.5, 100)]
    (mixed,), (alone,) = thermal.fitted(slow + fast, WITHIN), thermal.fitted(fast, WITHIN)
    assert mixed.rest_c(24.5)[0] == pytest.approx(alone.rest_c(24.5)[0], abs=1e-6)


@pytest.mark.parametrize(
    ("values", "spread_c", "hidden"),
    [([63, 64, 64], 0.0, 0.5), ([63, 64, 64], 1.0, 0.0), ([63.1, 64.02], 0.3, 0.0), ([63.25, 63.5], 0.0, 0.125)],
)
def test_what_rounding_may_hide(values, spread_c, hidden):
    assert thermal.hidden_c(values, spread_c) == pytest.approx(hidden, abs=1e-3)


def test_small_systems_are_solved():
    matrix = [[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]]
    back = [linear.times(matrix, row) for row in linear.inverted(matrix)]
    root = linear.lower(matrix)
    for i in range(3):
        for j in range(3):
            assert back[i][j] == pytest.approx(float(i == j), abs=1e-12)
            assert sum(root[i][k] * root[j][k] for k in range(3)) == pytest.approx(matrix[i][j])


def test_a_later_point_at_rest_far_from_every_limit_proves_a_pessimistic_fit_wrong() -> None:
    """A fit of two minutes said 16.5 W; 16.6 W then stood for minutes 6 °C under the limits."""
    within = Bounds(400, 1200, 1000, 1200, 62, 65, 28)
    fitted = SweepPoint(1, 625, 1196, PointVerdict.PASSED, power_w=17.0, chip_temp_c=57, samples=11, cooler_w=16.5)
    calm = SweepPoint(
        2, 610, 1186, PointVerdict.PASSED, power_w=16.6, chip_temp_c=56, vr_temp_c=59, samples=49, fan_pct=100
    )
    short = msgspec.structs.replace(calm, samples=11)
    assert power_allowed([fitted], within)[0] == pytest.approx(16.5)
    assert power_allowed([fitted, short], within)[0] == pytest.approx(16.5)
    regulator = (65 - SURE_C - 14) / (59 - 14)  # has less room than the chip
    assert power_allowed([fitted, calm], within)[0] == pytest.approx(16.6 * regulator)

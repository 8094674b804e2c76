"""What hashrate is left at any voltage: knees that are there are found, and those that are not are not."""

from __future__ import annotations

import math

import msgspec
import pytest

from minertui.jobs.sweep import ramp
from minertui.jobs.sweep.ceiling import Ceiling, Shown
from minertui.jobs.sweep.state import State
from minertui.jobs.sweep.walk import Target
from minertui.model.plans import PointVerdict, Strategy, SweepPlan, SweepPoint
from minertui.model.ranking import bounds

NOISE2 = 0.1**2 / 200  # of a setting that was looked at for a quarter of an hour


def board(*clocks: float, knee: float = 9e9, fall: float = 0.0, cost: float = 0.14) -> list[Shown]:
    """Settings on a board that is exactly what the formula says, with more errors at higher clocks."""
    errors = [0.05 + 0.002 * (mhz - clocks[0]) for mhz in clocks]
    shares = [1.01 - cost * e - fall * max(0.0, mhz - knee) for mhz, e in zip(clocks, errors, strict=True)]
    return [Shown(mhz, share, NOISE2, e) for mhz, share, e in zip(clocks, shares, errors, strict=True)]


def test_a_board_without_a_knee_is_not_given_one_where_it_was_measured() -> None:
    flat = Ceiling(board(500, 550, 600, 620, 640), 700)
    assert flat.at(500) - flat.at(640) < 0.003
    assert flat.at(500) == pytest.approx(1.01, abs=0.005)


def test_a_knee_is_found_between_the_settings_that_show_it() -> None:
    knee = Ceiling(board(500, 600, 620, 640, 660, knee=620, fall=1 / 620), 760)
    assert knee.at(500) - knee.at(615) < 0.005
    assert knee.at(500) - knee.at(660) == pytest.approx(40 / 620, abs=0.012)


def test_beyond_what_was_measured_a_knee_may_begin_at_any_clock() -> None:
    flat = Ceiling(board(500, 550, 600, 620, 640), 700)
    lost = [flat.at(640) - flat.at(mhz) for mhz in (650, 670, 690)]
    assert 0 < lost[0] < lost[1] < lost[2]


def test_what_errors_cost_is_told_from_the_points() -> None:
    assert Ceiling(board(500, 550, 600, 650, 700, cost=0.22), 750).cost > 0.165


def test_a_setting_where_the_hashrate_collapsed_bends_the_line_of_no_other() -> None:
    """Where errors run away a board lost 80 % at 1.9 %: by the line through that nothing passed at 0.1 %."""
    fine = board(500, 520, 540)
    collapsed = Ceiling([*fine, Shown(560, 0.2, NOISE2, 1.9)], 660)
    assert collapsed.cost < 0.25  # straight through that point it is 0.43
    assert collapsed.at(500) - 0.05 * collapsed.cost == pytest.approx(fine[0].ratio, abs=0.006)


def test_the_guesses_drawn_stand_for_all_of_them() -> None:
    ceiling = Ceiling([s._replace(noise2=0.0004) for s in board(500, 600, 620, 640, knee=600, fall=0.001)], 700)
    drawn = ceiling.sample(16, 640)
    assert len(drawn) == 16
    assert sum(guess.weight for guess in ceiling.guesses) == pytest.approx(1)
    lost, on_average = (sum(g.at(500) - g.at(640) for g in drawn) / 16, ceiling.at(500) - ceiling.at(640))
    assert lost == pytest.approx(on_average, abs=0.002)
    assert all(math.isfinite(guess.cost) and guess.cost > 0 for guess in ceiling.guesses)


def measured(n: int, mhz: float, ratio: float, samples: int, *, soak: bool = False) -> SweepPoint:
    point = SweepPoint(n, mhz, 1200, PointVerdict.PASSED, hashrate_ghs=2 * mhz * ratio, expected_ghs=2 * mhz)
    return msgspec.structs.replace(point, power_w=1.2**2 * mhz / 40, error_pct=0.1, samples=samples, soak=soak)


def test_what_came_after_a_soak_counts_for_it_too() -> None:
    """A soak that read 3 % high is not believed for ever: hundreds of readings beside it say otherwise."""
    plan = SweepPlan("a", strategy=Strategy.ADAPTIVE)
    home = Target(500, 1200)
    state = State(plan, bounds(plan), home, home, restart=False)
    points = ramp.weighed(state, (measured(1, 500, 1.0, 300), measured(2, 600, 1.03, 24, soak=True)))
    before = points[1].likely_ghs
    after = ramp.weighed(state, (*points, measured(3, 605, 0.97, 300)))[1].likely_ghs
    assert before is not None
    assert after is not None
    assert after < before - 5

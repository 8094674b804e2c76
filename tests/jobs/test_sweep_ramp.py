"""The way to a point in live steps: what is measured where it ends, and what a climb teaches about the fan."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from minertui.jobs.sweep import pace, ramp, transient
from minertui.jobs.sweep.pace import Do
from minertui.jobs.sweep.state import State
from minertui.jobs.sweep.thermal import Trace
from minertui.jobs.sweep.walk import Target
from minertui.model.plans import Strategy, SweepPlan
from minertui.model.ranking import bounds
from minertui.model.status import MinerStatus

HOME, AIM = Target(525, 1150), Target(650, 1150, "the best", soak=True)


@pytest.mark.parametrize(("here", "soak"), [(Target(645, 1150), False), (Target(650, 1150), True)])
def test_what_was_to_be_confirmed_and_is_not_reached_is_only_looked_at(here: Target, soak: bool) -> None:
    plan = SweepPlan("a", strategy=Strategy.ADAPTIVE, max_power_w=25.0)
    near = MinerStatus(chip_temp_c=50.0, vr_temp_c=50.0, power_w=24.84, fan_pct=100.0)  # no room for one step more
    state = State(
        plan, bounds(plan), HOME, HOME, restart=False, at=AIM, rung=here, here=here, origin=HOME,
        trail=tuple(Trace(5.0 * n, near) for n in range(60)), changed_s=20.0,
    )  # fmt: skip
    after, do = ramp.climbed(state)
    assert do is Do.MEASURE
    assert after.at is not None
    assert pace.same(after.at, here)
    assert (after.at.soak, after.at.why) == (soak, "the best")


def test_a_regulator_that_cannot_be_believed_does_not_cool_the_mean() -> None:
    plan = SweepPlan("a", strategy=Strategy.ADAPTIVE)
    state = State(plan, bounds(plan), HOME, HOME, restart=False, at=AIM)
    for n, vr_c in enumerate((60.0, 60.0, -1.0)):
        state = ramp.seen(state, MinerStatus(chip_temp_c=50.0, vr_temp_c=vr_c), 5.0 * n)
    assert transient.smoothed(state.trail, lambda s: s.vr_temp_c) == 60.0


def test_what_the_fan_does_about_a_climb_is_seen_through_whole_degrees() -> None:
    """A step of 2 % every 40 s, of which the regulator keeps a fifth: what is learned stays near to that."""
    dice, heat, climb, trail = random.Random(1), 1.0, [(0.0, 1.0)], list[Trace]()
    for n in range(120):
        if n % 8 == 0:
            heat *= 1.02
            climb.append((5.0 * n, heat))
        shown = sum((b / a - 1) * 52 * 0.2 for (_, a), (_, b) in pairwise(climb))
        vr_c = round(62 + shown + dice.gauss(0, 0.3))
        trail.append(Trace(5.0 * n, MinerStatus(chip_temp_c=60.0, vr_temp_c=vr_c, fan_pct=60.0 + n / 4, fan_auto=True)))
    learned = [
        transient.learned(trail[:n], [c for c in climb if c[0] <= 5.0 * n], transient.WORST) for n in range(60, 120, 5)
    ]
    assert max(response.vr for response in learned) < 0.6
    assert min(response.vr for response in learned) >= transient.LEAST_ANSWER


def test_a_sweep_that_is_over_a_limit_before_its_first_reading_does_not_climb_at_once() -> None:
    plan = SweepPlan("a", strategy=Strategy.ADAPTIVE)
    after = ramp.begun(State(plan, bounds(plan), AIM, HOME, restart=True, at=AIM, here=HOME))
    assert after.at is not None
    assert pace.same(after.at, HOME)

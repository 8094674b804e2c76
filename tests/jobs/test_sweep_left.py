"""After a limit: what is left in time is lowered at once and waited for to cool, is not tried for ever, and what passed
before with as much heat no longer counts."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from minertui.jobs.sweep import adaptive, pace, ramp, transient
from minertui.jobs.sweep.headroom import heat, heat_allowed, overtaken
from minertui.jobs.sweep.pace import AS_FAR, Do
from minertui.jobs.sweep.state import State
from minertui.jobs.sweep.surface import Surface
from minertui.jobs.sweep.thermal import Trace
from minertui.jobs.sweep.walk import Finish, Target
from minertui.model.plans import PointVerdict, Strategy, SweepPlan, SweepPoint
from minertui.model.ranking import Bounds
from minertui.model.status import MinerStatus

PLAN = SweepPlan("a", strategy=Strategy.ADAPTIVE)
WITHIN = Bounds(400, 1200, 1000, 1200, 62, 65, 28)
HERE = Target(545, 1166)


def point(n: int, mhz: float, mv: int, verdict: PointVerdict = PointVerdict.PASSED, **fields: Any) -> SweepPoint:
    usual = {"expected_ghs": 2 * mhz, "hashrate_ghs": 2 * mhz, "samples": 12, "error_pct": 0.02}
    return SweepPoint(n, mhz, mv, verdict, **{**usual, "power_w": (mv / 1000) ** 2 * mhz / 40, **fields})


def trail(seconds: int = 60, **fields: Any) -> tuple[Trace, ...]:
    usual: dict[str, Any] = {"chip_temp_c": 50.0, "vr_temp_c": 50.0, "power_w": 20.0, "fan_pct": 100.0}
    return tuple(Trace(float(n), MinerStatus(**{**usual, **fields})) for n in range(0, seconds, 5))


def left_at(target: Target, readings: tuple[Trace, ...]) -> State:
    begun = State(PLAN, WITHIN, Target(490, 1166), Target(490, 1166), restart=False, here=HERE, left=True)
    return ramp.begun(State(**{**vars(begun), "at": target, "trail": readings}))


def test_a_probe_down_from_what_was_left_for_heat_begins_cooler_and_waits():
    """It looked for its limit before its first step down, so a hot miner stayed where it was, for hours."""
    probe = Target(545, 1016, "voltage down until errors begin to show", probe=True)
    state = left_at(probe, trail(chip_temp_c=61.9))
    assert state.easing
    assert state.told == Target(545, 1136)
    assert pace.heat(state.told) <= 0.95 * pace.heat(HERE) < pace.heat(Target(545, 1141))
    assert left_at(probe, trail(power_w=28.1)).told == Target(545, 1136)
    assert not left_at(probe, trail(power_w=28.1)).easing


def test_a_target_nearby_is_gone_to_once_it_has_cooled():
    state = left_at(Target(540, 1166), trail(chip_temp_c=61.9))
    assert state.told == Target(515, 1166)
    hot = State(**{**vars(state), "here": state.told, "changed_s": 40.0, "trail": trail(chip_temp_c=61.9)})
    assert ramp.climbed(hot)[1] is Do.WAIT
    cool = State(**{**vars(hot), "trail": trail(chip_temp_c=61.0)})
    assert not ramp.climbed(cool)[0].easing
    stuck = State(**{**vars(hot), "trail": trail(120, chip_temp_c=61.9)})
    state, do = ramp.climbed(stuck)
    assert (do, state.told) == (Do.BACK, Target(485, 1166))


def test_a_fan_that_answers_is_no_reason_to_go_back_and_forth_at_a_limit_of_power():
    """3 % less clock, up again, and so on: 60 raises within an hour, and the sweep was over."""
    way = pace.Way(Target(490, 1166), HERE, Target(690, 1166))
    readings = trail(power_w=27.98, fan_pct=70.0, fan_auto=True)
    assert pace.on_the_way(PLAN, WITHIN, way, readings, 20.0, 0.0).do is Do.LEAVE
    hot = trail(chip_temp_c=62.0, fan_pct=70.0, fan_auto=True)
    assert pace.on_the_way(PLAN, WITHIN, way, hot, 20.0, 0.0).do is Do.BACK


def test_whole_watts_and_a_sagging_input_are_left_in_time():
    assert transient.leaving(trail(power_w=27.6, input_mv=5100), 20.0, 0.0, WITHIN) is None
    whole = transient.leaving(trail(power_w=28.0), 20.0, 0.0, Bounds(400, 1200, 1000, 1200, 62, 65, 28.2))
    assert whole is not None
    assert "power" in whole
    sag = transient.leaving(trail(input_mv=4801), 20.0, 0.0, WITHIN)
    assert sag is not None
    assert "input" in sag
    share, why = transient.room(trail(input_mv=4850), 20.0, 0.0, WITHIN, transient.WORST)
    assert share == pytest.approx((700 - 4.8 - 650) / 650, abs=1e-3)
    assert "input" in why


def test_as_much_heat_as_where_a_limit_was_touched_is_not_aimed_at():
    """An input that sagged out of its window ended points before they were read, and each was tried again."""
    touched = point(3, 580, 1200, PointVerdict.LIMIT, power_w=None)
    assert heat_allowed([touched, point(4, 500, 1150)]) == pytest.approx(0.998 * heat(touched))
    left = point(3, 580, 1200, PointVerdict.LIMIT, reason="left in time: chip is at 62", fan_pct=100)
    assert heat_allowed([left]) == pytest.approx(0.992 * heat(left))
    assert heat_allowed([left, point(4, 500, 1150)]) == math.inf  # may be tried once more
    assert heat_allowed([left, msgspec.structs.replace(left, n=4), point(5, 500, 1150)]) == pytest.approx(
        0.998 * heat(left)
    )
    for why, share in (("chip settles at 61.8 of 62 °C", 1.002), ("power is heading for 28.0 of 28 W", 1.0)):
        far = [point(n, 575, 1200, why=f"a soak; {AS_FAR}: {why}") for n in (5, 6)]
        assert heat_allowed([*far, point(7, 500, 1150)]) == pytest.approx(share * heat(far[0]), rel=1e-5)


def test_what_passed_while_it_was_not_warm_yet_does_not_win_after_less_was_too_hot():
    early, cooler = point(1, 560, 1200), point(2, 500, 1150)
    left = point(3, 560, 1195, PointVerdict.LIMIT, reason="left in time: chip is at 62", fan_pct=100)
    verdicts = [p.verdict for p in overtaken([early, cooler, left])]
    assert verdicts == [PointVerdict.LIMIT, PointVerdict.PASSED, PointVerdict.LIMIT]
    assert overtaken([early, cooler]) == (early, cooler)


def test_looking_for_the_begin_of_errors_ends_too():
    clean = [point(n, 545, 1166, error_pct=0.0, why="clock up") for n in range(1, adaptive.MOST_LOOKS + 1)]
    found = adaptive.next_target(PLAN, WITHIN, Target(490, 1166), clean)
    assert isinstance(found, Finish) or found.soak


def test_errors_that_are_there_at_any_voltage_are_told_from_those_that_it_costs():
    where = ((490, 1166), (520, 1196), (570, 1166), (580, 1196))
    flat = [point(n, mhz, mv, error_pct=0.3) for n, (mhz, mv) in enumerate(where)]
    assert Surface(PLAN, flat).floor == pytest.approx(0.3)
    assert not any(Surface(PLAN, flat).graded)
    bad = point(5, 620, 1166, error_pct=1.3)
    fit = Surface(PLAN, [*flat, bad])
    assert fit.floor > 0.2
    assert fit.graded == [False] * 4 + [True]
    assert Surface(PLAN, [point(1, 490, 1166, error_pct=0.05)]).floor == pytest.approx(0.05)


def test_a_probe_from_errors_that_are_there_anyway_stops_at_more_of_them():
    way = pace.Way(Target(490, 1166), HERE, Target(690, 1166, probe=True), error_pct=0.3)
    same = pace.on_the_way(PLAN, WITHIN, way, trail(error_pct=0.31, hashrate_ghs=1090, expected_ghs=1090), 20.0, 0.0)
    more = pace.on_the_way(PLAN, WITHIN, way, trail(error_pct=0.55, hashrate_ghs=1090, expected_ghs=1090), 20.0, 0.0)
    assert (same.do, more.do) == (Do.RUNG, Do.MEASURE)


def test_a_start_at_a_limit_goes_down_in_clock_to_the_lowest_then_in_voltage():
    touched = point(1, 425, 1166, PointVerdict.LIMIT, hashrate_ghs=None, power_w=None, samples=0, reason="hot")
    down = adaptive.next_target(PLAN, WITHIN, Target(425, 1166), [touched])
    assert isinstance(down, Target)
    assert (down.mhz, down.mv) == (400, 1166)
    lowest = point(2, 400, 1166, PointVerdict.LIMIT, hashrate_ghs=None, power_w=None, samples=0, reason="hot")
    down = adaptive.next_target(PLAN, WITHIN, Target(425, 1166), [touched, lowest])
    assert isinstance(down, Target)
    assert (down.mhz, down.mv) == (400, 1116)


def test_a_few_low_readings_are_looked_at_again_before_nothing_is_said_to_pass():
    """A board that gives 99 % read low seven times over, and the sweep ended after two minutes."""
    low = point(1, 525, 1150, hashrate_ghs=0.76 * 1050, error_pct=0.09, samples=7)
    collapsed = point(2, 600, 1150, PointVerdict.UNSTABLE, hashrate_ghs=0.08 * 1200, error_pct=1.9, samples=7)
    again = adaptive.next_target(PLAN, WITHIN, Target(525, 1150), [low, collapsed])
    assert isinstance(again, Target)
    assert (again.mhz, again.mv, again.soak) == (525, 1150, False)
    known = [point(n, 525, 1150, hashrate_ghs=0.76 * 1050, error_pct=0.09, samples=24) for n in (1, 3)]
    assert isinstance(adaptive.next_target(PLAN, WITHIN, Target(525, 1150), [*known, collapsed]), Finish)


def test_a_soak_that_was_left_in_time_says_nothing_about_the_errors_allowed():
    """It counted as one that failed: two of them, and what stands by its few errors was no longer thought to pass."""
    home = point(1, 485, 1200, hashrate_ghs=0.965 * 970, error_pct=0.3, samples=24)
    high = point(2, 530, 1200, hashrate_ghs=0.945 * 1060, error_pct=0.68, samples=24)
    left = [
        point(3, 520, 1220, PointVerdict.LIMIT, hashrate_ghs=0.965 * 1040, error_pct=0.34, samples=49, soak=True),
        point(4, 515, 1225, PointVerdict.LIMIT, hashrate_ghs=None, error_pct=None, samples=0, soak=True, power_w=19.5),
    ]
    wide = msgspec.structs.replace(WITHIN, max_mv=1300)
    onward = adaptive.next_target(PLAN, wide, Target(485, 1200), [home, high, *left])
    assert isinstance(onward, Target)
    assert onward.mhz > 500  # 490 MHz at 1250 mV otherwise


def test_errors_steeper_than_usual_are_followed_where_they_begin():
    """e-fold in 5 mV: with the usual guess alone the line lay too high where nothing was lost yet."""
    shown = ((500, 0.10), (540, 0.11), (550, 0.105), (555, 0.13), (560, 0.2), (575, 1.9))
    points = [point(n, mhz, 1200, error_pct=error) for n, (mhz, error) in enumerate(shown, 1)]
    fit = Surface(PLAN, points)
    assert fit.error_pct(550, 1200) < 0.121
    assert fit.error_pct(555, 1200) == pytest.approx(0.13, abs=0.015)
    assert fit.error_pct(575, 1200) > 1.2


@pytest.mark.parametrize(("watts", "readings", "leaves"), [(27.97, 2, False), (27.97, 6, True), (28.1, 2, True)])
def test_power_close_to_its_limit_is_left_by_as_many_readings_as_tell_it(watts, readings, leaves):
    """Two readings of 0.6 % noise each left a setting half a watt under the limit, and so all that draws as much."""
    seen = trail(5 * readings, power_w=watts)
    assert bool(transient.drawing(seen, -1.0, WITHIN)) is leaves


def test_no_errors_without_hashrate_are_not_taken_for_a_clean_setting():
    """AxeOS shows 0 % of errors where nothing is hashed. That was fitted as an end of the chip at any voltage, and the
    sweep ended at 73 % of the best."""
    home = point(1, 525, 1150, error_pct=0.06, samples=17)
    gone = point(2, 725, 1150, PointVerdict.UNSTABLE, hashrate_ghs=1.0, error_pct=0.0, samples=7)
    fit = Surface(PLAN, [home, gone])
    assert fit.error_pct(725, 1150) > 1
    assert fit.ratio(560, 1175) > 0.96
    after = adaptive.next_target(PLAN, WITHIN, Target(525, 1150), [home, gone])
    assert isinstance(after, Target)
    assert not after.soak
    assert after.mhz > 540


def test_what_would_hardly_pass_is_not_confirmed():
    """Its share is at the tolerance by all that is known: a soak that passes by luck would leave it failing."""
    points = [
        point(1, 525, 1150, error_pct=0.02, samples=60),
        point(2, 575, 1150, error_pct=0.3, hashrate_ghs=0.96 * 1150, samples=60),
        *(point(n, mhz, 1200, error_pct=0.02, hashrate_ghs=(1 - (mhz - 560) / 1000) * 2 * mhz, samples=120, soak=True)
          for n, mhz in enumerate((575, 590, 605, 620, 622), 3)),
    ]  # fmt: skip
    fit = adaptive._Choice(PLAN, WITHIN, Target(525, 1150), points, ())
    rows = {(row.at.mhz, row.at.mv): row for row in fit._rows()}
    risky, safe = rows[620, 1200], rows[575, 1200]
    assert risky.sure < 0.8 * risky.worth
    assert safe.sure > 0.97 * safe.worth

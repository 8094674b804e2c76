"""Bounds, estimate and ranking of a sweep."""

from __future__ import annotations

import msgspec
import pytest

from minertui.model import ranking
from minertui.model.plans import Goal, Limits, PointVerdict, Strategy, SweepPlan, SweepPoint
from minertui.model.status import Ability, MinerStatus

LIVE = frozenset({Ability.TUNE, Ability.TUNE_LIVE})


def point(
    n: int, rate: float, jth: float | None, verdict: PointVerdict = PointVerdict.PASSED, mv: int = 1150
) -> SweepPoint:
    return SweepPoint(n=n, mhz=500 + n, mv=mv, verdict=verdict, hashrate_ghs=rate, efficiency_jth=jth)


def test_only_points_that_passed_compete():
    points = [point(1, 900, 17), point(2, 1000, 18), *(point(3, 9999, 1, v) for v in PointVerdict if v != "passed")]
    assert [p.n for p in ranking.ranked(points)] == [2, 1]
    assert [p.n for p in ranking.ranked(points, Goal.EFFICIENCY)] == [1, 2]
    assert ranking.best([], Goal.HASHRATE) is None


def test_a_point_without_the_goals_number_is_left_out_and_ties_go_to_less_voltage():
    assert ranking.ranked([point(1, 900, None)], Goal.EFFICIENCY) == ()
    tied = [point(1, 900, 17, mv=1200), point(2, 900, 17, mv=1150), point(3, 900, 17, mv=1150)]
    assert [p.n for p in ranking.ranked(tied)] == [2, 3, 1]


def test_bounds_are_the_stricter_of_plan_limits_and_device():
    plan = SweepPlan(min_mhz=400, max_mhz=1200, max_mv=1300, max_power_w=28)
    status = MinerStatus(cap_mhz=800, cap_mv=1400)
    within = ranking.bounds(plan, status, Limits(min_mhz=450, max_power_w=60, max_chip_temp_c=60, min_mv=1050))
    assert (within.min_mhz, within.max_mhz, within.min_mv, within.max_mv) == (450, 800, 1050, 1300)
    assert (within.max_chip_temp_c, within.max_vr_temp_c, within.max_power_w) == (60, 65, 28)


def test_the_start_is_the_plans_or_what_the_miner_runs_inside_the_bounds():
    status = MinerStatus(frequency_mhz=350, core_mv=1166)
    within = ranking.bounds(SweepPlan(), status)
    assert ranking.start(SweepPlan(), status, within) == (400, 1166)
    assert ranking.start(SweepPlan(start_mhz=500, start_mv=1300), status, within) == (500, 1200)
    assert ranking.start(SweepPlan(start_mhz=500), None, within) is None


@pytest.mark.parametrize(
    ("plan", "limits", "why"),
    [
        (SweepPlan(start_mhz=500, start_mv=1200), Limits(max_mv=1200), ""),
        (SweepPlan(), Limits(max_mhz=450), ""),  # what the miner runs is moved, not refused
        (SweepPlan(start_mhz=2500), Limits(), "it cannot start at 2500 MHz: this sweep keeps within 400..800 MHz"),
        (
            SweepPlan(start_mv=1180),
            Limits(max_mv=1150),
            "it cannot start at 1180 mV: the limits in force on this Gamma allow 1000..1150 mV",
        ),
        (
            SweepPlan(min_mhz=900),
            Limits(),
            "of this sweep's 900..1200 MHz nothing is allowed: the limits in force on this Gamma end at 800 MHz",
        ),
        (
            SweepPlan(max_mv=1100),
            Limits(min_mv=1150),
            "of this sweep's 1000..1100 mV nothing is allowed: the limits in force on this Gamma begin at 1150 mV",
        ),
    ],
)
def test_a_start_outside_the_range_is_refused_in_one_sentence(plan, limits, why):
    assert ranking.unreachable(plan, MinerStatus(model="Gamma", frequency_mhz=500, cap_mhz=800), limits) == why


def test_what_the_limits_take_from_a_plan_is_said():
    status = MinerStatus(model="Gamma", frequency_mhz=300, core_mv=1150)
    limits = Limits(max_mv=1150, min_mhz=450, max_chip_temp_c=60, max_power_w=90)
    said = ranking.lowered(SweepPlan(), status, limits)
    assert said == (
        "limits in force on this Gamma: the sweep ends at 1150 mV instead of 1200, does not go under 450 MHz instead "
        "of 400, stops at 60 °C chip instead of 62"
    )
    assert ranking.lowered(SweepPlan(), status, Limits(max_mv=1200)) == ""
    assert "it runs 300 MHz now" in ranking.moved(SweepPlan(), status, limits)
    assert ranking.moved(SweepPlan(start_mhz=500), status, limits) == ""


def test_a_miner_that_is_warmer_than_the_sweep_may_is_told_of_before():
    """A NerdQAxe++ as it is sold: its regulator is over the guide's 65 °C before anything is raised."""
    status = MinerStatus(chip_temp_c=62.0, vr_temp_c=66.04)
    said = "it has a chip of 62 °C (under 62), has a regulator of 66.04 °C (under 65) now: it is slowed down"
    assert ranking.over_now(SweepPlan(), status).startswith(said)
    assert ranking.over_now(SweepPlan(max_chip_temp_c=63, max_vr_temp_c=70), status) == ""


def test_a_miner_that_draws_more_than_the_sweep_may_is_told_of_before():
    status = MinerStatus(model="Hex", power_w=58.24)
    said = "it draws 58.24 W (under 40) now: it is slowed down before the first point"
    assert ranking.over_now(SweepPlan(max_power_w=40), status) == said
    assert ranking.over_now(SweepPlan(max_power_w=90), status, Limits(max_power_w=40)) == said
    assert ranking.over_now(SweepPlan(max_power_w=58.24), status) == ""
    assert ranking.over_now(SweepPlan(max_power_w=40), MinerStatus()) == ""
    assert ranking.over_now(SweepPlan(max_power_w=40), None) == ""


def test_the_guides_point_is_90_s_and_39_intervals():
    assert ranking.point_seconds(SweepPlan(), restart=False) == 90 + 39 * 15
    assert ranking.samples_per_point(SweepPlan(measure_s=600, sample_s=15)) == 40
    assert ranking.samples_per_point(SweepPlan(measure_s=1, sample_s=15)) == 1


def test_the_grids_estimate_is_the_longest_climb():
    plan = SweepPlan(
        strategy=Strategy.GRID, start_mhz=500, start_mv=1150, max_mhz=520, max_mv=1160, step_mhz=10, step_mv=5
    )
    assert ranking.estimate(plan, MinerStatus(abilities=LIVE)) == (1 + 2 + 2 * 2, 7 * 675)


@pytest.mark.parametrize(
    ("abilities", "asked", "restarts"),
    [(LIVE, False, False), (LIVE, True, True), (frozenset({Ability.TUNE}), False, True), (frozenset(), False, False)],
)
def test_a_restart_is_for_old_firmware_or_on_request(abilities, asked, restarts):
    plan, status = SweepPlan(restart=asked), MinerStatus(abilities=abilities)
    assert ranking.restarts(plan, status) is restarts
    assert ranking.settle_seconds(SweepPlan(settle_s=10), restarts) == (90 if restarts else 60)


def test_the_frontier_is_what_no_other_point_beats_at_no_more_power():
    def at(n: int, ghs: float, watts: float, verdict: PointVerdict = PointVerdict.PASSED) -> SweepPoint:
        return SweepPoint(n, 500, 1150, verdict, hashrate_ghs=ghs, power_w=watts)

    points = [at(1, 1000, 15), at(2, 1100, 18), at(3, 990, 16), at(4, 1300, 17, PointVerdict.UNSTABLE)]
    assert [p.n for p in ranking.frontier(points)] == [1, 2]


def test_of_two_soaks_the_one_that_all_points_speak_for_wins():
    lucky = msgspec.structs.replace(point(1, 1000, 17), soak=True, likely_ghs=950.0)
    plain = msgspec.structs.replace(point(2, 990, 17), soak=True, likely_ghs=985.0)
    assert ranking.best([lucky, plain]) == plain
    assert ranking.ranked([lucky, plain])[0] == lucky


def test_the_winner_leads_and_each_setting_stands_once():
    """A reader of the file takes its first row: that is what the sweep ends with, not a short look that read high."""
    look, won = point(1, 1000, 16), msgspec.structs.replace(point(2, 980, 17), soak=True, likely_ghs=980.0)
    again, failed = msgspec.structs.replace(look, n=4, hashrate_ghs=990.0), point(5, 2000, 1, PointVerdict.UNSTABLE)
    points = [look, won, msgspec.structs.replace(won, n=3, soak=False, hashrate_ghs=1100.0), again, failed]
    assert [p.n for p in ranking.leading(points, Goal.HASHRATE, Goal.HASHRATE)] == [2, 1]
    assert [p.n for p in ranking.leading(points, Goal.EFFICIENCY, Goal.HASHRATE)] == [1, 2]
    assert ranking.leading([failed], Goal.HASHRATE, Goal.HASHRATE) == ()


def test_where_no_errors_are_reported_the_adaptive_strategy_is_told_to_take_hours_not_minutes():
    plan = SweepPlan("a", strategy=Strategy.ADAPTIVE)
    points, told_s = ranking.estimate(plan, MinerStatus(abilities=LIVE, error_pct=0.1))
    silent, silent_s = ranking.estimate(plan, MinerStatus(abilities=LIVE))
    assert (points, silent) == (ranking.ADAPTIVE_POINTS + 1, ranking.SILENT_POINTS + 1)
    assert told_s < 30 * 60
    assert 100 * 60 < silent_s < 181 * 60  # a third of the guide's walk at most

"""A whole sweep on a made-up board: the walk, its limits, and what was wrong in the scripts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from minertui.jobs.sweep import run
from minertui.model.commands import Tune
from minertui.model.errors import Stopped
from minertui.model.plans import Limits, Phase, PointVerdict
from tests.jobs.sweep_board import Board, FakeSite, plan, steps


async def test_the_walk_climbs_frequency_then_buys_it_with_voltage():
    site = FakeSite(Board())
    await run(site, plan(max_mv=1160), ())
    # clean up to 500 MHz at 1150 mV; 3 % more is still within the tolerance of the ratio but has > 1 % errors
    assert steps(site.points) == [
        (500, 1150, "passed"),
        (510, 1150, "unstable"),
        (500, 1160, "passed"),
        (510, 1160, "passed"),
        (520, 1160, "unstable"),
    ]
    assert site.concluded == [Tune(510, 1160)]
    assert site.end[0] is Phase.DONE
    assert "highest voltage allowed, 1160 mV" in site.end[1]


async def test_a_point_settles_90_s_and_takes_40_samples_15_s_apart():
    site = FakeSite(Board())
    await run(site, plan(max_mhz=500), ())
    assert len(site.samples) == 40
    times = [s.at_s for s in site.samples]
    assert times[0] - site.sent_at[0] == 90
    assert {b - a for a, b in pairwise(times)} == {15}
    assert [(s.index, s.of) for s in (site.samples[0], site.samples[-1])] == [(1, 40), (40, 40)]
    point: Any = site.points[0]
    assert point.samples == 40
    assert point.hashrate_ghs == pytest.approx(1020, rel=0.01)
    assert point.efficiency_jth == pytest.approx(point.power_w / point.hashrate_ghs * 1000)
    assert point.at_s == times[-1]


async def test_every_sample_is_shown_the_last_one_too():
    site = FakeSite(Board())
    await run(site, plan(max_mhz=510, measure_s=60, max_mv=1150), ())
    shown = {(view.sample.n, view.sample.index) for _, view, _, _ in site.reports if view.sample}
    assert shown == {(n, i) for n in (1, 2) for i in (1, 2, 3, 4)}


async def test_a_start_outside_the_limits_in_force_changes_nothing():
    site = FakeSite(Board())
    await run(site, plan(start_mv=1250), ())
    assert site.sent_at == []
    assert site.end[0] is Phase.FAILED
    assert "it cannot start at 1250 mV: this sweep keeps within 1100..1200 mV" in site.end[1]


async def test_settling_is_never_shorter_than_a_minute():
    site = FakeSite(Board())
    await run(site, plan(max_mhz=500, settle_s=0), ())
    assert site.samples[0].at_s - site.sent_at[0] == 60


async def test_no_point_is_measured_twice():
    site = FakeSite(Board())
    await run(site, plan(), ())
    targets = [(p.mhz, p.mv) for p in site.points]
    assert len(targets) == len(set(targets)) > 10


async def test_defect_4_1_1_the_applied_best_is_never_a_failed_point():
    # the failing points hash more than any that passed: 3 % short of a higher frequency, but with errors
    site = FakeSite(Board())
    await run(site, plan(max_mv=1160), ())
    failed = max((p for p in site.points if not p.passed), key=lambda p: p.hashrate_ghs or 0)
    applied = site.concluded[0]
    assert applied is not None
    assert (applied.frequency_mhz, applied.core_mv) != (failed.mhz, failed.mv)
    assert next(p for p in site.points if (p.mhz, p.mv) == (applied.frequency_mhz, applied.core_mv)).passed


async def test_defect_4_1_2_never_below_the_lowest_frequency():
    site = FakeSite(Board(mhz=410, top_mhz=lambda _: 300))
    await run(site, plan(min_mhz=400), ())
    assert min(t.frequency_mhz or 0 for t in site.tunes) == 400
    assert site.concluded == [None]
    assert not any(p.passed for p in site.points)


async def test_defect_4_1_3_a_refused_change_is_never_measured_under_the_new_label():
    site = FakeSite(Board(), refuse=lambda t: "no" if t.frequency_mhz and t.frequency_mhz > 500 else None)
    await run(site, plan(max_mhz=600), ())
    assert steps(site.points) == [(500, 1150, "passed"), (510, 1150, "not-applied")]
    assert [t.frequency_mhz for t in site.tunes] == [500, 510, 510]  # once more, then given up
    assert site.points[1].hashrate_ghs is None
    assert site.concluded == [Tune(500, 1150)]


async def test_defect_4_1_4_a_fractional_sample_interval_works():
    site = FakeSite(Board())
    await run(site, plan(max_mhz=500, sample_s=2.5, measure_s=25), ())
    assert site.points[0].samples == 10
    assert site.points[0].passed


async def test_defect_4_1_5_few_or_no_regulator_readings_do_not_end_the_run():
    site = FakeSite(Board(vr_c=None))
    await run(site, plan(max_mhz=500), ())
    assert site.points[0].passed
    assert site.points[0].vr_temp_c is None
    short = FakeSite(Board())
    await run(short, plan(max_mhz=500, measure_s=45), ())
    assert short.points[0].samples == 3
    assert short.points[0].vr_temp_c == 55
    assert short.points[0].passed


@pytest.mark.parametrize(("input_mv", "nominal"), [(12047, 12), (12047, None), (4850, 5)])
async def test_defect_4_1_6_supplies_of_5_and_12_volts(input_mv, nominal):
    site = FakeSite(Board(input_mv=input_mv, nominal_v=nominal))
    await run(site, plan(max_mhz=500), ())
    assert site.points[0].passed


@pytest.mark.parametrize(("input_mv", "nominal"), [(11400, 12), (13300, 12), (4700, 5), (5600, 5)])
async def test_a_supply_out_of_its_window_ends_the_point(input_mv, nominal):
    site = FakeSite(Board(input_mv=5000 if nominal == 5 else 12000, nominal_v=nominal))
    site.at = [(1200, lambda s: setattr(s.board, "input_mv", input_mv))]
    await run(site, plan(max_mhz=500), ())
    assert site.points[0].verdict is PointVerdict.LIMIT
    assert "input" in site.points[0].reason


async def test_defect_4_1_8_without_a_result_the_users_own_settings_come_back():
    site = FakeSite(Board())
    site.at = [(1200, lambda s: setattr(s, "ending", Stopped(final=True)))]
    await run(site, plan(start_mhz=520, start_mv=1180), ())
    assert site.concluded == [None]
    assert site.end[0] is Phase.STOPPED


async def test_defect_4_1_9_a_slow_start_is_waited_for():
    site = FakeSite(Board())

    def asleep(s: FakeSite) -> None:
        slow = 1005 < s.clock < 1250
        s.board.extra = {"hashrate_ghs": 0.0, "chip_temp_c": None} if slow else {}

    site.every = asleep
    await run(site, plan(max_mhz=500), ())
    assert steps(site.points) == [(500, 1150, "passed")]
    assert site.samples[0].at_s >= 1250
    assert min(s.hashrate_ghs or 0 for s in site.samples) > 900


async def test_defect_4_3_without_expected_hashrate_it_is_computed_from_cores_and_clock():
    site = FakeSite(Board(reports_expected=False))
    await run(site, plan(max_mv=1160), ())
    assert PointVerdict.UNSTABLE in {p.verdict for p in site.points}
    assert site.points[0].expected_ghs == pytest.approx(1020)


async def test_defect_4_3_a_miner_that_cannot_be_judged_is_not_swept():
    site = FakeSite(Board(reports_expected=False, extra={"chip_count": None}))
    await run(site, plan(), ())
    assert site.end[0] is Phase.FAILED
    assert "expected hashrate is unknown" in site.end[1]
    assert site.sent == []


async def test_defect_4_3_an_unreachable_miner_is_not_measured():
    site = FakeSite(Board(), answers=False)
    await run(site, plan(), ())
    assert site.end == (Phase.FAILED, "the miner gave no fresh reading for 180 s, so nothing was changed")
    notes = [note for _, _, note, _ in site.reports if note.startswith("waiting for a fresh reading")]
    assert notes[:2] == [f"waiting for a fresh reading, at most {s} s more" for s in (180, 165)]
    assert site.concluded == []  # there is nothing to prove, and nothing that could be
    assert site.sent == []
    assert site.points == []


async def test_defect_4_3_after_a_stop_nothing_is_sent_any_more():
    site = FakeSite(Board())
    site.at = [(4000, lambda s: setattr(s, "ending", Stopped(final=True)))]
    await run(site, plan(), ())
    assert site.concluded == [Tune(site.points[0].mhz, 1150)] or len(site.concluded) == 1
    assert site.sent_at[-1] < 4000
    assert site.end[0] is Phase.STOPPED
    best = max((p for p in site.points if p.passed), key=lambda p: p.hashrate_ghs or 0)
    assert site.concluded == [Tune(best.mhz, best.mv)]


async def test_defect_4_6_the_climb_ends_on_a_plateau():
    # saturation: above 520 MHz no voltage helps
    site = FakeSite(Board(top_mhz=lambda mv: min(520, 500 + (mv - 1150) * 4)))
    await run(site, plan(max_mv=1400), ())
    assert site.end[0] is Phase.DONE
    assert "plateau" in site.end[1]
    assert max(p.mv for p in site.points) <= 1190
    assert site.concluded == [Tune(520, 1160)]


async def test_where_voltage_helps_there_is_no_plateau():
    site = FakeSite(Board(chip_c=lambda *_: 50))
    await run(site, plan(step_mhz=5, step_mv=5, max_mv=1250), ())
    assert "highest voltage" in site.end[1]
    assert site.concluded == [Tune(600, 1250)]


async def test_a_thermal_stop_never_leads_to_more_voltage_or_frequency():
    site = FakeSite(Board(chip_c=lambda mhz, mv: 63 if mhz * mv > 520 * 1170 else 50))
    await run(site, plan(max_mv=1300), ())
    first = next(i for i, p in enumerate(site.points) if p.verdict is PointVerdict.LIMIT)
    hot = site.points[first]
    after = site.points[first + 1 :]
    assert all(p.mv <= hot.mv and p.mhz <= hot.mhz for p in after)
    assert all((t.core_mv or 0) <= hot.mv for t in site.tunes[first:])
    assert site.end[0] is Phase.DONE
    assert site.concluded[0] is not None  # what passed below the limit is applied
    assert "chip temperature 63" in hot.reason


async def test_a_sensor_abort_ends_the_point_and_the_walk_goes_on_below_the_limit():
    # too hot at the start's voltage: the same clock at less voltage is cool enough
    site = FakeSite(Board(top_mhz=lambda _: 600, chip_c=lambda mhz, mv: 63 if mv > 1130 and mhz > 450 else 50))
    site.board.mhz = 440
    await run(site, plan(start_mhz=500, start_mv=1150, max_mhz=520), ())
    assert steps(site.points) == [(500, 1150, "limit"), (500, 1140, "limit"), (500, 1130, "passed")]
    assert site.concluded == [Tune(500, 1130)]


async def test_after_a_limit_the_time_left_is_that_of_the_way_down():
    site = FakeSite(Board(chip_c=lambda mhz, mv: 63 if mv > 1120 and mhz > 490 else 50))
    await run(site, plan(min_mhz=480, max_mhz=700), ())
    totals = {p["done"]: p["total"] for phase, _, _, p in site.reports if phase is Phase.RUNNING and "total" in p}
    assert totals[0] == 1 + 20 + 2 * 5
    assert totals[1] == 1 + (1 + 2 + 4)  # 1140 mV: two steps of frequency and four of voltage are below


async def test_after_a_limit_the_miner_is_lowered_at_once_and_cools_before_the_next_point():
    site = FakeSite(Board(chip_c=lambda mhz, _: 63 if mhz > 500 else 50))
    await run(site, plan(max_mhz=600), ())
    limit = next(i for i, t in enumerate(site.tunes) if t.frequency_mhz == 510)
    assert site.tunes[limit + 1] == Tune(410, 1150)  # 100 MHz less, as the firmware itself does
    assert site.sent_at[limit + 1] - site.sent_at[limit] <= 10


async def test_a_miner_over_the_limit_from_the_start_is_cooled_first():
    site = FakeSite(Board(mhz=560, chip_c=lambda mhz, _: 64 if mhz > 540 else 50))
    await run(site, plan(start_mhz=500, max_mhz=500), ())
    assert site.tunes[0].frequency_mhz == 460
    assert steps(site.points) == [(500, 1150, "passed")]


async def test_power_limit():
    site = FakeSite(Board(power_w=lambda mhz, _: 29 if mhz > 500 else 20))
    await run(site, plan(), ())
    assert site.points[1].verdict is PointVerdict.LIMIT
    assert "power 29 W" in site.points[1].reason


async def test_the_devices_own_limits_can_only_lower_the_plans():
    site = FakeSite(Board(chip_c=lambda *_: 40), limits=Limits(max_mhz=510, max_mv=1150, max_chip_temp_c=70))
    await run(site, plan(), ())
    assert max(t.frequency_mhz or 0 for t in site.tunes) == 510
    assert max(t.core_mv or 0 for t in site.tunes) == 1150

"""A whole sweep on a made-up board: the walk, the ends, and what disturbs it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from minertui.jobs.sweep import brain, progress, run
from minertui.jobs.sweep.walk import Target
from minertui.jobs.sweep.watch import Mark
from minertui.model import ranking
from minertui.model.commands import Restart, Tune
from minertui.model.errors import Preempted, Stopped
from minertui.model.fleet import Snapshot
from minertui.model.plans import Goal, Limits, Phase, PointVerdict, Strategy, SweepPoint
from minertui.model.status import Ability
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


async def test_a_silent_chip_is_unstable_and_never_ranked():
    site = FakeSite(Board(silent_chip=True, top_mhz=lambda _: 900))
    await run(site, plan(tolerance=0.4), ())  # the ratio alone would let it pass
    assert {p.verdict for p in site.points} == {PointVerdict.UNSTABLE}
    assert "uneven chips" in site.points[0].reason
    assert site.concluded == [None]


async def test_firmware_without_an_error_rate_is_judged_by_the_ratio():
    site = FakeSite(Board(reports_errors=False))
    await run(site, plan(max_mhz=540), ())
    # 40 MHz over the clean clock is 20 % short; 3 MHz short of the tolerance passes
    assert site.points[0].error_pct is None
    assert site.points[1].verdict is PointVerdict.UNSTABLE
    assert "of the expected hashrate" in site.points[1].reason


async def test_a_reboot_repeats_the_point_from_its_settings():
    site = FakeSite(Board())
    site.at = [(1400, lambda s: setattr(s, "booted", s.clock - 1))]
    await run(site, plan(max_mhz=500), ())
    assert steps(site.points) == [(500, 1150, "passed")]
    assert len(site.tunes) == 2
    assert len([s for s in site.samples if s.at_s > 1400]) == 40  # the window before the reboot is discarded


async def test_a_lost_pool_repeats_the_point_twice_then_gives_it_up():
    site = FakeSite(Board())
    site.at = [(1300, lambda s: s.board.extra.update(hashrate_ghs=0.0, expected_ghs=0.0))]
    await run(site, plan(max_mhz=500), ())
    assert steps(site.points) == [(500, 1150, "disturbed")]
    assert len(site.tunes) == 3
    assert site.points[0].hashrate_ghs is None
    assert site.concluded == [None]
    assert "pool" in site.end[1]


async def test_a_pool_that_comes_back_is_waited_for():
    site = FakeSite(Board())
    site.at = [
        (1300, lambda s: s.board.extra.update(hashrate_ghs=0.0, expected_ghs=0.0)),
        (1600, lambda s: s.board.extra.clear()),
    ]
    await run(site, plan(max_mhz=500), ())
    assert steps(site.points) == [(500, 1150, "passed")]


async def test_no_hashrate_although_there_is_work_is_the_points_own_fault():
    site = FakeSite(Board())
    site.every = lambda s: s.board.extra.update(hashrate_ghs=0.0) if s.board.mhz > 500 else s.board.extra.clear()
    await run(site, plan(max_mv=1150), ())
    assert steps(site.points) == [(500, 1150, "passed"), (510, 1150, "unstable")]


async def test_a_miner_that_never_hashes_is_not_driven_up_to_the_highest_voltage():
    site = FakeSite(Board(), every=lambda s: s.board.extra.update(hashrate_ghs=0.0))
    await run(site, plan(), ())
    assert steps(site.points) == [(500, 1150, "unstable"), (490, 1160, "unstable")]
    assert "check its pool" in site.end[1]
    assert site.concluded == [None]


async def test_a_pause_is_waited_for():
    site = FakeSite(Board())
    site.at = [
        (1300, lambda s: s.board.extra.update(paused=True, hashrate_ghs=0.0)),
        (1600, lambda s: s.board.extra.clear()),
    ]
    await run(site, plan(max_mhz=500), ())
    assert steps(site.points) == [(500, 1150, "passed")]


async def test_somebody_elses_change_ends_the_sweep_and_is_not_ranked():
    site = FakeSite(Board())
    site.at = [(1300, lambda s: setattr(s.board, "mhz", 480))]
    await run(site, plan(), ())
    assert site.points[-1].verdict is PointVerdict.DISTURBED
    assert site.end[0] is Phase.FAILED
    assert "somebody else" in site.end[1]
    assert site.concluded == [None]
    assert len(site.tunes) == 1


@pytest.mark.parametrize(
    "trip",
    [
        lambda s: s.board.extra.update(overheat=True),
        lambda s: vars(s.board).update(mhz=s.board.mhz - 100, mv=s.board.mv - 100),
        lambda s: vars(s.board).update(mhz=50, mv=1000),
        lambda s: s.board.extra.update(fan_auto=False, fan_manual_pct=100.0),
        lambda s: setattr(s, "incidents", 1),
    ],
    ids=["flag", "minus-100", "crippled", "fan", "counted"],
)
async def test_an_overheat_incident_ends_the_sweep_for_a_person(trip):
    site = FakeSite(Board())
    site.at = [(1300, trip)]
    await run(site, plan(), ())
    assert site.points[-1].verdict is PointVerdict.LIMIT
    assert site.end[0] is Phase.PARKED
    assert len(site.tunes) == 1  # nothing is raised again
    assert site.concluded == [None]


async def test_three_lost_polls_lower_the_miner_until_proven_then_repeat():
    site = FakeSite(Board(top_mhz=lambda _: 900, chip_c=lambda *_: 50))
    site.at = [(1300, lambda s: setattr(s, "answers", False)), (1500, lambda s: setattr(s, "answers", True))]
    await run(site, plan(start_mhz=560, max_mhz=560), ())
    assert Phase.RESTORING in {phase for phase, *_ in site.reports[:-2]}
    asked = [t.frequency_mhz for t in site.tunes]
    assert asked[0] == 560
    assert set(asked[1:-1]) == {460}  # under the point and the baseline
    assert asked[-1] == 560
    assert steps(site.points) == [(560, 1150, "passed")]


async def test_a_miner_lost_for_good_fails_the_sweep_and_keeps_restoring():
    site = FakeSite(Board())
    site.at = [(1300, lambda s: setattr(s, "answers", False))]
    await run(site, plan(), ())
    assert site.end[0] is Phase.FAILED
    assert "not answered" in site.end[1]
    assert site.concluded == [None]


async def test_two_lost_polls_are_not_a_disturbance():
    site = FakeSite(Board())
    site.at = [(1300, lambda s: setattr(s, "down_until", 1309))]
    await run(site, plan(max_mhz=500), ())
    assert steps(site.points) == [(500, 1150, "passed")]
    assert len(site.tunes) == 1


async def test_a_host_that_slept_discards_the_point():
    site = FakeSite(Board())

    def slept(s: FakeSite) -> None:
        s.clock += 3600

    site.at = [(1300, slept)]
    await run(site, plan(max_mhz=500), ())
    assert steps(site.points) == [(500, 1150, "passed")]
    assert len([s for s in site.samples if s.at_s > 4900]) == 40


async def test_hashing_without_a_temperature_counts_as_hot():
    site = FakeSite(Board())
    site.at = [(1300, lambda s: s.board.extra.update(chip_temp_c=-1.0))]
    await run(site, plan(), ())
    assert site.points[0].verdict is PointVerdict.LIMIT
    assert "counts as hot" in site.points[0].reason
    assert site.end[0] is Phase.FAILED  # it never gets calm without a sensor
    assert site.concluded == [None]


async def test_frozen_readings_are_not_measured():
    site = FakeSite(Board())
    frozen = {"hashrate_ghs": 1000.0, "chip_temp_c": 50.0, "power_w": 17.0}
    site.at = [(1300, lambda s: s.board.extra.update(frozen)), (1400, lambda s: s.board.extra.clear())]
    await run(site, plan(max_mhz=500), ())
    assert steps(site.points) == [(500, 1150, "passed")]
    assert len(site.tunes) == 3  # the point, the way down, the point again


async def test_an_unknown_outcome_is_lowered_before_it_is_tried_again():
    site = FakeSite(Board(), unknown_once=True)
    await run(site, plan(max_mhz=500), ())
    assert [t.frequency_mhz for t in site.tunes] == [500, 400, 500]
    assert steps(site.points) == [(500, 1150, "passed")]


async def test_a_regulator_that_keeps_the_old_voltage_is_not_measured_under_the_new():
    site = FakeSite(Board(extra={"core_actual_mv": 1000.0}))
    await run(site, plan(), ())
    assert site.points[0].verdict is PointVerdict.NOT_APPLIED
    assert "the core gets 1000 mV" in site.points[0].reason
    assert site.samples == []


async def test_a_clock_that_does_not_follow_is_not_measured():
    site = FakeSite(Board(extra={"actual_mhz": 400.0}))
    await run(site, plan(), ())
    assert {p.verdict for p in site.points} == {PointVerdict.NOT_APPLIED}
    assert site.end[0] is Phase.DONE
    assert site.concluded == [None]


@pytest.mark.parametrize("asked", [False, True])
async def test_old_firmware_or_the_plan_restarts_at_every_point(asked):
    board = Board(actual=False) if asked else Board(actual=False, abilities=frozenset({Ability.TUNE}))
    site = FakeSite(board)
    await run(site, plan(max_mhz=510, restart=asked, settle_s=30, max_mv=1150), ())
    restarts = [at for command, at in zip(site.sent, site.sent_at, strict=True) if isinstance(command, Restart)]
    assert len(site.points) == 2
    assert len(restarts) == 2, "what it is left at is the conclusion's business"
    assert site.samples[0].at_s - restarts[0] >= 20 + 90  # the reboot, then the reference wait


async def test_the_last_sentence_says_where_the_miner_is():
    site = FakeSite(Board())
    await run(site, plan(max_mhz=510, max_mv=1150), ())
    assert site.end[1].endswith("; now at 1150 mV / 500 MHz")
    own = FakeSite(Board())
    await run(own, plan(max_mhz=510, apply_best=False), ())
    assert own.end[1].endswith("; now at your own settings")


async def test_after_the_firmwares_overheat_handling_it_is_not_said_to_be_at_the_users_settings():
    left = "left as it is, not above its baseline 500 MHz / 1150 mV"
    site = FakeSite(Board(), left=left, at=[(1300, lambda s: _tripped(s.board))])
    await run(site, plan(), ())
    assert site.end == (Phase.PARKED, f"the firmware's overheat protection tripped; {left}")
    assert not [note for *_, note, _ in site.reports if "applying" in note]


def _tripped(board: Board) -> None:
    board.mhz, board.mv = board.mhz - 100, board.mv - 100


async def test_old_firmware_is_restarted_to_cool_because_it_does_not_follow_live():
    board = Board(actual=False, abilities=frozenset({Ability.TUNE}), chip_c=lambda mhz, _: 63 if mhz > 500 else 50)
    site = FakeSite(board)
    await run(site, plan(max_mhz=510), ())
    low = next(i for i, command in enumerate(site.sent) if command == Tune(410, 1150))
    assert isinstance(site.sent[low + 1], Restart)
    assert site.sent_at[low + 1] == site.sent_at[low]


async def test_live_firmware_is_never_restarted():
    site = FakeSite(Board())
    await run(site, plan(max_mv=1160), ())
    assert not any(isinstance(command, Restart) for command in site.sent)


async def test_stop_by_the_engine_restores_the_baseline_and_resumes_where_it_was():
    site = FakeSite(Board())
    site.at = [(1000 + 2.5 * 690, lambda s: setattr(s, "ending", Stopped(final=False)))]
    await run(site, plan(max_mv=1160), ())
    assert site.concluded == [None]
    assert not site.end[0].over
    again = FakeSite(Board())
    await run(again, plan(max_mv=1160), site.points)
    whole = FakeSite(Board())
    await run(whole, plan(max_mv=1160), ())
    assert steps(site.points) + steps(again.points) == steps(whole.points)
    assert again.points[0].n == len(site.points) + 1
    assert again.concluded == whole.concluded


async def test_resume_after_a_limit_still_never_goes_up():
    site = FakeSite(Board(chip_c=lambda mhz, mv: 63 if mhz > 500 else 50))
    await run(site, plan(), ())
    cut = next(i for i, p in enumerate(site.points) if p.verdict is PointVerdict.LIMIT) + 1
    again = FakeSite(Board(chip_c=lambda *_: 40))
    await run(again, plan(), site.points[:cut])
    assert all((t.core_mv or 0) <= site.points[cut - 1].mv for t in again.tunes)


async def test_preempted_leaves_the_miner_to_who_took_it():
    site = FakeSite(Board())
    site.at = [(2000, lambda s: setattr(s, "ending", Preempted("a person took a")))]
    await run(site, plan(), ())
    assert site.concluded == []
    assert site.end[0] is Phase.STOPPED
    assert "a person took a" in site.end[1]


async def test_efficiency_as_the_goal_applies_the_most_efficient_point():
    site = FakeSite(Board())
    await run(site, plan(goal=Goal.EFFICIENCY, max_mv=1170), ())
    best = min((p for p in site.points if p.passed), key=lambda p: p.efficiency_jth or 1e9)
    fastest = max((p for p in site.points if p.passed), key=lambda p: p.hashrate_ghs or 0)
    assert best != fastest
    assert site.concluded == [Tune(best.mhz, best.mv)]


async def test_apply_best_off_gives_the_users_settings_back():
    site = FakeSite(Board())
    await run(site, plan(max_mhz=510, apply_best=False), ())
    assert site.concluded == [None]
    assert site.end[0] is Phase.DONE


async def test_a_best_point_that_cannot_be_proven_gives_the_baseline_back():
    site = FakeSite(Board(), conclude_fails=lambda settings: settings is not None)
    await run(site, plan(max_mhz=500), ())
    assert site.concluded == [Tune(500, 1150), None]
    assert site.end[0] is Phase.DONE
    assert "your own settings" in site.end[1]


async def test_an_unproven_baseline_is_a_failure():
    site = FakeSite(Board(), conclude_fails=lambda _: True)
    await run(site, plan(max_mhz=500), ())
    assert site.end[0] is Phase.FAILED
    assert "could not be proven" in site.end[1]


@pytest.mark.parametrize(
    ("board", "fields"),
    [
        (Board(), {"max_mv": 1160}),
        (Board(abilities=frozenset({Ability.TUNE, Ability.RESTART})), {"max_mv": 1160}),
        (Board(), {"max_power_w": 17.2}),  # a limit after some points that passed
        (Board(), {"max_power_w": 17.2, "max_mhz": 520}),  # from where the way down is longer than what was left up
    ],
)
async def test_the_time_left_never_jumps_up(board: Board, fields: dict[str, Any]):
    site = FakeSite(board)
    await run(site, plan(**fields), ())
    left: list[Any] = [p["left_s"] for _, _, _, p in site.reports if p.get("left_s") is not None]
    assert len(left) > 100
    assert [b for a, b in pairwise(left) if b > a + 1] == []


@pytest.mark.parametrize("restarts", [False, True])
async def test_the_time_left_is_honest_from_the_start(restarts):
    able = frozenset({Ability.TUNE, Ability.RESTART}) | (frozenset() if restarts else {Ability.TUNE_LIVE})
    site = FakeSite(Board(abilities=able, top_mhz=lambda mv: 600))
    await run(site, plan(max_mhz=520, max_mv=1150), ())  # the whole climb, three points
    told: Any = next(p["left_s"] for _, _, _, p in site.reports if p.get("left_s"))
    assert told == pytest.approx(site.clock - 1000, rel=0.05)


def test_the_adaptive_time_left_is_what_boards_take_and_shrinks_with_every_point():
    adaptive = plan(strategy=Strategy.ADAPTIVE, soak_s=240, measure_s=600)
    board = Board()
    status = board.read(1000, 0)
    begun = brain.begin(adaptive, (), Snapshot("a", status=status, at_s=1000, boot_s=1000), 1000.0).state
    begun = replace(begun, mark=Mark(begun.target, status))
    assert progress.counts(begun, 1000.0)["left_s"] == ranking.estimate(adaptive, status)[1] == 10 * 120 + 300
    point = SweepPoint(1, 500, 1150, PointVerdict.PASSED)
    lefts = [progress.counts(replace(begun, points=(point,) * n), 1000.0)["left_s"] or 0 for n in range(12)]
    assert lefts == sorted(lefts, reverse=True)
    soak = replace(begun, at=Target(550, 1180, soak=True), points=(point,) * 6)
    assert progress.counts(soak, 1000.0)["left_s"] == 300
    silent = msgspec.structs.replace(status, error_pct=None)
    assert ranking.estimate(adaptive, silent)[1] > 2 * ranking.estimate(adaptive, status)[1]


async def test_progress_counts_up_and_the_time_left_goes_down():
    site = FakeSite(Board())
    await run(site, plan(max_mv=1160), ())
    seen: list[Any] = [
        (p["done"], p["total"], p["left_s"]) for _, _, _, p in site.reports if p.get("left_s") is not None
    ]
    first, middle = seen[1], seen[100]
    assert first[0] == 0
    assert first[1] == 1 + 20 + 2
    assert first[2] == pytest.approx(first[1] * 675, rel=0.01)
    assert middle[2] < first[2]
    view = site.reports[100][1]
    assert view.sample is not None
    assert view.baseline_mhz == 500
    assert view.at_mv == 1150

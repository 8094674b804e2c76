"""What goes wrong in the middle of a sweep: a silent chip, a reboot, a lost pool, another hand, lost polls."""

from __future__ import annotations

import pytest

from minertui.jobs.sweep import run
from minertui.model.plans import Phase, PointVerdict, Strategy
from tests.jobs.sweep_board import Board, FakeSite, plan, steps


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


async def test_a_setting_without_hashrate_is_left_downwards_each_time():
    """It was waited for at that very setting, ten minutes each time, and the next way began there."""
    site = FakeSite(Board())
    site.every = lambda s: s.board.extra.update(hashrate_ghs=0.0) if s.board.mhz > 500 else s.board.extra.clear()
    await run(site, plan(max_mv=1150), ())
    ran = [(tune.frequency_mhz, tune.core_mv) for tune in site.tunes]
    assert ran == [(500, 1150), *3 * [(510, 1150), (410, 1150)]][: len(ran)]
    assert ran.count((510, 1150)) == 3


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


async def test_nor_is_anybody_fought_between_two_points():
    """The way to the next point begins with the settings that run already: they were proven long ago."""
    site = FakeSite(Board())

    def other(site: FakeSite) -> None:
        if len(site.points) == 1:
            site.board.mhz = 510

    site.every = other
    await run(site, plan(strategy=Strategy.ADAPTIVE), ())
    assert site.end[0] is Phase.FAILED
    assert "somebody else" in site.end[1]
    assert site.concluded == [None]


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

"""The adaptive strategy on made-up boards: what it measures, what it leaves alone, and what it says."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from minertui.jobs.sweep import adaptive, evidence, pace, ramp, run, transient
from minertui.jobs.sweep.state import State
from minertui.jobs.sweep.surface import Surface
from minertui.jobs.sweep.thermal import Trace
from minertui.jobs.sweep.walk import Finish, Target
from minertui.model.commands import Restart, Tune
from minertui.model.plans import Goal, Phase, PointVerdict, Strategy, SweepPlan, SweepPoint
from minertui.model.ranking import Bounds, best, bounds
from minertui.model.status import Ability, MinerStatus
from tests.jobs.sweep_board import LIVE, Board, FakeSite, plan

START = Target(500, 1150)


def adaptively(**fields: object) -> SweepPlan:
    return plan(**{"strategy": Strategy.ADAPTIVE, "step_mhz": 5, "step_mv": 5, "soak_s": 60, **fields})


def point(n: int, mhz: float, mv: int, error_pct: float, **fields: Any) -> SweepPoint:
    usual = {"expected_ghs": 2.0 * mhz, "hashrate_ghs": 2.0 * mhz * (1 - 0.14 * error_pct), "samples": 20}
    watts = {"power_w": (mv / 1000) ** 2 * mhz / 40, "error_pct": error_pct, "verdict": PointVerdict.PASSED}
    return SweepPoint(**{"n": n, "mhz": mhz, "mv": mv, **usual, **watts, **fields})


async def test_it_ends_at_a_soaked_point_and_applies_it():
    site = FakeSite(Board())
    await run(site, adaptively(), ())
    won = best(site.points)
    assert won is not None
    assert won.soak
    assert won.passed
    assert site.concluded == [Tune(won.mhz, won.mv)]
    assert site.end[0] is Phase.DONE
    assert 535 <= won.mhz <= 560  # 550 MHz is the edge at 1200 mV, and a hard one
    assert len(site.points) <= 10


async def test_every_point_says_why_and_how_sure():
    site = FakeSite(Board())
    await run(site, adaptively(), ())
    assert site.points[0].why == "where the sweep begins"
    assert all(p.why for p in site.points)
    assert all(p.confidence is not None for p in site.points if p.verdict is not PointVerdict.LIMIT)
    assert any("promises" in text for text in site.said)


async def test_nothing_is_written_in_larger_steps_than_safety_allows_upwards():
    site = FakeSite(Board())
    await run(site, adaptively(), ())
    was = Tune(500, 1150)
    for tune in site.tunes:
        assert tune.frequency_mhz is not None and was.frequency_mhz is not None  # noqa: PT018
        assert tune.frequency_mhz - was.frequency_mhz <= 25
        was = tune


async def test_a_chip_that_heats_up_is_never_driven_to_its_limit():
    site = FakeSite(Board(chip_c=lambda mhz, mv: 20 + mhz * mv * mv / 1.9e7))
    hottest = 0.0

    def look(at: FakeSite) -> None:
        nonlocal hottest
        hottest = max(hottest, at.board.chip_c(at.board.mhz, at.board.mv))

    site.every = look
    await run(site, adaptively(), ())
    assert site.end[0] is Phase.DONE
    assert 58 < hottest < 62


async def test_efficiency_goes_down_in_voltage():
    site = FakeSite(Board())
    await run(site, adaptively(goal=Goal.EFFICIENCY, min_mv=1100), ())
    applied = site.concluded[0]
    assert applied is not None and applied.core_mv is not None  # noqa: PT018
    assert applied.core_mv < 1150


async def test_of_settings_as_good_as_the_best_the_coolest_is_confirmed(monkeypatch):
    monkeypatch.setattr(adaptive, "GAIN", 0.04)  # 530 MHz at 1180 mV give nearly what 550 MHz at 1200 mV do
    site = FakeSite(Board())
    await run(site, adaptively(), ())
    soaked = next(p for p in site.points if p.soak)
    assert soaked.mhz < 545
    assert soaked.mv < 1200


async def test_efficiency_gives_no_hashrate_away_for_nothing(monkeypatch):
    """What needs least power of all that is as efficient hashes least."""
    monkeypatch.setattr(adaptive._Choice, "_coolest", None)
    site = FakeSite(Board())
    await run(site, adaptively(goal=Goal.EFFICIENCY, min_mv=1100), ())
    assert any(p.soak and p.passed for p in site.points)


async def test_without_error_percentages_it_measures_longer():
    told, silent = FakeSite(Board()), FakeSite(Board(reports_errors=False))
    await run(told, adaptively(), ())
    await run(silent, adaptively(), ())
    assert silent.points[0].samples > 2 * told.points[0].samples
    assert silent.points[-1].soak


async def test_old_firmware_is_restarted_and_goes_up_in_small_steps():
    site = FakeSite(Board(abilities=LIVE - {Ability.TUNE_LIVE}))
    await run(site, adaptively(max_mhz=510), ())
    assert any(isinstance(c, Restart) for c in site.sent)
    assert site.end[0] is Phase.DONE


def test_earlier_points_of_the_same_board_spare_the_search():
    of = adaptively()
    here = [point(1, 500, 1150, 0.03)]
    blind = adaptive.next_target(of, bounds(of), START, here)
    taught = adaptive.next_target(of, bounds(of), START, here, [point(1, 560, 1190, 0.25), point(2, 575, 1190, 0.6)])
    assert isinstance(blind, Target)
    assert blind.probe
    assert isinstance(taught, Target)
    assert not taught.probe
    assert taught.mhz > 500


def test_the_same_points_always_lead_to_the_same_next():
    of, points = adaptively(), [point(1, 500, 1150, 0.03), point(2, 560, 1150, 0.4)]
    assert adaptive.next_target(of, bounds(of), START, points) == adaptive.next_target(of, bounds(of), START, points)


def test_a_failed_point_is_never_the_winner_and_a_soak_beats_a_lucky_look():
    lucky, soaked = point(1, 600, 1150, 0.1), point(2, 560, 1150, 0.1, soak=True)
    failed = point(3, 650, 1150, 0.1, soak=True, verdict=PointVerdict.UNSTABLE)
    assert best([lucky, soaked, failed]) == soaked
    assert best([lucky, failed]) == lucky


def test_a_board_that_refuses_everything_ends_it():
    of = adaptively()
    refused = [SweepPoint(n, 500, 1150, PointVerdict.NOT_APPLIED, "no") for n in (1, 2)]
    answer = adaptive.next_target(of, bounds(of), START, refused)
    assert isinstance(answer, Finish)
    assert "does not take" in answer.reason


def test_the_surface_finds_slope_and_cost():
    rows = [
        point(n, mhz, mv, 0.05 + 0.25 * 2.718 ** ((0.6 * (mhz - 550) - (mv - 1150)) / 10))
        for n, (mhz, mv) in enumerate([(550, 1150), (560, 1150), (550, 1160), (600, 1180), (610, 1180), (500, 1180)])
    ]
    fit = Surface(adaptively(), rows)
    assert fit.need_mv_per_mhz == pytest.approx(0.6, abs=0.12)
    assert fit.error_pct(580, 1168) == pytest.approx(0.30, abs=0.08)
    assert fit.power_w(600, 1180) == pytest.approx(1.18**2 * 600 / 40, rel=0.01)


def test_hashrate_lost_at_any_voltage_is_learned_where_it_begins() -> None:
    """Above 620 MHz this chip loses 3 % more than its errors cost; a soak has shown that at 630 MHz."""
    lossy = {"samples": 49, "hashrate_ghs": 2.0 * 630 * (0.97 - 0.14 * 0.2)}
    fit = Surface(
        adaptively(), [point(1, 500, 1170, 0.05), point(2, 600, 1190, 0.1), point(3, 630, 1200, 0.2, **lossy)]
    )
    there, below = fit.curves.clean(630), fit.curves.clean(600)
    assert below - there > 0.004
    assert below > 0.985


def reading(chip_c: float, power_w: float = 20, fan_pct: float = 60, **fields: Any) -> MinerStatus:
    return MinerStatus(chip_temp_c=chip_c, power_w=power_w, fan_pct=fan_pct, fan_auto=True, **fields)


WITHIN = Bounds(400, 1200, 1000, 1200, 62, 65, 28)


def trail(*temps: float, every_s: float = 5.0) -> list[Trace]:
    return [Trace(n * every_s, reading(t)) for n, t in enumerate(temps)]


def test_the_worst_case_of_a_step_stays_in_reserve_until_it_has_shown():
    calm = trail(*[58.0] * 12)
    free, _ = transient.room(calm, 0.0, 0.0, WITHIN, transient.WORST)
    fresh, _ = transient.room(calm, 50.0, 0.05, WITHIN, transient.WORST)
    assert free == pytest.approx((62 - transient.MARGIN_C - 58) / 48, rel=0.1)
    assert fresh < free / 2


def test_a_point_that_heads_for_the_limit_is_left_in_time():
    rising = trail(*[60 + 0.15 * n for n in range(13)])
    assert transient.leaving(rising, -500.0, 0.0, WITHIN) is not None
    assert transient.leaving(trail(*[61.0] * 13), -500.0, 0.0, WITHIN) is None
    assert transient.leaving(trail(*[61.95] * 13), -500.0, 0.0, WITHIN) is not None


def test_one_noisy_reading_near_the_limit_is_noise():
    assert transient.leaving(trail(*[61.0] * 12, 62.0), -500.0, 0.0, WITHIN) is None


CAPPED = msgspec.structs.replace(WITHIN, max_fan_pct=70)


def fans(*pcts: float, chip_c: float = 55.0) -> list[Trace]:
    return [Trace(5.0 * n, reading(chip_c, fan_pct=pct)) for n, pct in enumerate(pcts)]


def test_under_a_limit_of_the_fan_a_step_waits_until_all_is_at_rest():
    calm, moving = fans(*[50.0] * 20), fans(*[50.0] * 8, *[50.0 + n for n in range(12)])
    warming = [Trace(5.0 * n, reading(54.0 + 0.1 * n, fan_pct=50)) for n in range(20)]
    assert transient.room(calm, 20.0, 0.0, CAPPED, transient.WORST)[0] == transient.FAN_RUNG
    for trail_, changed_s in ((calm, 60.0), (moving, 0.0), (warming, 0.0)):
        assert transient.room(trail_, changed_s, 0.0, CAPPED, transient.WORST)[0] == 0.0


def test_the_longer_a_fan_has_run_up_before_the_further_from_its_limit_a_step_is_made():
    calm = fans(*[62.0] * 20)
    rooms = [transient.room(calm, 0.0, 0.0, CAPPED, transient.Response(run_up=pct))[0] for pct in (3.0, 12.0, 40.0)]
    assert rooms[0] == transient.FAN_RUNG
    assert rooms == sorted(rooms, reverse=True)
    left_pct = 70 - 3 - 62  # a quarter of the run-up stays free
    assert rooms[1] == pytest.approx(transient.FAN_RUNG * (left_pct / 12) ** 2)  # heat goes by the root of the way left
    assert transient.run_up_pct(fans(*[50.0] * 20, 52, 56, 60)) == 10.0
    assert transient.run_up_pct(fans(60.0, *[50.0] * 20)) == 0.0


def test_a_point_is_left_where_a_fan_that_begins_to_run_would_be_over_its_limit_before_a_lower_clock_is_felt():
    calm = fans(*[66.0] * 20)
    assert transient.leaving(calm, 0.0, 0.0, CAPPED, transient.Response(run_up=8.0)) is None
    assert "fan" in (transient.leaving(calm, 0.0, 0.0, CAPPED, transient.Response(run_up=24.0)) or "")


def test_a_fan_that_heads_for_its_limit_is_slowed_by_less_clock_and_at_the_lowest_the_point_is_left():
    rising = fans(*[50.0] * 8, *[62.0 + 0.9 * n for n in range(11)])
    way = pace.Way(Target(500, 1150), Target(550, 1150), Target(600, 1150))
    move = pace.on_the_way(adaptively(), CAPPED, way, rising, -500.0, 0.0)
    assert move.do is pace.Do.BACK
    assert move.to.mhz < 550
    low = pace.Way(Target(400, 1150), Target(400, 1150), Target(600, 1150))
    assert pace.on_the_way(adaptively(), CAPPED, low, rising, -500.0, 0.0).do is pace.Do.LEAVE


def status(rate: float, error_pct: float | None) -> MinerStatus:
    return MinerStatus(hashrate_ghs=rate, expected_ghs=1000, error_pct=error_pct)


def test_steady_errors_need_fewer_readings_than_wild_ones_and_none_need_most():
    of = adaptively()
    steady = [status(1000, 0.30 + 0.01 * (n % 2)) for n in range(8)]
    wild = [status(1000, 0.1 + 0.5 * (n % 2)) for n in range(8)]
    noisy = [status(1000 + 120 * (-1) ** n, 0.30 + 0.01 * (n % 2)) for n in range(8)]
    silent = [status(1000 + 90 * (-1) ** n, None) for n in range(20)]
    assert evidence.enough(of, steady, 30, soak=False)
    assert not evidence.enough(of, wild, 30, soak=False)
    assert not evidence.enough(of, noisy, 30, soak=False)
    assert evidence.enough(of, noisy * 2, 30, soak=False)
    assert not evidence.enough(of, silent, 100, soak=False)
    assert evidence.enough(of, silent, of.measure_s, soak=False)
    assert not evidence.enough(of, steady, 30, soak=True)


def test_confidence_is_that_of_the_verdict():
    of = msgspec.structs.replace(adaptively(), max_error_pct=1.0)
    good = [status(1000 + 20 * (-1) ** n, 0.2 + 0.02 * (n % 2)) for n in range(40)]
    bad = [status(800 + 20 * (-1) ** n, 3.0 + 0.02 * (n % 2)) for n in range(40)]
    passed = evidence.judged(of, point(1, 500, 1150, 0.2, hashrate_ghs=1000.0, expected_ghs=1000.0), good, soak=True)
    failed = evidence.judged(of, point(1, 500, 1150, 3.0, hashrate_ghs=800.0, expected_ghs=1000.0), bad, soak=True)
    assert passed.passed
    assert passed.confidence == pytest.approx(1, abs=0.01)
    assert failed.verdict is PointVerdict.UNSTABLE
    assert failed.confidence == pytest.approx(1, abs=0.01)


def test_from_a_setting_that_was_not_stable_the_voltage_comes_first():
    way = pace.Way(Target(650, 1150), Target(650, 1150), Target(700, 1200), weak=True)
    assert way.eased().target == Target(650, 1200)
    assert way._replace(here=Target(650, 1200)).eased().target == Target(700, 1200)
    assert way._replace(weak=False).eased() == way._replace(weak=False)


def test_a_board_that_died_somewhere_is_kept_away_from_there_but_not_given_up():
    of = adaptively()
    points = [point(1, 500, 1150, 0.03), point(2, 540, 1150, 0.3)]
    points += [SweepPoint(n, mhz, 1150, PointVerdict.UNSTABLE, "no hashrate") for n, mhz in ((3, 560), (4, 555))]
    answer = adaptive.next_target(of, bounds(of), START, points)
    assert isinstance(answer, Target)
    assert answer.mhz < 555 or answer.mv > 1150


def test_errors_that_still_go_from_what_the_setting_before_had_are_waited_for():
    """Firmware may show a mean over a minute. Errors that are level, few, or hardly change are no reason to wait."""
    noise = (0.004, -0.006, 0.005, -0.003, 0.001, -0.004, 0.006, -0.002, 0.003, -0.005, 0.002, -0.001)
    falling = [status(1000, 0.05 + 0.5 * math.exp(-n / 12) + noise[n]) for n in range(12)]
    rising = [status(1000, 0.6 - 0.5 * math.exp(-n / 12) + noise[n]) for n in range(12)]
    level = [status(1000, 0.3 + noise[n]) for n in range(12)]
    little = [status(1000, 0.05 + 0.001 * n) for n in range(12)]
    assert evidence.following(falling)
    assert evidence.following(rising)
    assert not evidence.following(level)
    assert not evidence.following(little)
    assert not evidence.following(falling[: evidence.LEAST - 1])
    assert not evidence.enough(adaptively(), falling, 60, soak=False)
    assert evidence.enough(adaptively(), falling, adaptively().measure_s, soak=False)


def test_after_a_setting_with_many_errors_a_dozen_readings_tell_whether_they_have_gone():
    plan = adaptively()
    steady = tuple(status(1000, 0.30 + 0.01 * (n % 2)) for n in range(evidence.TRENDED))
    for before_pct, least in ((0.05, 8), (0.5, evidence.TRENDED)):
        state = State(plan, bounds(plan), START, START, restart=False, points=(point(1, 575, 1150, before_pct),))
        state = replace(state, trail=(Trace(0.0, steady[0]),))
        assert ramp.enough(replace(state, readings=steady[:least]), 5.0 * least)
        assert not ramp.enough(replace(state, readings=steady[: least - 3]), 5.0 * (least - 3))
    assert ramp.enough(replace(state, readings=steady[:8]), plan.measure_s), "the most that a point may take"


def test_readings_whose_errors_are_still_on_their_way_go_as_others_come_and_level_ones_stay():
    plan = adaptively()
    state = State(plan, bounds(plan), Target(500, 1150), Target(500, 1150), restart=False)
    for n in range(40):
        state = ramp.taken(state, status(1000, 0.5 * math.exp(-n / 12)))
    assert len(state.readings) == evidence.TRENDED
    assert state.readings[-1].error_pct == pytest.approx(0.5 * math.exp(-39 / 12))
    for n in range(20):
        state = ramp.taken(state, status(1000, 0.02 + 0.001 * (n % 2)))
    assert len(state.readings) > evidence.TRENDED + 6
    for n in range(20):
        state = ramp.taken(state, status(1000, 0.02 * n))
    assert len(state.readings) > evidence.TRENDED + 26, "a drift later on is of this setting"

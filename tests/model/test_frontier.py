"""The frontier that a guard moves along."""

from __future__ import annotations

import pytest

from minertui.model.frontier import Frontier, frontier_of, known_of
from minertui.model.plans import Phase, PointVerdict, Strategy, SweepPlan, SweepPoint, SweepRecord
from minertui.model.status import MinerStatus


def point(mhz: float, mv: int, verdict: PointVerdict = PointVerdict.PASSED, *, soak: bool = False) -> SweepPoint:
    watts = (mv / 1000) ** 2 * mhz / 40
    return SweepPoint(
        1, mhz, mv, verdict, hashrate_ghs=2 * mhz, power_w=watts, chip_temp_c=20 + 2 * watts, error_pct=0.1,
        confidence=0.99 if soak else 0.9, soak=soak,
    )  # fmt: skip


def shown(frontier: Frontier) -> list[tuple[float, int]]:
    return [(s.mhz, s.mv) for s in frontier.settings]


def test_only_points_that_passed_and_take_less_voltage_than_the_line_between_others():
    points = [point(500, 1100), point(600, 1190), point(700, 1200), point(750, 1150, PointVerdict.UNSTABLE)]
    assert shown(frontier_of(points)) == [(500, 1100), (700, 1200)]
    assert shown(frontier_of([*points, point(600, 1120)])) == [(500, 1100), (600, 1120), (700, 1200)]
    assert shown(frontier_of([point(500, 1100), point(500, 1150)])) == [(500, 1100)]
    assert frontier_of([]).settings == ()


def test_more_clock_at_no_more_voltage_replaces_what_is_under_it():
    assert shown(frontier_of([point(500, 1150), point(600, 1150), point(650, 1140)])) == [(650, 1140)]


def test_what_a_longer_look_disproved_is_not_on_it():
    failed = point(700, 1200, PointVerdict.UNSTABLE, soak=True)
    assert shown(frontier_of([point(500, 1100), point(700, 1200), point(705, 1200), failed])) == [(500, 1100)]


def test_between_two_settings_voltage_and_power_follow_the_clock():
    frontier = frontier_of([point(500, 1100), point(700, 1200, soak=True)])
    there = frontier.at(601)
    assert there is not None
    assert (there.mv, there.measured, there.confidence) == (1151, False, 0.9)
    assert there.power_w == pytest.approx(1.151**2 * 601 / 40)
    assert there.chip_temp_c == pytest.approx(20 + 2 * there.power_w)
    assert frontier.at(700) == frontier.settings[-1]
    assert frontier.at(705) is None


def test_under_the_lowest_clock_its_voltage_holds():
    there = frontier_of([point(500, 1100), point(700, 1200)]).at(400)
    assert there is not None
    assert (there.mv, there.measured) == (1100, False)
    assert there.power_w == pytest.approx(0.8 * 1.1**2 * 500 / 40)


def test_steps_along_it_and_the_most_that_a_power_allows():
    frontier = frontier_of([point(500, 1100), point(700, 1200)])
    up, end, down = frontier.beside(650, 25), frontier.beside(690, 25), frontier.beside(700, -25)
    assert (up and up.mhz, end and end.mhz, down and down.mhz) == (675, 700, 675)
    allowed = frontier.under(20.0, 5)
    assert allowed is not None
    assert allowed.power_w <= 20.0 < (frontier.beside(allowed.mhz, 5) or allowed).power_w
    assert frontier.under(0.0, 5) is None
    assert Frontier().beside(500, 5) is None
    assert Frontier().under(20, 5) is None


def record(*points: SweepPoint) -> SweepRecord:
    plan = SweepPlan("a", strategy=Strategy.ADAPTIVE, confidence=0.95, max_error_pct=0.7)
    return SweepRecord("a@1", "a", "02:00", "Gamma", plan, Phase.DONE, 1.0, points=points, chip="BM1370", firmware="v2")


def test_what_a_sweep_passed_by_luck_is_not_known():
    found = known_of(record(point(500, 1100, soak=True), point(700, 1200)))
    assert found is not None
    assert shown(found.frontier) == [(500, 1100)], "0.9 is less sure than the sweep asked"
    assert found.max_error_pct == 0.7
    assert known_of(record(point(700, 1200))) is None


def test_another_chip_or_firmware_is_another_board():
    found = known_of(record(point(500, 1100, soak=True)))
    assert found is not None
    assert found.other_board(MinerStatus(chip="BM1370", firmware="v2")) == ""
    assert found.other_board(MinerStatus(chip="BM1370", firmware="v3")) == (
        "its firmware is v3 now and was v2 at the sweep"
    )
    assert "chip is unknown now" in found.other_board(MinerStatus(firmware="v2"))

"""The guide's walk alone: given verdicts, which points follow? No board, no time."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from minertui.jobs.sweep.grid import next_target
from minertui.jobs.sweep.walk import Finish, Target
from minertui.model.plans import PointVerdict, SweepPlan, SweepPoint
from minertui.model.ranking import bounds, longest

PASSED, UNSTABLE, LIMIT = PointVerdict.PASSED, PointVerdict.UNSTABLE, PointVerdict.LIMIT
DISTURBED, NOT_APPLIED = PointVerdict.DISTURBED, PointVerdict.NOT_APPLIED
Judge = Callable[[Target], tuple[PointVerdict, float | None]]


def plan(**fields: object) -> SweepPlan:
    usual = {"step_mhz": 5, "step_mv": 5, "min_mhz": 400, "max_mhz": 600, "min_mv": 1000, "max_mv": 1300}
    return SweepPlan(**{**usual, **fields})  # type: ignore[arg-type]


def walked(of: SweepPlan, judge: Judge, at: Target = Target(500, 1150)) -> tuple[list[SweepPoint], str]:  # noqa: B008
    points: list[SweepPoint] = []
    while not isinstance(answer := next_target(of, bounds(of), at, points), Finish):
        verdict, rate = judge(answer)
        samples = 0 if rate is None else 40
        points.append(
            SweepPoint(len(points) + 1, answer.mhz, answer.mv, verdict, "why", hashrate_ghs=rate, samples=samples)
        )
        assert len(points) < 1000
    return points, answer.reason


def verdicts(*given: PointVerdict) -> Judge:
    left = list(given)
    return lambda at: (left.pop(0), at.mhz * 2)


def test_unstable_raises_voltage_and_lowers_frequency_by_one_step_each():
    points, _ = walked(plan(max_mhz=505, max_mv=1155), verdicts(PASSED, UNSTABLE, PASSED, UNSTABLE))
    assert [(p.mhz, p.mv) for p in points] == [(500, 1150), (505, 1150), (500, 1155), (505, 1155)]


def test_the_highest_frequency_ends_the_climb():
    points, why = walked(plan(max_mhz=510), verdicts(PASSED, PASSED, PASSED))
    assert [p.mhz for p in points] == [500, 505, 510]
    assert "highest frequency allowed, 510 MHz" in why


def test_steps_that_do_not_divide_the_range_stay_below_its_end():
    points, _ = walked(plan(step_mhz=6.25, max_mhz=510), verdicts(PASSED, PASSED))
    assert [p.mhz for p in points] == [500, 506.25]


def test_a_start_too_high_descends_until_something_passes():
    points, why = walked(plan(max_mv=1155), lambda at: (PASSED if at.mhz <= 480 else UNSTABLE, at.mhz))
    assert points[-1].passed
    assert (points[-1].mhz, points[-1].mv) == (480, 1155)
    assert "highest voltage" in why


def test_when_nothing_ever_passes_it_ends_at_the_lowest_frequency():
    points, why = walked(plan(min_mhz=480, max_mv=1150), lambda at: (UNSTABLE, at.mhz))
    assert [p.mhz for p in points] == [500, 495, 490, 485, 480]
    assert "nothing lower is allowed" in why


def test_after_a_limit_voltage_goes_down_first_then_frequency():
    points, _ = walked(plan(min_mv=1140), verdicts(LIMIT, LIMIT, LIMIT, LIMIT, PASSED))
    assert [(p.mhz, p.mv) for p in points] == [(500, 1150), (500, 1145), (500, 1140), (495, 1140), (490, 1140)]


def test_after_a_limit_known_points_are_walked_over():
    # 505 is unstable at 1150, fine at 1155; 510 is too hot at 1155, and 510 at 1150 is measured for the first time
    judged: dict[tuple[float, int], PointVerdict] = {
        (500, 1150): PASSED,
        (505, 1150): UNSTABLE,
        (500, 1155): PASSED,
        (505, 1155): PASSED,
    }
    points, _ = walked(plan(), lambda at: (judged.get((at.mhz, at.mv), LIMIT if at.mv >= 1155 else UNSTABLE), at.mhz))
    assert [(p.mhz, p.mv) for p in points][4:] == [(510, 1155), (510, 1150)]


def test_a_plateau_needs_20_mv_without_1_percent():
    flat, why = walked(plan(), lambda at: (UNSTABLE if at.mhz > 500 else PASSED, 1000 + (at.mv - 1150) * 0.4))
    assert "plateau" in why
    assert max(p.mv for p in flat) == 1170
    rising, why = walked(plan(), lambda at: (UNSTABLE if at.mhz > 500 else PASSED, 1000 + (at.mv - 1150) * 0.6))
    assert "highest voltage" in why
    assert max(p.mv for p in rising) == 1300


def test_a_disturbed_point_ends_the_walk_and_keeps_the_rest():
    points, why = walked(plan(), verdicts(PASSED, DISTURBED))
    assert len(points) == 2
    assert "ended at 505 MHz / 1150 mV" in why


def test_two_refused_points_end_the_walk():
    points, why = walked(plan(), lambda at: (NOT_APPLIED, None))
    assert len(points) == 2
    assert "does not take the settings" in why


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_the_verdicts_the_walk_ends_within_its_limits_and_never_repeats(data):
    of = plan(
        step_mhz=data.draw(st.sampled_from([5, 6.25, 20, 25])),
        step_mv=data.draw(st.sampled_from([5, 7, 20])),
        max_mhz=data.draw(st.sampled_from([500, 530, 600])),
        max_mv=data.draw(st.sampled_from([1150, 1180, 1300])),
    )
    kinds = st.sampled_from([PASSED, PASSED, UNSTABLE, UNSTABLE, LIMIT, NOT_APPLIED, DISTURBED])
    points, _ = walked(of, lambda at: (data.draw(kinds), data.draw(st.floats(100, 2000))))
    at = [(p.mhz, p.mv) for p in points]
    assert len(set(at)) == len(at)
    assert all(of.min_mhz <= mhz <= of.max_mhz and of.min_mv <= mv <= of.max_mv for mhz, mv in at)
    limits = [i for i, p in enumerate(points) if p.verdict is LIMIT]
    if limits:
        after, hot = points[limits[0] :], points[limits[0]]
        assert all(p.mv <= hot.mv and p.mhz <= hot.mhz for p in after)
    again = [next_target(of, bounds(of), Target(500, 1150), points[:i]) for i in range(len(points))]
    assert [(t.mhz, t.mv) for t in again if isinstance(t, Target)] == at  # any interruption walks on the same way


@given(st.data())
def test_a_climb_is_never_longer_than_estimated(data):
    of = plan(step_mhz=20, step_mv=20)
    points, _ = walked(of, lambda at: (data.draw(st.sampled_from([PASSED, UNSTABLE])), 1.0 * at.mv**3))
    climb = [p for i, p in enumerate(points) if i == 0 or p.mv > points[i - 1].mv or p.mhz > points[i - 1].mhz]
    assert len(climb) <= longest(of, bounds(of), 500, 1150)

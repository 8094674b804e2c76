"""A limit that is lowered while a sweep runs holds for that sweep too, from its next reading on."""

from __future__ import annotations

import pytest

from minertui.jobs.sweep import run
from minertui.model.plans import Limits, Phase
from minertui.model.ranking import bounds
from tests.jobs.sweep_board import Board, FakeSite, plan


def fine() -> FakeSite:
    """Stable at all that is asked of it."""
    return FakeSite(Board(top_mhz=lambda _: 900))


async def test_a_lower_temperature_ends_the_point_that_is_over_it_and_nothing_hotter_is_left():
    site, hot = fine(), list[float]()

    def look(it: FakeSite) -> None:
        if it.clock > 3100 and it.board.chip_c(it.board.mhz, it.board.mv) >= 53:
            hot.append(it.clock)

    site.at, site.every = [(3000, lambda s: setattr(s, "limits", Limits(max_chip_temp_c=53)))], look
    await run(site, plan(max_mhz=600), ())
    assert len(hot) < 20, "each point over it is left at its next reading"
    assert "has reached 53 °C" in next(p.reason for p in site.points if not p.passed)
    assert "keeps within the limits in force, which changed: max_chip_temp_c 62 → 53" in site.said
    assert site.board.chip_c(site.board.mhz, site.board.mv) < 53


@pytest.mark.parametrize("limits", [Limits(max_mhz=520), Limits(max_mv=1150, max_mhz=520)])
async def test_a_lower_clock_is_where_it_ends(limits: Limits):
    site = fine()
    site.at = [(1300, lambda s: setattr(s, "limits", limits))]
    await run(site, plan(max_mhz=600), ())
    assert max(tune.frequency_mhz or 0 for tune in site.tunes) == 520
    assert site.end[0] is Phase.DONE


async def test_a_point_that_runs_over_a_lowered_clock_is_left_at_that_reading():
    """It went on for minutes, and passed."""
    site, before, after = fine(), list[float](), list[float]()

    def lower(it: FakeSite) -> None:
        before.append(it.board.mhz)
        it.limits = Limits(max_mhz=520)

    def look(it: FakeSite) -> None:
        if before:
            after.append(it.board.mhz)

    site.at, site.every = [(4000, lower)], look
    await run(site, plan(max_mhz=600), ())
    assert before[0] > 520, "it was over it by then"
    assert after[0] > 520, "that reading is the one that tells"
    assert all(mhz <= 520 for mhz in (*after[1:], site.board.mhz))
    left = next(p for p in site.points if p.mhz > 520 and not p.passed)
    assert "over the limits in force, which were lowered: 520 MHz" in left.reason


@pytest.mark.parametrize("limits", [Limits(max_mhz=520), Limits(max_power_w=17.2), Limits(max_chip_temp_c=53.5)])
async def test_a_best_point_from_before_that_is_over_it_now_is_not_applied(limits: Limits):
    site = fine()
    site.at = [(4000, lambda s: setattr(s, "limits", limits))]  # at 540 MHz, 54.8 °C, 17.9 W
    await run(site, plan(max_mhz=600), ())
    assert (530, 1150) in [(p.mhz, p.mv) for p in site.points if p.passed]
    (settings,) = site.concluded
    assert settings is not None
    at = settings.frequency_mhz or 0, settings.core_mv or 0
    assert at[0] <= (limits.max_mhz or 600)
    assert site.board.power_w(*at) <= (limits.max_power_w or 28)
    assert site.board.chip_c(*at) <= (limits.max_chip_temp_c or 62)


async def test_what_is_lowered_and_raised_again_is_as_at_the_start_and_no_more():
    site = fine()
    site.at = [
        (1300, lambda s: setattr(s, "limits", Limits(max_mhz=520))),
        (1400, lambda s: setattr(s, "limits", Limits(max_mhz=1000))),
    ]
    await run(site, plan(max_mhz=540), ())
    assert max(tune.frequency_mhz or 0 for tune in site.tunes) == 540
    assert bounds(plan(max_mhz=540)).max_mhz == 540

"""What a guard learned of its room outlives it, and is not believed when it is old."""

from __future__ import annotations

from dataclasses import replace

import pytest

from minertui.jobs import guard
from minertui.jobs.guard.hold import Hold, recalled
from minertui.model.errors import Stopped
from minertui.model.frontier import Known
from minertui.model.plans import GuardPlan
from tests.jobs.test_guard import PLAN, FakeSite
from tests.jobs.test_guard_hold import KNOWN, Board

HOUR_S = 3600.0


@pytest.mark.parametrize(
    ("room", "taken"),
    [
        (None, 25),
        ((31.5, 60.0), 31.5),
        ((31.5, 6 * HOUR_S), 31.5),
        ((31.5, 6 * HOUR_S + 1), 25),  # the day has gone on
        ((31.5, -60.0), 25),  # the clock was set back: nobody knows how old it is
        ((90.0, 60.0), 25),  # no room
        ((float("nan"), 60.0), 25),
    ],
)
def test_a_room_is_taken_over_while_it_is_young(room: tuple[float, float] | None, taken: float):
    assert recalled(Hold(), room).room_c == taken


@pytest.mark.parametrize(
    ("known", "taken"), [(KNOWN, ["takes its room as 31.0 °C, as was learned before"]), (None, [])]
)
async def test_a_guard_that_holds_begins_with_what_was_learned(known: Known | None, taken: list[str]):
    site = FakeSite([55, 55], Stopped(final=True))
    site.left, site.learned = known, (31.0, 600.0)
    await guard.run(site, PLAN)
    assert site.lines == taken
    assert site.learned == (31.0, 600.0), "nothing new was learned, so it goes on growing old"


def test_a_room_that_was_learned_lets_it_find_its_setting_in_fewer_moves():
    plan = GuardPlan("a", max_chip_temp_c=80, hold_temp_c=70, step_down_mhz=100)
    fresh, told = (Board(plan=plan, room_c=40) for _ in range(2))
    told.state = replace(told.state, hold=recalled(told.state.hold, (40.0, 60.0)))
    for board in (fresh, told):
        board.live(HOUR_S)
        assert board.rest_c <= 71
    assert len(told.sent) < len(fresh.sent)

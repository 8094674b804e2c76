"""The guard's limits beside the temperatures: power over its limit, and a supply that gives too little."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest

from minertui.jobs import guard
from minertui.jobs.guard import step
from minertui.jobs.guard.hold import ANSWER_S
from minertui.model.commands import OutcomeState, Tune
from minertui.model.errors import Stopped
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import GuardPlan, Limits
from minertui.model.status import MinerStatus
from minertui.safety.settings import Settings
from tests.jobs.test_guard import PLAN, FakeSite, snap
from tests.jobs.test_guard_hold import KNOWN, POLL_S, Board, need_mv, replaced

HOUR_S, DAY_S = 3600.0, 86_400.0
LIMIT_W = 36.0


@dataclass
class Loaded(Board):
    """A cool miner that draws 38 W at 525 MHz and 1150 mV, 4 W of them whatever it runs."""

    mhz: float = 525.0
    mv: float = 1150.0
    room_c: float = 15.0
    extra_w: float = 0.0
    noise: float = 0.0
    input_mv: float = 5100.0
    every_s: float = POLL_S
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    @property
    def power_w(self) -> float:
        return 4 + 34 * self.mv**2 * self.mhz / (1150**2 * 525) + self.extra_w

    def status(self, **more: Any) -> MinerStatus:
        shown_w = self.power_w * (1 + self.dice.gauss(0, self.noise))
        return super().status(power_w=shown_w, input_mv=self.input_mv, nominal_input_v=5.0, **more)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.began_mhz = self.mhz

    def poll(self, **more: Any) -> Tune | None:
        self.now += self.every_s - POLL_S
        return super().poll(**more)

    def days(self, days: float, **more: Any) -> None:
        """In polls of nearly two minutes: fewer to reckon with."""
        self.every_s = 115.0
        for _ in range(int(days * DAY_S / self.every_s)):
            self.poll(**more)
        self.every_s = POLL_S

    @property
    def turns(self) -> int:
        """How often it went the other way."""
        ups = [b > a for a, b in pairwise([self.began_mhz, *self.clocks])]
        return sum(a != b for a, b in pairwise(ups))

    @property
    def clocks(self) -> list[float]:
        return [tune.frequency_mhz for tune in self.writes if tune.frequency_mhz is not None]


def unknown(**values: Any) -> Loaded:
    """Without a frontier."""
    return Loaded(known=None, **values)


YOURS = Limits(max_power_w=LIMIT_W)


def test_power_over_your_limit_is_lowered_at_the_second_reading():
    board = unknown(limits=YOURS)
    assert board.poll() is None
    assert board.poll() == Tune(frequency_mhz=475)
    assert board.state.why == "power 38 W is above 36 W: down to 475 MHz"


def test_so_it_is_where_the_flag_of_an_overheat_of_before_is_still_told():
    """Somebody set it to more than its parking speed since."""
    board = unknown(limits=YOURS)
    for _ in range(3):
        board.poll(overheat=True)
    assert board.clocks == [475]
    board.days(0.1, overheat=True)
    assert board.clocks == [475]
    assert board.state.why == "the firmware handles an overheat"


def test_one_reading_says_nothing_and_a_pause_begins_anew():
    board = unknown(limits=YOURS)
    for _ in range(5):
        board.extra_w = 0.0
        board.poll()
        board.extra_w = -10.0
        board.poll()
        board.extra_w = 0.0
        board.poll()
        board.poll(paused=True)
    assert board.sent == []


def test_a_step_that_is_not_enough_is_followed_by_the_next_down_to_the_floor_and_no_further():
    board = unknown(limits=Limits(max_power_w=26), plan=GuardPlan("a", stable_s=600))
    board.live(HOUR_S)
    assert board.clocks == [475, 425, 375, 368]
    assert all(b - a >= board.plan.settle_s for (a, _), (b, _) in pairwise(board.sent))
    assert board.state.why == "power 27.83 W is above 26 W, already at the floor of 368 MHz"


def test_it_does_not_climb_back_into_the_limit():
    board = unknown(limits=YOURS)
    board.days(0.3)
    assert board.clocks == [475]
    assert board.state.why == "a step up from 34.8 W would come to its limit of 36 W"


def test_it_climbs_as_far_as_the_limit_bears_and_back_to_what_you_ran_when_it_is_gone():
    board = unknown(limits=YOURS, plan=GuardPlan("a", step_down_mhz=125))
    board.live(60)
    board.days(0.5)
    assert board.clocks == [400, 425, 450, 470]
    board.limits = Limits()
    board.days(0.25)
    assert board.clocks[4:] == [495, 520, 525]


def test_a_smaller_step_up_is_made_where_a_whole_one_has_no_room():
    board = unknown(limits=YOURS, plan=GuardPlan("a", step_down_mhz=75))
    board.live(60)
    board.days(0.2)
    assert board.clocks == [450, 470]


def test_its_own_voltage_is_reckoned_with():
    """The clock alone would fit, and the voltage that it is given back first would not."""
    board = unknown(limits=YOURS)
    board.live(60)
    board.sent.clear()
    board.mv = 1100
    board.state = replace(board.state, wanted_mv=1100)
    board.days(0.2)
    assert (board.sent, "would come to its limit" in board.state.why) == ([], True)


def test_noise_makes_no_seesaw():
    board = unknown(limits=YOURS, noise=0.01, plan=GuardPlan("a", step_down_mhz=125, stable_s=600))
    board.live(HOUR_S)
    board.days(1)
    assert board.turns == 1
    assert len(board.sent) <= 6


def test_a_miner_that_draws_more_with_the_days_heat_is_lowered_and_writes_stay_few():
    board = unknown(limits=YOURS, extra_w=-3.0, noise=0.005)
    for hour in range(2 * 24):
        board.extra_w = -3.0 + (3.0 if 10 <= hour % 24 < 18 else 0.0)
        board.days(1 / 24)
    assert board.turns == 3, "down in the morning and up in the evening, twice"
    assert len(board.sent) <= 4 * 2


BUILT_FOR = {"model": "Gamma", "board": "601", "max_power_w": LIMIT_W}


def test_a_board_that_drew_more_than_it_is_built_for_from_the_start_is_left_alone():
    board = unknown(limits=YOURS)
    board.days(0.3, **BUILT_FOR)
    assert board.sent == []
    board.limits = Limits(max_power_w=35)  # that is yours
    board.poll(**BUILT_FOR)
    assert board.clocks == [475]


def test_once_it_was_seen_under_it_that_limit_is_kept_too():
    board = unknown(limits=YOURS, extra_w=-3.0)
    board.live(ANSWER_S - POLL_S, **BUILT_FOR)
    board.extra_w = 0.0
    board.live(HOUR_S, **BUILT_FOR)
    assert board.sent == [], "so short a look says nothing: it may have been starting"
    board.extra_w = -3.0
    board.live(ANSWER_S, **BUILT_FOR)
    board.extra_w = 0.0
    board.live(2 * POLL_S, **BUILT_FOR)
    assert board.clocks == [475]


def test_what_you_ordered_is_lowered_too_and_what_you_set_by_hand():
    board = unknown(limits=YOURS, extra_w=-3.0)
    board.live(600)
    board.mhz = 575
    board.state = replace(board.state, ordered=Settings(575, 1150), wanted_mhz=575.0)
    board.live(2 * POLL_S)
    assert board.clocks == [525]
    assert board.state.ordered is None


def test_a_parked_miner_is_lowered_and_a_miner_that_repeats_itself_is_judged_by_what_moved():
    board = unknown(limits=YOURS)
    board.live(2 * POLL_S, health=Health.PARKED)
    assert board.clocks == [475]
    stuck = unknown(limits=YOURS)
    stuck.live(2 * POLL_S, health=Health.STALE)
    assert stuck.sent == []


def test_while_a_sweep_runs_its_own_limits_hold():
    board, now_s = unknown(limits=YOURS), 0.0
    for _ in range(20):
        now_s += POLL_S
        snapshot = Snapshot("a", status=board.status(), at_s=now_s, boot_s=now_s, health=Health.OK, limits=YOURS)
        board.state, tune = step(board.state, board.plan, snapshot, now_s, yielding=True)
        assert tune is None
    for _ in range(2):
        now_s += POLL_S
        board.state, tune = step(board.state, board.plan, replaced(snapshot, now_s), now_s)
    assert tune == Tune(frequency_mhz=475)


# along a frontier -----------------------------------------------------------------------------------------------------


def test_along_a_frontier_the_voltage_follows_though_nothing_is_warm():
    board = Loaded(known=KNOWN, mhz=600, mv=1150, limits=Limits(max_power_w=40))
    board.live(120)
    assert board.writes == [Tune(frequency_mhz=550), Tune(core_mv=int(need_mv(550)))]


def test_along_a_frontier_it_finds_the_highest_setting_under_its_limit_and_stays_there():
    board = Loaded(known=KNOWN, mhz=700, mv=1230, limits=YOURS, noise=0.005)
    board.live(HOUR_S)
    board.days(0.3)
    assert (board.mv, board.power_w < LIMIT_W) == (need_mv(board.mhz), True)
    higher = replace(board, mhz=board.mhz + 25, mv=need_mv(board.mhz + 25))
    assert higher.power_w > 0.97 * LIMIT_W
    assert "would come to its limit of 36 W" in board.state.why
    assert board.turns == 1, "down, and up to there"
    writes = len(board.sent)
    board.days(0.5)
    assert len(board.sent) == writes


def test_a_fan_with_room_takes_heat_and_no_power():
    board = Loaded(known=KNOWN, mhz=600, mv=1150, limits=Limits(max_power_w=38))
    board.live(1800, fan_auto=True, fan_pct=40.0)
    board.days(0.2, fan_auto=True, fan_pct=40.0)
    assert board.power_w < 38
    assert board.turns <= 1


# the supply -----------------------------------------------------------------------------------------------------------


def fed(**values: Any) -> Loaded:
    """A board whose guard has seen its supply well."""
    board = unknown(**values)
    board.live(ANSWER_S + 2 * POLL_S)
    return board


def test_a_supply_that_sags_takes_one_step_and_no_second_one():
    board = fed()
    board.input_mv = 4700.0
    assert board.poll() is None
    assert board.poll() == Tune(frequency_mhz=475)
    assert board.state.why == "input voltage 4700 mV is under 4800 mV, once for its supply: down to 475 MHz"
    board.days(1.1)
    assert len(board.sent) == 1, "a sensor that broke says the same for ever"
    assert board.state.why == "its supply was too weak for more: no step up for 24 h"


def test_a_fault_that_the_board_reports_is_one_step_too():
    board = fed()
    board.live(600, power_fault="VIN_UV")
    assert board.clocks == [475]
    idle = fed()
    idle.live(600, power_fault="VIN_UV", hashrate_ghs=0.0)
    assert idle.sent == [], "it draws nothing"


def test_after_a_day_it_climbs_again_and_the_next_sag_is_a_step_again():
    board = fed()
    board.input_mv = 4700.0
    board.live(60)
    began_s = board.sent[0][0]
    board.input_mv = 5000.0
    board.days(1 - 120 / DAY_S)
    assert len(board.sent) == 1
    assert "no step up for" in board.state.why
    board.days(0.2)
    assert board.clocks == [475, 500, 525]
    assert board.sent[1][0] - began_s >= DAY_S
    board.input_mv = 4700.0
    board.days(0.2)
    assert board.clocks[3:] == [475]


def test_short_dips_through_the_day_do_not_add_up():
    board = fed()
    for _ in range(10):
        board.input_mv = 4700.0
        board.live(60)
        board.input_mv = 5000.0
        board.days(1 / 24)
    assert board.clocks == [475]


@pytest.mark.parametrize("input_mv", [4700.0, 6000.0])
def test_a_supply_that_was_never_right_is_left_alone_and_so_is_too_much(input_mv: float):
    board = unknown(input_mv=input_mv)
    board.live(1200)
    assert board.sent == []
    high = fed()
    high.input_mv = 6000.0
    high.live(600)
    assert high.sent == []


async def test_a_step_whose_answer_was_lost_is_the_one_step():
    class Weak(FakeSite):
        async def next_snapshot(self, within_s: float | None = None) -> Snapshot:
            await super().next_snapshot(within_s)
            volts = 5100.0 if self.t <= ANSWER_S + 20 else 4700.0
            return snap(self.t, 55 + self.t % 2, self.mhz, uptime_s=self.t, input_mv=volts, nominal_input_v=5.0)

    site = Weak([55.0] * 80, Stopped(final=True), OutcomeState.UNKNOWN)
    await guard.run(site, PLAN)
    assert site.sent == [Tune(frequency_mhz=450, at_most=True)]


def test_a_step_down_for_heat_forgets_where_it_was_on_its_way_to():
    """It climbed back towards the goal of the step for power before it, two minutes after it had been too hot."""
    board = Loaded(known=KNOWN, mhz=600, mv=1150, limits=Limits(max_power_w=40))
    while board.state.hold.goal_mhz is None:
        board.poll()
    hot = snap(board.now + POLL_S, 66.0, board.mhz, core_mv=board.mv)
    state, tune = step(replace(board.state, lowered_s=None), board.plan, hot, board.now + POLL_S)
    assert tune is not None
    assert (tune.frequency_mhz or 0) < board.mhz
    assert state.hold.goal_mhz is None

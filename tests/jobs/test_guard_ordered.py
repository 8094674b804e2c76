"""What a person ordered, in the guard's decisions: which reading tells it, what ends it, and what it binds when the
miner has gone on from there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from minertui.jobs.guard import step
from minertui.jobs.guard.hold import Hold
from minertui.jobs.guard.state import GuardState, replanned, written
from minertui.model.commands import Tune, Word
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import GuardPlan
from minertui.model.status import Ability, MinerStatus
from minertui.safety.settings import Settings
from tests.jobs.test_guard_hold import KNOWN

PLAN = GuardPlan(device="a", high_mhz=600, stable_s=60, hold_dwell_s=60)


class Story:
    """A guard that has seen its miner at 550 MHz and 1150 mV, under its ceiling of 600 MHz."""

    def __init__(self, **state: Any) -> None:
        self.state, self.now = GuardState(**state), 0.0
        self.mhz, self.mv, self.word = 550.0, 1150.0, Word()
        self.poll()

    def poll(self, chip_c: float = 50.0, seconds: float = 10.0, *, yielding: bool = False, **more: Any) -> Tune | None:
        """A reading, and what it leads to; it is written."""
        self.now += seconds
        status = MinerStatus(
            chip="BM1370", firmware="v2.15.3", abilities=frozenset({Ability.TUNE, Ability.TUNE_LIVE}),
            hashrate_ghs=1000, chip_temp_c=chip_c, frequency_mhz=self.mhz, core_mv=self.mv, fan_auto=False,
            fan_manual_pct=100, fan_pct=100,
        )  # fmt: skip
        snapshot = Snapshot("a", status=status, at_s=self.now, boot_s=self.now, health=Health.OK, **more)
        self.state, tune = step(self.state, PLAN, snapshot, self.now, yielding, self.word)
        if tune is not None:
            self.mhz = self.mhz if tune.frequency_mhz is None else tune.frequency_mhz
            self.mv = self.mv if tune.core_mv is None else tune.core_mv
            self.state = written(self.state, tune, self.now)
        return tune

    def orders(self, mhz: float, mv: float) -> None:
        """A person's order ends there now."""
        self.mhz, self.mv, self.word = mhz, mv, Word(self.word.n + 1, mhz, mv, self.now + 1)

    def live(self, seconds: float, chip_c: float = 50.0, **more: Any) -> None:
        for _ in range(int(seconds / 10)):
            self.poll(chip_c, **more)


def test_without_an_order_it_climbs():
    story = Story()
    story.live(120)
    assert story.mhz > 550


def test_what_runs_already_stays():
    story = Story()
    story.orders(550, 1150)
    story.live(600)
    assert (story.mhz, story.state.ordered, story.state.high_mhz) == (550, Settings(550, 1150), 550)


def test_an_order_from_before_the_guard_is_no_news():
    story = Story(heard=None)
    story.state, story.word = GuardState(), Word(3, 550, 1150, 1.0)
    story.live(120)
    assert story.mhz > 550


def test_a_reading_from_before_the_order_does_not_end_it():
    story = Story()
    story.word = Word(1, 500, 1150, story.now + 15)
    story.poll()
    assert (story.state.heard, story.state.ordered) == (0, None)
    story.mhz = 500
    story.poll()
    assert story.state.ordered == Settings(500, 1150)


def test_a_limit_that_came_first_leaves_its_ceiling_and_its_voltage():
    """The guard's own step down was on its way behind the order."""
    story = Story()
    story.orders(520, 1120)
    story.mhz = 470.0
    story.state = written(replace(story.state, wanted_mv=1120.0), Tune(470.0), story.now)
    story.poll()
    assert (story.state.ordered, story.state.high_mhz, story.state.own) == (None, 520, (520, 1120))
    story.live(600)
    assert (story.mhz, story.mv) == (520, 1120)


def test_what_somebody_else_lowered_after_it_counts_more():
    story = Story()
    story.orders(560, 1150)
    story.mhz = 400.0
    story.poll()
    assert (story.state.high_mhz, story.state.own) == (400, (400, 1150))
    story.live(300)
    assert story.mhz == 400


def test_what_the_firmware_made_of_it_counts_more():
    story = Story()
    story.orders(560, 1150)
    story.mhz, story.mv = 460.0, 1050.0
    story.live(300, incidents=1)
    assert (story.mhz, story.state.ordered) == (460, None)


def test_a_limit_ends_it_and_the_ceiling_stays():
    story = Story()
    story.orders(550, 1150)
    story.poll()
    assert story.poll(66.0) == Tune(500.0)
    assert story.state.ordered is None
    story.live(600)
    assert story.mhz == 550


def test_a_sweep_ends_it():
    story = Story()
    story.orders(550, 1150)
    story.poll()
    story.mhz = 575.0
    story.poll(yielding=True)
    story.poll()
    assert (story.state.ordered, story.state.high_mhz) == (None, 575)


def test_an_order_that_took_the_miner_from_a_sweep_is_kept_after_it():
    story = Story()
    story.mhz = 575.0
    story.poll(yielding=True)
    story.orders(560, 1150)
    story.poll(yielding=True)
    story.live(300)
    assert (story.mhz, story.state.ordered, story.state.high_mhz) == (560, Settings(560, 1150), 560)


def test_holding_a_temperature_does_not_move_it_and_does_after_a_limit():
    free, bound = Story(hold=Hold(known=KNOWN)), Story(hold=Hold(known=KNOWN))
    for story in (free, bound):
        story.mhz, story.mv = 600.0, 1150.0
        story.poll()
    bound.orders(600, 1150)
    for story in (free, bound):
        story.live(600, 64.5)
    assert free.mhz < 600
    assert (bound.mhz, bound.mv) == (600, 1150)
    bound.poll(65.0)
    assert bound.mhz == 550
    bound.live(600, 64.5)
    assert bound.mhz < 550


def test_another_plan_ends_it():
    story = Story()
    story.orders(550, 1150)
    story.poll()
    assert replanned(story.state, PLAN, msgspec.structs.replace(PLAN, max_chip_temp_c=60)).ordered is None


def test_while_an_order_is_on_its_way_only_a_limit_moves_it():
    story = Story()
    story.word = Word(pending=True)
    story.live(600)
    assert (story.mhz, story.state.why) == (550, "your order is on its way: watching only")
    assert story.poll(66.0) == Tune(500.0)

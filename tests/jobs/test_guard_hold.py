"""The guard along a frontier: voltage with frequency, one value a write, never over what is proven."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minertui.jobs.guard import step
from minertui.jobs.guard.hold import Hold
from minertui.jobs.guard.state import GuardState, written
from minertui.model.commands import Tune, Word
from minertui.model.fleet import Health, Snapshot
from minertui.model.frontier import Frontier, Known, Setting
from minertui.model.holding import target_c
from minertui.model.plans import GuardPlan, Limits
from minertui.model.status import Ability, MinerStatus
from minertui.safety.settings import Settings

PLAN = GuardPlan(device="a")
POLL_S = 10.0
FRONTIER = Frontier(
    (Setting(500, 1100, 1000, 12.0), Setting(600, 1150, 1200, 16.0), Setting(700, 1230, 1400, 21.0)),
)
KNOWN = Known(FRONTIER, chip="BM1370", firmware="v2.15.3", max_error_pct=1.0)


def need_mv(mhz: float) -> float:
    """The least voltage that anything has proven for this clock."""
    there = FRONTIER.at(mhz)
    assert there is not None, f"{mhz} MHz are over the frontier"
    return there.mv


def replaced(snapshot: Snapshot, at_s: float) -> Snapshot:
    """The same at a later reading."""
    return msgspec.structs.replace(snapshot, at_s=at_s, boot_s=at_s)


@dataclass
class Board:
    """A miner with one thermal mass, 35 °C over its room at 700 MHz and 1230 mV, whose guard knows its frontier."""

    plan: GuardPlan = PLAN
    mhz: float = 700.0
    mv: float = 1230.0
    room_c: float = 25.0
    limits: Limits = field(default_factory=Limits)
    known: Known | None = KNOWN
    chip_c: float = 60.0
    now: float = 0.0
    sent: list[tuple[float, Tune]] = field(default_factory=list)
    state: GuardState = field(default_factory=GuardState)

    def __post_init__(self) -> None:
        self.chip_c = min(self.rest_c, 60.0)
        self.state = replace(self.state, hold=Hold(known=self.known))

    @property
    def rest_c(self) -> float:
        return self.room_c + 35 * self.mv**2 * self.mhz / (1230**2 * 700)

    def status(self, **more: Any) -> MinerStatus:
        values: dict[str, Any] = {
            "chip": "BM1370", "firmware": "v2.15.3", "abilities": frozenset({Ability.TUNE, Ability.TUNE_LIVE}),
            "hashrate_ghs": 2 * self.mhz, "frequency_mhz": self.mhz, "core_mv": self.mv, "chip_temp_c": self.chip_c,
            "vr_temp_c": 60.0, "fan_auto": False, "fan_pct": 100.0, "error_pct": 0.2, "uptime_s": 1e5 + self.now,
        }  # fmt: skip
        return MinerStatus(**{**values, **more})

    def poll(self, **more: Any) -> Tune | None:
        self.now += POLL_S
        self.chip_c += (self.rest_c - self.chip_c) * (1 - math.exp(-POLL_S / 90))
        health = more.pop("health", Health.OK)
        snapshot = Snapshot(
            "a", status=self.status(**more), at_s=self.now, boot_s=self.now, health=health, limits=self.limits
        )
        self.state, tune = step(self.state, self.plan, snapshot, self.now)
        if tune is not None:
            self.take(tune)
        return tune

    def take(self, tune: Tune) -> None:
        self.sent.append((self.now, tune))
        self.mhz = self.mhz if tune.frequency_mhz is None else tune.frequency_mhz
        self.mv = self.mv if tune.core_mv is None else float(tune.core_mv)
        self.state = written(self.state, tune, self.now)

    def live(self, seconds: float, **more: Any) -> None:
        for _ in range(int(seconds / POLL_S)):
            self.poll(**more)

    @property
    def writes(self) -> list[Tune]:
        return [tune for _, tune in self.sent]


def test_too_warm_it_goes_down_the_clock_first_then_the_voltage_and_the_limit_is_never_met():
    board = Board(room_c=29.5)
    board.live(1200)
    first, then = board.writes[:2]
    assert first.core_mv is None
    assert then == Tune(core_mv=int(need_mv(board.mhz)))
    assert board.mv == need_mv(board.mhz)
    assert abs(board.rest_c - target_c(PLAN)) <= 1.5
    assert board.state.why.startswith(f"at {board.mhz:g} MHz / {board.mv:g} mV, ")
    assert "holds 63 °C along its frontier" in board.state.why


def test_cool_again_it_goes_up_voltage_first_a_step_at_a_time_to_where_it_was():
    board = Board(room_c=32)
    board.live(1800)
    low = board.mhz
    board.sent.clear()
    board.room_c = 22
    board.live(4 * 3600)
    assert (low <= 650, board.mhz, board.mv) == (True, 700, 1230)
    ups = [at for at, tune in board.sent if tune.frequency_mhz is not None]
    assert all(b - a >= PLAN.hold_dwell_s for a, b in pairwise(ups))
    assert board.writes[0].core_mv is not None
    rises = [t.frequency_mhz for t in board.writes if t.frequency_mhz is not None]
    assert max(b - a for a, b in pairwise([low, *rises])) <= PLAN.step_up_mhz


def test_it_never_goes_above_what_it_ran_when_it_began_though_more_is_proven():
    board = Board(mhz=600, mv=1150, room_c=15)
    board.live(2 * 3600)
    assert board.sent == []
    assert "nothing higher is wanted or proven" in board.state.why


def test_asked_for_by_number_it_climbs_with_the_voltage_that_its_clock_needs_and_not_over_the_frontier():
    board = Board(plan=GuardPlan("a", high_mhz=900), mhz=500, mv=1100, room_c=15)
    board.live(3 * 3600)
    assert (board.mhz, board.mv) == (700, 1230)


@pytest.mark.parametrize("caps", [Limits(max_mhz=650), Limits(max_mv=1190)])
def test_the_limits_in_force_end_the_frontier(caps: Limits):
    board = Board(plan=GuardPlan("a", high_mhz=900), mhz=500, mv=1100, room_c=15, limits=caps)
    board.live(3 * 3600)
    assert 640 <= board.mhz <= 650
    assert board.mv <= 1190


def test_a_limit_lowers_the_clock_at_once_also_right_after_a_move_and_the_voltage_follows():
    board = Board(room_c=29.5)
    while not board.sent:
        board.poll()
    before = board.mhz
    assert board.poll(chip_temp_c=65.0) == Tune(frequency_mhz=before - PLAN.step_down_mhz)
    assert board.poll(chip_temp_c=65.0) == Tune(core_mv=int(need_mv(board.mhz)))
    assert "suffice" in board.state.why


def test_a_lowered_limit_of_voltage_is_kept_at_once_the_clock_first():
    board = Board(plan=GuardPlan("a", low_mhz=650, hold_dwell_s=60), room_c=15)
    board.live(60)
    assert board.sent == []
    board.limits = Limits(max_mv=1120)
    board.poll()
    assert board.state.why == "1230 mV are over the limit of 1120 mV: 540 MHz, along its frontier"
    board.poll(actual_mhz=700.0)
    assert board.state.why == "1230 mV are over the limit of 1120 mV; its clock goes down first"
    board.poll()
    assert board.writes == [Tune(frequency_mhz=540), Tune(core_mv=1120)], "your limit goes before its floor"
    board.live(600)
    assert (board.mhz, board.mv, len(board.sent)) == (540, 1120, 2)
    board.limits = Limits()
    board.live(1800)
    assert (board.mhz, board.mv) == (700, 1230), "a guard climbs back to what you ran, as far as the limits allow"


def test_it_is_kept_also_where_a_hot_chip_is_at_its_floor_already():
    board = Board(plan=GuardPlan("a", low_mhz=650, high_mhz=700), mhz=650, mv=1190, room_c=33)
    board.live(60, chip_temp_c=66.0)
    assert (board.sent, board.state.why) == ([], "chip 66.0 °C ≥ 65 °C, already at the floor of 650 MHz")
    board.limits = Limits(max_mv=1120)
    board.live(20, chip_temp_c=66.0)
    assert board.writes == [Tune(frequency_mhz=540), Tune(core_mv=1120)]
    board.live(600, chip_temp_c=66.0)
    assert board.state.why == "chip 66.0 °C ≥ 65 °C, already at the floor of 455 MHz", (
        "under its floor there is another"
    )


@pytest.mark.parametrize("ordered", [True, False])
def test_it_is_kept_also_where_you_ordered_more_and_where_it_is_parked(ordered: bool):
    board = Board(mhz=600, mv=1250, room_c=15)
    board.poll()
    if ordered:
        board.state = replace(board.state, ordered=Settings(600, 1250))
    board.live(60, health=Health.OK if ordered else Health.PARKED)
    assert board.sent == []
    board.limits = Limits(max_mv=1150)
    board.live(60, health=Health.OK if ordered else Health.PARKED)
    assert board.writes == [Tune(core_mv=1150)], "its clock is proven with that"
    assert (board.mhz, board.mv, board.state.ordered) == (600, 1150, None)


def test_your_own_order_that_is_on_its_way_is_waited_for():
    board = Board(mhz=600, mv=1250, room_c=15, limits=Limits(max_mv=1150))
    snapshot = Snapshot("a", status=board.status(), at_s=9.0, boot_s=9.0, health=Health.OK, limits=board.limits)
    state, tune = step(board.state, board.plan, snapshot, 9.0, word=Word(pending=True))
    assert (tune, state.why) == (None, "your order is on its way: watching only")
    assert step(state, board.plan, replaced(snapshot, 19.0), 19.0, yielding=True)[1] is None, "a sweep's is the sweep's"
    assert step(state, board.plan, replaced(snapshot, 29.0), 29.0)[1] == Tune(core_mv=1150)


def test_where_it_does_not_take_it_is_tried_again_but_rarely():
    board = Board(mhz=600, mv=1250, room_c=15, limits=Limits(max_mv=1150))
    board.poll()
    board.sent, board.mv = [], 1250
    board.state = replace(board.state, wanted_mv=1250, hold=replace(board.state.hold, tried_s=board.now))
    board.poll()
    assert (board.sent, board.state.why) == ([], "1250 mV are over the limit of 1150 mV; tried again soon")
    board.live(200)
    assert board.mv == 1150


@pytest.mark.parametrize(
    "unknown",
    [
        {"known": None},
        {"known": msgspec.structs.replace(KNOWN, firmware="v2.1.0")},
        {"plan": GuardPlan("a", hold=False)},
        {"limits": Limits(max_mv=1050)},
    ],
)
def test_without_a_frontier_that_reaches_down_to_it_nobody_knows_which_clock_bears_less(unknown: dict[str, Any]):
    board = Board(**{"room_c": 15, "limits": Limits(max_mv=1150), **unknown})
    board.live(300)
    assert board.sent == []


def test_a_clock_that_was_set_with_more_voltage_than_is_allowed_now_is_not_climbed_to_without_it():
    board = Board(plan=GuardPlan("a", stable_s=60), mhz=720, mv=1290, room_c=10, limits=Limits(max_mv=1150))
    board.live(600)
    assert (board.mhz, board.mv) == (600, 1150)
    assert board.state.why.startswith("a higher clock needs more than the 1150 mV that are allowed; not along its ")
    board.limits = Limits(max_mv=1180)
    board.live(600)
    assert (board.mhz, board.mv) == (600, 1150), "a part of the way there is heat for nothing"


def test_the_regulator_is_held_too():
    board = Board(room_c=15)
    board.live(300, vr_temp_c=84.2)
    assert board.mhz < 700


def test_a_fan_that_could_do_more_is_left_to_it():
    board = Board(room_c=32)
    board.live(1800)
    low, fan = board.mhz, {"fan_auto": True, "fan_pct": 60.0}
    board.live(120, chip_temp_c=63.0)
    board.sent.clear()
    board.live(1800, chip_temp_c=64.5, **fan)
    assert board.sent == [], "its fan wants it so"
    board.live(300, chip_temp_c=62.5, **fan)
    assert board.mhz == low + PLAN.step_up_mhz, "under what is held, and the fan takes a step"


def test_raises_are_bounded_per_day():
    plan = msgspec.structs.replace(PLAN, max_writes_per_day=4, hold_dwell_s=60)
    board = Board(plan=plan)
    for n in range(10):
        board.room_c = 32 if n % 2 == 0 else 20
        board.live(1800)
    raises = 0
    mhz, mv = 700.0, 1230.0
    for tune in board.writes:
        raises += (tune.frequency_mhz or 0) > mhz or (tune.core_mv or 0) > mv
        mhz, mv = tune.frequency_mhz or mhz, tune.core_mv or mv
    assert 2 <= raises <= 4
    assert "no more steps up today" in board.state.why


@pytest.mark.parametrize(
    ("now", "why"),
    [
        ({"firmware": "v2.16.0"}, "its firmware is v2.16.0 now and was v2.15.3 at the sweep"),
        ({"chip": "BM1368"}, "its chip is BM1368 now and was BM1370 at the sweep"),
        ({"error_pct": 1.4}, "errors here now, and its sweep passed under 1 %"),
    ],
)
def test_a_frontier_that_is_not_true_any_more_is_left_a_step_down_and_the_own_voltage_comes_back_first(now, why):
    board = Board(room_c=32)
    board.live(1800)
    low, low_mv = board.mhz, board.mv
    board.sent.clear()
    while not board.sent:
        board.poll(**now)
        assert board.now < 4000, board.state.why
    assert board.writes == [Tune(frequency_mhz=low - PLAN.step_down_mhz)]
    assert f"{why}: down to {low - 50:g} MHz, off its frontier" in board.state.why
    board.room_c = 27.5
    board.live(7200, **now)
    assert "; not along its frontier: " in board.state.why
    assert board.state.why.endswith(why)
    rises = [t for t in board.writes[1:] if t.core_mv is not None]
    assert rises[0] == Tune(core_mv=int(low_mv) + 25)
    assert board.writes[1] == rises[0], "no clock rises at a voltage that nothing has proven for it"


def test_a_clock_that_was_climbed_to_along_it_is_left_too():
    board = Board(plan=GuardPlan("a", high_mhz=650), mhz=500, mv=1100, room_c=15)
    board.live(2 * 3600)
    assert (board.mhz, board.mv) == (650, need_mv(650))
    board.live(1200, error_pct=3.0)
    assert board.mhz == 600


def test_what_a_person_sets_beside_the_frontier_is_not_bent_to_it():
    over = Board(mhz=720, mv=1250)
    over.live(3600)
    assert "720 MHz, set by hand, are more than its sweep proved" in over.state.why
    under = Board(mhz=700, mv=1150)
    under.live(3600)
    assert "1150 mV for 700 MHz, set by hand, are less than its sweep proved" in under.state.why
    by_hand = Board(room_c=32)
    by_hand.live(1800)
    by_hand.mv += 20
    by_hand.sent.clear()
    by_hand.live(1800)
    assert by_hand.sent == []
    assert "somebody else set its voltage to" in by_hand.state.why


def test_a_lost_answer_is_not_taken_for_a_person():
    board = Board(room_c=29.5)
    while not board.sent:
        board.poll()
    _, tune = board.sent[-1]
    assert tune.frequency_mhz is not None
    board.state = replace(board.state, wanted_mhz=700.0, sent=tune)  # as after an outcome that is not known
    board.poll()
    assert board.state.high_mhz == 700


def test_idle_or_just_started_it_is_not_cool():
    board = Board(room_c=32)
    board.live(1800)
    board.sent.clear()
    board.live(3600, hashrate_ghs=0.0, chip_temp_c=30.0)
    board.live(PLAN.hold_dwell_s - 30, chip_temp_c=30.0)
    assert board.sent == [], "the time without work says nothing about the heat of work"


def test_without_a_frontier_or_told_not_to_it_moves_the_clock_alone():
    for board in (Board(room_c=32, known=None), Board(room_c=32, plan=GuardPlan("a", hold=False))):
        board.live(3600)
        assert board.sent
        assert all(tune.core_mv is None for tune in board.writes)


@pytest.mark.parametrize(("fan_pct", "learns"), [(100.0, True), (60.0, False)])
def test_what_another_fan_does_teaches_nothing_of_the_room(fan_pct: float, learns: bool):
    """A person slows the fan after a step down: that it is hardly cooler is the fan's doing, and not a hot room's."""
    board = Board()
    while not board.sent:
        board.poll(fan_manual_pct=100.0, chip_temp_c=64.8)
    board.live(PLAN.hold_dwell_s + 300, fan_manual_pct=fan_pct, chip_temp_c=63.0)
    assert (board.state.hold.room_c != 25.0) is learns


_TEMPS = st.one_of(
    st.none(), st.sampled_from([math.nan, math.inf, -1.0, 0.0, 127.0, 255.0, 65.0, 90.0]), st.floats(20, 80)
)
_READING = st.fixed_dictionaries(
    {
        "chip_temp_c": _TEMPS,
        "vr_temp_c": _TEMPS,
        "error_pct": st.one_of(st.none(), st.just(math.nan), st.floats(0, 5)),
        "hashrate_ghs": st.sampled_from([None, 0.0, 1000.0, math.nan]),
        "fan_pct": st.sampled_from([None, 0.0, 50.0, 100.0]),
        "fan_auto": st.sampled_from([None, True, False]),
        "health": st.sampled_from([Health.OK, Health.OK, Health.OK, Health.STALE, Health.LOST]),
    }
)
_STRETCH = st.tuples(st.one_of(st.none(), _READING), st.integers(1, 40), st.floats(10, 45))


@settings(max_examples=25, deadline=None)
@given(
    stretches=st.lists(_STRETCH, min_size=1, max_size=8),
    high=st.sampled_from([None, 550.0, 2000.0]),
    caps=st.sampled_from([Limits(), Limits(max_mhz=640), Limits(max_mv=1170), Limits(min_mv=1120)]),
)
def test_whatever_is_read_it_stays_on_proven_ground(stretches, high, caps):
    plan = GuardPlan("a", high_mhz=high, hold_dwell_s=60, max_writes_per_day=6)
    board = Board(plan=plan, mhz=600, mv=1150, limits=caps)
    raises = 0
    for reading, polls, room_c in stretches:
        board.room_c = room_c
        for _ in range(polls):
            mhz, mv = board.mhz, board.mv
            tune = board.poll(**(reading or {}))
            if tune is None:
                continue
            assert (tune.frequency_mhz is None) != (tune.core_mv is None), "one value a write"
            assert board.mv >= need_mv(board.mhz), "at every instant"
            assert board.mhz <= max(mhz, caps.max_mhz or 700)
            assert board.mv <= max(mv, caps.max_mv or 1230)
            assert board.mhz - mhz <= 25
            assert board.mv - mv <= 25
            raised = board.mhz > mhz or board.mv > mv
            raises += raised
            assert not raised or (reading or {}).get("chip_temp_c", 50.0) not in (None, -1.0, 0.0, 127.0, 255.0)
    assert raises <= plan.max_writes_per_day

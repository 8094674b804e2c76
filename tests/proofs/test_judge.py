"""The judge of the chaos proof finds each broken promise at the board, and says nothing where none is broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from minertui.engine.journal import Entry
from minertui.model.commands import Order, Rank, Restart, Tune
from minertui.model.plans import GuardPlan, Limits, Phase, PointVerdict, Strategy, SweepPlan, SweepPoint, SweepView
from minertui.safety.settings import Settings
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_fields import info
from minertui.sim.axeos_patch import Reply
from minertui.sim.axeos_payload import Payload
from minertui.sim.axeos_routes import Request, answer
from tests.proofs.judge import INFO, Witness
from tests.proofs.world import promised

FREE = Limits()


def patched(board: Board, body: bytes, *, limits: Limits = FREE, readonly: bool = False, mac: str = "") -> list[str]:
    """What the witness says about one write to a board that has just been asked."""
    witness = Witness(board, limits, 30.0, readonly=readonly, seen=Counter())
    witness.meant = mac or board.mac
    witness.orders = lambda: [Order("p", "m", Tune())]
    witness.obey(Request("GET", INFO, {}, b""), lambda r: answer(board, r), 100.0)
    witness.obey(Request("PATCH", "/api/system", {}, body), lambda r: answer(board, r), 110.0)
    return witness.broken


@pytest.fixture
def board() -> Board:
    board = Board("gamma", firmware="v2.15.3", seed=1)
    board.settle(900)
    return board


def test_a_careful_write_is_fine(board: Board):
    assert patched(board, b'{"frequency": 550}') == []


@pytest.mark.parametrize(
    ("body", "options", "why"),
    [
        (b'{"frequency": 550, "coreVoltage": 1160}', {}, "two values"),
        (b'{"frequency": 625}', {}, "in one step"),
        (b'{"frequency": 530}', {"readonly": True}, "read-only"),
        (b'{"frequency": 530}', {"mac": "02:00:00:00:00:99"}, "was written"),
        (b'{"frequency": 540}', {"limits": Limits(max_mhz=530)}, "over the cap"),
    ],
)
def test_the_judge_finds(board: Board, body: bytes, options: dict[str, Any], why: str):
    assert why in " ".join(patched(board, body, **options))


def test_a_way_back_is_owed_to_the_boards_that_are_there(board: Board):
    entries = [
        Entry("a", "m1", "127.0.0.1", Settings(), mac=board.mac),
        Entry("b", "m2", "127.0.0.1", Settings()),
        Entry("d", "m4", "127.0.0.1", Settings()),
        Entry("c", "m3", "127.0.0.1", Settings(), mac="02:00:00:FF:FF:FF"),
    ]
    assert [entry.device for entry in promised(entries, [board], {"m4"})] == ["m1", "m2"]


def test_the_judge_knows_what_was_told(board: Board):
    board.faults.add("temp-minus-one")
    assert "could not be believed" in " ".join(patched(board, b'{"frequency": 550}'))
    board.faults.clear()
    board.cooler.chip_c = 74.0
    assert "while hot" in " ".join(patched(board, b'{"frequency": 575}'))


def test_the_judge_knows_what_it_drew(board: Board):
    over = patched(board, b'{"frequency": 550}', limits=Limits(max_power_w=0.9 * board.shown_w))
    assert "over its limit of power" in " ".join(over)
    board.faults.add("droop")
    assert "on a supply that sags" in " ".join(patched(board, b'{"frequency": 575}'))


@pytest.mark.parametrize(
    ("guarded", "meant", "share", "found"),
    [(True, "", 0.9, True), (True, "", 1.0, False), (False, "", 0.9, False), (True, "02:00:00:00:00:99", 0.9, False)],
)
def test_the_judge_knows_a_guard_that_does_not_keep_its_limit(
    board: Board, guarded: bool, meant: str, share: float, found: bool
):
    limits = Limits(max_power_w=share * board.shown_w)
    witness = Witness(board, limits, 30.0, readonly=False, seen=Counter())
    witness.meant = meant  # nobody writes to another miner than that
    witness.configured(limits, readonly=False, guard=GuardPlan() if guarded else None)
    for now_s in range(600, 3000, 30):
        witness.asked_s = float(now_s)
        witness.obey(Request("GET", INFO, {}, b""), lambda r: answer(board, r), float(now_s))
    assert ("guarded, and over its limit" in " ".join(witness.broken)) is found


def test_a_step_begins_where_the_board_says_that_it_is(board: Board):
    witness = Witness(board, FREE, 30.0, readonly=False, seen=Counter())
    board.nvs["frequency"] = 300.0
    board.faults.add("duplicate-keys")  # and 400 MHz at the end
    witness.looks(0.0)
    served = Payload().bytes_of(board, info(board))
    witness.obey(Request("GET", INFO, {}, b""), lambda _: Reply(200, "application/json", served), 100.0)
    for want, found in ((400, 0), (500, 1)):
        write = Request("PATCH", "/api/system", {}, b'{"frequency": %d}' % want)
        witness.obey(write, lambda _: Reply(200, "text/plain", b""), 110.0)
        assert len([text for text in witness.broken if "in one step" in text]) == found


@pytest.mark.parametrize(("ranks", "found"), [((Rank.PERSON,), 0), ((Rank.SWEEP,), 1), ((Rank.PERSON, Rank.SWEEP), 1)])
def test_only_people_and_safety_stops_lower_what_they_cannot_see(board: Board, ranks: tuple[Rank, ...], found: int):
    witness = Witness(board, FREE, 30.0, readonly=False, seen=Counter())
    witness.orders = lambda: [Order(f"o{rank}", "m", Tune(), rank=rank) for rank in ranks]
    witness.obey(Request("GET", INFO, {}, b""), lambda r: answer(board, r), 100.0)
    board.nvs["frequency"] -= 50.0  # the firmware did, and nobody was told
    lower = b'{"frequency": %d}' % (board.nvs["frequency"] + 20)
    witness.obey(Request("PATCH", "/api/system", {}, lower), lambda r: answer(board, r), 300.0)
    assert len(witness.broken) == found, witness.broken


# what nobody ordered, and what comes too early or never ---------------------------------------------------------------

GUARD = Order("g1", "m", Tune(), by="guard:m", rank=Rank.SAFETY)
SWEEP = Order("s1", "m", Tune(), by="sweep:m", rank=Rank.SWEEP)
PERSON = Order("p1", "m", Tune())


class Story:
    """A board and its judge, told as what happens second by second."""

    def __init__(self, board: Board, limits: Limits = FREE) -> None:
        self.board, self.now_s = board, 1000.0
        self.judge = Witness(board, limits, 30.0, readonly=False, seen=Counter())
        self.judge.meant = board.mac
        self.asks()

    def asks(self, after_s: float = 1.0) -> None:
        self.now_s += after_s
        self.judge.asked_s = self.now_s
        served = Payload().bytes_of(self.board, info(self.board))
        asked = Request("GET", INFO, {}, b"")
        self.judge.obey(asked, lambda _: Reply(200, "application/json", served), self.now_s)

    def writes(self, order: Order | None, body: str, path: str = "/api/system", after_s: float = 1.0) -> None:
        self.now_s += after_s
        self.judge.orders = lambda: [order] if order else []
        method = "PATCH" if body else "POST"
        self.judge.obey(Request(method, path, {}, body.encode()), lambda r: answer(self.board, r), self.now_s)
        self.judge.orders = list

    def sets(self, order: Order | None, mhz: float = 0, mv: int = 0, after_s: float = 16.0) -> None:
        self.writes(order, f'{{"frequency": {mhz}}}' if mhz else f'{{"coreVoltage": {mv}}}', after_s=after_s)
        self.asks()

    @property
    def said(self) -> str:
        return " | ".join(self.judge.broken)


@pytest.fixture
def story(board: Board) -> Story:
    return Story(board)


def tripped(story: Story) -> None:
    """Its firmware's overheat handling: 100 MHz and 100 mV less."""
    story.board.nvs.update(frequency=425.0, coreVoltage=1050)
    story.asks()


@pytest.mark.parametrize("order", [None, GUARD, SWEEP])
def test_what_the_firmware_lowered_is_raised_by_a_person_alone(story: Story, order: Order | None):
    tripped(story)
    story.sets(order, mhz=450)
    assert "raised frequency to 450, over 425" in story.said
    assert len(story.judge.broken) == 1


def test_a_person_may_raise_what_the_firmware_lowered(story: Story):
    tripped(story)
    story.sets(PERSON, mhz=450)
    assert story.said == ""


def test_what_a_person_lowered_is_raised_by_nobody_else(story: Story):
    story.judge.owner.asks((500.0, 1150.0))
    story.sets(PERSON, mhz=500)
    story.judge.answered((500.0, 1150.0), (525.0, 1150.0), applied=True, named=(0,))
    story.sets(GUARD, mhz=525)
    assert "guard:m raised frequency to 525, over 500" in story.said


def test_an_order_that_was_said_to_be_applied_is_looked_for(story: Story):
    story.judge.owner.asks((500.0, 1150.0))
    story.judge.answered((500.0, 1150.0), (525.0, 1150.0), applied=True, named=(0,))
    assert "was said to be applied" in story.said


def swept(story: Story, phase: Phase = Phase.RUNNING, best: tuple[float, int] | None = None) -> None:
    plan = SweepPlan("m", strategy=Strategy.GRID, max_mhz=600, max_mv=1200, measure_s=120)
    point = None if best is None else SweepPoint(1, best[0], best[1], PointVerdict.PASSED)
    story.judge.sweep = lambda: (phase, SweepView(plan, "s1", best=point))


def test_a_sweep_goes_as_far_as_its_plan(story: Story):
    swept(story)
    story.judge.owner.sweeps(1200.0)
    story.sets(SWEEP, mhz=550)
    assert story.said == ""
    tripped(story)
    story.sets(SWEEP, mhz=450)
    assert "sweep:m raised frequency to 450, over 425" in story.said


@pytest.mark.parametrize(("held_s", "found"), [(100, ""), (10, "where it was for 10 s")])
def test_the_best_point_of_a_sweep_was_run(story: Story, held_s: float, found: str):
    swept(story)
    story.judge.owner.sweeps(1200.0)
    story.sets(SWEEP, mhz=550)
    story.asks(held_s - 1)
    swept(story, Phase.DONE, (550.0, 1150))
    story.judge.looks(story.now_s)
    assert found in story.said
    assert bool(found) is bool(story.said)


def test_a_way_back_ends_where_the_owner_left_it_and_is_proven(story: Story):
    swept(story)
    story.judge.owner.sweeps(1200.0)
    story.sets(SWEEP, mhz=550)
    story.judge.closed(story.now_s)
    assert "its way back was forgotten at 550 MHz / 1150 mV; chosen: 525 MHz / 1150 mV" in story.said
    story.judge.broken.clear()
    story.sets(None, mhz=525)
    story.judge.closed(story.now_s)
    assert "unproven" in story.said
    story.judge.broken.clear()
    story.asks(2.0)
    story.judge.closed(story.now_s)
    assert story.said == ""


def test_at_the_end_it_is_where_its_owner_left_it_or_lower_for_a_reason(story: Story):
    story.sets(GUARD, mhz=475)
    story.judge.left(story.now_s, "at last")
    assert story.said == ""
    story.judge.owner.why.clear()
    story.judge.left(story.now_s, "at last")
    assert "at last it is left at 475 MHz / 1150 mV; chosen: 525 MHz / 1150 mV (nothing lowered it)" in story.said


@pytest.mark.parametrize(("mute", "found"), [(True, ""), (False, "its way back was forgotten at 465 MHz")])
def test_what_was_lowered_without_a_note_is_nobodys_when_its_engine_is_gone(story: Story, mute: bool, found: str):
    story.judge.owner.mute = mute
    story.sets(SWEEP, mhz=465)
    story.judge.owner.bereft()
    story.judge.closed(story.now_s)
    assert found in story.said
    assert bool(found) is bool(story.said)


def hot(story: Story, chip_c: float, seconds: int) -> None:
    for _ in range(0, seconds, 30):
        story.board.cooler.chip_c = chip_c
        story.asks(30.0)


@pytest.mark.parametrize(
    ("chip_c", "lowers", "found"), [(67.0, False, True), (67.0, True, False), (66.0, False, False)]
)
def test_a_guard_lowers_what_is_over_its_limit(story: Story, chip_c: float, lowers: bool, found: bool):
    story.judge.configured(FREE, readonly=False, guard=GuardPlan())
    for mhz in (500, 475, 450):
        hot(story, chip_c, 150)
        if lowers:
            story.sets(GUARD, mhz=mhz)
    assert ("its guard has not lowered it" in story.said) is found
    assert bool(story.said) is found


@pytest.mark.parametrize(("chip_c", "after_s", "found"), [
    (60.0, 900.0, ""), (60.0, 300.0, "after that lowered it"), (65.5, 900.0, "as cool as its guard asks"),
])  # fmt: skip
@pytest.mark.parametrize("order", [GUARD, None])
def test_what_a_guard_took_comes_back_when_it_is_cool(
    story: Story, order: Order | None, chip_c: float, after_s: float, found: str
):
    story.judge.configured(FREE, readonly=False, guard=GuardPlan())
    story.sets(GUARD, mhz=475)
    story.board.cooler.chip_c = chip_c
    story.asks(after_s)
    story.sets(order, mhz=500)
    expected = found if order is GUARD or "cool" in found else ""  # a way back has no pause of its own
    assert expected in story.said
    assert bool(expected) is bool(story.said)


def test_a_sweep_leaves_what_is_over_its_limit(story: Story):
    swept(story)
    story.judge.owner.sweeps(1200.0)
    story.sets(SWEEP, mhz=550)
    hot(story, 69.0, 400)
    assert "its sweep has not lowered it" in story.said


def test_the_last_resort_lowers_what_somebody_raised(story: Story):
    hot(story, 73.0, 600)
    assert story.said == ""  # nobody raised it
    story.board.cooler.chip_c = 60.0
    story.asks(30.0)
    story.sets(PERSON, mhz=550)
    hot(story, 73.0, 600)
    assert "the last resort has not lowered it" in story.said


def climb(story: Story, gap_s: float, warms_c: float) -> None:
    for n, mhz in enumerate((550, 575)):
        story.board.cooler.chip_c = 60.0 + n * warms_c
        story.asks(gap_s - 1)
        story.sets(PERSON, mhz=mhz, after_s=1.0)


@pytest.mark.parametrize(("gap_s", "warms_c", "found"), [
    (20.0, 0.5, ""), (5.0, 0.0, "the next step up of a climb came after"), (20.0, 5.0, "leaves no room for one more"),
])  # fmt: skip
def test_a_climb_waits_for_the_heat_of_its_last_step(story: Story, gap_s: float, warms_c: float, found: str):
    climb(story, gap_s, warms_c)
    assert found in story.said
    assert bool(found) is bool(story.said)


def test_raises_in_an_hour_are_counted(story: Story):
    for n in range(60):
        order = Order(f"p{n}", "m", Tune())
        story.sets(order, mhz=519, after_s=10.0)
        story.sets(order, mhz=525, after_s=10.0)
    assert story.said == ""
    story.sets(order, mhz=519)
    story.sets(Order("one more", "m", Tune()), mhz=525)
    assert "raised by 61 orders within an hour" in story.said


REPAIR = Order("r", "m", Tune(), by="repairs", rank=Rank.CURTAILMENT)


@pytest.mark.parametrize(("order", "gaps", "found"), [
    (PERSON, (310, 310, 310, 310), ""), (PERSON, (200,), "told to restart 200 s after"),
    (SWEEP, (70,), ""), (SWEEP, (50,), "told to restart 50 s after"), (None, (50,), "told to restart 50 s after"),
    (REPAIR, (310, 310), ""), (REPAIR, (310, 310, 310), "by a program after 3 restarts in a day"),
])  # fmt: skip
def test_restarts_are_rationed(story: Story, order: Order | None, gaps: Sequence[float], found: str):
    told = order and msgspec.structs.replace(order, command=Restart())
    for gap_s in (0, *gaps):
        story.writes(told, "", "/api/system/restart", after_s=gap_s)
    assert found in story.said
    assert bool(found) is bool(story.said)


def test_a_way_back_restarts_beside_a_guards_order_by_its_own_ration(story: Story):
    for gap_s in (0, 70):
        story.writes(msgspec.structs.replace(REPAIR, rank=Rank.SAFETY), "", "/api/system/restart", after_s=gap_s)
    assert story.said == ""


def test_a_fan_turns(story: Story):
    story.writes(PERSON, '{"manualFanSpeed": 20}')
    assert story.said == ""
    story.writes(PERSON, '{"manualFanSpeed": 19}')
    assert "its fan was set to 19 % by hand" in story.said


def test_who_is_out_of_the_config_or_only_looked_at_is_not_written(story: Story):
    story.judge.present = False
    story.writes(PERSON, '{"frequency": 500}')
    assert "taken out of the config was written" in story.said
    story.judge.present, story.judge.dry = True, True
    story.writes(None, '{"frequency": 450}')
    assert "a dry run wrote" in story.said


def test_whom_nobody_knows_yet_is_met_by_what_it_says(board: Board):
    story = Story(board)
    story.judge.accepts()
    board.faults.add("mac-swap")
    for _ in range(6):
        story.asks()
    board.faults.clear()
    story.asks()
    story.writes(PERSON, '{"frequency": 500}')
    assert f"had said it is {board.mac} was written" in story.said

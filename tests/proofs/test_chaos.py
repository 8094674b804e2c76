"""A bad hour of a dozen miners; 160 of them for 1,000 hours: ``make chaos``. And a wrong controller is found."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future
from typing import Any

import pytest

from minertui.engine.journal import Entry
from minertui.model.commands import Rank
from minertui.model.plans import Limits
from minertui.safety import kernel, raising, samples
from minertui.safety.settings import Settings
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_fields import info
from minertui.sim.axeos_patch import Reply
from minertui.sim.axeos_payload import Payload
from minertui.sim.axeos_routes import Request, answer
from tests.proofs.chaos import Found, Sum, prove, run_lives
from tests.proofs.judge import INFO, Witness
from tests.proofs.world import dense, promised


def test_the_promises_hold_on_a_bad_hour():
    found = prove(seed=11, miners=12, hours=1.0)
    assert found.broken == []
    assert found.polls > 1000
    assert sum(found.faults.values()) > 40
    for state, least in (("raise", 10), ("lower", 3), ("sweep started", 3), ("rebooted", 1), ("points kept", 5)):
        assert found.seen.get(state, 0) >= least, (state, found.seen)


def test_the_same_seed_is_the_same_history():
    assert prove(seed=3, miners=3, hours=0.2) == prove(seed=3, miners=3, hours=0.2)


def test_many_hours_are_lives_of_their_own_and_all_count():
    found = run_lives(3, 2, 0.1, dense(2), jobs=2, life_h=0.05)
    alone = [prove(seed, 2, 0.05) for seed in (3, 4)]
    assert found.lives == 2
    assert (found.hours, found.polls) == (sum(one.hours for one in alone), sum(one.polls for one in alone))
    assert found.faults == Counter(alone[0].faults) + Counter(alone[1].faults)
    assert found.broken == []


def test_after_so_many_minutes_what_was_found_is_told():
    assert run_lives(3, 3, 1000.0, dense(3), jobs=1, minutes=0.0).hours < 20
    early = prove(3, 3, 1000.0, enough=lambda: True)
    assert early.hours < 1
    assert early.broken == []


def test_a_life_that_dies_and_a_broken_promise_both_count(capsys: pytest.CaptureFixture[str]):
    found, dead, liar = Sum(), Future[Any](), Future[Any]()
    dead.set_exception(ZeroDivisionError("of the proof itself"))
    liar.set_result((Found(1.0, 3, 9, {"nan": 1}, {}, ["it was not asked"]), 2.0))
    found.add(7, dead)
    found.add(8, liar)
    assert found.broken == ["seed 7 died: ZeroDivisionError('of the proof itself')", "seed 8: it was not asked"]
    assert "promises broken: 2" in found.table()
    assert capsys.readouterr().out.count("!!") == 2


def test_a_controller_without_judgement_is_found(monkeypatch: pytest.MonkeyPatch):
    """No gate holds a raise back, and all of it is done in one step."""
    monkeypatch.setattr(raising, "GATES", ())
    monkeypatch.setattr(kernel, "_ladder", lambda have, want, step: [want])
    monkeypatch.setattr(samples, "fresh", lambda *_: True)
    found = prove(seed=11, miners=8, hours=0.5)
    words = " ".join(found.broken)
    assert "in one step" in words, found.broken


FREE = Limits()


def patched(board: Board, body: bytes, *, limits: Limits = FREE, readonly: bool = False, mac: str = "") -> list[str]:
    """What the witness says about one write to a board that has just been asked."""
    witness = Witness(board, limits, 30.0, readonly=readonly, seen=Counter())
    witness.expected_mac = lambda: mac or board.mac
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


@pytest.mark.parametrize(("guarded", "share", "found"), [(True, 0.9, True), (True, 1.0, False), (False, 0.9, False)])
def test_the_judge_knows_a_guard_that_does_not_keep_its_limit(board: Board, guarded: bool, share: float, found: bool):
    limits = Limits(max_power_w=share * board.shown_w)
    witness = Witness(board, limits, 30.0, readonly=False, seen=Counter(), guarded=guarded)
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
    witness.ranks = lambda: ranks
    witness.obey(Request("GET", INFO, {}, b""), lambda r: answer(board, r), 100.0)
    board.nvs["frequency"] -= 50.0  # the firmware did, and nobody was told
    lower = b'{"frequency": %d}' % (board.nvs["frequency"] + 20)
    witness.obey(Request("PATCH", "/api/system", {}, lower), lambda r: answer(board, r), 300.0)
    assert len(witness.broken) == found, witness.broken

"""A bad hour of a dozen miners; 160 of them for 1,000 hours: ``make chaos``. And a wrong controller is found."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import Future
from typing import Any

import pytest

from minertui.safety import kernel, raising, samples
from tests.proofs import wound
from tests.proofs.chaos import Found, Sum, prove, run_lives
from tests.proofs.world import dense
from tests.proofs.wound import WoundClock


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


def test_a_program_that_goes_round_and_round_is_ended_and_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wound, "_ASKED_MOST", 1000)

    async def spins(loop: wound.WoundLoop) -> None:
        for _ in range(10):  # time that goes on begins it anew
            await asyncio.sleep(0.1)
            for _ in range(500):
                loop.time()
        while True:
            WoundClock(loop).boot()

    with pytest.raises(SystemExit, match=r"goes round and round at 1\.000 s"):
        wound.run(spins)


def test_a_controller_without_judgement_is_found(monkeypatch: pytest.MonkeyPatch):
    """No gate holds a raise back, and all of it is done in one step."""
    monkeypatch.setattr(raising, "GATES", ())
    monkeypatch.setattr(kernel, "_ladder", lambda have, want, step: [want])
    monkeypatch.setattr(samples, "fresh", lambda *_: True)
    found = prove(seed=11, miners=8, hours=0.5)
    words = " ".join(found.broken)
    assert "in one step" in words, found.broken

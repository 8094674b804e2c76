"""A disk that is full while a job works: what it lowers all the same is its own, and is given back when it may be."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from minertui.engine.arbiter import Arbiter
from minertui.engine.journal import Journal, UnreadError
from minertui.model.commands import Rank, Tune
from tests.engine.bench import SWEEP, Bench

pytestmark = pytest.mark.looptime
HOME = (525, 1150)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Fill the disk, or free it."""
    real = os.fsync

    def refuse(fd: int) -> None:
        raise OSError(28, "No space left on device")

    return lambda is_full: monkeypatch.setattr(os, "fsync", refuse if is_full else real)


async def test_what_was_lowered_without_a_note_is_not_taken_for_somebody_elses(
    bench: Bench, full: Callable[[bool], None]
):
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(600, 1210))).ok
    full(True)
    assert (await bench.do(Tune(480))).ok, "what goes down goes without"
    full(False)
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == HOME
    assert bench.journal.entries() == ()


async def test_nor_what_was_lowered_while_the_journal_could_not_even_be_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    def unread(*_: object) -> None:
        raise UnreadError("too many open files")

    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(600, 1150))).ok
    with monkeypatch.context() as disk:
        disk.setattr(Journal, "read", unread)
        assert (await bench.do(Tune(600, 1100))).ok
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == HOME
    assert bench.journal.entries() == ()


async def test_nor_by_whoever_leads_it_back_later(bench: Bench, full: Callable[[bool], None]):
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(600, 1210))).ok
    full(True)
    assert (await bench.do(Tune(480))).ok
    assert not (await bench.arbiter.conclude("garage", None, SWEEP)).ok, "going up needs the disk"
    bench.arbiter.release("garage", SWEEP)
    full(False)
    ((_, outcome),) = await bench.arbiter.restore_all()
    assert outcome.ok, outcome
    assert bench.at == HOME


async def test_what_goes_on_from_where_somebody_else_lowered_it_stays_theirs(
    bench: Bench, full: Callable[[bool], None]
):
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(600, 1210))).ok
    bench.miner.set(frequency_mhz=400.0, actual_mhz=400.0, core_mv=1100.0, core_actual_mv=1100.0)
    full(True)
    assert (await bench.do(Tune(350), Rank.SAFETY, "guard:garage")).ok
    full(False)
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == (350, 1100)


async def test_what_somebody_else_lowers_after_that_is_theirs(bench: Bench, full: Callable[[bool], None]):
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(600, 1210))).ok
    full(True)
    assert (await bench.do(Tune(480))).ok
    full(False)
    bench.miner.set(frequency_mhz=400.0, actual_mhz=400.0, core_mv=1050.0, core_actual_mv=1050.0)
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == (400, 1050)


@pytest.mark.parametrize(("at", "half"), [((600, 1100), (525, 1100)), ((450, 1200), (450, 1150))])
async def test_an_engine_that_dies_then_leaves_a_way_back_that_the_next_one_walks(bench: Bench, full, at, half):
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(*at))).ok
    full(True)
    assert not (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert bench.at == half
    full(False)
    after = Arbiter(bench.clock, Journal(bench.journal._folder, bench.clock.wall), {"garage": bench.line}.__getitem__)
    ((_, outcome),) = await after.restore_all()
    assert outcome.ok, outcome
    assert bench.at == HOME

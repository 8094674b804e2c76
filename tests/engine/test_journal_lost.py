"""Somebody deletes or damages a miner's file in the journal while work runs on it: the program knows the way back, and
writes it again. Where nothing runs, a file that a person removed stays removed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from minertui import durable
from minertui.engine.journal import Entry
from minertui.model.commands import Rank, SetFan, Tune
from minertui.safety.calm import Calm
from tests.engine.bench import DRY, SWEEP, Bench
from tests.engine.hardware import MAC
from tests.engine.house import until
from tests.engine.test_taken import sweeping

pytestmark = pytest.mark.looptime

GUARD = "guard:garage"


def delete(path: Path) -> None:
    path.unlink()


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


LOSSES = pytest.mark.parametrize("lose", [delete, damage])


def file(bench: Bench) -> Path:
    [entry] = bench.journal.entries()
    return bench.journal._path(entry.key)


@LOSSES
async def test_a_sweep_ends_at_the_baseline_all_the_same(bench: Bench, lose: Callable[[Path], None]):
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(550))).ok
    [before] = bench.journal.entries()
    lose(file(bench))
    assert (await bench.do(Tune(560))).ok
    [entry] = bench.journal.entries()
    assert (entry.baseline, entry.at_s) == (before.baseline, before.at_s)
    assert bench.journal.problems[-1] == (
        "the way back of garage was deleted or damaged while work ran on it, and is written again: 525 MHz / 1150 mV"
    )
    lose(file(bench))
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).ok
    assert (bench.at, bench.journal.entries()) == ((525, 1150), ())


@LOSSES
async def test_what_a_guard_took_is_given_back_all_the_same(bench: Bench, lose: Callable[[Path], None]):
    bench.arbiter.guard("garage", GUARD, Calm(65, 85))
    assert (await bench.do(Tune(475), Rank.SAFETY, GUARD)).ok
    lose(file(bench))
    assert (await bench.do(Tune(425), Rank.SAFETY, GUARD)).ok
    lose(file(bench))
    assert (await bench.arbiter.conclude("garage", None, GUARD)).ok
    assert bench.at == (525, 1150)


async def test_a_person_who_takes_the_miner_means_their_own_other_value(bench: Bench):
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(550, 1200))).ok
    delete(file(bench))
    assert (await bench.person(Tune(frequency_mhz=540))).ok
    assert bench.at == (540, 1150)
    assert bench.journal.entries() == ()
    assert (await bench.arbiter.conclude("garage", None, SWEEP)).reason.startswith("nothing of ours is left")


async def test_where_nothing_runs_a_file_that_was_removed_stays_so(bench: Bench):
    bench.arbiter.guard("garage", GUARD, Calm(65, 85))
    assert (await bench.do(Tune(475), Rank.SAFETY, GUARD)).ok
    bench.arbiter.release("garage", GUARD)
    delete(file(bench))
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(460))).ok
    [entry] = bench.journal.entries()
    assert entry.baseline.frequency_mhz == 475


async def test_another_board_at_the_address_does_not_inherit_it(bench: Bench):
    """It is written again for the one that is meant, which may be anywhere."""
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    assert (await bench.do(Tune(550))).ok
    delete(file(bench))
    bench.miner.set(mac="02:00:00:00:00:77")
    assert "another device" in (await bench.do(Tune(560))).reason
    assert [entry.mac for entry in bench.journal.entries()] == [MAC]


async def test_the_engine_says_it_where_everybody_looks(tmp_path: Path):
    async with sweeping(tmp_path) as swept:
        [path] = swept.journal
        path.unlink()
        await until(lambda: bool(swept.journal), 4000)
        text = "journal: the way back of m1 was deleted or damaged while work ran on it, and is written again"
        await until(lambda: text in swept.engine.hub.fleet.notice, 4000)
        assert any(text in line for line in await swept.said("engine"))


@pytest.mark.threads
async def test_who_only_asks_writes_no_way_back_that_ends_meanwhile(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """A removed file is safe from a power cut a moment after it is gone: what is asked in between finds none."""
    bench.arbiter.guard("garage", GUARD, Calm(65, 85))
    assert (await bench.do(Tune(475), Rank.SAFETY, GUARD)).ok
    gone, asked = threading.Event(), threading.Event()
    remove = durable.remove

    def slow(path: Path) -> None:
        remove(path)
        gone.set()
        asked.wait(30)

    monkeypatch.setattr(durable, "remove", slow)
    ending = asyncio.create_task(bench.person(Tune(475)))
    await until(gone.is_set, 4000)
    assert (await bench.person(Tune(550), dry=True)).state is DRY
    asked.set()
    assert (await ending).ok
    assert bench.journal.entries() == ()
    assert bench.journal.problems == ()


@pytest.mark.threads
async def test_who_only_asked_remembers_no_way_back_that_ended_meanwhile(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    bench.arbiter.guard("garage", GUARD, Calm(65, 85))
    assert (await bench.do(Tune(475), Rank.SAFETY, GUARD)).ok
    read, ended, slow = bench.journal.read, threading.Event(), True

    def slowly(key: str) -> Entry | None:
        nonlocal slow
        found, wait, slow = read(key), slow, False
        if wait:
            ended.wait(30)
        return found

    monkeypatch.setattr(bench.journal, "read", slowly)
    asking = asyncio.create_task(bench.person(Tune(550), dry=True))
    await until(lambda: not slow, 4000)
    assert (await bench.person(Tune(475))).ok
    assert bench.journal.entries() == ()
    ended.set()
    assert (await asking).state is DRY
    assert (await bench.do(Tune(425), Rank.SAFETY, GUARD)).ok
    [entry] = bench.journal.entries()
    assert entry.baseline.frequency_mhz == 475, "what the person wanted, not what was before"


@LOSSES
async def test_what_is_written_again_is_what_a_guard_asks_by_now(bench: Bench, lose: Callable[[Path], None]):
    bench.arbiter.guard("garage", GUARD, Calm(65, 85))
    assert (await bench.do(Tune(475), Rank.SAFETY, GUARD)).ok
    bench.arbiter.guard("garage", GUARD, Calm(50, 70))
    await bench.arbiter.asks("garage")
    lose(file(bench))
    assert await bench.arbiter.left("garage") is not None
    [entry] = bench.journal.entries()
    assert (entry.calm, entry.baseline.frequency_mhz) == (Calm(50, 70), 525)


@LOSSES
async def test_and_the_fan_that_a_person_has_set_since(bench: Bench, lose: Callable[[Path], None]):
    bench.arbiter.guard("garage", GUARD, Calm(65, 85))
    assert (await bench.do(Tune(475), Rank.SAFETY, GUARD)).ok
    assert (await bench.person(SetFan(auto=False, pct=80))).ok
    lose(file(bench))
    assert (await bench.do(Tune(425), Rank.SAFETY, GUARD)).ok
    [entry] = bench.journal.entries()
    assert (entry.baseline.fan_auto, entry.baseline.fan_pct, entry.baseline.frequency_mhz) == (False, 80, 525)


@LOSSES
async def test_also_where_it_is_lost_while_the_fan_is_set(bench: Bench, lose: Callable[[Path], None]):
    """What goes back is not what a guard has made of it by then."""
    bench.arbiter.guard("garage", GUARD, Calm(65, 85))
    assert (await bench.do(Tune(475), Rank.SAFETY, GUARD)).ok
    there = file(bench)
    bench.miner.spy = lambda what: lose(there) if what == "written" else None
    assert (await bench.person(SetFan(auto=False, pct=80))).ok
    bench.miner.spy = lambda what: None
    assert bench.journal.entries() == ()
    assert (await bench.do(Tune(425), Rank.SAFETY, GUARD)).ok
    [entry] = bench.journal.entries()
    assert (entry.baseline.fan_auto, entry.baseline.fan_pct, entry.baseline.frequency_mhz) == (False, 80, 525)


async def test_what_is_asked_just_as_a_way_back_ends_does_not_bring_it_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """The journal answers in a thread; by then the entry may be gone, and must not be written again."""
    bench.arbiter.guard("garage", GUARD, Calm(65, 85))
    assert (await bench.do(Tune(475), Rank.SAFETY, GUARD)).ok
    ask = bench.journal.ask

    def asked_and_gone(key: str, calm: Calm) -> None:
        ask(key, calm)
        bench.journal.close(key)
        bench.arbiter._desk("garage").kept = None

    monkeypatch.setattr(bench.journal, "ask", asked_and_gone)
    bench.arbiter.guard("garage", GUARD, Calm(50, 70))
    await bench.arbiter.asks("garage")
    assert (await bench.arbiter.conclude("garage", None, GUARD)).reason.startswith("nothing of ours is left")
    assert bench.journal.entries() == ()

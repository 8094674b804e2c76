"""What is owed is never forgotten, whatever happens while the journal is being read."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from minertui.engine.journal import Entry, UnreadError
from minertui.engine.restoring import Left, Restoring
from minertui.model.alerts import Severity
from minertui.model.commands import Outcome, OutcomeState, Rank, Tune
from minertui.safety.settings import Settings
from tests.engine.bench import SWEEP, Bench
from tests.engine.fakes import LoopClock

OLD, OTHER, NEW = (
    Entry(key=name, device=name, address="", baseline=Settings(500, 1150)) for name in ("old", "other", "new")
)
"""NEW is of this run."""


class SlowJournal:
    """``entries`` gives what is there when it begins, once the disk that was in then is ``ready``."""

    problems: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def __init__(self, *there: Entry) -> None:
        self.there, self.asked, self.ready = there, threading.Event(), threading.Event()
        self.broken = False
        self.ready.set()

    def entries(self) -> tuple[Entry, ...]:
        found, ready = self.there, self.ready
        self.asked.set()
        ready.wait(5)
        if self.broken:
            raise UnreadError("the journal cannot be read: no files left")
        return found

    def signed(self, entry: Entry) -> bool:
        return entry is NEW


class NobodyAnswers:
    """An arbiter that brings nothing back, and remembers for whom it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.cut: set[str] = set()

    async def restore(self, entry: Entry, devices: Any = ()) -> Outcome:
        self.asked.append(entry.device)
        return Outcome(OutcomeState.UNKNOWN, "it does not answer")

    def strays(self) -> list[Entry]:
        return []


class FaultyAtOld(NobodyAnswers):
    async def restore(self, entry: Entry, devices: Any = ()) -> Outcome:
        if entry.device == "old":
            raise RuntimeError("a bug")
        return await super().restore(entry, devices)


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, source: str, text: str, severity: Severity = Severity.INFO) -> None:
        self.lines.append(text)

    def damaged(self, text: str) -> None:
        raise AssertionError(text)


class Board:
    """What everybody sees."""

    def __init__(self) -> None:
        self.disks: list[str] = []

    def put(self, source: str, text: str) -> None: ...

    def disk(self, file: str, text: str, costs: str, can: str) -> None:
        self.disks.append(text)


def nobody(entry: Entry, how: str, *, over: bool) -> None: ...


def restoring_of(
    arbiter: NobodyAnswers, journal: Any, log: Log, left: Left = nobody, board: Board | None = None
) -> Restoring:
    return Restoring(arbiter, journal, LoopClock(), log, lambda _: False, board or Board(), left)  # type: ignore[arg-type]


async def test_what_is_owed_while_the_journal_is_read_stays_owed():
    journal, arbiter = SlowJournal(OLD), NobodyAnswers()
    restoring = restoring_of(arbiter, journal, Log())
    await restoring.owe("old")
    journal.asked.clear()
    fast, journal.ready = journal.ready, threading.Event()
    trying = asyncio.create_task(restoring.last(()))
    await asyncio.to_thread(journal.asked.wait, 5)
    slow, journal.ready = journal.ready, fast
    journal.there = (OLD, NEW)
    await restoring.owe("new")
    slow.set()
    await trying
    await restoring.last(())
    assert "new" in arbiter.asked


async def test_the_same_trouble_of_a_later_way_back_is_said_again():
    journal, log = SlowJournal(OLD), Log()
    restoring = restoring_of(NobodyAnswers(), journal, log)
    await restoring.owe("old")
    await restoring.last(())
    await restoring.last(())
    assert len(log.lines) == 1
    journal.there = ()  # a person set it
    await restoring.last(())
    journal.there = (replace(OLD, at_s=1.0),)
    await restoring.owe("old")
    await restoring.last(())
    assert len(log.lines) == 2


async def test_a_fault_at_one_miner_costs_the_others_nothing():
    arbiter, log = FaultyAtOld(), Log()
    await restoring_of(arbiter, SlowJournal(OLD, OTHER), log).once(())
    assert arbiter.asked == ["other"]
    assert "its baseline is not restored yet: a fault of this program (RuntimeError: a bug)" in log.lines


@pytest.mark.looptime
async def test_a_journal_that_cannot_be_read_at_the_start_is_read_again_until_it_can():
    journal, arbiter, board = SlowJournal(OLD), NobodyAnswers(), Board()
    journal.broken = True
    restoring = restoring_of(arbiter, journal, Log(), board=board)
    await restoring.once(())
    running = asyncio.create_task(restoring.run(lambda: ()))
    await asyncio.sleep(200)
    assert (arbiter.asked, board.disks) == ([], ["the journal cannot be read: no files left"])
    journal.broken, journal.there = False, (OLD, NEW)  # what this run has begun is its own
    await asyncio.sleep(100)
    assert set(arbiter.asked) == {"old"}
    assert board.disks[1:] == [""]
    running.cancel()


@pytest.mark.looptime
async def test_a_single_entry_that_cannot_be_read_is_owed_once_it_can():
    journal, arbiter, board = SlowJournal(OTHER), NobodyAnswers(), Board()
    journal.unread = ("old.json cannot be read",)
    restoring = restoring_of(arbiter, journal, Log(), board=board)
    await restoring.once(())
    assert (arbiter.asked, board.disks) == (["other"], ["old.json cannot be read"])
    journal.unread, journal.there = (), (OLD,)
    await restoring.last(())
    assert arbiter.asked == ["other", "old"]
    assert board.disks[1:] == [""]


@pytest.mark.looptime
async def test_what_is_owed_is_not_taken_for_led_back_while_it_cannot_be_read():
    journal, arbiter = SlowJournal(OLD), NobodyAnswers()
    restoring = restoring_of(arbiter, journal, Log())
    await restoring.once(())
    journal.there, journal.unread = (), ("old.json cannot be read",)
    await restoring.last(())
    journal.there, journal.unread = (OLD,), ()
    await restoring.last(())
    assert arbiter.asked == ["old", "old"]


@pytest.mark.looptime
async def test_what_a_job_was_cut_off_from_is_owed_though_the_journal_cannot_be_read_just_then():
    journal, arbiter = SlowJournal(OLD, NEW), NobodyAnswers()
    restoring = restoring_of(arbiter, journal, Log())
    journal.broken = True
    await restoring.owe("new")
    journal.broken = False
    await restoring.last(())
    assert arbiter.asked == ["new"]


@pytest.mark.looptime
async def test_a_sweep_under_another_name_is_not_disturbed(tmp_path: Path):
    """A miner may have been renamed since its entry was written."""
    bench = Bench(tmp_path / "journal")
    assert (await bench.do(Tune(550))).ok
    (entry,) = bench.journal.entries()
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    outcome = await bench.arbiter.restore(replace(entry, device="former"), ("garage",))
    assert (outcome.state, bench.at[0]) == (OutcomeState.UNKNOWN, 550)
    assert bench.journal.entries() == (entry,)
    bench.arbiter.release("garage", SWEEP)
    assert (await bench.arbiter.restore(replace(entry, device="former"), ("garage",))).ok
    assert bench.at[0] == 525


async def owed_under_another_name(bench: Bench) -> Restoring:
    """The miner was lowered while it was called attic."""
    await bench.line.refresh()
    assert (await bench.do(Tune(475))).ok
    (entry,) = bench.journal.entries()
    bench.journal.open_entry(replace(entry, device="attic"), instead=True)
    return restoring_of(bench.arbiter, bench.journal, Log())  # type: ignore[arg-type]


@pytest.mark.looptime
async def test_a_way_back_under_a_name_of_before_is_owed_to_whoever_has_its_mac(bench: Bench):
    restoring = await owed_under_another_name(bench)
    await restoring.owe("garage")
    await restoring.last(["garage"])
    assert (bench.at, bench.journal.entries()) == ((525, 1150), ())


@pytest.mark.looptime
async def test_and_is_walked_before_the_line_of_its_new_name_ends(bench: Bench):
    restoring = await owed_under_another_name(bench)
    bench.miner.dead = True
    assert "does not answer" in await restoring.leaves("garage")
    bench.miner.dead = False
    assert await restoring.leaves("garage") == ""
    assert (bench.at, bench.journal.entries()) == ((525, 1150), ())

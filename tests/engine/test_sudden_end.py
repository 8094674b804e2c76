"""An engine that was killed is told of where a person looks: by the one that leads its miners back."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from minertui.cli.status import text as status_text
from minertui.engine.alert_rules import Signal
from minertui.engine.journal import Entry
from minertui.engine.sudden_end import FILE, SuddenEnd, moment
from minertui.model.alerts import Severity
from minertui.model.commands import Outcome, OutcomeState
from minertui.safety.settings import Settings
from tests.engine.fakes import START_S, LoopClock
from tests.engine.house import PLAN, House, as_left, until
from tests.engine.test_restoring import Log, NobodyAnswers, SlowJournal, restoring_of

DIED_S = START_S + 600
ENTRY = Entry("k", "m1", "", Settings(500, 1150), reason="sweep:m1", at_s=START_S + 60)
BACK = "its way back has ended: at 500 MHz / 1150 mV, proven by two readings"


@pytest.fixture
def said() -> list[Signal]:
    return []


@pytest.fixture
def ended(tmp_path: Path, said: list[Signal]) -> SuddenEnd:
    """One that found an engine which ran for ten minutes and was killed."""
    (tmp_path / FILE).write_text(f"{START_S:.0f}\n")
    os.utime(tmp_path / FILE, (DIED_S, DIED_S))
    found = SuddenEnd(tmp_path, LoopClock(), said.append)
    found.look()
    return found


def when(text: str) -> str:
    """Its moment is this host's own, whatever its time zone."""
    return re.sub(r"\d\d:\d\d", "HH:MM", text)


@pytest.mark.looptime
async def test_a_killed_sweep_is_an_alert_until_it_is_seen(house: House):
    engine = await house.running()
    await engine.start(PLAN)
    it = house.miners["127.0.0.1:8001"]
    await until(lambda: it.mhz != 500.0, 2000)
    left, disk = (it.mhz, it.mv), house.folder.with_name("as the kill left it")
    as_left(house.folder, disk)
    await engine.close()
    assert not (house.folder / FILE).exists(), "that one ended in order"
    house.folder, (it.mhz, it.mv) = disk, left
    last_s = (disk / FILE).stat().st_mtime
    assert START_S <= last_s <= house.clock.wall()

    engine = house.engine()
    await engine.open()
    found = engine.hub.fleet.alerts["sudden-end:m1"]
    assert (found.severity, found.active, found.acknowledged) == (Severity.WARNING, True, False)
    assert when(found.text) == (f"the engine ended without warning at about HH:MM, while m1 was being swept; {BACK}")
    assert moment(last_s, house.clock.wall()) in found.text
    assert f"! warning: m1: {found.text}" in status_text(engine.hub.fleet, "")
    seen = await engine.acknowledge(found.id)
    assert (seen.acknowledged, seen.active) == (True, False)
    assert found.text not in status_text(engine.hub.fleet, "")
    await engine.close()


def test_an_orderly_end_is_no_news_and_leaves_no_sign(tmp_path: Path, said: list[Signal]):
    engine, other, later = (SuddenEnd(tmp_path, LoopClock(), said.append) for _ in range(3))
    engine.look()
    engine.begin()
    other.end()
    assert (tmp_path / FILE).exists(), "who was refused the folder does not end it for the one that has it"
    engine.end()
    later.look()
    later.tell(ENTRY, BACK, over=True)
    assert said == []


@pytest.mark.looptime
async def test_it_gives_signs_of_life_by_its_own_clock(
    tmp_path: Path, said: list[Signal], monkeypatch: pytest.MonkeyPatch
):
    async def at_once(work: Callable[[float], None], at_s: float) -> None:
        work(at_s)  # wound-on time does not wait for a thread

    monkeypatch.setattr(asyncio, "to_thread", at_once)
    clock = LoopClock()
    engine, later = (SuddenEnd(tmp_path, clock, said.append) for _ in range(2))
    engine.begin()
    began_s = clock.wall()
    giving = asyncio.create_task(engine.run())
    await asyncio.sleep(100)
    giving.cancel()
    later.look()
    later.tell(ENTRY, BACK, over=True)
    assert [signal.since_s for signal in said] == [pytest.approx(began_s + 90, abs=1)]


@pytest.mark.parametrize("torn", [b"", b"\xff\xfe", b"yesterday\n"])
def test_a_file_that_says_nothing_costs_the_alert_alone(tmp_path: Path, said: list[Signal], torn: bytes):
    (tmp_path / FILE).write_bytes(torn)
    found = SuddenEnd(tmp_path, LoopClock(), said.append)
    found.look()
    found.tell(ENTRY, BACK, over=True)
    found.begin()
    assert (tmp_path / FILE).read_text() == f"{LoopClock().wall():.0f}\n"
    assert said == []


def test_a_time_that_no_clock_shows_does_not_keep_an_engine_from_its_miners(
    tmp_path: Path, said: list[Signal], monkeypatch: pytest.MonkeyPatch
):
    def year_70000(*_: float) -> str:
        raise OverflowError("timestamp out of range for platform time_t")

    monkeypatch.setattr("minertui.engine.sudden_end.moment", year_70000)
    (tmp_path / FILE).write_text(f"{START_S:.0f}\n")
    found = SuddenEnd(tmp_path, LoopClock(), said.append)
    found.look()
    found.tell(ENTRY, BACK, over=True)
    assert said == []


def test_a_disk_that_refuses_it_keeps_nobody_from_starting(tmp_path: Path, said: list[Signal]):
    found = SuddenEnd(tmp_path / "gone", LoopClock(), said.append)
    found.look()
    found.begin()
    found.end()


@pytest.mark.parametrize(
    ("reason", "at_s", "text"),
    [
        ("sweep:m1", 60, "while m1 was being swept"),
        ("guard:m1", 60, "while m1 was guarded"),
        ("person", 60, "while m1 was being set by a person"),
        ("config", 60, "while m1 was being set by config"),
        ("sweep:m1", -60, "with a way back of m1 still to be walked"),
    ],
)
def test_it_says_what_was_going_on(ended: SuddenEnd, said: list[Signal], reason: str, at_s: float, text: str):
    ended.tell(replace(ENTRY, reason=reason, at_s=START_S + at_s), BACK, over=True)
    [signal] = said
    assert when(signal.text) == f"the engine ended without warning at about HH:MM, {text}; {BACK}"
    assert (signal.device, signal.active, signal.since_s) == ("m1", True, DIED_S)


def test_of_another_day_the_day_is_said():
    assert re.fullmatch(r"\d\d:\d\d", moment(DIED_S, DIED_S))
    assert re.fullmatch(r"\d\d \w{3} \d\d:\d\d", moment(DIED_S, DIED_S + 86_400))


class AnswersLater(NobodyAnswers):
    """The miner is away for the first two tries."""

    async def restore(self, entry: Entry, devices: object = ()) -> Outcome:
        if len(self.asked) < 2:
            return await super().restore(entry, devices)
        return Outcome(OutcomeState.APPLIED, "at 500 MHz / 1150 mV, proven by two readings")


async def test_one_that_is_away_is_told_of_at_once_and_when_it_is_back(ended: SuddenEnd, said: list[Signal]):
    journal = SlowJournal(ENTRY)
    restoring = restoring_of(AnswersLater(), journal, Log(), ended.tell)
    await restoring.once(())
    await restoring.last(())
    assert [signal.text.rpartition("; ")[2] for signal in said] == [
        "its baseline is not restored yet: it does not answer"
    ]
    await restoring.last(())
    assert [signal.text.rpartition("; ")[2] for signal in said[1:]] == [BACK]
    journal.there = (replace(ENTRY, at_s=START_S + 9000),)  # a job of this engine
    await restoring.owe("m1")
    await restoring.last(())
    assert len(said) == 2


async def test_one_that_a_job_led_back_meanwhile_is_told_of_too(ended: SuddenEnd, said: list[Signal]):
    journal = SlowJournal(ENTRY)
    restoring = restoring_of(NobodyAnswers(), journal, Log(), ended.tell)
    await restoring.once(())
    journal.there = ()
    await restoring.last(())
    assert [signal.text.rpartition("; ")[2] for signal in said[1:]] == [
        "its way back has ended since, by a job or a person"
    ]


def test_one_that_is_back_only_under_a_later_engine_is_told_of_by_that_one(
    tmp_path: Path, ended: SuddenEnd, said: list[Signal]
):
    """Else the alert would say for ever that it is not restored yet."""
    other, clock = replace(ENTRY, key="other", device="m2"), LoopClock()
    ended.tell(ENTRY, "its baseline is not restored yet: it does not answer", over=False)
    ended.tell(other, BACK, over=True)
    ended.begin()
    ended.end()
    for now_s in (10, 20):  # an engine that has no luck with it either does not repeat what is known
        later = SuddenEnd(tmp_path, clock, said.append)
        later.look()
        later.tell(ENTRY, f"its baseline is not restored yet: no answer within {now_s} s", over=False)
        later.tell(other, BACK, over=True)  # a job of an engine that ended well has left this one
        later.begin()
        later.end()
    last = SuddenEnd(tmp_path, clock, said.append)
    last.look()
    last.begin()
    last.tell(ENTRY, BACK, over=True)
    last.end()
    assert [(signal.device, signal.text.rpartition("; ")[2] == BACK) for signal in said] == [
        ("m1", False), ("m2", True), ("m1", True),
    ]  # fmt: skip
    assert {signal.since_s for signal in said} == {DIED_S}
    assert not (tmp_path / FILE).exists()

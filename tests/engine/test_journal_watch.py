"""A journal that takes no entry is an alert before an order is refused for it, and as long as it lasts."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

import pytest

from minertui.engine.journal import FOLDER, Entry, Journal, JournalError
from minertui.engine.journal_watch import JournalWatch
from minertui.safety.settings import Settings
from tests.engine.fakes import LoopClock
from tests.engine.house import House, until

ENTRY = Entry("aabbcc000001", "m1", "", Settings(500, 1150))
Told = list[tuple[str, str, str]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / FOLDER, lambda: 1.0)


@pytest.fixture
def watch(journal: Journal, told: Told) -> JournalWatch:
    return JournalWatch(journal, LoopClock(), lambda *said: told.append(said))


async def test_something_else_in_its_place_is_said_once_and_so_is_that_it_is_gone(
    watch: JournalWatch, told: Told, tmp_path: Path
):
    (tmp_path / FOLDER).write_text("")
    for _ in range(3):
        await watch.look()
    [(what, why, costs)] = told
    assert (what, costs) == ("the journal", "no miner is raised meanwhile")
    assert why.startswith(f"the journal {tmp_path / FOLDER} cannot be written: File exists; it has to be a folder")
    (tmp_path / FOLDER).unlink()
    for _ in range(3):
        await watch.look()
    assert [said[1] for said in told[1:]] == [""]


async def test_a_folder_that_nobody_may_write_to_is_seen_without_an_order(
    watch: JournalWatch, journal: Journal, told: Told, monkeypatch: pytest.MonkeyPatch
):
    """By the rights that this process has: it may be a superuser's."""
    journal.open_entry(ENTRY)
    with monkeypatch.context() as denied:

        def put(*_: object) -> None:
            raise OSError(errno.EACCES, "Permission denied")

        denied.setattr(os, "access", lambda path, mode: False)
        denied.setattr(Journal, "_put", put)
        await watch.look()
        assert "cannot be written: Permission denied" in told[-1][1]
    await watch.look()
    assert told[-1][1] == ""


async def test_where_its_rights_say_no_and_the_disk_takes_it_all_the_same_all_is_well(
    watch: JournalWatch, told: Told, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    await watch.look()
    assert told == []


async def test_a_write_that_was_refused_is_an_alert_until_a_trial_succeeds(
    watch: JournalWatch, journal: Journal, told: Told, monkeypatch: pytest.MonkeyPatch
):
    for ask in (journal.writable, lambda: journal.open_entry(ENTRY)):
        with monkeypatch.context() as full:

            def fsync(handle: int) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            full.setattr(os, "fsync", fsync)
            with contextlib.suppress(JournalError):
                assert not ask()
            await watch.look()
            assert "cannot be written: No space left on device" in told[-1][1]
        await watch.look()
        assert told[-1][1] == ""
    assert len(told) == 4


async def test_one_that_is_well_is_not_written_to(
    watch: JournalWatch, journal: Journal, told: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def put(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Journal, "_put", put)
    await watch.look()
    assert list(tmp_path.iterdir()) == [], "a folder that is not there yet is made with the first entry"
    (tmp_path / FOLDER).mkdir()
    await watch.look()
    assert told == []


@pytest.mark.looptime
async def test_in_an_engine_it_is_the_alert_of_the_disk_while_it_lasts(house: House):
    engine = await house.running()
    (house.folder / FOLDER).write_text("")
    await until(lambda: "disk:engine" in engine.hub.fleet.alerts)
    alert = engine.hub.fleet.alerts["disk:engine"]
    assert alert.active
    assert alert.text.startswith("the journal ")
    assert alert.text.endswith("; no miner is raised meanwhile")
    assert "cannot be written: File exists" in engine.hub.fleet.notice
    (house.folder / FOLDER).unlink()
    await until(lambda: not engine.hub.fleet.alerts["disk:engine"].active)
    assert engine.hub.fleet.notice == ""
    assert engine.hub.fleet.alerts["disk:engine"].text == "the journal can be written again"
    said = [line.text for line in await engine.log("engine") if "the journal" in line.text]
    assert ["cannot be written" in text for text in said] == [True, False]
    await engine.close()

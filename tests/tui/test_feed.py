"""The feed: one replaceable message with everything, not more often than needed, and a lost engine is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from textual.app import App
from textual.pilot import Pilot

from minertui.model.alerts import Severity
from minertui.model.commands import CommandRecord, Order, Outcome, OutcomeState, Restart
from minertui.model.events import CommandDone, LogLine, Numbered, SnapshotTaken, Whole
from minertui.model.fleet import Health
from minertui.tui import feed as feeds
from minertui.tui.feed import Feed, Picture, PictureTaken
from tests.tui import pictures
from tests.tui.fake_link import FakeLink


class Ears(App[None]):
    """Counts what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Picture] = []

    def on_picture_taken(self, message: PictureTaken) -> None:
        self.heard.append(message.picture)


def line(n: int) -> LogLine:
    return LogLine("a", f"line {n}", pictures.NOW_S + n, Severity.INFO)


async def until(pilot: Pilot[None], true: Callable[[], object]) -> None:
    for _ in range(2000):
        if true():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not happen")


async def test_the_first_picture_comes_at_once_and_the_rest_at_the_given_pace(monkeypatch):
    monkeypatch.setattr(feeds, "PERIOD_S", 600.0)
    ears = Ears()
    async with ears.run_test() as pilot:
        feed = Feed(FakeLink(pictures.normal()), ears)
        feed._take(Whole(pictures.normal()))
        await pilot.pause()
        assert len(ears.heard) == 1
        for n in range(50):
            taken = msgspec.structs.replace(pictures.snapshot(0), misses=n)
            feed._take(Numbered(100 + n, SnapshotTaken(taken)))
        await pilot.pause()
        assert len(ears.heard) == 1  # held back
        loop = asyncio.get_running_loop()
        assert feed._timer is not None
        assert loop.time() + 500 < feed._timer.when() <= loop.time() + 600
        monkeypatch.setattr(feeds, "PERIOD_S", 0.01)
        feed._timer.cancel()
        feed._post()  # its time has come
        await until(pilot, lambda: len(ears.heard) > 1)
        assert len(ears.heard) == 2  # fifty changes, one picture
        assert ears.heard[-1].fleet.snapshots["attic-1"].misses == 49
        assert ears.heard[-1].fleet.version == 149


async def test_nothing_is_posted_while_nothing_changes(monkeypatch):
    monkeypatch.setattr(feeds, "PERIOD_S", 0.01)
    ears = Ears()
    async with ears.run_test() as pilot:
        feed = Feed(FakeLink(pictures.normal()), ears)
        feed._take(Whole(pictures.normal()))
        await until(pilot, lambda: feed._timer is None)  # not even a timer runs
        assert len(ears.heard) == 1


async def test_the_clock_goes_on_where_no_miner_answers(monkeypatch):
    """Each missed poll is told, and none of them names a later time."""
    now_s = [1000.0]
    monkeypatch.setattr(feeds, "mono_s", lambda: now_s[0])
    ears = Ears()
    async with ears.run_test():
        feed = Feed(FakeLink(pictures.normal()), ears)
        feed._take(Whole(pictures.normal()))
        lost = msgspec.structs.replace(pictures.snapshot(0), health=Health.LOST, since_s=pictures.NOW_S)
        for misses in range(90):
            now_s[0] += 1
            feed._take(Numbered(100 + misses, SnapshotTaken(msgspec.structs.replace(lost, misses=misses))))
        assert feed.picture.fleet.at_s == pictures.NOW_S + 90
        feed._age()
        assert feed.picture.fleet.at_s == pictures.NOW_S + 90
        feed._lose("gone")
        assert feed.picture.lost_s == pictures.NOW_S + 90
        feed._take(Whole(pictures.normal()))
        assert feed.picture.fleet.at_s == pictures.NOW_S


def test_a_newer_picture_replaces_a_waiting_one():
    assert PictureTaken(Picture()).can_replace(PictureTaken(Picture()))


async def test_lines_are_numbered_and_missed_ones_are_counted(monkeypatch):
    monkeypatch.setattr(feeds, "RING", 5)
    ears = Ears()
    async with ears.run_test():
        feed = Feed(FakeLink(pictures.empty()), ears)
        for n in range(8):
            feed._take(Numbered(n, line(n)))
        got = feed.lines_after(0)
        assert [x.text for x in got.lines] == [f"line {n}" for n in range(3, 8)]
        assert (got.upto, got.missed) == (8, 3)
        assert feed.lines_after(8).lines == ()
        assert [x.text for x in feed.lines_after(7).lines] == ["line 7"]


async def test_commands_are_kept_newest_first():
    ears = Ears()
    async with ears.run_test():
        feed = Feed(FakeLink(pictures.empty()), ears)
        for n in range(2):
            record = CommandRecord(Order(f"o{n}", "a", Restart()), 1.0, Outcome(OutcomeState.APPLIED))
            feed._take(Numbered(n, CommandDone(record)))
        assert [r.order.id for r in feed.picture.records] == ["o1", "o0"]


@pytest.mark.parametrize("how", ["breaks", "ends"])
async def test_a_lost_engine_is_in_the_picture_and_is_called_again(monkeypatch, how):
    monkeypatch.setattr(feeds, "RETRY_S", 0.01)
    ears = Ears()
    link = FakeLink(pictures.normal())
    async with ears.run_test() as pilot:
        feed = Feed(link, ears)
        again: list[int] = []
        feed.on_lost(lambda: again.append(1))
        if how == "ends":

            async def ended():
                yield Whole(pictures.normal())

            monkeypatch.setattr(link, "watch", ended)
        else:
            link.lose("gone")
        await feed.run()
        await until(pilot, lambda: again and ears.heard and ears.heard[-1].lost)
        assert again == [1]
        assert ears.heard[-1].lost_s == (0.0 if how == "breaks" else pictures.NOW_S)
        feed._take(Whole(pictures.normal()))
        assert feed.picture.lost == ""

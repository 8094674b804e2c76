"""A screen whose engine is away calls nothing well and takes no orders; the engine's next word undoes it."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from textual.widgets import Button

from minertui.model.errors import LinkError
from minertui.model.events import LogLine, SnapshotTaken
from minertui.model.fleet import Health
from minertui.model.history import Found
from minertui.tui import feed
from minertui.tui.dialogs.discover import FoundList
from tests.tui import pictures, rigs
from tests.tui.fake_link import FakeLink
from tests.tui.looking import Looking, looking


@pytest.fixture(autouse=True)
def _in_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen that tries again every instant is never idle, and a test waits for that."""
    monkeypatch.setattr(feed, "RETRY_S", 60.0)


def back(seen: Looking) -> None:
    """The engine is there again, and the screen tries."""
    seen.link.down = None
    seen.app._follow()


class Bridge(FakeLink):
    """A link whose connection breaks and is mended in silence."""

    def on_break(self, tell):
        self.tell = tell


async def test_without_an_engine_readings_grow_old_and_nothing_is_ordered(monkeypatch):
    now_s = [1000.0]
    monkeypatch.setattr(feed, "mono_s", lambda: now_s[0])
    monkeypatch.setattr(feed, "AGE_S", 0.1)
    async with looking(pictures.normal(), size=(160, 24)) as seen:
        app, link = seen.app, seen.link
        await seen.until(lambda: " ok" in seen.row("attic-1") and "now" in seen.row("attic-1"))
        link.lose()
        now_s[0] += 90
        await seen.until(lambda: "stale" in seen.row("attic-1") and "1m" in seen.row("attic-1"))
        assert "12:01:30" in seen.line(0)
        assert not any(word in seen.row("attic-1") for word in (" ok", "now"))
        now_s[0] += 120
        await seen.until(lambda: "3m" in seen.row("attic-1"), "an older age")
        for key in ("t", "f", "r", "b", "g"):
            app.clear_notifications()
            await seen.press(key)
            await seen.toast("the engine is lost since 12:00:00; nothing can be ordered")
            assert app.screen is app.main  # no dialog
        asked = len(link.calls)
        await seen.press("2")
        await seen.sees("the engine does not answer")
        assert "stale since 12:00:00" in seen.text
        assert "reading 3m" in seen.text
        now_s[0] += 60
        await seen.sees("reading 4m")
        assert len([c for c in link.calls[asked:] if c[0] == "history"]) <= 1  # not again with every picture
        back(seen)
        await seen.sees("reading now")
        assert "stale" not in seen.text
        assert "12:00:00" in seen.line(0)


def test_worse_standings_stay():
    before = pictures.error()
    after = feed.outdated(before)
    for name, snapshot in before.snapshots.items():
        shown = after.snapshots[name]
        if snapshot.health is Health.OK:
            assert shown.health is Health.STALE
            assert not shown.stuck
            assert not shown.answered
            assert (shown.at_s, shown.status) == (snapshot.at_s, snapshot.status)
        else:
            assert shown is snapshot
    assert {s.health for s in before.snapshots.values()} > {Health.OK}


async def test_a_broken_connection_is_told_at_once_and_the_next_word_ends_it():
    link = Bridge(pictures.normal())
    async with looking(link, size=(160, 24)) as seen:
        await seen.until(lambda: " ok" in seen.row("attic-1"))
        link.tell(LinkError("the engine ended the stream"))
        await seen.until(lambda: "stale" in seen.row("attic-1"))
        await seen.sees("Engine lost since 12:00:00: the engine ended the stream")
        assert [call for call in link.calls if call[0] == "watch"] == [("watch",)]  # the link itself tries again
        link.push(LogLine("engine", "here again", pictures.NOW_S))
        await seen.until(lambda: " ok" in seen.row("attic-1") and "Engine lost" not in seen.text)


async def test_readings_of_a_silent_engine_grow_old_and_stale(monkeypatch):
    now_s = [0.0]
    monkeypatch.setattr(feed, "mono_s", lambda: now_s[0])
    monkeypatch.setattr(feed, "AGE_S", 0.05)
    async with looking(pictures.normal(), size=(160, 24)) as seen:
        await seen.until(lambda: "now" in seen.row("attic-1"))
        now_s[0] = 12.0  # two polls: others should have come
        await seen.until(lambda: "12:00:12" in seen.line(0))
        assert " ok" in seen.row("attic-1")
        assert "now" not in seen.row("attic-1")
        now_s[0] = 30.0
        await seen.until(lambda: "stale" in seen.row("attic-1"))
        assert "0 of" in seen.line(0)
        assert "Engine lost" not in seen.text  # nobody knows yet
        fresh = msgspec.structs.replace(pictures.snapshot(0), at_s=pictures.NOW_S + 30)
        seen.link.push(SnapshotTaken(fresh))
        await seen.until(lambda: " ok" in seen.row("attic-1") and "now" in seen.row("attic-1"))


async def test_sums_and_jobs_of_a_lost_engine_are_told_as_what_they_were():
    async with looking(rigs.fleet(), size=(140, 40)) as seen:
        before = seen.line(0)
        assert " was " not in before
        assert "jobs" in before
        seen.link.lose()
        await seen.until(lambda: " was " in seen.line(0))
        assert "jobs" not in seen.line(0)
        assert " was " in next(line for line in seen.text.split("\n") if " shown " in line)
        assert "! as it was: running" in next(line for line in seen.text.split("\n") if "rig rig-42" in line)
        assert "as it was" not in next(line for line in seen.text.split("\n") if "rig bench" in line)  # it was stopped
        seen.app.desk.open_tab("rig:rig-42")
        await seen.sees("! as it was at 12:00:00; the engine does not answer")
        rows = [line for line in seen.text.split("\n") if "board-0" in line or "board-1" in line]
        assert all(row.lstrip().startswith("!") for row in rows[:2]), rows
        back(seen)
        await seen.until(lambda: "as it was" not in seen.text)


async def test_a_sweep_of_a_lost_engine_says_how_far_it_was_and_nothing_of_now():
    async with looking(pictures.normal(), size=(160, 40)) as seen:
        await seen.press("w")
        await seen.sees(" left")
        seen.link.lose()
        await seen.sees("as it was; the engine does not answer")
        await seen.until(lambda: "! running" in seen.line(3), "the head")  # it may be drawn after the sentence
        assert " left" not in seen.line(3)


@pytest.mark.parametrize(("key", "agree"), [("t", "enter"), ("r", "y")])
async def test_a_dialog_that_is_open_when_the_engine_goes_does_not_order_and_can_again(key: str, agree: str):
    async with looking(pictures.normal()) as seen:
        await seen.press(key)
        await seen.until(lambda: seen.app.screen is not seen.app.main)
        if key == "t":
            await seen.press("6", "0", "0")
        dialog = seen.app.screen
        sent = len(seen.link.calls)
        seen.link.lose()
        await seen.sees("!! Engine lost since 12:00:00; nothing can be ordered")
        await seen.press(agree)
        await seen.pilot.pause()
        assert seen.app.screen is dialog  # what was typed is still there
        assert not [call for call in seen.link.calls[sent:] if call[0] in ("send", "start")]
        back(seen)
        await seen.until(lambda: "nothing can be ordered" not in seen.text)
        await seen.press(agree)
        await seen.until(lambda: [call for call in seen.link.calls[sent:] if call[0] == "send"], "an order")


async def test_discovery_looks_and_saves_nothing_while_the_engine_is_away():
    link = FakeLink(pictures.normal())
    link.found = (Found("127.0.0.1:8081", "axeos", hostname="new"),)
    async with looking(link) as seen:
        await seen.press("d")
        await seen.press("enter")
        await seen.sees("[x] 127.0.0.1:8081")
        link.lose()
        await seen.sees("!! Engine lost since 12:00:00; nothing can be ordered")
        dialog = seen.app.screen
        assert {b.id: b.disabled for b in dialog.query(Button)} == {"look": True, "add": True, "cancel": False}
        asked = len(link.calls)
        await seen.press("enter", "shift+tab", "enter")  # in the list, in the line to type in
        assert [call[0] for call in link.calls[asked:] if call[0] != "watch"] == []
        back(seen)
        await seen.until(lambda: "nothing can be ordered" not in seen.text)
        dialog.query_one(FoundList).focus()
        await seen.press("enter")
        await seen.until(lambda: [entry.name for entry, _ in link.sent("save_miner")] == ["new"])


@pytest.mark.parametrize("focused", ["list", "button"])
async def test_discovery_saves_once_however_often_it_is_told(focused: str):
    link = FakeLink(pictures.normal())
    link.found = tuple(Found(f"127.0.0.1:808{n}", "axeos", hostname=f"new-{n}") for n in range(3))
    slow, save = asyncio.Event(), link.save_miner

    async def slowly(entry, replaces=None):
        await save(entry, replaces)
        await slow.wait()

    link.save_miner = slowly  # type: ignore[method-assign]
    async with looking(link) as seen:
        await seen.press("d")
        await seen.press("enter")
        await seen.sees("[x] 127.0.0.1:8081")
        if focused == "button":
            seen.app.screen.query_one("#add").focus()
            await seen.pilot.pause()
        await seen.press("enter", "enter", "enter")  # the second does not reach the button that cancels
        slow.set()
        await seen.until(lambda: len(seen.app.screen_stack) == 1)
        assert [entry.name for entry, _ in link.sent("save_miner")] == ["new-0", "new-1", "new-2"]


async def test_a_frozen_picture_tells_what_went_wrong_behind_it():
    async with looking(pictures.normal(), size=(120, 24)) as seen:
        await seen.press("p")
        await seen.sees("! Frozen at 12:00:00; p lets the picture go on.")
        assert "not well" not in seen.text
        ill = msgspec.structs.replace(pictures.snapshot(0), health=Health.LOST, why="no answer")
        seen.link.push(SnapshotTaken(ill))
        await seen.sees("!! 1 not well since then.")
        assert "●" in seen.row("attic-1")  # as it was then
        seen.link.lose()
        await seen.until(lambda: "!! Engine lost" in seen.text and "! Frozen" in seen.text)
        await seen.until(lambda: "●" not in seen.text)  # not even then may anything look like the present
        assert " was " in seen.line(0)
        seen.link.fleet = pictures.normal()
        back(seen)
        await seen.until(lambda: "Engine lost" not in seen.text and "●" in seen.row("attic-1"))
        assert "! Frozen at 12:00:00" in seen.text
        await seen.press("p")
        await seen.until(lambda: "Frozen" not in seen.text)


async def test_a_screen_frozen_while_lost_keeps_its_rows_and_calls_them_old():
    async with looking(pictures.normal(), size=(120, 24)) as seen:
        seen.link.lose()
        await seen.until(lambda: "●" not in seen.text)
        await seen.press("p")
        back(seen)
        await seen.until(lambda: "Engine lost" not in seen.text)
        assert "attic-1" in seen.row("attic-1")
        assert "●" not in seen.text


async def test_charts_of_a_lost_engine_say_so_and_are_read_when_it_is_back():
    async with looking(pictures.normal()) as seen:
        await seen.press("2")
        await seen.until(lambda: "reading …" not in seen.text and " now" in seen.text, "a chart")
        assert {c.gone for c in seen.pane.charts} == {""}
        seen.link.lose()
        await seen.until(lambda: {c.gone for c in seen.pane.charts} == {"engine lost since 12:00:00"})
        assert seen.pane.charts[0].series is not None  # dimmed, and kept
        asked = len(seen.link.sent("history"))
        await seen.press("plus")  # another stretch of time: nobody can tell it
        await seen.until(lambda: seen.text.count("  engine lost since 12:00:00") == 3)
        assert "reading …" not in seen.text
        assert len(seen.link.sent("history")) == asked
        back(seen)
        await seen.until(lambda: len(seen.link.sent("history")) > asked, "history of the longer span")
        await seen.until(lambda: {c.gone for c in seen.pane.charts} == {""} and seen.pane.charts[0].series is not None)


async def test_charts_of_a_rig_say_it_too():
    async with looking(rigs.fleet()) as seen:
        seen.app.desk.open_tab("rig:rig-42")
        await seen.sees("board-0")
        seen.link.lose()
        await seen.sees("! as it was at 12:00:00")
        await seen.press("v")
        await seen.until(lambda: seen.text.count("  engine lost since 12:00:00") >= 3)
        assert not seen.link.sent("history")
        back(seen)
        await seen.until(lambda: seen.link.sent("history") and "engine lost" not in seen.text and "-1h00" in seen.text)


async def test_what_could_not_be_read_is_said_where_it_would_stand_and_tried_again(monkeypatch):
    now_s = [0.0]
    monkeypatch.setattr(feed, "mono_s", lambda: now_s[0])
    monkeypatch.setattr(feed, "AGE_S", 0.05)
    link = FakeLink(pictures.normal())
    link.refuse = "history cannot be read: disk failure"
    async with looking(link) as seen:
        await seen.press("2")
        await seen.until(lambda: seen.text.count("│   history cannot be read: disk failure") == 3)
        link.refuse, now_s[0] = None, 60.0
        await seen.until(lambda: "│   history cannot" not in seen.text and "-1h00" in seen.text)

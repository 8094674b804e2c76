from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from minertui.model.alerts import Severity
from minertui.model.events import LogLine
from minertui.tui.widgets.log_pane import LogPane
from tests.tui import pictures
from tests.tui.widgets.stage import on_stage, text, widths


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def said(*texts: str, start: int = 0) -> list[LogLine]:
    return [LogLine("attic-1", t, pictures.NOW_S + start + n) for n, t in enumerate(texts)]


def many(count: int, start: int = 0) -> list[LogLine]:
    return said(*(f"line {n}" for n in range(start, start + count)))


def lines(pane: LogPane) -> list[str]:
    return [x[12:] for x in text(pane.view)]


async def seen(pilot) -> None:
    """What was added is painted, however long a busy machine takes."""
    for _ in range(1000):
        await pilot.pause(0.01)
        if pilot.app.widget._flush is None:
            await pilot.pause()
            return
    raise AssertionError("it is never painted")


async def test_it_follows_the_newest_and_holds_when_scrolled() -> None:
    pane = LogPane()
    async with on_stage(pane, 60, 11) as pilot:
        pane.add(many(50))
        await seen(pilot)
        assert lines(pane)[-1] == "line 49"
        pane.view.focus()
        await pilot.press("up", "up")
        before = lines(pane)
        assert before[-1] == "line 47"
        pane.add(many(50, 50))
        await seen(pilot)
        assert lines(pane) == before
        assert "End follows" in text(pane.line)[0]
        await pilot.press("end")
        assert lines(pane)[-1] == "line 99"
        assert "following" in text(pane.line)[0]


@pytest.mark.parametrize("wrap", [False, True])
async def test_who_goes_down_to_the_end_follows_again(wrap: bool) -> None:
    pane = LogPane()
    view = pane.view
    async with on_stage(pane, 60, 11) as pilot:
        pane.add(said(*(f"line {n} {'word ' * 20}" for n in range(50))))
        view.wrap = wrap
        await seen(pilot)
        by_line, by_page = partial(view.action_scroll_lines, 1), partial(view.action_scroll_pages, 1)
        downs: tuple[Callable[[], None], ...] = (view.on_mouse_scroll_down, by_line, by_page)
        for n, down in enumerate(downs):
            view.action_scroll_pages(-1)
            view.on_mouse_scroll_up()
            await pilot.pause()
            assert "End follows" in text(pane.line)[0]
            view.action_scroll_lines(1)
            assert not view.following  # not yet at the end
            for _ in range(15):
                down()
            await pilot.pause()
            assert "following" in text(pane.line)[0]
            pane.add(said(f"newest {n}", start=50))
            await seen(pilot)
            assert lines(pane)[-1] == f"newest {n}"


async def test_long_lines_wrap_between_words_and_only_a_word_too_long_is_cut() -> None:
    pane = LogPane()
    async with on_stage(pane, 40, 8) as pilot:
        pane.add(said("the chip got hotter than its limit", "0123456789" * 3 + " over"))
        pane.view.wrap = True
        await seen(pilot)
        assert lines(pane)[:4] == ["the chip got hotter than", "its limit", ("0123456789" * 3)[:26], "6789 over"]


async def test_what_is_held_stays_while_older_lines_are_dropped_and_that_is_said() -> None:
    pane = LogPane(kept=40)
    async with on_stage(pane, 60, 11) as pilot:
        pane.add(many(40))
        await seen(pilot)
        pane.view.focus()
        await pilot.press("up")
        before = lines(pane)
        pane.add(many(5, 40))
        await seen(pilot)
        assert lines(pane) == before
        assert "5 dropped" in text(pane.line)[0]
        pane.add(many(100, 45))
        await seen(pilot)
        assert lines(pane)[0] == "line 105"  # the held ones are gone: the oldest kept
        assert "105 dropped" in text(pane.line)[0]


async def test_lines_are_painted_at_most_four_times_a_second(monkeypatch) -> None:
    pane = LogPane()
    async with on_stage(pane, 60, 11) as pilot:
        painted = []
        monkeypatch.setattr(pane.view, "repaint", lambda: painted.append(1))
        for n in range(100):
            pane.add(many(1, n))
        assert painted == []
        await seen(pilot)
        assert painted == [1]
        await seen(pilot)
        assert painted == [1]  # and not at all while nobody says anything


async def test_search_marks_and_walks_through_the_hits() -> None:
    pane = LogPane()
    async with on_stage(pane, 60, 11) as pilot:
        pane.add([*many(30), *said("needle one"), *many(30, 30), *said("NEEDLE two"), *many(30, 60)])
        await seen(pilot)
        pane.view.focus()
        await pilot.press("slash", *"needle", "enter")
        assert "NEEDLE two" in lines(pane)
        y = lines(pane).index("NEEDLE two")
        marked = [s.text for s in pane.view.render_line(y) if s.style and s.style.bold]
        assert marked == ["NEEDLE"]
        await pilot.press("N")
        assert "needle one" in lines(pane)
        await pilot.press("n")
        assert "NEEDLE two" in lines(pane)
        await pilot.press("slash", *" nowhere", "enter")
        assert "no line has" in text(pane.line)[0]
        await pilot.press("escape")
        assert pane.view.needle == ""


async def test_filter_lets_only_matching_lines_through() -> None:
    pane = LogPane()
    async with on_stage(pane, 70, 11) as pilot:
        pane.add(said("share accepted", "share rejected", "noise"))
        await seen(pilot)
        pane.view.focus()
        await pilot.press("ampersand", *"share !rej", "enter")
        assert [x for x in lines(pane) if x] == ["share accepted"]
        assert "1 of 3 lines" in text(pane.line)[0]
        await pilot.press("ampersand", "home", "shift+end", "delete", *"absent", "enter")
        assert text(pane.view)[0] == "no line passes the filter"


async def test_pause_holds_lines_back_and_loses_none() -> None:
    pane = LogPane()
    async with on_stage(pane, 60, 11) as pilot:
        pane.view.focus()
        await pilot.press("p")
        pane.add(many(3))
        await seen(pilot)
        assert "paused, 3 waiting" in text(pane.line)[0]
        assert text(pane.view)[0] == "nothing said yet"
        await pilot.press("p")
        assert lines(pane)[:3] == ["line 0", "line 1", "line 2"]


async def test_a_long_pause_counts_what_it_cannot_hold() -> None:
    pane = LogPane(kept=10)
    async with on_stage(pane, 60, 11) as pilot:
        pane.action_pause()
        pane.add(many(25))
        await seen(pilot)
        assert "15 dropped" in text(pane.line)[0]
        pane.action_pause()
        assert "15 dropped" in text(pane.line)[0]
        assert lines(pane)[0] == "line 15"


async def test_long_lines_wrap_or_scroll_sideways() -> None:
    pane = LogPane()
    async with on_stage(pane, 40, 8) as pilot:
        pane.add(said("0123456789" * 6))
        await seen(pilot)
        assert lines(pane)[0] == ("0123456789" * 3)[:26]
        pane.view.focus()
        await pilot.press("right")
        assert lines(pane)[0].startswith("6789")
        await pilot.press("left", "w")
        assert "".join(lines(pane)).replace("\n", "") == "0123456789" * 6
        assert "wrapped" in text(pane.line)[0]


async def test_it_is_saved_to_a_new_file_and_never_over_another(tmp_path: Path) -> None:
    pane = LogPane()
    async with on_stage(pane, 160, 11) as pilot:
        pane.add([LogLine("attic-1", "too hot", pictures.NOW_S, Severity.CRITICAL)])
        await seen(pilot)
        file = tmp_path / "log.txt"
        pane.save(str(file))
        assert file.read_text() == "2025-11-20T12:00:00Z attic-1 critical too hot\n"
        assert "1 line saved" in text(pane.line)[0]
        pane.save(str(file))
        assert "exists" in text(pane.line)[0]
        pane.save(str(tmp_path / "no" / "log.txt"))
        assert "cannot be written" in text(pane.line)[0]
        for name in ("bad\0name", "~nobody-has-this-name/x"):
            pane.save(name)
            assert name[:3] in text(pane.line)[0]
            assert "cannot be written" in text(pane.line)[0]


async def test_severity_and_source_are_words_and_signs() -> None:
    pane = LogPane(merged=True)
    async with on_stage(pane, 80, 11) as pilot:
        pane.add([LogLine("attic-1", "too hot", pictures.NOW_S, Severity.CRITICAL)])
        await seen(pilot)
        assert text(pane.view)[0].split() == ["12:00:00", "attic-1", "!!", "too", "hot"]


async def test_sources_that_begin_alike_are_told_apart_where_there_is_room() -> None:
    name = "sim-gammaturbo-7007"
    for width, shown in ((118, name), (60, "sim-ga…-7007")):
        pane = LogPane(merged=True)
        async with on_stage(pane, width, 11) as pilot:
            pane.add([LogLine(name, "too hot", pictures.NOW_S)])
            await seen(pilot)
            assert text(pane.view)[0].split()[1] == shown


async def test_hostile_lines_are_text() -> None:
    for keys in ((), ("w",), ("right",)):
        pane = LogPane(merged=True)
        async with on_stage(pane, 60, 40) as pilot:
            pane.add(pictures.hostile_lines())
            await seen(pilot)
            pane.view.focus()
            await pilot.press(*keys)
            assert widths(pane.view) == {58}
            assert all(x.isprintable() for x in text(pane.view))


async def test_clear_forgets() -> None:
    pane = LogPane(kept=5)
    async with on_stage(pane, 60, 11) as pilot:
        pane.add(many(9))
        await seen(pilot)
        pane.clear()
        assert text(pane.view)[0] == "nothing said yet"
        assert "dropped" not in text(pane.line)[0]

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.geometry import Region
from textual.theme import BUILTIN_THEMES, Theme

from minertui.tui.widgets.painted import HEATS, Line, Painted, Span, heat, line
from tests.tui import pictures
from tests.tui.widgets.stage import on_stage, text, watch_regions, widths


class Board(Painted):
    def __init__(self, *lines: Line) -> None:
        super().__init__()
        self.said: Sequence[Line] = lines

    def draw(self, width: int, height: int) -> Sequence[Line]:
        return self.said

    def say(self, *lines: Line) -> None:
        self.said = lines
        self.repaint()


def test_neighbours_of_one_style_become_one_span() -> None:
    assert line("a", "b", ("c", "dim"), ("", "bad"), ("d", "dim")) == Line((Span("ab"), Span("cd", "dim")))


def test_heat_is_clipped_to_its_steps() -> None:
    assert [heat(s) for s in (-1, 0, 0.55, 1, 7)] == ["heat:0", "heat:0", "heat:5", "heat:9", "heat:9"]


async def test_an_equal_picture_paints_nothing() -> None:
    board = Board(line("one"), line("two"))
    async with on_stage(board, 40, 5):
        regions = watch_regions(board)
        board.say(line("one"), line("two"))
        assert regions == []


async def test_only_the_changed_part_of_a_changed_line_is_painted() -> None:
    board = Board(line("one"), line("temp ", ("60", "bad"), (" steady", "dim")))
    async with on_stage(board, 40, 5):
        regions = watch_regions(board)
        board.say(line("one"), line("temp ", ("61", "bad"), (" steady", "dim")))
        assert regions == [Region(0, 1, 7, 1)]
        assert text(board)[1] == "temp 61 steady"


async def test_a_line_that_becomes_shorter_or_moves_its_row_style_is_painted_whole() -> None:
    board = Board(line("a long line"), line("x"))
    async with on_stage(board, 40, 5):
        regions = watch_regions(board)
        board.say(line("a line"), line("x", row="cursor"))
        assert regions == [Region(0, 0, 40, 1), Region(0, 1, 40, 1)]


async def test_wide_characters_are_painted_whole() -> None:
    board = Board(line("漢字", ("a", "bad"), ("b", "dim")))
    async with on_stage(board, 40, 5):
        regions = watch_regions(board)
        board.say(line("漢語", ("a", "bad"), ("b", "dim")))
        assert regions == [Region(0, 0, 40, 1)]


async def test_lines_that_vanish_are_blanked() -> None:
    board = Board(line("one"), line("two"))
    async with on_stage(board, 40, 5):
        board.say(line("one"))
        assert text(board)[:2] == ["one", ""]


async def test_nothing_that_a_device_says_reaches_the_terminal_as_a_command() -> None:
    for only_ascii in (False, True):
        board = Board(*(line((payload, "warn")) for payload in pictures.PAYLOADS))
        async with on_stage(board, 60, 24, ascii_only=only_ascii):
            assert widths(board) == {60}
            for said in text(board):
                assert said.isprintable()
                assert said.isascii() or not only_ascii
            assert text(board)[0] == "[/nope] rig"  # markup is text


async def test_styles_follow_the_theme_and_heat_runs_from_low_to_high() -> None:
    board = Board(line(*((" ", f"cell:{n}") for n in range(HEATS))), line(("x", "title")))
    async with on_stage(board, 40, 5) as pilot:
        colors = [s.style.bgcolor for s in board.render_line(0) if s.style][:HEATS]
        assert len(set(colors)) == HEATS
        before = next(s.style for s in board.render_line(1))
        pilot.app.theme = "textual-light"
        await pilot.pause()
        after = next(s.style for s in board.render_line(1))
        assert before is not None
        assert after is not None
        assert before.bgcolor != after.bgcolor


async def test_a_theme_that_changes_one_ink_repaints_who_uses_it() -> None:
    board = Board(line(("x", "high")))
    async with on_stage(board, 40, 5) as pilot:
        dark = BUILTIN_THEMES["textual-dark"]
        for name, error in (("one", "#ff0000"), ("two", "#0000ff")):
            pilot.app.register_theme(Theme(name, dark.primary, error=error, background="#000000"))
        pilot.app.theme = "one"
        await pilot.pause()
        text(board)  # painted
        regions = watch_regions(board)
        pilot.app.theme = "two"
        await pilot.pause()
        assert regions == [Region(0, 0, 40, 5)]
        ink = next(iter(board.render_line(0))).style
        assert ink is not None
        assert ink.color is not None
        assert ink.color.name == "#0000ff"


async def test_a_style_that_nobody_defined_is_no_ink() -> None:
    board = Board()
    async with on_stage(board, 40, 5):
        board.say(line(("x", "tilte")))
        with pytest.raises(KeyError, match="tilte"):
            board.render_line(0)
        board.say()


async def test_the_terminals_own_colours_are_not_mixed() -> None:
    board = Board(line(*((" ", f"heat:{n}") for n in range(HEATS))))
    async with on_stage(board, 40, 5) as pilot:
        pilot.app.theme = "ansi-dark"
        await pilot.pause()
        colors = {s.style.color.name for s in board.render_line(0) if s.style and s.style.color}
        assert len(colors) <= 4


async def test_with_the_terminals_own_colours_the_cursor_and_heat_are_reversed_and_readable() -> None:
    board = Board(line("a", ("b", "accent"), row="cursor"), line((" 61", "cell:9")))
    async with on_stage(board, 40, 5) as pilot:
        pilot.app.theme = "ansi-dark"
        await pilot.pause()
        for y in (0, 1):
            said = [s for s in board.render_line(y) if s.text.strip()]
            assert said
            assert all(s.style is not None and s.style.reverse for s in said)


async def test_a_picture_of_its_own_height_grows_with_it() -> None:
    class Tall(Board):
        DEFAULT_CSS = "Tall { height: auto; }"

    board = Tall(line("one"))
    async with on_stage(board, 40, 10) as pilot:
        assert board.size.height == 1
        board.say(line("one"), line("two"), line("three"))
        await pilot.pause()
        assert board.size.height == 3
        assert text(board) == ["one", "two", "three"]

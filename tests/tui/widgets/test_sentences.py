"""What must be read is not cut off where three lines hold it."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from minertui.tui.widgets.painted import Span
from minertui.tui.widgets.sentences import MOST, Sentences, broken
from tests.tui.widgets.stage import on_stage, text

WHAT = "the config is not taken over: /home/somebody/.config/minertui/config.toml:14: adress: unknown key"


@pytest.mark.parametrize("width", [7, 20, 33, 60, 97, 200])
def test_lines_are_broken_at_blanks_and_nothing_is_lost(width: int):
    lines = broken([Span("! ", "bad"), Span(WHAT, "warn"), Span(" 温度が高い"), Span("")], width)
    assert all(cell_len(found.text.rstrip()) <= width for found in lines)
    assert "".join("".join(found.text for found in lines).split()) == "".join(f"! {WHAT} 温度が高い".split())
    if width > 60:
        assert [word for found in lines for word in found.text.split()] == f"! {WHAT} 温度が高い".split()


async def test_what_does_not_fit_takes_lines_and_gives_them_back():
    shown = Sentences()
    async with on_stage(shown, 40, 12) as pilot:
        shown.show("all is well", "now")
        await pilot.pause()
        assert shown.size.height == 1
        shown.show((Span(WHAT, "warn"),), "since 12:00:00")
        await pilot.pause()
        assert shown.size.height == MOST
        assert text(shown)[-1].endswith("…")
        shown.show((Span(WHAT, "warn"),))
        await pilot.pause()
        assert " ".join(text(shown)).split()[-2:] == ["unknown", "key"]
        shown.show("all is well")
        await pilot.pause()
        assert shown.size.height == 1

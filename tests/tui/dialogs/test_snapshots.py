"""Every dialog as it looks, at the smallest size promised and at a comfortable one."""

from __future__ import annotations

from functools import partial

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from minertui.tui.dialogs.box import Body
from minertui.tui.dialogs.form import Form
from tests.tui.dialogs.room import in_sight, opened, opened_one_by_one, until
from tests.tui.dialogs.show import DIALOGS, Host

SIZES = ((80, 24), (120, 40))


async def steady(pilot: Pilot[None]) -> None:
    """A blinking cursor is another picture every half second."""
    await pilot.pause()
    for field in pilot.app.screen.query(Input):
        field.cursor_blink = False
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", sorted(DIALOGS))
def test_dialog(snap_compare, name: str, size: tuple[int, int]) -> None:
    assert snap_compare(Host(DIALOGS[name]), terminal_size=size, run_before=steady)


async def test_every_way_out_and_what_has_the_focus_are_on_the_smallest_screen() -> None:
    dialogs = [DIALOGS[name] for name in sorted(DIALOGS)]
    async for pilot in opened_one_by_one(dialogs, 60, 15):
        shown = pilot.app.screen
        for button in shown.query(Button):
            assert 0 < button.region.y < button.region.bottom <= 14, button.id
            assert button.region.right <= 59
        if isinstance(shown, Form):
            last = list(shown.rows.values())[-1].answer
            last.focus()
            await until(pilot, partial(in_sight, last), f"{last.id} in sight")


async def test_what_has_the_focus_stays_in_sight_when_the_terminal_gets_lower_and_the_page_keys_turn_the_rest() -> None:
    async with opened(DIALOGS["guard-swept"], 60, 40) as pilot:
        field = pilot.app.screen.query_one("#hold_dwell_s")
        field.focus()
        await pilot.resize_terminal(60, 15)
        fields, foreseen = pilot.app.screen.query(Body)
        await until(pilot, lambda: fields.max_scroll_y > 0 and foreseen.max_scroll_y > 0, "what scrolls")
        await until(pilot, lambda: in_sight(field), "the field in sight")
        await pilot.press("pagedown")
        await until(pilot, lambda: foreseen.scroll_y == foreseen.size.height - 1, "the next page")

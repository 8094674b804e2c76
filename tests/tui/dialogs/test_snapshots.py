"""Every dialog as it looks, at the smallest size promised and at a comfortable one."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

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


@pytest.mark.parametrize("name", sorted(DIALOGS))
async def test_every_way_out_is_on_the_smallest_screen(name: str) -> None:
    async with Host(DIALOGS[name]).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen = pilot.app.screen
        for button in screen.query("Button"):
            assert 0 < button.region.bottom <= 23, button.id
            assert button.region.right <= 80

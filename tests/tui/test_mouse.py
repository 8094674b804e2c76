"""The mouse is never needed, and does what is expected of it: a click goes there, one on the cursor opens."""

from __future__ import annotations

from textual import events
from textual.widget import Widget

from minertui.model.history import Found
from minertui.tui.dialogs.discover import FoundList
from minertui.tui.tabs.listing import Listing
from minertui.tui.widgets.log_view import LogView
from minertui.tui.widgets.point_table import PointTable
from tests.tui import pictures, rigs
from tests.tui.fake_link import FakeLink
from tests.tui.looking import Looking, looking


async def wheel(seen: Looking, widget: Widget, *, down: bool) -> None:
    """One notch over the middle of it, as a terminal reports it."""
    kind = events.MouseScrollDown if down else events.MouseScrollUp
    x, y = widget.region.center
    seen.app.post_message(kind(None, x, y, 0, 1 if down else -1, 0, False, False, False, x, y))
    await seen.pilot.pause()


async def test_points_of_a_sweep_are_chosen_opened_and_gone_through() -> None:
    async with looking(pictures.normal()) as seen:
        await seen.press("w")
        await seen.sees("★ best")
        table = seen.app.screen.query_one(PointTable)
        await seen.pilot.click(PointTable, offset=(5, 3))
        assert table.at == 2
        await seen.pilot.click(PointTable, offset=(5, 0))  # titles
        await seen.pilot.click(PointTable, offset=(5, len(table.rows) + 2))  # below the last
        assert (table.at, len(seen.app.screen_stack)) == (2, 1)
        await wheel(seen, table, down=True)
        assert table.at == 5
        await wheel(seen, table, down=False)
        assert table.at == 2
        await seen.pilot.click(PointTable, offset=(5, 3))
        await seen.sees("3 of 6 by efficiency")
        await seen.pilot.click("#close")
        await seen.until(lambda: len(seen.app.screen_stack) == 1)


async def test_boards_alerts_and_commands_are_gone_through() -> None:
    async with looking(rigs.fleet(pictures.error())) as seen:
        for tab, first, second in (("rig:rig-42", "board-0", "board-3"), ("alerts", "", "")):
            seen.app.desk.open_tab(tab)
            await seen.until(lambda: seen.pane.ready and seen.pane.list.items)
            listing: Listing = seen.pane.list
            keys = [key for key, _ in listing.items]
            assert listing.cursor == (first or keys[0])
            await wheel(seen, listing, down=True)
            assert listing.cursor == (second or keys[min(3, len(keys) - 1)])
            await seen.pilot.click(listing, offset=(5, 2))
            assert listing.cursor == keys[1]
            await wheel(seen, listing, down=False)
            assert listing.cursor == keys[0]


async def test_the_wheel_goes_through_a_log() -> None:
    lines = [line for _ in range(30) for line in pictures.log_lines(pictures.normal())]
    async with looking(FakeLink(pictures.normal(), lines)) as seen:
        await seen.press("l")
        await seen.sees("following")
        view = seen.app.screen.query_one(LogView)
        await wheel(seen, view, down=False)
        await seen.until(lambda: "following" not in seen.text and "11:59:59" not in seen.text)
        await wheel(seen, view, down=True)
        await seen.sees("11:59:59")


async def test_what_was_found_is_marked_and_added_by_clicks() -> None:
    link = FakeLink(pictures.normal())
    link.found = tuple(Found(f"127.0.0.1:808{n}", "axeos", hostname=f"new-{n}") for n in range(3))
    async with looking(link) as seen:
        await seen.press("d")
        await seen.pilot.click("#look")
        await seen.sees("[x] 127.0.0.1:8081")
        found = seen.app.screen.query_one(FoundList)
        await seen.pilot.click(FoundList, offset=(5, 1))
        assert (found.at, "127.0.0.1:8081" in found.chosen) == (1, False)
        await seen.pilot.click(FoundList, offset=(5, 8))  # nobody stands there
        await seen.pilot.click("#add")
        await seen.until(lambda: [entry.name for entry, _ in link.sent("save_miner")] == ["new-0", "new-2"])


async def test_a_question_is_answered_with_its_buttons() -> None:
    async with looking(pictures.normal()) as seen:
        for button, sent in (("#no", 0), ("#yes", 1)):
            await seen.press("r")
            await seen.sees("Restart the miner: attic-1")
            await seen.pilot.click(button)
            await seen.until(lambda: len(seen.app.screen_stack) == 1)
            await seen.pilot.pause()
            assert len([order for order in seen.link.sent("send") if not order.dry_run]) == sent

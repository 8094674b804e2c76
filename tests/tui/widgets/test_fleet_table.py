from __future__ import annotations

import msgspec
import pytest

from minertui.model.fleet import Fleet, Health
from minertui.model.plans import Phase
from minertui.tui.widgets.columns import COLUMNS, GAP, layout
from minertui.tui.widgets.fleet_table import FleetTable
from tests.tui import pictures
from tests.tui.widgets.stage import heard, on_stage, text, watch_regions, widths

NORMAL = pictures.normal()
NAMES = tuple(NORMAL.snapshots)


def show(table: FleetTable, fleet: Fleet = NORMAL, marked: frozenset[str] = frozenset()) -> None:
    table.show(fleet, tuple(fleet.snapshots), marked)


@pytest.mark.parametrize("width", [20, 40, 60, 78, 100, 120, 160, 300])
def test_columns_fit_the_width_and_the_needed_ones_never_leave(width: int) -> None:
    found = layout(width, 10)
    used = sum(size + column.gap for column, size in found) - GAP
    needed = [c.id for c in COLUMNS if c.rank == 0]
    ids = [c.id for c, _ in found]
    assert used <= width or ids == needed
    assert set(needed) <= set(ids)
    assert ids == [c.id for c in COLUMNS if c.id in ids]
    assert all(c.least <= size <= c.most for c, size in found)


def test_a_wide_terminal_shows_all_columns_and_a_narrow_one_drops_the_luxury_first() -> None:
    assert {c.id for c, _ in layout(200, 12)} == {c.id for c in COLUMNS}
    narrow = {c.id for c, _ in layout(78, 12)}
    assert {"chip_temp_c", "vr_temp_c", "power_w", "efficiency_jth", "hashrate_ghs"} <= narrow
    assert not {"spark", "word", "model"} & narrow


def test_names_get_room_when_they_need_it() -> None:
    assert {c.id: w for c, w in layout(200, 25)}["name"] == 25
    assert {c.id: w for c, w in layout(200, 5)}["name"] == 12


async def test_a_row_says_what_the_miner_says() -> None:
    table = FleetTable()
    async with on_stage(table, 200, 30):
        show(table)
        lines = text(table)
        assert lines[0].split()[:4] == ["name", "state", "model", "TH/s"]
        row = next(x for x in lines if "attic-1" in x)
        for part in ("ok", "Gamma", "1.04", "52.0", "58.0", "15.5", "now"):
            assert part in row
        assert any("sweep 11/15 46m" in x for x in lines)
        assert widths(table) == {198}


@pytest.mark.parametrize("width", [30, 80, 120, 200])
async def test_at_every_width_a_sign_shows_what_runs_on_a_miner(width: int) -> None:
    table, ended = FleetTable(), pictures.running_guard("attic-1")
    fleet = NORMAL.with_job(msgspec.structs.replace(ended, phase=Phase.FAILED)).with_job(
        msgspec.structs.replace(pictures.running_guard("attic-2"), phase=Phase.STOPPED)
    )
    async with on_stage(table, width, 30):
        show(table, fleet)
        seen = {name: next(x for x in text(table) if name in x) for name in fleet.snapshots}
        assert seen["lab-gamma"].startswith(" ● S lab-gamma")
        assert seen["cellar-1"].startswith(" ● G cellar-1")
        assert seen["attic-1"].startswith(" ● g attic-1")  # its guard failed
        assert seen["attic-2"].startswith(" ●   attic-2")  # its guard was stopped: nothing runs


def test_long_lists_at_80_columns_keep_the_columns_that_short_ones_have() -> None:
    assert [c.id for c, _ in layout(76, 12)] == [c.id for c, _ in layout(78, 12)]


async def test_trouble_is_said_by_sign_and_word_and_old_values_are_dimmed() -> None:
    table = FleetTable()
    fleet = pictures.error()
    async with on_stage(table, 160, 30):
        show(table, fleet)
        lines = {name: next(x for x in text(table) if f" {name} " in x) for name in fleet.snapshots}
        by_health = {s.health: name for name, s in fleet.snapshots.items()}
        assert lines[by_health[Health.LOST]].startswith(" ✕")
        assert lines[by_health[Health.STALE]].startswith(" ! ")
        assert lines[by_health[Health.PARKED]].startswith(" !!")
        hot = next(x for x in lines.values() if "71.5" in x)
        assert "71.5!!" in hot
        stale = next(y for y, x in enumerate(text(table)) if x.startswith(" ! "))
        cool = next(y for y, x in enumerate(text(table)) if x.startswith(" ●"))
        ink = {y: {s.style.color for s in table.render_line(y) if s.style and "0" in s.text} for y in (stale, cool)}
        assert ink[stale] != ink[cool]


async def test_a_picture_that_changed_one_miner_paints_one_row() -> None:
    table = FleetTable()
    async with on_stage(table, 160, 30):
        show(table)
        regions = watch_regions(table)
        show(table, msgspec.structs.replace(NORMAL, at_s=NORMAL.at_s + 1))
        assert regions == []
        one = NORMAL.snapshots[NAMES[4]]
        assert one.status is not None
        warmer = msgspec.structs.replace(one, status=msgspec.structs.replace(one.status, chip_temp_c=61.9))
        show(table, NORMAL.with_(warmer))
        assert [r.y for r in regions] == [5]
        assert regions[0].width < 158  # what did not change at its right is left alone
        assert "61.9" in text(table)[5]


async def test_the_cursor_is_a_name_and_stays_on_it() -> None:
    table = FleetTable()
    async with on_stage(table) as pilot:
        show(table)
        table.focus()
        await pilot.press("down", "j", "enter")
        assert table.cursor == NAMES[2]
        assert [m.device for m in heard(pilot, FleetTable.Opened)] == [NAMES[2]]
        assert [m.device for m in heard(pilot, FleetTable.Moved)] == list(NAMES[:3])
        table.show(NORMAL, NAMES[::-1], frozenset())
        assert table.cursor == NAMES[2]
        table.show(NORMAL, [n for n in NAMES if n != NAMES[2]], frozenset())
        assert table.cursor in NAMES
        assert table.cursor != NAMES[2]
        table.show(pictures.empty(), (), frozenset())
        assert table.cursor == ""


async def test_long_lists_scroll_with_the_cursor_and_show_where_they_are() -> None:
    snapshots = {f"m{n:03}": msgspec.structs.replace(pictures.snapshot(n % 12), device=f"m{n:03}") for n in range(160)}
    fleet = Fleet(at_s=pictures.NOW_S, snapshots=snapshots)
    table = FleetTable()
    async with on_stage(table, 80, 24) as pilot:
        show(table, fleet)
        table.focus()
        await pilot.press("end")
        assert "m159" in text(table)[23]
        assert text(table)[23].endswith("┃")
        await pilot.press("home")
        assert "m000" in text(table)[1]
        await pilot.press("pagedown")
        assert table.cursor == "m023"
        assert "m023" in "".join(text(table))


async def test_marks_and_cursor_lie_under_the_whole_row() -> None:
    table = FleetTable()
    async with on_stage(table, 100, 24):
        show(table, marked=frozenset({NAMES[3]}))
        grounds = [{s.style.bgcolor for s in table.render_line(y) if s.style} for y in (1, 2, 4)]
        assert all(len(g) == 1 for g in grounds)
        assert len({next(iter(g)) for g in grounds}) == 3
        assert text(table)[4].startswith("▌")


async def test_clicks_choose_open_and_sort() -> None:
    table = FleetTable()
    async with on_stage(table, 100, 24) as pilot:
        show(table)
        await pilot.click(FleetTable, offset=(10, 3))
        assert table.cursor == NAMES[2]
        assert heard(pilot, FleetTable.Opened) == []
        await pilot.click(FleetTable, offset=(10, 3))
        assert [m.device for m in heard(pilot, FleetTable.Opened)] == [NAMES[2]]
        x = text(table)[0].index("chip") + 1
        await pilot.click(FleetTable, offset=(x, 0))
        await pilot.click(FleetTable, offset=(4, 0))  # over the signs of jobs
        assert [m.column_id for m in heard(pilot, FleetTable.HeaderClicked)] == ["chip_temp_c", "job"]


async def test_the_sorted_column_wears_an_arrow_and_titles_stay_in_place() -> None:
    table = FleetTable()
    async with on_stage(table, 100, 24):
        show(table)
        plain = text(table)[0]
        table.show(NORMAL, NAMES, frozenset(), ("chip_temp_c", True))
        assert "chip °C▼" in text(table)[0]
        assert text(table)[0].index("VR") == plain.index("VR")
        table.show(NORMAL, NAMES, frozenset(), ("name", False))
        assert "▲name" in text(table)[0]


async def test_ascii_is_ascii_and_keeps_its_columns() -> None:
    table = FleetTable()
    async with on_stage(table, 160, 24, ascii_only=True):
        show(table, pictures.error())
        assert all(x.isascii() for x in text(table))
        assert widths(table) == {158}


async def test_hostile_names_break_nothing() -> None:
    table = FleetTable()
    fleet = pictures.hostile()
    for width in (30, 80, 200):
        async with on_stage(table := FleetTable(), width, 40):
            show(table, fleet)
            assert all(x.isprintable() for x in text(table))
            assert widths(table) == {width - 2}


def renamed(old: str, new: str, fleet: Fleet = NORMAL) -> tuple[Fleet, Fleet]:
    """The fleet without the device, and with it under its new name."""
    gone = fleet.without(old)
    return gone, gone.with_(msgspec.structs.replace(fleet.snapshots[old], device=new, status=None, at_s=None))


@pytest.mark.parametrize("old", [NAMES[0], NAMES[4], NAMES[-1]])
@pytest.mark.parametrize("at_once", [True, False])
async def test_the_cursor_follows_a_renamed_miner(old: str, at_once: bool) -> None:
    table = FleetTable()
    async with on_stage(table, 160, 30):
        show(table)
        table.cursor = old
        gone, back = renamed(old, "zz-new")
        if not at_once:
            show(table, gone)
            assert table.cursor in gone.snapshots
        show(table, back)
        assert table.cursor == "zz-new"
        show(table, NORMAL)  # and back again
        assert table.cursor == old


async def test_the_cursor_stays_where_it_was_put_and_with_others_that_come() -> None:
    table = FleetTable()
    async with on_stage(table, 160, 30):
        show(table)
        gone, back = renamed(NAMES[4], "zz-new")
        table.cursor = NAMES[4]
        show(table, gone)
        table.cursor = NAMES[1]
        show(table, back)
        assert table.cursor == NAMES[1]  # a person moved it
        show(table, NORMAL)
        table.cursor = NAMES[4]
        show(table, gone)
        show(table, msgspec.structs.replace(back, at_s=back.at_s + 60))
        assert table.cursor == NAMES[5]  # so much later it is another one
        show(table, NORMAL)
        table.cursor = NAMES[4]
        show(table, gone.with_(msgspec.structs.replace(NORMAL.snapshots[NAMES[4]], device="b", address="192.168.9.9")))
        assert table.cursor == NAMES[5]

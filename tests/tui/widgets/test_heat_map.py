from __future__ import annotations

import msgspec
import pytest

from minertui.model.fleet import Fleet
from minertui.tui.widgets.heat_map import HeatMap
from tests.tui import pictures
from tests.tui.widgets.stage import heard, on_stage, text, watch_regions, widths

NORMAL = pictures.normal()
NAMES = tuple(NORMAL.snapshots)


def many() -> Fleet:
    snapshots = {f"m{n:03}": msgspec.structs.replace(pictures.snapshot(n % 12), device=f"m{n:03}") for n in range(160)}
    return Fleet(at_s=pictures.NOW_S, snapshots=snapshots)


async def test_cells_carry_name_and_value_and_hotter_is_another_colour() -> None:
    heat = HeatMap()
    async with on_stage(heat, 120, 24):
        heat.show(NORMAL, NAMES, "chip_temp_c")
        lines = text(heat)
        assert lines[0].startswith("Chip")
        assert "attic-2" in lines[1]
        assert "53.0" in lines[2]
        cool = next(s.style for s in heat.render_line(2) if "52.0" in s.text)
        hot = next(s.style for y in range(24) for s in heat.render_line(y) if "63.0" in s.text)
        assert cool is not None
        assert hot is not None
        assert cool.bgcolor != hot.bgcolor


async def test_the_scale_of_hashrates_has_the_unit_of_the_cells() -> None:
    heat = HeatMap()
    async with on_stage(heat, 120, 24):
        heat.show(NORMAL, NAMES, "hashrate_ghs")
        assert text(heat)[0].startswith("Hashrate  1.04")
        assert "4.40 TH/s" in text(heat)[0]


@pytest.mark.parametrize("only_ascii", [False, True])
async def test_without_colours_a_bar_says_what_they_would_and_the_legend_shows_the_bars(only_ascii: bool) -> None:
    heat = HeatMap()
    bars = ".:-=+*%@" if only_ascii else "▁▂▃▄▅▆▇█"
    async with on_stage(heat, 120, 24, ascii_only=only_ascii) as pilot:
        heat.show(NORMAL, NAMES, "efficiency_jth")
        assert bars not in text(heat)[0]
        pilot.app.add_class("-no-color")
        heat.show(NORMAL, NAMES, "efficiency_jth")
        whole = "\n".join(text(heat))
        assert text(heat)[0].startswith(f"Efficiency  14.9 {bars} 18.1 J/TH")
        assert f"14.9 {bars[0]} " in whole  # the least of them
        assert f"18.1 {bars[-1]}" in whole  # the most
        cells = [s.style for s in heat.render_line(2) if s.style and s.text.strip()]
        assert not any(style.reverse or style.bgcolor != cells[0].bgcolor for style in cells)
        fleet = many()  # narrow cells
        heat.show(fleet, tuple(fleet.snapshots), "efficiency_jth")
        assert f"14.9{bars[0]} " in text(heat)[1]


async def test_a_bar_grows_with_the_value_also_where_more_is_better() -> None:
    heat = HeatMap()
    async with on_stage(heat, 120, 24) as pilot:
        pilot.app.add_class("-no-color")
        heat.show(NORMAL, NAMES, "hashrate_ghs")
        whole = "\n".join(text(heat))
        assert "4.40 █" in whole
        assert "1.04 ▁" in whole


async def test_trouble_is_a_word_and_limits_are_signs() -> None:
    heat = HeatMap()
    fleet = pictures.error()
    async with on_stage(heat, 120, 24):
        heat.show(fleet, tuple(fleet.snapshots), "chip_temp_c")
        whole = "\n".join(text(heat))
        for word in ("lost", "stale", "parked", "71.5!!"):
            assert word in whole


async def test_many_devices_become_small_cells_and_the_title_names_the_chosen() -> None:
    heat = HeatMap()
    fleet = many()
    async with on_stage(heat, 80, 24) as pilot:
        heat.show(fleet, tuple(fleet.snapshots), "power_w")
        heat.focus()
        await pilot.press("right", "right", "down")
        assert heat.cursor == f"m{2 + heat.step:03}"
        assert heat.cursor in text(heat)[0]
        await pilot.press("end", "enter")
        assert [m.device for m in heard(pilot, HeatMap.Opened)] == ["m159"]
        assert widths(heat) == {78}


async def test_a_click_finds_the_cell() -> None:
    heat = HeatMap()
    async with on_stage(heat, 120, 24) as pilot:
        heat.show(NORMAL, NAMES, "chip_temp_c")
        await pilot.click(HeatMap, offset=(1 + 13 + 4, 2))
        assert heat.cursor == NAMES[1]
        await pilot.click(HeatMap, offset=(118, 20))
        assert heat.cursor == NAMES[1]


async def test_one_change_paints_one_line() -> None:
    heat = HeatMap()
    async with on_stage(heat, 120, 24):
        heat.show(NORMAL, NAMES, "chip_temp_c")
        regions = watch_regions(heat)
        heat.show(NORMAL, NAMES, "chip_temp_c")
        assert regions == []
        one = NORMAL.snapshots[NAMES[0]]
        assert one.status is not None
        warmer = msgspec.structs.replace(one, status=msgspec.structs.replace(one.status, chip_temp_c=52.2))
        heat.show(NORMAL.with_(warmer), NAMES, "chip_temp_c")
        assert 2 in [r.y for r in regions]
        assert {r.y for r in regions} <= {1, 2}


async def test_a_metric_nobody_knows_is_drawn_all_the_same() -> None:
    heat = HeatMap()
    fleet = pictures.error()
    for metric in ("fan2_rpm", "hashrate_ghs", "wifi_rssi_dbm"):
        async with on_stage(heat := HeatMap(), 60, 12, ascii_only=True):
            heat.show(fleet, tuple(fleet.snapshots), metric)
            assert all(x.isascii() for x in text(heat))


async def test_long_names_that_begin_alike_are_told_apart_where_there_is_room() -> None:
    names = tuple(f"sim-gammaturbo-{7000 + n}" for n in range(12))
    fleet = Fleet(snapshots={name: msgspec.structs.replace(pictures.snapshot(0), device=name) for name in names})
    heat = HeatMap()
    async with on_stage(heat, 120, 24) as pilot:
        heat.show(fleet, names, "chip_temp_c")
        whole = "\n".join(text(heat))
        assert all(name in whole for name in names)
        heat.focus()
        await pilot.press("down", "right")
        assert heat.cursor == names[1 + heat.step]
        row = next(y for y, said in enumerate(text(heat)) if heat.cursor in said and y)
        x = text(heat)[row].index(heat.cursor)
        assert heat.device_at(x, row) == heat.cursor
        heat.show(many(), tuple(many().snapshots), "chip_temp_c")  # no room for any name: as small as ever
        assert heat.step == 118 // 8

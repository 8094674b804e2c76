from __future__ import annotations

import math

import pytest

from minertui.model.history import Series
from minertui.tui.widgets.chart import Chart, _scale, _spread
from tests.tui import pictures
from tests.tui.widgets.stage import on_stage, text, widths


def series(*values: float | None, metric: str = "chip_temp_c", **more) -> Series:
    return Series("a", 60, tuple(60.0 * n for n in range(len(values))), {metric: values}, **more)


async def painted(found: Series | None, width: int = 60, height: int = 12, *, ascii_only: bool = False) -> list[str]:
    chart = Chart()
    async with on_stage(chart, width, height, ascii_only=ascii_only):
        chart.show(found, list(found.mean) if found else ["chip_temp_c"], "Temperature")
        assert widths(chart) == {width}
        return text(chart)


async def test_it_has_a_title_with_the_newest_value_labels_and_times() -> None:
    lines = await painted(series(50, 55, 60, None))
    assert lines[0].split()[:1] == ["Temperature"]
    assert "Chip 60.0 °C" in lines[0]
    assert lines[1].startswith("60┤")
    assert lines[-2].startswith("50┤")
    assert lines[-1].startswith("  └-4m")
    assert lines[-1].endswith("now")


@pytest.mark.parametrize("count", [1, 2, 3, 7, 11, 60, 600])
async def test_no_two_places_have_the_same_time(count: int) -> None:
    times = (await painted(series(*[50.0] * count), 100))[-1].strip(" └").split()
    assert len(times) > 5
    assert len(set(times)) == len(times)


async def test_a_gap_is_a_gap() -> None:
    values = [50.0] * 20 + [None] * 20 + [50.0] * 20
    lines = await painted(series(*values), 64, 8)
    dots = {n for line in lines[1:-1] for n, c in enumerate(line) if "\u2800" < c <= "\u28ff"}
    middle = range(26, 42)
    assert dots
    assert not dots & set(middle)
    assert min(dots) < 8
    assert max(dots) > 60


async def test_a_rising_value_goes_up_to_the_right() -> None:
    lines = await painted(series(*range(60)), ascii_only=True)
    rows = [line.find("*") for line in lines[1:-1] if "*" in line]
    assert rows == sorted(rows, reverse=True)
    assert all(line.isascii() for line in lines)


async def test_nothing_yet_and_nothing_at_all_are_said() -> None:
    assert any("reading" in line for line in await painted(None))
    assert any("nothing recorded" in line for line in await painted(series(None, None)))
    assert any("nothing recorded" in line for line in await painted(series()))


async def test_without_colours_curves_differ_by_their_dashes() -> None:
    found = Series("a", 60, (0.0, 60.0), {"chip_temp_c": (50, 50), "vr_temp_c": (60, 60)})
    chart = Chart()
    async with on_stage(chart, 60, 12) as pilot:
        whole = []
        for plain in (False, True):
            pilot.app.set_class(plain, "-no-color")
            chart.show(found, list(found.mean), "Temperature")
            lines = text(chart)
            whole.append([sum("\u2800" < c <= "\u28ff" for c in line) for line in lines[1:-1]])
        assert "━━ Chip" in lines[0]
        assert "╌╌ VR" in lines[0]
        chip, vr = (max(counts[len(counts) // 2 :]) for counts in whole), [max(counts[:3]) for counts in whole]
        assert len(set(chip)) == 1
        assert vr[1] < 0.8 * vr[0]


async def test_the_band_widens_the_scale() -> None:
    found = series(50, 50, low={"chip_temp_c": (40, 40)}, high={"chip_temp_c": (70, 70)})
    lines = await painted(found)
    assert lines[1].startswith("70┤")
    assert lines[-2].startswith("40┤")


async def test_hashrates_are_labelled_in_one_unit() -> None:
    lines = await painted(series(1000, 1200, metric="hashrate_ghs"))
    assert "1.20 TH/s" in lines[0]
    assert lines[1].startswith("1.20")


@pytest.mark.parametrize(("width", "height"), [(10, 4), (16, 4), (20, 5), (300, 60)])
async def test_any_size_is_painted(width: int, height: int) -> None:
    found = pictures.series("a", ("hashrate_ghs", "expected_ghs"), 0, 3600)
    assert len(await painted(found, width, height)) == height


@pytest.mark.parametrize(("low", "high"), [(0, 0), (1, 1), (50, 62.3), (-5, 5), (1e-9, 1e9), (999.4, 1000.6)])
def test_scales_are_round_and_hold_all(low: float, high: float) -> None:
    bottom, top, step = _scale(low, high, 4)
    assert bottom <= low <= high <= top
    assert top > bottom
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - m) for m in (1, 2, 2.5, 5)) < 1e-6
    assert (top - bottom) / step <= 7


def test_what_moves_by_less_than_a_thousandth_is_drawn_flat() -> None:
    bottom, top, _ = _scale(207.997, 208.0, 4)
    assert bottom < 200
    assert top > 216
    bottom, top, _ = _scale(59.8, 60.4, 4)  # a temperature that moves is seen to
    assert top - bottom <= 1


def test_more_values_than_dots_are_means_and_fewer_are_joined() -> None:
    assert _spread([1, 3, 5, 7], 2) == [2, 6]
    assert _spread([0, 3], 4) == [0, 1, 2, 3]
    assert _spread([0, None, 4], 3) == [0, None, 4]
    assert _spread([0, float("nan"), None, None], 2) == [0, None]

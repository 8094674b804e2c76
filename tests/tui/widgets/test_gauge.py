from __future__ import annotations

from typing import Any

import msgspec
import pytest

from minertui.model.fleet import Health, Snapshot
from minertui.model.metrics import BY_ID, METRICS
from minertui.model.plans import Limits
from minertui.model.status import MinerStatus
from minertui.tui.widgets.gauge import Gauges, gauge
from minertui.tui.widgets.glyphs import ASCII, UNICODE
from tests.tui import pictures
from tests.tui.widgets.stage import on_stage, text, watch_regions


def snapshot(limit: float = 70, **status: Any) -> Snapshot:
    return Snapshot(device="a", health=Health.OK, status=MinerStatus(**status), limits=Limits(max_chip_temp_c=limit))


def test_the_bar_grows_with_the_value_and_marks_stand_where_it_warns_and_stops() -> None:
    low = gauge(BY_ID["chip_temp_c"], snapshot(chip_temp_c=40), 80, UNICODE)
    high = gauge(BY_ID["chip_temp_c"], snapshot(chip_temp_c=65), 80, UNICODE)
    assert low.text.count("━") < high.text.count("━")
    assert low.text.index("┿") < low.text.index("╋")
    assert low.text.startswith("Chip")
    assert low.text.split()[-2:] == ["40.0", "°C"]
    # the limit mark is at (70-20)/(80-20) of the bar
    assert low.text.index("╋") == 14 + int((70 - 20) / 60 * (80 - 30))


@pytest.mark.parametrize(("temp", "mark"), [(60, ""), (66, "!"), (70, "!!"), (90, "!!")])
def test_severity_is_a_sign_as_well(temp: float, mark: str) -> None:
    found = gauge(BY_ID["chip_temp_c"], snapshot(chip_temp_c=temp), 80, UNICODE)
    assert found.text.count("!") == len(mark)
    assert {"": "strong", "!": "warn", "!!": "bad"}[mark] in [s.style for s in found.spans]


def test_a_floor_is_passed_downwards() -> None:
    at = [gauge(BY_ID["input_mv"], snapshot(nominal_input_v=5, input_mv=v), 80, UNICODE) for v in (4700, 5050)]
    assert "!!" in at[0].text
    assert "!" not in at[1].text


def test_unknown_is_a_dash_and_no_bar() -> None:
    for known in (None, snapshot()):
        found = gauge(BY_ID["chip_temp_c"], known, 80, UNICODE)
        assert "—" in found.text
        assert "━" not in found.text


def test_an_old_reading_is_dim() -> None:
    stale = msgspec.structs.replace(snapshot(chip_temp_c=50), health=Health.STALE)
    assert {s.style for s in gauge(BY_ID["chip_temp_c"], stale, 80, UNICODE).spans} <= {"dim", "faint", "warn", "bad"}


@pytest.mark.parametrize("width", [10, 20, 28, 40, 80, 200])
@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.id)
def test_every_metric_has_a_gauge_of_the_width_asked_for(width: int, metric) -> None:
    for glyphs in (ASCII, UNICODE):
        found = gauge(metric, pictures.snapshot(0), width, glyphs)
        assert len(found.text) == max(width, 16)


async def test_a_new_value_paints_its_line_only() -> None:
    gauges = Gauges()
    ids = ("chip_temp_c", "vr_temp_c", "power_w")
    async with on_stage(gauges, 80, 10) as pilot:
        gauges.show(snapshot(chip_temp_c=50, vr_temp_c=60), ids)
        await pilot.pause()
        assert gauges.size.height == 3
        assert [x.split()[0] for x in text(gauges)] == ["Chip", "VR", "Power"]
        regions = watch_regions(gauges)
        gauges.show(snapshot(chip_temp_c=50, vr_temp_c=61), ids)
        assert [r.y for r in regions] == [1]

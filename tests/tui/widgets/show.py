"""See one widget alone: ``python -m tests.tui.widgets.show NAME [--ascii] [--svg FILE COLUMNSxROWS]``."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path

from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from minertui.model.fleet import Fleet
from minertui.tui.tabs.sweep import SweepTab
from minertui.tui.widgets.big_number import BigNumber
from minertui.tui.widgets.chart import Chart
from minertui.tui.widgets.chips import ChipBars
from minertui.tui.widgets.facts import Facts
from minertui.tui.widgets.fleet_table import FleetTable
from minertui.tui.widgets.gauge import Gauges
from minertui.tui.widgets.heat_map import HeatMap
from minertui.tui.widgets.log_pane import LogPane
from minertui.tui.widgets.volt_freq_map import VoltFreqMap
from tests.tui import pictures
from tests.tui.fake_link import FakeLink

GAUGES = ("chip_temp_c", "vr_temp_c", "power_w", "input_mv", "fan_pct", "error_pct", "rejected_pct", "ratio_pct")


def _first(fleet: Fleet) -> str:
    return next(iter(fleet.snapshots))


def _table(widget: FleetTable, fleet: Fleet) -> None:
    widget.show(fleet, tuple(fleet.snapshots), frozenset(list(fleet.snapshots)[2:4]), ("chip_temp_c", True))


def _heat(widget: HeatMap, fleet: Fleet) -> None:
    widget.show(fleet, tuple(fleet.snapshots), "chip_temp_c")


def _gauges(widget: Gauges, fleet: Fleet) -> None:
    widget.show(fleet.snapshots[_first(fleet)], GAUGES)


def _big(widget: BigNumber, fleet: Fleet) -> None:
    widget.show("1,234.56", "TH/s", "98 % of what 12 miners should do")


def _series(*metrics: str) -> Callable[[Chart, Fleet], None]:
    def show(widget: Chart, fleet: Fleet) -> None:
        widget.show(pictures.series("a", metrics, pictures.NOW_S - 3600, pictures.NOW_S), metrics, "Last hour")

    return show


def _chips(widget: ChipBars, fleet: Fleet) -> None:
    widget.show(next(s.status for s in fleet.snapshots.values() if s.status and len(s.status.chips) > 1))


def _facts(widget: Facts, fleet: Fleet) -> None:
    status = fleet.snapshots[_first(fleet)].status
    assert status is not None
    widget.show([(k, str(getattr(status, k))) for k in status.__struct_fields__ if getattr(status, k)][:18])


def _log(widget: LogPane, fleet: Fleet) -> None:
    widget.add(pictures.log_lines(fleet))
    widget.add(pictures.hostile_lines())


def _map(widget: VoltFreqMap, fleet: Fleet) -> None:
    points = pictures.sweep_points(24)
    best = max((p for p in points if p.passed), key=lambda p: p.hashrate_ghs or 0)
    widget.show(points, pictures.sweep_plan("a").goal, now=(620, 1175), best=best)


def _sweep(widget: SweepTab, fleet: Fleet) -> None:
    widget.show(fleet, next((j.device for j in fleet.jobs.values() if j.kind == "sweep"), None))


SHOWS: dict[str, tuple[Callable[[], Widget], Callable[..., None]]] = {
    "table": (FleetTable, _table),
    "heat": (HeatMap, _heat),
    "gauges": (Gauges, _gauges),
    "big": (BigNumber, _big),
    "chart": (Chart, _series("hashrate_ghs", "expected_ghs")),
    "chart1": (Chart, _series("chip_temp_c")),
    "chips": (ChipBars, _chips),
    "facts": (Facts, _facts),
    "log": (lambda: LogPane(merged=True), _log),
    "sweep": (lambda: SweepTab(FakeLink(pictures.normal())), _sweep),
    "map": (VoltFreqMap, _map),
}


class Showcase(App[None]):
    """Some widgets under each other, with a made-up fleet."""

    def __init__(self, names: list[str], fleet: Fleet, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.ascii = ascii_only
        self.fleet = fleet
        self.shown = [(SHOWS[name][0](), SHOWS[name][1]) for name in names]

    def compose(self) -> ComposeResult:
        with Vertical():
            for widget, _ in self.shown:
                yield widget

    def on_mount(self) -> None:
        for widget, show in self.shown:
            show(widget, self.fleet)


async def _export(app: App[None], path: Path, columns: int, rows: int) -> None:
    async with app.run_test(size=(columns, rows)) as pilot:
        await pilot.pause(0.5)
        path.write_text(app.export_screenshot())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="+", choices=sorted(SHOWS))
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--theme")
    parser.add_argument("--fleet", default="normal", choices=("normal", "error", "hostile", "empty"))
    parser.add_argument("--svg", nargs=2, metavar=("FILE", "COLUMNSxROWS"))
    args = parser.parse_args()
    app = Showcase(args.names, getattr(pictures, args.fleet)(), ascii_only=args.ascii)
    if args.theme:
        app.theme = args.theme
    if args.svg:
        columns, rows = args.svg[1].split("x")
        asyncio.run(_export(app, Path(args.svg[0]), int(columns), int(rows)))
    else:
        app.run()


if __name__ == "__main__":
    main()

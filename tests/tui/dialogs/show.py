"""See one dialog alone: ``python -m tests.tui.dialogs.show NAME [--ascii] [--svg FILE COLUMNSxROWS]``."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App
from textual.screen import ModalScreen

from minertui.model.commands import Change
from minertui.model.frontier import Frontier, Known, Setting
from minertui.model.history import Found
from minertui.model.plans import GuardPlan, PointVerdict, Strategy, SweepPlan, SweepPoint
from minertui.tui.dialogs.along import Swept
from minertui.tui.dialogs.confirm import TYPE_NAME, ConfirmDialog
from minertui.tui.dialogs.discover import DiscoverDialog
from minertui.tui.dialogs.fan import FanDialog
from minertui.tui.dialogs.guard import GuardDialog
from minertui.tui.dialogs.help import HelpRow, HelpScreen
from minertui.tui.dialogs.miner import MinerDialog
from minertui.tui.dialogs.point import PointDialog
from minertui.tui.dialogs.pools import PoolsDialog
from minertui.tui.dialogs.sweep import SweepDialog
from minertui.tui.dialogs.tune import TuneDialog
from tests.tui import pictures
from tests.tui.fake_link import FakeLink

FOUND = (
    Found("192.168.1.20", "axeos", "Gamma", "bitaxe-20", hashrate_ghs=1100.0),
    Found("192.168.1.21", "axeos", "Supra", "bitaxe-20", hashrate_ghs=640.0),
    Found("192.168.1.22", "axeos", "Gamma", "attic", hashrate_ghs=1104.0, known_as="attic-1"),
)
KNOWN = Known(
    Frontier((Setting(430, 1060, 870, 11.2), Setting(490, 1100, 990, 13.4), Setting(560, 1175, 1130, 17.3))),
    chip="BM1370", firmware="v2.11.0", at_s=pictures.NOW_S - 81_000,
)  # fmt: skip

POINT = SweepPoint(
    7, 550, 1125, PointVerdict.PASSED, hashrate_ghs=1085.2, expected_ghs=1122.0, power_w=16.9, efficiency_jth=15.57,
    chip_temp_c=58.3, vr_temp_c=61.0, input_mv=5010.0, fan_pct=62.0, error_pct=0.14, chip_balance=0.93,
    hashrate_sd_ghs=42.0, samples=40, at_s=pictures.NOW_S - 900, confidence=0.97, soak=True, cooler_w=19.4,
    likely_ghs=1083.9, hashrate_memory=0.2,
    why="the surface has its best here by 0.8 %; one point more halves what it may be wrong by",
)  # fmt: skip
FAILED = SweepPoint(
    9, 600, 1100, PointVerdict.UNSTABLE, reason="hashrate 91.2 % of what 600 MHz give, under 94 % (sure to 99 %)",
    hashrate_ghs=1116.0, expected_ghs=1224.0, samples=12, why="one step more at this voltage",
)  # fmt: skip


def link() -> FakeLink:
    """A link that finds three miners, one of them known."""
    made = FakeLink(pictures.normal())
    made.found = FOUND
    return made


DIALOGS: dict[str, Callable[[], ModalScreen[Any]]] = {
    "tune": lambda: TuneDialog([pictures.snapshot(0)]),
    "fan": lambda: FanDialog([pictures.snapshot(0)]),
    "pools": lambda: PoolsDialog([pictures.snapshot(0)]),
    "guard": lambda: GuardDialog([Swept(pictures.snapshot(0))], [GuardPlan("attic-1")]),
    "guard-swept": lambda: GuardDialog([Swept(pictures.snapshot(0), KNOWN)], [GuardPlan("attic-1")], pictures.NOW_S),
    "sweep": lambda: SweepDialog([pictures.snapshot(0)], [SweepPlan(strategy=Strategy.GRID)]),
    "miner": lambda: MinerDialog(pictures.entries(pictures.normal())[0]),
    "add": lambda: MinerDialog(None),
    "discover": lambda: DiscoverDialog(link()),
    "confirm": lambda: ConfirmDialog(
        "Restart attic-1", [Change("Frequency", "525 MHz", "550 MHz"), Change("Core voltage", "1150 mV", "1180 mV")]
    ),
    "remove": lambda: ConfirmDialog("Remove attic-1", ["attic-1 goes on mining as it is."], TYPE_NAME, "attic-1"),
    "point": lambda: PointDialog(
        "attic-1", pictures.sweep_plan("attic-1"), POINT, pictures.NOW_S, place="2 of 6 by efficiency", took_s=690.0
    ),
    "point-failed": lambda: PointDialog(
        "attic-1", pictures.sweep_plan("attic-1"), FAILED, pictures.NOW_S, refused="only a point that passed can be"
    ),
    "help": lambda: HelpScreen(
        "Fleet",
        [
            HelpRow("", "Everywhere"),
            HelpRow("?", "Help", "help"),
            HelpRow("q", "Detach; the engine goes on", "detach"),
            HelpRow("", "Here"),
            HelpRow("/", "Filter", "filter"),
        ],
    ),
}


class Host(App[None]):
    """An app that opens one dialog and keeps its result."""

    def __init__(self, dialog: Callable[[], ModalScreen[Any]], *, ascii_only: bool = False) -> None:
        super().__init__()
        self.ascii = ascii_only
        self.dialog = dialog
        self.results: list[Any] = []

    def on_mount(self) -> None:
        self.push_screen(self.dialog(), self.results.append)


async def _export(app: App[None], path: Path, columns: int, rows: int) -> None:
    async with app.run_test(size=(columns, rows)) as pilot:
        await pilot.pause(0.3)
        path.write_text(app.export_screenshot())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=sorted(DIALOGS))
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--svg", nargs=2, metavar=("FILE", "COLUMNSxROWS"))
    args = parser.parse_args()
    app = Host(DIALOGS[args.name], ascii_only=args.ascii)
    if args.svg:
        columns, rows = args.svg[1].split("x")
        asyncio.run(_export(app, Path(args.svg[0]), int(columns), int(rows)))
    else:
        app.run()


if __name__ == "__main__":
    main()

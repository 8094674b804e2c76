"""GET ``/api/system/statistics``: the firmware's own history, in the labels of its version."""

from __future__ import annotations

from typing import Any

from minertui.sim.axeos_board import Board
from minertui.sim.axeos_models import Version
from minertui.sim.axeos_reading import statistics_row

# Newest label, its first version, and the label of v2.8 to v2.10 where there was one; order of statistics_row.
_LABELS: tuple[tuple[str, Version, str], ...] = (
    ("hashrate", (2, 11, 0), "hashRate"),
    ("hashrate_1m", (2, 12, 0), ""),
    ("hashrate_10m", (2, 12, 0), ""),
    ("hashrate_1h", (2, 12, 0), ""),
    ("errorPercentage", (2, 11, 0), ""),
    ("asicTemp", (2, 11, 0), "temp"),
    ("asicTemp2", (2, 14, 0), ""),
    ("vrTemp", (2, 11, 0), "vrTemp"),
    ("asicVoltage", (2, 11, 0), "coreVoltageActual"),
    ("voltage", (2, 11, 0), "voltage"),
    ("power", (2, 11, 0), "power"),
    ("current", (2, 11, 0), "current"),
    ("fanSpeed", (2, 11, 0), "fanspeed"),
    ("fanRpm", (2, 11, 0), "fanrpm"),
    ("fan2Rpm", (2, 11, 0), ""),
    ("wifiRssi", (2, 11, 0), "wifiRSSI"),
    ("freeHeap", (2, 11, 0), "freeHeap"),
    ("responseTime", (2, 13, 0), ""),
    ("timestamp", (2, 11, 0), "timestamp"),
)


def statistics(board: Board, columns: str = "") -> dict[str, Any] | None:
    """The history with the comma-separated ``columns`` (all when none of them is known, or before v2.11); None where
    the firmware has no such page."""
    version = board.version
    if board.family.nerd or version < (2, 8, 0):
        return None
    old = version < (2, 11, 0)
    shown = [
        (index, label_old if old else label)
        for index, (label, first, label_old) in enumerate(_LABELS)
        if (label_old if old else first <= version)
    ]
    asked = set() if old else {part.strip() for part in columns.split(",")}
    chosen = [pair for pair in shown if pair[1] in asked and pair[1] != "timestamp"]
    if chosen:
        shown = [*chosen, shown[-1]]
    rows = list(board.history)
    if rows and version >= (2, 14, 0):
        rows.append(statistics_row(board))
    return {
        "currentTimestamp": round(1000 * board.uptime_s),
        "labels": [label for _, label in shown],
        "statistics": [[row[index] for index, _ in shown] for row in rows],
    }


def dashboard(board: Board) -> dict[str, Any] | None:
    """GET ``/api/system/statistics/dashboard`` of v2.8.0 to v2.10.1: rows without labels; None elsewhere."""
    if board.family.nerd or not (2, 8, 0) <= board.version <= (2, 10, 1):
        return None
    rows = [[row[0], row[5], row[10], row[-1]] for row in board.history]
    return {"currentTimestamp": round(1000 * board.uptime_s), "statistics": rows}

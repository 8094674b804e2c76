"""GET /api/system/statistics → rows for the back-fill of charts (AxeOS from 2.8).

Columns are found by label, never by place: 2.8-2.10 and later firmware name and order them differently. Rows are
unevenly spaced from 2.14, which thins old ones; so each carries its own age.
"""

from __future__ import annotations

from minertui.model.errors import Garbled
from minertui.wire import json
from minertui.wire.axeos import fields as f

Row = tuple[float, dict[str, float]]

_TIME = "timestamp"
_MAX_ROWS = 4096
_SENSORS = frozenset({"chip_temp_c", "chip_temp2_c", "vr_temp_c"})
_METRICS = {
    # 2.11 and later
    "hashrate": "hashrate_ghs",
    "errorPercentage": "error_pct",
    "asicTemp": "chip_temp_c",
    "asicTemp2": "chip_temp2_c",
    "vrTemp": "vr_temp_c",
    "asicVoltage": "core_actual_mv",
    "voltage": "input_mv",
    "power": "power_w",
    "current": "current_ma",
    "fanSpeed": "fan_pct",
    "fanRpm": "fan_rpm",
    "fan2Rpm": "fan2_rpm",
    "wifiRssi": "wifi_rssi_dbm",
    "responseTime": "pool_response_ms",
    # 2.8 to 2.10
    "hashRate": "hashrate_ghs",
    "temp": "chip_temp_c",
    "coreVoltageActual": "core_actual_mv",
    "fanspeed": "fan_pct",
    "fanrpm": "fan_rpm",
    "wifiRSSI": "wifi_rssi_dbm",
}


def parse_statistics(data: bytes) -> list[Row]:
    """Rows of (seconds before the answer, {metric id: value}), oldest first; a value that is missing, a sentinel or
    nonsense is left out, a row without a time or from the future too. Raises Garbled when it is not that answer."""
    told = json.load_object(data)
    labels = f.items(told, "labels")
    now_ms = f.number(told, "currentTimestamp", low=0)
    if now_ms is None or _TIME not in labels or not isinstance(told.get("statistics"), list):
        raise Garbled("", "the statistics lack their labels or their time")
    time_at = labels.index(_TIME)
    columns = [(i, _METRICS[name]) for i, name in enumerate(labels) if isinstance(name, str) and name in _METRICS]
    rows: list[Row] = []
    for row in f.items(told, "statistics", _MAX_ROWS):
        if isinstance(row, list) and len(row) == len(labels):
            at_ms = f.number_of(row[time_at])
            if at_ms is not None and 0 <= at_ms <= now_ms:
                rows.append(((now_ms - at_ms) / 1000, _values(row, columns)))
    return sorted(rows, key=lambda r: -r[0])


def _values(row: list[object], columns: list[tuple[int, str]]) -> dict[str, float]:
    values = {
        metric: value
        for i, metric in columns
        if (value := f.number_of(row[i])) is not None and not _is_sentinel(metric, value)
    }
    first, second = values.get("chip_temp_c"), values.get("chip_temp2_c")
    if second is not None and (first is None or second > first):
        values["chip_temp_c"] = second
        del values["chip_temp2_c"]
        if first is not None:
            values["chip_temp2_c"] = first
    return values


def _is_sentinel(metric: str, value: float) -> bool:
    """As in info: -1 and 0 degrees, no second fan, no signal, and nothing but a signal is below zero."""
    if metric in _SENSORS:
        return value in (-1, 0)
    if metric == "wifi_rssi_dbm":
        return value in (-90, 0)
    return value < 0 or (metric == "fan2_rpm" and value == 0)

"""The miner's own history: both label sets, and nothing that is not there."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minertui.model.errors import Garbled
from minertui.model.metrics import BY_ID
from minertui.wire.axeos import parse_statistics


def test_recorded_statistics_are_aged_and_in_order(recorded):
    rows = parse_statistics((recorded / "axeos" / "statistics_v2.15.3_gamma601.json").read_bytes())
    assert [age for age, _ in rows] == pytest.approx([38.393, 1.393, 0.393])
    assert rows[0][1] == {
        "hashrate_ghs": 1026.9614258,
        "error_pct": 0.6273195,
        "chip_temp_c": 64.625,
        "vr_temp_c": 73,
        "core_actual_mv": 1093,
        "input_mv": 4976.5625,
        "power_w": 20.1757813,
        "current_ma": 13875,
        "fan_pct": 60.1577415,
        "fan_rpm": 4069,
        "wifi_rssi_dbm": -46,
        "pool_response_ms": 41.2939987,
    }
    assert set(rows[0][1]) <= set(BY_ID)


def answer(labels: list[str], *rows: object, now: float = 10_000) -> bytes:
    return json.dumps({"currentTimestamp": now, "labels": labels, "statistics": rows}).encode()


def test_labels_of_2_8_to_2_10():
    labels = "hashRate temp vrTemp power voltage current coreVoltageActual fanspeed fanrpm wifiRSSI freeHeap timestamp"
    row = [500.0, 55, 60, 12, 5000, 2400, 1190, 45, 3000, -60, 1, 7000]
    assert parse_statistics(answer(labels.split(), row)) == [
        (
            3.0,
            {
                "hashrate_ghs": 500,
                "chip_temp_c": 55,
                "vr_temp_c": 60,
                "power_w": 12,
                "input_mv": 5000,
                "current_ma": 2400,
                "core_actual_mv": 1190,
                "fan_pct": 45,
                "fan_rpm": 3000,
                "wifi_rssi_dbm": -60,
            },
        )
    ]


def test_the_hotter_chip_comes_first_and_sentinels_are_left_out():
    labels = ["asicTemp", "asicTemp2", "vrTemp", "fan2Rpm", "wifiRssi", "power", "timestamp"]
    rows = parse_statistics(answer(labels, [50, 60, 0, 0, -90, None, 2], [-1, 55, -1, 10, -50, 5, 1]))
    assert [values for _, values in rows] == [
        {"chip_temp_c": 55, "fan2_rpm": 10, "wifi_rssi_dbm": -50, "power_w": 5},
        {"chip_temp_c": 60, "chip_temp2_c": 50},
    ]


def test_rows_without_a_time_or_from_the_future_or_of_another_length_are_left_out():
    rows = parse_statistics(answer(["power", "timestamp"], [1, None], [1, 10_001], [1], "x", [2, 10_000]))
    assert rows == [(0.0, {"power_w": 2})]


def test_nothing_recorded_is_an_empty_history():
    assert parse_statistics(answer(["power", "timestamp"])) == []


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b"<html>", b'{"currentTimestamp": 1, "labels": ["power"], "statistics": []}']
)
def test_what_is_no_statistics_is_garbled(data):
    with pytest.raises(Garbled):
        parse_statistics(data)


VALUE = st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


@given(
    st.lists(st.sampled_from(["power", "temp", "asicTemp2", "timestamp", "x"]) | VALUE, max_size=6),
    st.lists(st.lists(VALUE, max_size=6) | VALUE, max_size=6),
    VALUE,
)
def test_any_columns_give_rows_or_garbled(labels, rows, now):
    with contextlib.suppress(Garbled):
        result = parse_statistics(json.dumps({"currentTimestamp": now, "labels": labels, "statistics": rows}).encode())
        assert all(age >= 0 for age, _ in result)

"""The guide's result file: its exact form, what is left out, and what is read back."""

from __future__ import annotations

import contextlib
import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minertui.model.errors import Garbled
from minertui.model.plans import PointVerdict, SweepPoint
from minertui.wire.results import decode_results, encode_csv, encode_results, result_name


def point(
    n=1, mhz=500.0, mv=1150, rate: float | None = 1010.5, jth: float | None = 17.1, vr: float | None = 61.0, **more
):
    fields = {"verdict": PointVerdict.PASSED, "chip_temp_c": 58.2, **more}
    return SweepPoint(n=n, mhz=mhz, mv=mv, hashrate_ghs=rate, efficiency_jth=jth, vr_temp_c=vr, **fields)


GUIDE = """{
    "all_results": [
        {
            "coreVoltage": 1150,
            "frequency": 500,
            "averageHashRate": 1010.5,
            "averageTemperature": 58.2,
            "efficiencyJTH": 17.1,
            "averageVRTemp": 61.0
        }
    ],
    "top_performers": [
        {
            "rank": 1,
            "coreVoltage": 1150,
            "frequency": 500,
            "averageHashRate": 1010.5,
            "averageTemperature": 58.2,
            "efficiencyJTH": 17.1,
            "averageVRTemp": 61.0
        }
    ],
    "most_efficient": [
        {
            "rank": 1,
            "coreVoltage": 1150,
            "frequency": 500,
            "averageHashRate": 1010.5,
            "averageTemperature": 58.2,
            "efficiencyJTH": 17.1,
            "averageVRTemp": 61.0
        }
    ]
}
"""


def test_the_form_is_the_guides_to_the_byte():
    assert encode_results([point()]).decode() == GUIDE


def test_without_results_the_file_says_so():
    assert json.loads(encode_results([])) == {"message": "No valid results collected"}
    silent = point(rate=None, verdict=PointVerdict.NOT_APPLIED)
    assert json.loads(encode_results([silent])) == {"message": "No valid results collected"}


def test_the_regulator_is_absent_without_a_sensor_and_no_value_is_null():
    text = encode_results([point(vr=None, jth=None, chip_temp_c=None)]).decode()
    assert "averageVRTemp" not in text
    assert "null" not in text
    assert json.loads(text)["most_efficient"] == []


def test_rankings_hold_at_most_five_best_first():
    points = [point(n=i, mhz=500 + i, rate=1000.0 + i, jth=20.0 - i) for i in range(8)]
    points.append(point(n=9, mhz=510, rate=900.0, jth=5.0))
    content = json.loads(encode_results(points))
    assert [r["rank"] for r in content["top_performers"]] == [1, 2, 3, 4, 5]
    assert [r["frequency"] for r in content["top_performers"]] == [507, 506, 505, 504, 503]
    assert [r["frequency"] for r in content["most_efficient"]] == [510, 507, 506, 505, 504]
    assert len(content["all_results"]) == 9


def test_a_failed_point_is_marked_in_all_results_and_ranked_nowhere():
    failed = point(n=2, mhz=600, rate=9999.0, jth=1.0, verdict=PointVerdict.UNSTABLE, reason="5 % errors")
    content = json.loads(encode_results([point(), failed]))
    assert content["all_results"][1]["verdict"] == "unstable"
    assert content["all_results"][1]["reason"] == "5 % errors"
    assert set(content["all_results"][1]) >= {"coreVoltage", "frequency", "averageHashRate", "averageTemperature"}
    assert "verdict" not in content["all_results"][0]
    assert [r["frequency"] for r in content["top_performers"] + content["most_efficient"]] == [500, 500]


def test_both_shapes_are_read_and_a_failed_point_stays_failed():
    failed = point(n=2, mhz=506.25, verdict=PointVerdict.LIMIT, reason="hot")
    whole = decode_results(encode_results([point(), failed]))
    bare = decode_results(json.dumps(json.loads(encode_results([point(), failed]))["all_results"]).encode())
    assert whole == bare
    assert [(p.n, p.mhz, p.mv, p.verdict, p.hashrate_ghs, p.efficiency_jth, p.vr_temp_c) for p in whole] == [
        (1, 500, 1150, PointVerdict.PASSED, 1010.5, 17.1, 61.0),
        (2, 506.25, 1150, PointVerdict.LIMIT, 1010.5, 17.1, 61.0),
    ]
    assert whole[1].reason == "hot"


def test_a_file_without_results_is_read_as_none():
    assert decode_results(encode_results([])) == ()


def test_rows_of_newer_scripts_with_more_keys_are_read():
    row = {"coreVoltage": 1150, "frequency": 500, "averageHashRate": 1000, "hashrateStdDev": 3, "averagePower": 17}
    assert decode_results(json.dumps([row]).encode())[0].hashrate_ghs == 1000


@pytest.mark.parametrize("data", [b"", b"{", b"3", b'{"all_results": 3}', b'[{"frequency": 1}]', b"[" * 5000, b"\xff"])
def test_anything_else_is_garbled(data):
    with pytest.raises(Garbled, match="not a benchmark result file"):
        decode_results(data)


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_decode_or_be_garbled(data):
    with contextlib.suppress(Garbled):
        decode_results(data)


@given(st.lists(st.tuples(st.floats(400, 1200), st.integers(1000, 1400), st.floats(0.1, 9999)), max_size=9))
def test_what_is_written_is_read_back(rows):
    points = [point(n=n, mhz=mhz, mv=mv, rate=rate) for n, (mhz, mv, rate) in enumerate(rows, 1)]
    assert [(p.mhz, p.mv, p.hashrate_ghs) for p in decode_results(encode_results(points))] == rows


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.168.1.5", "192.168.1.5"),
        ("192.168.1.5:80", "192.168.1.5"),
        ("127.0.0.1:8081", "127.0.0.1_8081"),
        ("bitaxe.local", "bitaxe.local"),
        ("[fe80::1]:8080", "fe80__1_8080"),
        ("fe80::1", "fe80__1"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..", "miner"),
    ],
)
def test_one_file_per_miner_in_this_folder(address, name):
    assert result_name(address) == f"bitaxe_benchmark_results_{name}.json"


def test_csv_holds_every_number_and_no_formula():
    evil = point(reason="=HYPERLINK(1)", verdict=PointVerdict.LIMIT, power_w=17.3, error_pct=None, samples=40)
    rows = list(csv.DictReader(io.StringIO(encode_csv([evil, point(n=2, reason='say "hi", then\r\ngo')]))))
    assert rows[0]["reason"] == "'=HYPERLINK(1)"
    assert rows[0]["frequency_mhz"] == "500.0"
    assert rows[0]["core_mv"] == "1150"
    assert rows[0]["power_w"] == "17.3"
    assert rows[0]["error_pct"] == ""
    assert rows[0]["samples"] == "40"
    assert rows[1]["reason"] == 'say "hi", then\r\ngo'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_guards_every_start_of_a_formula(start):
    rows = list(csv.DictReader(io.StringIO(encode_csv([point(reason=f"{start}1", verdict=PointVerdict.LIMIT)]))))
    assert rows[0]["reason"].startswith("'")


def test_numbers_too_large_to_multiply_give_no_power():
    (point,) = decode_results(b'[{"coreVoltage":1150,"frequency":525,"averageHashRate":1e300,"efficiencyJTH":1e300}]')
    assert point.power_w is None
    assert point.hashrate_ghs == 1e300

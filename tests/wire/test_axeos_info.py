"""info → MinerStatus: every recorded firmware, every sentinel, every drift, and any bytes at all."""

from __future__ import annotations

import contextlib
import json
import math
import time
import timeit
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minertui.model.errors import Garbled
from minertui.model.status import Ability, MinerStatus
from minertui.wire.axeos import parse_info, unknown_fields

BASE = {"ASICModel": "BM1370", "version": "v2.12.2", "frequency": 525, "coreVoltage": 1150, "hashRate": 1000.0}


def parse(**more: object) -> MinerStatus:
    return parse_info(json.dumps(BASE | more).encode())


def fixture(recorded: Path, name: str) -> bytes:
    return (recorded / "axeos" / name).read_bytes()


A = Ability
ALWAYS = {A.TUNE, A.FAN, A.POOLS, A.RESTART, A.LOG}

# file → what a person would read off the miner's own page
RECORDED: dict[str, tuple[dict[str, object], dict[str, object], set[Ability]]] = {
    "info_v2.0.7_hex302_bm1366_wiki.json": (
        {"model": "Hex", "chip_count": 6, "small_cores": 894, "nominal_input_v": 12, "mac": None, "fan_rpm": 0},
        {"fan_pct": 35, "fan_auto": False, "best_diff": 4.29e9, "expected_ghs": 525 * 894 * 6 / 1000},
        ALWAYS,
    ),
    "info_v2.1.3_ultra0.11_bm1366.json": (
        {"model": "Ultra", "fan_rpm": 5320, "fan_pct": None, "fan_manual_pct": 100, "fan_auto": True},
        {"hashrate_ghs": 0, "vr_temp_c": None, "overheat": None, "best_diff": 13e6, "max_power_w": 25},
        ALWAYS,
    ),
    "info_v2.4.5_supra401_bm1368.json": (
        {"model": "Supra", "chip_count": 1, "small_cores": 1276, "fan_pct": 35, "fan_rpm": 3517, "max_power_w": 40},
        {"mac": "02:00:00:00:00:01", "best_session_diff": 0, "pool_diff": 0, "overheat": False, "vr_temp_c": 78},
        ALWAYS | {A.TUNE_LIVE},
    ),
    "info_v2.7.0_gamma601_overclocked.json": (
        {"model": "Gamma", "frequency_mhz": 850, "core_mv": 1220, "core_actual_mv": 1201, "temp_target_c": 60},
        {"mac": None, "pools": (), "pool_url": None, "best_diff": 5.56e9, "wifi_rssi_dbm": -69, "expected_ghs": 1734},
        ALWAYS | {A.TUNE_LIVE, A.FAN_TARGET},
    ),
    "info_v2.10.1_gamma601_bm1370.json": (
        {"best_diff": 2.03e9, "best_session_diff": 138.17e6, "chip_temp_c": 64.125, "chip_temp2_c": None},
        {"fan_pct": 100, "fan_manual_pct": None, "fan_min_pct": 25, "expected_ghs": 1071, "chip_count": 1},
        ALWAYS | {A.TUNE_LIVE, A.FAN_TARGET, A.STATISTICS, A.FAN_MIN, A.TUNE_FRACTION},
    ),
    "info_v2.12.2_gamma601_bm1370_wiki.json": (
        {"on_fallback_pool": True, "pool_url": "solo.ckpool.org", "pool_port": 3333, "fan_pct": 48.4200668},
        {"error_pct": 0, "hashrate_1m_ghs": 1088.9354248, "fan2_rpm": None, "chip_temp2_c": None, "ip": "192.168.1.12"},
        ALWAYS | {A.TUNE_LIVE, A.FAN_TARGET, A.STATISTICS, A.FAN_MIN, A.TUNE_FRACTION, A.FAN_SETPOINT, A.IDENTIFY},
    ),
    "info_v2.15.3_gamma601_bm1370.json": (
        {
            "actual_mhz": 525,
            "fan_manual_pct": 57,
            "paused": False,
            "shares_pending": 0,
            "total_hashes": 3.801481049255895e18,
        },
        {"pool_url": "pool.example.org", "pool_response_ms": 44.6500015, "best_diff": 42896578860, "uptime_s": 612447},
        set(Ability),
    ),
    "info_nerdqaxepp_V1.0.37.2-LTS.json": (
        {"family": "nerdqaxe", "model": "NerdQAxe++", "chip_count": 4, "expected_ghs": 4896, "fan2_rpm": 732},
        {"nominal_input_v": 12, "temp_target_c": 55, "fan_auto": True, "pool_response_ms": 16, "vr_temp_c": 58.125},
        ALWAYS | {A.TUNE_LIVE, A.FAN_TARGET, A.FAN_SETPOINT, A.PAUSE},
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_answers_are_understood(recorded, name):
    some, more, abilities = RECORDED[name]
    status = parse_info(fixture(recorded, name))
    seen = msgspec.structs.asdict(status)
    assert {key: seen[key] for key in some | more} == some | more
    assert status.abilities == abilities
    assert status.power_w is not None
    assert status.chip_temp_c is not None


def test_every_recorded_answer_has_its_row(recorded):
    assert {path.name for path in (recorded / "axeos").glob("info_*.json")} == set(RECORDED)


def test_asic_tells_what_info_left_out_since_2_9(recorded):
    asic = b'{"deviceModel": "GammaTurbo", "asicCount": 2, "defaultFrequency": 480, "defaultVoltage": 1140}'
    status = parse_info(json.dumps(BASE | {"boardVersion": "999", "smallCoreCount": 2040}).encode(), asic)
    assert (status.model, status.chip_count, status.default_mhz, status.default_mv) == ("GammaTurbo", 2, 480, 1140)
    assert status.expected_ghs == 525 * 2040 * 2 / 1000
    nerd = parse_info(
        fixture(recorded, "info_nerdqaxepp_V1.0.37.2-LTS.json"), fixture(recorded, "asic_nerdqaxepp_v1.1.0-beta1.json")
    )
    assert (nerd.cap_mhz, nerd.cap_mv) == (800, 1400)


@pytest.mark.parametrize("asic", [b"", b"<html>", b"[]", b'{"asicCount": "many", "absMaxVoltage": 0}'])
def test_an_unreadable_asic_counts_as_absent(asic):
    status = parse_info(json.dumps(BASE | {"boardVersion": "801"}).encode(), asic)
    assert (status.chip_count, status.cap_mv, status.model) == (2, None, "GammaTurbo")


@pytest.mark.parametrize(
    ("sent", "field", "value"),
    [
        ({"temp": -1}, "chip_temp_c", None),
        ({"temp": 0}, "chip_temp_c", None),
        ({"temp": 60, "temp2": 64.5}, "chip_temp_c", 64.5),
        ({"temp": 60, "temp2": 64.5}, "chip_temp2_c", 60),
        ({"temp": -1, "temp2": 45}, "chip_temp_c", None),  # nothing stands for a sensor that failed
        ({"temp": 127, "temp2": 45}, "chip_temp_c", None),
        ({"temp": 127.875}, "chip_temp_c", None),
        ({"temp": 0, "asicTemps": [61]}, "chip_temp_c", None),
        ({"temp": 0, "temp2": 45, "asicTemps": [61, 127]}, "chip_temp2_c", 61),
        ({"temp": -1, "temp2": 127}, "chip_temp2_c", 127),
        ({"temp": -1, "temp2": 45}, "chip_temp2_c", 45),
        ({"temp": -1, "temp2": -1}, "chip_temp2_c", None),
        ({"temp": 125}, "chip_temp_c", 125),  # glows, as far as anybody knows
        ({"temp": 60, "temp2": 131}, "chip_temp_c", 131),
        ({"temp2": 45}, "chip_temp_c", None),
        ({"temp": None, "temp2": 45}, "chip_temp_c", None),  # NaN, as firmware writes it
        ({"temp": 55, "asicTemps": [61, 127, 255]}, "chip_temp_c", 61),
        ({"temp": 60, "temp2": 0}, "chip_temp2_c", None),
        ({"temp": 60, "temp2": -1}, "chip_temp2_c", None),
        ({"temp": 60, "temp2": 127}, "chip_temp2_c", 127),
        ({"temp": 60, "temp2": -128}, "chip_temp2_c", -128),
        ({"temp": 60, "temp2": 127}, "chip_temp_c", 60),
        ({"temp": 127}, "chip_temp_c", None),
        ({"temp": -40, "vrTemp": 255}, "vr_temp_c", 255),
        ({"temp": 55, "asicTemps": [61, 0, 58]}, "chip_temp_c", 61),
        ({"vrTemp": 0}, "vr_temp_c", None),
        ({"vrTemp": None}, "vr_temp_c", None),
        ({"vrTemp": -1}, "vr_temp_c", -1),
        ({"vrTemp": 127}, "vr_temp_c", 127),
        ({"vrTemp": 125.5}, "vr_temp_c", 125.5),
        ({"vrTemp": 0, "vrTempInt": 58}, "vr_temp_c", 58),
        ({"vrTemp": 80, "vrTempInt": 58}, "vr_temp_c", 80),
        ({"vrTemp": -1, "vrTempInt": 58}, "vr_temp_c", -1),
        ({"vrTemp": 58, "vrTempInt": 127}, "vr_temp_c", 127),
        ({"wifiRSSI": -90}, "wifi_rssi_dbm", None),
        ({"wifiRSSI": -61}, "wifi_rssi_dbm", -61),
        ({"fanrpm": 0, "fanspeed": 40}, "fan_rpm", 0),
        ({"fan2rpm": 0}, "fan2_rpm", None),
        ({"fanrpm2": 0, "fanCount": 2}, "fan2_rpm", 0),
        ({"power": None}, "power_w", None),
        ({"power": "NaNundefined"}, "power_w", None),
        ({"power": "18.5"}, "power_w", 18.5),
        ({"power": True}, "power_w", None),
        ({"power": -3}, "power_w", None),
        ({"power": [1]}, "power_w", None),
        ({"power": "1_000"}, "power_w", None),
        ({"currentA": 6.5}, "current_ma", 6500),
        ({"sharesAccepted": 1e300}, "shares_accepted", None),
        ({"hashRate": 1e300}, "hashrate_ghs", None),
        ({"hashRate": 10**200}, "hashrate_ghs", None),
        ({"power": "1e300"}, "power_w", None),
        ({"bestDiff": "999.9Z"}, "best_diff", 9.999e23),
        ({"stratumURL": "stratum+tcp://x:canary@pool.example.org"}, "pool_url", "•••@pool.example.org"),
        ({"sharesAccepted": 12.0}, "shares_accepted", 12),
        ({"overheat_mode": 1}, "overheat", True),
        ({"overheat_mode": False}, "overheat", False),
        ({"overheat": 1}, "overheat", True),
        ({"overheat_mode": "yes"}, "overheat", None),
        ({"miningPaused": True}, "paused", True),
        ({"hostip": "10.0.0.9", "shutdown": True}, "paused", True),
        ({"power_fault": "Vout\x1b]52;c;QQ==\x07 low"}, "power_fault", "Vout\ufffd]52;c;QQ==\ufffd low"),
        ({"hostname": ""}, "hostname", None),
        ({"macAddr": "aa-bb-cc-dd-ee-ff"}, "mac", "AA:BB:CC:DD:EE:FF"),
        ({"macAddr": "00:00:00:00:00:00"}, "mac", None),
        ({"macAddr": "not one"}, "mac", None),
        ({"expectedHashrate": 0, "smallCoreCount": 2040, "boardVersion": "601"}, "expected_ghs", 0),
        ({"expectedHashrate": None, "smallCoreCount": 2040, "boardVersion": "601"}, "expected_ghs", None),
        ({"hashRate": None, "hashRate_1m": 900}, "hashrate_ghs", None),
        ({"bestDiff": "2.03 G"}, "best_diff", 2.03e9),
        ({"bestDiff": "89.6M"}, "best_diff", 89.6e6),
        ({"bestDiff": "0"}, "best_diff", 0),
        ({"bestDiff": "12.5P"}, "best_diff", 12.5e15),
        ({"bestDiff": 1.274507897e14}, "best_diff", 1.274507897e14),
        ({"bestDiff": "a lot"}, "best_diff", None),
        ({"fanSpeed": 4100, "fanspeed": 55, "autofanspeed": 0}, "fan_rpm", 4100),
        ({"fanSpeed": 4100, "fanspeed": 55, "autofanspeed": 0}, "fan_pct", 55),
        ({"fanSpeedRpm": 4100, "fanspeed": 55, "autofanspeed": 1}, "fan_rpm", 4100),
        ({"fanSpeedRpm": 4100, "fanspeed": 55, "autofanspeed": 1}, "fan_pct", None),
        ({"fanrpm": 4100, "fanspeed": 55, "autofanspeed": 0}, "fan_manual_pct", 55),
        ({"fanrpm": 4100, "fanspeed": 55, "autofanspeed": 1}, "fan_manual_pct", None),
        ({"minVoltage": 4.5, "maxVoltage": 5.5}, "nominal_input_v", 5),
        ({"boardVersion": "302"}, "nominal_input_v", 12),
        ({"nominalVoltage": 5000, "boardVersion": "601"}, "nominal_input_v", 5),  # as mV: not believed, as if not told
        ({"nominalVoltage": 12000}, "nominal_input_v", None),
        ({"nominalVoltage": 12}, "nominal_input_v", 12),
        ({"maxPower": 40000, "boardVersion": "601"}, "max_power_w", 40),
        ({"maxPower": 40000}, "max_power_w", None),
        ({"maxPower": 1000}, "max_power_w", 1000),
        ({"boardVersion": "unheard"}, "nominal_input_v", None),
        ({"deviceModel": "NerdQAxe++"}, "family", "nerdqaxe"),
        ({"deviceModel": "Gamma", "ipv4": "10.0.0.9"}, "family", "bitaxe"),
    ],
)
def test_sentinels_drifts_and_nonsense(sent, field, value):
    assert getattr(parse(**sent), field) == value


@pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity", "null"])
def test_a_number_that_is_none_costs_its_field_alone(number):
    status = parse_info(f'{{"ASICModel": "BM1370", "temp": {number}, "power": 18, "version": "x"}}'.encode())
    assert (status.chip_temp_c, status.power_w) == (None, 18)


def test_old_nerdqaxe_without_hashrate_falls_back_to_the_shortest_average():
    told = {"hostip": "10.0.0.9", "frequency": 490, "coreVoltage": 1200, "hashRate_10m": 4800, "hashRate_1h": 4700}
    assert parse_info(json.dumps(told).encode()).hashrate_ghs == 4800
    del told["hostip"]
    assert parse_info(json.dumps(told).encode()).hashrate_ghs is None


def test_chips_of_the_hashrate_monitor():
    asics = [{"total": 500, "errorCount": 3, "domains": [100, None, 400]}, {"total": 0}, "x"]
    chips = parse(hashrateMonitor={"asics": asics}).chips
    assert [(c.hashrate_ghs, c.errors, c.domains_ghs) for c in chips] == [(500, 3, (100, 400)), (0, None, ())]
    assert parse(hashrateMonitor=None).chips == ()
    assert [c.temp_c for c in parse(asicTemps=[50, 0]).chips] == [50, None]


def test_slots_come_in_the_order_of_use_and_keep_their_members(recorded):
    told = json.loads(fixture(recorded, "info_v2.15.3_gamma601_bm1370.json"))
    told["pools"].append(told["pools"][0] | {"id": 5, "stratumURL": "third.example.org"})
    told["pools"].append({"id": 6, "stratumURL": ""})
    told |= {"primaryPoolIndex": 5, "secondaryPoolIndex": 0}
    told["pools"][0]["stratumCert"] = "-----BEGIN\nMII\n-----END"
    pools = parse_info(json.dumps(told).encode()).pools
    assert [(p.slot, p.url) for p in pools] == [
        (5, "third.example.org"),
        (0, "pool.example.org"),
        (1, "fallback.example.org"),
    ]
    assert pools[1].extra["stratumCert"] == "-----BEGIN\nMII\n-----END"
    assert pools[1].extra["stratumV2RequireAuth"] is False
    assert all(pool.password is None for pool in pools)


@pytest.mark.parametrize("data", [b"{}", b'{"error":"unknown route"}', b'{"version": "1"}', b"null", b"", b"<html>"])
def test_what_is_no_miner_is_garbled(data):
    with pytest.raises(Garbled):
        parse_info(data)


def test_unknown_fields_are_named():
    assert unknown_fields(json.dumps(BASE | {"fluxCapacitor": 1.21}).encode()) == ["fluxCapacitor"]


def test_recorded_answers_hold_no_unknown_field(recorded):
    named = {n for name in RECORDED for n in unknown_fields(fixture(recorded, name))}
    assert named == {"boardtemp1", "boardtemp2"}  # a development build of the Hex


def is_sound(status: MinerStatus) -> bool:
    """Encodes as JSON, and every number is finite."""
    numbers = [v for v in msgspec.structs.asdict(status).values() if isinstance(v, int | float)]
    return bool(msgspec.json.encode(status)) and all(math.isfinite(n) for n in numbers)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
slow = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)


@slow
@given(data=st.data())
def test_no_mutation_of_a_recorded_answer_breaks_it(recorded, data):
    name = data.draw(st.sampled_from(sorted(RECORDED)))
    told = json.loads(fixture(recorded, name))
    for key in data.draw(st.lists(st.sampled_from([*told, "temp2", "pools", "asicTemps"]), max_size=12)):
        told[key] = data.draw(JSON)
    for key in data.draw(st.lists(st.sampled_from(list(told)), max_size=6)):
        told.pop(key, None)
    try:
        assert is_sound(parse_info(json.dumps(told).encode(), json.dumps(data.draw(JSON)).encode()))
    except Garbled:
        assert len(set(told) & set(BASE | {"power": 0, "uptimeSeconds": 0})) < 2


@slow
@given(data=st.data())
def test_no_damage_to_its_bytes_raises_anything_but_garbled(recorded, data):
    raw = bytearray(fixture(recorded, data.draw(st.sampled_from(sorted(RECORDED)))))
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=4)):
        raw[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)) | st.just(len(raw)))
    with contextlib.suppress(Garbled):
        assert is_sound(parse_info(bytes(raw[:cut]), bytes(raw[:cut])))


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_give_garbled_or_a_status(info, asic):
    with contextlib.suppress(Garbled):
        assert is_sound(parse_info(info, asic))


def test_a_thousand_miners_cost_little(recorded):
    info = fixture(recorded, "info_v2.15.3_gamma601_bm1370.json")
    asic = fixture(recorded, "asic_v2.15.3_gamma601.json")
    spent_s = timeit.repeat(lambda: parse_info(info, asic), timer=time.process_time, number=50, repeat=5)
    best = min(spent_s) / 50
    assert best < 0.001, f"{best * 1e6:.0f} µs for one answer"


def test_numbers_too_large_to_multiply_are_unknown():
    status = parse_info(
        b'{"ASICModel":"BM1370","frequency":1e308,"smallCoreCount":2040,"asicCount":1,"currentA":1e308}'
    )
    assert status.expected_ghs is None
    assert status.current_ma is None

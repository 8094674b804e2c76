"""GET /api/system/info → MinerStatus, for every AxeOS since 2.0.0 and for NerdAxe/NerdQAxe.

What a firmware can do is told by the fields that are there, never by its version: vendors build versions of their own.
Sentinels become None here: a chip at -1 or 0 (off, or its sensor failed), a regulator at 0 (none on the board), a
second fan at 0 rpm (none), a signal of -90 dBm (unknown), the core voltage of a Nerd board that mines at 0 mV. What
cannot be true of a sensor that a board has (a regulator at -1) stays as it was told: None would mean that it has none.

Two spellings differ in case alone: up to AxeOS 2.1.3 ``fanSpeed`` is rpm and ``fanspeed`` is per cent.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from minertui.model.errors import Garbled
from minertui.model.status import Ability, ChipStatus, MinerStatus, RejectReason
from minertui.safety.samples import FAULT_CODES_C
from minertui.wire import json
from minertui.wire.axeos import fields as f
from minertui.wire.axeos.boards import CHIPS, Board, board_of
from minertui.wire.axeos.pools import pool_in_use, pool_settings

_SIGNS = ("ASICModel", "coreVoltage", "frequency", "hashRate", "power", "uptimeSeconds", "version")
_NO_SIGNAL_DBM = -90
_MOST_W, _MOST_V = 1000, 100  # no such board draws or is fed more: it would be another unit (mW, mV), or nonsense
_NONE_C = (0.0, -1.0)  # of a second chip: there is none
_MINES_RATIO, _LEAST_JTH = 0.5, 10.0  # the chips of these boards need 13 J/TH and more
_NERD_HASHRATES = ("hashRate", "hashRate_1m", "hashRate_10m", "hashRate_1h", "hashRate_1d")


def parse_info(info: bytes, asic: bytes | None = None) -> MinerStatus:
    """The status in the answers of ``/api/system/info`` and, where the firmware has it, ``/api/system/asic``.

    A field that is missing or nonsense is None. Raises Garbled when ``info`` is not the answer of such a miner, and
    nothing else; an unreadable ``asic`` counts as absent.
    """
    told = json.load_object(info)
    if sum(name in told for name in _SIGNS) < 2:
        raise Garbled("", "the answer is JSON, but not that of an AxeOS miner")
    options = _asic(asic)
    nerd = "hostip" in told or ("deviceModel" in told and "ipv4" not in told)
    board = board_of(
        f.text(told, "boardVersion", max_len=32), f.text(options, "deviceModel") or f.text(told, "deviceModel")
    )
    identity = _identity(told, options, board, nerd=nerd)
    power = _power(told, options, board, identity["chip"])
    pools = pool_settings(told)
    status = MinerStatus(
        abilities=_abilities(told, nerd=nerd),
        **identity,
        **power,
        **_work(told, identity, power["frequency_mhz"], nerd=nerd),
        **_heat(told),
        **_fan(told),
        **_shares(told, nerd=nerd),
        **pool_in_use(told, pools),
        pools=pools,
        **_state(told),
    )
    return msgspec.structs.replace(status, core_actual_mv=None) if _mines_unmeasured(status) else status


def _mines_unmeasured(status: MinerStatus) -> bool:
    """A Nerd board without a sensor for its core voltage, and not one whose core was switched off: told hashrates are
    means that outlast the power, so both must fit each other and the clock."""
    ratio, jth = status.ratio, status.efficiency_jth
    if status.family != "nerdqaxe" or status.core_actual_mv != 0 or ratio is None or jth is None:
        return False
    return ratio >= _MINES_RATIO and jth >= _LEAST_JTH


@functools.lru_cache(maxsize=32)  # it comes with every reading, and is the same for all miners of a model
def _asic(asic: bytes | None) -> f.Fields:
    try:
        return json.load_object(asic) if asic else {}
    except Garbled:
        return {}


def _identity(told: f.Fields, options: f.Fields, board: Board | None, *, nerd: bool) -> dict[str, Any]:
    chip = f.text(told, "ASICModel", max_len=32) or f.text(options, "ASICModel", max_len=32) or (board and board.chip)
    known = CHIPS.get(chip or "")
    return {
        "mac": f.mac(told, "macAddr"),
        "hostname": f.text(told, "hostname"),
        "family": "nerdqaxe" if nerd else "bitaxe",
        "model": f.text(options, "deviceModel") or f.text(told, "deviceModel") or (board.model if board else None),
        "board": f.text(told, "boardVersion", max_len=32),
        "chip": chip,
        "chip_count": f.count(options, "asicCount") or f.count(told, "asicCount") or (board.chips if board else None),
        "small_cores": f.count(told, "smallCoreCount") or (known.small_cores if known else None),
        "firmware": f.text(told, "version", max_len=64),
    }


def _abilities(told: f.Fields, *, nerd: bool) -> frozenset[Ability]:
    """What the presence of fields proves. The first release with each is named; where two arrived together either
    tells. A 2.2 cannot be told from a 2.1, so live tuning is believed from 2.3 on and 2.2 gets its restart."""
    slots = "pools" in told
    found = {
        Ability.TUNE: "frequency" in told and "coreVoltage" in told,
        Ability.TUNE_LIVE: nerd or "isUsingFallbackStratum" in told or "fallbackStratumURL" in told,  # 2.3.0
        Ability.TUNE_FRACTION: not nerd and "minFanSpeed" in told,  # 2.10.0
        Ability.FAN: "autofanspeed" in told,  # 2.0.2
        Ability.FAN_TARGET: "temptarget" in told or (f.number(told, "pidTargetTemp") or -1) > 0,  # 2.7.0
        Ability.FAN_MIN: "minFanSpeed" in told,  # 2.10.0
        Ability.FAN_SETPOINT: "manualFanSpeed" in told,  # 2.11.0
        Ability.POOLS: slots or "stratumURL" in told,
        Ability.POOL_SLOTS: slots,  # 2.15.0
        Ability.RESTART: True,
        Ability.PAUSE: "miningPaused" in told or (nerd and "shutdown" in told),  # 2.14.0
        Ability.IDENTIFY: not nerd and "resetReason" in told,  # 2.12.0
        Ability.LOG: True,
        Ability.STATISTICS: not nerd and "expectedHashrate" in told,  # 2.8.0
    }
    return frozenset(ability for ability, there in found.items() if there)


def _power(told: f.Fields, options: f.Fields, board: Board | None, chip: str | None) -> dict[str, Any]:
    known = CHIPS.get(chip or "")
    current = f.number(told, "current", low=0)
    amps = f.number(told, "currentA", low=0)
    return {
        "power_w": f.number(told, "power", low=0),
        "max_power_w": f.number(told, "maxPower", low=0, high=_MOST_W) or (board.max_power_w if board else None),
        "input_mv": f.number(told, "voltage", low=0),
        "nominal_input_v": _nominal_v(told) or (board.nominal_v if board else None),
        "current_ma": f.number_of(1000 * amps) if current is None and amps is not None else current,
        "core_mv": f.number(told, "coreVoltage", low=0),
        "core_actual_mv": f.number(told, "coreVoltageActual", low=0),
        "frequency_mhz": f.number(told, "frequency", low=0),
        "actual_mhz": f.number(told, "actualFrequency", low=0),
        "cap_mhz": f.number(options, "absMaxFrequency", low=0) or None,
        "cap_mv": f.number(options, "absMaxVoltage", low=0) or None,
        "default_mhz": f.number(options, "defaultFrequency", low=1)
        or f.number(told, "defaultFrequency", low=1)
        or (board and board.default_mhz)
        or (known and known.default_mhz),
        "default_mv": f.number(options, "defaultVoltage", low=1)
        or f.number(told, "defaultCoreVoltage", low=1)
        or (board and board.default_mv)
        or (known and known.default_mv),
    }


def _nominal_v(told: f.Fields) -> float | None:
    """5 or 12 as Bitaxe says it; Nerd boards give the range that their supply must stay in."""
    nominal = f.number(told, "nominalVoltage", low=1, high=_MOST_V)
    if nominal is not None:
        return nominal
    low, high = f.number(told, "minVoltage", low=1), f.number(told, "maxVoltage", low=1)
    if low is None or high is None:
        return None
    return next((volts for volts in (5.0, 12.0) if low <= volts <= high), None)


def _work(told: f.Fields, identity: dict[str, Any], mhz: float | None, *, nerd: bool) -> dict[str, Any]:
    expected = f.number(told, "expectedHashrate", low=0)
    cores, chips = identity["small_cores"], identity["chip_count"]
    if "expectedHashrate" not in told and mhz is not None and cores and chips:
        expected = f.number_of(mhz * cores * chips / 1000)
    return {
        # Some NerdQAxe builds leave hashRate out: then the shortest average. Bitaxe averages freeze at 0 GH/s.
        "hashrate_ghs": f.number(told, *(_NERD_HASHRATES if nerd else _NERD_HASHRATES[:1]), low=0),
        "hashrate_1m_ghs": f.number(told, "hashRate_1m", low=0),
        "hashrate_10m_ghs": f.number(told, "hashRate_10m", low=0),
        "hashrate_1h_ghs": f.number(told, "hashRate_1h", low=0),
        "expected_ghs": expected,
        "error_pct": f.number(told, "errorPercentage", low=0),
        "chips": _chips(told),
        "total_hashes": f.number(told, "totalHashes", low=0),
    }


def _chips(told: f.Fields) -> tuple[ChipStatus, ...]:
    monitored = f.objects(f.inner(told, "hashrateMonitor"), "asics")
    if monitored:
        return tuple(
            ChipStatus(
                hashrate_ghs=f.number(chip, "total", low=0),
                errors=f.count(chip, "errorCount"),
                domains_ghs=tuple(d for item in f.items(chip, "domains") if (d := f.number_of(item)) is not None),
            )
            for chip in monitored
        )
    temps = [_sensor(f.number_of(item)) for item in f.items(told, "asicTemps")]
    return tuple(ChipStatus(temp_c=temp) for temp in temps) if any(temps) else ()


def _sensor(celsius: float | None) -> float | None:
    """A chip's temperature. Below 0 and at a fault code (ESP-Miner main/thermal/EMC2101.c, EMC2103.c) its sensor failed
    or the chip is off; 120 °C, 130 °C are a chip that glows, as far as anybody knows."""
    return None if celsius is None or not celsius > 0 or celsius in FAULT_CODES_C else celsius


def _heat(told: f.Fields) -> dict[str, Any]:
    """The hottest chip, the other sensor, the regulator. Nothing stands for the first chip's sensor, which every
    firmware tells, where that failed; what the others say is the second one's then."""
    first, second = _sensor(f.number(told, "temp")), f.number(told, "temp2")
    second = None if second in _NONE_C else second
    each = [c for item in f.items(told, "asicTemps") if (c := _sensor(f.number_of(item))) is not None]
    beside = _sensor(second)
    others = each if beside is None else [*each, beside]
    other = second if beside is None else min(first or beside, beside)
    return {
        "chip_temp_c": None if first is None else max([first, *others]),
        "chip_temp2_c": max(others, default=second) if first is None else other,
        "vr_temp_c": _regulator(f.number(told, "vrTemp"), f.number(told, "vrTempInt")),
        "temp_target_c": f.number(told, "temptarget", "pidTargetTemp", low=1),
    }


def _regulator(*told: float | None) -> float | None:
    """The hotter of a regulator's sensors. 0 and nothing mean that the board has none; one that cannot be believed goes
    before one that can, as it is: the other one says nothing about what that one watches."""
    there = [celsius for celsius in told if celsius is not None and celsius != 0]
    return next((c for c in there if _sensor(c) is None), max(there, default=None))


def _fan(told: f.Fields) -> dict[str, Any]:
    """Speeds and settings. Up to AxeOS 2.1.8 (no ``fanrpm`` yet) ``fanspeed`` is the manual setting, later the speed
    reached; up to 2.10 the setting is only visible while it rules."""
    auto = f.flag(told, "autofanspeed")
    percent, wanted = f.number(told, "fanspeed", low=0), f.number(told, "manualFanSpeed", low=0)
    measured = "fanrpm" in told
    if "manualFanSpeed" not in told and (auto is False or not measured):
        wanted = percent
    second = f.number(told, "fan2rpm", "fanrpm2", low=0)
    has_second = (f.count(told, "fanCount") or 0) > 1
    return {
        "fan_pct": percent if measured or auto is False else None,
        "fan_rpm": f.number(told, "fanrpm", "fanSpeedRpm", "fanSpeed", low=0),
        "fan2_rpm": second if second or has_second else None,
        "fan_auto": auto,
        "fan_manual_pct": wanted,
        "fan_min_pct": f.number(told, "minFanSpeed", low=0),
    }


def _shares(told: f.Fields, *, nerd: bool) -> dict[str, Any]:
    reasons = [(f.text(r, "message"), f.count(r, "count")) for r in f.objects(told, "sharesRejectedReasons")]
    answer = f.number(told, "lastpingrtt" if nerd else "responseTime", low=0)
    return {
        "shares_accepted": f.count(told, "sharesAccepted"),
        "shares_rejected": f.count(told, "sharesRejected"),
        "shares_pending": f.count(told, "sharesPending"),
        "reject_reasons": tuple(RejectReason(text, n) for text, n in reasons if text and n is not None),
        "best_diff": f.difficulty(told, "bestDiff"),
        "best_session_diff": f.difficulty(told, "bestSessionDiff"),
        "pool_diff": f.number(told, "poolDifficulty", "stratumDiff", low=0),
        "pool_response_ms": answer,
    }


def _state(told: f.Fields) -> dict[str, Any]:
    signal = f.number(told, "wifiRSSI")
    return {
        "uptime_s": f.number(told, "uptimeSeconds", low=0),
        "paused": f.flag(told, "miningPaused", "shutdown"),
        "overheat": f.flag(told, "overheat_mode", "overheat"),
        "power_fault": f.text(told, "power_fault"),
        "hardware_fault": f.text(told, "hardware_fault"),
        "reset_reason": f.text(told, "resetReason", "lastResetReason"),
        "wifi_rssi_dbm": None if signal in (_NO_SIGNAL_DBM, 0) else signal,
        "wifi_status": f.text(told, "wifiStatus"),
        "ip": f.text(told, "ipv4", "hostip", max_len=64),
    }

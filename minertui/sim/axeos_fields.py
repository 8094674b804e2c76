"""What each firmware answers: one row per field with its first and last version and its JSON kind.

The history was computed from the ESP-Miner sources of v2.0.0 to v2.15.0. A kind is N (number as it comes), F (rounded
to seven decimals), B (true/false), 01 (a boolean as 0 or 1) or - (as it is). A field that changed its kind has two
rows.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import msgspec

from minertui.sim.axeos_board import Board
from minertui.sim.axeos_models import Phase, Version, version_of
from minertui.sim.axeos_nerd import nerd_asic, nerd_info
from minertui.sim.axeos_reading import Reading, read

Read = Callable[[Board, Reading], Any]


class Row(msgspec.Struct, frozen=True):
    """A field of ``/api/system/info``; ``last`` None = still sent. ``read`` gives ABSENT when there is nothing."""

    name: str
    first: Version
    last: Version | None
    kind: str
    read: Read


class _Absent:
    """Says that a field is left out this time."""


ABSENT = _Absent()


def _row(name: str, life: str, kind: str, get: Read) -> Row:
    first, _, last = life.partition("..")
    return Row(name, version_of(first), version_of(last) if last else None, kind, get)


def _nvs(name: str, life: str, kind: str, key: str | None = None) -> Row:
    stored = key or name
    return _row(name, life, kind, lambda b, r: b.nvs[stored])


def _const(name: str, life: str, value: Any) -> Row:
    return _row(name, life, "-", lambda b, r: value)


def _number(name: str, first: str, rounded: str, get: Read, back: str = "") -> list[Row]:
    """A number that came raw in ``first``, is rounded from ``rounded`` on, and raw again from ``back`` on."""
    rows = [Row(name, version_of(first), _before(rounded), "N", get)]
    rows.append(Row(name, version_of(rounded), _before(back) if back else None, "F", get))
    return [*rows, Row(name, version_of(back), None, "N", get)] if back else rows


def _before(text: str) -> Version:
    major, minor, patch = version_of(text)
    return (major, minor, patch - 1) if patch else (major, minor - 1, 999)


def _suffixed(value: float, space: bool) -> str:
    """A difficulty as old firmware writes it: ``4.29G``, from v2.10 ``4.29 G``."""
    if value < 1000:
        return f"{value:.0f}"
    power = min(6, int(math.log10(value) // 3))
    return f"{value / 1000**power:.3g}{' ' if space else ''}{' kMGTPE'[power]}"


def _pools(board: Board, reading: Reading) -> Any:
    return [{"id": slot, **pool, "stratumPassword": "*****"} for slot, pool in sorted(board.nvs["pools"].items())]


def _slot(index: str, member: str) -> Read:
    return lambda b, r: b.nvs["pools"].get(b.nvs[index], b.nvs["pools"][0])[member]


def _flat(member: str, life: str, kind: str = "-") -> list[Row]:
    """A member of both pools as a flat field: ``stratumX`` and ``fallbackStratumX``."""
    name = f"stratum{member}"
    return [
        _row(name, life, kind, _slot("primaryPoolIndex", name)),
        _row(f"fallbackStratum{member}", life, kind, _slot("secondaryPoolIndex", name)),
    ]


def _monitor(board: Board, r: Reading) -> Any:
    if board.phase is Phase.STARTING:
        return ABSENT
    domains, errors = board.family.chip.domains, int(board.errors / board.family.chips)
    return {
        "asics": [
            {
                "total": round(ghs, 7),
                "errorCount": errors,
                "domains": [round(ghs / domains * share, 7) for share in _SHARES[domains]],
            }
            for ghs in r.chip_ghs
        ]
    }


_SHARES = {1: (1.0,), 4: (1.02, 1.03, 0.98, 0.97)}
_PARTITIONS = [
    {"label": "factory", "isCurrent": False, "isFactory": True, "version": "v2.7.1", "compileDate": "May  5 2025",
     "compileTime": "23:03:43", "usagePercent": 28},
    {"label": "ota_0", "isCurrent": True, "isFactory": False, "version": "v2.15.3", "compileDate": "Sep 23 2026",
     "compileTime": "12:16:23", "usagePercent": 64},
    {"label": "ota_1", "isCurrent": False, "isFactory": False, "version": None, "compileDate": None,
     "compileTime": None, "usagePercent": None},
]  # fmt: skip
_COINBASE = [{"value": 313237014, "address": "bc1qexample"}, {"value": 0, "address": "bc1qexample"}]


def _reasons(board: Board, r: Reading) -> Any:
    return [{"message": "Job not found", "count": board.mining.rejected}] if board.mining.rejected else []


def _overheat(board: Board, r: Reading) -> Any:
    return board.overheat_copy if board.version >= (2, 14, 0) else bool(board.nvs["overheat_mode"])


def _power_fault(board: Board, r: Reading) -> Any:
    return "VIN_UV: input voltage below its limit" if board.power_fault else ABSENT


ROWS: tuple[Row, ...] = (
    *_number("power", "2.0.0", "2.12.0", lambda b, r: r.power_w),
    *_number("voltage", "2.0.0", "2.12.0", lambda b, r: r.input_mv),
    *_number("current", "2.0.0", "2.12.0", lambda b, r: r.current_ma),
    _row("fanSpeed", "2.0.0..2.1.3", "N", lambda b, r: r.rpm),
    *_number("temp", "2.0.0", "2.12.0", lambda b, r: r.temp_c),
    *_number("hashRate", "2.0.0", "2.12.0", lambda b, r: r.hashrate_ghs),
    _row("bestDiff", "2.0.0..2.9.999", "-", lambda b, r: _suffixed(b.mining.best_diff, False)),
    _row("bestDiff", "2.10.0..2.10.999", "-", lambda b, r: _suffixed(b.mining.best_diff, True)),
    _row("bestDiff", "2.11.0", "N", lambda b, r: int(b.mining.best_diff)),
    _row("freeHeap", "2.0.0", "N", lambda b, r: 8_212_708 - 64 * b.judge.requests % 4096),
    _nvs("coreVoltage", "2.0.0", "N"),
    *_number("coreVoltageActual", "2.0.0", "2.14.0", lambda b, r: r.core_mv),
    *_number("frequency", "2.0.0", "2.13.0", lambda b, r: b.nvs["frequency"]),
    _nvs("ssid", "2.0.0", "-"),
    _nvs("wifiPass", "2.0.0..2.0.4", "-"),
    _const("wifiStatus", "2.0.0", "Connected!"),
    _row("sharesAccepted", "2.0.0", "N", lambda b, r: b.mining.accepted),
    _row("sharesRejected", "2.0.0", "N", lambda b, r: b.mining.rejected),
    _row("uptimeSeconds", "2.0.0", "N", lambda b, r: int(b.uptime_s + 1e-6)),
    _row("ASICModel", "2.0.0", "-", lambda b, r: b.family.chip.name),
    *_flat("URL", "2.3.0"),
    *_flat("Port", "2.3.0"),
    *_flat("User", "2.3.0"),
    _row("stratumURL", "2.0.0..2.2.999", "-", _slot("primaryPoolIndex", "stratumURL")),
    _row("stratumPort", "2.0.0..2.2.999", "-", _slot("primaryPoolIndex", "stratumPort")),
    _row("stratumUser", "2.0.0..2.2.999", "-", _slot("primaryPoolIndex", "stratumUser")),
    _row("version", "2.0.0", "-", lambda b, r: b.firmware),
    _const("runningPartition", "2.0.0", "ota_0"),
    _nvs("flipscreen", "2.0.0..2.8.1", "01"),
    _nvs("invertscreen", "2.0.0", "01"),
    _nvs("invertfanpolarity", "2.0.2..2.6.5", "01"),
    _nvs("autofanspeed", "2.0.2", "01"),
    _row("fanspeed", "2.0.2..2.1.8", "N", lambda b, r: b.nvs["manualFanSpeed"]),
    _row("fanspeed", "2.1.9..2.10.999", "N", lambda b, r: round(r.fan_pct)),
    *_number("fanspeed", "2.11.0", "2.12.0", lambda b, r: r.fan_pct, "2.14.0"),
    _row("boardVersion", "2.0.7", "-", lambda b, r: b.board_version),
    _row("fanSpeedRpm", "2.1.4..2.1.8", "N", lambda b, r: r.rpm),
    _row("bestSessionDiff", "2.1.5..2.9.999", "-", lambda b, r: _suffixed(b.mining.session_diff, False)),
    _row("bestSessionDiff", "2.10.0..2.10.999", "-", lambda b, r: _suffixed(b.mining.session_diff, True)),
    _row("bestSessionDiff", "2.11.0", "N", lambda b, r: int(b.mining.session_diff)),
    _nvs("hostname", "2.1.5", "-"),
    *_number("vrTemp", "2.1.9", "2.12.0", lambda b, r: r.vr_c),
    _row("asicCount", "2.1.9..2.8.1", "N", lambda b, r: b.family.chips),
    _row("smallCoreCount", "2.1.9", "N", lambda b, r: b.family.chip.cores),
    _row("overheat", "2.1.9..2.1.9", "01", _overheat),
    _row("fanrpm", "2.1.9", "N", lambda b, r: r.rpm),
    _row("overheat_mode", "2.1.10", "01", _overheat),
    _row("isUsingFallbackStratum", "2.3.0", "01", lambda b, r: b.nvs["useFallbackStratum"] or not b.pool_ok),
    _row("macAddr", "2.3.0", "-", lambda b, r: b.mac),
    _row("stratumDiff", "2.4.1..2.8.1", "N", lambda b, r: b.mining.pool_diff),
    _const("idfVersion", "2.4.3", "v5.5.1"),
    _row("maxPower", "2.6.0", "N", lambda b, r: b.family.max_power_w),
    _row("nominalVoltage", "2.6.0", "N", lambda b, r: b.family.supply_v),
    _const("isPSRAMAvailable", "2.6.0", 1),
    _row("wifiRSSI", "2.6.0", "N", lambda b, r: -48 - b.seed % 20),
    _const("apEnabled", "2.6.0", 0),
    _row("sharesRejectedReasons", "2.6.0", "-", _reasons),
    _nvs("overclockEnabled", "2.6.0", "01"),
    _row("power_fault", "2.6.0", "-", _power_fault),
    _nvs("displayTimeout", "2.7.0", "N"),
    _nvs("temptarget", "2.7.0", "N"),
    *_number("expectedHashrate", "2.8.0", "2.12.0", lambda b, r: r.expected_ghs),
    _nvs("display", "2.8.0", "-"),
    _const("statsLimit", "2.8.0..2.8.999", 720),
    _const("statsLimit", "2.14.0", 720),
    _const("statsDuration", "2.8.0..2.8.1", 1),
    _row("poolDifficulty", "2.9.0", "N", lambda b, r: b.mining.pool_diff),
    *_flat("SuggestedDifficulty", "2.9.0", "N"),
    *_flat("ExtranonceSubscribe", "2.9.0..2.13.999", "01"),
    *_flat("ExtranonceSubscribe", "2.14.0", "B"),
    *_number("responseTime", "2.9.0", "2.13.0", lambda b, r: 30 + 10 * abs(b.dice.gauss(0, 1))),
    _row("axeOSVersion", "2.9.0", "-", lambda b, r: "Unified" if b.version >= (2, 15, 0) else b.firmware),
    _nvs("rotation", "2.9.0", "N"),
    _nvs("statsFrequency", "2.9.0", "N"),
    *_number("temp2", "2.10.0", "2.12.0", lambda b, r: 0 if b.version < (2, 12, 0) and r.temp2_c < 0 else r.temp2_c),
    _nvs("minFanSpeed", "2.10.0", "N"),
    *_number("errorPercentage", "2.11.0", "2.12.0", lambda b, r: r.error_pct),
    _const("poolAddrFamily", "2.11.0..2.12.2", 2),
    _const("freeHeapInternal", "2.11.0", 104_027),
    _const("freeHeapSpiram", "2.11.0", 8_140_652),
    _row("ipv4", "2.11.0", "-", lambda b, r: f"192.168.{b.seed >> 8 & 255}.{b.seed & 255}"),
    _const("ipv6", "2.11.0", "FE80::FF:FE00:3"),
    _nvs("manualFanSpeed", "2.11.0", "N"),
    _const("fan2rpm", "2.11.0", 0),
    _const("blockFound", "2.11.0", 0),
    _const("blockHeight", "2.11.0", 970_070),
    _const("scriptsig", "2.11.0", "example-coinbase"),
    _const("networkDifficulty", "2.11.0", 132_716_002_350_731),
    _row("hashrateMonitor", "2.11.0", "-", _monitor),
    _row("hashRate_1m", "2.12.0", "F", lambda b, r: r.mean_1m_ghs),
    _row("hashRate_10m", "2.12.0", "F", lambda b, r: r.mean_10m_ghs),
    _row("hashRate_1h", "2.12.0", "F", lambda b, r: r.mean_1h_ghs),
    _row("resetReason", "2.12.0", "-", lambda b, r: b.reset_reason),
    _const("poolConnectionInfo", "2.13.0", "IPv4"),
    *_flat("TLS", "2.13.0", "N"),
    *_flat("Cert", "2.13.0"),
    *_flat("DecodeCoinbase", "2.13.0..2.13.999", "01"),
    *_flat("DecodeCoinbase", "2.14.0", "B"),
    _const("showNewBlock", "2.13.0", False),
    _const("coinbaseOutputs", "2.13.0", _COINBASE),
    _const("coinbaseValueTotalSatoshis", "2.13.0", 313_237_014),
    _const("coinbaseValueUserSatoshis", "2.13.0", 313_237_014),
    _row("actualFrequency", "2.14.0", "F", lambda b, r: r.actual_mhz),
    _const("responseShareBatch", "2.14.0", 0),
    _const("processTime", "2.14.0", 2.3510001),
    _row("cpuUsage", "2.14.0", "F", lambda b, r: 7.5),
    _row("miningPaused", "2.14.0", "B", lambda b, r: b.paused),
    *_flat("Protocol", "2.14.0"),
    *_flat("V2AuthorityPubkey", "2.14.0"),
    *_flat("V2ChannelType", "2.14.0"),
    _const("blockSignals", "2.14.0", []),
    _const("sharesPending", "2.15.0", 0),
    _row("workReceived", "2.15.0", "N", lambda b, r: int(b.uptime_s / 30)),
    _const("minFreeHeap", "2.15.0", 7_091_532),
    _const("maxAllocHeap", "2.15.0", 31_744),
    _row("totalUptimeSeconds", "2.15.0", "N", lambda b, r: int(b.total_uptime_s + 1e-6)),
    _row("totalHashes", "2.15.0", "-", lambda b, r: b.mining.lifetime_hashes),
    _row("totalLog2Work", "2.15.0", "-", lambda b, r: math.log2(max(1.0, b.mining.lifetime_hashes))),
    _nvs("primaryPoolIndex", "2.15.0", "N"),
    _nvs("secondaryPoolIndex", "2.15.0", "N"),
    _nvs("useFallbackStratum", "2.15.0", "01"),
    _row("pools", "2.15.0", "-", _pools),
    _nvs("useCustomWWW", "2.15.0", "01"),
    _const("partitions", "2.15.0", _PARTITIONS),
    _row("fullHostname", "2.15.0", "-", lambda b, r: f"{b.nvs['hostname']}.local"),
    _row("mdnsHostname", "2.15.0", "-", lambda b, r: f"{b.nvs['hostname']}.local"),
)  # fmt: skip


def info(board: Board) -> dict[str, Any]:
    """The object of GET ``/api/system/info`` as this board's firmware sends it."""
    reading = read(board)
    if board.family.nerd:
        return nerd_info(board, reading)
    answer = {}
    for name, get, kind in _rows_of(board.version):
        value = get(board, reading)
        if value is not ABSENT:
            answer[name] = value if kind is None else kind(value)
    return answer


@functools.lru_cache(maxsize=64)
def _rows_of(version: Version) -> list[tuple[str, Read, Callable[[Any], Any] | None]]:
    rows = [row for row in ROWS if row.first <= version and (row.last is None or version <= row.last)]
    return [(row.name, row.read, _KINDS[row.kind]) for row in rows]


def _plain(value: Any) -> Any:
    """A number as cJSON writes it: whole ones without a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_KINDS: dict[str, Callable[[Any], Any] | None] = {
    "N": _plain,
    "F": lambda value: _plain(round(value, 7)),
    "B": bool,
    "01": int,
    "-": None,
}


def asic(board: Board) -> dict[str, Any] | None:
    """The object of GET ``/api/system/asic``; None where the firmware has no such page (before v2.7)."""
    family, chip, version = board.family, board.family.chip, board.version
    if family.nerd:
        return nerd_asic(board)
    if version < (2, 7, 0):
        return None
    options = list(chip.frequency_options)
    if chip.name == "BM1370" and chip.default_mhz == 525 and version >= (2, 15, 0):
        options.append(690)
    answer: dict[str, Any] = {"ASICModel": chip.name}
    if version >= (2, 9, 0):
        answer |= {"deviceModel": family.model, "swarmColor": family.colour, "asicCount": family.chips}
    if version >= (2, 11, 0):
        answer["hashDomains"] = chip.domains
    if version >= (2, 8, 0):
        answer |= {"defaultFrequency": chip.default_mhz, "defaultVoltage": chip.default_mv}
    return answer | {"frequencyOptions": options, "voltageOptions": list(chip.voltage_options)}

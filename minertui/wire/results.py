"""The benchmark guide's result file, so that everything that reads its files reads ours; and a CSV of all we measured.

    {"all_results": […], "top_performers": [≤ 5, fastest first], "most_efficient": [≤ 5, fewest J/TH first]}

A result has ``coreVoltage`` (mV), ``frequency`` (MHz), ``averageHashRate`` (GH/s), ``averageTemperature`` (°C),
``efficiencyJTH`` and, where the board has a regulator sensor, ``averageVRTemp``; in the two rankings also ``rank``. Of
each setting they name one point, and by the sweep's goal its winner leads, whatever a short look read. A value that was
not measured is left out. Without any result the file says so in ``message``, as the guide's does.

A point that failed is data: it stands in ``all_results`` with two more keys, ``verdict`` and ``reason``, which readers
of the guide's files skip, and it is in no ranking. Points without any hashrate are left out: the guide never wrote
such a row, and its readers index ``averageHashRate``.

Points of the adaptive strategy also have ``why`` and ``confidence`` (and ``soak`` where it is one), and its file has
``frontier``: the points that no other beats in hashrate at no more power. Readers of the guide's files skip those too.

Behaviour taken from the single script (mrv777/Bitaxe-Hashrate-Benchmark) and its parallel fork; no code was.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from minertui.model.errors import Garbled
from minertui.model.plans import Goal, PointVerdict, SweepPoint
from minertui.model.ranking import frontier, leading
from minertui.model.text import clean

RANKED = 5
EMPTY = {"message": "No valid results collected"}
MAX_BYTES = 16 * 1024 * 1024
CSV_COLUMNS = (
    "n",
    "frequency_mhz",
    "core_mv",
    "verdict",
    "reason",
    "hashrate_ghs",
    "expected_ghs",
    "hashrate_sd_ghs",
    "efficiency_jth",
    "power_w",
    "chip_temp_c",
    "vr_temp_c",
    "input_mv",
    "fan_pct",
    "error_pct",
    "chip_balance",
    "samples",
    "at_s",
)
_RENAMED = {"frequency_mhz": "mhz", "core_mv": "mv"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Row(msgspec.Struct):
    """A result as any of the scripts writes it; their later versions add keys, which are skipped."""

    coreVoltage: float  # noqa: N815 - the file's spelling
    frequency: float
    averageHashRate: float  # noqa: N815
    averageTemperature: float | None = None  # noqa: N815
    efficiencyJTH: float | None = None  # noqa: N815
    averageVRTemp: float | None = None  # noqa: N815
    verdict: PointVerdict = PointVerdict.PASSED
    reason: str = ""


class _File(msgspec.Struct):
    all_results: list[_Row] = []


_decoder = msgspec.json.Decoder(_File | list[_Row])


def encode_results(points: Sequence[SweepPoint], goal: Goal = Goal.HASHRATE) -> bytes:
    """The result file's content, indented by 4, with a line end. ``goal``: the sweep's."""
    rows = [_row(point) for point in points if point.hashrate_ghs is not None]
    content: dict[str, Any] = EMPTY
    if rows:
        content = {
            "all_results": rows,
            "top_performers": _ranking(points, Goal.HASHRATE, goal),
            "most_efficient": _ranking(points, Goal.EFFICIENCY, goal),
        }
        if any(point.soak for point in points):
            content["frontier"] = [_row(point) for point in frontier(points)]
    return msgspec.json.format(msgspec.json.encode(content), indent=4) + b"\n"


def decode_results(data: bytes) -> tuple[SweepPoint, ...]:
    """The points of a result file: the object at the end of a run, or the bare list that the single script writes while
    it runs. Rows without a verdict are taken as PASSED, as their writer did. Raises Garbled."""
    if len(data) > MAX_BYTES:
        raise Garbled("", f"the result file is larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        content = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled("", f"this is not a benchmark result file: {error}") from error
    rows = content.all_results if isinstance(content, _File) else content
    return tuple(_point(n, row) for n, row in enumerate(rows, 1))


def encode_csv(points: Iterable[SweepPoint]) -> str:
    """All points with all numbers, one line each, CRLF line ends (RFC 4180). Texts that a spreadsheet would take for a
    formula are quoted with an apostrophe (OWASP, CSV injection)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for point in points:
        writer.writerow([_cell(getattr(point, _RENAMED.get(name, name))) for name in CSV_COLUMNS])
    return out.getvalue()


def result_name(address: str) -> str:
    """File name for the miner at ``address`` (``host`` or ``host:port``): ``bitaxe_benchmark_results_<ip>.json``, with
    ``_<port>`` when it is not 80. Anything that could leave the folder becomes ``_``."""
    host, _, port = address.rpartition(":") if address.count(":") == 1 else (address, "", "")
    if address.startswith("["):
        host, _, port = address[1:].partition("]")
        port = port.removeprefix(":")
    safe = "".join(char if char.isascii() and (char.isalnum() or char in ".-") else "_" for char in host).strip(".")
    return f"bitaxe_benchmark_results_{safe or 'miner'}{f'_{port}' if port.isdecimal() and port != '80' else ''}.json"


def _row(point: SweepPoint) -> dict[str, Any]:
    values = {
        "coreVoltage": point.mv,
        "frequency": _whole(point.mhz),
        "averageHashRate": point.hashrate_ghs,
        "averageTemperature": point.chip_temp_c,
        "efficiencyJTH": point.efficiency_jth,
        "averageVRTemp": point.vr_temp_c,
    }
    row: dict[str, Any] = {key: value for key, value in values.items() if value is not None}
    more = {"confidence": point.confidence, "why": point.why or None, "soak": point.soak or None}
    row |= {key: value for key, value in more.items() if value is not None}
    return row if point.passed else {**row, "verdict": point.verdict, "reason": point.reason}


def _ranking(points: Sequence[SweepPoint], by: Goal, goal: Goal) -> list[dict[str, Any]]:
    measured = [point for point in points if point.hashrate_ghs is not None]
    return [{"rank": rank, **_row(point)} for rank, point in enumerate(leading(measured, by, goal)[:RANKED], 1)]


def _point(n: int, row: _Row) -> SweepPoint:
    efficiency = row.efficiencyJTH
    power = None if efficiency is None else efficiency * row.averageHashRate / 1000
    return SweepPoint(
        n=n,
        mhz=row.frequency,
        mv=round(row.coreVoltage),
        verdict=row.verdict,
        reason=clean(row.reason),
        hashrate_ghs=row.averageHashRate,
        power_w=power if power is not None and math.isfinite(power) else None,
        efficiency_jth=efficiency,
        chip_temp_c=row.averageTemperature,
        vr_temp_c=row.averageVRTemp,
    )


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _cell(value: object) -> object:
    """None is an empty cell; a dangerous text is quoted; numbers stay numbers (a negative one is no formula)."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value

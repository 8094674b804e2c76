"""How readings lie in the database: float32 columns in the order of METRICS, NaN where nothing is known.

    sample     one reading: 4 bytes a metric
    chunk      the samples of one minute: their times, then column after column, compressed
    summary    mean, low and high of a stretch, three columns, compressed

METRICS only ever grows at its end, so an old row is a row that is shorter; what it lacks is unknown. Of a damaged row
(the disk's fault: SQLite does not see it) nothing is known, and that costs nobody the others.
"""

from __future__ import annotations

import math
import struct
import zlib
from array import array
from collections.abc import Iterable, Sequence

import msgspec

from minertui.model.metrics import METRICS
from minertui.model.status import MinerStatus

WIDTH = len(METRICS)
_SAMPLE = struct.Struct(f"<{WIDTH}f")
_READS = tuple(metric.read for metric in METRICS)
_NAN = math.nan
_FLOAT32_MAX = 3.4e38
_DAMAGED = (zlib.error, ValueError, TypeError)  # not what was packed, cut off, no bytes at all


class Summary(msgspec.Struct, frozen=True):
    """A stretch of time: ``n`` samples, and by metric their mean, lowest and highest; NaN is unknown."""

    n: int
    mean: array[float]
    low: array[float]
    high: array[float]


def sample(status: MinerStatus) -> bytes:
    """All metrics of one reading."""
    values = [_NAN if (value := read(status)) is None else value for read in _READS]
    try:
        return _SAMPLE.pack(*values)
    except OverflowError:
        return _SAMPLE.pack(*(v if abs(v) < _FLOAT32_MAX else _NAN for v in values))


def one(values: dict[str, float]) -> Summary:
    """A single known value by metric id as a stretch of its own; unknown ids are left out."""
    column = array("f", (values.get(metric.id, _NAN) for metric in METRICS))
    return Summary(1, column, column, column)


def pack_chunk(samples: Sequence[tuple[float, bytes]]) -> bytes:
    """Samples as ``(wall time, sample)``."""
    times = array("d", (at_s for at_s, _ in samples))
    rows = array("f", b"".join(data for _, data in samples))
    return zlib.compress(b"".join([times, *(rows[i::WIDTH] for i in range(WIDTH))]))


def unpack_chunk(data: bytes, n: int) -> list[tuple[float, array[float]]]:
    """The ``n`` samples of a chunk as ``(wall time, value by metric)``; the values may be fewer than METRICS. No sample
    where it is damaged."""
    try:
        plain = zlib.decompress(data)
        times, columns = array("d", plain[: 8 * n]), array("f", plain[8 * n :])
        return [(at_s, columns[i::n]) for i, at_s in enumerate(times)] if len(times) == n else []
    except _DAMAGED:
        return []


def pack_summary(summary: Summary) -> bytes:
    """A summary without its ``n``, which is a column of its own."""
    return zlib.compress(summary.mean.tobytes() + summary.low.tobytes() + summary.high.tobytes())


def unpack_summary(data: bytes, n: int) -> Summary:
    """The summary of ``n`` samples; its columns may be shorter than METRICS, and there are none where it is damaged."""
    try:
        plain = array("f", zlib.decompress(data))
        width = len(plain) // 3 if n > 0 else 0
    except _DAMAGED:
        n, width, plain = 0, 0, array("f")
    return Summary(n, plain[:width], plain[width : 2 * width], plain[2 * width : 3 * width])


def summary(samples: Iterable[bytes]) -> Summary:
    """What a stretch of samples says together; unknown values do not count."""
    rows = array("f", b"".join(samples))
    if len(rows) == WIDTH:
        return Summary(1, rows, rows, rows)
    means, lows, highs = array("f"), array("f"), array("f")
    for i in range(WIDTH):
        known: Sequence[float] = rows[i::WIDTH]
        total = sum(known)
        if total != total:  # something is unknown
            known = [value for value in known if value == value]
            total = sum(known)
        means.append(total / len(known) if known else _NAN)
        lows.append(min(known, default=_NAN))
        highs.append(max(known, default=_NAN))
    return Summary(len(rows) // WIDTH, means, lows, highs)


def joined(parts: Sequence[Summary]) -> Summary:
    """Several stretches as one; each weighs as many samples as it has."""
    means, lows, highs = array("f"), array("f"), array("f")
    for i in range(max((len(part.mean) for part in parts), default=0)):
        known = [(p.n, p.mean[i], p.low[i], p.high[i]) for p in parts if i < len(p.mean) and p.mean[i] == p.mean[i]]
        weight = sum(n for n, *_ in known)
        means.append(sum(n * mean for n, mean, *_ in known) / weight if weight else _NAN)
        lows.append(min((low for _, _, low, _ in known), default=_NAN))
        highs.append(max((high for *_, high in known), default=_NAN))
    return Summary(sum(part.n for part in parts), means, lows, highs)

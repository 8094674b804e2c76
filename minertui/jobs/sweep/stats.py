"""From samples to a point: the guide's trimmed means, and the three tests of stability.

hashrate     mean without the 3 lowest and 3 highest samples
temperature  mean without the 6 lowest samples (the warm-up)
others       plain means
Where too few samples are left to trim, all of them count. Samples that a sensor did not fill are not counted as 0.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec

from minertui.jobs.sweep.walk import Target
from minertui.model.fleet import Snapshot
from minertui.model.plans import PointVerdict, SweepPlan, SweepPoint, SweepSample
from minertui.model.status import MinerStatus
from minertui.safety.samples import valid_temp

TRIM_RATES = 3
TRIM_COLD = 6
Read = Callable[[MinerStatus], float | None]


def measured(n: int, at: Target, readings: Sequence[MinerStatus], at_s: float) -> SweepPoint:
    """The numbers of a point from what was read while it ran; its verdict is PASSED until somebody judges it.

    ``n`` counts from 1, ``at_s`` is wall time. The label is what the miner reported it ran, not what was asked for.
    """
    rates = _values(readings, lambda s: s.hashrate_ghs)
    rate, power = trimmed(rates, TRIM_RATES, TRIM_RATES), trimmed(_values(readings, lambda s: s.power_w))
    last = readings[-1] if readings else MinerStatus()
    return SweepPoint(
        n=n,
        mhz=at.mhz if last.frequency_mhz is None else last.frequency_mhz,
        mv=at.mv if last.core_mv is None else round(last.core_mv),
        verdict=PointVerdict.PASSED,
        hashrate_ghs=rate,
        expected_ghs=trimmed(_values(readings, expected_ghs)),
        power_w=power,
        efficiency_jth=power / (rate / 1000) if power and rate else None,
        chip_temp_c=trimmed(_values(readings, chip_temp_c), TRIM_COLD),
        vr_temp_c=trimmed(_values(readings, lambda s: s.vr_temp_c), TRIM_COLD),
        input_mv=trimmed(_values(readings, lambda s: s.input_mv)),
        fan_pct=trimmed(_values(readings, lambda s: s.fan_pct)),
        error_pct=trimmed(_values(readings, lambda s: s.error_pct)),
        chip_balance=_balance(readings),
        hashrate_sd_ghs=statistics.stdev(rates) if len(rates) > 1 else None,
        samples=len(readings),
        at_s=at_s,
        hashrate_memory=memory(rates),
    )


def sampled(snapshot: Snapshot, at: Target, n: int, index: int, of: int) -> SweepSample:
    """One reading of point ``n`` as it is kept and shown: the ``index``-th of ``of``."""
    status = snapshot.status or MinerStatus()
    return SweepSample(
        at_s=snapshot.at_s or 0.0,
        n=n,
        mhz=at.mhz if status.frequency_mhz is None else status.frequency_mhz,
        mv=at.mv if status.core_mv is None else round(status.core_mv),
        index=index,
        of=of,
        hashrate_ghs=status.hashrate_ghs,
        chip_temp_c=chip_temp_c(status),
        vr_temp_c=status.vr_temp_c,
        power_w=status.power_w,
        input_mv=status.input_mv,
        error_pct=status.error_pct,
        fan_pct=status.fan_pct,
    )


def judged(point: SweepPoint, plan: SweepPlan) -> SweepPoint:
    """The point with its verdict: PASSED needs the ratio, the error rate and the balance of the chips, the last two
    where the firmware reports them (AxeOS >= 2.11)."""
    faults = [text for text in (_low(point, plan), _errors(point, plan), _uneven(point, plan)) if text]
    if not faults:
        return point
    return msgspec.structs.replace(point, verdict=PointVerdict.UNSTABLE, reason="; ".join(faults))


def dead(point: SweepPoint) -> bool:
    """It did not hash at all there, although there was work."""
    return point.verdict is PointVerdict.UNSTABLE and not point.samples


def trimmed(values: Sequence[float], low: int = 0, high: int = 0) -> float | None:
    """Mean without the ``low`` lowest and ``high`` highest values; of all when that leaves none."""
    ordered = sorted(values)
    if len(ordered) > low + high:
        ordered = ordered[low : len(ordered) - high]
    return statistics.fmean(ordered) if ordered else None


def memory(values: Sequence[float]) -> float | None:
    """The correlation of each value with the one before it, -1..1, without the 1/n by which taking the mean off lowers
    it; None with fewer than four values."""
    if len(values) < 4:
        return None
    mean = statistics.fmean(values)
    off = [value - mean for value in values]
    squares = sum(x * x for x in off)
    if not squares:
        return None
    return max(-1.0, min(1.0, sum(x * y for x, y in pairwise(off)) / squares + 1 / len(values)))


def chip_temp_c(status: MinerStatus) -> float | None:
    """The hotter believable chip sensor in °C; None when there is none."""
    temps = [t for t in (status.chip_temp_c, status.chip_temp2_c) if t is not None and valid_temp(t)]
    return max(temps) if temps else None


def believed(status: MinerStatus) -> MinerStatus:
    """The reading without a regulator's temperature that cannot be true: a mean must not be cool by it."""
    if status.vr_temp_c is None or valid_temp(status.vr_temp_c):
        return status
    return msgspec.structs.replace(status, vr_temp_c=None)


def expected_ghs(status: MinerStatus) -> float | None:
    """What the clock should give: as reported, else frequency × small cores × chips (never 0: that would let every
    point pass)."""
    if status.expected_ghs:
        return status.expected_ghs
    if not (status.frequency_mhz and status.small_cores and status.chip_count):
        return None
    return status.frequency_mhz * status.small_cores * status.chip_count / 1000


def _low(point: SweepPoint, plan: SweepPlan) -> str:
    if point.ratio is None:
        return "the share of the expected hashrate is unknown"
    return "" if point.ratio >= plan.tolerance else f"{point.ratio:.1%} of the expected hashrate"


def _errors(point: SweepPoint, plan: SweepPlan) -> str:
    fine = point.error_pct is None or point.error_pct < plan.max_error_pct
    return "" if fine else f"{point.error_pct:.2f} % errors"


def _uneven(point: SweepPoint, plan: SweepPlan) -> str:
    fine = point.chip_balance is None or point.chip_balance >= plan.min_chip_balance
    return "" if fine else f"uneven chips: the weakest gives {point.chip_balance:.0%} of the mean"


def _values(readings: Sequence[MinerStatus], read: Read) -> list[float]:
    values = (read(status) for status in readings)
    return [value for value in values if value is not None and math.isfinite(value)]


def _balance(readings: Sequence[MinerStatus]) -> float | None:
    """The weakest chip's mean hashrate over the mean of all chips; None unless two or more chips report."""
    width = max((len(status.chips) for status in readings), default=0)
    means = [
        statistics.fmean(rates)
        for i in range(width)
        if (rates := [s.chips[i].hashrate_ghs or 0.0 for s in readings if len(s.chips) == width])
    ]
    mean = statistics.fmean(means) if len(means) > 1 else 0.0
    return min(means) / mean if mean > 0 else None

"""Has this point been measured long enough, what is its verdict, and how sure is that?

A mean of n readings that spread by s is known to s/√n. A question is answered when its answer lies so many standard
errors away from the threshold as the plan's ``confidence`` asks for (1.64 for 0.95).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import msgspec

from minertui.jobs.sweep import lag, stats
from minertui.model.plans import PointVerdict, SweepPlan, SweepPoint
from minertui.model.status import MinerStatus

LEAST = 6  # readings of any point: with fewer a spread cannot be told
USUAL_SPREAD = 0.1  # published spread of single hashrate readings: 4.6 to 18 %, mostly about 10
SPREAD_WEIGHT = 8  # that guess counts like so many readings; so does the one that they remember nothing
MOST_MEMORY = 0.8  # of one reading by the next: one fact in nine; more would be a mean that the firmware takes
ERROR_SHARE = 0.10  # errors are known well enough to this share of themselves: the hashrate follows to 0.4 %
ERROR_LEAST = 0.02  # % of errors: 0.3 % of the hashrate
MOVED_SHARE = 0.3  # of themselves: errors that go so far within a minute are still on their way from the setting before
TRENDED, TREND_Z = 12, 2.0  # so many readings show whether errors rise or fall, so many standard errors from level
RATIO_SHARE = 0.015  # without errors: the ratio itself, to this; the fit over all points does the rest
ROUGH_SHARE = 0.03  # with errors: what is lost at any voltage shows in the ratio alone
OFTEN = 6.0  # makes ``surely`` tightest at a soak's 48 readings


def following(readings: Sequence[MinerStatus]) -> bool:
    """True while the errors still go from what the setting before had to what this one has, as firmware that takes
    their mean over a minute shows them: a straight line through the newest dozen rises or falls by more than
    ``MOVED_SHARE`` of them and ``ERROR_LEAST``, and surely."""
    errors = [s.error_pct for s in readings[-TRENDED:] if s.error_pct is not None]
    if len(errors) < LEAST:
        return False
    line = statistics.linear_regression(range(len(errors)), errors)
    change = line.slope * (len(errors) - 1)
    if abs(change) < max(ERROR_LEAST, MOVED_SHARE * statistics.fmean(errors)):
        return False
    off = sum((e - line.intercept - line.slope * n) ** 2 for n, e in enumerate(errors)) / (len(errors) - 2)
    return line.slope**2 > TREND_Z**2 * 12 * off / (len(errors) ** 3 - len(errors))


def enough(
    plan: SweepPlan,
    readings: Sequence[MinerStatus],
    seconds: float,
    soak: bool,
    per_fact: float = 1.0,
    remembered: float = 0.0,
) -> bool:
    """True when more readings of this point are not worth their time. ``seconds``: how long it is measured already;
    ``per_fact``: see there."""
    if len(readings) < LEAST:
        return False
    if soak:
        most_s = max(plan.soak_s, 2 * plan.measure_s * per_fact)
        return seconds >= plan.soak_s and (_decided(plan, readings, per_fact) or seconds >= most_s)
    if seconds >= plan.measure_s:
        return True
    if len(readings) <= TRENDED and following(readings):
        return False
    errors = [s.error_pct for s in readings if s.error_pct is not None]
    ratio, error = ratio_of(readings, per_fact)
    if len(errors) >= LEAST:
        mean, _ = lag.level(errors, remembered)
        told = statistics.stdev(errors) / math.sqrt(len(errors)) <= max(ERROR_SHARE * mean, ERROR_LEAST)
        return told and error <= ROUGH_SHARE
    failed = ratio is not None and ratio + 2 * z(plan.confidence) * error < plan.tolerance
    return failed or error <= RATIO_SHARE


def judged(
    plan: SweepPlan,
    point: SweepPoint,
    readings: Sequence[MinerStatus],
    soak: bool,
    per_fact: float = 1.0,
    remembered: float = 0.0,
) -> SweepPoint:
    """The point with verdict and confidence. A short look only fails what is surely bad where errors are reported, as
    errors tell sooner than the hashrate; the soak decides both by their means."""
    ratio, error = ratio_of(readings, per_fact)
    sure = _surely(ratio, error, plan.tolerance)
    errors = [s.error_pct for s in readings if s.error_pct is not None]
    if len(errors) > 1:
        mean, off = lag.level(errors, remembered)
        sure = min(sure, _normal((plan.max_error_pct - mean) / max(off, 1e-3)))
        point = msgspec.structs.replace(point, error_pct=mean)
    easy = msgspec.structs.replace(plan, tolerance=plan.tolerance - often(len(readings), plan.confidence) * error)
    point = stats.judged(point, plan if soak else easy)
    if soak and not errors and point.verdict is PointVerdict.PASSED and not _proven(plan, readings, per_fact):
        why = f"{point.ratio or 0:.1%} of the expected hashrate is not surely over {plan.tolerance:.0%}"
        point = msgspec.structs.replace(point, verdict=PointVerdict.UNSTABLE, reason=why)
    passed = point.verdict is PointVerdict.PASSED
    return msgspec.structs.replace(point, confidence=round(sure if passed else 1 - sure, 4), soak=soak)


def per_fact(points: Sequence[SweepPoint], readings: Sequence[MinerStatus] = ()) -> float:
    """So many readings in a row tell as much as one would that had nothing of the one before: (1 + ρ)/(1 − ρ) for
    readings whose noise fades by ρ from one to the next (Bartlett 1946); ρ as all ``points`` and ``readings`` show."""
    seen = [(p.samples, p.hashrate_memory) for p in points]
    seen.append((len(readings), stats.memory([s.hashrate_ghs for s in readings if s.hashrate_ghs is not None])))
    known = [(n, memory) for n, memory in seen if memory is not None]
    rho = sum(n * memory for n, memory in known) / (SPREAD_WEIGHT + sum(n for n, _ in known))
    rho = max(0.0, min(MOST_MEMORY, rho))
    return (1 + rho) / (1 - rho)


def remembered(points: Sequence[SweepPoint], values: Sequence[float] = ()) -> float:
    """What the firmware's errors keep of the reading before, by all ``points`` and these ``values`` of one more."""
    known = [
        lag.Memory(p.error_memory, p.error_memory_weight)
        for p in points
        if p.error_memory is not None and p.error_memory_weight is not None
    ]
    now = lag.memory(values)
    return lag.together([*known, now] if now else known)


def by_setting(points: Sequence[SweepPoint]) -> dict[tuple[float, int], list[SweepPoint]]:
    """The points of each setting (MHz, mV), settings and points in their order."""
    at: dict[tuple[float, int], list[SweepPoint]] = {}
    for point in points:
        at.setdefault((point.mhz, point.mv), []).append(point)
    return at


def ratio_of(readings: Sequence[MinerStatus], per_fact: float = 1.0) -> tuple[float | None, float]:
    """Mean share of the expected hashrate, and its standard error."""
    ratios = [
        s.hashrate_ghs / expected
        for s in readings
        if s.hashrate_ghs is not None and (expected := stats.expected_ghs(s)) is not None
    ]
    if not ratios:
        return None, USUAL_SPREAD
    mean = statistics.fmean(ratios)
    squares = SPREAD_WEIGHT * USUAL_SPREAD**2 + sum((r - mean) ** 2 for r in ratios)
    return mean, math.sqrt(per_fact * squares / (SPREAD_WEIGHT + len(ratios)) / len(ratios))


def z(confidence: float) -> float:
    """Standard errors of a one-sided ``confidence``."""
    return statistics.NormalDist().inv_cdf(min(max(confidence, 0.5), 0.9999))


def _decided(plan: SweepPlan, readings: Sequence[MinerStatus], per_fact: float) -> bool:
    ratio, error = ratio_of(readings, per_fact)
    if not any(s.error_pct is not None for s in readings):
        error *= often(len(readings), plan.confidence) / z(plan.confidence)
    return ratio is not None and abs(ratio - plan.tolerance) >= z(plan.confidence) * error


def _proven(plan: SweepPlan, readings: Sequence[MinerStatus], per_fact: float) -> bool:
    ratio, error = ratio_of(readings, per_fact)
    return ratio is not None and ratio - often(len(readings), plan.confidence) * error >= plan.tolerance


def often(count: int, confidence: float) -> float:
    """Standard errors that stay as sure as ``confidence`` however often one looks while readings come in: the boundary
    of a normal mixture (Robbins 1970). Who looks after every reading for 1.64 errors is taken in by luck sooner or
    later."""
    alpha = 2 * (1 - min(max(confidence, 0.5), 0.9999))
    return math.sqrt((count + OFTEN) / count * math.log((count + OFTEN) / (OFTEN * alpha**2)))


def _surely(ratio: float | None, error: float, least: float) -> float:
    return 0.0 if ratio is None else _normal((ratio - least) / error)


def _normal(x: float) -> float:
    return statistics.NormalDist().cdf(max(-8.0, min(8.0, x)))

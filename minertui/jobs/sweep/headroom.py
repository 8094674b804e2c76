"""How much power a sweep may aim at: what the plan allows, and what the points have shown the cooler to take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from minertui.jobs.sweep import thermal
from minertui.jobs.sweep.pace import AS_FAR
from minertui.jobs.sweep.transient import MARGIN_C, POWER, POWER_MARGIN, SAG, SURE_C
from minertui.model.plans import PointVerdict, SweepPoint
from minertui.model.ranking import Bounds

LEFT_SHARE = 0.992  # of the power at which a point was left for heat: half a degree or more
AGAIN_SHARE = 0.998  # the same once a later fit knows better
NEAR_C = 0.8  # this near to a limit a point says how much power the cooler takes
COLD_ROOM_C = thermal.ROOM_C - thermal.ROOM_SPREAD_C  # of those what gives the least room
ROOM_C = 20.0  # usual room, to turn °C of headroom into watts
STOOD_FOR = 6  # so many points later it is tried again
STOOD_SHARE = 1.002  # power so little over where the way ended twice is the same power
_SAME = 1e-6


def power_allowed(points: Sequence[SweepPoint], within: Bounds) -> tuple[float, str]:
    """Watts, and where they come from in words. What was fitted (``SweepPoint.cooler_w``) is newer and better than what
    single points show."""
    found = [(within.max_power_w * (1 - POWER_MARGIN), f"{within.max_power_w:g} W")]
    fitted_w = _fitted_w(points, within)
    if fitted_w is not None:
        found.append((fitted_w, f"what the cooler takes, {fitted_w:.1f} W"))
        found += [_left(p, LEFT_SHARE if p is points[-1] else AGAIN_SHARE) for p in _too_hot(points)]
    else:
        found += [_shown(p, points, within) for p in points if p.power_w is not None]
    if len(points) > 1 and _stood(points[-2], points[-1]):
        watts = points[-1].power_w or found[0][0]
        found.append((STOOD_SHARE * watts, f"what the cooler takes, {watts:.1f} W"))
    return min(found)


def heat_allowed(points: Sequence[SweepPoint]) -> float:
    """V²·F (in V² MHz) under which it must stay: less than where a limit was touched, or what was left for heat. Power
    says the same, but as it is read: some boards tell it in whole watts, and a limit ends a point before it is read."""
    ended = [*_too_hot(points), *(p for p in points if p.verdict is PointVerdict.LIMIT and p.power_w is None)]
    most = min((_ended_heat(p, ended, points[-1]) for p in ended), default=math.inf)
    stood = (_stood_heat(after) for before, after in pairwise(points[-STOOD_FOR:]) if _stood(before, after))
    return min(most, *stood, math.inf)


def _stood_heat(p: SweepPoint) -> float:
    """What the end of the way at ``p`` leaves. A cooler may turn out to take more; power and input do not change."""
    drawn = any(f"{AS_FAR}: {name} is heading" in p.why for name in (POWER, SAG))
    return heat(p) * (1 + _SAME if drawn else STOOD_SHARE)


def _ended_heat(p: SweepPoint, ended: Sequence[SweepPoint], last: SweepPoint) -> float:
    """What ``p`` leaves: one that was left in time may be tried once more, with all that is known by then."""
    if p is last:
        return LEFT_SHARE * heat(p)
    again = p.power_w is None or any(q is not p and heat(q) <= STOOD_SHARE * heat(p) for q in ended)
    return AGAIN_SHARE * heat(p) if again else math.inf


def overtaken(points: Sequence[SweepPoint]) -> tuple[SweepPoint, ...]:
    """The points; when the newest was left for heat, what passed before with as much of it is no longer allowed: that
    was cooler then, or not warm yet."""
    last = points[-1]
    if not any(p is last for p in _too_hot(points)):
        return tuple(points)
    why = f"as much heat as at {last.mhz:g} MHz / {last.mv} mV, which had to be left later"
    return tuple(
        msgspec.structs.replace(p, verdict=PointVerdict.LIMIT, reason=why) if p.passed and heat(p) >= heat(last) else p
        for p in points
    )


def heat(point: SweepPoint) -> float:
    """V²·F, which power grows with."""
    return (point.mv / 1000) ** 2 * point.mhz


def _fitted_w(points: Sequence[SweepPoint], within: Bounds) -> float | None:
    """What the newest fit says, or more where a later point stood at length far from every limit."""
    n, fitted_w = next(((n, p.cooler_w) for n, p in reversed([*enumerate(points)]) if p.cooler_w), (0, None))
    if fitted_w is None:
        return None
    return max(
        fitted_w, *(_takes_w(p, within) for p in points[n + 1 :] if p.passed and p.samples >= thermal.LEAST), 0.0
    )


def _takes_w(p: SweepPoint, within: Bounds) -> float:
    """So much power the cooler takes at least by a point at rest: what is over the room grows with power."""
    rises = [(limit - SURE_C - COLD_ROOM_C) / max(temp - COLD_ROOM_C, 1.0) for temp, limit in _temps(p, within)]
    return (p.power_w or 0.0) * min(rises, default=0.0)


def _too_hot(points: Sequence[SweepPoint]) -> list[SweepPoint]:
    """Points that were left for heat. One that was left while the fan could still turn faster was only too fast,
    unless it happened again at no more power."""
    left = [p for p in points if p.verdict is PointVerdict.LIMIT and p.power_w is not None]
    return [p for p in left if not _held(p) or any(q is not p and _not_more(q, p) for q in left)]


def _left(p: SweepPoint, share: float) -> tuple[float, str]:
    return share * (p.power_w or 0.0), f"{p.power_w or 0.0:.1f} W ({p.reason})"


def _shown(p: SweepPoint, points: Sequence[SweepPoint], within: Bounds) -> tuple[float, str]:
    """The power that this point rules out, and why; infinite when it rules out none."""
    nothing, watts = (float("inf"), ""), p.power_w or 0.0
    if p.verdict is PointVerdict.LIMIT:
        if not any(q is p for q in _too_hot(points)):
            return nothing
        over_c = max((0.0, *(temp - limit + NEAR_C / 2 for temp, limit in _temps(p, within))))
        share = LEFT_SHARE - over_c / max(within.max_vr_temp_c - ROOM_C, 10)
        return share * watts, f"{watts:.1f} W ({p.reason})"
    found = [nothing]
    for temp, limit in _temps(p, within):
        if limit - temp <= NEAR_C and not _held(p):
            most = watts * (1 + (limit - MARGIN_C - temp) / max(limit - ROOM_C, 10.0))
            found.append((most, f"{limit:g} °C, reached at about {most:.1f} W"))
    return min(found)


def _temps(p: SweepPoint, within: Bounds) -> list[tuple[float, float]]:
    """Chip and regulator as far as known, each with its limit."""
    both = ((p.chip_temp_c, within.max_chip_temp_c), (p.vr_temp_c, within.max_vr_temp_c))
    return [(temp, limit) for temp, limit in both if temp is not None]


def _not_more(one: SweepPoint, other: SweepPoint) -> bool:
    return (one.power_w or 0.0) <= 1.02 * (other.power_w or 0.0)


def _held(point: SweepPoint) -> bool:
    """The fan had room to hold the chip where it wants it: its temperature says nothing about what is left."""
    return point.fan_pct is not None and point.fan_pct < thermal.FAN_END_PCT


def _stood(before: SweepPoint, after: SweepPoint) -> bool:
    """The newest two points both wanted more and got no further than the same setting: that is the cooler's end."""
    same = abs(before.mhz - after.mhz) < _SAME and before.mv == after.mv
    return same and AS_FAR in before.why and AS_FAR in after.why

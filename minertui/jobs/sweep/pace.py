"""How the adaptive strategy gets to a point: in live steps, each as large as the limits surely allow.

    RUNG     the next settings to write on the way
    WAIT     not yet: the last rung has to show itself, or the fan has to catch up
    BACK     too fast for the fan: a little less, until it has caught up
    LEAVE    heading into a limit: something lower, now
    MEASURE  arrived, or as far as it goes: from here on readings count

A way down is one step. Voltage and frequency rise together, voltage rounded up, so that the chip is never under-fed.
"""

from __future__ import annotations

import enum
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from minertui.jobs.sweep import evidence, transient
from minertui.jobs.sweep.stats import chip_temp_c
from minertui.jobs.sweep.thermal import Trace
from minertui.jobs.sweep.transient import WORST, Response
from minertui.jobs.sweep.walk import Target
from minertui.model.plans import SweepPlan
from minertui.model.ranking import Bounds

DWELL_S = 10.0  # between two rungs: two polls
SETTLE_S = 20.0  # between the last rung and the first reading that counts; the firmware needs 2 s to follow
PATIENCE_S = 240.0  # for the fan to make room
FLAT_PCT_PER_S = 0.01  # a fan that moves less has done what it can
RUNG_MHZ, RUNG_MV = 25.0, 25.0  # safety's own largest step
RUNG_HEAT = 0.02  # heat of a rung that is worth its writes
BACK_SHARE = 0.03  # of the clock is given back where the fan could not keep up
SMALL_S, SINGLE_S = 20.0, 40.0  # waited before a smaller one
EASE_HEAT = 0.05  # of the heat goes first where a point was left for a temperature: 2 °C once that has shown,
EASE_C = 0.5  # and it goes on when that is so far under its limit: 80 s at a slow heat sink
EASE_S, EASE_MOST_S = 60.0, 240.0  # not falling for so long: as much again; so long at most
PROBE_MV = 10.0
AS_FAR = "as far as the limits allow"
BAD_ERRORS = 0.7  # of max_error_pct, on the way: no need to go further
PROBE_ERRORS = 0.2  # the same where the begin of errors is looked for


class Do(enum.Enum):
    """What to do now; see the top of the file."""

    RUNG = "step"
    WAIT = "wait"
    BACK = "back"
    LEAVE = "leave"
    MEASURE = "measure"


class Move(NamedTuple):
    """What to do, the settings for it, and why in words."""

    do: Do
    to: Target
    why: str = ""


class Way(NamedTuple):
    """From where, where the miner is on it, to where. ``weak``: it was not stable where it began;
    ``error_pct``: the errors there."""

    origin: Target
    here: Target
    target: Target
    weak: bool = False
    error_pct: float = 0.0

    def eased(self) -> Way:
        """From a setting that was not stable all of the voltage first: on the straight way none would be."""
        if not self.weak or self.here.mv >= self.target.mv:
            return self
        return self._replace(target=Target(min(self.here.mhz, self.target.mhz), self.target.mv))


def on_the_way(
    plan: SweepPlan,
    within: Bounds,
    way: Way,
    trail: Sequence[Trace],
    changed_s: float,
    growth: float,
    response: Response = WORST,
) -> Move:
    """What to do at the newest reading of ``trail``; the last change was at ``changed_s``, ``growth`` of the
    heat had not shown yet then, and the temperatures answer by ``response``."""
    here, easing, way = way.here, way.eased() != way, way.eased()
    target = way.target
    since_s = trail[-1].at_s - changed_s
    leave = transient.leaving(trail, changed_s, growth, within, response) if since_s >= DWELL_S else None
    if leave is not None:
        to = Target(max(within.min_mhz, here.mhz - _back_mhz(plan, here)), here.mv)
        helps = transient.fan_answers(trail) and not transient.drawing(trail, changed_s, within)
        if helps and to.mhz < here.mhz:
            return Move(Do.BACK, to, leave)
        return Move(Do.LEAVE, here, leave)
    if since_s < DWELL_S:
        return Move(Do.WAIT, here)
    if same(here, target):
        return Move(Do.MEASURE if since_s >= SETTLE_S else Do.WAIT, here)
    bad = (
        ""
        if easing or same(here, way.origin)
        else _bad(plan, trail, changed_s, _errors_shown(plan, way) if target.probe else BAD_ERRORS)
    )
    if heat(target) <= heat(here) and not (bad and target.probe):
        to = down(plan, here, target)
        return Move(Do.RUNG, to)
    if bad:
        return Move(Do.MEASURE, here, bad)
    room, why = transient.room(trail, changed_s, growth, within, response)
    return _up(plan, way, trail, since_s, room, why)


def hot(trail: Sequence[Trace], within: Bounds) -> bool:
    """True when a temperature is at its limit and no fan will answer that."""
    if not trail or transient.fan_answers(trail):
        return False
    pairs = ((chip_temp_c, within.max_chip_temp_c), (lambda s: s.vr_temp_c, within.max_vr_temp_c))
    temps = [(transient.smoothed(trail, read, 3), limit) for read, limit in pairs]
    return any(temp is not None and temp > limit - EASE_C for temp, limit in temps)


def eased(plan: SweepPlan, within: Bounds, here: Target, target: Target) -> Target:
    """Where a temperature surely falls, on the way from ``here``: the target if that is cool enough, for a probe down
    the first such voltage, else less clock."""
    most = heat(here) * (1 - EASE_HEAT)
    if heat(target) <= most and not target.probe:
        return target
    mv = here.mv
    while target.mv < mv and target.mhz <= here.mhz:
        mv = round(max(target.mv, mv - plan.step_mv))
        if heat(Target(target.mhz, mv)) <= most:
            return Target(target.mhz, mv)
    steps = -(-here.mhz * EASE_HEAT // plan.step_mhz)
    return Target(max(min(here.mhz, within.min_mhz), here.mhz - steps * plan.step_mhz), here.mv)


def _back_mhz(plan: SweepPlan, here: Target) -> float:
    return max(plan.step_mhz, round(BACK_SHARE * here.mhz / plan.step_mhz) * plan.step_mhz)


def first(here: Target, target: Target) -> Target:
    """The first write towards ``target``: all of a way down, nothing yet of a way up (``here`` is written again)."""
    down = heat(target) <= heat(here) and not target.probe
    return target if down or not here.mhz else here


def down(plan: SweepPlan, here: Target, target: Target) -> Target:
    """All the way down; a probe in small steps."""
    if not target.probe or here.mv <= target.mv:
        return target
    step = max(plan.step_mv, PROBE_MV // plan.step_mv * plan.step_mv)
    return Target(target.mhz, round(max(target.mv, here.mv - step)))


def heat(at: Target) -> float:
    """V²·F: what heat grows with at most in proportion."""
    return max(at.mv * at.mv * at.mhz, 1e-9)


def _up(plan: SweepPlan, way: Way, trail: Sequence[Trace], since_s: float, room: float, why: str) -> Move:
    here, to = way.here, rung(plan, way, room)
    grown = heat(to) / heat(here) - 1
    if not same(to, here) and (same(to, way.target) or since_s >= _worth_waiting_s(grown)):
        return Move(Do.RUNG, to, why)
    fan = transient.smoothed(trail, lambda s: s.fan_pct)
    moving = abs(transient.trend_per_s(trail, lambda s: s.fan_pct)) > FLAT_PCT_PER_S
    helpless = plan.max_fan_pct is None and (fan is None or fan >= 99.0 or not moving)
    done = since_s >= PATIENCE_S or (since_s >= 75.0 and helpless)
    return Move(Do.MEASURE, here, f"{AS_FAR}: {why}") if done else Move(Do.WAIT, here, why)


def _worth_waiting_s(grown: float) -> float:
    """A small rung is only made after so many seconds without room for a larger one: every write wears the flash, and
    safety allows a number of raises an hour."""
    return DWELL_S if grown >= RUNG_HEAT else SMALL_S if grown >= RUNG_HEAT / 2 else SINGLE_S


def rung(plan: SweepPlan, way: Way, room: float) -> Target:
    """The furthest point on the straight way to the target, on the plan's steps, that grows heat by ``room`` at most;
    or one step of voltage or clock, whichever is due."""
    here, target = way.here, way.target
    share = 1.0
    if target.mhz > here.mhz:
        share = min(share, RUNG_MHZ / (target.mhz - here.mhz))
    if target.mv > here.mv:
        share = min(share, RUNG_MV / (target.mv - here.mv))
    while share > 0.01:
        to = _stepped(plan, here, target, share)
        if same(to, here):
            break
        if heat(to) <= heat(here) * (1 + room):
            return to
        share *= 0.8
    to = _single(plan, way)
    return to if heat(to) <= heat(here) * (1 + room) else here


def _single(plan: SweepPlan, way: Way) -> Target:
    """One step: of voltage when the line from the origin asks for more at the next clock, else of the clock."""
    origin, here, target = way[:3]
    mhz = min(here.mhz + plan.step_mhz, target.mhz) if target.mhz > here.mhz else target.mhz
    mv = min(here.mv + plan.step_mv, target.mv) if target.mv > here.mv else here.mv
    if mhz <= here.mhz or target.mhz <= origin.mhz:
        return Target(mhz, mv)
    due = origin.mv + (mhz - origin.mhz) * (target.mv - origin.mv) / (target.mhz - origin.mhz)
    return Target(here.mhz, mv) if mv > here.mv and here.mv < due - plan.step_mv / 2 else Target(mhz, here.mv)


def _stepped(plan: SweepPlan, here: Target, target: Target, share: float) -> Target:
    """``share`` of the way, on the plan's steps; voltage rounded up, and lowered only on arrival."""
    if share >= 1.0:
        return target
    mhz = target.mhz
    if target.mhz > here.mhz:
        mhz = here.mhz + int((target.mhz - here.mhz) * share / plan.step_mhz + 1e-6) * plan.step_mhz
    if mhz == here.mhz and target.mhz > here.mhz:
        return here
    steps = -(-max(0, target.mv - here.mv) * share // plan.step_mv)
    return Target(mhz, round(min(max(target.mv, here.mv), here.mv + steps * plan.step_mv)))


def _errors_shown(plan: SweepPlan, way: Way) -> float:
    """Where a probe stops, as a share of ``max_error_pct``: when more errors show than where it began."""
    return min(BAD_ERRORS, PROBE_ERRORS + way.error_pct / plan.max_error_pct)


def _bad(plan: SweepPlan, trail: Sequence[Trace], changed_s: float, share: float) -> str:
    """Why going on is pointless: this rung fails already."""
    seen = [t.status for t in trail if t.at_s >= changed_s + 5.0]
    errors = [s.error_pct for s in seen if s.error_pct is not None]
    if len(errors) >= 2 and statistics.fmean(errors) > share * plan.max_error_pct:
        return f"{statistics.fmean(errors):.2f} % errors on the way"
    ratio, error = evidence.ratio_of(seen)
    if len(seen) >= 2 and ratio is not None and ratio + 2.5 * error < plan.tolerance:
        return f"{ratio:.0%} of the expected hashrate on the way"
    return ""


def same(a: Target, b: Target) -> bool:
    """The same settings, whatever for."""
    return abs(a.mhz - b.mhz) < 1e-6 and a.mv == b.mv

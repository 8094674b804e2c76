"""What a sweep may do, how long it may take and what won: pure sums that the job, the command line and the screen
share.

Only points that passed compete. The grid's estimate is the longest climb that it can make, the adaptive strategy's what
boards take as a rule; what is told on the way is never more than what was told at the start, unless nothing passes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count

import msgspec

from minertui.model.plans import Goal, Limits, Strategy, SweepPlan, SweepPoint
from minertui.model.status import Ability, MinerStatus

SETTLE_LEAST_S = 60.0  # the firmware's averages and the heat sink need a minute after a live change
SETTLE_RESTART_S = 90.0  # the reference scripts' wait after a restart
ADAPTIVE_POINTS = 10  # rarely more before the winner is confirmed; usually five to eight
SILENT_POINTS = 20  # the same where the firmware reports no errors: usually seven to thirty
ADAPTIVE_CLIMB_S = 60.0  # live steps to a point and the wait for its heat
ADAPTIVE_LOOK_S = 60.0  # readings until the errors of a point are known
GUIDE_POWER_W = 28.0  # the parallel guide's limit
BOARD_POWER = 0.9  # share of a 12 V board's own maximum; a NerdQAxe++ of 100 W draws 74 W as it is sold
REBOOT_S = 30.0  # a usual reboot, for the estimate only
WILD_C, WILD_POWER = 3.0, 1.1
"""So far over a limit (°C, and of the power) one reading counts by itself, where the mean of many is kept under it."""
_SAME = 1e-6


class Bounds(msgspec.Struct, frozen=True):
    """What a sweep keeps within: the plan's limits, lowered by the device's own. MHz, mV, °C, W, %."""

    min_mhz: float
    max_mhz: float
    min_mv: int
    max_mv: int
    max_chip_temp_c: float
    max_vr_temp_c: float
    max_power_w: float
    max_fan_pct: float | None = None

    def clamped(self, mhz: float, mv: float) -> tuple[float, int]:
        """The nearest settings inside."""
        return min(max(mhz, self.min_mhz), self.max_mhz), round(min(max(mv, self.min_mv), self.max_mv))


def bounds(plan: SweepPlan, status: MinerStatus | None = None, limits: Limits | None = None) -> Bounds:
    """The plan's limits joined with ``limits`` (those in force for the device) and the maxima it publishes; always the
    stricter one."""
    limits = limits or Limits()
    return Bounds(
        min_mhz=_highest(plan.min_mhz, limits.min_mhz),
        max_mhz=_lowest(plan.max_mhz, limits.max_mhz, status.cap_mhz if status else None),
        min_mv=round(_highest(plan.min_mv, limits.min_mv)),
        max_mv=int(_lowest(plan.max_mv, limits.max_mv, status.cap_mv if status else None)),
        max_chip_temp_c=_lowest(plan.max_chip_temp_c, limits.max_chip_temp_c),
        max_vr_temp_c=_lowest(plan.max_vr_temp_c, limits.max_vr_temp_c),
        max_power_w=_lowest(_power_w(status) if plan.max_power_w is None else plan.max_power_w, limits.max_power_w),
        max_fan_pct=plan.max_fan_pct,
    )


def wild(plan: SweepPlan, within: Bounds) -> Bounds:
    """Where one reading alone says that a limit is reached. A strategy that walks in live steps leaves a setting before
    the mean of half a minute gets there, so that a single reading near a limit is noise."""
    if plan.strategy is not Strategy.ADAPTIVE:
        return within
    return msgspec.structs.replace(
        within,
        max_chip_temp_c=within.max_chip_temp_c + WILD_C,
        max_vr_temp_c=within.max_vr_temp_c + WILD_C,
        max_power_w=within.max_power_w * WILD_POWER,
    )


def difference(before: Bounds, after: Bounds) -> str:
    """``max_mhz 700 → 600, max_power_w 28 → 20``; empty when nothing differs."""
    was, now = msgspec.structs.asdict(before), msgspec.structs.asdict(after)
    return ", ".join(f"{key} {was[key]:g} → {now[key]:g}" for key in now if was[key] != now[key])


def start(plan: SweepPlan, status: MinerStatus | None, within: Bounds) -> tuple[float, int] | None:
    """Where the walk begins, MHz and mV: the plan's start or what the miner runs now, inside the bounds; None when
    neither is known."""
    mhz = plan.start_mhz if plan.start_mhz is not None else (status.frequency_mhz if status else None)
    mv = plan.start_mv if plan.start_mv is not None else (status.core_mv if status else None)
    return None if mhz is None or mv is None else within.clamped(mhz, mv)


def unreachable(plan: SweepPlan, status: MinerStatus | None = None, limits: Limits | None = None) -> str:
    """Why the plan cannot begin as it says, with the range that is allowed, in one sentence; empty when it can. What is
    asked for is never bent without a word: a start outside is refused, the rest of a plan is ``lowered``."""
    within = bounds(plan, status, limits)
    rows: tuple[tuple[str, float | None, float, float, float, float], ...] = (
        ("MHz", plan.start_mhz, plan.min_mhz, plan.max_mhz, within.min_mhz, within.max_mhz),
        ("mV", plan.start_mv, plan.min_mv, plan.max_mv, within.min_mv, within.max_mv),
    )
    for unit, begin, lowest, highest, floor, cap in rows:
        if floor > cap:
            ends = f"end at {cap:g}" if cap < lowest else f"begin at {floor:g}"
            whose = f"of this sweep's {lowest:g}..{highest:g} {unit} nothing is allowed"
            return f"{whose}: the limits in force on {_kind(status)} {ends} {unit}"
        if begin is not None and not floor <= begin <= cap:
            own = not lowest <= begin <= highest
            whose = "this sweep keeps within" if own else f"the limits in force on {_kind(status)} allow"
            return f"it cannot start at {begin:g} {unit}: {whose} {floor:g}..{cap:g} {unit}"
    return ""


def lowered(plan: SweepPlan, status: MinerStatus | None = None, limits: Limits | None = None) -> str:
    """What of the plan the limits in force do not allow, in one sentence; empty when all of it."""
    within = bounds(plan, status, limits)
    rows = (
        ("ends at {} MHz", within.max_mhz, plan.max_mhz),
        ("ends at {} mV", within.max_mv, plan.max_mv),
        ("does not go under {} MHz", within.min_mhz, plan.min_mhz),
        ("does not go under {} mV", within.min_mv, plan.min_mv),
        ("stops at {} °C chip", within.max_chip_temp_c, plan.max_chip_temp_c),
        ("stops at {} °C VR", within.max_vr_temp_c, plan.max_vr_temp_c),
        ("stops at {} W", within.max_power_w, plan.max_power_w),
    )
    less = ((text.format(f"{ours:g}"), asked) for text, ours, asked in rows if asked is not None and ours != asked)
    said = [f"{text} instead of {asked:g}" for text, asked in less]
    return f"limits in force on {_kind(status)}: the sweep {', '.join(said)}" if said else ""


def over_now(plan: SweepPlan, status: MinerStatus | None, limits: Limits | None = None) -> str:
    """What the miner is at or over already that the sweep keeps under, in one sentence: such a miner is slowed down
    before the first point. Empty when it is under all of it."""
    within, status = bounds(plan, status, limits), status or MinerStatus()
    rows = (
        ("draws", status.power_w, within.max_power_w, "W"),
        ("has a chip of", status.chip_temp_c, within.max_chip_temp_c, "°C"),
        ("has a regulator of", status.vr_temp_c, within.max_vr_temp_c, "°C"),
    )
    over = [
        f"{what} {value:.4g} {unit} (under {most:g})"
        for what, value, most, unit in rows
        if value is not None and (value > most if unit == "W" else value >= most)
    ]
    return f"it {', '.join(over)} now: it is slowed down before the first point" if over else ""


def moved(plan: SweepPlan, status: MinerStatus | None, limits: Limits | None = None) -> str:
    """Where the sweep starts instead of at what the miner runs, when that is outside; empty when it starts there."""
    begin = start(plan, status, bounds(plan, status, limits))
    if begin is None or status is None:
        return ""
    rows = (
        ("MHz", plan.start_mhz, status.frequency_mhz, begin[0]),
        ("mV", plan.start_mv, status.core_mv, begin[1]),
    )
    return "; ".join(
        f"it runs {runs:g} {unit} now, outside the range: the sweep starts at {at:g} {unit}"
        for unit, asked, runs, at in rows
        if asked is None and runs is not None and abs(runs - at) >= 1
    )


def restarts(plan: SweepPlan, status: MinerStatus | None) -> bool:
    """True when every point needs a restart: the plan wants it, or the firmware (AxeOS < 2.2) cannot change live."""
    return plan.restart or not live(status)


def live(status: MinerStatus | None) -> bool:
    """False for firmware where a change takes effect at a restart only (AxeOS < 2.2)."""
    return status is None or Ability.TUNE not in status.abilities or Ability.TUNE_LIVE in status.abilities


def settle_seconds(plan: SweepPlan, restart: bool) -> float:
    """Seconds between a change and the first sample that counts."""
    return max(plan.settle_s, SETTLE_RESTART_S if restart else SETTLE_LEAST_S)


def samples_per_point(plan: SweepPlan) -> int:
    """Samples of a whole point, at least one."""
    return max(1, int(plan.measure_s / plan.sample_s + _SAME))


def point_seconds(plan: SweepPlan, restart: bool) -> float:
    """Seconds a whole point takes, from the change to the last sample."""
    measuring = (samples_per_point(plan) - 1) * plan.sample_s
    return settle_seconds(plan, restart) + measuring + (REBOOT_S if restart else 0.0)


def longest(plan: SweepPlan, within: Bounds, mhz: float, mv: float) -> int:
    """Points of the longest climb from ``mhz``/``mv``: every voltage step costs one step of frequency, which is then
    climbed again."""
    up_f = max(0, int((within.max_mhz - mhz) / plan.step_mhz + _SAME)) if plan.step_mhz > 0 else 0
    up_v = max(0, int((within.max_mv - mv) / plan.step_mv + _SAME)) if plan.step_mv > 0 else 0
    return 1 + up_f + 2 * up_v


def longest_down(plan: SweepPlan, within: Bounds, mhz: float, mv: float) -> int:
    """Points of the longest descent from ``mhz``/``mv``: every voltage and every frequency below, once."""
    down_f = max(0, int((mhz - within.min_mhz) / plan.step_mhz + _SAME)) if plan.step_mhz > 0 else 0
    down_v = max(0, int((mv - within.min_mv) / plan.step_mv + _SAME)) if plan.step_mv > 0 else 0
    return 1 + down_f + down_v


def adaptive_points(status: MinerStatus | None) -> int:
    """Points that the adaptive strategy measures as a rule before it confirms the winner."""
    return SILENT_POINTS if status is None or status.error_pct is None else ADAPTIVE_POINTS


def adaptive_seconds(plan: SweepPlan, status: MinerStatus | None, restart: bool) -> tuple[float, float]:
    """Seconds that the adaptive strategy takes for a point as a rule, and for confirming the winner. Without an error
    percentage (or as long as it is not known) a point has to be looked at for much longer."""
    silent = status is None or status.error_pct is None
    look_s = min(plan.measure_s, plan.measure_s / 2 if silent else ADAPTIVE_LOOK_S)
    way_s = settle_seconds(plan, restart) + REBOOT_S if restart else ADAPTIVE_CLIMB_S
    return way_s + look_s, way_s + max(plan.soak_s, look_s)


def estimate(plan: SweepPlan, status: MinerStatus | None = None, limits: Limits | None = None) -> tuple[int, float]:
    """Points and seconds (of the program's clock) that the sweep takes at most, for the adaptive strategy as a rule; a
    plateau or a limit ends it sooner."""
    within = bounds(plan, status, limits)
    mhz, mv = start(plan, status, within) or (within.min_mhz, within.min_mv)
    if plan.strategy is Strategy.ADAPTIVE:
        each, soak = adaptive_seconds(plan, status, restarts(plan, status))
        search = adaptive_points(status)
        return search + 1, search * each + soak
    points = longest(plan, within, mhz, mv)
    return points, points * point_seconds(plan, restarts(plan, status))


def ranked(points: Sequence[SweepPoint], goal: Goal = Goal.HASHRATE) -> tuple[SweepPoint, ...]:
    """The points that passed, best first; a point without the goal's number is left out. Ties: the cooler voltage, then
    the earlier point."""
    if goal is Goal.EFFICIENCY:
        rows = [(p.efficiency_jth, p) for p in points if p.passed and p.efficiency_jth is not None]
    else:
        rows = [(-p.hashrate_ghs, p) for p in points if p.passed and p.hashrate_ghs is not None]
    order = count()
    return tuple(p for _, _, _, p in sorted((value, p.mv, next(order), p) for value, p in rows))


def best(points: Sequence[SweepPoint], goal: Goal = Goal.HASHRATE) -> SweepPoint | None:
    """The winner, or None when no point passed. Once a point was confirmed by a soak only such points compete, by what
    all points together say of them: neither a short look nor a soak that happened to read high wins by that."""
    soaked = [point for point in points if point.soak and point.passed]
    order = ranked([_likely(point) for point in soaked] or points, goal)
    if not order:
        return None
    return next((point for point in soaked if point.n == order[0].n), order[0])


def leading(points: Sequence[SweepPoint], by: Goal, goal: Goal) -> tuple[SweepPoint, ...]:
    """The settings that passed, each once, by its soak where it has one; ranked ``by`` this. Where that is the sweep's
    ``goal`` its winner leads: a short look that happened to read higher does not."""
    settings: dict[tuple[float, int], SweepPoint] = {}
    for point in sorted(ranked(points, by), key=lambda p: not p.soak):
        settings.setdefault((point.mhz, point.mv), point)
    winner = best(points, goal) if by is goal else None
    if winner is not None:
        settings[(winner.mhz, winner.mv)] = winner
    return tuple(sorted(ranked(tuple(settings.values()), by), key=lambda p: p is not winner))


def _likely(point: SweepPoint) -> SweepPoint:
    ghs = point.likely_ghs
    if ghs is None:
        return point
    jth = point.power_w / (ghs / 1000) if point.power_w and ghs else None
    return msgspec.structs.replace(point, hashrate_ghs=ghs, efficiency_jth=jth)


def frontier(points: Sequence[SweepPoint]) -> tuple[SweepPoint, ...]:
    """The points that passed and that no other beats in hashrate at no more power, least power first."""
    known = [(p.power_w, -p.hashrate_ghs, p.n, p) for p in points if p.passed and p.power_w and p.hashrate_ghs]
    found: list[SweepPoint] = []
    for _, rate, _, point in sorted(known):
        if not found or -rate > (found[-1].hashrate_ghs or 0.0):
            found.append(point)
    return tuple(found)


def _kind(status: MinerStatus | None) -> str:
    return f"this {status.model}" if status and status.model else "this miner"


def _power_w(status: MinerStatus | None) -> float:
    """Where nobody says it. The guide's boards run on 5 V, and its supplies give 30 W; boards on 12 V draw more than
    that before a sweep raises anything, and their firmware or their table says what they are built for."""
    most = status.max_power_w if status else None
    if status is None or status.nominal_input_v != 12 or not most or not math.isfinite(most):
        return GUIDE_POWER_W
    return most * BOARD_POWER


def _lowest(*values: float | None) -> float:
    return min(v for v in values if v is not None)


def _highest(*values: float | None) -> float:
    return max(v for v in values if v is not None)

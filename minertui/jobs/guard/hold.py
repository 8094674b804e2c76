"""Holding a temperature along the frontier that a sweep left: voltage with frequency, so less volts when it must slow.

    warmer than wanted by half the hysteresis   → the highest setting that is predicted not to be
    cooler by as much                           → up, by one step at most, when the prediction stays under it
    in between                                  → nothing

Predicted is where a temperature ends, from where it rests now: what is over the room's grows with V²·F. The room is
taken as 25 °C until a change's own effect tells more. While an automatic fan has a fifth of its speed left the chip
is as warm as the fan wants it, and the fan takes what one step brings. A sensor at its limit is not dealt with here:
the guard then lowers at once, as ever.

One write moves one value: down the clock first and then the voltage, up the voltage first. So nothing waits between
two of them, the next reading is judged for a limit before the second, and the voltage is enough at every instant.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace

from minertui.model.commands import Tune
from minertui.model.frontier import Known, Setting
from minertui.model.holding import GRID_MHZ, target_c
from minertui.model.plans import GuardPlan, Limits
from minertui.model.status import MinerStatus
from minertui.safety.request import RULES
from minertui.safety.samples import hashing, valid_temp
from minertui.safety.settings import SAME, Settings

ANSWER_S = 180.0
"""Two time constants of a heat sink (90 s, see docs/sweeps.md): what a step down gets before the next is judged."""
_MEAN_S = 60.0
_LEAST_READINGS = 3
_LEAST_ERRORS = 6  # readings that a mean of errors needs, as in a sweep
_GAP_S = 120.0  # after a longer silence nothing is known of the time between
LEAST_MHZ = 6.25
"""A PLL step."""
_SAME_MHZ = 0.99  # firmware that stores whole MHz leaves off what is over a limit
_ROOM_C, _ROOM_RANGE_C = 25.0, (5.0, 45.0)
_LEARN = 0.3  # weight of one change's effect
_LEARN_HEAT = 0.03  # less heat than that drowns in noise
_ROOM_KEPT_S = 6 * 3600.0  # in a quarter of a day a room goes from its mean to its warmest
_FAN_ROOM_PCT, _FAN_END_PCT = 80.0, 99.0


@dataclass(frozen=True)
class Seen:
    """What one reading said; boot-time seconds, °C, %, W."""

    at_s: float
    chip_c: float
    vr_c: float | None
    error_pct: float | None
    power_w: float | None


@dataclass(frozen=True)
class Lesson:
    """How it was before a change, with a fan that could do no more: heat as mV²·MHz, and °C."""

    at_s: float
    heat: float
    chip_c: float


@dataclass(frozen=True)
class Hold:
    """All that is remembered. ``since_s``: since when it has worked undisturbed at these settings, None: it does not.
    ``off``: why the frontier is not used, in words."""

    known: Known | None = None
    off: str = ""
    goal_mhz: float | None = None
    at: tuple[float | None, float | None] = (None, None)
    fan: tuple[bool | None, float | None] = (None, None)
    uptime_s: float | None = None
    since_s: float | None = None
    tried_s: float = -math.inf  # the last write that was refused
    seen: tuple[Seen, ...] = ()
    room_c: float = _ROOM_C
    lesson: Lesson | None = None


@dataclass(frozen=True)
class Reach:
    """From where to where it may move, MHz, and the caps in force; how many raises are left today; by which factor its
    load (V²·F) may grow, and what bounds that, in words."""

    low_mhz: float
    top_mhz: float
    caps: Limits
    raises_left: int
    growth: float = math.inf
    bound: str = ""


@dataclass(frozen=True)
class Moment:
    """All that a decision is taken from: where it is (MHz, mV), where its temperatures rest (°C, the regulator's where
    there is one), for how long nothing has changed (s), and what the fan does."""

    hold: Hold
    plan: GuardPlan
    reach: Reach
    mhz: float
    mv: float
    rest_c: tuple[float, float | None]
    waited_s: float
    fan_has_room: bool

    @property
    def wanted_c(self) -> tuple[float, float]:
        """What chip and regulator are held at."""
        return target_c(self.plan), self.plan.max_vr_temp_c - self.plan.hysteresis_c

    @property
    def over_c(self) -> float:
        """By how much the warmer one is over that. A chip whose fan could do more is as warm as its fan wants it."""
        chip_c, vr_c = (None if r is None else r - w for r, w in zip(self.rest_c, self.wanted_c, strict=True))
        assert chip_c is not None  # nothing is decided without it
        chip_c = min(chip_c, 0.0) if self.fan_has_room else chip_c
        return chip_c if vr_c is None else max(chip_c, vr_c)

    def setting(self, mhz: float) -> Setting | None:
        """The frontier's for this clock, within the caps."""
        return _setting(self.hold, mhz, self.reach)

    def bears(self, there: Setting) -> bool:
        """May its load grow to that of this setting?"""
        return _heat(there.mhz, there.mv) <= self.reach.growth * _heat(self.mhz, self.mv)

    def fits(self, mhz: float) -> bool:
        """Would both temperatures end at or under what is held?"""
        there = self.setting(mhz)
        if there is None:
            return False
        mv = there.mv if mhz > self.mhz else min(there.mv, self.mv)
        more, room_c = _heat(mhz, mv) / _heat(self.mhz, self.mv) - 1, self.hold.room_c
        return all(
            rest + max(0.0, rest - room_c) * more <= want
            for rest, want in zip(self.rest_c, self.wanted_c, strict=True)
            if rest is not None
        )


def silent(plan: GuardPlan, poll_s: float, gap_s: float) -> bool:
    """True when nothing is known of the time between two readings: over three polls, and over two minutes."""
    return gap_s > max(_GAP_S, 3 * poll_s, 3 * (plan.check_s or 0))


def watch(hold: Hold, plan: GuardPlan, status: MinerStatus, poll_s: float, now_s: float) -> Hold:
    """Take a reading in. A change of settings, a reboot, no work, a silence or a dead sensor begin a new stretch. What
    another setting of the fan did to the temperature is no change's effect: nothing is learned from it."""
    at, up_s = (status.frequency_mhz, status.core_mv), status.uptime_s
    rebooted = up_s is not None and hold.uptime_s is not None and up_s < hold.uptime_s
    lost = bool(hold.seen) and silent(plan, poll_s, now_s - hold.seen[-1].at_s)
    works, chip = _works(status), status.chip_temp_c
    fan = (status.fan_auto, status.temp_target_c if status.fan_auto else status.fan_manual_pct)
    if fan != hold.fan:
        hold = replace(hold, fan=fan, lesson=None, since_s=None)
    if at != hold.at or rebooted or lost or not works or hold.since_s is None:
        return replace(hold, at=at, uptime_s=up_s, since_s=now_s if works else None, seen=())
    assert chip is not None  # it works
    kept = [s for n, s in enumerate(hold.seen) if now_s - s.at_s <= plan.hold_dwell_s or n >= len(hold.seen) - 6]
    seen = Seen(now_s, chip, status.vr_temp_c, status.error_pct, status.power_w)
    return replace(hold, uptime_s=up_s, seen=(*kept, seen))


def recalled(hold: Hold, room: tuple[float, float] | None) -> Hold:
    """With the room (°C) that was learned so many seconds ago, by this guard or an earlier one of the board; what is
    too old, or no room, is as good as nothing."""
    if room is None or not (0 <= room[1] <= _ROOM_KEPT_S and _ROOM_RANGE_C[0] <= room[0] <= _ROOM_RANGE_C[1]):
        return hold
    return replace(hold, room_c=room[0])


def _works(status: MinerStatus) -> bool:
    vr = status.vr_temp_c
    return hashing(status) and valid_temp(status.chip_temp_c) and (vr is None or valid_temp(vr))


def worn(hold: Hold, plan: GuardPlan, now_s: float) -> str:
    """Why the setting that it runs would not pass its sweep any more, in words; empty when it would."""
    errors = [s.error_pct for s in hold.seen if s.error_pct is not None]
    long = hold.since_s is not None and now_s - hold.since_s >= plan.hold_dwell_s
    if hold.known is None or not long or len(errors) < _LEAST_ERRORS or not _on(hold, hold.known):
        return ""
    mean = sum(errors) / len(errors)
    if mean < hold.known.max_error_pct:
        return ""
    return f"{mean:.2g} % errors here now, and its sweep passed under {hold.known.max_error_pct:g} %"


def _on(hold: Hold, known: Known) -> bool:
    mhz, mv = hold.at
    there = None if mhz is None else known.frontier.at(mhz)
    return there is not None and mv is not None and abs(there.mv - mv) <= SAME


def move(hold: Hold, plan: GuardPlan, status: MinerStatus, reach: Reach, now_s: float) -> tuple[Hold, Tune | None, str]:
    """The write that is due (None: none), and why. The caller has seen that the frontier is this board's, that no
    sensor is at its limit, and that frequency and voltage are known."""
    mhz, mv, (chip_c, vr_c) = status.frequency_mhz, status.core_mv, _rests(hold, now_s)
    if chip_c is None or not mhz or not mv:
        return hold, None, "its temperature is not known well enough yet to hold it"
    since_s = now_s if hold.since_s is None else hold.since_s
    waited_s = now_s - max(since_s, hold.tried_s)
    at = Moment(hold, plan, reach, mhz, mv, (chip_c, vr_c), waited_s, _fan_has_room(status))
    if hold.goal_mhz is not None and hold.goal_mhz > mhz and at.over_c > 0:
        hold = replace(hold, goal_mhz=mhz)  # warm enough already: no further
    if (going := towards(hold, status, reach)) is not None:
        return hold, going, f"{chip_c:.1f} °C: {sets(going)}, along its frontier"
    hold = _learned(replace(hold, goal_mhz=None), plan, status, chip_c, now_s)
    goal, why = _wish(replace(at, hold=hold))
    if goal is None:
        return hold, None, f"at {Settings(mhz, mv).tune_text}, {chip_c:.1f} °C, holds {target_c(plan):g} °C{why}"
    lesson = Lesson(now_s, _heat(mhz, mv), chip_c) if _fan_ended(status) else None
    hold = replace(hold, goal_mhz=goal, lesson=lesson)
    return hold, towards(hold, status, reach), f"{chip_c:.1f} °C, holds {target_c(plan):g} °C: {why} along its frontier"


def towards(hold: Hold, status: MinerStatus, reach: Reach) -> Tune | None:
    """The next single write on the way to the goal; None when it is reached, or nothing is known."""
    mhz, mv = status.frequency_mhz, status.core_mv
    if hold.goal_mhz is None or mhz is None or mv is None:
        return None
    there = _setting(hold, hold.goal_mhz, reach)
    if there is None:
        return None
    if there.mhz < mhz - _SAME_MHZ:
        return Tune(frequency_mhz=there.mhz)
    if there.mhz > mhz + _SAME_MHZ:
        if there.mv > mv + SAME:
            return Tune(core_mv=round(min(there.mv, mv + RULES.step_mv)))
        return Tune(frequency_mhz=min(there.mhz, mhz + RULES.step_mhz))
    arrived = status.actual_mhz is None or status.actual_mhz <= mhz + LEAST_MHZ
    return Tune(core_mv=there.mv) if there.mv < mv - SAME and arrived else None


def sets(tune: Tune) -> str:
    """The one value that a write of the guard sets, in words."""
    return f"{tune.core_mv} mV" if tune.core_mv is not None else f"{tune.frequency_mhz:g} MHz"


def _setting(hold: Hold, mhz: float, reach: Reach) -> Setting | None:
    """The frontier's setting for this clock within the caps; a user's lowest voltage holds here too."""
    there = None if hold.known is None else hold.known.frontier.at(mhz)
    least = reach.caps.min_mv or 0
    if (
        there is None
        or mhz > (reach.caps.max_mhz or math.inf)
        or max(there.mv, least) > (reach.caps.max_mv or math.inf)
    ):
        return None
    return there if there.mv >= least else _with(there, least)


def _with(there: Setting, mv: int) -> Setting:
    return Setting(there.mhz, mv, there.hashrate_ghs, there.power_w, measured=False)


def _rests(hold: Hold, now_s: float) -> tuple[float | None, float | None]:
    """Chip and regulator over the last minute: medians, which a single jump does not move."""
    last = [s for s in hold.seen if now_s - s.at_s <= _MEAN_S] or list(hold.seen)
    if len(last) < _LEAST_READINGS:
        last = list(hold.seen[-_LEAST_READINGS:])
    if len(last) < _LEAST_READINGS:
        return None, None
    vrs = [s.vr_c for s in last if s.vr_c is not None]
    return statistics.median(s.chip_c for s in last), statistics.median(vrs) if vrs else None


def _wish(at: Moment) -> tuple[float | None, str]:
    """The clock to go to, or None; and why, in words."""
    half_c = at.plan.hysteresis_c / 2
    if at.over_c > half_c:
        return _lower(at)
    if at.over_c >= (0 if at.fan_has_room else -half_c):
        return None, " along its frontier"
    if at.mhz >= at.reach.top_mhz - _SAME_MHZ:
        return None, ": nothing higher is wanted or proven"
    if at.waited_s < at.plan.hold_dwell_s:
        left_s = at.plan.hold_dwell_s - at.waited_s
        return None, f" along its frontier; next step up in {math.ceil(left_s / 60)} min at the earliest"
    return _higher(at)


def _lower(at: Moment) -> tuple[float | None, str]:
    """The highest setting under this one that is predicted not to be too warm, one step down at most."""
    least = min(at.mhz, max(at.reach.low_mhz, at.mhz - at.plan.step_down_mhz))
    same = at.setting(at.mhz)
    trims = same is not None and same.mv < at.mv - SAME
    if least > at.mhz - _SAME_MHZ and not trims:
        return None, f"; already at the floor of {at.reach.low_mhz:g} MHz"
    if at.waited_s < ANSWER_S:
        return None, " along its frontier; waiting for the last change's effect"
    choices = [c for c in _down_from(at.mhz, least) if c <= at.mhz - LEAST_MHZ or c == least]
    choices = [at.mhz, *choices] if trims else choices
    goal = next((c for c in choices if at.fits(c)), choices[-1])
    there = at.setting(goal)
    if there is None:
        return None, ": nothing lower is proven"
    return goal, f"down to {Settings(goal, min(there.mv, at.mv)).tune_text}"


def _higher(at: Moment) -> tuple[float | None, str]:
    """The highest setting, one step up at most, that is predicted to stay under what is held."""
    most = min(at.reach.top_mhz, at.mhz + at.plan.step_up_mhz)
    least = at.mhz + min(LEAST_MHZ, at.reach.top_mhz - at.mhz)
    for goal in (most, *(c for c in _down_from(most, least))):
        there = at.setting(goal)
        if there is None or not at.bears(there) or not (at.fan_has_room or at.fits(goal)):
            continue
        writes = math.ceil((goal - at.mhz) / RULES.step_mhz) + math.ceil(max(0.0, there.mv - at.mv) / RULES.step_mv)
        if writes > at.reach.raises_left:
            return None, "; no more steps up today"
        return goal, f"cool enough, up to {Settings(goal, there.mv).tune_text}"
    there = at.setting(least)
    return None, f"; {at.reach.bound}" if there and not at.bears(there) else "; the least step up would pass it"


def _down_from(mhz: float, least: float) -> list[float]:
    """Clocks under ``mhz`` in steps of the grid, the highest first, ``least`` the last."""
    count = max(0, math.ceil((mhz - least) / GRID_MHZ) - 1)
    return [*(mhz - GRID_MHZ * n for n in range(1, count + 1)), least]


def _heat(mhz: float, mv: float) -> float:
    return mv * mv * mhz


def _fan_has_room(status: MinerStatus) -> bool:
    return bool(status.fan_auto) and status.fan_pct is not None and 0 < status.fan_pct <= _FAN_ROOM_PCT


def _fan_ended(status: MinerStatus) -> bool:
    return status.fan_auto is False or (status.fan_pct is not None and status.fan_pct >= _FAN_END_PCT)


def _learned(hold: Hold, plan: GuardPlan, status: MinerStatus, chip_c: float, now_s: float) -> Hold:
    """What the last change did to the temperature tells the room's: chip − effect / share of the heat."""
    lesson, since_s = hold.lesson, hold.since_s
    if lesson is None or since_s is None or now_s - since_s < plan.hold_dwell_s:
        return hold
    more = _heat(status.frequency_mhz or 0, status.core_mv or 0) / lesson.heat - 1
    hold = replace(hold, lesson=None)
    if abs(more) < _LEARN_HEAT or not _fan_ended(status) or now_s - lesson.at_s > 4 * plan.hold_dwell_s:
        return hold
    room_c = min(max(lesson.chip_c - (chip_c - lesson.chip_c) / more, _ROOM_RANGE_C[0]), _ROOM_RANGE_C[1])
    return replace(hold, room_c=hold.room_c + _LEARN * (room_c - hold.room_c))

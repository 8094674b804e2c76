"""What a raise of frequency or voltage needs: one gate a reason. Each says why not, in a sentence, or None.

The order is the order in which a person would want to hear it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from minertui.model.commands import Tune
from minertui.model.fleet import Health
from minertui.model.plans import Limits
from minertui.model.status import MinerStatus
from minertui.safety import samples
from minertui.safety.limits import FLOOR_MHZ, FLOOR_MV
from minertui.safety.request import DAY_S, HOUR_S, RULES, Request, Rules, goes_up, recent
from minertui.safety.settings import SAME, Settings, number, same

_FAR = 1.15  # of the default: where a raise is worth a warning
_POWER_ROOM = 0.97  # of the limit: a warmer chip takes a few per cent more than a cool one
Gate = Callable[[Request, Tune, MinerStatus], str | None]


def _not_parked(request: Request, _: Tune, __: MinerStatus) -> str | None:
    parked = request.parked or request.snapshot.health is Health.PARKED
    return f"it is parked ({request.snapshot.why or 'by a safety stop'}): clear it first" if parked else None


def _known_start(_: Request, tune: Tune, status: MinerStatus) -> str | None:
    """A raise from an unknown value cannot be stepped, and an unknown partner cannot be ordered."""
    lost = status.frequency_mhz is None or status.core_mv is None
    return "it does not report its present frequency and voltage, so they can only be lowered" if lost else None


def under_floor(status: MinerStatus, base: Settings | None, tune: Tune | None = None) -> str | None:
    """A sentence when it reports less than is ever set here, and that is not what it was at home (``base``), or is what
    ``tune`` would raise: either the reading is wrong, or the way up leads through what no chip can run."""
    ours, wanted = base or Settings(), tune or Tune()
    for have, floor, was, want, unit in (
        (status.frequency_mhz, FLOOR_MHZ, ours.frequency_mhz, wanted.frequency_mhz, "MHz"),
        (status.core_mv, FLOOR_MV, ours.core_mv, wanted.core_mv, "mV"),
    ):
        low = have is not None and not have >= floor - SAME
        if low and (goes_up(want, have) or not same(have, was, SAME)):
            return f"it reports {number(have)} {unit}, less than the {number(floor)} {unit} that are the least there is"
    return None


def _plausible_start(request: Request, tune: Tune, status: MinerStatus) -> str | None:
    why = under_floor(status, request.baseline, tune)
    return why and f"{why}; if that is so, set it at its own page first"


def _under_caps(request: Request, tune: Tune, status: MinerStatus) -> str | None:
    caps = request.limits
    if caps is None or caps.max_mhz is None or caps.max_mv is None:
        return "no limits are known for this model, so it is only watched; it can be lowered, not raised"
    for value, have, cap, unit in (
        (tune.frequency_mhz, status.frequency_mhz, caps.max_mhz, "MHz"),
        (tune.core_mv, status.core_mv, caps.max_mv, "mV"),
    ):
        if goes_up(value, have) and not (value is not None and value <= cap):
            return f"{number(value)} {unit} is above the limit in force, {number(cap)} {unit}"
    return None


def _fresh(request: Request, _: Tune, __: MinerStatus) -> str | None:
    if samples.fresh(request.snapshot, request.now_s):
        return None
    return f"its reading is not fresh{because(request.snapshot.why)}; nothing is raised blindly"


def _settled(request: Request, _: Tune, __: MinerStatus) -> str | None:
    taken = request.snapshot.boot_s
    if request.settled_s is None or (taken is not None and taken > request.settled_s):
        return None
    return "there is no reading yet from after the last change"


def _plausible(request: Request, _: Tune, status: MinerStatus) -> str | None:
    if request.doubt:
        return request.doubt
    found = samples.problems(status, request.before)
    return f"its reading cannot be trusted: {found[0]}" if found else None


def _sound(_: Request, __: Tune, status: MinerStatus) -> str | None:
    if status.overheat:
        return "it is in overheat mode; let it cool, then clear the overheat flag"
    fault = status.power_fault or status.hardware_fault
    if fault:
        return f"the firmware reports a fault: {fault}"
    if samples.core_off(status):
        return "its firmware switched the core off (overheat or supply fault); let it cool, then restart it"
    if status.fan_auto is False and status.fan_pct == 0:
        return "its fan is set to 0 % by hand"
    return None


def _awake(request: Request, tune: Tune, status: MinerStatus) -> str | None:
    """The heat of each step is waited for before the next one; of a paused miner it would come all at once, when it
    goes on. Back to where it was at home it may go."""
    base = request.baseline or Settings()
    pairs = (
        (tune.frequency_mhz, status.frequency_mhz, base.frequency_mhz),
        (tune.core_mv, status.core_mv, base.core_mv),
    )
    above = any(goes_up(want, have) and goes_up(want, was) for want, have, was in pairs)
    return "it is paused, so the heat of a raise would not show: resume it first" if status.paused and above else None


def _cool(request: Request, _: Tune, status: MinerStatus) -> str | None:
    assert request.limits is not None  # _under_caps came before
    why = samples.hot(status, request.limits) or (request.within and samples.hot(status, request.within))
    return None if why is None else f"it is at a limit: {why}"


def _journalled(request: Request, _: Tune, __: MinerStatus) -> str | None:
    if request.journalled:
        return None
    return "the journal cannot be written, so a crash could not be undone; free the disk or mend the state folder"


def _budget(request: Request, _: Tune, __: MinerStatus) -> str | None:
    rules, now = request.rules, request.now_s
    if recent(request.raised_s, now, HOUR_S) >= rules.raises_per_hour:
        return f"it was raised {rules.raises_per_hour} times within an hour, which is the most allowed"
    if recent(request.wrote_s, now, DAY_S) >= rules.writes_per_day:
        return f"it was written {rules.writes_per_day} times within a day, which is the most its flash shall bear"
    return None


GATES: tuple[Gate, ...] = (
    _not_parked,
    _known_start,
    _plausible_start,
    _under_caps,
    _fresh,
    _settled,
    _plausible,
    _sound,
    _awake,
    _cool,
    _journalled,
    _budget,
)


def no_room(then: MinerStatus, now: MinerStatus, seconds: float, limits: Limits, rules: Rules = RULES) -> str | None:
    """Why one more step of the same climb has to wait: going on as in the last ``seconds``, a sensor would come to its
    limit. A clock follows at once, a heat sink over minutes, so the reading after a step says little about it."""
    for name, before_c, now_c, limit_c in (
        ("chip", then.chip_temp_c, now.chip_temp_c, limits.max_chip_temp_c),
        ("second chip", then.chip_temp2_c, now.chip_temp2_c, limits.max_chip_temp_c),
        ("regulator", then.vr_temp_c, now.vr_temp_c, limits.max_vr_temp_c),
    ):
        if before_c is None or now_c is None or limit_c is None or seconds <= 0:
            continue
        heading_c = now_c + max(0.0, now_c - before_c) / seconds * rules.inertia_s
        if not heading_c <= limit_c - rules.room_c:
            return f"the {name} at {now_c:.1f} °C leaves no room under its limit of {number(limit_c)} °C yet"
    return None


def growth(drawn_w: float | None, limits: Limits) -> float:
    """By which factor V²·F may grow until the power, which grows as fast at most, comes near its limit; infinite when
    nobody knows."""
    if drawn_w is None or not drawn_w > 0 or limits.max_power_w is None:
        return math.inf
    return _POWER_ROOM * limits.max_power_w / drawn_w


def far(tune: Tune, status: MinerStatus) -> str | None:
    """A sentence when frequency or voltage is to go far above what this model leaves the factory with."""
    for value, have, stock, unit in (
        (tune.frequency_mhz, status.frequency_mhz, status.default_mhz, "MHz"),
        (tune.core_mv, status.core_mv, status.default_mv, "mV"),
    ):
        usual = stock or have
        if value is not None and usual and goes_up(value, have) and value > usual * _FAR:
            what = "this model's default" if stock else "what it runs now"
            return (
                f"{number(value)} {unit} is {100 * (value / usual - 1):.0f} % above {what} ({number(usual)} {unit}): "
                "expect errors and heat; it is raised step by step, and stops at a limit"
            )
    return None


def because(why: str) -> str:
    """A reason in brackets, where there is one."""
    return f" ({why})" if why else ""

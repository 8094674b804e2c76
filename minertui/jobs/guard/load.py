"""What the miner draws, and what its supply gives: the guard's limits beside the temperatures.

    power over the limit in force      two readings in a row, then as for heat: a step down, and again after settle_s
    input voltage under its window,    two readings in a row, then ONE step down and none up for a day: less load
    or a fault that the board reports  lifts a supply that is weak, and no load at all a sensor that is broken

A person has to look at a supply anyway, and the alerts say so; the step is against brown-outs until they do.

Your own ``max_power_w`` counts from the first reading. What the model is built for, and the supply's window, are no
numbers of yours: they count once this guard has seen the miner within them, at work and at rest for three minutes. A
board that was always beyond is left as it is.

No step up is made whose power is predicted at the limit: it grows with V²·F at most, from the highest that was read at
the present settings in the last ten minutes. The highest: who asks often enough meets a mean that is low by luck.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from minertui.jobs.guard.hold import ANSWER_S, Hold
from minertui.model.fleet import Snapshot
from minertui.model.plans import Limits
from minertui.model.status import MinerStatus
from minertui.safety.limits import own_power
from minertui.safety.raising import growth
from minertui.safety.request import DAY_S
from minertui.safety.samples import hashing, overloaded, starved

_READINGS = 2


@dataclass(frozen=True)
class Load:
    """All that is remembered. ``over``, ``starved``: so many readings in a row. ``was_under``, ``was_fed``: it has been
    seen within its limit of power, and with the voltage that it needs. ``eases``: the step decided last is for its
    supply; ``eased_s``: when one was taken, boot-time seconds."""

    over: int = 0
    starved: int = 0
    was_under: bool = False
    was_fed: bool = False
    eases: bool = False
    eased_s: float = -math.inf


def watch(load: Load, hold: Hold, snapshot: Snapshot, now_s: float, *, yielding: bool) -> Load:
    """Take a reading in; ``hold`` has taken it in already. A sweep that runs (``yielding``) looks at both itself."""
    assert snapshot.status is not None  # the caller has seen it
    over, hungry = overloaded(snapshot.status, snapshot.limits), starved(snapshot.status)
    rested = hold.since_s is not None and now_s - hold.since_s >= ANSWER_S
    return replace(
        load,
        over=load.over + 1 if over and not yielding else 0,
        starved=load.starved + 1 if hungry and not yielding else 0,
        was_under=load.was_under or (rested and not over),
        was_fed=load.was_fed or (rested and not hungry),
        eases=False,
    )


def crossed(load: Load, snapshot: Snapshot, now_s: float) -> tuple[str, Load] | None:
    """Why a step down is due, and what is remembered if it is taken; None when none is."""
    status = snapshot.status
    assert status is not None  # the caller has seen it
    if load.over >= _READINGS and (load.was_under or own_power(snapshot.limits, status)):
        return overloaded(status, snapshot.limits) or "", load
    if load.starved >= _READINGS and load.was_fed and not _eased(load, now_s) and hashing(status):
        return f"{starved(status)}, once for its supply", replace(load, eases=True)
    return None


def taken(load: Load, now_s: float) -> Load:
    """After the step that was due was sent. The next one for its supply needs a day, and a supply that was well."""
    return replace(load, was_fed=False, eases=False, eased_s=now_s) if load.eases else load


def may_grow(load: Load, hold: Hold, status: MinerStatus, limits: Limits, now_s: float) -> tuple[float, str]:
    """By which factor V²·F may grow, and what bounds it, in words; infinite when nothing does."""
    if load.starved or _eased(load, now_s):
        hours = math.ceil((DAY_S - (now_s - load.eased_s)) / 3600) if _eased(load, now_s) else 24
        return 1.0, f"its supply was too weak for more: no step up for {hours} h"
    drawn_w = max(status.power_w or 0.0, *(seen.power_w or 0.0 for seen in hold.seen), 0.0)
    factor = growth(drawn_w, limits)
    return factor, f"a step up from {drawn_w:.1f} W would come to its limit of {limits.max_power_w or 0:g} W"


def _eased(load: Load, now_s: float) -> bool:
    return now_s - load.eased_s < DAY_S

"""What holding a temperature along a frontier comes to: the same for the guard that does it and for whoever asks what
it would do before it starts.

    target_c        the chip temperature that is held
    against         why the frontier says nothing about this board, or about what it shall run
    reach           between which clocks it moves
"""

from __future__ import annotations

import math

from minertui.model.frontier import Known
from minertui.model.plans import GuardPlan, Limits
from minertui.model.status import Ability, MinerStatus

GRID_MHZ = 5.0
"""The step in which clocks of a frontier are looked at: a sweep's own."""
_SAME_MV = 0.51  # less is the same voltage: miners give whole mV
_FLOOR_SHARE = 0.7
_ROOM_MHZ = 3.2  # half a PLL step: no room to lower a clock
LEAST_MHZ = 50.0
"""The firmware's own fall-back frequency: no guard goes lower."""

Own = tuple[float | None, float | None]
"""Frequency (MHz) and voltage (mV) that a person, or a sweep, chose last."""


def target_c(plan: GuardPlan) -> float:
    """The chip temperature that is held, °C."""
    most = plan.max_chip_temp_c - plan.hysteresis_c
    return most if plan.hold_temp_c is None else min(most, plan.hold_temp_c)


def floor_mhz(
    plan: GuardPlan, high_mhz: float | None, own_mhz: float | None = None, runs_mhz: float | None = None
) -> float:
    """The lowest frequency a guard goes to that climbs back to ``high_mhz``, MHz, on a miner that somebody set to
    ``own_mhz`` and that runs ``runs_mhz``. A floor that it is under already, for another reason than heat, or that is
    its ceiling, would guard nothing: then it is 70 % of its own, and where it is under that too the least there is."""
    top = min((mhz for mhz in (high_mhz, plan.max_mhz) if mhz is not None), default=0.0)
    own = top if own_mhz is None else min(own_mhz, top)
    runs = own if runs_mhz is None else min(runs_mhz, own)
    low = round(_FLOOR_SHARE * top) if plan.low_mhz is None or plan.low_mhz > top - _ROOM_MHZ else plan.low_mhz
    floors = (low, round(_FLOOR_SHARE * own))
    return next((floor for floor in floors if floor <= runs + _ROOM_MHZ), LEAST_MHZ)


def against(known: Known, status: MinerStatus, high_mhz: float | None, own: Own) -> str:
    """Why the frontier has nothing to do with this board, or with what it runs or shall run when cool, in words; empty
    when it has."""
    return known.other_board(status) or apart(known, status, high_mhz, own)


def apart(known: Known, status: MinerStatus, high_mhz: float | None, own: Own) -> str:
    """Why what it runs, or shall run when cool, is beside the frontier, in words; empty when it is not."""
    if status.frequency_mhz is None or status.core_mv is None or high_mhz is None:
        return "it does not tell its frequency and voltage"
    if Ability.TUNE_LIVE not in status.abilities:
        return "its firmware follows only after a restart"
    if own[0] != high_mhz:
        return ""  # asked for by number, wherever it was found; what is proven still bounds it
    proven = known.frontier.at(high_mhz)
    if proven is None:
        return f"{high_mhz:g} MHz, set by hand, are more than its sweep proved"
    if own[1] is not None and own[1] < proven.mv - _SAME_MV:
        return f"{own[1]:g} mV for {high_mhz:g} MHz, set by hand, are less than its sweep proved"
    return ""


def reach(known: Known, plan: GuardPlan, high_mhz: float | None, caps: Limits) -> tuple[float, float] | None:
    """Lowest and highest clock that a guard moves between, MHz: floor and ceiling, within what is proven and the caps
    in force. None when nothing of the frontier is within them."""
    proven = top_mhz(known, caps)
    if proven is None:
        return None
    top = min(proven, plan.max_mhz or proven, high_mhz or proven)
    return min(top, max(floor_mhz(plan, high_mhz), caps.min_mhz or 0)), top


def top_mhz(known: Known, caps: Limits) -> float | None:
    """The highest clock of the frontier within the caps; None when there is none."""
    mhz = known.frontier.settings[-1].mhz if known.frontier.settings else 0.0
    while (there := known.frontier.at(mhz)) is not None:
        if mhz <= (caps.max_mhz or math.inf) and there.mv <= (caps.max_mv or math.inf):
            return mhz
        mhz -= GRID_MHZ
    return None

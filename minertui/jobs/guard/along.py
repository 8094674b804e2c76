"""When the guard moves along a sweep's frontier, and when it does not: another board, settings that the sweep did not
prove, errors that it did not see. Then it moves the frequency alone, and says why."""

from __future__ import annotations

from dataclasses import replace

from minertui.jobs.guard import hold, load
from minertui.jobs.guard.hold import Reach
from minertui.jobs.guard.state import SAME_MHZ, GuardState, today
from minertui.model import holding
from minertui.model.commands import Tune
from minertui.model.fleet import Snapshot
from minertui.model.plans import GuardPlan
from minertui.model.status import Ability, MinerStatus
from minertui.safety.request import RULES
from minertui.safety.settings import SAME, same


def usable(state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float) -> tuple[GuardState, str, Tune | None]:
    """Why the frontier cannot be used, in words; empty when it can, or when there is none. What speaks against the
    sweep itself holds until the next one, and takes one step down at once where the voltage is not the owner's."""
    status, known = snapshot.status, state.hold.known
    assert status is not None  # step has seen it
    if known is None or not plan.hold:
        return replace(state, hold=replace(state.hold, known=None)), "", None
    if state.hold.off:
        return state, state.hold.off, None
    off = known.other_board(status) or hold.worn(state.hold, plan, now_s)
    if not off:
        return state, holding.apart(known, status, state.high_mhz, state.own), None
    state = replace(state, hold=replace(state.hold, off=off, goal_mhz=None))
    lower = max(holding.floor_mhz(plan, state.high_mhz), (status.frequency_mhz or 0) - plan.step_down_mhz)
    if same(status.core_mv, state.own[1], SAME) or lower > (status.frequency_mhz or 0) - SAME_MHZ:
        return state, off, None
    return replace(state, why=f"{off}: down to {lower:g} MHz, off its frontier"), off, Tune(frequency_mhz=lower)


def _reach(state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float) -> Reach | None:
    """Between floor and ceiling, within the caps; None when nothing of the frontier is within them."""
    assert state.hold.known is not None  # usable has seen it
    between = holding.reach(state.hold.known, plan, state.high_mhz, snapshot.limits)
    if between is None:
        return None
    left = plan.max_writes_per_day - len(today(state.raises, now_s))
    assert snapshot.status is not None  # step has seen it
    growth, bound = load.may_grow(state.load, state.hold, snapshot.status, snapshot.limits, now_s)
    return Reach(*between, snapshot.limits, left, growth, bound)


def along(state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float) -> tuple[GuardState, Tune | None]:
    """Hold the temperature along the frontier."""
    assert snapshot.status is not None  # step has seen it
    reach = _reach(state, plan, snapshot, now_s)
    if reach is None:
        return replace(state, why="nothing of its frontier is within the limits in force"), None
    held, tune, why = hold.move(state.hold, plan, snapshot.status, reach, now_s)
    return replace(state, hold=held, why=why), tune


def under_volts(
    state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float
) -> tuple[GuardState, Tune | None] | None:
    """More voltage than the limits in force allow: down to the highest clock that the frontier proves with less, at
    once and whoever set it. None when it is not so, or nobody knows which clock bears less."""
    status, most, known = snapshot.status, snapshot.limits.max_mv, state.hold.known
    assert status is not None  # step has seen it
    mhz, mv = status.frequency_mhz, status.core_mv
    if most is None or mhz is None or mv is None or mv <= most + SAME or known is None or not plan.hold:
        return None
    reach = None if state.hold.off or known.other_board(status) else _reach(state, plan, snapshot, now_s)
    if reach is None or Ability.TUNE_LIVE not in status.abilities:
        return None
    said = f"{mv:g} mV are over the limit of {most:g} mV"
    if now_s - state.hold.tried_s < hold.ANSWER_S:
        return replace(state, why=f"{said}; tried again soon"), None
    held = replace(state.hold, goal_mhz=min(mhz, reach.top_mhz), lesson=None)
    tune = hold.towards(held, status, reach)
    if tune is None:
        return replace(state, hold=held, why=f"{said}; its clock goes down first"), None
    why = f"{said}: {hold.sets(tune)}, along its frontier"
    return replace(state, hold=held, why=why, by_limit=True, ordered=None), tune


def less_volts(state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float) -> tuple[GuardState, Tune | None]:
    """While a limit is crossed and no step of the frequency is due, the voltage follows down along the frontier."""
    assert snapshot.status is not None  # step has seen it
    state, why, tune = usable(state, plan, snapshot, now_s)
    if tune is not None:
        return state, tune
    reach = None if why or state.hold.known is None else _reach(state, plan, snapshot, now_s)
    refused = now_s - state.hold.tried_s < hold.ANSWER_S
    if reach is None or refused or state.wanted_mhz is None or not _at(state, snapshot.status):
        return state, None
    held = replace(state.hold, goal_mhz=state.wanted_mhz)
    tune = hold.towards(held, snapshot.status, reach)
    said = state.why if tune is None else f"{state.why}; {tune.core_mv} mV suffice at {state.wanted_mhz:g} MHz"
    return replace(state, hold=held, why=said), tune


def _at(state: GuardState, status: MinerStatus) -> bool:
    return status.frequency_mhz is not None and abs(status.frequency_mhz - (state.wanted_mhz or 0)) < SAME_MHZ


def own_volts(state: GuardState, status: MinerStatus) -> int | None:
    """One step towards the voltage that was taken away along a frontier: without one no higher frequency is known to
    do with less. None when nothing is missing."""
    own = state.own[1]
    if own is None or status.core_mv is None or status.core_mv >= own - SAME:
        return None
    return round(min(own, status.core_mv + RULES.step_mv))

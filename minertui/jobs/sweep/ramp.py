"""The live steps of a point as the brain takes them: ``pace`` decides, this keeps the state."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from minertui.jobs.sweep import evidence, headroom, lag, pace, stats, thermal, transient, watch
from minertui.jobs.sweep.pace import Do
from minertui.jobs.sweep.state import State
from minertui.jobs.sweep.strategies import LIVE
from minertui.jobs.sweep.surface import Surface, usable
from minertui.jobs.sweep.thermal import Trace
from minertui.jobs.sweep.walk import Target
from minertui.model import ranking
from minertui.model.plans import PointVerdict, SweepPoint
from minertui.model.status import MinerStatus

POLL_S = 5.0  # the shortest time between two looks: old web servers die under less
KEPT = 120  # readings of the trail
COOLER_SHARE = 0.01  # the power that the cooler takes is known well enough to this share
COOLER_NEAR = 1.03  # power so near to that is worth the wait


def live(state: State) -> bool:
    """True when this sweep's strategy walks in live steps."""
    return state.plan.strategy in LIVE


def begun(state: State) -> State:
    """The first write towards a new target. Firmware that follows only after a restart gets one small step a point."""
    if not live(state):
        return replace(state, rung=None)
    here = state.here or state.baseline
    rung = pace.first(here, state.target)
    if state.restart and pace.heat(state.target) > pace.heat(here):
        room = transient.room(state.trail, state.changed_s, 0.0, state.within, transient.WORST)[0]
        rung = pace.rung(state.plan, pace.Way(here, here, state.target), room)
        state = replace(state, at=msgspec.structs.replace(state.target, mhz=rung.mhz, mv=rung.mv))
    elif state.restart and state.target.probe:
        rung = pace.down(state.plan, here, state.target)
        state = replace(state, at=msgspec.structs.replace(state.target, mhz=rung.mhz, mv=rung.mv))
    left = state.left and not state.restart
    easing = left and pace.hot(state.trail, state.within)
    if easing or (left and state.target.probe):
        here = rung = pace.eased(state.plan, state.within, here, state.target)
    return replace(state, origin=here, rung=rung, cut="", easing=easing)


def arrived(state: State, now_s: float) -> State:
    """The miner runs ``rung`` since now."""
    if not live(state):
        return state
    climb = (*state.climb, (now_s, pace.heat(state.told)))[-KEPT:]
    return replace(state, here=state.told, changed_s=now_s, climb=climb, growth=transient.pending(climb))


def seen(state: State, status: MinerStatus, now_s: float) -> State:
    """One more reading on the trail."""
    if not live(state):
        return state
    trail = (*state.trail, Trace(now_s, stats.believed(status)))[-KEPT:]
    run_up = max(state.response.run_up, transient.run_up_pct(trail))
    return replace(state, trail=trail, response=state.response._replace(run_up=run_up))


def touched(state: State, status: MinerStatus) -> str | None:
    """The limit that this reading has reached by itself; with live steps the mean is looked at in ``leaving``."""
    return watch.touched(status, ranking.wild(state.plan, state.within))


def stopped(state: State, status: MinerStatus) -> State:
    """On the way to the target the miner came to what it reads now."""
    mhz, mv = status.frequency_mhz, status.core_mv
    there = state.told if mhz is None or mv is None else Target(mhz, round(mv))
    return replace(state, rung=there, readings=())


def left_behind(state: State) -> str:
    """That what runs is over a highest value that was lowered since; empty while it is not."""
    within, told = state.within, state.told
    if told.mhz <= within.max_mhz and told.mv <= within.max_mv:
        return ""
    return f"{told} is over the limits in force, which were lowered: {within.max_mhz:g} MHz / {within.max_mv} mV"


def climbed(state: State) -> tuple[State, Do]:
    """What the newest reading on the way leads to: the state with the next rung, or ready to measure."""
    if state.easing:
        state, do = _easing(state)
        if do is not None:
            return state, do
    way = pace.Way(state.origin or state.told, state.told, state.target, _weak(state), _errors(state))
    move = pace.on_the_way(state.plan, state.within, way, state.trail, state.changed_s, state.growth, state.response)
    if move.do is Do.RUNG:
        return _onward(state, move), move.do
    if move.do is Do.BACK:
        return replace(state, rung=move.to, response=transient.Response(run_up=state.response.run_up)), move.do
    if move.do is Do.LEAVE:
        return replace(state, cut=move.why), move.do
    if move.do is Do.MEASURE:
        return replace(_at(state, state.told), cut=move.why or state.cut), move.do
    return replace(state, why=move.why), move.do


def _easing(state: State) -> tuple[State, Do | None]:
    """What the last point heated is waited for; None when the way goes on. What does not fall gets less."""
    since_s = state.trail[-1].at_s - state.changed_s
    if since_s < pace.DWELL_S:
        return state, Do.WAIT
    if not pace.hot(state.trail, state.within) or since_s >= pace.EASE_MOST_S:
        return replace(state, easing=False), None
    if since_s < pace.EASE_S or transient.falls(state.trail, state.within):
        return replace(state, why="it cools first"), Do.WAIT
    lower = pace.eased(state.plan, state.within, state.told, state.told)
    if pace.same(lower, state.told):
        return replace(state, why="it cools first"), Do.WAIT
    return replace(state, rung=lower, origin=lower), Do.BACK


def _errors(state: State) -> float:
    """The errors where this way began, % (0 where none are known)."""
    last = state.points[-1] if state.points else None
    if last is None or state.origin is None or (last.mhz, last.mv) != (state.origin.mhz, state.origin.mv):
        return 0.0
    return last.error_pct or 0.0


def _weak(state: State) -> bool:
    """Was it hardly stable where this way began?"""
    last = state.points[-1] if state.points else None
    if last is None or state.origin is None or (last.mhz, last.mv) != (state.origin.mhz, state.origin.mv):
        return False
    errors = last.error_pct is not None and last.error_pct > pace.BAD_ERRORS * state.plan.max_error_pct
    low = last.ratio is not None and last.ratio < state.plan.tolerance
    return errors or low or last.verdict is PointVerdict.UNSTABLE


def _onward(state: State, move: pace.Move) -> State:
    """The next rung; what the last one has shown is learned."""
    return replace(
        state,
        rung=move.to,
        response=transient.learned(state.trail, state.climb, state.response),
    )


def leaving(state: State) -> str | None:
    """Why the point being measured must be left before it touches a limit; None when all is well."""
    return transient.leaving(state.trail, state.changed_s, state.growth, state.within, state.response)


def left(state: State, reason: str) -> SweepPoint:
    """The point as it is kept when it was left in time: with the heat that was too much."""
    now = [trace for trace in state.trail if trace.at_s > state.changed_s] or state.trail
    return msgspec.structs.replace(
        point(state, PointVerdict.LIMIT, reason),
        power_w=transient.smoothed(now, lambda s: s.power_w),
        chip_temp_c=transient.smoothed(state.trail, stats.chip_temp_c),
        vr_temp_c=transient.smoothed(state.trail, lambda s: s.vr_temp_c),
        fan_pct=transient.smoothed(state.trail, lambda s: s.fan_pct, 3),
        soak=state.target.soak,
        mhz=state.told.mhz,
        mv=state.told.mv,
        cooler_w=_cooler_w(state),
    )


def enough(state: State, now_s: float) -> bool:
    """True when the evidence suffices, or the time is over."""
    seconds = now_s - state.since_s
    if seconds < state.plan.measure_s and len(state.readings) < evidence.TRENDED and _after_errors(state):
        return False
    facts = _per_fact(state), _remembered(state)
    if not evidence.enough(state.plan, state.readings, seconds, state.target.soak, *facts):
        return False
    return seconds >= state.plan.measure_s or _cooler_known(state)


def _after_errors(state: State) -> bool:
    """Did the point before have so many errors that firmware which shows the mean of a minute still shows them?"""
    last = state.points[-1].error_pct if state.points else None
    return last is not None and last > pace.PROBE_ERRORS * state.plan.max_error_pct


def taken(state: State, status: MinerStatus) -> State:
    """One more reading of this point. While the errors are still on their way from what the setting before had, the
    first reading goes as one comes; once they were level all of them stay."""
    readings = (*state.readings, status)
    if live(state) and len(readings) == evidence.TRENDED + 1 and evidence.following(readings):
        readings = readings[1:]
    return replace(state, readings=readings)


def _per_fact(state: State) -> float:
    """What the readings remember counts where the hashrate alone tells, and in a soak; in a look at errors they tell
    sooner than that matters."""
    if not state.target.soak and any(s.error_pct is not None for s in state.readings):
        return 1.0
    return evidence.per_fact(state.points, state.readings)


def _remembered(state: State) -> float:
    """What the errors shown keep of the reading before, by all that was seen."""
    return evidence.remembered(state.points, _errors_since(state))


def _errors_since(state: State) -> list[float]:
    """The errors shown since the last change."""
    seen = [t.status.error_pct for t in state.trail if t.at_s >= state.changed_s]
    return [error for error in seen if error is not None]


def _cooler_known(state: State) -> bool:
    """False while a temperature limit bounds the search and the power it allows is not known well enough."""
    rests = thermal.fitted(state.trail, state.within, state.changed_s)
    if not rests:
        return not thermal.awaited(state.trail, state.within)
    sure, likely = (min(rest.allowed_w(z) for rest in rests) for z in (thermal.SURE_Z, 0.0))
    near = likely < COOLER_NEAR * rests[0].power_w
    return not near or sure >= (1 - COOLER_SHARE) * likely


def _cooler_w(state: State) -> float | None:
    return thermal.allowed_w(state.trail, state.within, state.changed_s)


def point(state: State, verdict: PointVerdict, reason: str) -> SweepPoint:
    """The point as it is kept."""
    numbers = stats.measured(len(state.points) + 1, state.told, state.readings, state.wall_s)
    return msgspec.structs.replace(numbers, verdict=verdict, reason=reason, why=why(state))


def judged(state: State) -> SweepPoint:
    """The point with verdict and reason, with live steps also confidence. Temperatures are then those of its last half
    minute; the hashrate is a plain mean unless there are enough readings to trim."""
    found = point(state, PointVerdict.PASSED, "")
    if not live(state):
        return stats.judged(found, state.plan)
    readings = state.readings
    rates = [s.hashrate_ghs for s in readings if s.hashrate_ghs is not None]
    rate = stats.trimmed(rates) if len(rates) < _TRIMMED else found.hashrate_ghs
    last = [Trace(0.0, s) for s in readings]
    found = msgspec.structs.replace(
        found,
        hashrate_ghs=rate,
        efficiency_jth=found.power_w / (rate / 1000) if found.power_w and rate else None,
        chip_temp_c=transient.smoothed(last, stats.chip_temp_c),
        vr_temp_c=transient.smoothed(last, lambda s: s.vr_temp_c),
        fan_pct=transient.smoothed(last, lambda s: s.fan_pct),
        cooler_w=_cooler_w(state),
    )
    told = lag.memory(_errors_since(state))
    if told is not None:
        found = msgspec.structs.replace(found, error_memory=told.share, error_memory_weight=told.weight)
    return evidence.judged(state.plan, found, readings, state.target.soak, _per_fact(state), _remembered(state))


def weighed(state: State, points: tuple[SweepPoint, ...]) -> tuple[SweepPoint, ...]:
    """The points; those that passed a soak with their hashrate by all points together, also by what came after."""
    points = headroom.overtaken(points) if live(state) else points
    confirmed = [p for p in points if p.soak and p.passed]
    if not confirmed or not usable(points[-1]):
        return points
    fit = Surface(state.plan, [*state.earlier, *points])
    return tuple(msgspec.structs.replace(p, likely_ghs=fit.ghs(p.mhz, p.mv)) if p in confirmed else p for p in points)


def why(state: State) -> str:
    """Why this point was measured, and why there."""
    return "; ".join(text for text in (state.target.why, state.cut) if text)


_TRIMMED = 40


def _at(state: State, here: Target) -> State:
    """What is measured is where it is. What was to be confirmed and is not reached is only looked at."""
    soak = state.target.soak and pace.same(here, state.target)
    at = msgspec.structs.replace(state.target, mhz=here.mhz, mv=here.mv, soak=soak)
    return replace(state, at=at)

"""How a sweep goes, for people: the view, the count, the time left, one sentence."""

from __future__ import annotations

from minertui.jobs.sweep.state import Stage, State
from minertui.model import ranking
from minertui.model.plans import Phase, PointVerdict, Strategy, SweepView


def view(state: State) -> SweepView:
    """All that the screen shows of a sweep."""
    return SweepView(
        plan=state.plan,
        points=state.points,
        at_mhz=state.at.mhz if state.at else None,
        at_mv=state.at.mv if state.at else None,
        sample=state.sample,
        best=ranking.best(state.points, state.plan.goal),
        baseline_mhz=state.baseline.mhz,
        baseline_mv=state.baseline.mv,
    )


def phase(state: State) -> Phase:
    """RUNNING; RESTORING while a miner that was lost is brought down to safe settings."""
    return Phase.RESTORING if state.lost else Phase.RUNNING


def counts(state: State, now_s: float) -> dict[str, float | None]:
    """``done`` points, ``total`` (the longest walk from here) and ``left_s``."""
    done, to_go = len(state.points), 0
    if state.at is not None:
        limited = any(point.verdict is PointVerdict.LIMIT for point in state.points)
        way = ranking.longest_down if limited else ranking.longest
        to_go = way(state.plan, state.within, state.at.mhz, state.at.mv)
        if state.plan.strategy is Strategy.ADAPTIVE:
            to_go = min(to_go, 1 if state.at.soak else max(2, ranking.ADAPTIVE_POINTS - done))
    each = ranking.point_seconds(state.plan, state.restart)
    spent = now_s - state.since_s
    if state.stage is Stage.MEASURE:
        spent += ranking.settle_seconds(state.plan, state.restart)
    elif state.stage is not Stage.SETTLE:
        spent = 0.0
    return {"done": done, "total": done + to_go, "left_s": max(0.0, to_go * each - min(spent, each))}


def note(state: State) -> str:
    """What it does now, in one sentence."""
    if state.stage in (Stage.RETREAT, Stage.RETREAT_RESTART, Stage.REST):
        return state.why or state.stage.value
    if state.stage is Stage.MEASURE:
        if state.plan.strategy is Strategy.ADAPTIVE:
            return (
                f"{'confirming' if state.target.soak else 'measuring'} {state.target}: {len(state.readings)} readings"
            )
        return f"measuring {state.target}: {len(state.readings)}/{ranking.samples_per_point(state.plan)}"
    if state.rung is not None and (state.rung.mhz, state.rung.mv) != (state.target.mhz, state.target.mv):
        return f"at {state.rung} on the way to {state.target}{f': {state.why}' if state.why else ''}"
    return f"{state.stage.value} {state.target}"

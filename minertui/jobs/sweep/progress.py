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
    """``done`` points, ``total`` and ``left_s``: for the grid the longest walk from here, for the adaptive strategy
    what boards take as a rule and the confirmation."""
    done = len(state.points)
    if state.plan.strategy is Strategy.ADAPTIVE:
        to_go, each, left_s = _adaptive(state)
    else:
        to_go, each = _grid(state), ranking.point_seconds(state.plan, state.restart)
        left_s = to_go * each
    return {"done": done, "total": done + to_go, "left_s": max(0.0, left_s - min(_spent(state, now_s), each))}


def _grid(state: State) -> int:
    """Points to go at most. After a limit the walk goes down until something passes: where something has passed that
    is never more than what was told at the start."""
    if state.at is None:
        return 0
    if not any(point.verdict is PointVerdict.LIMIT for point in state.points):
        return ranking.longest(state.plan, state.within, state.at.mhz, state.at.mv)
    down = ranking.longest_down(state.plan, state.within, state.at.mhz, state.at.mv)
    if not any(point.passed for point in state.points):
        return down
    told = ranking.longest(state.plan, state.within, state.start.mhz, state.start.mv)
    return min(down, max(1, told - len(state.points)))


def _adaptive(state: State) -> tuple[int, float, float]:
    """Points to go, seconds of the one under way, and seconds of all of them."""
    status = state.mark.status if state.mark else state.trail[-1].status if state.trail else None
    each, soak = ranking.adaptive_seconds(state.plan, status, state.restart)
    if state.at is not None and state.at.soak:
        return 1, soak, soak
    search = max(1, ranking.adaptive_points(status) - len(state.points))
    return search + 1, each, search * each + soak


def _spent(state: State, now_s: float) -> float:
    """Seconds of the point under way that are over."""
    adaptive, since_s = state.plan.strategy is Strategy.ADAPTIVE, now_s - state.since_s
    if state.stage is Stage.MEASURE:
        way_s = ranking.ADAPTIVE_CLIMB_S if adaptive else ranking.settle_seconds(state.plan, state.restart)
        return since_s + way_s
    return since_s if state.stage is Stage.SETTLE and not adaptive else 0.0


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

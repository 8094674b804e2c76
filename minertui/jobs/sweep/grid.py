"""The parallel benchmark guide's walk, mended.

    climbing    passed    → frequency one step up
                unstable  → voltage one step up, frequency one step down
                limit, plateau, maximum or refused → the climb is over
    descending  (only ever lower, in voltage and in frequency, than the point that ended the climb)
                limit     → voltage one step down, at the lowest voltage the frequency
                unstable  → frequency one step down
                passed    → the end

The descent runs after a limit, and after any other end of the climb when nothing has passed yet. After a limit nothing
is ever raised again. Results that are known are walked over, never measured again. The walk is replayed from its start
each time it is asked: point k is the result of the k-th target.

Plateau: the guide goes on to its highest voltage when more voltage no longer helps. Here the climb ends when PLATEAU_MV
more voltage has not raised the best hashrate by PLATEAU_GAIN. Where voltage does help, 20 mV (the single script's step)
is worth 3 % and more; the standard error of a point is about 1.4 % (40 samples at 9 % variation).
"""

from __future__ import annotations

from collections.abc import Sequence

from minertui.jobs.sweep.walk import Finish, Target
from minertui.model.plans import PointVerdict, SweepPlan, SweepPoint
from minertui.model.ranking import Bounds

PLATEAU_MV = 20
PLATEAU_GAIN = 1.01
_SAME = 1e-6
_IN_A_ROW = 2  # points in a row that were refused, or gave nothing: then it is the miner, not the settings


def next_target(
    plan: SweepPlan, within: Bounds, start: Target, points: Sequence[SweepPoint], earlier: Sequence[SweepPoint] = ()
) -> Target | Finish:
    """The next point of the walk, or its end. What ``earlier`` sweeps have shown does not change it."""
    del earlier
    return _Replay(plan, within, points).run(start)


class _Replay:
    """One replay of the walk over the points measured so far."""

    def __init__(self, plan: SweepPlan, within: Bounds, points: Sequence[SweepPoint]) -> None:
        self._plan, self._within, self._points = plan, within, points
        self._known: dict[Target, SweepPoint] = {}
        self._seen: list[SweepPoint] = []
        self._climbing = True
        self._why = ""

    def run(self, at: Target) -> Target | Finish:
        """From ``at`` to the first target that is not measured yet."""
        while True:
            if at not in self._known:
                if len(self._seen) == len(self._points):
                    return at
                self._known[at] = self._points[len(self._seen)]
                self._seen.append(self._known[at])
            point = self._known[at]
            step = self._given_up(point) or (self._climb(at, point) if self._climbing else self._descend(at, point))
            if isinstance(step, Finish):
                return step
            at = step

    def _given_up(self, point: SweepPoint) -> Finish | None:
        if point.verdict is PointVerdict.DISTURBED:
            return Finish(f"ended at {Target(point.mhz, point.mv)}: {point.reason}")
        last = self._seen[-_IN_A_ROW:]
        if len(last) == _IN_A_ROW and all(p.verdict is PointVerdict.NOT_APPLIED for p in last):
            return Finish(f"the miner does not take the settings: {point.reason}")
        if len(last) == _IN_A_ROW and all(p.verdict is PointVerdict.UNSTABLE and not p.samples for p in last):
            return Finish(f"the miner does not hash at all ({point.reason}): check its pool")
        return None

    def _climb(self, at: Target, point: SweepPoint) -> Target | Finish:
        if point.verdict is PointVerdict.PASSED:
            higher = at.mhz + self._plan.step_mhz
            if higher > self._within.max_mhz + _SAME:
                return self._top(at, point, f"the highest frequency allowed, {self._within.max_mhz:g} MHz, is reached")
            return Target(higher, at.mv)
        if point.verdict is PointVerdict.UNSTABLE:
            return self._raise_voltage(at, point)
        return self._top(at, point, f"{at}: {point.reason}")

    def _raise_voltage(self, at: Target, point: SweepPoint) -> Target | Finish:
        if at.mv + self._plan.step_mv > self._within.max_mv:
            return self._top(at, point, f"the highest voltage allowed, {self._within.max_mv} mV, is reached")
        if self._plateau(at.mv):
            return self._top(at, point, f"{PLATEAU_MV} mV more raised the hashrate by less than 1 % (plateau)")
        return Target(max(at.mhz - self._plan.step_mhz, self._within.min_mhz), at.mv + self._plan.step_mv)

    def _plateau(self, mv: int) -> bool:
        rates = [(p.mv, p.hashrate_ghs) for p in self._seen if p.hashrate_ghs]
        before = [rate for at, rate in rates if at <= mv - PLATEAU_MV]
        since = [rate for at, rate in rates if at > mv - PLATEAU_MV]
        return bool(before and since) and max(since) < PLATEAU_GAIN * max(before)

    def _top(self, at: Target, point: SweepPoint, why: str) -> Target | Finish:
        """The climb is over; the walk goes on downwards where that can still find something."""
        self._climbing, self._why = False, why
        limited = point.verdict is PointVerdict.LIMIT
        if not limited and any(p.passed for p in self._seen):
            return Finish(f"complete: {why}")
        return self._descend(at, point)

    def _descend(self, at: Target, point: SweepPoint) -> Target | Finish:
        if point.verdict is PointVerdict.PASSED:
            return Finish(f"complete: {self._why}")
        lower_mv, lower_mhz = at.mv - self._plan.step_mv, at.mhz - self._plan.step_mhz
        if point.verdict is PointVerdict.LIMIT and lower_mv >= self._within.min_mv:
            return Target(at.mhz, lower_mv)
        if lower_mhz >= self._within.min_mhz - _SAME:
            return Target(lower_mhz, at.mv)
        return Finish(f"nothing lower is allowed: {self._why}")

"""The adaptive strategy: learn this very board, go where it is best, prove it, and say why.

    first         what the miner runs now
    then          fit the three curves of ``surface`` to all points, earlier sweeps' too; the best setting that they
                  promise within the limits and not too far from what is known is next
    until         that promises less than GAIN more than what was measured already: the plateau
    last          the winner once more, for ``soak_s``; a winner that fails there costs the errors allowed a third

It has no memory of its own: the same points always lead to the same next one. Getting to a point (in live steps, never
through a limit) and how long it is measured is ``pace``'s and ``evidence``'s business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from minertui.jobs.sweep.surface import Surface, usable
from minertui.jobs.sweep.transient import MARGIN_C, POWER_MARGIN
from minertui.jobs.sweep.walk import Finish, Target
from minertui.model.plans import Goal, PointVerdict, SweepPlan, SweepPoint
from minertui.model.ranking import Bounds

GAIN = 0.005  # less promised than this share is a plateau
MOST_POINTS = 16
MOST_SOAKS = 4
TRUST_MHZ = 120.0  # so far from a measured point the fits are believed
TRUST_MV = 60.0
TRUST_HEAT = 1.2  # so much more power than ever measured is aimed at in one go
PROBE_MV, PROBE_MHZ = 150.0, 200.0  # so far errors are looked for in one go
_CLOCK_UP = "clock up"
LEFT_SHARE = 0.992  # of the power at which a point was left for heat: half a degree or more
NEAR_C = 0.8  # this near to a limit a point says how much power the cooler takes
ROOM_C = 20.0  # usual room, to turn °C of headroom into watts
ERROR_RESERVE = 0.7  # of the errors allowed
RATIO_RESERVE = 0.01  # over the tolerance
_IN_A_ROW = 2
_SAME = 1e-6


def next_target(
    plan: SweepPlan, within: Bounds, start: Target, points: Sequence[SweepPoint], earlier: Sequence[SweepPoint] = ()
) -> Target | Finish:
    """The next point, or the end."""
    ended = _given_up(points)
    if ended is not None:
        return ended
    soaks = [p for p in points if p.soak]
    if soaks and soaks[-1].passed:
        return Finish(f"complete: nothing promised {GAIN:.1%} more, and a soak of {plan.soak_s:g} s confirmed it")
    if not any(usable(p) for p in points):
        return _first(plan, within, start, points)
    return _Choice(plan, within, start, points, earlier).next()


def _first(plan: SweepPlan, within: Bounds, start: Target, points: Sequence[SweepPoint]) -> Target | Finish:
    if not points:
        return Target(start.mhz, start.mv, "where the miner is now")
    lower = points[-1].mhz - 10 * plan.step_mhz
    if lower < within.min_mhz:
        return Finish(f"nothing lower is allowed: {points[-1].reason}")
    return Target(lower, points[-1].mv, f"lower, because of {points[-1].reason}")


def _given_up(points: Sequence[SweepPoint]) -> Finish | None:
    last = points[-_IN_A_ROW:]
    if points and points[-1].verdict is PointVerdict.DISTURBED:
        return Finish(f"ended at {points[-1].mv} mV / {points[-1].mhz:g} MHz: {points[-1].reason}")
    if len(last) == _IN_A_ROW and all(p.verdict is PointVerdict.NOT_APPLIED for p in last):
        return Finish(f"the miner does not take the settings: {last[-1].reason}")
    if len(last) == _IN_A_ROW and all(p.verdict is PointVerdict.UNSTABLE and not p.samples for p in last):
        return Finish(f"the miner does not hash at all ({last[-1].reason}): check its pool")
    return None


class _Choice:
    """One choice of the next target, from all points."""

    def __init__(
        self,
        plan: SweepPlan,
        within: Bounds,
        start: Target,
        points: Sequence[SweepPoint],
        earlier: Sequence[SweepPoint],
    ) -> None:
        self._plan, self._within, self._start, self._points = plan, within, start, points
        self._fit = Surface(plan, [*earlier, *points])
        self._failed_soaks = [p for p in points if p.soak and not p.passed]
        self._most_pct = self._errors_allowed() * (2 / 3) ** len(self._failed_soaks)
        self._most_w, self._why_w = self._power_allowed()
        self._trust_w = TRUST_HEAT * max((p.power_w or float("inf") for p in points if usable(p)), default=0.0)

    def next(self) -> Target | Finish:
        """Another point, the soak, or the end."""
        probe = self._probe()
        if probe is not None:
            return probe
        there = self._best_measured()
        wish = max(self._reachable(), key=self._worth, default=None)
        if len(self._failed_soaks) >= MOST_SOAKS or (there is None and wish is None):
            return Finish("no setting within the limits passed")
        over = len(self._points) >= MOST_POINTS or wish is None or self._known(wish)
        if there is not None and (over or self._worth(wish) <= self._gained(self._worth(there))):
            return Target(there.mhz, there.mv, self._soak_text(), soak=True)
        if wish is None or len(self._points) >= 2 * MOST_POINTS:
            return Finish("no setting within the limits passed")
        return Target(wish.mhz, wish.mv, self._text(wish))

    def _probe(self) -> Target | None:
        """Where errors begin is not known yet: for hashrate the clock up until they show; where heat ends that first,
        and for efficiency, the voltage down, which makes room for more clock; at the lowest voltage the clock up."""
        if any(self._fit.graded) or not self._fit.reported:
            return None
        last = self._points[-1]
        up = min(last.mhz + PROBE_MHZ, self._within.max_mhz)
        tried = any(p.why.startswith(_CLOCK_UP) for p in self._points)
        if self._plan.goal is Goal.HASHRATE and not tried and up >= last.mhz + self._plan.step_mhz:
            return Target(up, last.mv, f"{_CLOCK_UP} until errors begin to show", probe=True)
        if last.mv - self._plan.step_mv >= self._within.min_mv:
            mv = max(self._within.min_mv, round(last.mv - PROBE_MV))
            return Target(last.mhz, mv, "voltage down until errors begin to show", probe=True)
        mhz = min(last.mhz + TRUST_MHZ, self._within.max_mhz)
        if mhz < last.mhz + self._plan.step_mhz:
            return None
        return Target(mhz, last.mv, f"{_CLOCK_UP} at the lowest voltage, until errors begin to show", probe=True)

    def _worth(self, at: Target | None) -> float:
        """What the goal gives there; more is better."""
        if at is None:
            return float("-inf")
        ghs = self._fit.ghs(at.mhz, at.mv)
        if self._plan.goal is Goal.EFFICIENCY:
            watts = self._fit.power_w(at.mhz, at.mv)
            return ghs / watts if watts else 0.0
        return ghs

    @staticmethod
    def _gained(worth: float) -> float:
        return worth * (1 + GAIN)

    def _known(self, at: Target) -> bool:
        return any(abs(p.mhz - at.mhz) < _SAME and p.mv == at.mv and usable(p) for p in self._points)

    def _reachable(self) -> Iterator[Target]:
        """Settings on the plan's steps that should pass, near enough to what is known."""
        for at in self._lattice():
            if self._fit.error_pct(at.mhz, at.mv) > self._most_pct:
                continue
            if self._fit.power_w(at.mhz, at.mv) > self._most_w:
                continue
            if self._ruled_out(at) or not self._trusted(at):
                continue
            yield at

    def _lattice(self) -> Iterator[Target]:
        plan, within = self._plan, self._within
        for mv in _steps(self._start.mv, plan.step_mv, within.min_mv, within.max_mv):
            for mhz in _steps(self._start.mhz, plan.step_mhz, within.min_mhz, within.max_mhz):
                yield Target(mhz, round(mv))

    def _trusted(self, at: Target) -> bool:
        if self._fit.power_w(at.mhz, at.mv) > self._trust_w:
            return False
        return any(
            abs(p.mhz - at.mhz) <= TRUST_MHZ + _SAME and abs(p.mv - at.mv) <= TRUST_MV + _SAME for p in self._points
        )

    def _ruled_out(self, at: Target) -> bool:
        """Failed itself, or harder than what failed for sure: in a soak or a long look."""
        unstable = [p for p in self._points if p.verdict is PointVerdict.UNSTABLE]
        if any(abs(p.mhz - at.mhz) < _SAME and p.mv == at.mv for p in unstable):
            return True
        failed = [p for p in unstable if p.soak or not self._fit.reported]
        return any(at.mhz >= p.mhz - _SAME and at.mv <= p.mv for p in failed)

    def _best_measured(self) -> Target | None:
        watts = min((p.power_w or 0.0 for p in self._too_hot()), default=float("inf")) * LEFT_SHARE
        fit = [
            Target(p.mhz, p.mv)
            for p in self._points
            if p.passed and usable(p) and not p.soak and (p.power_w is None or p.power_w <= watts + 0.005 * watts)
        ]
        fit = [at for at in fit if not self._ruled_out(at) and self._inside(at)]
        clean = [at for at in fit if self._fit.error_pct(at.mhz, at.mv) <= self._most_pct]
        fit = clean if self._fit.reported else fit
        return max(fit, key=self._worth, default=None)

    def _inside(self, at: Target) -> bool:
        return self._within.clamped(at.mhz, at.mv) == (at.mhz, at.mv)

    def _errors_allowed(self) -> float:
        by_ratio = (self._fit.clean - self._plan.tolerance - RATIO_RESERVE) / self._fit.cost
        return max(0.05, min(ERROR_RESERVE * self._plan.max_error_pct, by_ratio))

    def _power_allowed(self) -> tuple[float, str]:
        """Watts that limits and cooler take, as far as points near a temperature limit have shown."""
        within = self._within
        most, why = within.max_power_w * (1 - POWER_MARGIN), f"{within.max_power_w:g} W"
        for p in self._points:
            bound, reason = self._shown(p)
            if bound < most:
                most, why = bound, reason
        if len(self._points) > 1 and _stood(self._points[-2], self._points[-1]):
            watts = self._points[-1].power_w
            if watts is not None and watts < most:
                most, why = watts, f"what the cooler takes, {watts:.1f} W"
        return most, why

    def _too_hot(self) -> list[SweepPoint]:
        """Points that were left for heat. One that was left while the fan could still turn faster was only too fast,
        unless it happened again at no more power."""
        left = [p for p in self._points if p.verdict is PointVerdict.LIMIT and p.power_w is not None]
        return [p for p in left if not _held(p) or any(q is not p and _not_more(q, p) for q in left)]

    def _shown(self, p: SweepPoint) -> tuple[float, str]:
        """The power that this point rules out, in watts, and why; infinite when it rules out none."""
        if p.power_w is None:
            return float("inf"), ""
        if p.verdict is PointVerdict.LIMIT:
            hot = any(q is p for q in self._too_hot())
            over = max(0.0, *(t - lim + NEAR_C / 2 for t, lim in self._temps(p))) / max(
                self._within.max_vr_temp_c - ROOM_C, 10
            )
            return (p.power_w * (LEFT_SHARE - over), f"{p.power_w:.1f} W ({p.reason})") if hot else (float("inf"), "")
        found = [(float("inf"), "")]
        for temp, limit in self._temps(p):
            if limit - temp <= NEAR_C and not _held(p):
                watts = p.power_w * (1 + (limit - MARGIN_C - temp) / max(limit - ROOM_C, 10.0))
                found.append((watts, f"{limit:g} °C, reached at about {watts:.1f} W"))
        return min(found)

    def _temps(self, p: SweepPoint) -> list[tuple[float, float]]:
        """Chip and regulator as far as known, each with its limit."""
        both = ((p.chip_temp_c, self._within.max_chip_temp_c), (p.vr_temp_c, self._within.max_vr_temp_c))
        return [(temp, limit) for temp, limit in both if temp is not None]

    def _text(self, at: Target) -> str:
        fit = self._fit
        return (
            f"promises {fit.ghs(at.mhz, at.mv):.0f} GH/s at {fit.power_w(at.mhz, at.mv):.1f} W with "
            f"{fit.error_pct(at.mhz, at.mv):.2f} % errors; 10 MHz more need {10 * fit.need_mv_per_mhz:.0f} mV here"
        )

    def _soak_text(self) -> str:
        return f"the best so far, and nothing promises {GAIN:.1%} more within {self._why_w}: confirmed at length"


def _not_more(one: SweepPoint, other: SweepPoint) -> bool:
    return (one.power_w or 0.0) <= 1.02 * (other.power_w or 0.0)


def _held(point: SweepPoint) -> bool:
    """The fan had room to hold the chip where it wants it: its temperature says nothing about what is left."""
    return point.fan_pct is not None and point.fan_pct < 95


def _stood(before: SweepPoint, after: SweepPoint) -> bool:
    """The newest point got no further than the one before although more was wanted: that is the cooler's end."""
    return not after.soak and abs(before.mhz - after.mhz) < _SAME and before.mv == after.mv


def _steps(start: float, step: float, least: float, most: float) -> Iterator[float]:
    """``start`` ± n steps within the bounds."""
    if step <= 0:
        yield start
        return
    n = -int((start - least) / step + _SAME)
    while (value := start + n * step) <= most + _SAME:
        if value >= least - _SAME:
            yield value
        n += 1

"""The adaptive strategy: learn this very board, go where it is best, prove it, and say why.

    first         what the miner runs now
    then          the clock up until errors begin to show
    from then on  the curves of ``surface`` are fitted to all points, earlier sweeps' too, with all else that they may
                  be; while to know them exactly would still bring something, the setting where that would be earned is
                  next: the best so far, or its strongest rival
    last          the best for ``soak_s``; if by then another one promises GAIN more, that one too. One that fails there
                  costs the errors allowed a third

It has no memory of its own: the same points always lead to the same next one. Getting to a point (in live steps, never
through a limit) and how long it is measured is ``pace``'s and ``evidence``'s business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from minertui.jobs.sweep.headroom import heat_allowed, power_allowed
from minertui.jobs.sweep.stats import dead
from minertui.jobs.sweep.surface import Surface, collapsed, usable
from minertui.jobs.sweep.walk import Finish, Target
from minertui.model.plans import Goal, PointVerdict, SweepPlan, SweepPoint
from minertui.model.ranking import Bounds

GAIN = 0.003  # a setting that promises less than this share more is no better
STAKE = 0.0025  # when to know more would bring less than this share on average, it is known well enough;
RISK = 0.0075  # and by no more than this in all but a few of the boards that it may be (1 − the plan's confidence);
SILENT_STAKE = 0.001  # where errors have to be told from the hashrate, what is at stake is itself known less well
LOOKS = 24  # readings of one setting beyond which more help little where the firmware reports errors: half a soak's
MOST_POINTS = 16
MOST_SILENT, MOST_READINGS = 48, 2160  # the same where the hashrate has to tell of errors; three hours of readings
MOST_SOAKS = 4
HOPELESS = 0.05  # a setting that by the likeliest curves gives so much less than the best is no rival
CONTENDERS = 120  # so many of the most promising settings are compared in detail where the hashrate alone tells
MOST_LOOKS = 60  # points of any kind: nothing goes on for ever
TRUST_MHZ = 120.0  # so far from a measured point the fits are believed
TRUST_MV = 60.0
TRUST_HEAT = 1.2  # so much more power than ever measured is aimed at in one go
PROBE_MV, PROBE_MHZ = 150.0, 200.0  # so far errors are looked for in one go
_CLOCK_UP = "clock up"
ERROR_RESERVE = 0.7  # of the errors allowed
RATIO_RESERVE = 0.01  # over the tolerance
_IN_A_ROW = 2
_SAME = 1e-6


class _Row(NamedTuple):
    """A setting that may be run, and what it gives by each of the curves that may be true.
    ``worth``: on average; ``sure``: the same, with nothing by those where it would not pass. ``fit``: passes by the
    likeliest curves, with a reserve; ``near``: without any; ``fails``: by nearly all of them."""

    at: Target
    by: tuple[float, ...]
    worth: float
    sure: float
    fit: bool
    near: bool
    fails: bool


def next_target(
    plan: SweepPlan, within: Bounds, start: Target, points: Sequence[SweepPoint], earlier: Sequence[SweepPoint] = ()
) -> Target | Finish:
    """The next point, or the end."""
    ended = _given_up(points)
    if ended is not None:
        return ended
    if not any(usable(p) for p in points):
        return _first(plan, within, start, points)
    return _Choice(plan, within, start, points, earlier).next()


def _first(plan: SweepPlan, within: Bounds, start: Target, points: Sequence[SweepPoint]) -> Target | Finish:
    if not points:
        return Target(start.mhz, start.mv, "where the sweep begins")
    last = points[-1]
    lower = max(within.min_mhz, last.mhz - 10 * plan.step_mhz)
    if lower < last.mhz:
        return Target(lower, last.mv, f"less clock, because of {last.reason}")
    mv = max(within.min_mv, last.mv - 10 * plan.step_mv)
    if mv < last.mv and last.verdict is PointVerdict.LIMIT:
        return Target(last.mhz, mv, f"less voltage, because of {last.reason}")
    return Finish(f"nothing lower is allowed: {last.reason}")


def _given_up(points: Sequence[SweepPoint]) -> Finish | None:
    last = points[-_IN_A_ROW:]
    if points and points[-1].verdict is PointVerdict.DISTURBED:
        return Finish(f"ended at {Target(points[-1].mhz, points[-1].mv)}: {points[-1].reason}")
    if len(last) == _IN_A_ROW and all(p.verdict is PointVerdict.NOT_APPLIED for p in last):
        return Finish(f"the miner does not take the settings: {last[-1].reason}")
    silent = len(last) == _IN_A_ROW and all(dead(p) for p in last)
    if silent and not any(p.passed for p in points):
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
        self._failed_soaks = [p for p in points if p.soak and p.verdict is PointVerdict.UNSTABLE]
        self._most_pct = self._errors_allowed() * (2 / 3) ** len(self._failed_soaks)
        self._least_stake = STAKE if self._fit.reported else SILENT_STAKE
        self._most_w, self._why_w = power_allowed(points, within)
        self._most_heat = heat_allowed(points)
        self._trust_w = TRUST_HEAT * max((p.power_w or float("inf") for p in points if usable(p)), default=0.0)

    def next(self) -> Target | Finish:
        """Another point, the soak, or the end."""
        probe = self._probe() if len(self._points) < MOST_LOOKS else None
        if probe is not None:
            return probe
        rows = self._rows()
        best = max((row for row in rows if row.fit), key=lambda row: row.worth, default=None)
        soaks = [p for p in self._points if p.soak and p.verdict is not PointVerdict.LIMIT]
        more = len(self._points) < MOST_LOOKS and len(soaks) < MOST_SOAKS
        if best is None and more and (again := self._doubtful()) is not None:
            return again
        if best is None or not more:
            done = any(p.passed for p in soaks)
            return Finish("complete: confirmed as often as allowed" if done else "no setting within the limits passed")
        stake, risk, rival = self._at_stake([row for row in rows if row.near], best)
        unsure = stake > self._least_stake or (risk > RISK and self._fit.reported)
        at = self._worth_a_look(best, rival) if unsure else None
        if at is not None:
            return Target(at.mhz, at.mv, self._text(at, stake))
        best = max((row for row in rows if row.fit), key=lambda row: row.sure)
        confirmed = max((row for row in rows if self._soaked(row.at)), key=lambda row: row.sure, default=None)
        if confirmed is not None and best.sure <= confirmed.sure * (1 + GAIN):
            return Finish(f"complete: no other setting promises {100 * GAIN:g} % more than the one that was confirmed")
        at = self._coolest(rows, best) if self._plan.goal is Goal.HASHRATE else best.at
        return Target(at.mhz, at.mv, self._soak_text(), soak=True)

    def _doubtful(self) -> Target | None:
        """By all that is known no setting passes. A few readings of the hashrate may be to blame: of those that passed
        a look, the one with the highest share and fewer readings than help is looked at again."""
        looks = [p for p in self._points if not p.soak]
        if len(looks) >= MOST_POINTS:
            return None
        open_ = [p for p in looks if p.passed and self._readings(Target(p.mhz, p.mv)) < LOOKS]
        again = max(open_, key=lambda p: self._fit.ratio(p.mhz, p.mv), default=None)
        if again is None:
            return None
        return Target(again.mhz, again.mv, "no setting seems to pass, by few readings: looked at again")

    def _coolest(self, rows: Sequence[_Row], best: _Row) -> Target:
        """Of all that may as well be the best, what needs least power: a board loses sooner above it than below."""
        same = [row.at for row in rows if row.fit and row.sure * (1 + GAIN) >= best.sure]
        return min(same, key=lambda at: self._fit.power_w(at.mhz, at.mv))

    def _worth_a_look(self, best: _Row, rival: _Row) -> Target | None:
        """Where more readings help most: at the best, at its rival, or (without an error percentage) once more at the
        one of the two with fewer readings. None when that is known well enough."""
        looks = [p for p in self._points if not p.soak]
        told = self._fit.reported
        if len(looks) >= (MOST_POINTS if told else MOST_SILENT) or sum(p.samples for p in looks) >= MOST_READINGS:
            return None
        order = (best, rival) if told else (rival, best)
        seen = [(self._readings(row.at), n, row.at) for n, row in enumerate(order)]
        readings, _, at = min(seen)
        return None if readings >= LOOKS and told else at

    def _at_stake(self, rows: Sequence[_Row], best: _Row) -> tuple[float, float, _Row]:
        """What knowing the curves exactly would bring, as a share of what the best gives: on average, and at most but
        for the few boards that the plan's confidence leaves out; and the setting that would then bring most of it.
        Without an error percentage, most for each reading that it has had: one that was looked at for long will hardly
        surprise."""
        brings: dict[int, float] = {}
        each = []
        for now, *others in zip(best.by, *(row.by for row in rows), strict=True):
            most = max(others, default=now)
            each.append(max(0.0, most - now) / max(best.worth, 1e-9))
            if most > now:
                n = others.index(most)
                brings[n] = brings.get(n, 0.0) + each[-1] / len(best.by)
        if not brings:
            return 0.0, 0.0, best
        hopes = brings
        if not self._fit.reported:
            hopes = {n: gain / (LOOKS + self._readings(rows[n].at)) for n, gain in brings.items()}
        risk = sorted(each)[min(len(each) - 1, int(self._plan.confidence * len(each)))]
        return sum(brings.values()), risk, rows[max(hopes, key=lambda n: hopes[n])]

    def _readings(self, at: Target) -> int:
        same = [p for p in self._points if abs(p.mhz - at.mhz) < _SAME and p.mv == at.mv and usable(p)]
        return sum(p.samples for p in same)

    def _rows(self) -> list[_Row]:
        """All settings on the plan's steps that the limits allow, near enough to what is known, that promise enough.
        Where the hashrate alone tells, by the curves and by what points have shown beyond those."""
        where = list(self._open())
        if self._fit.reported:
            where = self._promising(where)
            return self._valued(where, self._fit.uncorrected([(at.mhz, at.mv) for at, _ in where]))
        if not where:
            return []
        settings = [(at.mhz, at.mv) for at, _ in where]
        by_variant = self._fit.uncorrected(settings)
        worths = [sum(by) for by in self._worths(where, by_variant)]
        least = sorted(worths, reverse=True)[:CONTENDERS][-1]
        known = {(p.mhz, p.mv) for p in self._points}
        kept = [n for n, worth in enumerate(worths) if worth >= least or settings[n] in known]
        some = [[by[n] for n in kept] for by in by_variant]
        rows = self._valued([where[n] for n in kept], self._fit.corrected([settings[n] for n in kept], some))
        failed = [row.at for row in rows if row.fails and (row.at.mhz, row.at.mv) in known]
        return [row for row in rows if not any(_harder(row.at, at) for at in failed)]

    def _promising(self, where: Sequence[tuple[Target, float]]) -> list[tuple[Target, float]]:
        """Those that by the likeliest curves give nearly as much as the best that passes: the rest need no second look
        by all that the curves may be."""
        rows = self._valued(where, self._fit.likeliest([(at.mhz, at.mv) for at, _ in where]))
        most = max((row.worth for row in rows if row.fit), default=0.0)
        return [one for one, row in zip(where, rows, strict=True) if row.worth >= (1 - HOPELESS) * most]

    def _valued(self, where: Sequence[tuple[Target, float]], by_variant: Sequence[Sequence[float]]) -> list[_Row]:
        """``where``: settings with their power; ``by_variant``: the share of the expected hashrate there."""
        shares = zip(*by_variant, strict=True)
        return [
            _Row(at, tuple(by), sum(by) / len(by), self._sure(by, ratios), *self._passes(at, ratios))
            for (at, _), ratios, by in zip(where, shares, self._worths(where, by_variant), strict=True)
        ]

    def _sure(self, by: Sequence[float], ratios: Sequence[float]) -> float:
        """What it gives on average, with nothing by curves where it would not pass. Without an error percentage
        nothing is run that may not pass, nor confirmed unless its share is proven."""
        if not self._fit.reported:
            return sum(by) / len(by)
        return sum([w for w, ratio in zip(by, ratios, strict=True) if ratio >= self._plan.tolerance]) / len(by)

    def _worths(
        self, where: Sequence[tuple[Target, float]], by_variant: Sequence[Sequence[float]]
    ) -> Iterator[list[float]]:
        """What each setting gives by each of the variants."""
        efficiency = self._plan.goal is Goal.EFFICIENCY
        for (at, watts), ratios in zip(where, zip(*by_variant, strict=True), strict=True):
            each = self._fit.cores * at.mhz / (watts if efficiency and watts > 0 else 1.0)
            yield [each * ratio for ratio in ratios]

    def _passes(self, at: Target, ratios: Sequence[float]) -> tuple[bool, bool, bool]:
        """Surely, likely, surely not. Errors tell by themselves; without them the boards that may be do."""
        if self._fit.reported:
            error_pct, ratio = self._fit.error_pct(at.mhz, at.mv), self._fit.ratio(at.mhz, at.mv)
            likely = error_pct < self._plan.max_error_pct and ratio >= self._plan.tolerance
            return likely and error_pct <= self._most_pct, likely, False
        least = self._plan.tolerance + RATIO_RESERVE * len(self._failed_soaks)
        share = sum([ratio >= least for ratio in ratios]) / len(ratios)
        return share >= self._plan.confidence, share >= 0.5, share <= 1 - self._plan.confidence

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

    def _open(self) -> Iterator[tuple[Target, float]]:
        """Settings that may be run, each with its power: within the limits, near what was measured, and neither
        failed themselves nor harder than what failed for sure (in a soak, or without any hashrate)."""
        plan, within, fit = self._plan, self._within, self._fit
        most_w = min(self._most_w, self._trust_w)
        unstable = [p for p in self._points if p.verdict is PointVerdict.UNSTABLE]
        bad = {(p.mhz, p.mv) for p in unstable}
        failed = [p for p in unstable if p.soak or dead(p) or collapsed(p)]
        clocks = list(_steps(self._start.mhz, plan.step_mhz, within.min_mhz, within.max_mhz))
        for level in _steps(self._start.mv, plan.step_mv, within.min_mv, within.max_mv):
            mv = round(level)
            near = [p.mhz for p in self._points if abs(p.mv - mv) <= TRUST_MV + _SAME]
            most_mhz = min((p.mhz for p in failed if mv <= p.mv), default=float("inf")) - _SAME
            for mhz in clocks:
                if mhz >= most_mhz or (mhz, mv) in bad or (mv / 1000) ** 2 * mhz > self._most_heat:
                    continue
                if (watts := fit.power_w(mhz, mv)) > most_w:
                    continue
                if any(abs(x - mhz) <= TRUST_MHZ + _SAME for x in near):
                    yield Target(mhz, mv), watts

    def _soaked(self, at: Target | None) -> bool:
        return at is not None and any(p.soak and p.passed and (p.mhz, p.mv) == (at.mhz, at.mv) for p in self._points)

    def _errors_allowed(self) -> float:
        by_ratio = (self._fit.clean - self._plan.tolerance - RATIO_RESERVE) / self._fit.cost
        return max(0.05, min(ERROR_RESERVE * self._plan.max_error_pct, by_ratio))

    def _text(self, at: Target, stake: float) -> str:
        fit = self._fit
        return (
            f"promises {fit.ghs(at.mhz, at.mv):.0f} GH/s at {fit.power_w(at.mhz, at.mv):.1f} W with "
            f"{fit.error_pct(at.mhz, at.mv):.2f} % errors; 10 MHz more need {10 * fit.need_mv_per_mhz:.0f} mV more "
            f"to stay as stable; to know all exactly would bring {100 * stake:.1f} % on average"
        )

    def _soak_text(self) -> str:
        known = f"more points would bring less than {100 * self._least_stake:g} %"
        return f"the best within {self._why_w}, and {known}: measured again for longer, to confirm it"


def _harder(at: Target, than: Target) -> bool:
    """As much clock at no more voltage, or more: what fails there fails here."""
    return at != than and at.mhz >= than.mhz - _SAME and at.mv <= than.mv


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

"""What the measured points say about the settings between and beyond them: the three curves of ``curves``, fitted.

Where the firmware reports errors, their logarithm is a plane over voltage and clock, and the hashrate falls in
proportion to them; where it does not, ``silent`` tells them from the hashrate alone. Every fit starts from a guess with
a stated weight, which a handful of points outweighs; the guesses and where they come from are in ``docs/sweeps.md``.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import cache
from itertools import product

from minertui.jobs.sweep import evidence, silent
from minertui.jobs.sweep.ceiling import CLEAN_RATIO, CLEAN_SPREAD, COST_PER_PCT, Ceiling, Shown
from minertui.jobs.sweep.curves import Curves, ratios, spread_out
from minertui.jobs.sweep.linear import Matrix, inverted, times
from minertui.jobs.sweep.residue import Residue
from minertui.model.plans import PointVerdict, SweepPlan, SweepPoint

FOLD_MV = 15.0  # guess: so many mV less multiply the errors by e
FOLDS_MV = (5.0, 8.0, 15.0, 25.0)  # or so many, where that explains all points better
NEED_MV_PER_MHZ = 0.5  # guess: so many mV more hold the errors at one MHz more
FOLD_SHARE, NEED_SHARE = 0.5, 1.0  # how far the two may be off (one standard deviation), as a share of the guess
CEILINGS = 16  # guesses of the ceiling that stand for all of them, each with all variants of the errors
BEYOND_MHZ = 120.0  # a knee is looked for so far over the highest clock measured: no setting beyond is asked about
ERROR_NOISE = 0.25  # one reading of the error percentage, as a share of it, until it was measured
MODEL_NOISE = 0.12  # a straight line through ln(errors) is no better than this
FLOOR_SHARE = 0.1  # of max_error_pct: errors under it may be there at any voltage
FLOORS = (0.5, 0.75, 0.9, 1.0)  # or so much of the least errors that any setting showed, where that explains all better
ERROR_FINE = 0.02  # %: errors are no better known than this
LINE_MOST = 4.0  # e^4 = 55 % of errors are as bad as any
CLEAN_NOISE = 0.3  # of the logarithm, for a point without errors where the line would have some
WILD_LOG = 3.0  # so far off may the level of the errors be while no point has any: a factor of 20
GRADED = 0.6  # errors this share over the floor are errors of the voltage
NEAR_LOG = 1.2  # points whose errors are e^1.2 away from the aim count for little
NEAR_MHZ = 120.0
COLLAPSED = 0.5  # of the expected hashrate: with less, published points had errors whatever the firmware made of them


class Surface:
    """The fits over ``points``; at least one must be usable (``usable``)."""

    def __init__(self, plan: SweepPlan, points: Sequence[SweepPoint]) -> None:
        self._plan = plan
        self.rows = [p for p in points if usable(p)]
        self.reported = any(p.error_pct is not None for p in self.rows)
        self.cores = statistics.median((p.expected_ghs or 0.0) / p.mhz for p in self.rows)
        self._p0, self._p1 = self._power()
        self._residue: Residue | None = None
        self.curves, self.variants = self._told() if self.reported else self._untold()

    def error_pct(self, mhz: float, mv: float) -> float:
        """Errors expected there, in per cent."""
        return self.curves.error_pct(mhz, mv)

    def ratio(self, mhz: float, mv: float) -> float:
        """Share of the expected hashrate there."""
        return self.curves.ratio(mhz, mv)

    def ghs(self, mhz: float, mv: float) -> float:
        """Hashrate there."""
        if self._residue is None:
            return self.cores * mhz * self.curves.ratio(mhz, mv)
        return self.cores * mhz * statistics.fmean(by[0] for by in self.ratios([(mhz, mv)]))

    def ratios(self, at: Sequence[tuple[float, float]]) -> list[list[float]]:
        """By each of the variants, the share of the expected hashrate at each of these settings (MHz, mV)."""
        return self.corrected(at, self.uncorrected(at))

    def likeliest(self, at: Sequence[tuple[float, float]]) -> list[list[float]]:
        """The same by the likeliest curves alone."""
        return ratios((self.curves,), at)

    def uncorrected(self, at: Sequence[tuple[float, float]]) -> list[list[float]]:
        """The same by the curves alone."""
        return ratios(self.variants, at)

    def corrected(self, at: Sequence[tuple[float, float]], by: list[list[float]]) -> list[list[float]]:
        """Those shares with what points have shown beyond the form of the curves."""
        if self._residue is None:
            return by
        home, rows = self.rows[0], []
        for mhz, mv in at:
            doubt = silent.form(max(0.0, self.clean - self.curves.ratio(mhz, mv)))
            rows.append(self._residue.corrections(mv - home.mv, mhz - home.mhz, doubt))
        return [
            [a + b for a, b in zip(one, more, strict=True)]
            for one, more in zip(by, zip(*rows, strict=True), strict=True)
        ]

    def power_w(self, mhz: float, mv: float) -> float:
        """Power there."""
        return self._p0 + self._p1 * (mv / 1000) ** 2 * mhz

    def _told(self) -> tuple[Curves, tuple[Curves, ...]]:
        """The curves where the firmware reports errors."""
        ceiling = Ceiling(self._shown(), max(p.mhz for p in self.rows) + BEYOND_MHZ)
        self.clean, self.cost = ceiling.at(self.rows[0].mhz), ceiling.cost
        self.errors = [_errors(p) for p in self.rows]
        cov = self._fitted(*min(product(reversed(self._floors()), FOLDS_MV), key=lambda form: self._explained(*form)))
        clean = cache(ceiling.at)  # asked for at every clock once for each voltage
        curves = Curves(self._c, self._a, self._b, self.cost, self.floor, self._at.mhz, self._at.mv, clean)
        wide = [[*row, 0.0] for row in cov] + [[0.0, 0.0, 0.0, ceiling.cost_var]]
        variants = spread_out(curves, wide)
        guesses = ceiling.sample(CEILINGS, self._at.mhz)
        return curves, tuple(by.under(guess.at, guess.cost - self.cost) for guess in guesses for by in variants)

    def _floors(self) -> list[float]:
        """What errors may be there at any voltage: a little, or most of what every setting showed."""
        usual, least = FLOOR_SHARE * self._plan.max_error_pct, min(self.errors)
        return [min(least, usual), *(share * least for share in FLOORS if share * least > usual)]

    def _fitted(self, floor: float, fold_mv: float) -> Matrix:
        """The plane over this floor, held to a guess of so many mV; its covariance."""
        self.floor, self._guess = floor, (-1 / fold_mv, NEED_MV_PER_MHZ / fold_mv)
        self._over = [max(error - floor, 0.0) for error in self.errors]
        self.graded = [over >= max(GRADED * floor, 0.03) for over in self._over]
        self._c, (self._a, self._b) = 0.0, self._guess
        self._at = self.rows[-1]
        cov: Matrix = []
        for _ in range(4):  # the aim depends on the slopes, and the weights on the aim
            cov = self._plane()
        return cov

    def _explained(self, floor: float, fold_mv: float) -> float:
        """How badly the errors are explained with this form: squares of standard errors, of the guesses too."""
        self._fitted(floor, fold_mv)
        a0, b0 = self._guess
        found = (math.log(fold_mv / FOLD_MV) / silent.FOLD_SPREAD) ** 2
        found += ((self._a / a0 - 1) / FOLD_SHARE) ** 2 + ((self._b / b0 - 1) / NEED_SHARE) ** 2
        for point, error in zip(self.rows, self.errors, strict=True):
            told = math.exp(min(self._line(point.mhz, point.mv), LINE_MOST)) if any(self.graded) else 0.0
            share = math.hypot(ERROR_NOISE / math.sqrt(max(1, point.samples)), MODEL_NOISE)
            found += ((floor + told - error) / (share * max(error, floor, ERROR_FINE))) ** 2
        return found

    def _shown(self) -> list[Shown]:
        """Each setting with what all its points showed."""
        at = evidence.by_setting(self.rows)
        errors = [sum(p.samples * _errors(p) for p in of) / sum(p.samples for p in of) for of in at.values()]
        seen = silent.settings(self.rows, evidence.per_fact(self.rows))
        return [Shown(mhz, s.ratio, s.noise2, e) for (mhz, _), s, e in zip(at, seen, errors, strict=True)]

    def _untold(self) -> tuple[Curves, tuple[Curves, ...]]:
        """The curves where it does not: one per cent of errors then means what it usually costs."""
        a0, b0 = -1 / FOLD_MV, NEED_MV_PER_MHZ / FOLD_MV
        seen = silent.settings(self.rows, evidence.per_fact(self.rows))
        may_be = silent.boards(seen, a0, b0, CLEAN_RATIO, CLEAN_SPREAD)
        c, self._a, self._b, r0 = (statistics.fmean(values) for values in zip(*may_be, strict=True))
        self.clean, self.cost, self.floor, self.graded = r0, COST_PER_PCT, 0.0, [False for _ in self.rows]
        variants = tuple(self._one(*board) for board in may_be)
        off = [[s.ratio - board.ratio(s.mv, s.mhz) for s in seen] for board in may_be]
        self._residue = Residue(seen, self._a, self._b, off)
        return self._one(c, self._a, self._b, r0), variants

    def _one(self, c: float, a: float, b: float, r0: float) -> Curves:
        home = self.rows[0]
        return Curves(c - math.log(COST_PER_PCT), a, b, COST_PER_PCT, 0.0, home.mhz, home.mv, lambda _: r0)

    @property
    def aim_pct(self) -> float:
        """The errors at which one MHz more costs as much as it brings."""
        return self.clean / (self.cost * (1 + self._at.mhz * max(self._b, 1e-4)))

    @property
    def need_mv_per_mhz(self) -> float:
        """Slope of the line of equal errors: the voltage that one MHz more needs."""
        return -self._b / self._a

    def _line(self, mhz: float, mv: float) -> float:
        return self._c + self._a * (mv - self._at.mv) + self._b * (mhz - self._at.mhz)

    def _plane(self) -> Matrix:
        """Weighted least squares for c, a, b; a and b are held to their guesses. A clean point only says that errors
        are not more than it showed, so it counts where the line would have them. Returns their covariance."""
        rows = list(zip(self.rows, self._over, self.graded, strict=True))
        best = [(abs(math.log(over / self.aim_pct)), n) for n, (_, over, graded) in enumerate(rows) if graded]
        self._recentre(self.rows[min(best)[1]] if best else self.rows[-1])
        a0, b0 = self._guess
        matrix = [[0.0] * 3 for _ in range(3)]
        right = [0.0] * 3
        for index, centre, share in ((1, a0, FOLD_SHARE), (2, b0, NEED_SHARE)):
            matrix[index][index] += 1 / (share * centre) ** 2
            right[index] += centre / (share * centre) ** 2
        for point, over, graded in rows:
            clean = math.log(0.4 * max(self.floor, 0.05))
            if not graded and self._line(point.mhz, point.mv) < clean and best:
                continue
            x = (1.0, point.mv - self._at.mv, point.mhz - self._at.mhz)
            value = math.log(over) if graded else clean
            w = self._weight(point, over, graded)
            for i in range(3):
                right[i] += w * x[i] * value
                for j in range(3):
                    matrix[i][j] += w * x[i] * x[j]
        matrix[0][0] += 1 / WILD_LOG**2
        right[0] += self._line(self._at.mhz, self._at.mv) / WILD_LOG**2
        cov = inverted(matrix)
        self._c, a, b = times(cov, right)
        self._a, self._b = min(a, -1e-3), max(b, 1e-4)
        return cov

    def _recentre(self, at: SweepPoint) -> None:
        self._c, self._at = self._line(at.mhz, at.mv), at

    def _weight(self, point: SweepPoint, over: float, graded: bool) -> float:
        if not graded:
            return 1 / CLEAN_NOISE**2
        noise = ERROR_NOISE / math.sqrt(max(1, point.samples)) * (over + self.floor) / over
        far = (math.log(over / self.aim_pct) / NEAR_LOG) ** 2 + ((point.mhz - self._at.mhz) / NEAR_MHZ) ** 2
        return math.exp(-0.5 * far) / (noise**2 + MODEL_NOISE**2)

    def _power(self) -> tuple[float, float]:
        """p0 and p1; through nothing at 0 W until two points are 5 % apart, which overstates what more will cost."""
        xs = [(p.mv / 1000) ** 2 * p.mhz for p in self.rows if p.power_w]
        ys = [p.power_w for p in self.rows if p.power_w]
        if not ys:
            return 0.0, 0.0
        mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
        if max(xs) < 1.05 * min(xs):
            return 0.0, mean_y / mean_x
        slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum(
            (x - mean_x) ** 2 for x in xs
        )
        slope = min(max(slope, 0.5 * mean_y / mean_x), 1.5 * mean_y / mean_x)
        return mean_y - slope * mean_x, slope


def collapsed(point: SweepPoint) -> bool:
    """True when hardly any hashrate was left: no few errors then mean anything (AxeOS shows 0 % without hashrate)."""
    return point.ratio is not None and point.ratio < COLLAPSED


def _errors(point: SweepPoint) -> float:
    """The errors of a point in %; where it collapsed, at least what such a loss usually comes with."""
    error_pct = point.error_pct or 0.0
    return max(error_pct, (1 - (point.ratio or 0.0)) / COST_PER_PCT) if collapsed(point) else error_pct


def usable(point: SweepPoint) -> bool:
    """True when the point says something about its settings."""
    told = point.verdict in (PointVerdict.PASSED, PointVerdict.UNSTABLE, PointVerdict.LIMIT)
    return told and bool(point.hashrate_ghs and point.expected_ghs and point.samples >= 3 and point.mhz)

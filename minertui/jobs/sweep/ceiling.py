"""The share of the expected hashrate that a board gives where no voltage is missing: flat, and falling from a knee on.

    share = r0 − k·errors − fall·(F − knee)+          errors in %, F in MHz, fall per MHz

Where the knee is and how steeply the share falls above it is one of a grid of guesses, one of them that there is no
knee. For each of them r0 and k follow from all points by least squares, and each counts by how well it then explains
the points (the evidence of a linear model with normal noise; MacKay 1992). ``sample`` gives a few that stand for all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from minertui.jobs.sweep.linear import inverted, times
from minertui.jobs.sweep.resampling import drawn
from minertui.jobs.sweep.silent import MODEL_BEND

COST_PER_PCT = 0.14  # ratio lost per % of errors: 140 published points, 0.90 at 0.75 % and 0.78 at 1.5 %
COST_SPREAD = 0.05
LEAST_COST = 0.02
CLEAN_RATIO, CLEAN_SPREAD = 1.0, 0.02  # ratio without errors: 109 of 110 published clean points over 0.96, most near 1
KNEE_WITHIN_MHZ = 60.0  # the knee is as likely as not within so much of the clock where the board ran before
KNEE_STEP_MHZ = 5.0  # guesses of it are so far apart: the usual step of a sweep
FALLS = (0.25, 0.5, 0.75, 1.0, 1.5)  # % of the share lost for 1 % more clock, all as likely: at 1 more clock is in vain
FORM = 0.003  # the form of the curve is no better than this, and ``silent.MODEL_BEND`` times the square of the loss
_NEGLIGIBLE = 1e-4


class Shown(NamedTuple):
    """What the points of one setting showed together: the share of the expected hashrate, the variance of its noise,
    and the errors in per cent."""

    mhz: float
    ratio: float
    noise2: float
    error_pct: float


class Guess(NamedTuple):
    """A form that may be true, and how likely it is (0..1). ``fall``: share lost per MHz above ``knee_mhz``."""

    weight: float
    knee_mhz: float
    fall: float
    clean: float
    cost: float

    def at(self, mhz: float) -> float:
        """The share without errors at this clock."""
        return self.clean - self.fall * max(0.0, mhz - self.knee_mhz)


def _doubt(error_pct: float) -> float:
    """How far the share may be off the straight line at so many errors (one standard deviation): 0.7 % at 0.33 %, where
    chips run best, 4 % at 1 %, 16 % at 2 %. Where the hashrate collapses no line holds; such a point is not to bend it
    for the others. By what errors usually cost, as the measured share has noise, and a knee's loss is no error."""
    return FORM + MODEL_BEND * (COST_PER_PCT * error_pct) ** 2


class Ceiling:
    """All that ``shown`` leaves likely. The first is where the board ran before; ``most_mhz``: nobody asks beyond."""

    def __init__(self, shown: Sequence[Shown], most_mhz: float) -> None:
        self._shown, self._home_mhz = shown, shown[0].mhz
        self._weights = [1 / (s.noise2 + _doubt(s.error_pct) ** 2) for s in shown]
        self._prior = (1 / CLEAN_SPREAD**2, 1 / COST_SPREAD**2)
        self._cov = self._covariance()
        self.guesses = self._weighed(most_mhz)
        self.cost = sum(guess.weight * guess.cost for guess in self.guesses)
        self.cost_var = self._cov[1][1]

    def at(self, mhz: float) -> float:
        """The share without errors at this clock, on average."""
        return sum(guess.weight * guess.at(mhz) for guess in self.guesses)

    def sample(self, count: int, mhz: float) -> list[Guess]:
        """``count`` guesses, all as likely: the quantiles of what is lost between home and this clock."""
        ordered = sorted(self.guesses, key=lambda guess: guess.at(mhz) - guess.at(self._home_mhz))
        return [ordered[n] for n in drawn([guess.weight for guess in ordered], count)]

    def _weighed(self, most_mhz: float) -> list[Guess]:
        forms = [
            (knee, fall, math.log(prior), *self._fitted(knee, fall)) for knee, fall, prior in self._forms(most_mhz)
        ]
        top = max(before + told for _, _, before, told, _, _ in forms)
        raw = [
            Guess(math.exp(before + told - top), knee, fall, clean, max(LEAST_COST, cost))
            for knee, fall, before, told, clean, cost in forms
        ]
        likely = [guess for guess in raw if guess.weight > _NEGLIGIBLE]
        total = sum(guess.weight for guess in likely)
        return [guess._replace(weight=guess.weight / total) for guess in likely]

    def _forms(self, most_mhz: float) -> Iterator[tuple[float, float, float]]:
        """Knee, fall, and how likely that is beforehand: a knee is as likely in each MHz that is left."""
        rate, room = math.log(2) / KNEE_WITHIN_MHZ, max(0.0, most_mhz - self._home_mhz)
        yield most_mhz, 0.0, math.exp(-rate * room)
        for n in range(math.ceil(room / KNEE_STEP_MHZ)):
            over = KNEE_STEP_MHZ * n
            for fall in FALLS:
                knee = self._home_mhz + over
                yield knee, fall / knee, rate * KNEE_STEP_MHZ * math.exp(-rate * over) / len(FALLS)

    def _covariance(self) -> list[list[float]]:
        """Of r0 and k: it does not depend on the knee."""
        a, b, d = self._prior[0], 0.0, self._prior[1]
        for w, s in zip(self._weights, self._shown, strict=True):
            a, b, d = a + w, b - w * s.error_pct, d + w * s.error_pct**2
        return inverted([[a, b], [b, d]])

    def _fitted(self, knee_mhz: float, fall: float) -> tuple[float, float, float]:
        """The logarithm of how well this form explains the points, but for what all forms share; its r0 and k."""
        right = [self._prior[0] * CLEAN_RATIO, self._prior[1] * COST_PER_PCT]
        squares = self._prior[0] * CLEAN_RATIO**2 + self._prior[1] * COST_PER_PCT**2
        for w, s in zip(self._weights, self._shown, strict=True):
            y = s.ratio + fall * max(0.0, s.mhz - knee_mhz)
            right[0], right[1], squares = right[0] + w * y, right[1] - w * s.error_pct * y, squares + w * y * y
        clean, cost = times(self._cov, right)
        return -0.5 * (squares - clean * right[0] - cost * right[1]), clean, cost

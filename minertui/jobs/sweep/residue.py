"""What points have shown beyond the form of a curve: a setting that was looked at for long is known by itself.

No formula is true. By how much a board may differ from it is stated (``form``), and that it differs alike at settings
that are near to each other: two that are d e-folds of the loss apart share e^(−d) of it (a corner is followed too).
Given that and the noise of the points, how far each board that may be is off at each measured setting follows (the
posterior of a Gaussian process), and from there by interpolation how far it is off between them (kriging).
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from functools import cache
from operator import mul
from typing import NamedTuple

from minertui.jobs.sweep.linear import Matrix, inverted, lower, times

JITTER = 1e-6  # of a form's variance: keeps the sums solvable
_NORMAL = statistics.NormalDist()


class Seen(NamedTuple):
    """A setting as numbers: how far from the first in mV and MHz, its mean share of the expected hashrate, the variance
    of that mean, and how far a formula may be off there (one standard deviation)."""

    mv: float
    mhz: float
    ratio: float
    noise2: float
    form: float


class Residue:
    """``off`` holds for each board the measured shares less its own. ``a``, ``b``: e-folds per mV and per MHz."""

    def __init__(self, seen: Sequence[Seen], a: float, b: float, off: Sequence[Sequence[float]]) -> None:
        self._seen, self._a, self._b = seen, a, b
        form = [[s.form * t.form * math.exp(-self._far(s.mv, s.mhz, t)) for t in seen] for s in seen]
        for i, row in enumerate(form):
            row[i] *= 1 + JITTER
        both = [[*row] for row in form]
        for i, s in enumerate(seen):
            both[i][i] += s.noise2
        gain, back = inverted(both), inverted(form)
        known = _product(form, gain)  # what is known of the form where it was measured
        left = _product(known, form)
        root = lower([[f - k for f, k in zip(x, y, strict=True)] for x, y in zip(form, left, strict=True)])
        self._weights = [
            [g + u for g, u in zip(times(gain, row), times(back, times(root, luck)), strict=True)]
            for row, luck in zip(off, _lucks(len(off), len(seen)), strict=True)
        ]

    def corrections(self, mv: float, mhz: float, form: float) -> list[float]:
        """What to add to the share of each board at a setting, ``mv`` and ``mhz`` from the first. ``form``: how far the
        curve may be off there by its own loss; it may be as far off as at the nearest setting that was measured."""
        far = [self._far(mv, mhz, s) for s in self._seen]
        form = max(form, self._seen[far.index(min(far))].form)
        shared = [form * s.form * math.exp(-d) for s, d in zip(self._seen, far, strict=True)]
        return [sum(map(mul, shared, weights)) for weights in self._weights]

    def _far(self, mv: float, mhz: float, s: Seen) -> float:
        return math.hypot(self._a * (mv - s.mv), self._b * (mhz - s.mhz))


def _product(one: Matrix, other: Matrix) -> Matrix:
    """one · other, the other being symmetric."""
    return [times(other, row) for row in one]


def _lucks(boards: int, settings: int) -> list[list[float]]:
    """As many normally distributed numbers as there are settings for each board. Evenly spread and always the same:
    each setting has the same quantiles, in another order."""
    return [list(row) for row in zip(*(_luck(boards, setting) for setting in range(settings)), strict=True)]


@cache
def _luck(boards: int, setting: int) -> list[float]:
    return random.Random(setting).sample(_quantiles(boards), boards)  # noqa: S311 - an order, no secret


@cache
def _quantiles(boards: int) -> list[float]:
    return [_NORMAL.inv_cdf((n + 0.5) / boards) for n in range(boards)]

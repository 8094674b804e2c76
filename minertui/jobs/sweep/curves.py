"""Three curves of one board, and what else they may be as far as is known.

    errors    e = floor + exp(c + a·mV + b·MHz) %     errors grow by a factor for so many mV less or MHz more
    hashrate  share of the expected = r0 − k·e        what the errors cost
    power     W = p0 + p1·V²·F                        switching losses

``spread_out`` turns a fit and its covariance into a handful of variants that have the same mean and covariance (the
sigma points of the unscented transform; Julier and Uhlmann 1997). What a setting gives on average over them counts its
risk in: errors that may be a little more cost more than errors that may be a little less save.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from minertui.jobs.sweep.ceiling import LEAST_COST
from minertui.jobs.sweep.linear import lower

_MOST_PART = 300.0  # two of these stay under the largest float
_MOST_LINE = 4.0  # e^4 = 55 % of errors: beyond that nothing is told apart


@dataclass(frozen=True)
class Curves:
    """See the top of the file. The errors' line is taken from ``at_mhz``/``at_mv``; ``clean`` gives r0 at a clock."""

    c: float
    a: float
    b: float
    cost: float
    floor: float
    at_mhz: float
    at_mv: float
    clean: Callable[[float], float]

    def line(self, mhz: float, mv: float) -> float:
        """The logarithm of the errors over the floor."""
        return self.c + self.a * (mv - self.at_mv) + self.b * (mhz - self.at_mhz)

    def error_pct(self, mhz: float, mv: float) -> float:
        """Errors expected there, in per cent."""
        return self.floor + math.exp(min(self.line(mhz, mv), _MOST_LINE))

    def ratio(self, mhz: float, mv: float) -> float:
        """Share of the expected hashrate there."""
        return max(0.0, self.clean(mhz) - self.cost * self.error_pct(mhz, mv))

    def under(self, clean: Callable[[float], float], dearer: float) -> Curves:
        """The same errors, with another share without them, and so much more lost for each per cent."""
        return replace(self, clean=clean, cost=max(LEAST_COST, self.cost + dearer))


def ratios(variants: Sequence[Curves], at: Sequence[tuple[float, float]]) -> list[list[float]]:
    """``ratio`` of each variant at each of these settings (MHz, mV): exponentials are taken once for each clock and
    voltage. Where the errors' line has no end the hashrate is 0 as well."""
    mhz, mv = list(dict.fromkeys(x for x, _ in at)), list(dict.fromkeys(y for _, y in at))
    columns, rows = {x: n for n, x in enumerate(mhz)}, {y: n for n, y in enumerate(mv)}
    where = [(columns[x], rows[y]) for x, y in at]
    found = []
    for curves in variants:
        clean, clock = [], []
        for x in mhz:
            clean.append(curves.clean(x) - curves.cost * curves.floor)
            clock.append(curves.cost * math.exp(min(curves.b * (x - curves.at_mhz), _MOST_PART)))
        level = [math.exp(min(curves.c + curves.a * (y - curves.at_mv), _MOST_PART)) for y in mv]
        found.append([ratio if (ratio := clean[i] - clock[i] * level[j]) > 0.0 else 0.0 for i, j in where])
    return found


def spread_out(mean: Curves, cov: Sequence[Sequence[float]]) -> tuple[Curves, ...]:
    """Variants of equal weight. ``cov``: of (c, a, b, cost)."""
    root = lower(cov)
    size = len(root)
    variants = []
    for j in range(size):
        for sign in (1.0, -1.0):
            c, a, b, cost = (sign * math.sqrt(size) * root[i][j] for i in range(size))
            a, b = min(mean.a + a, -1e-3), max(mean.b + b, 1e-4)
            variants.append(replace(mean, c=mean.c + c, a=a, b=b, cost=max(LEAST_COST, mean.cost + cost)))
    return tuple(variants)

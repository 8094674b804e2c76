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

from minertui.jobs.sweep.linear import lower

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


def spread_out(mean: Curves, cov: Sequence[Sequence[float]]) -> tuple[Curves, ...]:
    """Variants of equal weight. ``cov``: of (c, a, b, cost)."""
    root = lower(cov)
    size = len(root)
    variants = []
    for j in range(size):
        for sign in (1.0, -1.0):
            c, a, b, cost = (sign * math.sqrt(size) * root[i][j] for i in range(size))
            a, b = min(mean.a + a, -1e-3), max(mean.b + b, 1e-4)
            variants.append(replace(mean, c=mean.c + c, a=a, b=b, cost=max(0.02, mean.cost + cost)))
    return tuple(variants)

"""A few that stand for many: systematic resampling."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


def drawn(weights: Sequence[float], count: int) -> list[int]:
    """``count`` indices in proportion to their weights, at even distances along the weights' sum: the quantiles, where
    what is weighed is in order."""
    sums = list(accumulate(weights))
    return [min(bisect_left(sums, sums[-1] * (n + 0.5) / count), len(sums) - 1) for n in range(count)]

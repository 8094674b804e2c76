"""Counting what was hashed: averages, shares, best difficulty.

The firmware averages over the time in which it hashes: while the hashrate is 0 the averages stand still and keep their
last value (from v2.12 on).
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import deque

_HASHES_PER_DIFF = 2.0**32


class Mining:
    """Counters of one board since its boot, and (``lifetime_``) since ever."""

    def __init__(self, dice: random.Random, cv: float, pool_diff: int) -> None:
        """``cv``: spread of the hashrate of one second, as a share of it."""
        self._dice, self.cv, self.pool_diff = dice, cv, pool_diff
        self.lifetime_hashes = 0.0
        self.best_diff = 0.0
        self.reject_share = dice.uniform(0.001, 0.004)
        self.reset()

    def reset(self) -> None:
        """A reboot: everything but the lifetime counters starts again."""
        self.accepted = self.rejected = 0
        self.session_diff = 0.0
        self.sample_ghs = 0.0
        self._time_s = self._work_gh = 0.0
        self._seconds: deque[tuple[float, float]] = deque([(0.0, 0.0)], maxlen=62)
        self._minutes: deque[tuple[float, float]] = deque([(0.0, 0.0)], maxlen=62)

    def hash(self, ghs: float, dt_s: float, pool: bool) -> None:
        """Mine at ``ghs`` (mean) for ``dt_s``; without a ``pool`` nothing is counted as a share."""
        if ghs <= 0:
            return
        noise = 1 + self.cv * self._dice.gauss(0, 1) / math.sqrt(max(dt_s, 0.1))
        work = ghs * dt_s * max(0.0, noise)
        self._time_s += dt_s
        self._work_gh += work
        self.lifetime_hashes += work * 1e9
        if self._time_s - self._seconds[-1][0] >= 1.0:
            self._seconds.append((self._time_s, self._work_gh))
        if self._time_s - self._minutes[-1][0] >= 60.0:
            self._minutes.append((self._time_s, self._work_gh))
        if pool:
            self._find(self._poisson(work * 1e9 / (_HASHES_PER_DIFF * self.pool_diff)))

    def sample(self, ghs: float) -> None:
        """The firmware refreshes its instantaneous figure."""
        self.sample_ghs = max(0.0, ghs * (1 + self.cv * self._dice.gauss(0, 1))) if ghs > 0 else 0.0

    def mean(self, span_s: float) -> float:
        """Mean GH/s of the last ``span_s`` seconds of hashing (or of all of them, when it is less)."""
        marks = self._seconds if span_s <= 60 else self._minutes
        later = bisect_left(marks, True, key=lambda mark: self._time_s - mark[0] < span_s)
        start = marks[max(0, later - 1)]
        span = self._time_s - start[0]
        return (self._work_gh - start[1]) / span if span > 0 else 0.0

    def _find(self, shares: int) -> None:
        if not shares:
            return
        luck, share = self._dice.random, self.reject_share
        rejected = sum([luck() < share for _ in range(min(shares, 1000))])
        self.accepted += shares - rejected
        self.rejected += rejected
        best = self.pool_diff / max(1 - luck() ** (1 / shares), 1e-12)
        self.session_diff = max(self.session_diff, best)
        self.best_diff = max(self.best_diff, best)

    def _poisson(self, mean: float) -> int:
        if mean > 30:
            return max(0, round(self._dice.gauss(mean, math.sqrt(mean))))
        limit, count, product = math.exp(-mean), 0, self._dice.random()
        while product > limit:
            count += 1
            product *= self._dice.random()
        return count

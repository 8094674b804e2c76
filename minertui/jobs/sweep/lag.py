"""Errors that the firmware shows as a mean which forgets slowly: what they will come to is told before they get there.

    e' = (E − e) / τ      e what is shown, E what the setting really has, τ how long the firmware remembers

Taken together over a measurement that is E = (mean of what was shown) + τ · (last − first) / time: what the mean has
not made up yet. In readings τ is ρ/(1 − ρ) of them, where ρ is what one reading keeps of the one before it. That is
measured at every point, by least squares over its readings in pairs, less what few readings lower it by (Kendall
1954); a point after a great change tells it best, and counts by that. Firmware that shows errors as they are has ρ = 0.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

LEAST = 6  # readings of which anything is told
NONE_WEIGHT = 8.0  # that nothing is remembered counts like so many readings
MOST = math.exp(-5 / 60)  # of a reading in the next one five seconds later: the mean of a minute
FINE = 0.005  # %: firmware shows hundredths, so noise of less is not believed


class Memory(NamedTuple):
    """What one reading keeps of the one before it, and how well that is known: one over its variance."""

    share: float
    weight: float


def memory(values: Sequence[float]) -> Memory | None:
    """From readings of one setting in a row, what came right after the change to it too; None when they do not tell."""
    if len(values) < LEAST:
        return None
    was, now = values[:-1], values[1:]
    count, mean_was, mean_now = len(was), statistics.fmean(was), statistics.fmean(now)
    squares = sum((x - mean_was) ** 2 for x in was)
    if squares <= count * FINE**2:
        return None
    both = sum((x - mean_was) * (y - mean_now) for x, y in zip(was, now, strict=True))
    raw = both / squares
    noise2 = max(FINE**2, (sum((y - mean_now) ** 2 for y in now) - raw * both) / (count - 2))
    share = min(MOST, max(-MOST, raw))
    by_noise = min(1.0, count * noise2 / (1 - share**2) / squares)
    return Memory(min(MOST, share + (1 + 3 * share) / count * by_noise), squares / noise2)


def together(found: Iterable[Memory]) -> float:
    """What all points say of one reading in the next."""
    known = list(found)
    return max(0.0, sum(m.weight * m.share for m in known) / (NONE_WEIGHT + sum(m.weight for m in known)))


def level(values: Sequence[float], share: float) -> tuple[float, float]:
    """What these readings of one setting are on their way to: the mean of what each adds to what it keeps of the one
    before. And its standard error, infinite with fewer than three readings."""
    if len(values) < 3:
        return (statistics.fmean(values) if values else 0.0), math.inf
    fresh = [(now - share * was) / (1 - share) for was, now in pairwise(values)] if share else list(values)
    error = statistics.stdev(fresh) / math.sqrt(len(fresh))
    return max(0.0, statistics.fmean(fresh)), error

"""Does it grow, or does it fill? Slopes with the interval that they are known to, and what may be concluded from them.

What a process holds is a staircase with noise, and one sample resembles the one before it. Plain least squares takes
each for a witness of its own and gets an interval that is far too narrow. Here n samples count as n (1 - r) / (1 + r)
witnesses, r being the correlation of neighbouring residuals (Santer et al. 2000, for trends of temperatures), with r
corrected for being too low in short series, and Student's factor for so few witnesses.

Whatever is bounded fills first and shows a slope as well. So only what comes after the filling is fitted, and a slope
convicts only when its whole interval lies above the target. When the interval holds the target, nothing is shown either
way; it narrows with the run's length to the power of 1.5, which tells how long a run has to be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec

DAY_S = 86_400.0
_LEAST = 8  # samples


class Trend(msgspec.Struct, frozen=True):
    """What is gained in a unit of x, and the 95 % interval of that."""

    gained: float
    low: float
    high: float
    span: float

    def __mul__(self, factor: float) -> Trend:
        return Trend(self.gained * factor, self.low * factor, self.high * factor, self.span)


def trend(points: Sequence[tuple[float, float]]) -> Trend | None:
    """Least squares through ``(x, y)`` at even distances; None of fewer than eight points."""
    n = len(points)
    if n < _LEAST:
        return None
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    gained = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    rest = [y - mean_y - gained * (x - mean_x) for x, y in points]
    noise = sum(value**2 for value in rest)
    alike = sum(a * b for a, b in pairwise(rest)) / noise if noise else 0.0
    alike = min(0.98, max(0.0, alike + (1 + 4 * alike) / n))
    free = max(1.0, n * (1 - alike) / (1 + alike) - 2)
    either_side = _student(free) * math.sqrt(noise / free / spread)
    return Trend(gained, gained - either_side, gained + either_side, points[-1][0] - points[0][0])


def _student(free: float) -> float:
    """The factor of a 95 % interval for so many degrees of freedom, within 3 % from two of them on."""
    return 1.96 + 2.4 / free + 4.6 / free**2


def verdict(found: Trend | None, most: float) -> tuple[bool | None, str]:
    """Is the target kept? None: this run cannot tell, and the words say how long one has to be. x is seconds of which
    a day has 86,400, ``most`` a day's."""
    if found is None:
        return None, "too short to tell"
    day = found * DAY_S
    if day.high <= most:
        return True, "kept"
    if day.low > most:
        return False, "MISSED"
    half = (day.high - day.low) / 2
    room = most - max(0.0, day.gained) if day.gained < most else most / 2
    hours = found.span / 3600 * (half / max(room, most / 10)) ** (2 / 3)
    return None, f"not shown by this run, nor missed: with such noise it takes some {hours:.0f} h"

"""From what was kept to what a chart draws: evenly spaced buckets, and None where nothing is known."""

from __future__ import annotations

import math
import statistics
from array import array
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from minertui.model.errors import MinertuiError
from minertui.model.history import Series
from minertui.model.metrics import METRICS

_COLUMN = {metric.id: i for i, metric in enumerate(METRICS)}
_MAX_POINTS = 5000
_LONGEST_S = 732 * 86_400.0  # more is never kept
_LAST_S = 1e11  # no clock shows more: the year 5138
APART = 1.5  # a bucket is at least so many times as wide as readings are apart


class Question(msgspec.Struct, frozen=True):
    """Which metrics of which device, from when to when (wall seconds), in how many points at most."""

    device: str
    metrics: tuple[str, ...]
    since_s: float
    until_s: float
    points: int = 500

    def sound(self) -> Question:
        """Itself; raises MinertuiError when nobody can mean it."""
        unknown = ", ".join(sorted(set(self.metrics) - set(_COLUMN)))
        if unknown:
            raise MinertuiError(
                f"history of {self.device}: there is no metric {unknown}; there are {', '.join(_COLUMN)}"
            )
        if not self.since_s < self.until_s:
            span = f"({self.since_s:g}) before it ends ({self.until_s:g})"
            raise MinertuiError(f"history of {self.device}: it must begin {span}")
        if not self.until_s - self.since_s <= _LONGEST_S:
            raise MinertuiError(f"history of {self.device}: ask for at most {_LONGEST_S / 86_400:g} days at a time")
        if self.since_s < -_LAST_S or self.until_s > _LAST_S:
            raise MinertuiError(f"history of {self.device}: {self.until_s:g} is no time that a clock shows")
        return self

    @property
    def step_s(self) -> float:
        """Width of a bucket, if readings are frequent enough for it."""
        return max(1.0, (self.until_s - self.since_s) / max(1, min(self.points, _MAX_POINTS)))


class Point(msgspec.Struct, frozen=True):
    """What is kept of one moment or stretch: ``at_s`` is its middle; columns by METRICS, NaN unknown."""

    at_s: float
    n: int
    mean: array[float]
    low: array[float]
    high: array[float]


def answer(question: Question, points: Sequence[Point]) -> Series:
    """The points in buckets. A bucket is at least one and a half times as wide as readings are apart, so that a
    missing value means a missing reading."""
    step_s = max(question.step_s, APART * _apart_s(points)) if len(points) > 1 else question.step_s
    count = max(1, math.ceil((question.until_s - question.since_s) / step_s))
    inside: list[list[Point]] = [[] for _ in range(count)]
    for point in points:
        index = int((point.at_s - question.since_s) // step_s)
        if 0 <= index < count:
            inside[index].append(point)
    known = [metric for metric in question.metrics if metric in _COLUMN]
    columns = {metric: [_bucket(bucket, _COLUMN[metric]) for bucket in inside] for metric in known}
    return Series(
        device=question.device,
        step_s=step_s,
        at_s=tuple(question.since_s + (i + 0.5) * step_s for i in range(count)),
        mean={metric: tuple(mean for mean, _, _ in column) for metric, column in columns.items()},
        low={metric: tuple(low for _, low, _ in column) for metric, column in columns.items()},
        high={metric: tuple(high for *_, high in column) for metric, column in columns.items()},
    )


def _apart_s(points: Sequence[Point]) -> float:
    """The usual time between two points, seconds."""
    times = sorted(point.at_s for point in points)
    return statistics.median(later - earlier for earlier, later in pairwise(times))


def _bucket(points: list[Point], column: int) -> tuple[float | None, float | None, float | None]:
    known = [p for p in points if column < len(p.mean) and not math.isnan(p.mean[column])]
    if not known:
        return None, None, None
    weight = sum(p.n for p in known)
    mean = sum(p.n * p.mean[column] for p in known) / weight
    return mean, min(p.low[column] for p in known), max(p.high[column] for p in known)

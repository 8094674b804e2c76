"""The curves of a board whose firmware reports no errors: from the hashrate alone.

    share of the expected hashrate = r0 − exp(c + a·mV + b·MHz)

As hashrates vary by 10 % from reading to reading, a point says little and all of them together enough. A few thousand
boards that may be are tried, spread evenly over what is usual; each counts by how well it explains all points (its
likelihood; r0, which is linear, is integrated out). From them a handful is drawn in proportion: what they agree on is
known, and what they do not is not. Nothing is drawn at random: the same points always give the same boards.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from minertui.model.plans import SweepPoint

HOME_LOG, HOME_SPREAD = -6.0, 2.5  # where it ran before a board loses 0.25 %, and 5 % at most in nine of ten cases
FOLD_SPREAD = 0.5  # of the logarithms of a and b: half or twice as much is one and a half standard deviations
TRIED = 4096
DRAWN = 64
USUAL_SPREAD, SPREAD_WEIGHT = 0.1, 8  # of one reading of the hashrate: published 4.6 to 18 %, mostly about 10
MODEL_SPREAD, MODEL_SHARE = 0.003, 0.25  # the form of the curve is no better than this, and this share of the loss;
MODEL_BEND, MODEL_MOST = 2.0, 0.5  # it is exponential only while the loss is small: half is in doubt from 12 % on
_NORMAL = statistics.NormalDist()


class Board(NamedTuple):
    """One that may be: the line of the loss's logarithm from the first row, and the share without any loss."""

    c: float
    a: float
    b: float
    r0: float


class _Seen(NamedTuple):
    """A setting as numbers: how far from the first, its ratio, its weight (1/variance)."""

    mv: float
    mhz: float
    ratio: float
    weight: float


def boards(rows: Sequence[SweepPoint], a: float, b: float, r0: float, r0_spread: float) -> tuple[Board, ...]:
    """DRAWN boards that explain ``rows``, all equally likely. ``a``, ``b``, ``r0``: what is usual."""
    seen = _seen(rows)
    found = [_judged(seen, log_c, a * fold_a, b * fold_b, r0, r0_spread) for log_c, fold_a, fold_b in _usual()]
    best = max(score for score, _ in found)
    return tuple(_drawn([(math.exp(score - best), board) for score, board in found]))


def _seen(rows: Sequence[SweepPoint]) -> list[_Seen]:
    """The noise of a reading comes from the spread within all points together."""
    squares, count = SPREAD_WEIGHT * USUAL_SPREAD**2, float(SPREAD_WEIGHT)
    for p in rows:
        if p.hashrate_sd_ghs and p.expected_ghs:
            squares, count = squares + p.samples * (p.hashrate_sd_ghs / p.expected_ghs) ** 2, count + p.samples
    at: dict[tuple[float, float], tuple[float, float]] = {}  # weight and weighted ratio of all points of a setting
    for p in rows:
        ratio = p.ratio or 0.0
        loss = max(0.0, 1 - ratio)
        form = MODEL_SPREAD + min(MODEL_SHARE + MODEL_BEND * loss, MODEL_MOST) * loss
        weight = 1 / (squares / count / max(1, p.samples) + form * form)
        where = (float(p.mv - rows[0].mv), p.mhz - rows[0].mhz)
        total, sum_ = at.get(where, (0.0, 0.0))
        at[where] = (total + weight, sum_ + weight * ratio)
    return [_Seen(mv, mhz, sum_ / total, total) for (mv, mhz), (total, sum_) in at.items()]


def _judged(
    seen: Sequence[_Seen], c: float, a: float, b: float, r0: float, r0_spread: float
) -> tuple[float, tuple[float, ...]]:
    """The logarithm of the likelihood, and the board with its likeliest r0."""
    total = 1 / r0_spread**2
    linear, squares = total * r0, total * r0 * r0
    for mv, mhz, ratio, weight in seen:
        value = ratio + math.exp(min(0.0, c + a * mv + b * mhz))
        total += weight
        linear += weight * value
        squares += weight * value * value
    return -0.5 * (squares - linear * linear / total), (c, a, b, linear / total)


def _drawn(found: Sequence[tuple[float, tuple[float, ...]]]) -> Iterator[Board]:
    """DRAWN of them in proportion to their weights, at even distances along their sum (systematic resampling)."""
    sums = list(accumulate(weight for weight, _ in found))
    at = 0
    for n in range(DRAWN):
        wanted = sums[-1] * (n + 0.5) / DRAWN
        while sums[at] < wanted:
            at += 1
        yield Board(*found[at][1])


@cache
def _usual() -> tuple[tuple[float, float, float], ...]:
    """c, and factors of a and b, evenly over what is usual: a Halton sequence bent to normal distributions."""
    rows = []
    for n in range(1, TRIED + 1):
        c, a, b = (_NORMAL.inv_cdf(_halton(n, base)) for base in (2, 3, 5))
        rows.append((HOME_LOG + HOME_SPREAD * c, math.exp(FOLD_SPREAD * a), math.exp(FOLD_SPREAD * b)))
    return tuple(sorted(rows))


def _halton(n: int, base: int) -> float:
    value, part = 0.0, 1.0
    while n:
        part /= base
        value += part * (n % base)
        n //= base
    return value

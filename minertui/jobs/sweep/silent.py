"""The curves of a board whose firmware reports no errors: from the hashrate alone.

    share of the expected hashrate = r0 − exp(c + a·mV + b·MHz)

As hashrates vary by 10 % from reading to reading, a point says little and all of them together enough. Boards that may
be are spread evenly over what is usual; each counts by how well it explains all points (its likelihood; r0, which is
linear, is integrated out). A few points leave hardly one of them likely, so they are spread anew over what the points
leave, in as many rounds as that takes (annealed importance sampling). From the last round a handful is drawn in
proportion: what they agree on is known, and what they do not is not. Nothing depends on chance: the same points always
give the same boards. Where points were looked at for long, ``residue`` corrects the boards by what they showed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from minertui.jobs.sweep import evidence
from minertui.jobs.sweep.linear import Matrix, lower
from minertui.jobs.sweep.resampling import drawn
from minertui.jobs.sweep.residue import Seen
from minertui.model.plans import SweepPoint

HOME_LOG, HOME_SPREAD = -6.0, 2.5  # where it ran before a board loses 0.25 %, and 5 % at most in nine of ten cases
FOLD_SPREAD = 0.5  # of the logarithms of a and b: half or twice as much is one and a half standard deviations
TRIED = 512  # boards of a round
WORTH = 0.2  # so many of them at least must count in a round: else the points are believed only in part until the next
WIDER = 1.5  # the next round is spread so much wider (in variance) than what is left: nothing likely is missed
ROUNDS = 10
DRAWN = 64
USUAL_SPREAD, SPREAD_WEIGHT = 0.1, 8  # of one reading of the hashrate: published 4.6 to 18 %, mostly about 10
MODEL_SPREAD, MODEL_SHARE = 0.003, 0.25  # the form of the curve is no better than this, and this share of the loss;
MODEL_BEND, MODEL_MOST = 2.0, 0.5  # it is exponential only while the loss is small: half is in doubt from 12 % on
_NORMAL = statistics.NormalDist()

_Three = tuple[float, float, float]


class Board(NamedTuple):
    """One that may be: the line of the loss's logarithm from the first row, and the share without any loss."""

    c: float
    a: float
    b: float
    r0: float

    def ratio(self, mv: float, mhz: float) -> float:
        """Share of the expected hashrate, ``mv`` and ``mhz`` from the first row."""
        return self.r0 - math.exp(min(0.0, self.c + self.a * mv + self.b * mhz))


class _Tried(NamedTuple):
    """A board, where it lies in what is usual (in standard deviations), and the logarithms of what it counts by: the
    likelihood of the points, and how much likelier it is beforehand than to be tried."""

    at: _Three
    board: Board
    told: float
    before: float


def form(loss: float) -> float:
    """How far a board may be off the curve where it loses this share: one standard deviation."""
    return MODEL_SPREAD + min(MODEL_SHARE + MODEL_BEND * loss, MODEL_MOST) * loss


def settings(rows: Sequence[SweepPoint], per_fact: float = 1.0) -> list[Seen]:
    """The settings of ``rows``, all points of one taken together. The noise of a reading comes from the spread within
    all points; ``per_fact``: see ``evidence``."""
    squares, count = SPREAD_WEIGHT * USUAL_SPREAD**2, float(SPREAD_WEIGHT)
    for p in rows:
        if p.hashrate_sd_ghs and p.expected_ghs:
            squares, count = squares + p.samples * (p.hashrate_sd_ghs / p.expected_ghs) ** 2, count + p.samples
    home, found = rows[0], []
    for (mhz, mv), of in evidence.by_setting(rows).items():
        total = sum(max(1, p.samples) for p in of)
        ratio = sum(max(1, p.samples) * (p.ratio or 0.0) for p in of) / total
        noise2 = per_fact * squares / count / total
        found.append(Seen(float(mv - home.mv), mhz - home.mhz, ratio, noise2, form(max(0.0, 1 - ratio))))
    return found


def boards(seen: Sequence[Seen], a: float, b: float, r0: float, r0_spread: float) -> tuple[Board, ...]:
    """DRAWN boards that explain ``seen``, all equally likely. ``a``, ``b``, ``r0``: what is usual."""
    centre, root, believed = [0.0, 0.0, 0.0], [[float(i == j) for j in range(3)] for i in range(3)], 0.0
    rows = [(s.mv, s.mhz, s.ratio, 1 / (s.noise2 + s.form**2)) for s in seen]
    usual = Board(HOME_LOG, a, b, r0)
    for _ in range(ROUNDS):
        tried = [_tried(rows, usual, r0_spread, centre, root, even) for even in _even()]
        believed = _believable(tried, believed)
        weights = _weights(tried, believed)
        if believed >= 1.0:
            break
        centre, root = _left(tried, weights)
    return tuple(
        _drawn(sorted(zip(weights, (t.board for t in tried), strict=True), key=lambda w: w[1]), rows, r0_spread)
    )


def _tried(
    rows: Sequence[tuple[float, float, float, float]],
    usual: Board,
    r0_spread: float,
    centre: Sequence[float],
    root: Matrix,
    even: _Three,
) -> _Tried:
    x, y, z = even
    at = (
        centre[0] + root[0][0] * x,
        centre[1] + root[1][0] * x + root[1][1] * y,
        centre[2] + root[2][0] * x + root[2][1] * y + root[2][2] * z,
    )
    c, a, b = (
        usual.c + HOME_SPREAD * at[0],
        usual.a * math.exp(FOLD_SPREAD * at[1]),
        usual.b * math.exp(FOLD_SPREAD * at[2]),
    )
    total = 1 / r0_spread**2
    linear, squares, exp = total * usual.r0, total * usual.r0**2, math.exp
    for mv, mhz, ratio, weight in rows:
        line = c + a * mv + b * mhz
        value = ratio + (exp(line) if line < 0.0 else 1.0)
        total += weight
        linear += weight * value
        squares += weight * value * value
    before = 0.5 * (x * x + y * y + z * z - at[0] ** 2 - at[1] ** 2 - at[2] ** 2)
    return _Tried(at, Board(c, a, b, linear / total), -0.5 * (squares - linear * linear / total), before)


def _weights(tried: Sequence[_Tried], believed: float) -> list[float]:
    logs = [believed * t.told + t.before for t in tried]
    most = max(logs)
    return [math.exp(log - most) for log in logs]


def _believable(tried: Sequence[_Tried], before: float) -> float:
    """How far the points can be believed (the power of their likelihood) so that enough boards still count."""
    low, high = before, 1.0
    if _counting(_weights(tried, high)) >= WORTH * len(tried):
        return high
    for _ in range(8):
        mid = (low + high) / 2
        low, high = (mid, high) if _counting(_weights(tried, mid)) >= WORTH * len(tried) else (low, mid)
    return low


def _counting(weights: Sequence[float]) -> float:
    """As many as equal weights would be worth the same (Kish's effective sample size)."""
    return sum(weights) ** 2 / sum(w * w for w in weights)


def _left(tried: Sequence[_Tried], weights: Sequence[float]) -> tuple[list[float], Matrix]:
    """Centre and root of the covariance of the boards that are left."""
    total = sum(weights)
    centre = [sum(w * t.at[i] for w, t in zip(weights, tried, strict=True)) / total for i in range(3)]
    cov = [
        [
            WIDER
            * sum(w * (t.at[i] - centre[i]) * (t.at[j] - centre[j]) for w, t in zip(weights, tried, strict=True))
            / total
            for j in range(3)
        ]
        for i in range(3)
    ]
    return centre, lower(cov)


def _drawn(
    found: Sequence[tuple[float, Board]], rows: Sequence[tuple[float, float, float, float]], r0_spread: float
) -> Iterator[Board]:
    """DRAWN of them in proportion to their weights, at even distances along their sum; r0,
    which each knows only so well, is spread evenly over them."""
    spread = 1 / math.sqrt(1 / r0_spread**2 + sum(weight for _, _, _, weight in rows))
    for n, at in enumerate(drawn([weight for weight, _ in found], DRAWN)):
        board = found[at][1]
        yield board._replace(r0=board.r0 + spread * _NORMAL.inv_cdf(_halton(n + 1, 2)))


@cache
def _even() -> tuple[_Three, ...]:
    """Three numbers each, evenly over a normal distribution: a Halton sequence, bent."""
    return tuple(
        (_NORMAL.inv_cdf(_halton(n, 2)), _NORMAL.inv_cdf(_halton(n, 3)), _NORMAL.inv_cdf(_halton(n, 5)))
        for n in range(1, TRIED + 1)
    )


def _halton(n: int, base: int) -> float:
    value, part = 0.0, 1.0
    while n:
        part /= base
        value += part * (n % base)
        n //= base
    return value

"""Where a temperature comes to rest while the fan turns as it does: a line over power, with a lag.

    T' = (a + b·P − T) / τ        a the room, b the cooler, τ the heat sink; a share of b is there at once

All readings since the fan turns as it does are fitted at once, newer ones with more weight. Nothing is assumed of τ nor
of that share: each of TAUS and of AT_ONCE counts by how well it explains the readings. Of b it is only assumed that
power makes what is over the room. What the fit does not know comes out as a standard error, and that is the margin kept
to a limit: ``z`` of them, and what rounding in the sensor may hide. ``docs/sweeps.md`` has the sums.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from minertui.jobs.sweep.linear import inverted, spread, times
from minertui.jobs.sweep.stats import chip_temp_c
from minertui.model.ranking import Bounds
from minertui.model.status import MinerStatus

ROOM_C, ROOM_SPREAD_C = 22.0, 8.0  # rooms that miners stand in, and how far they differ
TAUS_S = (30.0, 50.0, 80.0, 125.0, 200.0, 320.0)  # heat sinks of small miners, each 1.6 times the one before
AT_ONCE = (0.0, 0.2, 0.4, 0.6)  # so much of what power makes may be between a die and its sink,
DIE_S = 8.0  # which is there in seconds
FORGET_S = 300.0  # a reading so old counts a third: rooms drift
SENSOR_C, SENSOR_WEIGHT = 0.4, 8  # spread of a reading until it was seen: whole degrees (0.29) and noise; as 8 readings
NEWEST = 12  # readings that make the present power
LEAST = 24  # readings of any fit: two minutes; until then the worst case of ``transient`` holds
FAN_END_PCT = 98.0  # an automatic fan that turns so fast has no answer left
SAME_FAN_PCT = 2.0  # a fixed fan may be read that unsteadily
GRIDS_C = (1.0, 0.5, 0.25, 0.125)  # resolutions of sensors
KEEP_C = 0.1  # and what is aimed at so far: a room that grows warmer by 1 °C an hour, for the six minutes of a soak
SURE_Z = 2.33  # standard errors of 99 %: so sure must be that a limit is kept
CLOSE_C = 1.5  # so near to a limit it is worth to wait for the fit
FAR_C = 6.0  # nothing is fitted for a temperature further from its limit

Read = Callable[[MinerStatus], float | None]


class Trace(NamedTuple):
    """A reading and when it was taken, seconds."""

    at_s: float
    status: MinerStatus


class _Line(NamedTuple):
    """The fit for one τ and share at once: rest at the present power, slope per watt, what is left of the start; its
    covariance. ``x_now``: what these are multiplied with now; ``fast``: of its second, what has come at once."""

    tau_s: float
    theta: tuple[float, float, float]
    cov: list[list[float]]
    x_now: tuple[float, float, float]
    weight: float
    fast: float

    def at(self, x: tuple[float, float, float]) -> tuple[float, float]:
        """Mean and variance of x · theta."""
        mean = sum(a * b for a, b in zip(x, self.theta, strict=True))
        return mean, spread(self.cov, x)


class Rest(NamedTuple):
    """One temperature as it follows power. ``power_w``: the present power; ``hidden_c``: what rounding may hide."""

    name: str
    limit_c: float
    power_w: float
    hidden_c: float
    lines: tuple[_Line, ...]

    def rest_c(self, power_w: float) -> tuple[float, float]:
        """Where it settles at ``power_w``, and the standard error of that."""
        return self._mixed([line.at((1.0, power_w - self.power_w, 0.0)) for line in self.lines])

    def in_c(self, seconds: float) -> tuple[float, float]:
        """Where it is in so many seconds at the present power, and the standard error."""
        found = []
        for line in self.lines:
            left = math.exp(-seconds / line.tau_s)
            later = (line.x_now[1] - line.fast) * left + line.fast * math.exp(-seconds / DIE_S)
            found.append(line.at((1.0, later, line.x_now[2] * left)))
        return self._mixed(found)

    def allowed_w(self, z: float) -> float:
        """The power at which it settles at its limit, for sure by ``z`` standard errors."""
        low, high = 0.5 * self.power_w, 2.0 * self.power_w
        for _ in range(20):
            mid = (low + high) / 2
            mean, error = self.rest_c(mid)
            low, high = (mid, high) if mean + z * error + self.hidden_c + KEEP_C <= self.limit_c else (low, mid)
        return low

    def _mixed(self, found: Sequence[tuple[float, float]]) -> tuple[float, float]:
        mean = sum(line.weight * m for line, (m, _) in zip(self.lines, found, strict=True))
        var = sum(line.weight * (v + (m - mean) ** 2) for line, (m, v) in zip(self.lines, found, strict=True))
        return mean, math.sqrt(var)


def fitted(trail: Sequence[Trace], within: Bounds, changed_s: float = -math.inf) -> tuple[Rest, ...]:
    """The temperatures that are near enough to their limits to matter, as they follow power. ``changed_s``: when the
    settings were, so that the present power is known. Empty while a fan still answers, and while there is too little
    to tell."""
    if within.max_fan_pct is not None or not trail:
        return ()
    steady = _steady(trail)
    if len(steady) < LEAST:
        return ()
    found = []
    for name, read, limit_c in _sensors(within):
        now = read(steady[-1].status)
        if now is not None and now > limit_c - FAR_C:
            rest = _fit(name, limit_c, steady, read, changed_s)
            found += [rest] if rest else []
    return tuple(found)


def awaited(trail: Sequence[Trace], within: Bounds) -> bool:
    """True when a temperature is near its limit and only a little more time is missing to tell where it will rest."""
    steady = _steady(trail) if within.max_fan_pct is None else ()
    if not 0 < len(steady) < LEAST:
        return False
    temps = [(read(steady[-1].status), limit_c) for _, read, limit_c in _sensors(within)]
    return any(temp is not None and temp > limit_c - CLOSE_C for temp, limit_c in temps)


def _sensors(within: Bounds) -> tuple[tuple[str, Read, float], ...]:
    return ("chip", chip_temp_c, within.max_chip_temp_c), ("VR", lambda s: s.vr_temp_c, within.max_vr_temp_c)


def allowed_w(trail: Sequence[Trace], within: Bounds, changed_s: float = -math.inf) -> float | None:
    """The power that the cooler surely takes; None when nothing is known of it."""
    return min((rest.allowed_w(SURE_Z) for rest in fitted(trail, within, changed_s)), default=None)


def _steady(trail: Sequence[Trace]) -> Sequence[Trace]:
    """The newest readings since the fan turns as it does now; none while an automatic fan has an answer left."""
    last = trail[-1].status
    if last.fan_pct is None:
        return trail if last.fan_auto is None else ()
    first = len(trail)
    for n in range(len(trail) - 1, -1, -1):
        fan = trail[n].status.fan_pct
        same = fan is not None and abs(fan - last.fan_pct) <= SAME_FAN_PCT
        if not (fan is not None and fan >= FAN_END_PCT if last.fan_auto else same):
            break
        first = n
    return trail[first:]


def _fit(name: str, limit_c: float, steady: Sequence[Trace], read: Read, changed_s: float) -> Rest | None:
    rows = [(t.at_s, v, t.status.power_w) for t in steady if (v := read(t.status)) is not None and t.status.power_w]
    if len(rows) < LEAST:
        return None
    now_w = statistics.fmean([watts for at_s, _, watts in rows[-NEWEST:] if at_s > changed_s] or [rows[-1][2]])
    weights = [math.exp((at_s - rows[-1][0]) / FORGET_S) for at_s, _, _ in rows]
    fast = _lagged(rows, DIE_S, now_w)
    fits = [fit for tau_s in TAUS_S for fit in _lines(rows, weights, fast, tau_s, now_w)]
    best = max(score for _, score, _ in fits)
    total = sum(math.exp(score - best) for _, score, _ in fits)
    lines = tuple(line._replace(weight=math.exp(score - best) / total) for line, score, _ in fits)
    noise_c = min(sigma for _, _, sigma in fits)
    return Rest(name, limit_c, now_w, hidden_c([v for _, v, _ in rows], noise_c), lines)


def _lagged(rows: Sequence[tuple[float, float, float]], tau_s: float, now_w: float) -> list[float]:
    """The power over the present one as a mass of this τ feels it, at each reading."""
    was_s, lagged, found = rows[0][0], rows[0][2] - now_w, []
    for at_s, _, watts in rows:
        lagged += (watts - now_w - lagged) * (1 - math.exp((was_s - at_s) / tau_s))
        was_s = at_s
        found.append(lagged)
    return found


def _lines(
    rows: Sequence[tuple[float, float, float]],
    weights: Sequence[float],
    fast: Sequence[float],
    tau_s: float,
    now_w: float,
) -> Iterator[tuple[_Line, float, float]]:
    """For this τ and each of ``AT_ONCE``: the fit, its logarithmic likelihood and the spread of a reading. Asked at
    every reading of every miner, so the sums are written out, and made once for all of ``AT_ONCE``."""
    first_s, level = rows[0][0], rows[-1][1]
    slow = _lagged(rows, tau_s, now_w)
    s0 = sx = sy = sl = xx = xy = yy = xl = yl = ll = rv = rx = ry = rl = vv = 0.0
    for (at_s, value, _), w, x, y in zip(rows, weights, slow, fast, strict=True):
        left, v = math.exp((first_s - at_s) / tau_s), value - level
        wx, wy, wl = w * x, w * y, w * left
        s0, sx, sy, sl, rv = s0 + w, sx + wx, sy + wy, sl + wl, rv + w * v
        xx, xy, yy, xl, yl, ll = xx + wx * x, xy + wx * y, yy + wy * y, xl + wx * left, yl + wy * left, ll + wl * left
        rx, ry, rl, vv = rx + wx * v, ry + wy * v, rl + wl * v, vv + w * v * v
    precision = (now_w / ROOM_SPREAD_C) ** 2 * SENSOR_C**2
    guess = (level - ROOM_C) / now_w
    for share in AT_ONCE:
        rest = 1 - share
        m01, m12 = rest * sx + share * sy, rest * xl + share * yl
        m11 = rest * rest * xx + 2 * rest * share * xy + share * share * yy
        r1 = rest * rx + share * ry
        matrix = [[s0 + 1e-6, m01, sl], [m01, m11 + precision, m12], [sl, m12, ll + 1e-6]]
        inverse = inverted(matrix)
        theta = times(inverse, (rv, r1 + precision * guess, rl))
        a, b, c = theta
        told = a * rv + b * r1 + c * rl
        squares = vv - 2 * told + a * a * s0 + b * b * m11 + c * c * ll + 2 * (a * b * m01 + a * c * sl + b * c * m12)
        sigma2 = (max(0.0, squares) + SENSOR_WEIGHT * SENSOR_C**2) / (s0 + SENSOR_WEIGHT)
        score = -0.5 * (s0 + SENSOR_WEIGHT) * math.log(sigma2)
        cov = [[sigma2 * value for value in row] for row in inverse]
        x_now = (1.0, rest * slow[-1] + share * fast[-1], math.exp((first_s - rows[-1][0]) / tau_s))
        yield _Line(tau_s, (a + level, b, c), cov, x_now, 0.0, share * fast[-1]), score, math.sqrt(sigma2)


def hidden_c(values: Sequence[float], spread_c: float) -> float:
    """What a sensor's rounding may hide from a mean, at most: with noise of σ q/π·e^(−2π²σ²/q²) of a step q (the first
    term of the Fourier series of the sawtooth that rounding adds), without any half a step."""
    step = next((q for q in GRIDS_C if all(abs(v / q - round(v / q)) < 1e-6 for v in values)), 0.0)
    noise2 = spread_c**2 - step**2 / 12
    if not step or noise2 <= 0:
        return step / 2
    return step / math.pi * math.exp(-2 * math.pi**2 * noise2 / step**2)

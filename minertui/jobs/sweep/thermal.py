"""Where a temperature comes to rest while the fan turns as it does: a line over power, with a lag.

    T' = (a + b·P − T) / τ        a the room, b the cooler, τ the heat sink

All readings since the fan turns as it does are fitted at once, newer ones with more weight. Nothing is assumed of τ:
each of TAUS counts by how well it explains the readings. Of b it is only assumed that power makes what is over the
room. What the fit does not know comes out as a standard error, and that is the margin kept to a limit: ``z`` of them,
and what rounding in the sensor may hide. ``docs/sweeps.md`` has the sums.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

from minertui.jobs.sweep.linear import inverted, spread, times
from minertui.jobs.sweep.stats import chip_temp_c
from minertui.model.ranking import Bounds
from minertui.model.status import MinerStatus

ROOM_C, ROOM_SPREAD_C = 22.0, 8.0  # rooms that miners stand in, and how far they differ
TAUS_S = (30.0, 50.0, 80.0, 125.0, 200.0, 320.0)  # heat sinks of small miners, each 1.6 times the one before
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
    """The fit for one τ: rest at the present power, slope per watt, what is left of the beginning; its covariance."""

    tau_s: float
    theta: tuple[float, float, float]
    cov: list[list[float]]
    x_now: tuple[float, float, float]
    weight: float

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
            found.append(line.at((1.0, line.x_now[1] * left, line.x_now[2] * left)))
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
    fits = [_line(rows, weights, tau_s, now_w) for tau_s in TAUS_S]
    best = max(score for _, score, _ in fits)
    total = sum(math.exp(score - best) for _, score, _ in fits)
    lines = tuple(line._replace(weight=math.exp(score - best) / total) for line, score, _ in fits)
    noise_c = min(sigma for _, _, sigma in fits)
    return Rest(name, limit_c, now_w, hidden_c([v for _, v, _ in rows], noise_c), lines)


def _line(
    rows: Sequence[tuple[float, float, float]], weights: Sequence[float], tau_s: float, now_w: float
) -> tuple[_Line, float, float]:
    """The fit for one τ, its logarithmic likelihood and the spread of a reading. Asked at every reading of every miner,
    so its sums are written out."""
    was_s = rows[0][0]
    lagged, slope = rows[0][2] - now_w, (rows[-1][1] - ROOM_C) / now_w
    precision = (now_w / ROOM_SPREAD_C) ** 2 * SENSOR_C**2
    m00, m01, m02, m11, m12, m22 = 1e-6, 0.0, 0.0, precision, 0.0, 1e-6
    r0, r1, r2 = 0.0, precision * slope, 0.0
    xs: list[tuple[float, float]] = []
    left = 1.0
    for (at_s, value, watts), weight in zip(rows, weights, strict=True):
        fades = math.exp((was_s - at_s) / tau_s)
        lagged += (watts - now_w - lagged) * (1 - fades)
        left *= fades
        was_s = at_s
        xs.append((lagged, left))
        by_lagged, by_left = weight * lagged, weight * left
        r0, r1, r2 = r0 + weight * value, r1 + by_lagged * value, r2 + by_left * value
        m00, m01, m02 = m00 + weight, m01 + by_lagged, m02 + by_left
        m11, m12, m22 = m11 + by_lagged * lagged, m12 + by_lagged * left, m22 + by_left * left
    inverse = inverted([[m00, m01, m02], [m01, m11, m12], [m02, m12, m22]])
    rest, per_w, begun = times(inverse, (r0, r1, r2))
    squares = sum(
        [
            w * (value - rest - per_w * x - begun * y) ** 2
            for w, (_, value, _), (x, y) in zip(weights, rows, xs, strict=True)
        ]
    )
    count = sum(weights)
    sigma2 = (squares + SENSOR_WEIGHT * SENSOR_C**2) / (count + SENSOR_WEIGHT)
    score = -0.5 * (count + SENSOR_WEIGHT) * math.log(sigma2)
    cov = [[sigma2 * value for value in row] for row in inverse]
    return _Line(tau_s, (rest, per_w, begun), cov, (1.0, lagged, left), 0.0), score, math.sqrt(sigma2)


def hidden_c(values: Sequence[float], spread_c: float) -> float:
    """What a sensor's rounding may hide from a mean, at most: with noise of σ q/π·e^(−2π²σ²/q²) of a step q (the first
    term of the Fourier series of the sawtooth that rounding adds), without any half a step."""
    step = next((q for q in GRIDS_C if all(abs(v / q - round(v / q)) < 1e-6 for v in values)), 0.0)
    noise2 = spread_c**2 - step**2 / 12
    if not step or noise2 <= 0:
        return step / 2
    return step / math.pi * math.exp(-2 * math.pi**2 * noise2 / step**2)

"""Where a temperature is heading, from its first seconds: so that a limit is seen before it is touched.

After a change a temperature follows T(t) = T∞ − A·e^(−t/τ). The worst A is known before anything is measured: heat
grows no faster than V²·F, and all that a reading is over COLD_C is taken as made by it. The fit starts from that and
gives way to readings as they come. So a step up is only made when its worst case stays under the limits, and what a
step has not shown yet is kept in reserve for the next one. The worst case is that of a fan that does nothing; while
the fan has room, what the last steps have really shown (with a reserve) takes its place.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from minertui.jobs.sweep import thermal
from minertui.jobs.sweep.stats import chip_temp_c
from minertui.jobs.sweep.thermal import Trace
from minertui.model.ranking import Bounds
from minertui.model.status import MinerStatus
from minertui.safety.limits import supply_window_mv

FALL_S = 45.0  # a step down gets so long to show itself
WINDOW_S = 400.0  # so far back a climb is looked at to learn how the fan answers it: in less, whole degrees hide it
LEAST_RISE_C = 0.45  # a climb that would not have shown this much at worst teaches nothing
ANSWER_NOISE_C = 0.1
ANSWER_SAFETY = 1.3
LEAST_ANSWER = 0.25  # never less of the worst case is expected
FAN_MOST_PCT = 98.0
SURE_C = 0.4  # the margin where the fan cannot help any more
COLD_C = 10.0  # no room is taken to be colder: what is over it was made by power
TAU_S = 90.0  # heat sink of a small miner; a faster one only makes the fit careful for longer
SENSOR_C = 0.4  # one reading: whole degrees (0.29) and noise
SOON_S = 40.0  # so far ahead a line through the last minute is believed (20 s of it are the lag of the mean)
LAG_S = 12.5  # the mean of half a minute is that old
TREND_NOISE = 0.0035  # °C per second: half a standard error of such a line
SMOOTH = 6  # readings in a smoothed value: half a minute
MARGIN_C = 0.25  # even at worst a step up ends this far under a temperature limit: noise of half a minute's mean
VR_MARGIN_C = 0.3  # a regulator that no fan looks after overshoots by a little more
LEAVE_C = 0.15  # a point is left when it is heading this close to the limit
POWER_MARGIN = 0.006  # the same for power, as a share: half a minute of readings of 0.6 % each, 99 % sure
SUPPLY_MARGIN = 0.001  # the same for the input: its sag from the highest voltage allowed counts as made by power
FAN_MARGIN_PCT = 2.0
FAN_FELT_SHARE = 0.25  # of the longest run-up within a minute: so far a fan runs on until a lower clock is felt, 15 s
FAN_RUNG = 0.02  # with a limit of the fan's speed heat grows by so much at a time at most,
FAN_REST_S = 60.0  # and then not for so long: half of a step has shown by then
FAN_GROWTH = 3.0  # near its top a fan must turn this many per cent faster for one per cent more heat
RUN_UP_S = 60.0  # a fan that answers a step does so within this
CALM_FAN, CALM_C = 0.03, 0.01  # % and °C per second: a fan and a temperature that move less are at rest
LEAVE_Z = 1.0  # a point is left when a temperature that does not fall is within one standard error of its limit
POWER, SAG = "power", "the sag of the input"  # as a heading's text begins

Read = Callable[[MinerStatus], float | None]


class Heading(NamedTuple):
    """A limited value: where it is, where it will settle, its limit. °C, W or %."""

    name: str
    now: float
    rest: float
    limit: float
    margin: float  # keep this far away when stepping up
    growth: float  # of this value when heat doubles, at worst
    unit: str

    @property
    def room(self) -> float:
        """Share by which heat may grow so that this value stays its margin under its limit, even at worst."""
        return (self.limit - self.margin - self.rest) / max(self.growth, 1e-9)

    def text(self) -> str:
        """For people."""
        return f"{self.name} is heading for {self.rest:.1f} of {self.limit:g} {self.unit}"


class Response(NamedTuple):
    """How much of the worst case the two temperatures have really shown, 0..1, while the fan had room to answer; and by
    how many per cent the fan has run up at most."""

    chip: float = 1.0
    vr: float = 1.0
    run_up: float = 0.0


WORST = Response()


def learned(trail: Sequence[Trace], climb: Sequence[tuple[float, float]], before: Response) -> Response:
    """What the last WINDOW_S say about the next step. ``climb``: when the settings were changed, and the heat (V²·F)
    since then. Steps too small to stand out of the noise teach nothing."""
    start_s = max(trail[-1].at_s - WINDOW_S, trail[0].at_s)
    shown = sum(
        (heat / was - 1) * (1 - math.exp(-(trail[-1].at_s - at_s) / TAU_S))
        for (_, was), (at_s, heat) in pairwise(climb)
        if at_s > start_s
    )
    window = [t for t in trail if t.at_s >= start_s]
    return Response(
        _answer(window, chip_temp_c, shown, before.chip),
        _answer(window, lambda s: s.vr_temp_c, shown, before.vr),
        before.run_up,
    )


def _answer(window: Sequence[Trace], read: Read, shown: float, before: float) -> float:
    levels = [smoothed(window[: n + 1], read) for n in range(3, len(window))]
    known = [level for level in levels if level is not None]
    worst = shown * max(known[0] - COLD_C, 1.0) if known else 0.0
    if worst < LEAST_RISE_C:
        return before
    return min(1.0, max(LEAST_ANSWER, ANSWER_SAFETY * (max(known) - known[0] + ANSWER_NOISE_C) / worst))


def headings(
    trail: Sequence[Trace], changed_s: float, growth: float, within: Bounds, response: Response = WORST
) -> tuple[Heading, ...]:
    """All limited values that are known. ``trail``: readings, oldest first; ``growth``: share by which heat grew at
    ``changed_s``, with what was outstanding then; ``response``: what earlier transients have shown."""
    found: list[Heading] = []
    for name, read, limit, share, margin in (
        ("chip", chip_temp_c, within.max_chip_temp_c, response.chip, MARGIN_C),
        ("VR", lambda s: s.vr_temp_c, within.max_vr_temp_c, response.vr, VR_MARGIN_C),
    ):
        now = smoothed(trail, read)
        if now is not None:
            made = max(now - COLD_C, 1.0) * share
            rest = now + outstanding(trail, read, changed_s, growth * made)
            found.append(Heading(name, now, rest, limit, margin, made, "°C"))
    power = smoothed([t for t in trail if t.at_s > changed_s] or trail[-1:], lambda s: s.power_w)
    if power is not None:
        margin_w = POWER_MARGIN * within.max_power_w + hidden_w(trail, changed_s)
        found.append(Heading(POWER, power, power, within.max_power_w, margin_w, power, "W"))
    window = supply_window_mv(trail[-1].status) if trail else None  # none: over a limit before its first point
    supply = smoothed([t for t in trail if t.at_s > changed_s] or trail[-1:], lambda s: s.input_mv)
    if supply is not None and window is not None:
        sag, most = max(window[1] - supply, 1.0), window[1] - window[0]
        found.append(Heading(SAG, sag, sag, most, SUPPLY_MARGIN * window[0], sag, "mV"))
    fan = smoothed(trail, lambda s: s.fan_pct)
    if fan is not None and within.max_fan_pct is not None:
        rest = fan + 30 * max(0.0, trend_per_s(trail, _fan_pct))
        found.append(Heading("fan", fan, rest, within.max_fan_pct, FAN_MARGIN_PCT, FAN_GROWTH * fan, "%"))
    return tuple(found)


def room(
    trail: Sequence[Trace], changed_s: float, growth: float, within: Bounds, response: Response
) -> tuple[float, str]:
    """By which share heat may grow now, and what bounds it. ``growth``: see ``pending``. What the fan has answered
    before is counted on only as far as the fan can still turn faster."""
    worst = headings(trail, changed_s, growth, within)
    if not worst:
        return 0.0, "neither a temperature nor the power is known"
    least = min(worst, key=lambda h: h.room)
    share, text = least.room, least.text()
    if within.max_fan_pct is not None and trail[-1].status.fan_auto:
        return _under_fan(share, text, trail, changed_s, within.max_fan_pct, response.run_up)
    rests = thermal.fitted(trail, within, changed_s)
    if rests:
        return _cooled(rests, worst)
    if not fan_has_room(trail):
        share = min(share, *((h.limit - SURE_C - h.rest) / h.growth for h in worst if h.unit == "°C"), share)
    fan = smoothed(trail, lambda s: s.fan_pct, 3)
    if fan is not None and trail[-1].status.fan_auto and response[:2] != WORST[:2]:
        answered = min(headings(trail, changed_s, growth, within, response), key=lambda h: h.room)
        helped = min(answered.room, (FAN_MOST_PCT - fan) / (FAN_GROWTH * max(fan, 1.0)))
        if helped > share:
            share, text = helped, answered.text()
    return share, text


def _under_fan(
    share: float, text: str, trail: Sequence[Trace], changed_s: float, most_pct: float, run_up: float
) -> tuple[float, str]:
    """The same under a limit of the fan's own speed. A fan that has begun to move overshoots, and by the root of the
    heat that made it move: so the next step waits until all is at rest, and is as large as the longest run-up seen may
    be repeated in part under the limit."""
    if trail[-1].at_s - changed_s < FAN_REST_S or not at_rest(trail):
        return 0.0, "the fan and the temperatures come to rest"
    left_pct = most_pct - fan_margin_pct(run_up) - (smoothed(trail, _fan_pct, 3) or 0.0)
    part = min(1.0, max(0.0, left_pct) / max(run_up, 1.0))
    return min(share, FAN_RUNG * part * part), text


def _cooled(rests: Sequence[thermal.Rest], worst: Sequence[Heading]) -> tuple[float, str]:
    """The same once the cooler is known: power may grow to what it takes. What is no temperature, or one far from its
    limit, stays with its worst case; so does a fit that knows less than that."""
    fits = {rest.name: rest for rest in rests}
    found = []
    for h in worst:
        room, text, rest = h.room, h.text(), fits.get(h.name)
        if rest is not None:
            sure, known = (h.limit - SURE_C - h.rest) / h.growth, rest.allowed_w(thermal.SURE_Z) / rest.power_w - 1
            at = rest.rest_c(rest.power_w)[0]
            room, text = max(sure, known), f"{rest.name} settles at {at:.1f} of {rest.limit_c:g} °C"
        found.append((room, text))
    return min(found)


def _fan_pct(status: MinerStatus) -> float | None:
    return status.fan_pct


def run_up_pct(trail: Sequence[Trace]) -> float:
    """By how much the fan has risen within RUN_UP_S: once it runs it goes on until the chip is cool again, and by
    then it is faster than it needs to be."""
    last = trail[-1]
    seen = [t.status.fan_pct for t in trail if t.at_s >= last.at_s - RUN_UP_S and t.status.fan_pct is not None]
    return max(0.0, last.status.fan_pct - min(seen)) if last.status.fan_pct is not None else 0.0


def fan_margin_pct(run_up: float) -> float:
    """So far under its limit a fan must be at rest: should it begin to run, a lower clock still comes in time."""
    return max(FAN_MARGIN_PCT, FAN_FELT_SHARE * run_up)


def at_rest(trail: Sequence[Trace]) -> bool:
    """True when neither the fan nor a temperature moves, as far as noise lets that be seen."""
    moves = ((_fan_pct, CALM_FAN), (chip_temp_c, CALM_C), (lambda s: s.vr_temp_c, CALM_C))
    return trail[-1].at_s - trail[0].at_s >= 30.0 and all(abs(trend_per_s(trail, read)) < most for read, most in moves)


def pending(climb: Sequence[tuple[float, float]]) -> float:
    """By which share heat grew in all, as far as that has not shown yet at the newest step. ``climb``: when the
    settings were changed, and the heat since then."""
    last_s = climb[-1][0]
    return sum((heat / was - 1) * math.exp(-(last_s - at_s) / TAU_S) for (_, was), (at_s, heat) in pairwise(climb))


def fan_has_room(trail: Sequence[Trace]) -> bool:
    """True while an automatic fan can still turn faster: then a temperature that runs ahead will come back."""
    fan = smoothed(trail, lambda s: s.fan_pct, 3)
    return fan is not None and fan < FAN_MOST_PCT - 3 and bool(trail[-1].status.fan_auto)


def fan_answers(trail: Sequence[Trace]) -> bool:
    """True while an automatic fan is not at its end."""
    fan = trail[-1].status.fan_pct
    return fan is not None and fan < thermal.FAN_END_PCT and bool(trail[-1].status.fan_auto)


def leaving(
    trail: Sequence[Trace], changed_s: float, growth: float, within: Bounds, response: Response = WORST
) -> str | None:
    """Why this setting must be left now, before a limit is touched; None when all is well. Only what was read counts
    here: the mean of half a minute (of a whole one when nothing was changed for so long), and where its line leads."""
    rests = thermal.fitted(trail, within, changed_s)
    for rest in rests:
        (now_c, error), (soon_c, _) = rest.in_c(0.0), rest.in_c(SOON_S)
        sure_c = now_c if soon_c < now_c else max(soon_c, now_c + LEAVE_Z * error)
        if sure_c + rest.hidden_c > rest.limit_c:
            return f"{rest.name} is at {now_c:.1f} ± {error:.1f} and heading for {soon_c:.1f} of {rest.limit_c:g} °C"
    known = [rest.name for rest in rests]
    settled = trail[-1].at_s - changed_s > 60.0
    falling = growth < 0 and trail[-1].at_s - changed_s < FALL_S
    for name, read, limit, close, unit in (
        ("chip", chip_temp_c, within.max_chip_temp_c, LEAVE_C, "°C"),
        ("VR", lambda s: s.vr_temp_c, within.max_vr_temp_c, LEAVE_C, "°C"),
        ("fan", lambda s: s.fan_pct, within.max_fan_pct, fan_margin_pct(response.run_up) - FAN_MARGIN_PCT + 0.5, "%"),
    ):
        slope = max(0.0, trend_per_s(trail, read) - TREND_NOISE)
        calm = settled and slope < TREND_NOISE
        now = smoothed(trail, read, 2 * SMOOTH if calm else SMOOTH)
        if now is None or limit is None or name in known or (falling and now < limit + close):
            continue
        line = slope * SOON_S
        share = {"chip": response.chip, "VR": response.vr}.get(name, 1.0) if fan_answers(trail) else 1.0
        owed = share * max(growth, 0.0) * max(now - COLD_C, 1.0) * math.exp(-(trail[-1].at_s - changed_s) / TAU_S)
        soon = now + (min(line, owed + 0.1) if unit == "°C" and not settled else line)
        if now > limit - close or (now > limit - 5 * close and soon > limit + close):
            return f"{name} is at {now:.1f} and heading for {soon:.1f} of {limit:g} {unit}"
    return drawing(trail, changed_s, within)


def drawing(trail: Sequence[Trace], changed_s: float, within: Bounds) -> str | None:
    """The same for power and what it makes of the input voltage: no fan helps there."""
    seen = [t for t in trail if t.at_s > changed_s and t.status.power_w is not None][-2 * SMOOTH :]
    power = smoothed(seen, lambda s: s.power_w, 2 * SMOOTH)
    doubt = max(0.0, math.sqrt(SMOOTH / max(1, len(seen))) - 1)  # of a mean of less than half a minute
    most = within.max_power_w * (1 - POWER_MARGIN / 2 + POWER_MARGIN * doubt)
    if power is not None and power + hidden_w(trail, changed_s) > most:
        return f"power is at {power:.1f} of {within.max_power_w:g} W"
    window = supply_window_mv(trail[-1].status)
    supply = smoothed([t for t in trail if t.at_s > changed_s], lambda s: s.input_mv, 2 * SMOOTH)
    if supply is not None and window is not None and supply < window[0] * (1 + SUPPLY_MARGIN / 2):
        return f"the input is at {supply:.0f} mV, close to {window[0]:g}"
    return None


def hidden_w(trail: Sequence[Trace], changed_s: float) -> float:
    """What rounding to whole watts or parts of one may hide of the power."""
    seen = [t.status.power_w for t in trail if t.at_s > changed_s and t.status.power_w is not None][-2 * SMOOTH :]
    return thermal.hidden_c(seen, statistics.pstdev(seen)) if seen else 0.0


def falls(trail: Sequence[Trace], within: Bounds) -> bool:
    """True when the temperature that is nearest to its limit falls."""
    pairs = ((chip_temp_c, within.max_chip_temp_c), (lambda s: s.vr_temp_c, within.max_vr_temp_c))
    near = [(limit - temp, read) for read, limit in pairs if (temp := smoothed(trail, read)) is not None]
    return bool(near) and trend_per_s(trail, min(near, key=lambda n: n[0])[1]) < 0


def outstanding(trail: Sequence[Trace], read: Read, changed_s: float, worst: float) -> float:
    """How much this value will still rise (or fall), from the fit of T∞ and A over the readings since the change; A is
    drawn towards most of ``worst``, give or take a third of it."""
    seen = [(t.at_s - changed_s, v) for t in trail if t.at_s >= changed_s and (v := read(t.status)) is not None]
    last_s = trail[-1].at_s - changed_s
    left = math.exp(-max(0.0, last_s - LAG_S) / TAU_S)
    spread = max(0.3 * abs(worst), 0.2)
    amplitude, precision = 0.85 * worst, 1 / spread**2
    if len(seen) >= 2:
        xs = [-math.exp(-t / TAU_S) for t, _ in seen]
        mean_x, mean_v = statistics.fmean(xs), statistics.fmean(v for _, v in seen)
        xx = sum((x - mean_x) ** 2 for x in xs) / SENSOR_C**2
        xv = sum((x - mean_x) * (v - mean_v) for x, (_, v) in zip(xs, seen, strict=True)) / SENSOR_C**2
        amplitude, precision = (xv + precision * amplitude) / (xx + precision), xx + precision
    return amplitude * left


def smoothed(trail: Sequence[Trace], read: Read, count: int = SMOOTH) -> float | None:
    """Mean of the newest ``count`` readings that have this value; None without any."""
    values = [v for t in trail[-count:] if (v := read(t.status)) is not None and math.isfinite(v)]
    return statistics.fmean(values) if values else None


def trend_per_s(trail: Sequence[Trace], read: Read, span_s: float = 60.0) -> float:
    """Slope of the newest ``span_s`` seconds, units per second; 0 with fewer than three readings."""
    seen = [(t.at_s, v) for t in trail if t.at_s > trail[-1].at_s - span_s and (v := read(t.status)) is not None]
    if len(seen) < 3:
        return 0.0
    mean_t, mean_v = statistics.fmean(t for t, _ in seen), statistics.fmean(v for _, v in seen)
    below = sum((t - mean_t) ** 2 for t, _ in seen)
    return sum((t - mean_t) * (v - mean_v) for t, v in seen) / below if below else 0.0

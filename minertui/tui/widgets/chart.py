"""A line chart in braille: values at the left, time below, gaps as gaps, lowest and highest as a band.

All metrics of a chart share one scale, so give it metrics of one unit (hashrate and expected; the temperatures). The
first one is the one that matters: it is painted over the others, and alone it is filled down to the floor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from minertui.model.history import Series
from minertui.model.metrics import BY_ID, Metric
from minertui.model.rig_metrics import RIG_BY_ID, RigMetric
from minertui.tui.widgets.braille import Dots, braille
from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.wording import duration, fit, hashrate, number

_INKS = ("accent", "second", "third")
_SIGNS = "*+o"
_LINES = "━╌·"  # in the title, where there are no colours to tell curves apart
_DASHES = ((1, 1), (4, 7), (1, 4))  # and in the plot: so many dots of so many
_Values = Sequence[float | None]


class Chart(Painted):
    """A chart of a Series. ``show`` gives everything; it never fetches."""

    DEFAULT_CSS = """
    Chart { height: 1fr; min-height: 4; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.series: Series | None = None
        self.metric_ids: tuple[str, ...] = ()
        self.title = ""
        self.gone = ""

    def show(self, series: Series | None, metric_ids: Sequence[str], title: str, *, gone: str = "") -> None:
        """Show these metrics of the series; None: nothing was read yet. ``gone``: why nothing newer can be read; what
        was read before is then dimmed, and does not end now."""
        self.series, self.metric_ids, self.title, self.gone = series, tuple(metric_ids), title, gone
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """Title, plot with its axis, time."""
        series = self.series
        if height < 3 or width < 16:
            return [line((fit(self.title, width), "title"))]
        columns = {m: series.mean.get(m, ()) for m in self.metric_ids} if series else {}
        bounds = _bounds([*columns.values(), *self._band(self.metric_ids[0] if self.metric_ids else "")])
        if series is None or bounds is None:
            word = self.gone or ("reading …" if series is None else "nothing recorded in this time")
            blank = [line()] * ((height - 2) // 2)
            return [self._title(width), *blank, line((fit(f"  {word}", width), "dim"))]
        deep = height - 2
        low, high, step = _scale(*bounds, max(2, min(6, deep // 3 + 1)))
        labels = self._labels(low, high, step, deep)
        margin = max(len(text) for text in labels.values())
        plot = self._plot(columns, low, high, width - margin - 1, deep)
        axis = self.glyphs.axis
        lines = [self._title(width)]
        for y, spans in enumerate(plot):
            tick = self.glyphs.tick if y in labels and not self.glyphs.ascii else axis
            label = fit(labels.get(y, ""), margin, right=True)
            lines.append(line(Span(label, "dim"), Span("┤" if tick != axis else axis, "faint"), *spans))
        return [*lines, self._times(series, margin, width)]

    @property
    def _plain(self) -> bool:
        return self.app.has_class("-no-color")

    def _curve_ink(self, n: int) -> str:
        """Of the nth curve; old ones differ by their brightness alone."""
        return ("dim" if n == 0 else "faint") if self.gone else _INKS[n % 3]

    # -- title and axes

    def _title(self, width: int) -> Line:
        spans = [Span(f"{self.title} ", "title")]
        for n, metric_id in enumerate(self.metric_ids):
            values = self.series.mean.get(metric_id, ()) if self.series else ()
            last = next((v for v in reversed(values) if v is not None), None)
            sign = _SIGNS[n % 3] if self.glyphs.ascii else _LINES[n % 3] if self._plain else self.glyphs.bar
            metric = _metric(metric_id)
            text, unit = hashrate(last) if metric.unit == "GH/s" else (number(last, metric.digits), metric.unit)
            value = Span(f"{text} {unit} ", "dim" if self.gone else "strong")
            spans += [Span(f" {sign * 2} ", self._curve_ink(n)), Span(f"{metric.title} "), value]
        return line(*spans)

    def _labels(self, low: float, high: float, step: float, deep: int) -> dict[int, str]:
        unit = _metric(self.metric_ids[0]).unit
        factor = 1000.0 if unit == "GH/s" and high >= 1000 else 1.0
        digits = max(0, -math.floor(math.log10(step / factor) + 1e-9))
        found: dict[int, str] = {}
        for n in range(round((high - low) / step) + 1):
            value = low + n * step
            y = min(deep - 1, int((high - value) / (high - low) * deep))
            found[y] = number(value / factor, digits)
        return found

    def _times(self, series: Series, margin: int, width: int) -> Line:
        span = series.step_s * len(series.at_s)
        room = width - margin - 1
        marks = max(1, min(6, room // 12))
        text = [" "] * room
        for n in range(marks):
            x = round(n / marks * room)
            word = "-" + _ago(span * (1 - n / marks))
            text[x : x + len(word)] = word
        if not self.gone:
            text[max(0, room - 3) :] = "now" if room >= 3 else ""
        return line((" " * margin + self.glyphs.corner + "".join(text)[:room], "dim"))

    # -- the plot

    def _band(self, metric_id: str) -> tuple[_Values, ...]:
        if not self.series:
            return ()
        return tuple(side[metric_id] for side in (self.series.low, self.series.high) if metric_id in side)

    def _plot(self, columns: Mapping[str, _Values], low: float, high: float, width: int, deep: int) -> list[list[Span]]:
        if self.glyphs.ascii:
            return _letters(list(columns.values()), low, high, width, deep, self._curve_ink)
        layers: list[tuple[Dots, str]] = []
        for n, values in enumerate(columns.values()):
            dashes = _DASHES[n % 3] if self._plain else _DASHES[0]
            curve = _dashed(_spread(values, 2 * width), *dashes)
            layers.append((_curve(curve, low, high, width, deep), self._curve_ink(n)))
        band = self._band(self.metric_ids[0])
        if len(band) == 2:
            below, above = (_spread(side, 2 * width) for side in band)
            layers.append((_area(below, above, low, high, width, deep), "faint"))
        elif len(layers) == 1:
            alone = _spread(next(iter(columns.values())), 2 * width)
            layers.append((_area([low] * len(alone), alone, low, high, width, deep), "faint"))
        return [[_cell(layers, x, y) for x in range(width)] for y in range(deep)]


def _ago(seconds: float) -> str:
    """A length of time, with seconds while minutes alone would say the same of two places."""
    whole = round(seconds)
    return f"{whole // 60}m{whole % 60:02}" if 60 <= whole < 600 and whole % 60 else duration(seconds)


def _metric(metric_id: str) -> Metric | RigMetric:
    """A miner's number, or a rig's."""
    return BY_ID.get(metric_id) or RIG_BY_ID[metric_id]


def _cell(layers: Sequence[tuple[Dots, str]], x: int, y: int) -> Span:
    for dots, ink in layers:
        bits = dots.bits(x, y)
        if bits:
            return Span(braille(bits), ink)
    return Span(" ")


def _bounds(columns: Sequence[_Values]) -> tuple[float, float] | None:
    known = [v for values in columns for v in values if v is not None and math.isfinite(v)]
    return (min(known), max(known)) if known else None


def _scale(low: float, high: float, ticks: int) -> tuple[float, float, float]:
    """Round ends and step around what is shown. A flat line gets some air, and what moves by less than a thousandth is
    flat: drawn as mountains it would look like news."""
    if high - low < max(1e-9, 1e-3 * abs(high)):
        air = abs(high) * 0.1 or 1.0
        low, high = low - air, high + air
    rough = (high - low) / ticks
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= rough * (1 - 1e-9))
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def _spread(values: _Values, width: int) -> list[float | None]:
    """As many values as dots across: means where there are more, straight lines between them where there are fewer."""
    size = len(values)
    if not size:
        return [None] * width
    if size < width:
        return [_between(values, x * (size - 1) / max(1, width - 1)) for x in range(width)]
    out: list[float | None] = []
    for x in range(width):
        part = values[x * size // width : (x + 1) * size // width]
        known = [v for v in part if v is not None and math.isfinite(v)]
        out.append(sum(known) / len(known) if known else None)
    return out


def _between(values: _Values, at: float) -> float | None:
    left, share = int(at), at - int(at)
    before, after = values[left], values[min(left + 1, len(values) - 1)]
    if before is None or after is None:  # next to a gap: the nearer one
        return before if share < 0.5 else after
    return before + share * (after - before)


def _dashed(values: Sequence[float | None], dots: int, every: int) -> Sequence[float | None]:
    return values if dots == every else [v if x % every < dots else None for x, v in enumerate(values)]


def _height(value: float, low: float, high: float, deep: int) -> int:
    return min(4 * deep - 1, max(0, round((high - value) / (high - low) * (4 * deep - 1))))


def _curve(values: _Values, low: float, high: float, width: int, deep: int) -> Dots:
    dots = Dots(width, deep)
    before: int | None = None
    for x, value in enumerate(values):
        y = None if value is None else _height(value, low, high, deep)
        if y is not None:
            # joined to the last value, except over a gap
            dots.rise(x, y, y if before is None else before + (y > before) - (y < before))
        before = y
    return dots


def _area(below: _Values, above: _Values, low: float, high: float, width: int, deep: int) -> Dots:
    dots = Dots(width, deep)
    for x, (bottom, top) in enumerate(zip(below, above, strict=True)):
        if bottom is None or top is None:
            continue
        for y in range(_height(top, low, high, deep), _height(bottom, low, high, deep) + 1):
            if (x + y) % 2 == 0:
                dots.dot(x, y)
    return dots


def _letters(
    columns: Sequence[_Values], low: float, high: float, width: int, deep: int, ink: Callable[[int], str]
) -> list[list[Span]]:
    field = [[Span(" ")] * width for _ in range(deep)]
    for n in reversed(range(len(columns))):
        for x, value in enumerate(_spread(columns[n], width)):
            if value is not None:
                y = min(deep - 1, int((high - value) / (high - low) * deep))
                field[y][x] = Span(_SIGNS[n % 3], ink(n))
    return field

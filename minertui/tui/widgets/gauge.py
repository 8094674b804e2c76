"""Gauges: one line a metric — title, bar with the marks where it warns and where it stops, value, unit."""

from __future__ import annotations

from collections.abc import Sequence

from minertui.model.fleet import Health, Snapshot
from minertui.model.metrics import BY_ID, Better, Metric
from minertui.tui.widgets.glyphs import Glyphs
from minertui.tui.widgets.painted import Line, Painted, Span, heat, line, warmth
from minertui.tui.widgets.standing import level
from minertui.tui.widgets.wording import fit, metric_text

_TITLE, _VALUE = 14, 16  # cells: the value's are a blank, 7 of number, 2 of mark, 6 of unit
_ROOM = 1.2  # where a metric names no highest value, its bar ends this far beyond the limit


class Gauges(Painted):
    """One gauge a line."""

    DEFAULT_CSS = """
    Gauges { height: auto; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.snapshot: Snapshot | None = None
        self.metric_ids: tuple[str, ...] = ()

    def show(self, snapshot: Snapshot | None, metric_ids: Sequence[str]) -> None:
        """Show these metrics of this reading; None: all unknown."""
        self.snapshot, self.metric_ids = snapshot, tuple(metric_ids)
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """A line per metric."""
        return [gauge(BY_ID[m], self.snapshot, width, self.glyphs) for m in self.metric_ids]


def gauge(metric: Metric, snapshot: Snapshot | None, width: int, glyphs: Glyphs) -> Line:
    """One gauge in ``width`` cells."""
    status = snapshot.status if snapshot else None
    value = metric.read(status) if status else None
    text, unit = metric_text(metric, status)
    found = level(metric, snapshot) if snapshot else level(metric, Snapshot(device=""))
    stale = snapshot is None or snapshot.health is not Health.OK
    room = width - _TITLE - _VALUE
    ink = "dim" if stale or value is None else found.ink or "strong"
    head = fit(metric.title, _TITLE, ellipsis=glyphs.ellipsis) if room >= 0 else fit(metric.title, width - _VALUE)
    tail = [Span(" " + fit(text, 7, right=True), ink), Span(fit(found.mark, 2), ink), Span(fit(unit, 6), "dim")]
    bar = _bar(metric, snapshot, value, room, glyphs, stale) if room > 3 else [Span(" " * max(0, room))]
    return line(Span(head, "dim"), *bar, *tail)


def _ends(metric: Metric, snapshot: Snapshot | None) -> tuple[float, float] | None:
    if metric.highest is not None:
        return metric.lowest, metric.highest
    limit = metric.limit(snapshot) if snapshot else None
    if limit is None:
        return None
    if metric.better is Better.HIGH:  # a floor: the interesting part is around it
        return limit * 0.9, limit * 1.15
    return metric.lowest, limit * _ROOM


def _bar(
    metric: Metric, snapshot: Snapshot | None, value: float | None, width: int, glyphs: Glyphs, stale: bool
) -> list[Span]:
    ends = _ends(metric, snapshot)
    if ends is None:
        return [Span(" " * width)]
    low, high = ends
    share = None if value is None else min(1.0, max(0.0, (value - low) / (high - low)))
    full = 0.0 if share is None else share * width
    marks = _marks(metric, snapshot, ends, width)
    spans = []
    for x in range(width):
        filled = x + 0.5 < full
        sign = glyphs.bar if x + 1 <= full or (filled and glyphs.ascii) else glyphs.half if filled else glyphs.track
        ink = ("dim" if stale else _heat(metric, x, width, marks)) if filled else "faint"
        if x in marks:
            sign, ink = glyphs.hard if marks[x] == "bad" else glyphs.tick, marks[x]
        spans.append(Span(sign, ink))
    return spans


def _marks(metric: Metric, snapshot: Snapshot | None, ends: tuple[float, float], width: int) -> dict[int, str]:
    low, high = ends
    found: dict[int, str] = {}
    for read, ink in ((metric.warn, "warn"), (metric.limit, "bad")):
        at = read(snapshot) if snapshot else None
        if at is not None and low <= at <= high:
            found[min(width - 1, int((at - low) / (high - low) * width))] = ink
    return found


def _heat(metric: Metric, x: int, width: int, marks: dict[int, str]) -> str:
    """The ink of a filled cell: calm up to half way, and red where the limit is."""
    if metric.better is not Better.LOW or not marks:
        return "accent"
    end = max(marks) or width
    return heat(warmth(x / end))

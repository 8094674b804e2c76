"""The fleet as a heat map: a cell per device, coloured by one metric; signs and numbers say it without colour too.
Where there are no colours at all a bar in each cell takes their place, as high as the value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from minertui.model.fleet import Fleet, Health, Snapshot
from minertui.model.metrics import BY_ID, Better, Metric
from minertui.tui.widgets.painted import Line, Span, heat, line, warmth
from minertui.tui.widgets.rows import DeviceRows
from minertui.tui.widgets.standing import level, standing
from minertui.tui.widgets.wording import UNKNOWN, fit, number, terahash

_CELL, _WIDEST = 13, 30  # name over value, wider where names need it and all still fit
_NARROW = 8  # value only


class HeatMap(DeviceRows):
    """A cell per device in reading order. Wide cells carry the name; where all devices would not fit, only the value,
    and the name of the one under the cursor stands in the title line."""

    DEFAULT_CSS = """
    HeatMap { height: 1fr; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "sideways(-1)", "Left", show=False, id="rows.left"),
        Binding("right,l", "sideways(1)", "Right", show=False, id="rows.right"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.metric: Metric = BY_ID["chip_temp_c"]

    def show(self, fleet: Fleet, rows: Sequence[str], metric_id: str) -> None:
        """Show these devices in this order, coloured by this metric."""
        self.metric = BY_ID[metric_id]
        self.take(fleet, rows)
        self.repaint()

    @property
    def wide(self) -> bool:
        """Whether cells carry names."""
        return self._fit(_CELL)

    def _fit(self, size: int) -> bool:
        per_line = max(1, self.size.width // size)
        return -(-len(self.rows) // per_line) * 3 <= max(1, self.size.height - 1)

    @property
    def cell(self) -> int:
        """Width of a cell: names that begin alike are told apart by their ends."""
        if not self.wide:
            return _NARROW
        wanted = min(_WIDEST, self.size.width, max(map(cell_len, self.rows), default=0) + 3)
        return next((size for size in range(wanted, _CELL, -1) if self._fit(size)), _CELL)

    @property
    def step(self) -> int:
        """Devices per line."""
        return max(1, self.size.width // self.cell)

    @property
    def page(self) -> int:
        """Lines of cells on the screen."""
        return max(1, (self.size.height - 1) // (3 if self.wide else 1))

    def action_sideways(self, by: int) -> None:
        """One device on or back."""
        self._go(self._index + by)

    def draw(self, width: int, height: int) -> list[Line]:
        """The title with its scale, then the cells."""
        if not self.rows:
            return [line((fit(self.empty, width, ellipsis=self.glyphs.ellipsis), "dim"))]
        self.reveal()
        low, high = self._scale()
        lines, cell = [self._title(low, high)], self.cell
        for first in range(self.top * self.step, len(self.rows), self.step):
            if len(lines) >= height:
                break
            row = self.rows[first : first + self.step]
            shown = [(name, *self._cell(self.fleet.snapshots[name], low, high)) for name in row]
            if self.wide:
                lines.append(line(*(span for n, _, ink in shown for span in self._half(n, n, ink, cell))))
                lines.append(line(*(span for n, t, ink in shown for span in self._half(n, t, ink, cell))))
                lines.append(line())
            else:
                lines.append(line(*(span for n, t, ink in shown for span in self._half(n, t, ink, _NARROW))))
        return lines[:height]

    def _title(self, low: float, high: float) -> Line:
        m = self.metric
        scale = [Span("  ", f"cell:{i if m.better is not Better.HIGH else 9 - i}") for i in range(10)]
        if self.colourless:
            scale = [Span(self.glyphs.ramp[1:])]
        digits = 0 if high - low > 10 else 1
        ends = (number(low, digits), f"{number(high, digits)} {m.unit}")
        if m.unit == "GH/s":  # as in the cells
            ends = (terahash(low), f"{terahash(high)} TH/s")
        if self._limited:
            ends = ("cool", "limit")
        spans = ((f"{m.title}", "title"), (f"  {ends[0]} ", "dim"), *scale, (f" {ends[1]}", "dim"))
        return line(*spans, (f"   {self.cursor}", "strong"))

    def _half(self, name: str, text: str, ink: str, width: int) -> tuple[Span, Span]:
        mark = self.glyphs.marked if name == self.cursor else " "
        return Span(mark + fit(text, width - 2, ellipsis=self.glyphs.ellipsis), ink), Span(" ")

    @property
    def _limited(self) -> bool:
        return any(self.metric.limit(self.fleet.snapshots[name]) is not None for name in self.rows)

    def _scale(self) -> tuple[float, float]:
        known = [v for name in self.rows if (v := self._read(self.fleet.snapshots[name])) is not None]
        if not known:
            return 0.0, 1.0
        low, high = min(known), max(known)
        return (low, high) if high > low else (0.0, high or 1.0)

    def _read(self, snapshot: Snapshot) -> float | None:
        return self.metric.read(snapshot.status) if snapshot.status else None

    def _cell(self, snapshot: Snapshot, low: float, high: float) -> tuple[str, str]:
        value = self._read(snapshot)
        if value is None or snapshot.health is not Health.OK:
            sign, word, ink = standing(snapshot, self.glyphs)
            return (f"{sign} {word}" if self.wide and snapshot.health is not Health.OK else UNKNOWN), ink
        text = terahash(value) if self.metric.unit == "GH/s" else number(value, self.metric.digits)
        text += level(self.metric, snapshot).mark
        limit = self.metric.limit(snapshot)
        if limit is not None and self.metric.better is Better.LOW:
            share = warmth((value - self.metric.lowest) / (limit - self.metric.lowest))
        else:
            share = (value - low) / (high - low)
        if self.colourless:
            return self._with_bar(text, share), ""
        if self.metric.better is Better.HIGH:
            share = 1 - share
        return text, heat(share, "cell")

    def _with_bar(self, text: str, share: float) -> str:
        """``text`` and a bar as high as ``share``; a narrow cell that a mark fills needs none."""
        bars = self.glyphs.ramp[1:]
        bar = bars[min(len(bars) - 1, max(0, int(share * len(bars))))]
        return f"{text} {bar}" if self.wide else text + bar if len(text) < _NARROW - 2 else text

    def device_at(self, x: int, y: int) -> str | None:
        """The device whose cell is there."""
        if y < 1:
            return None
        column = x // self.cell
        index = (self.top + (y - 1) // (3 if self.wide else 1)) * self.step + column
        return self.rows[index] if column < self.step and index < len(self.rows) else None

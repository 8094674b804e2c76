"""The points of a sweep as a table: as measured or ranked, and against an earlier sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from minertui.model.plans import SweepPoint
from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.volt_freq_map import SIGNS
from minertui.tui.widgets.wording import UNKNOWN, fit, number, terahash


class PointRow(msgspec.Struct, frozen=True):
    """A point, its rank (None: did not pass), the point of another sweep at the same settings, and whether these are
    the settings that the miner had before the sweep."""

    point: SweepPoint
    rank: int | None = None
    earlier: SweepPoint | None = None
    home: bool = False


_HEAD = (("#", 3), ("MHz", 5), ("mV", 5), ("TH/s", 7), ("exp %", 6), ("J/TH", 6), ("chip", 6), ("VR", 6), ("W", 6),
         ("err %", 6))  # fmt: skip


class PointTable(Painted, can_focus=True):
    """A line per point with a cursor; Enter opens the point under it."""

    DEFAULT_CSS = """
    PointTable { height: 1fr; min-height: 4; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="points.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="points.down"),
        Binding("pageup", "move(-10)", "Page up", show=False, id="points.page-up"),
        Binding("pagedown", "move(10)", "Page down", show=False, id="points.page-down"),
        Binding("enter", "choose", "Point", id="points.apply"),
    ]

    class Chosen(Message):
        """A person wants to see all of this point."""

        def __init__(self, point: SweepPoint) -> None:
            super().__init__()
            self.point = point

    class Moved(Message):
        """The cursor is on another point."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.rows: tuple[PointRow, ...] = ()
        self.at = 0
        self.top = 0  # the first row on the screen
        self.comparing = False
        self.free = False  # a person put the cursor where it is

    @property
    def point(self) -> SweepPoint | None:
        """The point under the cursor."""
        return self.rows[self.at].point if self.at < len(self.rows) else None

    def show(self, rows: Sequence[PointRow], *, comparing: bool = False) -> None:
        """Show these. The cursor stays on the point where a person put it, as long as that is there; else it is on the
        best one: who comes back in the morning sees that first."""
        kept = self.point if self.free else next((row.point for row in rows if row.rank == 1), self.point)
        self.rows, self.comparing = tuple(rows), comparing
        numbers = [row.point.n for row in self.rows]
        if kept is not None and kept.n in numbers:
            self.at = numbers.index(kept.n)
        self.at = max(0, min(self.at, len(self.rows) - 1))
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """Titles, then the points around the cursor."""
        titles = "".join(fit(title, size, right=True) for title, size in _HEAD)
        titles += "  " + ("against then" if self.comparing else "verdict")
        page = max(1, height - 1)
        self.top = top = max(0, min(self.at - page // 2, len(self.rows) - page))
        lines = [line((titles, "head"))]
        for n, row in enumerate(self.rows[top : top + page], top):
            lines.append(self._row(row, width, "cursor" if n == self.at else ""))
        return lines

    def _row(self, row: PointRow, width: int, under: str) -> Line:
        p = row.point
        rank = UNKNOWN if row.rank is None else str(row.rank)
        ratio = None if p.ratio is None else 100 * p.ratio
        values = (
            rank, number(p.mhz), number(p.mv), terahash(p.hashrate_ghs), number(ratio, 1), number(p.efficiency_jth, 1),
            number(p.chip_temp_c, 1), number(p.vr_temp_c, 1), number(p.power_w, 1), number(p.error_pct, 2),
        )  # fmt: skip
        text = "".join(fit(v, size, right=True) for v, (_, size) in zip(values, _HEAD, strict=True))
        ink = "strong" if row.rank == 1 else "" if p.passed else "dim"
        tail = self._against(row) if self.comparing else self._verdict(row)
        room = max(0, width - len(text) - 2)
        said = fit(tail.text, min(room, cell_len(tail.text)), ellipsis=self.glyphs.ellipsis)
        return line(Span(text + "  ", ink), Span(said, tail.style), row=under)

    def _verdict(self, row: PointRow) -> Span:
        soaked = " (soak)" if row.point.soak else ""
        if row.rank == 1:
            return Span(f"{self.glyphs.best} best{soaked}{', as before' * row.home}", "good")
        if row.point.passed:
            return Span(f"passed{soaked}{', as before' * row.home}", "dim")
        return Span(f"{SIGNS[row.point.verdict]} {row.point.verdict.words}: {row.point.reason}", "warn")

    def _against(self, row: PointRow) -> Span:
        now, then = row.point, row.earlier
        if then is None or not then.hashrate_ghs or now.hashrate_ghs is None:
            return Span("not measured then", "dim")
        more = 100 * (now.hashrate_ghs / then.hashrate_ghs - 1)
        text = f"{more:+.1f} % TH/s"
        if now.efficiency_jth is not None and then.efficiency_jth:
            text += f", {100 * (now.efficiency_jth / then.efficiency_jth - 1):+.1f} % J/TH"
        return Span(text, "good" if more > 0.5 else "warn" if more < -0.5 else "")

    def action_move(self, by: int) -> None:
        """Cursor up or down."""
        self.at = max(0, min(len(self.rows) - 1, self.at + by))
        self.free = self.at < len(self.rows) and self.rows[self.at].rank != 1  # on the best one it goes on with it
        self.repaint()
        self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor there; a click on the cursor opens."""
        offset = event.get_content_offset(self)
        n = self.top + offset.y - 1 if offset is not None and offset.y > 0 else len(self.rows)
        if n == self.at:
            self.action_choose()
        elif n < len(self.rows):
            self.action_move(n - self.at)

    def on_mouse_scroll_down(self) -> None:
        """The wheel moves the cursor by three."""
        self.action_move(3)

    def on_mouse_scroll_up(self) -> None:
        """The wheel moves the cursor by three."""
        self.action_move(-3)

    def action_choose(self) -> None:
        """This one."""
        if self.point is not None:
            self.post_message(self.Chosen(self.point))

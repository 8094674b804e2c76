"""The fleet as a table: a line per device, the columns that fit, and nothing repainted that did not change."""

from __future__ import annotations

from collections.abc import Sequence

from minertui.model.fleet import Fleet, Health, Snapshot
from minertui.model.plans import JobState
from minertui.tui.widgets.columns import GAP, Layout, Row, at, cells, header, jobs_by_device, layout
from minertui.tui.widgets.painted import Line, Span, line
from minertui.tui.widgets.rows import DeviceRows
from minertui.tui.widgets.standing import age_text, standing
from minertui.tui.widgets.wording import fit

_OF_NOW = frozenset({"state", "runs", "word", "name", "job"})  # true however old the reading is
_Key = tuple[int, tuple[int, ...], str, bool, str, str]


class FleetTable(DeviceRows):
    """A line per device under a line of titles. ``show`` gives it everything; see ``DeviceRows`` for its messages."""

    DEFAULT_CSS = """
    FleetTable { height: 1fr; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.marked: frozenset[str] = frozenset()
        self.sort: tuple[str, bool] | None = None
        self._layout: Layout = ()
        self._laid_for: tuple[int, tuple[str, ...]] | None = None  # width and rows that the layout is of
        self._jobs: dict[str, tuple[JobState, ...]] = {}
        # a device's line, with the values it came from: those are kept alive here, so that their ids stay theirs
        self._kept: dict[str, tuple[_Key, Snapshot, tuple[JobState, ...], Line]] = {}

    def show(
        self, fleet: Fleet, rows: Sequence[str], marked: frozenset[str], sort: tuple[str, bool] | None = None
    ) -> None:
        """Show these devices in this order. ``sort``: the column id they are sorted by and whether descending."""
        self.marked, self.sort = marked, sort
        self._jobs = jobs_by_device(fleet)
        self.take(fleet, rows)
        self._kept = {name: kept for name, kept in self._kept.items() if name in fleet.snapshots}
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """Titles, then the devices around the cursor."""
        bar = len(self.rows) > height - 1
        room = width - (GAP + 1) * bar
        if self._laid_for != (room, self.rows):
            self._laid_for = room, self.rows
            columns = layout(room, max(map(len, self.rows), default=0))
            if columns != self._layout:
                self._layout, self._kept = columns, {}
        columns = self._layout
        self.reveal()
        used = sum(size + column.gap for column, size in columns)  # with the gap behind the last one
        lines = [line((header(columns, self.sort, self.glyphs), "head"))]
        if not self.rows:
            return [*lines, line((fit(self.empty, width, ellipsis=self.glyphs.ellipsis), "dim"))][:height]
        rows = self.rows[self.top : self.top + max(0, height - 1)]
        edges = self._edges(height - 1, " " * (width - 1 - used)) if bar and rows else [""] * len(rows)
        lines += map(self._line, rows, edges)
        return lines

    def _line(self, name: str, edge: str) -> Line:
        snapshot, jobs = self.fleet.snapshots[name], self._jobs.get(name, ())
        marked = name in self.marked
        style = "cursor" if name == self.cursor else "marked" if marked else ""
        age = age_text(snapshot, self.fleet.at_s)
        key: _Key = (id(snapshot), tuple(map(id, jobs)), age, marked, style, edge)
        kept = self._kept.get(name)
        if kept is not None and kept[0] == key:
            return kept[3]
        glyphs = self.glyphs
        row = Row(snapshot, jobs, self.fleet.at_s, marked, standing(snapshot, glyphs))
        spans = cells(self._layout, row, glyphs)
        if snapshot.health is not Health.OK:  # an old reading is dimmed, its state is not
            spans = [s if column.id in _OF_NOW else Span(s.text, "dim")
                     for s, (column, _) in zip(spans, self._layout, strict=True)]  # fmt: skip
        made = line(*spans, Span(edge, "faint"), row=style)
        self._kept[name] = (key, snapshot, jobs, made)
        return made

    def _edges(self, page: int, gap: str) -> list[str]:
        """What stands at the right end of each row of a page: the scroll bar's thumb shows which part this is."""
        total = len(self.rows)
        size = max(1, page * page // total)
        start = round((page - size) * self.top / max(1, total - page))
        return [gap + (self.glyphs.thumb if start <= y < start + size else " ") for y in range(page)]

    def device_at(self, x: int, y: int) -> str | None:
        """The device on a line of the widget's content."""
        index = self.top + y - 1
        return self.rows[index] if y > 0 and index < len(self.rows) else None

    def title_at(self, x: int, y: int) -> str | None:
        """The column whose title is there."""
        return at(self._layout, x) if y == 0 else None

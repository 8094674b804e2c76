"""All miners at once: a table or a heat map, a filter, an order, marks, and the sums of what is listed."""

from __future__ import annotations

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input

from minertui.model.fleet import Snapshot
from minertui.model.metrics import BY_ID
from minertui.model.seams import Link
from minertui.tui.feed import Feed, Picture
from minertui.tui.order import GROUPS, Order, arranged, group_of, relays
from minertui.tui.tabs.pane import Pane
from minertui.tui.tabs.preview import LEAST, MOST, Preview
from minertui.tui.tabs.teach import Teach
from minertui.tui.totals import totals
from minertui.tui.widgets.facts import Facts
from minertui.tui.widgets.fleet_table import FleetTable
from minertui.tui.widgets.heat_map import HeatMap
from minertui.tui.widgets.painted import Span
from minertui.tui.widgets.rig_lines import RigLines, rigs_text
from minertui.tui.widgets.rows import DeviceRows
from minertui.tui.widgets.standing import sign_meanings
from minertui.tui.widgets.status_line import StatusLine
from minertui.tui.widgets.wording import hashrate, number

_SORTS = ("name", "state", "hashrate_ghs", "ratio_pct", "efficiency_jth", "chip_temp_c", "vr_temp_c", "power_w",
          "fan_pct", "rejected_pct", "age", "job")  # fmt: skip
_UPWARDS = frozenset({"name", "state", "word", "model", "job", "efficiency_jth"})  # best read from the smallest
_MAPS = ("chip_temp_c", "vr_temp_c", "hashrate_ghs", "ratio_pct", "efficiency_jth", "power_w", "fan_pct", "error_pct")
_ROOMY = 96  # cells from which two groups side by side have room for their J/TH
_TITLES = {"word": "state", "shares_accepted": "accepted", "spark": "trend of the hour"}


class FleetPane(Pane):
    """The list of miners. Marks stay on their miners when a filter hides them, and only shown ones are acted upon."""

    place = "fleet"

    def __init__(self, link: Link, feed: Feed) -> None:
        super().__init__(link, feed)
        self.order = Order()
        self.marked: frozenset[str] = frozenset()
        self.rows: tuple[str, ...] = ()
        self.map_metric = _MAPS[0]
        self.mapped = False
        self.table, self.map = FleetTable(), HeatMap()
        self.groups, self.line, self.teach = Facts(classes="groups"), StatusLine(), Teach()
        self.rigs = RigLines()
        self.prompt = Input(placeholder="words to find, !word to leave out", compact=True, classes="prompt")
        self.preview = Preview(classes="preview")
        # from the top; what is not shown from the start is mounted when it is first needed (see _bring)
        self._parts = (self.teach, self.table, self.map, self.preview, self.groups, self.rigs, self.prompt, self.line)
        for hidden in (self.map, self.groups, self.teach, self.prompt, self.preview, self.rigs):
            hidden.display = False

    def compose(self) -> ComposeResult:
        """The table and its sums."""
        yield self.table
        yield self.line

    def _bring(self, widget: Widget, shown: bool) -> None:
        """Show or hide it: table or map (one of them), groups, the filter line when open … A widget that is mounted
        costs the first picture as much hidden as seen."""
        if shown and not widget.is_attached and self.line.is_attached:  # it is not while the screen is left
            others = self._parts[self._parts.index(widget) + 1 :]
            self.mount(widget, before=next(other for other in others if other.is_attached))
        widget.display = shown

    def on_resize(self) -> None:
        """More or less room below the table."""
        self._show_preview()

    def show(self, picture: Picture) -> None:
        """Draw the list anew."""
        super().show(picture)
        self.marked &= picture.fleet.snapshots.keys()
        self._redraw()

    @property
    def devices(self) -> tuple[str, ...]:
        """The marked miners that are shown, or the one under the cursor."""
        marked = tuple(name for name in self.rows if name in self.marked) if self.marked else ()
        return marked or ((self._front.cursor,) if self._front.cursor else ())

    def enter(self) -> None:
        """The keys go to the list, if there is one."""
        if self._front.display:
            self._front.focus()

    def back(self) -> bool:
        """Close the filter line, then drop the filter, the marks, the map."""
        if self.prompt.display:
            self._close_prompt()
        elif self.order.words:
            self._reorder(words="")
        elif self.marked:
            self.marked = frozenset()
            self._redraw()
        elif self.mapped:
            self.toggle_map()
        else:
            return False
        return True

    # what the actions call

    def start_filter(self) -> None:
        """Open the line to type in."""
        self._bring(self.prompt, True)
        self.prompt.value = self.order.words
        self.prompt.focus()

    def sort_next(self) -> None:
        """Sort by the next column, best or smallest first."""
        here = _SORTS.index(self.order.column) if self.order.column in _SORTS else -1
        column = _SORTS[(here + 1) % len(_SORTS)]
        self._reorder(column=column, descending=column not in _UPWARDS)

    def sort_reverse(self) -> None:
        """The other way around."""
        self._reorder(descending=not self.order.descending)

    def group_next(self) -> None:
        """The next grouping; none after the last."""
        self._reorder(group=GROUPS[(GROUPS.index(self.order.group) + 1) % len(GROUPS)])

    def mark(self) -> None:
        """Mark or unmark the miner under the cursor and go down one row."""
        if self._front.cursor:
            self.marked ^= {self._front.cursor}
            self._front.action_move(1)
            self._redraw()

    def mark_all(self) -> None:
        """Mark all shown miners; none when all are marked already."""
        shown = frozenset(self.rows)
        self.marked = self.marked - shown if shown <= self.marked else self.marked | shown
        self._redraw()

    def toggle_map(self) -> None:
        """Table or map."""
        self.mapped = not self.mapped
        self._front.cursor = (self.table if self.mapped else self.map).cursor
        self._redraw()
        self._front.focus()

    def next_map_metric(self) -> None:
        """The next number that the map colours."""
        self.map_metric = _MAPS[(_MAPS.index(self.map_metric) + 1) % len(_MAPS)]
        self._redraw()

    # drawing

    @property
    def _front(self) -> DeviceRows:
        return self.map if self.mapped else self.table

    def _reorder(self, **change: object) -> None:
        self.order = msgspec.structs.replace(self.order, **change)
        self._redraw()

    def _redraw(self) -> None:
        fleet = self.picture.fleet
        self.rows = arranged(fleet, self.order)
        rigs = relays(fleet)
        empty = not fleet.snapshots
        self._bring(self.rigs, bool(rigs))
        self.rigs.show(rigs, lost=bool(self.picture.lost))
        self._bring(self.teach, empty and self.picture.first)
        self._bring(self.table, not self.mapped and not self.teach.display)
        self._bring(self.map, self.mapped and not self.teach.display)
        self._let_go()
        self._bring(self.groups, bool(self.order.group) and not empty)
        if self.teach.display:
            self.teach.show_no_miners(fleet.readonly)
        self._front.empty = f" No miner matches /{self.order.words}; Esc shows all again." if self.order.words else ""
        if self.mapped:
            self.map.show(fleet, self.rows, self.map_metric)
        else:
            self.table.show(fleet, self.rows, self.marked, (self.order.column, self.order.descending))
        self._show_preview()
        self.groups.show(self._group_rows())
        self.line.show(*self._sums())

    def _let_go(self) -> None:
        """Keys do not go to a list that is not there: Textual takes them only from one that it has drawn before."""
        if self.screen.focused is self._front and not self._front.display:
            self.screen.set_focus(None)

    def _show_preview(self) -> None:
        """Where the list leaves room for it."""
        lines = len(self.rows) + 2 + (len(self._group_rows()) if self.order.group else 0)
        lines += min(6, len(self.rigs.jobs))
        room = self.size.height - lines
        fits = room >= LEAST and self.size.width >= 100
        self._bring(self.preview, fits and bool(self.rows) and not self.mapped)
        self.preview.styles.height = min(MOST, room)
        if self.preview.display:
            self.preview.show(self.picture.fleet, self._front.cursor)

    def _group_rows(self) -> list[tuple[str, str]]:
        groups: dict[str, list[Snapshot]] = {}
        for name in self.rows if self.order.group else ():
            snapshot = self.picture.fleet.snapshots[name]
            groups.setdefault(group_of(snapshot, self.order.group), []).append(snapshot)
        short = self.size.width < _ROOMY
        told = [(f"{name} ({len(members)})", _sum_text(members, short)) for name, members in groups.items()]
        rigs = relays(self.picture.fleet) if self.order.group == "kind" else ()
        return [*told, (f"DUCO rig ({len(rigs)})", rigs_text(rigs))] if rigs else told

    def _sums(self) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
        fleet = self.picture.fleet
        if not fleet.snapshots:
            return (), ()
        chosen = self.devices if self.marked else self.rows
        words = f"{len(self.marked)} marked" if self.marked else f"{len(self.rows)} of {len(fleet.snapshots)} shown"
        left = [Span(f"{words}  ", "accent" if self.marked else "dim")]
        lost = bool(self.picture.lost)
        left += [Span("was ", "warn")] if lost else []
        left.append(Span(_sum_text([fleet.snapshots[name] for name in chosen]), "dim" if lost else "strong"))
        right = [Span(self._order_text(), "dim")]
        seen = frozenset(() if self.mapped else self.rows)
        jobs = (job for job in fleet.jobs.values() if job.device in seen)
        signs = [Span(f"{text}  ", "dim") for text in sign_meanings(jobs)]
        if self.order.words:
            right.insert(0, Span(f"/{self.order.words}  ", "accent"))
        return tuple(left), (*signs, *right)

    def _order_text(self) -> str:
        if self.mapped:
            return f"map of {BY_ID[self.map_metric].title}"
        column = self.order.column
        title = _TITLES.get(column) or (BY_ID[column].title.lower() if column in BY_ID else column)
        group = f"by {self.order.group}, " if self.order.group else ""
        return f"{group}{title} {'down' if self.order.descending else 'up'}"

    # from the widgets

    def on_descendant_focus(self) -> None:
        """It may have been asked for a moment before the list went."""
        self._let_go()

    @on(FleetTable.HeaderClicked)
    def _sort_by(self, message: FleetTable.HeaderClicked) -> None:
        same = self.order.column == message.column_id
        descending = not self.order.descending if same else message.column_id not in _UPWARDS
        self._reorder(column=message.column_id, descending=descending)

    @on(DeviceRows.Moved)
    def _cursor_moved(self) -> None:
        self._show_preview()

    @on(Input.Changed)
    def _filter_typed(self, message: Input.Changed) -> None:
        message.stop()
        if self.prompt.display:
            self._reorder(words=message.value)

    @on(Input.Submitted)
    def _filter_done(self, message: Input.Submitted) -> None:
        message.stop()
        self._close_prompt()

    def _close_prompt(self) -> None:
        self.prompt.display = False
        self._front.focus()


def _sum_text(members: list[Snapshot], short: bool = False) -> str:
    sums = totals(members)
    rate, unit = hashrate(sums.hashrate_ghs)
    per = "" if short else f"  {number(sums.efficiency_jth, 1)} J/TH"
    return f"{rate} {unit}  {number(sums.power_w)} W{per}"

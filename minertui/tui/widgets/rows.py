"""Rows of devices with a cursor: what the fleet table and the heat map have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from minertui.model.fleet import EMPTY, Fleet
from minertui.tui.widgets.painted import Painted

_RENAMED_S = 10.0  # so soon after it left a device at its address is the same one


class DeviceRows(Painted, can_focus=True):
    """Devices in an order, one of them under the cursor. The cursor is a name: it stays there when rows move."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="rows.open"),
        Binding("up,k", "move(-1)", "Up", show=False, id="rows.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="rows.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="rows.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="rows.page-down"),
        Binding("home", "edge(0)", "First", show=False, id="rows.first"),
        Binding("end", "edge(-1)", "Last", show=False, id="rows.last"),
    ]

    class Opened(Message):
        """A person wants to see this device alone."""

        def __init__(self, device: str) -> None:
            super().__init__()
            self.device = device

    class Moved(Message):
        """The cursor is on another device."""

        def __init__(self, device: str) -> None:
            super().__init__()
            self.device = device

    class HeaderClicked(Message):
        """A column's title was clicked."""

        def __init__(self, column_id: str) -> None:
            super().__init__()
            self.column_id = column_id

    cursor: reactive[str] = reactive("", init=False, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.fleet: Fleet = EMPTY
        self.rows: tuple[str, ...] = ()
        self.empty = ""  # what is said where there is none
        self.top = 0  # first row (or line of cells) on the screen
        self._index = 0
        self._left, self._left_s = "", 0.0  # address of a device that left under the cursor, and when
        self._fell = ""  # where the cursor went then

    def take(self, fleet: Fleet, rows: Sequence[str]) -> None:
        """Keep these rows; a cursor whose device is gone goes to whoever stands there now, and on to the device itself
        when that comes back by another name."""
        before, self.fleet, self.rows = self.fleet, fleet, tuple(r for r in rows if r in fleet.snapshots)
        self._follow(before)
        if self.cursor in self.rows:
            self._index = self.rows.index(self.cursor)
        else:
            self._index = max(0, min(self._index, len(self.rows) - 1))
            self._fell = self.cursor = self.rows[self._index] if self.rows else ""

    def _follow(self, before: Fleet) -> None:
        """A renamed device leaves, and comes at the same address a moment later. Not if the cursor was moved since."""
        left = before.snapshots.get(self.cursor)
        if left is not None and left.device not in self.fleet.snapshots:
            self._left, self._left_s, self._fell = left.address, self.fleet.at_s, self.cursor
        if self.cursor != self._fell or self.fleet.at_s - self._left_s > _RENAMED_S * self.fleet.speed:
            self._left = ""
        if not self._left:
            return
        came = (r for r in self.rows if r not in before.snapshots and self.fleet.snapshots[r].address == self._left)
        renamed = next(came, "")
        if renamed:
            self.cursor, self._left = renamed, ""

    def watch_cursor(self, device: str) -> None:
        """Tell whoever follows, and show it."""
        if device in self.rows:
            self._index = self.rows.index(device)
        self.repaint()
        if device:
            self.post_message(self.Moved(device))

    @property
    def step(self) -> int:
        """Devices per line."""
        return 1

    @property
    def page(self) -> int:
        """Lines of devices on the screen."""
        return max(1, self.size.height - 1)

    def reveal(self) -> None:
        """Scroll as little as needed to see the cursor."""
        at, lines = self._index // self.step, -(-len(self.rows) // self.step)
        self.top = min(max(self.top, at - self.page + 1), at)
        self.top = max(0, min(self.top, lines - self.page))

    def action_move(self, by: int) -> None:
        """Cursor up or down."""
        self._go(self._index + by * self.step)

    def action_page(self, by: int) -> None:
        """A page up or down."""
        self._go(self._index + by * self.step * self.page)

    def action_edge(self, index: int) -> None:
        """First (0) or last (-1) device."""
        self._go(index % len(self.rows) if self.rows else 0)

    def action_open(self) -> None:
        """Open the device under the cursor."""
        if self.cursor:
            self.post_message(self.Opened(self.cursor))

    def _go(self, index: int) -> None:
        if self.rows:
            self.cursor = self.rows[max(0, min(len(self.rows) - 1, index))]

    def device_at(self, x: int, y: int) -> str | None:
        """The device painted at this place of the content."""
        raise NotImplementedError

    def title_at(self, x: int, y: int) -> str | None:
        """The id of the column whose title is at this place."""
        return None

    def on_click(self, event: events.Click) -> None:
        """A title sorts; a click moves the cursor there; a click on the cursor opens."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        column = self.title_at(offset.x, offset.y)
        device = self.device_at(offset.x, offset.y)
        if column:
            self.post_message(self.HeaderClicked(column))
        elif device and device == self.cursor:
            self.action_open()
        elif device:
            self.cursor = device

    def on_mouse_scroll_down(self) -> None:
        """The wheel moves the cursor by three."""
        self.action_move(3)

    def on_mouse_scroll_up(self) -> None:
        """The wheel moves the cursor by three."""
        self.action_move(-3)

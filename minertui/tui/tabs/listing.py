"""A list of lines with a cursor that stays on its item: alerts and the command log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from minertui.tui.widgets.painted import Line, Painted, Span, line


class Listing(Painted, can_focus=True):
    """Items by key, each drawn by the function given; ``head`` is a line on top."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page-down"),
        Binding("home", "edge(0)", "First", show=False, id="list.first"),
        Binding("end", "edge(-1)", "Last", show=False, id="list.last"),
    ]
    DEFAULT_CSS = """
    Listing { height: 1fr; padding: 0 1; }
    """

    class Moved(Message):
        """The cursor is on another item."""

    def __init__(self) -> None:
        super().__init__()
        self.head: Callable[[int], tuple[Span, ...]] = lambda _: ()
        self.items: tuple[tuple[str, Callable[[int], tuple[Span, ...]]], ...] = ()
        self.cursor = ""
        self.top = 0

    def show(
        self,
        items: Sequence[tuple[str, Callable[[int], tuple[Span, ...]]]],
        head: Callable[[int], tuple[Span, ...]],
    ) -> None:
        """Show these items: key and a function from the width to the spans of its line."""
        index = self._index
        self.items, self.head = tuple(items), head
        keys = [key for key, _ in self.items]
        if self.cursor not in keys:
            self.cursor = keys[min(index, len(keys) - 1)] if keys else ""
        self.repaint()

    @property
    def _index(self) -> int:
        return next((n for n, (key, _) in enumerate(self.items) if key == self.cursor), 0)

    def draw(self, width: int, height: int) -> list[Line]:
        """The head, then the items around the cursor."""
        page = max(1, height - 1)
        index = self._index
        self.top = max(0, min(max(self.top, index - page + 1), index, len(self.items) - page))
        lines = [line(*self.head(width), row="head")]
        for key, spans in self.items[self.top : self.top + page]:
            lines.append(line(*spans(width), row="cursor" if key == self.cursor else ""))
        return lines

    def action_move(self, by: int) -> None:
        """Cursor up or down."""
        self._go(self._index + by)

    def action_page(self, by: int) -> None:
        """A page up or down."""
        self._go(self._index + by * max(1, self.size.height - 1))

    def action_edge(self, index: int) -> None:
        """First (0) or last (-1) item."""
        self._go(index % len(self.items) if self.items else 0)

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor there."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y > 0:
            self._go(self.top + offset.y - 1)

    def on_mouse_scroll_down(self) -> None:
        """The wheel moves the cursor by three."""
        self.action_move(3)

    def on_mouse_scroll_up(self) -> None:
        """The wheel moves the cursor by three."""
        self.action_move(-3)

    def _go(self, index: int) -> None:
        if self.items:
            self.cursor = self.items[max(0, min(len(self.items) - 1, index))][0]
            self.repaint()
            self.post_message(self.Moved())

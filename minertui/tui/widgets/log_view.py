"""The lines of a log on the screen: follows the newest, holds still as soon as a person scrolls up, and follows again
when they scroll down to the end."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from minertui.model.alerts import Severity
from minertui.model.events import LogLine
from minertui.tui.widgets.log_ring import LogRing
from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.wording import fit_ends

_INKS = {Severity.INFO: "", Severity.WARNING: "warn", Severity.CRITICAL: "bad"}
_SOURCE = (12, 24)  # cells for the source: a fifth of the line, within these
_STEP = 16


class LogView(Painted, can_focus=True):
    """A window on a LogRing. ``top`` is the number of the first line shown while not following."""

    DEFAULT_CSS = """
    LogView { height: 1fr; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_lines(-1)", "Up", show=False, id="log.up"),
        Binding("down,j", "scroll_lines(1)", "Down", show=False, id="log.down"),
        Binding("pageup", "scroll_pages(-1)", "Page up", show=False, id="log.page-up"),
        Binding("pagedown", "scroll_pages(1)", "Page down", show=False, id="log.page-down"),
        Binding("home", "oldest", "Oldest", show=False, id="log.oldest"),
        Binding("end", "newest", "Newest", show=False, id="log.newest"),
        Binding("left,h", "sideways(-1)", "Left", show=False, id="log.left"),
        Binding("right,l", "sideways(1)", "Right", show=False, id="log.right"),
    ]

    class Scrolled(Message):
        """The window moved, by a person."""

    def __init__(self, ring: LogRing, *, merged: bool = False) -> None:
        super().__init__()
        self.ring = ring
        self.merged = merged
        self.following = True
        self.wrap = False
        self.needle = ""
        self.hit: int | None = None
        self.top = 0
        self.left = 0

    def draw(self, width: int, height: int) -> list[Line]:
        """The lines of the window; a hint when there is none."""
        if not len(self.ring):
            word = "no line passes the filter" if self.ring.total else "nothing said yet"
            return [line((word, "dim"))]
        if self.following:
            shown = self._ending(width, height)
            self.top = self._first_number(width, height)
            return shown
        self.top = max(self.ring.first, min(self.top, self.ring.end - 1))
        out: list[Line] = []
        for number, said in self.ring.some(self.top, height):
            out += self._lines(number, said, width)
        return out[:height]

    def _ending(self, width: int, height: int) -> list[Line]:
        out: list[Line] = []
        for number, said in self.ring.some(self.ring.end - height, height):
            out += self._lines(number, said, width)
        return out[-height:] if height else []

    def _first_number(self, width: int, height: int) -> int:
        room, first = height, self.ring.end
        for number, said in reversed(self.ring.some(self.ring.end - height, height)):
            room -= len(self._lines(number, said, width))
            if room < 0:
                break
            first = number
        return first

    def _lines(self, number: int, said: LogLine, width: int) -> list[Line]:
        head = self._head(said, width)
        room = max(8, width - sum(len(s.text) for s in head))
        row = "cursor" if number == self.hit else ""
        parts = self._parts(said.text, room)
        pad = Span(" " * sum(len(s.text) for s in head))
        ink = _INKS[said.severity]
        return [line(*(head if n == 0 else [pad]), *self._marked(part, ink), row=row) for n, part in enumerate(parts)]

    def _head(self, said: LogLine, width: int) -> list[Span]:
        at = datetime.fromtimestamp(said.at_s, tz=UTC).astimezone()
        spans = [Span(f"{at:%H:%M:%S} ", "dim")]
        if self.merged:
            least, most = _SOURCE
            room = max(least, min(most, width // 5))
            spans.append(Span(fit_ends(said.source, room, ellipsis=self.glyphs.ellipsis) + " ", "accent"))
        spans.append(Span(f"{said.severity.mark:<2} ", _INKS[said.severity]))
        return spans

    def _parts(self, text: str, room: int) -> list[str]:
        if not self.wrap:
            return [text[self.left : self.left + room]]
        return textwrap.wrap(text, room, expand_tabs=False, replace_whitespace=False, break_on_hyphens=False) or [""]

    def _marked(self, text: str, ink: str) -> list[Span]:
        needle, said = self.needle.casefold(), text.casefold()
        if not needle or len(said) != len(text):
            return [Span(text, ink)]
        spans, at = [], 0
        while (found := said.find(needle, at)) >= 0:
            spans += [Span(text[at:found], ink), Span(text[found : found + len(needle)], "match")]
            at = found + len(needle)
        return [*spans, Span(text[at:], ink)]

    # -- moving

    def go(self, number: int, *, down: bool = False) -> None:
        """Hold the window with this line on top, or as far down as it is still full. ``down``: who gets so far wants to
        see what comes."""
        last = self._last
        self.following = down and number >= last
        self.top = max(self.ring.first, min(number, last))
        self.repaint()
        self.post_message(self.Scrolled())

    @property
    def _last(self) -> int:
        """The line on top of the window that ends with the newest."""
        height = max(1, self.size.height)
        last = self._first_number(self.size.width, height) if self.wrap else self.ring.end - height
        return max(self.ring.first, min(last, self.ring.end - 1))

    def show_hit(self, number: int) -> None:
        """Mark a found line and bring it into the window."""
        self.hit = number
        height = max(1, self.size.height)
        inside = self.top <= number < self.top + height and not self.following
        self.go(self.top if inside else number - height // 3)

    def action_scroll_lines(self, by: int) -> None:
        """Lines up or down."""
        self.go(self.top + by, down=by > 0)

    def action_scroll_pages(self, by: int) -> None:
        """Pages up or down."""
        self.action_scroll_lines(by * max(1, self.size.height - 1))

    def action_oldest(self) -> None:
        """The oldest line kept."""
        self.go(self.ring.first)

    def action_newest(self) -> None:
        """The newest line, and follow."""
        self.following = True
        self.repaint()
        self.post_message(self.Scrolled())

    def action_sideways(self, by: int) -> None:
        """Scroll the text to the side."""
        self.left = max(0, self.left + by * _STEP)
        self.repaint()

    def on_mouse_scroll_up(self) -> None:
        """Three lines up."""
        self.action_scroll_lines(-3)

    def on_mouse_scroll_down(self) -> None:
        """Three lines down."""
        self.action_scroll_lines(3)

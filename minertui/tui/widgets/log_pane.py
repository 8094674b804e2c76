"""The log pane, the same everywhere: follow that holds, search, filter, wrap, pause, save; it says what it dropped.

Lines may come much faster than anybody reads: they are kept at once and painted at most four times a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from minertui.model.events import LogLine
from minertui.model.text import path_text
from minertui.tui.widgets.log_ring import KEPT, LogRing
from minertui.tui.widgets.log_view import LogView
from minertui.tui.widgets.painted import Span
from minertui.tui.widgets.status_line import StatusLine

FLUSH_S = 0.25


class LogPane(Widget):
    """A log with everything that belongs to one. ``merged`` shows each line's source."""

    DEFAULT_CSS = """
    LogPane { layout: vertical; height: 1fr; }
    LogPane > Input { display: none; }
    LogPane > StatusLine { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask('search')", "Search", id="log.search"),
        Binding("n", "again(False)", "Next", show=False, id="log.next"),
        Binding("N", "again(True)", "Previous", show=False, id="log.previous"),
        Binding("ampersand", "ask('filter')", "Filter", id="log.filter"),
        Binding("F", "follow", "Follow", id="log.follow"),
        Binding("w", "wrap", "Wrap", id="log.wrap"),
        Binding("p", "pause", "Pause", id="log.pause"),
        Binding("ctrl+s", "ask('save')", "Save", id="log.save"),
        Binding("escape", "dismiss", "Back", show=False, id="log.dismiss"),
    ]

    def __init__(
        self,
        *,
        merged: bool = False,
        kept: int = KEPT,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.ring = LogRing(kept)
        self.view = LogView(self.ring, merged=merged)
        self.line = StatusLine()
        self.prompt = Input(compact=True)
        self._asked = ""
        self._waiting: list[LogLine] | None = None  # lines that came while paused
        self._overrun = 0
        self._note = ""
        self._flush: Timer | None = None

    def compose(self) -> ComposeResult:
        """The lines, the prompt when asked for, and what goes on."""
        yield self.view
        yield self.prompt
        yield self.line

    # -- lines

    def add(self, lines: Sequence[LogLine]) -> None:
        """Keep these lines; they are seen within a quarter of a second."""
        if self._waiting is None:
            self.ring.add(lines)
        else:
            self._waiting += lines
            beyond = max(0, len(self._waiting) - self.ring.kept)
            self._overrun += beyond
            del self._waiting[:beyond]
        if self._flush is None and self.is_mounted:
            self._flush = self.set_timer(FLUSH_S, self._show)

    def clear(self) -> None:
        """Forget all lines."""
        self.ring.clear()
        self._waiting = None if self._waiting is None else []
        self._overrun = 0
        self.view.following, self.view.hit, self.view.top = True, None, 0
        self._show()

    def on_mount(self) -> None:
        """Lines may have come before there was a screen."""
        self._show()

    def on_log_view_scrolled(self) -> None:
        """Following may have ended or begun."""
        self._tell()

    def _show(self) -> None:
        self._flush = None
        self.view.repaint()
        self._tell()

    def _tell(self) -> None:
        state = "following" if self.view.following else f"line {self.view.top - self.ring.first + 1}, End follows"
        word = Span(state, "good" if self.view.following else "warn")
        if self._waiting is not None:
            word = Span(f"paused, {len(self._waiting)} waiting", "warn")
        note = Span(f"  {self._note}" if self._note else "", "strong")
        left = [word, note, Span(f"  {self._lines_text()}", "dim")]
        dropped = self.ring.dropped + self._overrun
        if dropped:
            left.append(Span(f"  {dropped} dropped", "warn"))
        if self.ring.filter.text:
            left += [Span("  filter ", "dim"), Span(self.ring.filter.text, "accent")]
        if self.view.needle:
            left += [Span("  search ", "dim"), Span(self.view.needle, "accent")]
        self.line.show(tuple(left), "wrapped" if self.view.wrap else "")

    def _lines_text(self) -> str:
        shown, total = len(self.ring), self.ring.total
        word = "line" if total == 1 else "lines"
        return f"{total} {word}" if shown == total else f"{shown} of {total} {word}"

    # -- what a person may do

    def action_ask(self, what: str) -> None:
        """Open the prompt for a search, a filter or a file."""
        self._asked, self._note = what, ""
        now = {"search": self.view.needle, "filter": self.ring.filter.text, "save": "~/minertui-log.txt"}[what]
        hint = {"search": "search", "filter": "words a line must have, !word must not", "save": "save to file"}[what]
        self.prompt.value, self.prompt.placeholder = now, hint
        self.prompt.display = True
        self.prompt.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do what was asked for."""
        event.stop()
        self._close_prompt()
        {"search": self.search, "filter": self.narrow, "save": self.save}[self._asked](event.value)

    def _close_prompt(self) -> None:
        self.prompt.display = False
        self.view.focus()

    def search(self, text: str) -> None:
        """Mark this text and go to the newest line that has it."""
        self.view.needle, self.view.hit = text, None
        if text:
            self.action_again(True)
        else:
            self._show()

    def action_again(self, back: bool) -> None:
        """The next or previous line that has the text searched for."""
        needle = self.view.needle
        if not needle:
            self.action_ask("search")
            return
        after = self.view.hit if self.view.hit is not None else self.ring.end
        hit = self.ring.find(needle, after, back=back)
        self._note = "" if hit is not None else f"no line has {needle!r}"
        if hit is not None:
            self.view.show_hit(hit)
        self._show()

    def narrow(self, text: str) -> None:
        """Show only lines that this filter lets through."""
        self.ring.narrow(text)
        self.view.hit, self.view.following = None, True
        self._show()

    def action_follow(self) -> None:
        """Follow the newest line, or hold."""
        self.view.following = not self.view.following
        self._show()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.view.wrap = not self.view.wrap
        self._show()

    def action_pause(self) -> None:
        """Hold new lines back, or let them in."""
        if self._waiting is None:
            self._waiting = []
        else:
            waiting, self._waiting = self._waiting, None
            self.ring.add(waiting)
            self.ring.dropped += self._overrun
            self._overrun = 0
        self._show()

    def action_dismiss(self) -> None:
        """Close the prompt, then end the search, then the filter."""
        if self.prompt.display:
            self._close_prompt()
        elif self.view.needle:
            self.search("")
        elif self.ring.filter.text:
            self.narrow("")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape is the screen's own when there is nothing to end here."""
        if action == "dismiss":
            return bool(self.prompt.display or self.view.needle or self.ring.filter.text)
        return True

    def save(self, name: str) -> None:
        """Write the lines that pass to a new file, one per line, times in UTC."""
        shown = name
        try:
            path = Path(name).expanduser()
            shown = path_text(path.absolute())
            with path.open("x", encoding="utf-8") as file:
                file.writelines(_saved(line) for line in self.ring.everything())
        except FileExistsError:
            self._note = f"{shown} exists, choose another name"
        except (OSError, ValueError, RuntimeError) as error:  # the last: nobody knows that home
            reason = getattr(error, "strerror", None) or error
            self._note = f"{shown} cannot be written: {reason}"
        else:
            self._note = f"{len(self.ring)} {'line' if len(self.ring) == 1 else 'lines'} saved to {shown}"
        self._tell()


def _saved(line: LogLine) -> str:
    at = datetime.fromtimestamp(line.at_s, tz=UTC)
    return f"{at:%Y-%m-%dT%H:%M:%SZ} {line.source} {line.severity.value} {line.text}\n"

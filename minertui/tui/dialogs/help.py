"""Help: the keys of the place a person is in, and what they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from minertui.tui.dialogs.box import Body, Box
from minertui.tui.widgets.lines import Lines
from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.sentences import broken
from minertui.tui.widgets.wording import fit

_NARROW = 66  # cells under which the names of actions have no column of their own


class HelpRow(NamedTuple):
    """A key (empty: a heading), what it does, and its name for the config where it has one."""

    key: str
    meaning: str
    id: str = ""


class HelpRows(Painted):
    """Keys on the left, what they do, their names on the right; a long meaning goes on under its beginning."""

    DEFAULT_CSS = """
    HelpRows { height: auto; }
    """

    def __init__(self, rows: Sequence[HelpRow]) -> None:
        super().__init__()
        self.rows = tuple(rows)

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """All of them."""
        return [made for row in self.rows for made in self._row(row, width)]

    def _row(self, row: HelpRow, width: int) -> Iterator[Line]:
        if not row.key:
            yield from broken([Span(row.meaning, "title")], width)
            return
        keys = max(cell_len(found.key) for found in self.rows) + 2
        names = max(cell_len(found.id) for found in self.rows) if width >= _NARROW else 0
        room = max(1, width - keys - (names + 1 if names and row.id else 0))
        spans = [Span(row.meaning)] if names or not row.id else [Span(f"{row.meaning} "), Span(f"[{row.id}]", "dim")]
        for n, part in enumerate(broken(spans, room)):
            key, name = (row.key, row.id if names else "") if n == 0 else ("", "")
            blank = " " * (room - cell_len(part.text) + 1 if name else 0)
            yield line((fit(key, keys), "head"), *part.spans, blank, (name, "dim"))


class HelpScreen(ModalScreen[None]):
    """What to do here, and with which keys."""

    quiet = True  # toasts wait until it is closed
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen Toast { display: none; }
    HelpScreen Body { margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "close", "Close", id="help.close"),
        Binding("down,j", "scroll(1)", "Down", show=False, id="help.down"),
        Binding("up,k", "scroll(-1)", "Up", show=False, id="help.up"),
        Binding("pagedown,space", "page(1)", "Page down", show=False, id="help.page-down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="help.page-up"),
        Binding("home", "scroll(-9999)", "First", show=False, id="help.first"),
        Binding("end", "scroll(9999)", "Last", show=False, id="help.last"),
    ]

    def __init__(self, title: str, rows: Sequence[HelpRow]) -> None:
        super().__init__()
        self.heading = title
        self.rows = tuple(rows)
        self.body = Body(HelpRows(self.rows))

    def compose(self) -> ComposeResult:
        """Heading, rows, and the way out."""
        with Box():
            yield Lines([line((self.heading, "title"))])
            yield self.body
            yield Lines([line(("arrows scroll, Esc closes", "dim"))])

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)

    def action_scroll(self, by: int) -> None:
        """Lines up or down."""
        self.body.scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        """Pages up or down."""
        self.body.page(by)

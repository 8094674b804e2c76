"""Help: the keys of the place a person is in, and what they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from minertui.tui.dialogs.form import Lines
from minertui.tui.widgets.painted import line
from minertui.tui.widgets.wording import fit


class HelpScreen(ModalScreen[None]):
    """Rows of (key, meaning). A row with an empty key is a heading."""

    quiet = True  # toasts wait until it is closed
    AUTO_FOCUS = "VerticalScroll"
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen > Vertical {
        width: 78; max-width: 100%; height: auto; max-height: 100%;
        padding: 0 1; background: $panel; border: round $accent;
    }
    HelpScreen Toast { display: none; }
    HelpScreen VerticalScroll { height: auto; max-height: 18; margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "close", "Close", id="help.close"),
        Binding("j", "scroll(1)", "Down", show=False, id="help.down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="help.up"),
    ]

    def __init__(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.heading = title
        self.keys = tuple(rows)

    def compose(self) -> ComposeResult:
        """Heading, rows, and the way out."""
        width = max((cell_len(key) for key, _ in self.keys), default=0) + 2
        rows = [
            line((fit(key, width), "head"), meaning) if key else line((meaning, "title")) for key, meaning in self.keys
        ]
        with Vertical():
            yield Lines([line((self.heading, "title"))])
            with VerticalScroll():
                yield Lines(rows)
            yield Lines([line(("arrows scroll, Esc closes", "dim"))])

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)

    def action_scroll(self, by: int) -> None:
        """A line up or down."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

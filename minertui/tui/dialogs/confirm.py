"""May this happen? The exact change stands above the question; what cannot be undone wants the name typed.

No answer has the focus when it opens, and Enter alone answers nothing: it often comes a second time from the form
before, where it meant yes, and held down it must not agree to anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input

from minertui.model.commands import Change
from minertui.tui.dialogs.box import Body, Box
from minertui.tui.dialogs.form import difference
from minertui.tui.dialogs.ordering import Ordering
from minertui.tui.widgets.lines import Lines
from minertui.tui.widgets.painted import Line, line

YES_NO, TYPE_NAME = "yes-no", "type-name"


class ConfirmDialog(Ordering[bool]):
    """Gives True only for a clear yes. ``level``: ``yes-no``, or ``type-name`` where ``name`` must be typed."""

    AUTO_FOCUS = "Input"
    DEFAULT_CSS = """
    ConfirmDialog > Box { width: 70; border: round $warning; }
    ConfirmDialog Body { margin: 1 0 0 0; }
    ConfirmDialog Input { margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(False)", "No", id="confirm.no"),
        Binding("n", "answer(False)", "No", show=False, id="confirm.no-letter"),
        Binding("y", "yes", "Yes", id="confirm.yes"),
        Binding("enter", "undecided", "Neither", show=False, id="confirm.neither"),
        Binding("left,up", "step(-1)", "Previous", show=False, id="confirm.previous"),
        Binding("right,down", "step(1)", "Next", show=False, id="confirm.next"),
    ]

    def __init__(
        self, title: str, changes: Sequence[Change] | Sequence[str], level: str = YES_NO, name: str = ""
    ) -> None:
        super().__init__()
        self.question = title
        self.lines = changes
        self.wanted = name if level == TYPE_NAME else ""
        self.hint = Lines([line(("Enter alone answers nothing: y is yes, n is no.", "warn"))], id="hint")
        self.hint.display = False

    def compose(self) -> ComposeResult:
        """The question, what would happen, and the answers."""
        with Box():
            yield Lines([line((self.question, "title"))])
            with Body():
                yield Lines(_said(self.lines))
            if self.wanted:
                yield Lines([line((f"Type {self.wanted} and press Enter to go on.", "warn"))])
                yield Input(compact=True)
            yield self.hint
            with Horizontal(classes="buttons"):
                yield Button("Yes" if self.wanted else "Yes (y)", id="yes", compact=True, disabled=bool(self.wanted))
                yield Button("No (Esc)" if self.wanted else "No (n, Esc)", id="no", compact=True)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Only the exact name opens the way."""
        event.stop()
        self.enable()

    def enable(self) -> None:
        """Only where the name is typed, and somebody there to be told."""
        typed = self.query_one(Input).value if self.wanted else ""
        self.switch(self.query_one("#yes", Button), on=not self.lost and typed == self.wanted)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter after the name."""
        event.stop()
        if event.value == self.wanted and not self.lost:
            self.dismiss(True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Yes or no."""
        event.stop()
        self.dismiss(event.button.id == "yes")

    def action_undecided(self) -> None:
        """Enter while no answer has the focus: say what answers."""
        self.hint.display = True

    def action_step(self, by: int) -> None:
        """To the answer on that side."""
        if self.focused is None:
            self.query_one("#yes" if by < 0 else "#no", Button).focus()
        elif by < 0:
            self.focus_previous()
        else:
            self.focus_next()

    def action_yes(self) -> None:
        """``y`` is not enough where a name is wanted."""
        if not self.wanted and not self.lost:
            self.dismiss(True)

    def action_answer(self, answer: bool) -> None:
        """Leave with this answer."""
        self.dismiss(answer)


def _said(lines: Sequence[Change] | Sequence[str]) -> list[Line]:
    changes = [(c.setting, c.before, c.after) for c in lines if isinstance(c, Change)]
    said = [text for text in lines if isinstance(text, str)]
    texts = [line((text, "warn" if text.startswith("! ") else "")) for text in said]
    return [*difference(changes), *texts] or [line(("Nothing else changes.", "dim"))]

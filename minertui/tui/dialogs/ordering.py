"""A dialog that orders something. While there is no engine to take the order it says so on its frame and does not
agree; it stays open, so that nothing has to be typed twice. The look that all of them share is here too: a box in the
middle, its buttons in the last lines."""

from __future__ import annotations

from typing import TypeVar

from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

T = TypeVar("T")


class Ordering(ModalScreen[T]):
    """``heed`` tells it whether the engine is away; ``lost`` says so ever after."""

    lost = False
    DEFAULT_CSS = """
    Ordering { align: center middle; background: $background 60%; }
    Ordering > Vertical {
        width: 78; max-width: 100%; height: auto; max-height: 100%;
        padding: 0 1; background: $panel; border: round $accent; border-title-color: $text-accent;
    }
    Ordering .buttons { height: 1; margin: 1 0 0 0; }
    Ordering .buttons Button { margin: 0 2 0 0; }
    Ordering > Vertical.-lost { border: round $error; border-title-color: $text-error; border-title-style: bold; }
    """

    def heed(self, lost: str) -> None:
        """``lost``: why nothing can be ordered, in words for the frame; empty while all is well."""
        for box in self.query("Ordering > Vertical").results(Vertical):
            box.set_class(bool(lost), "-lost")
            box.border_title = Content(lost)
        if self.lost != bool(lost):
            self.lost = bool(lost)
            self.enable()

    def enable(self) -> None:
        """``lost`` changed: switch on or off what agrees."""

    def switch(self, button: Button, *, on: bool) -> None:
        """Switch a button on or off. Textual gives the focus of one that goes off to the button beside it: the next
        Enter would do the opposite of what was meant. Here nothing has it then."""
        if not on and self.focused is button:
            self.set_focus(None)
        button.disabled = not on

"""A dialog that orders something. While there is no engine to take the order it says so on its frame and does not
agree; it stays open, so that nothing has to be typed twice. What all of them share is here too: their look, with the
buttons in the last lines of the box, and the keys that turn the pages of what there is no room for."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button

from minertui.tui.dialogs.box import Body, Box

T = TypeVar("T")


class Ordering(ModalScreen[T]):
    """``heed`` tells it whether the engine is away; ``lost`` says so ever after."""

    lost = False
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-low"), (20, "-high")]  # noqa: RUF012 - Textual's own
    DEFAULT_CSS = """
    Ordering { align: center middle; background: $background 60%; }
    Ordering .buttons { height: 1; margin: 1 0 0 0; }
    Ordering .buttons Button { margin: 0 2 0 0; }
    Ordering.-low Box > * { margin: 0; }
    Ordering > Box.-lost { border: round $error; border-title-color: $text-error; border-title-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page(-1)", "Page up", show=False, id="dialog.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="dialog.page-down"),
    ]

    def heed(self, lost: str) -> None:
        """``lost``: why nothing can be ordered, in words for the frame; empty while all is well."""
        for box in self.query(Box):
            box.set_class(bool(lost), "-lost")
            box.border_title = Content(lost)
        if self.lost != bool(lost):
            self.lost = bool(lost)
            self.enable()

    def set_focus(self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False) -> None:
        """The body follows at once: Textual would glide there, and what is typed meanwhile could not be seen."""
        super().set_focus(widget, scroll_visible=False, from_app_focus=from_app_focus)

    def action_page(self, by: int) -> None:
        """Pages up or down, of the last part that gives way."""
        for body in list(self.query(Body))[-1:]:
            body.page(by)

    def enable(self) -> None:
        """``lost`` changed: switch on or off what agrees."""

    def switch(self, button: Button, *, on: bool) -> None:
        """Switch a button on or off. Textual gives the focus of one that goes off to the button beside it: the next
        Enter would do the opposite of what was meant. Here nothing has it then."""
        if not on and self.focused is button:
            self.set_focus(None)
        button.disabled = not on

"""A dialog that orders something. While there is no engine to take the order it says so on its frame and does not
agree; it stays open, so that nothing has to be typed twice."""

from __future__ import annotations

from typing import TypeVar

from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

T = TypeVar("T")


class Ordering(ModalScreen[T]):
    """``heed`` tells it whether the engine is away; ``lost`` says so ever after."""

    lost = False
    DEFAULT_CSS = """
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

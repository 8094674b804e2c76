"""The last gate before the terminal: nothing but printable text passes, whatever a device, pool or widget said.

No widget of Textual strips escape characters; text is cleaned where it enters the program, and here once more where it
leaves. A character that takes no cell is dropped, any other becomes U+FFFD, so that the line keeps its width.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from minertui.model.text import clean


def printable(text: str) -> str:
    """``text`` with everything that a terminal could act upon taken out, in as many cells as before."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\ufffd" if cell_len(c) else "" for c in text)


def one_line(text: str, max_len: int = 256) -> str:
    """Foreign text for a sentence of our own (a toast, a title): cleaned, and nothing in it is markup."""
    return clean(text, max_len)


class PrintableOnly(LineFilter):
    """Every line of every widget goes through here, after all other filters."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Replaces only segments that need it; control segments are Textual's own."""
        for text, _, control in segments:
            if not (control or text.isprintable()):
                break
        else:
            return segments
        return [s if s.control else Segment(printable(s.text), s.style) for s in segments]


class InTurn(LineFilter):
    """Several filters as one: Textual builds a line anew for each that it knows."""

    def __init__(self, *filters: LineFilter) -> None:
        super().__init__()
        self.filters = filters

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """One after the other."""
        for each in self.filters:
            segments = each.apply(segments, background)
        return segments

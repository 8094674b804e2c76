"""A number to read from across the room."""

from __future__ import annotations

from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.wording import fit

_DIGITS = {
    "0": ("█▀█", "█ █", "▀▀▀"),
    "1": (" ▀█", "  █", "  ▀"),
    "2": ("▀▀█", "█▀▀", "▀▀▀"),
    "3": ("▀▀█", " ▀█", "▀▀▀"),
    "4": ("█ █", "▀▀█", "  ▀"),
    "5": ("█▀▀", "▀▀█", "▀▀▀"),
    "6": ("█▀▀", "█▀█", "▀▀▀"),
    "7": ("▀▀█", "  █", "  ▀"),
    "8": ("█▀█", "█▀█", "▀▀▀"),
    "9": ("█▀█", "▀▀█", "▀▀▀"),
    ".": (" ", " ", "▀"),
    ",": (" ", " ", "▄"),
    "-": ("   ", "▀▀▀", "   "),
    "—": ("   ", "▀▀▀", "   "),
    "%": ("▀ █", " █ ", "▀ ▀"),
    " ": (" ", " ", " "),
}


class BigNumber(Painted):
    """A number three lines high, its unit beside it and a note below; one line where there is no room or only ASCII."""

    DEFAULT_CSS = """
    BigNumber { height: 4; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.text, self.unit, self.note = "—", "", ""

    def show(self, text: str, unit: str, note: str) -> None:
        """Show ``text`` large; ``note`` is a line of small print."""
        self.text, self.unit, self.note = text, unit, note
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """Three lines of digits and the note."""
        rows = ["", "", ""]
        for char in self.text:
            for y, part in enumerate(_DIGITS.get(char, ("?", "?", "?"))):
                rows[y] += part + " "
        large = all(c in _DIGITS for c in self.text) and len(rows[0]) + len(self.unit) <= width
        note = line((fit(self.note, width), "dim"))
        if self.glyphs.ascii or not large or height < 3:
            return [line((self.text, "title"), " ", Span(self.unit, "dim")), note]
        return [line((rows[0], "title")), line((rows[1], "title")), line((rows[2], "title"), (self.unit, "dim")), note]

"""One line of words at the left and at the right: banners, totals, what a pane does right now."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.wording import harmless


class StatusLine(Painted):
    """A line with a left and a right end; where both do not fit the right one goes first, its first parts before the
    last."""

    DEFAULT_CSS = """
    StatusLine { height: 1; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.left: tuple[Span, ...] = ()
        self.right: tuple[Span, ...] = ()

    def show(self, left: str | tuple[Span, ...], right: str | tuple[Span, ...] = "") -> None:
        """Show these; a plain string is in the default style."""
        self.left = (Span(left),) if isinstance(left, str) else left
        self.right = (Span(right, "dim"),) if isinstance(right, str) else right
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """The one line."""
        left = sum(cell_len(s.text) for s in self.left)
        for n in range(len(self.right)):
            right = sum(cell_len(s.text) for s in self.right[n:])
            if left + right + 1 <= width:
                return [line(*self.left, Span(" " * (width - left - right)), *self.right[n:])]
        return [line(*cut(self.left, width, self.glyphs.ellipsis))]


def cut(spans: Sequence[Span], width: int, ellipsis: str) -> list[Span]:
    """As much of these as fits, and an ellipsis where that is not all."""
    if sum(cell_len(span.text) for span in spans) <= width:
        return list(spans)
    room, found = max(0, width - 1), []
    for text, style in spans:
        size = min(room, cell_len(text))
        if size:
            found.append(Span(set_cell_size(harmless(text), size), style))
        room -= size
    return [*found, Span(ellipsis, found[-1].style if found else "")]

"""One line of words at the left and at the right: banners, totals, what a pane does right now."""

from __future__ import annotations

from rich.cells import cell_len

from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.wording import fit


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
        if left <= width:
            return [line(*self.left)]
        room, spans = width, []
        for span in self.left:
            size = min(room, cell_len(span.text))
            spans.append(Span(fit(span.text, size, ellipsis=self.glyphs.ellipsis), span.style))
            room -= size
        return [line(*spans)]

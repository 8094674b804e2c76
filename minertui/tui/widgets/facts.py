"""Facts: names on the left, what they are on the right, in as many columns as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.wording import fit

_LEAST = 34  # cells a fact needs before a second column pays


class Facts(Painted):
    """Pairs of name and value. Values may come from a device: they are text and nothing else."""

    DEFAULT_CSS = """
    Facts { height: auto; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.rows: tuple[tuple[str, str], ...] = ()

    def show(self, rows: Sequence[tuple[str, str]]) -> None:
        """Show these."""
        self.rows = tuple(rows)
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """Column after column, read downwards."""
        if not self.rows:
            return []
        columns = max(1, min(width // _LEAST, 4, len(self.rows)))
        each = width // columns
        names = min(each // 2, max(cell_len(name) for name, _ in self.rows) + 2)
        deep = -(-len(self.rows) // columns)
        lines = []
        for y in range(deep):
            spans: list[Span] = []
            for name, value in self.rows[y::deep]:
                ellipsis = self.glyphs.ellipsis
                spans.append(Span(fit(name, names, ellipsis=ellipsis), "dim"))
                spans.append(Span(fit(value, each - names - 1, ellipsis=ellipsis) + " "))
            lines.append(line(*spans))
        return lines

"""An empty place says what belongs there and how to get it there."""

from __future__ import annotations

from collections.abc import Sequence

from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.sentences import broken
from minertui.tui.widgets.wording import fit


class Teach(Painted):
    """A few lines in the middle: a title, then pairs of key and what it does, or plain sentences."""

    DEFAULT_CSS = """
    Teach { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.rows: tuple[tuple[str, str], ...] = ()

    def show(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Show these."""
        self.title, self.rows = title, tuple(rows)
        self.repaint()

    def show_no_miners(self, readonly: bool) -> None:
        """A fresh install."""
        steps = [
            ("d", "discover miners in your network"),
            ("n", "add one by its address"),
        ]
        seen = [] if readonly else steps
        self.show(
            "No miner yet",
            [
                *seen,
                ("", ""),
                ("minertui demo", "look around on simulated miners first"),
                ("?", "help     q  leave; the engine goes on"),
            ],
        )

    def draw(self, width: int, height: int) -> list[Line]:
        """Centred as a block."""
        keys = max((len(key) for key, _ in self.rows), default=0)
        block = max([len(self.title), *(keys + 3 + len(text) for _, text in self.rows)])
        block = min(block, max(10, width - 2))
        left = " " * max(0, (width - block) // 2)
        lines = [line(left, Span(self.title, "title")), line()]
        for key, text in self.rows:
            for n, part in enumerate(broken([Span(text)], block - keys - 3) or [line()]):
                lines.append(line(left, Span(fit(key if n == 0 else "", keys), "accent"), "   ", *part.spans))
        return [line()] * max(0, (height - len(lines)) // 2) + lines

"""Sentences that must be read to their end: what is wrong and what to do. One line where they fit, else up to three."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells

from minertui.tui.widgets.painted import Line, Span, line
from minertui.tui.widgets.status_line import StatusLine
from minertui.tui.widgets.wording import fit

MOST = 3


class Sentences(StatusLine):
    """As a StatusLine, and where both ends do not fit beside each other they are told one after the other. ``apart``:
    the right end stands behind the left one, or begins a line of its own. ``more``: where the rest is found, said
    behind what is cut all the same."""

    DEFAULT_CSS = """
    Sentences { height: auto; max-height: 3; }
    """

    apart = False
    more = ""

    def draw(self, width: int, height: int) -> list[Line]:
        """One line, or as many as it takes."""
        size = sum(cell_len(span.text) for span in (*self.left, *self.right))
        gap = Span("  " if self.apart else " ")
        if size + bool(self.right) * len(gap.text) <= width:
            return [line(*self.left, gap, *self.right)] if self.apart else super().draw(width, height)
        ends = (self.left, self.right) if self.apart else ((*self.left, gap, *self.right),)
        lines = [part for spans in ends for part in broken(spans, width)]
        if len(lines) <= MOST:
            return lines
        *spans, end = lines[MOST - 1].spans
        where = Span(f" {self.more}" if self.more else "", "accent")
        room = max(0, width - sum(cell_len(span.text) for span in (*spans, where)))
        cut = fit(end.text + " " * room, room, ellipsis=self.glyphs.ellipsis)
        return [*lines[: MOST - 1], line(*spans, Span(cut, end.style), where)]


def broken(spans: Sequence[Span], width: int) -> list[Line]:
    """Spans as lines, broken at blanks, and inside a word that is longer than a line."""
    lines: list[list[Span]] = [[]]
    used = 0
    for word in _words(spans, max(1, width)):
        size = cell_len(word.text.rstrip())
        if used and used + size > width:
            lines.append([])
            used = 0
        if used or word.text.strip():
            lines[-1].append(word)
            used += cell_len(word.text)
    return [line(*found) for found in lines if found]


def _words(spans: Sequence[Span], width: int) -> Iterator[Span]:
    """Each word with the blank behind it."""
    for text, style in spans:
        words = text.split(" ")
        for n, word in enumerate(words):
            *full, rest = chop_cells(word, width) or [""]
            yield from (Span(part, style) for part in full)
            yield Span(rest + " " * (n < len(words) - 1), style)

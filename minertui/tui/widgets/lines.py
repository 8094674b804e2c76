"""Some lines of text, as many as they are: sentences, or what stands in columns."""

from __future__ import annotations

from collections.abc import Sequence

from minertui.tui.widgets.painted import Line, Painted
from minertui.tui.widgets.sentences import broken


class Lines(Painted):
    """Sentences, one line each however long: what is wider than the room breaks at blanks, nothing is cut."""

    DEFAULT_CSS = """
    Lines { height: auto; }
    """

    def __init__(self, lines: Sequence[Line] = (), *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.said: tuple[Line, ...] = tuple(lines)

    def show(self, lines: Sequence[Line]) -> None:
        """Show these."""
        self.said = tuple(lines)
        self.repaint()

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """As given, broken where they must be."""
        return [part for said in self.said for part in (broken(said.spans, width) or [said])]


class Table(Lines):
    """What stands in columns, as given: what is wider than the room is cut."""

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """As given."""
        return self.said

"""A sweep as a map: voltage up, frequency to the right, one cell a point, coloured by how good it is at the goal.

Only points that passed have a colour; the others say by sign why not: ``x`` a limit was touched, ``~`` unstable,
``?`` says nothing (disturbed, or never really there), ``>`` being measured now, ``*`` the best.
"""

from __future__ import annotations

from collections.abc import Sequence

from minertui.model.plans import Goal, PointVerdict, SweepPoint
from minertui.tui.widgets.painted import Line, Painted, Span, heat, line
from minertui.tui.widgets.wording import fit, number, terahash

_LABEL = 6
_NARROWEST, _WIDEST = 6, 12
SIGNS = {
    PointVerdict.UNSTABLE: "~",
    PointVerdict.LIMIT: "x",
    PointVerdict.DISTURBED: "?",
    PointVerdict.NOT_APPLIED: "?",
}
_INKS = {"~": "warn", "x": "bad", "?": "dim"}
_Place = tuple[float, float]  # mV, MHz


class VoltFreqMap(Painted):
    """The map of one sweep."""

    DEFAULT_CSS = """
    VoltFreqMap { height: 1fr; min-height: 5; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.points: tuple[SweepPoint, ...] = ()
        self.goal = Goal.HASHRATE
        self.now: _Place | None = None
        self.best: SweepPoint | None = None
        self.chosen: SweepPoint | None = None

    def show(
        self,
        points: Sequence[SweepPoint],
        goal: Goal,
        *,
        now: tuple[float | None, int | None] = (None, None),
        best: SweepPoint | None = None,
        chosen: SweepPoint | None = None,
    ) -> None:
        """Show these points. ``now``: MHz and mV being measured; ``best`` and ``chosen`` are marked."""
        self.points, self.goal, self.best, self.chosen = tuple(points), goal, best, chosen
        self.now = None if now[0] is None or now[1] is None else (now[1], now[0])
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """Voltages from high to low, frequencies below, the legend last."""
        newest: dict[_Place, SweepPoint] = {(p.mv, p.mhz): p for p in self.points}
        places = [*newest, *([self.now] if self.now else [])]
        if not places:
            return [line(("no point measured yet", "dim"))]
        volts = _around(sorted({mv for mv, _ in places}, reverse=True), max(1, height - 2), self._focus(0))
        freqs = sorted({mhz for _, mhz in places})
        cell = min(_WIDEST, max(_NARROWEST, (width - _LABEL) // len(freqs)))
        freqs = _around(freqs, max(1, (width - _LABEL) // cell), self._focus(1))
        tall = min(3, max(1, (height - 2) // len(volts)))
        lines = []
        for mv in volts:
            for part in range(tall):
                here = part == (tall - 1) // 2
                label = fit(number(mv) if here else "", 4, right=True) + f" {self.glyphs.axis}"
                cells = [self._cell((mv, mhz), newest.get((mv, mhz)), cell, here) for mhz in freqs]
                lines.append(line(Span(label, "dim"), *cells))
        ticks = "".join(fit(number(mhz) + " ", cell, right=True) for mhz in freqs)
        lines.append(line(("mV/MHz"[:_LABEL] + ticks[: width - _LABEL], "dim")))
        return [*lines, self._legend(width)]

    def _focus(self, axis: int) -> float | None:
        if self.chosen:
            return (self.chosen.mv, self.chosen.mhz)[axis]
        return self.now[axis] if self.now else None

    def _cell(self, place: _Place, point: SweepPoint | None, width: int, here: bool) -> Span:
        """A part of a cell; only the one ``here`` carries the text."""
        text, ink = self._said(place, point, width)
        return Span(fit(text, width, right=True) if here else " " * width, ink)

    def _said(self, place: _Place, point: SweepPoint | None, width: int) -> tuple[str, str]:
        if point is None:
            return ("> ", "strong") if place == self.now else (self.glyphs.dot + " ", "faint")
        if not point.passed:
            sign = SIGNS[point.verdict]
            return ("<" if point == self.chosen else "") + sign + " ", _INKS[sign]
        sign = (self.glyphs.best if point == self.best else "") + ("<" if point == self.chosen else "")
        room = 2 if width > _NARROWEST else 1
        return _value(point, self.goal) + fit(sign, room, ellipsis=""), heat(1 - self._share(point), "cell")

    def _share(self, point: SweepPoint) -> float:
        known = [v for p in self.points if p.passed and (v := merit(p, self.goal)) is not None]
        value = merit(point, self.goal)
        if value is None or not known or max(known) == min(known):
            return 1.0
        return (value - min(known)) / (max(known) - min(known))

    def _legend(self, width: int) -> Line:
        word = "TH/s" if self.goal is Goal.HASHRATE else "J/TH"
        scale = [Span(" ", f"cell:{9 - i}") for i in range(10)]
        if self.colourless:  # a scale of ten equal blanks would explain nothing
            scale, word = [], f"{word} where it passed"
        ends = (f"{word} worst ", " best") if scale else (word, "")
        text = f"  {self.glyphs.best} best  x limit  ~ unstable  ? says nothing  > now"
        room = max(0, width - len(scale) - sum(map(len, ends)))
        return line((ends[0], "dim"), *scale, (ends[1], "dim"), (fit(text, room), "dim"))


def merit(point: SweepPoint, goal: Goal) -> float | None:
    """How good a point is at the goal: more is better."""
    if goal is Goal.HASHRATE:
        return point.hashrate_ghs
    return None if point.efficiency_jth is None else -point.efficiency_jth


def _value(point: SweepPoint, goal: Goal) -> str:
    return terahash(point.hashrate_ghs) if goal is Goal.HASHRATE else number(point.efficiency_jth, 1)


def _around(values: list[float], room: int, focus: float | None) -> list[float]:
    if len(values) <= room:
        return values
    at = min(range(len(values)), key=lambda i: abs(values[i] - focus)) if focus is not None else len(values) - 1
    start = max(0, min(at - room // 2, len(values) - room))
    return values[start : start + room]

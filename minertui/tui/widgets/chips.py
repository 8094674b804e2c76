"""Chips: what each ASIC of a board hashes, side by side, and how far the weakest stays behind.

Bars show the newest reading. Who is weak is judged by the mean of the last readings seen, because a single reading of a
chip swings by more than a weak chip lacks.
"""

from __future__ import annotations

from collections import deque

from minertui.model.status import ChipStatus, MinerStatus
from minertui.tui.widgets.painted import Line, Painted, Span, heat, line
from minertui.tui.widgets.wording import count, fit, hashrate, number

_LABEL, _TAIL = 9, 28
WEAK = 0.9
"""Below this share of the mean of all chips a chip is marked."""
_ENOUGH, _KEPT = 6, 24  # readings


class ChipBars(Painted):
    """A bar per chip, scaled to the strongest."""

    DEFAULT_CSS = """
    ChipBars { height: auto; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.status: MinerStatus | None = None
        self.old = False
        self._seen: deque[MinerStatus] = deque(maxlen=_KEPT)

    def show(self, status: MinerStatus | None, *, old: bool = False) -> None:
        """Show the chips of this reading; ``old``: it is the last one, and nothing of now."""
        self.old = old
        before = self.status
        if status is None or before is None or _board(before) != _board(status):
            self._seen.clear()
        if status is not None and status is not before:
            self._seen.append(status)
        self.status = status
        self.repaint()

    def _means(self) -> list[float | None]:
        """Each chip's mean over the readings seen; unknown while these are too few."""
        if self.status is None or len(self._seen) < _ENOUGH:
            return [None for _ in self.status.chips] if self.status else []
        columns = zip(*(status.chips for status in self._seen), strict=True)
        return [_mean([c.hashrate_ghs for c in column if c.hashrate_ghs is not None]) for column in columns]

    def draw(self, width: int, height: int) -> list[Line]:
        """A line per chip, or why there is none."""
        status = self.status
        if status is None or not status.chips:
            return [line(("This miner does not report its chips one by one (AxeOS 2.11 and newer do).", "dim"))]
        rates = [c.hashrate_ghs for c in status.chips if c.hashrate_ghs is not None]
        top = max(rates, default=0.0)
        means = self._means()
        mean = _mean([m for m in means if m is not None])
        shares = [m / mean if m is not None and mean else None for m in means]
        lines = [
            self._chip(n, chip, top, share is not None and share < WEAK, width)
            for n, (chip, share) in enumerate(zip(status.chips, shares, strict=True), 1)
        ]
        known = [share for share in shares if share is not None]
        if len(known) > 1:
            lines.append(line((f"weakest at {number(100 * min(known))} % of the mean", "dim")))
        return lines

    def _chip(self, n: int, chip: ChipStatus, top: float, weak: bool, width: int) -> Line:
        glyphs = self.glyphs
        room = max(4, width - _LABEL - _TAIL)
        rate = chip.hashrate_ghs
        share = (rate or 0.0) / top if top > 0 else 0.0
        full = round(share * room)
        text, unit = hashrate(rate)
        errors = "" if chip.errors is None else f"{count(chip.errors)} err"
        temp = "" if chip.temp_c is None else f"{number(chip.temp_c)}{glyphs.degree}"
        return line(
            Span(fit(f"chip {n}", _LABEL), "dim"),
            Span(glyphs.bar * full, "dim" if self.old else heat(1 - share)),
            Span(glyphs.track * (room - full), "faint"),
            Span(f" {fit(text, 5, right=True)}{'!' if weak else ' '}", "dim" if self.old else "warn" if weak else ""),
            Span(f"{unit:<5}{fit(errors, 9, right=True)} {fit(temp, 5, right=True)}", "dim"),
        )


def _board(status: MinerStatus) -> tuple[str | None, int]:
    return status.mac, len(status.chips)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None

"""Chips: what each ASIC of a board hashes, side by side, and how far the weakest stays behind."""

from __future__ import annotations

from minertui.model.status import ChipStatus, MinerStatus
from minertui.tui.widgets.painted import Line, Painted, Span, heat, line
from minertui.tui.widgets.wording import count, fit, hashrate, number

_LABEL, _TAIL = 9, 28
WEAK = 0.9
"""Below this share of the mean a chip is marked."""


class ChipBars(Painted):
    """A bar per chip, scaled to the strongest."""

    DEFAULT_CSS = """
    ChipBars { height: auto; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.status: MinerStatus | None = None

    def show(self, status: MinerStatus | None) -> None:
        """Show the chips of this reading."""
        self.status = status
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """A line per chip, or why there is none."""
        status = self.status
        if status is None or not status.chips:
            return [line(("This miner does not report its chips one by one (AxeOS 2.11 and newer do).", "dim"))]
        rates = [c.hashrate_ghs for c in status.chips if c.hashrate_ghs is not None]
        top, mean = max(rates, default=0.0), sum(rates) / len(rates) if rates else 0.0
        lines = [self._chip(n, chip, top, mean, width) for n, chip in enumerate(status.chips, 1)]
        if status.chip_balance is not None:
            lines.append(line((f"weakest at {number(100 * status.chip_balance)} % of the mean", "dim")))
        return lines

    def _chip(self, n: int, chip: ChipStatus, top: float, mean: float, width: int) -> Line:
        glyphs = self.glyphs
        room = max(4, width - _LABEL - _TAIL)
        rate = chip.hashrate_ghs
        share = (rate or 0.0) / top if top > 0 else 0.0
        weak = rate is not None and mean > 0 and rate < WEAK * mean
        full = round(share * room)
        text, unit = hashrate(rate)
        errors = "" if chip.errors is None else f"{count(chip.errors)} err"
        temp = "" if chip.temp_c is None else f"{number(chip.temp_c)}{glyphs.degree}"
        return line(
            Span(fit(f"chip {n}", _LABEL), "dim"),
            Span(glyphs.bar * full, heat(1 - share)),
            Span(glyphs.track * (room - full), "faint"),
            Span(f" {fit(text, 5, right=True)}{'!' if weak else ' '}", "warn" if weak else ""),
            Span(f"{unit:<5}{fit(errors, 9, right=True)} {fit(temp, 5, right=True)}", "dim"),
        )

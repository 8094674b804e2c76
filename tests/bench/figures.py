"""How figures are said: a line each, beside its target; a missed target makes the benchmark fail, never a test."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence

from tests.bench.process import machine


class Figures:
    """What was measured so far. ``short`` runs are checks on a busy machine: their targets are shown, not judged."""

    def __init__(self, title: str, *, short: bool) -> None:
        self._short, self._missed = short, 0
        print(f"{title}{' (short)' if short else ''}\n  on {machine()}", flush=True)

    def add(self, what: str, value: float, unit: str, most: float | None = None) -> None:
        """One figure, and the target that it must not pass."""
        verdict = "" if most is None else f"   target ≤ {most:g} {unit}"
        if most is not None and value > most:
            self._missed += 1
            verdict += "  !! missed"
        print(f"  {what:<62} {value:>9.2f} {unit}{verdict}", flush=True)

    def spread(self, what: str, values: Sequence[float], unit: str, most: float | None = None) -> None:
        """Median, 99 of 100 and the worst; the target is for the worst."""
        ordered = sorted(values)
        self.add(f"{what}: median of {len(ordered)}", statistics.median(ordered), unit)
        if len(ordered) >= 100:
            self.add(f"{what}: 99 of 100", ordered[int(0.99 * (len(ordered) - 1))], unit)
        self.add(f"{what}: worst", ordered[-1], unit, most)

    def note(self, text: str) -> None:
        """Something to know about the figures."""
        print(f"  {text}", flush=True)

    def exit_code(self) -> int:
        """1 where a target was missed in a whole run."""
        return 1 if self._missed and not self._short else 0


def must(true: bool, sentence: str) -> None:
    """What has nothing to do with speed: when it does not hold, no figure counts."""
    if not true:
        sys.exit(f"!! {sentence}")

"""Numbers on the command line: each option says its unit, its range and what holds without it, from the same values
that read it. What cannot be meant is one sentence with the range and an example."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from typing import Any, Protocol

UNITS = {
    "ghs": "GH/s",
    "pct": "%",
    "mv": "mV",
    "ma": "mA",
    "mhz": "MHz",
    "w": "W",
    "v": "V",
    "c": "°C",
    "rpm": "rpm",
    "ms": "ms",
    "s": "s",
    "dbm": "dBm",
}
"""The end of a field's name → its unit."""


@dataclass(frozen=True)
class Number:
    """A number from ``low`` to ``high`` (both allowed), in ``unit``; a reader for argparse."""

    low: float
    high: float = math.inf
    unit: str = ""
    example: float = 0
    whole: bool = False

    def __call__(self, text: str) -> float:
        """The number in ``text``. Raises ArgumentTypeError, one sentence."""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._not("no number", text)
        if not self.low <= value <= self.high:
            raise self._not("too low" if value < self.low else "too high", text)
        if self.whole and value % 1:
            raise self._not("no whole number", text)
        return int(value) if self.whole else value

    @property
    def span(self) -> str:
        """``50 to 3000 MHz``."""
        end = " or more" if math.isinf(self.high) else f" to {_plain(self.high)}"
        return f"{_plain(self.low)}{end} {self.unit}".rstrip()

    @property
    def metavar(self) -> str:
        """What stands for the value in a usage."""
        return {"%": "PCT", "°C": "C"}.get(self.unit, self.unit.upper() if self.unit in UNITS.values() else "N")

    def _not(self, what: str, text: str) -> argparse.ArgumentTypeError:
        return argparse.ArgumentTypeError(f"“{text}” is {what}: write {self.span}, such as {_plain(self.example)}")


SPEED = Number(0.1, 1000, example=60)
"""How many times faster a program's time may run, on simulated miners."""
FASTER = "how many times faster time runs, simulated miners only"
PORT = Number(0, 65535, "", 8080, whole=True)
SEED = Number(0, unit="", example=7, whole=True)


class _Taking(Protocol):
    def add_argument(self, *flags: str, **options: Any) -> argparse.Action: ...


def add_number(
    parser: _Taking, *flags: str, number: Number, what: str, default: float | None = None, absent: str = ""
) -> None:
    """The option (or argument) ``flags``. Without it there is its ``default``, or what ``absent`` says in words."""
    given: dict[str, Any] = {} if default is None else {"default": default}
    parser.add_argument(
        *flags, type=number, metavar=number.metavar, help=help_of(what, number, absent or _plain(default)), **given
    )


def help_of(what: str, number: Number, absent: str = "", source: str = "") -> str:
    """The help of an option, as argparse wants it: what it is, its range, where else it may come from (``source``), and
    what holds without it (``absent``)."""
    ends = [source, f"default: {absent}" if absent else ""]
    more = ", ".join(end for end in ends if end)
    return f"{what}, {number.span}{f' ({more})' if more else ''}".replace("%", "%%")


def _plain(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value == int(value) else f"{value:g}"

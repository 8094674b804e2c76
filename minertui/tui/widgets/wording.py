"""Values in the fewest words: what a number, an age or a name looks like on the screen. Unknown is a dash."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from minertui.model.metrics import BY_ID, Metric
from minertui.model.status import MinerStatus
from minertui.model.text import clean

UNKNOWN = "—"
_LONG_PATH = re.compile(r"(?<!\S)/\S{45,}")


@lru_cache(maxsize=4096)
def _cleaned(text: str) -> str:
    return clean(text, len(text))


def harmless(text: str) -> str:
    """``text`` without anything a terminal could take for more than text."""
    return text if text.isascii() and text.isprintable() else _cleaned(text)


def fit(text: str, width: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """``text`` in exactly ``width`` cells; what does not fit is cut and ends in an ellipsis."""
    if width <= 0:
        return ""
    if text.isascii() and text.isprintable():  # nearly always: numbers, and this is asked a thousand times a picture
        size = len(text)
    else:
        text = _cleaned(text)
        size = cell_len(text)
    if size > width:
        return set_cell_size(text, width - 1) + ellipsis
    return " " * (width - size) + text if right else text + " " * (width - size)


def fit_ends(text: str, width: int, *, ellipsis: str = "…") -> str:
    """As ``fit``, cut in the middle: of names that begin alike the end tells them apart."""
    text = harmless(text)
    if cell_len(text) <= width or width < 3:
        return fit(text, width, ellipsis=ellipsis)
    head, tail = set_cell_size(text, width // 2), text
    while cell_len(tail) > width - width // 2 - 1:
        tail = tail[1:]
    return fit(head + ellipsis + tail, width)


def shorter_paths(text: str) -> str:
    """``text`` with every long path cut in its middle: both ends say where it is."""
    return _LONG_PATH.sub(_shorter, text)


def _shorter(path: re.Match[str]) -> str:
    first, last = path[0][:17].rpartition("/")[0], path[0][-28:]
    return f"{first}/...{last[max(0, last.find('/')) :]}"


def some_of(names: Sequence[str], most: int = 3) -> str:
    """``a, b, c and 2 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def whom(names: Sequence[str]) -> str:
    """``attic-1``, or ``5 miners: attic-1, attic-2, attic-3 and 2 more``."""
    return names[0] if len(names) == 1 else f"{len(names)} miners: {some_of(names)}"


def number(value: float | None, digits: int = 0) -> str:
    """``value`` with ``digits`` decimals, or a dash; a whole zero is never ``-0``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if not float(text) else text


def hashrate(ghs: float | None) -> tuple[str, str]:
    """Number and unit of a hashrate: ``("1.21", "TH/s")``."""
    if ghs is None or not math.isfinite(ghs):
        return UNKNOWN, "TH/s"
    for factor, unit in ((1e6, "PH/s"), (1e3, "TH/s")):
        if abs(ghs) >= factor:
            return number(ghs / factor, 2), unit
    return number(ghs, 0), "GH/s"


def terahash(ghs: float | None) -> str:
    """A hashrate in TH/s for a column where all rows have the same unit, in at most six characters."""
    if ghs is None or not math.isfinite(ghs):
        return UNKNOWN
    ths = ghs / 1000
    return number(ths, 2 if ths < 100 else 1 if ths < 1000 else 0)


def count(value: float | None) -> str:
    """A count in at most five characters: ``987``, ``12.3k``, ``4.7M``; larger ones go on to G, T, P and E."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value) < 10_000:
        return number(value)
    for sign in "kMGTPE":
        value /= 1000
        if abs(value) < 999.5:
            return number(value, 1 if abs(value) < 99.95 else 0) + sign
    return number(value) + "E"


def duration(seconds: float | None) -> str:
    """A length of time in two steps at most: ``45s``, ``12m``, ``3h05``, ``2d04h``."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02}h"


def metric_text(metric: Metric, status: MinerStatus | None) -> tuple[str, str]:
    """Number and unit of a metric; hashrates get the unit that suits their size."""
    value = metric.read(status) if status else None
    if metric.unit == "GH/s":
        return hashrate(value)
    if metric.unit == "s":
        return duration(value), ""
    if metric.unit in ("", "shares"):
        return count(value), metric.unit
    return number(value, metric.digits), metric.unit


def metric(metric_id: str) -> Metric:
    """The row of METRICS with this id."""
    return BY_ID[metric_id]

"""A spark: the last hour in as few cells as there are, oldest left, two values a cell. A gap is a blank."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from minertui.tui.widgets.braille import Dots, braille
from minertui.tui.widgets.glyphs import Glyphs

_RANGE = 0.2  # the scale spans at least this share of the highest value, so that noise stays small


def spark(values: Sequence[float | None], width: int, glyphs: Glyphs) -> str:
    """``values`` in ``width`` cells, the newest at the right edge; the scale is the row's own."""
    return _signs(tuple(values), max(0, width), glyphs.ramp if glyphs.ascii else "")


@lru_cache(maxsize=1024)  # a new value comes once a minute, a new picture every second
def _signs(values: tuple[float | None, ...], width: int, ramp: str) -> str:
    thinned = _thin(values, width if ramp else 2 * width)
    known = [v for v in thinned if v is not None]
    if not known:
        return " " * width
    top = max(known)
    floor = max(0.0, min(min(known), top * (1 - _RANGE)))
    shares = [None if v is None else (v - floor) / (top - floor) if top > floor else 0.0 for v in thinned]
    return _letters(shares, width, ramp) if ramp else _dots(shares, width)


def _letters(shares: Sequence[float | None], width: int, ramp: str) -> str:
    return "".join(" " if s is None else ramp[1 + round((len(ramp) - 2) * s)] for s in shares).rjust(width)


def _dots(shares: Sequence[float | None], width: int) -> str:
    dots = Dots(width, 1)
    for x, share in enumerate(shares, 2 * width - len(shares)):
        if share is not None:
            dots.rise(x, 3 - round(3 * share), 3)
    return "".join(braille(dots.bits(x, 0)) for x in range(width))


def _thin(values: Sequence[float | None], width: int) -> list[float | None]:
    if len(values) <= width:
        return list(values)
    out: list[float | None] = []
    for i in range(width):
        part = [v for v in values[i * len(values) // width : (i + 1) * len(values) // width] if v is not None]
        out.append(sum(part) / len(part) if part else None)
    return out

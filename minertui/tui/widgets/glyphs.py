"""The signs that widgets paint with: one set for modern terminals, one of plain ASCII for the rest."""

from __future__ import annotations

import msgspec
from rich.cells import cell_len
from textual.widget import Widget


class Glyphs(msgspec.Struct, frozen=True):
    """One set of signs. ``ramp`` goes from empty to full; ``halves`` is False where a bar cannot end in half a cell."""

    ascii: bool
    good: str
    idle: str
    lost: str
    marked: str
    ramp: str
    bar: str
    half: str
    track: str
    tick: str
    hard: str
    block: str
    up: str
    down: str
    axis: str
    corner: str
    rule: str
    tee: str
    ellipsis: str
    unknown: str
    thumb: str
    best: str
    cross: str
    degree: str
    times: str
    arrow: str
    dot: str


UNICODE = Glyphs(
    ascii=False,
    good="●",
    idle="○",
    lost="✕",
    marked="▌",
    ramp=" ▁▂▃▄▅▆▇█",
    bar="━",
    half="╸",
    track="─",
    tick="┿",
    hard="╋",
    block="■",
    up="▲",
    down="▼",
    axis="│",
    corner="└",
    rule="─",
    tee="┴",
    ellipsis="…",
    unknown="—",
    thumb="┃",
    best="★",
    cross="✕",
    degree="°C",
    times="×",
    arrow="→",
    dot="·",
)

ASCII = Glyphs(
    ascii=True,
    good="o",
    idle=".",
    lost="x",
    marked=">",
    ramp=" .:-=+*%@",
    bar="=",
    half="-",
    track=".",
    tick="|",
    hard="#",
    block="#",
    up="^",
    down="v",
    axis="|",
    corner="+",
    rule="-",
    tee="+",
    ellipsis="~",
    unknown="-",
    thumb="#",
    best="*",
    cross="x",
    degree="C",
    times="x",
    arrow="->",
    dot=".",
)

# every sign becomes one of the same width: columns stay where they are
_PLAIN = str.maketrans("°—–…×·→←−≤≥±┤●○✕★↑↓", " --~x.><-<>~|o.x*^v")


def glyphs_of(widget: Widget) -> Glyphs:
    """The set for the app that the widget lives in: its ``ascii`` says which."""
    return ASCII if getattr(widget.app, "ascii", False) else UNICODE


def plain(text: str) -> str:
    """``text`` for a terminal that knows only ASCII, as wide as before: known signs spelt out, others as ``?``."""
    if text.isascii():
        return text
    return "".join(c if c.isascii() else "?" * cell_len(c) for c in text.translate(_PLAIN))

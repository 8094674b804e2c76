"""Where the time of a board's shares goes, as a bar of signs: each part has its own sign, so no colour is needed."""

from __future__ import annotations

import msgspec

from minertui.model.relay import BoardStats
from minertui.tui.widgets.glyphs import Glyphs
from minertui.tui.widgets.painted import Span
from minertui.tui.widgets.wording import number


class Part(msgspec.Struct, frozen=True):
    """A part of a share's time: its name, its sign (and in ASCII), its ink."""

    name: str
    sign: str
    letter: str
    ink: str


REQUEST = Part("asking", "▒", "r", "accent")
HANDOVER = Part("hand-over", "▚", "h", "second")
CALCULATION = Part("calculation", "█", "C", "good")
POLLING = Part("polling", "▞", "p", "second")
VERDICT = Part("verdict", "░", "v", "accent")
REST = Part("rest", "·", ".", "faint")


def shares_of_time(stats: BoardStats) -> list[tuple[Part, float]]:
    """Each part and its share of the whole, 0..1, in the order of a share's life; nothing before the first share."""
    parts = [
        (REQUEST, stats.request_wait_s),
        (HANDOVER, stats.handover_s),
        (CALCULATION, stats.calc_s),
        (POLLING, max(0.0, stats.turn_s - stats.calc_s)),
        (VERDICT, stats.verdict_wait_s),
    ]
    known = sum(seconds for _, seconds in parts)
    whole = max(stats.share_s + stats.lost_s, known)
    if whole <= 0:
        return []
    return [(part, seconds / whole) for part, seconds in [*parts, (REST, whole - known)]]


def bar(stats: BoardStats, width: int, glyphs: Glyphs) -> list[Span]:
    """The parts side by side in exactly ``width`` cells."""
    shares = shares_of_time(stats)
    if not shares:
        return [Span(" " * width)]
    spans, done, upto = [], 0, 0.0
    for part, share in shares:
        upto += share
        end = width if part is REST else min(width, round(upto * width))
        spans.append(Span((part.letter if glyphs.ascii else part.sign) * (end - done), part.ink))
        done = end
    return spans


def legend(stats: BoardStats, glyphs: Glyphs) -> list[Span]:
    """What the signs mean, and how much of the time each takes."""
    spans = []
    for part, share in shares_of_time(stats):
        if share >= 0.005:
            sign = part.letter if glyphs.ascii else part.sign
            spans += [Span(sign, part.ink), Span(f" {part.name} {number(100 * share)}%  ", "dim")]
    return spans

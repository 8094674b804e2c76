"""Boards of a rig: a line each in the overview, a column each in the statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minertui.model.relay import BoardState, BoardStats, BoardView, stats_total
from minertui.tui.widgets.glyphs import Glyphs
from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.share_time import bar
from minertui.tui.widgets.wording import UNKNOWN, count, fit, number

_BAD = frozenset({BoardState.AWAY, BoardState.STOPPED})
_IDLE = frozenset({BoardState.PAUSED, BoardState.LIMIT})
_LEAST_BAR = 14
GOOD_SHARE = 0.95
"""Below this share of good verdicts something is wrong (the Duino-Coin wallet's own mark)."""
_NAME = 14
# title and cells of each column behind the name; the later ones leave first where there is little room
_COLUMNS = (("state", 8), ("jobs", 6), ("good", 6), ("bad", 5), ("H/s", 5), ("mean", 5), ("ask s", 6), ("wait s", 6),
            ("sh/min", 6), ("busy", 5), ("block", 5), ("retry", 6), ("bus", 5), ("left", 6))  # fmt: skip


def is_poor(stats: BoardStats) -> bool:
    """Too many bad verdicts: a healthy board has next to none."""
    return stats.accepted is not None and stats.accepted < GOOD_SHARE


def state_ink(board: BoardView) -> tuple[str, str]:
    """Mark and ink: a board that does not mine for a reason of its own is bad, one told to rest is only dim."""
    if board.state in _BAD:
        return "!!", "bad"
    if board.state in _IDLE:
        return "", "dim"
    return ("", "good") if board.state.mining else ("!", "warn")


def board_head(width: int) -> tuple[Span, ...]:
    """The titles."""
    chosen, rest = _fitting(width)
    texts = [fit("  board", _NAME + 2)] + [fit(title, size, right=title != "state") for title, size in chosen]
    title = fit("where a share's time goes", rest) if rest else ""
    return (Span(" ".join(texts) + " " + title),)


def board_spans(board: BoardView, glyphs: Glyphs, width: int, *, lost: bool = False) -> tuple[Span, ...]:
    """A board's line; ``lost``: its last words, as nobody hears it any more."""
    if lost:
        return _last_words(board, glyphs, width)
    chosen, rest = _fitting(width)
    mark, ink = state_ink(board)
    stats = board.stats
    texts = {
        "state": board.state.value,
        "jobs": count(stats.jobs),
        "good": count(stats.good),
        "bad": count(stats.bad),
        "H/s": number(board.now_hs),
        "mean": number(stats.mean_hs),
        "ask s": number(stats.request_wait_mean_s, 2),
        "wait s": number(stats.verdict_wait_mean_s, 2),
        "sh/min": number(stats.per_minute, 1),
        "busy": _percent(stats.busy),
        "block": count(stats.block),
        "retry": count(stats.retries),
        "bus": count(stats.bus_errors),
        "left": "" if board.left is None else count(board.left),
    }
    inks = {"state": ink, "bad": "warn" if is_poor(stats) else "", "bus": "warn" if stats.bus_errors else ""}
    spans = [Span(fit(mark, 2), ink), Span(fit(board.name, _NAME, ellipsis=glyphs.ellipsis) + " ", "strong")]
    spans += [
        Span(fit(texts[title], size, right=title != "state") + " ", inks.get(title, "")) for title, size in chosen
    ]
    return (*spans, *(bar(stats, rest, glyphs) if rest else ()))


def _last_words(board: BoardView, glyphs: Glyphs, width: int) -> tuple[Span, ...]:
    spans = board_spans(board, glyphs, width)
    return (Span(fit("!", 2), "warn"), spans[1], *(Span(span.text, "dim") for span in spans[2:]))


def _fitting(width: int) -> tuple[list[tuple[str, int]], int]:
    """The columns that fit, and what is left for the bar (0: too little)."""
    room = width - _NAME - 3
    wanted = [*_COLUMNS[:9]] if room < 128 else [*_COLUMNS]
    chosen = []
    for title, size in wanted:
        if room < size + 1:
            break
        chosen.append((title, size))
        room -= size + 1
    return chosen, room if room >= _LEAST_BAR else 0


def _percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{number(100 * share)}%"


def _seconds(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}" if value < 10 else f"{value:.1f}"


_Row = tuple[str, Callable[[BoardStats], str]]
STATISTICS: tuple[_Row, ...] = (
    ("jobs received", lambda s: count(s.jobs)),
    ("shares good", lambda s: count(s.good)),
    ("shares bad", lambda s: count(s.bad)),
    ("blocks", lambda s: count(s.block)),
    ("accepted", lambda s: _percent(s.accepted)),
    ("shares/min a board", lambda s: number(s.per_minute, 1)),
    ("asking: sum, s", lambda s: _seconds(s.request_wait_s)),
    ("  a job", lambda s: _seconds(s.request_wait_mean_s)),
    ("  in sending", lambda s: _seconds(s.request_send_s)),
    ("verdict: sum, s", lambda s: _seconds(s.verdict_wait_s)),
    ("  a share", lambda s: _seconds(s.verdict_wait_mean_s)),
    ("  in sending", lambda s: _seconds(s.verdict_send_s)),
    ("hand-over a job, s", lambda s: _seconds(s.handover_mean_s)),
    ("calculation: sum, s", lambda s: _seconds(s.calc_s)),
    ("  a job", lambda s: _seconds(s.calc_mean_s)),
    ("a whole share, s", lambda s: _seconds(s.share_mean_s)),
    ("busy calculating", lambda s: _percent(s.busy)),
    ("nonces", lambda s: count(s.nonces)),
    ("  a job", lambda s: number(s.nonces / s.rated) if s.rated else UNKNOWN),
    ("hashes/s a board", lambda s: number(s.mean_hs, 1)),
    ("polls: busy", lambda s: count(s.busy_polls)),
    ("retries", lambda s: count(s.retries)),
    ("bus errors", lambda s: count(s.bus_errors)),
    ("answers wrong", lambda s: count(s.wrong)),
    ("nonce not found", lambda s: count(s.not_found)),
    ("jobs lost", lambda s: count(s.lost)),
    ("connects", lambda s: count(s.connects)),
    ("good, not paid", lambda s: count(s.unpaid)),
)
_LABEL, _CELL = 20, 11
_MEANT = "all boards: counts and sums added; a job, share or board and %: the mean"


class BoardStatistics(Painted):
    """All sums and means, a row each. Columns are all boards together and each alone, those around the chosen one in
    sight."""

    DEFAULT_CSS = """
    BoardStatistics { height: auto; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.boards: tuple[BoardView, ...] = ()
        self.chosen = ""

    def show(self, boards: Sequence[BoardView], chosen: str) -> None:
        """Show these; the chosen one is always in sight."""
        self.boards, self.chosen = tuple(boards), chosen
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """What the first column means, titles, then a line per number."""
        fits = max(1, (width - _LABEL) // _CELL - 1)
        at = next((n for n, board in enumerate(self.boards) if board.name == self.chosen), 0)
        first = max(0, min(at - fits // 2, len(self.boards) - fits))
        shown = self.boards[first : first + fits]
        ellipsis = self.glyphs.ellipsis
        names = [Span(fit("all boards", _CELL - 1, right=True) + " ", "head")]
        names += [
            Span(
                fit(b.name, _CELL - 1, right=True, ellipsis=ellipsis) + " ", "title" if b.name == self.chosen else "dim"
            )
            for b in shown
        ]
        lines = [line(Span(fit(_MEANT, width, ellipsis=ellipsis), "dim")), line(Span(" " * _LABEL), *names)]
        columns = [stats_total([b.stats for b in self.boards]), *(b.stats for b in shown)]
        for title, say in STATISTICS:
            cells = [
                Span(fit(say(stats), _CELL - 1, right=True) + " ", "strong" if n and shown[n - 1].name == self.chosen
                     else "") for n, stats in enumerate(columns)
            ]  # fmt: skip
            lines.append(line(Span(fit(title, _LABEL), "dim"), *cells))
        return lines

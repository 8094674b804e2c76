"""How a board, or the whole rig, did over time: hashrate, where the time of a share went, shares a minute, and more."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.worker import Worker

from minertui.model.errors import MinertuiError
from minertui.model.history import Series
from minertui.model.relay import RelayView
from minertui.model.seams import Link
from minertui.tui.tabs.timespan import Timespan
from minertui.tui.widgets.chart import Chart
from minertui.tui.widgets.painted import Span
from minertui.tui.widgets.status_line import StatusLine
from minertui.tui.words import moment_text

CHARTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Hashrate", "of a board in the mean", ("board_hs",)),
    ("A share's time", "in the mean", ("calc_ms", "request_ms", "verdict_ms")),
    ("Shares", "of all boards", ("shares_min",)),
    ("Hand-over and polling", "in the mean", ("handover_ms", "polling_ms")),
    ("Errors", "of all boards", ("board_errors",)),
    ("Temperature", "", ("board_temp_c",)),
    ("Earned", "", ("duco_day",)),
)
"""Title, what is added to it for a whole rig (one chart is a mean, another a sum), and metrics."""
_BOARDS_ONLY, _RIGS_ONLY = frozenset({"board_temp_c"}), frozenset({"duco_day"})
_POINTS = 300


class RigCharts(VerticalScroll):
    """``whose``: the rig, or ``rig/board``. It reads history when what is shown changes, and as often as a dot can
    move."""

    DEFAULT_CSS = """
    RigCharts Chart { height: 9; min-height: 9; }
    """

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self.rig = self.whose = ""
        self.span_ = Timespan()
        self.series: Series | None = None
        self.trouble = ""
        self._lost = ""
        self._read_s = 0.0  # rig's time when history was asked for; 0: not for what is shown now
        self._asked: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Whose, and the charts."""
        self.head = StatusLine()
        self.charts = [Chart() for _ in CHARTS]
        yield self.head
        yield from self.charts

    def next(self, view: RelayView, chosen: str) -> None:
        """From the whole rig to the chosen board, then board by board, then back to the rig."""
        names = [f"{self.rig}/{board.name}" for board in view.boards]
        if self.whose == self.rig:
            self.whose = f"{self.rig}/{chosen}" if f"{self.rig}/{chosen}" in names else self.whose
        else:
            order = [*names[names.index(self.whose) :], *names] if self.whose in names else [self.rig]
            first = f"{self.rig}/{chosen}" if chosen else names[0]
            self.whose = self.rig if len(order) < 2 or order[1] == first else order[1]

    def show(self, rig: str, now_s: float, lost: str = "") -> None:
        """Draw; read anew when a dot could have moved. ``lost``: why nothing can be read now; it is when it can."""
        if rig != self.rig:
            self.rig = self.whose = rig
        self._lost = lost
        asked = (self.whose, self.span_)
        moves = self.span_.live or self.trouble  # what failed is tried again
        due = moves and now_s - self._read_s >= max(2.0, self.span_.length_s / _POINTS)
        if asked != self._asked:
            self.series, self.trouble, self._asked, self._read_s = None, "", asked, 0.0
        if (due or not self._read_s) and not lost:
            self._read_s = now_s
            _: Worker[None] = self.run_worker(partial(self._read, self.whose, now_s), exclusive=True, group="history")
        self._draw(now_s)

    async def _read(self, whose: str, now_s: float) -> None:
        metrics = [metric for *_, ids in CHARTS for metric in ids]
        try:
            series = await self._link.history(whose, metrics, *self.span_.bounds(now_s), _POINTS)
        except MinertuiError as error:
            self.trouble = str(error)
            self._draw(now_s)
            return
        self.trouble = ""
        if whose == self.whose:
            self.series = series
            self._draw(now_s)

    def _draw(self, now_s: float) -> None:
        board = self.whose.partition("/")[2]
        until = "" if self.span_.live else f" up to {moment_text(self.span_.bounds(now_s)[1], now_s)}, 0 = now"
        told: tuple[Span, ...] = (Span(f"{board or 'whole rig'}  ", "title"), Span(f"{self.span_.title}{until}", "dim"))
        if self.trouble:
            told = (*told, Span(f"  ! {self.trouble}", "warn"))
        self.head.show(told, (Span("v: the next board, o: overview", "dim"),))
        for chart, (title, of_rig, metrics) in zip(self.charts, CHARTS, strict=True):
            chart.display = self._wanted(frozenset(metrics), bool(board))
            told_of = title if board or not of_rig else f"{title} {of_rig}"
            chart.show(self.series, metrics, told_of, gone=self._lost or self.trouble)

    def _wanted(self, metrics: frozenset[str], board: bool) -> bool:
        """Temperatures where a board tells them, earnings of the whole rig."""
        if metrics & _BOARDS_ONLY:
            return board and self.series is not None and any(v is not None for v in self.series.mean["board_temp_c"])
        return not (board and metrics & _RIGS_ONLY)

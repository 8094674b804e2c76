"""A Duino-Coin rig: its boards line by line, where the time of their shares goes, and why it earns what it earns."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from minertui.model.plans import JobState
from minertui.model.relay import BoardView, RelayView, stats_total
from minertui.model.seams import Link
from minertui.tui.feed import Feed, Picture
from minertui.tui.screens.bars import lost_since
from minertui.tui.tabs.listing import Listing
from minertui.tui.tabs.pane import Pane
from minertui.tui.tabs.rig_account import RigAccount
from minertui.tui.tabs.rig_charts import RigCharts
from minertui.tui.tabs.teach import Teach
from minertui.tui.tabs.timespan import Timespan
from minertui.tui.widgets.boards import BoardStatistics, board_head, board_spans
from minertui.tui.widgets.glyphs import glyphs_of
from minertui.tui.widgets.lines import Table
from minertui.tui.widgets.painted import Line, Span, line
from minertui.tui.widgets.rig_lines import last_words, summary
from minertui.tui.widgets.sentences import broken
from minertui.tui.widgets.share_time import bar, legend
from minertui.tui.widgets.status_line import StatusLine
from minertui.tui.widgets.wording import UNKNOWN, number
from minertui.tui.words import clock_text, moment_text

_ROOMY = 30  # lines from which what costs money is told above the other facets as well
_TALL = 48  # lines from which the board under the cursor is told below the statistics as well


class RigPane(Pane):
    """The shared view of rigs."""

    place = "rig"
    DEFAULT_CSS = """
    RigPane #title { padding: 0 1; }
    RigPane #rig-words { padding: 0 1; max-height: 6; }
    RigPane #rig-board { padding: 0 1; max-height: 11; background: $surface; }
    RigPane VerticalScroll { height: 1fr; padding: 0 1; }
    """

    def __init__(self, link: Link, feed: Feed) -> None:
        super().__init__(link, feed)
        self.rig = ""
        self.facet = "boards"  # or statistics, charts, account

    def compose(self) -> ComposeResult:
        """The rig, what costs money, boards or statistics, the board under the cursor."""
        self.title_line, self.words, self.teach = StatusLine(id="title"), Table(id="rig-words"), Teach()
        self.list, self.statistics, self.detail = Listing(), BoardStatistics(), Table(id="rig-board")
        self.scroll = VerticalScroll(self.statistics)
        self.charts, self.account = RigCharts(self.link), RigAccount()
        yield from (self.title_line, self.words, self.teach, self.list, self.scroll, self.charts, self.account,
                    self.detail)  # fmt: skip

    def open(self, name: str) -> None:
        """Show another rig."""
        self.rig = name

    def enter(self) -> None:
        """Keys go to the boards, or scroll what is shown instead."""
        self._shown.focus()

    def on_resize(self) -> None:
        """Other lines."""
        self.show(self.picture)

    @property
    def devices(self) -> tuple[str, ...]:
        """The rig."""
        return (self.rig,) if self.rig else ()

    @property
    def job(self) -> JobState | None:
        """Its relay, running or ended."""
        return self.picture.fleet.jobs.get(f"relay:{self.rig}")

    @property
    def view(self) -> RelayView | None:
        """How it goes."""
        job = self.job
        return job.view if job is not None and isinstance(job.view, RelayView) else None

    @property
    def board(self) -> BoardView | None:
        """The one under the cursor."""
        boards = self.view.boards if self.view else ()
        return next((board for board in boards if board.name == self.list.cursor), None)

    @property
    def _unheard_since(self) -> str:
        """When the engine was heard last, while it is away from a rig that ran; else empty."""
        picture, job = self.picture, self.job
        away = picture.lost and job is not None and not job.phase.over
        return clock_text(picture.lost_s) if away else ""

    @property
    def _shown(self) -> Listing | VerticalScroll:
        shown: dict[str, Listing | VerticalScroll] = {
            "statistics": self.scroll, "charts": self.charts, "account": self.account
        }  # fmt: skip
        return shown.get(self.facet, self.list)

    def turn(self, facet: str) -> None:
        """Show ``boards``, ``statistics``, ``charts`` or ``account``; charts again: those of the next board."""
        if facet == self.facet == "charts" and self.view is not None:
            self.charts.next(self.view, self.list.cursor)
        self.facet = facet
        self.show(self.picture)
        self.enter()

    def back(self) -> bool:
        """To the overview."""
        if self.facet == "boards":
            return False
        self.turn("boards")
        return True

    def span(self, by: int) -> None:
        """A longer or shorter stretch of time in the charts."""
        self._time(self.charts.span_.longer(by))

    def scroll_time(self, by: int) -> None:
        """Earlier or later."""
        self._time(self.charts.span_.moved(by))

    def back_to_now(self) -> None:
        """Follow the present."""
        self._time(self.charts.span_.now())

    def _time(self, span: Timespan) -> None:
        self.charts.span_ = span
        if self.facet != "charts":
            self.facet = "charts"
            self.enter()
        self.show(self.picture)

    def sort(self) -> None:
        """Another order of the account's miners."""
        self.account.next_order()
        self.turn("account")

    def show(self, picture: Picture) -> None:
        """Draw this picture."""
        super().show(picture)
        job, view = self.job, self.view
        if job is None or view is None or not self.ready:
            return
        glyphs = glyphs_of(self)
        self.teach.display = not view.boards
        for part in (self.list, self.scroll, self.charts, self.account):
            part.display = bool(view.boards) and part is self._shown
        self.teach.show(f"{self.rig} has no board yet", [("s", "start the rig"), ("", job.note)])
        lost = bool(picture.lost) and not job.phase.over
        told_of = last_words if lost else summary
        self.title_line.show((Span(f"{self.rig}  ", "title"), *told_of(job, view)))
        width = max(20, self.app.size.width - 4)
        words = [found for text in view.words for found in broken([Span(f"! {text}", "warn")], width)]
        told = [] if job.phase.over else [text for text in (job.note, _where(view)) if text]
        note = [found for text in told for found in broken([Span(text, "dim")], width)]
        self.words.display = self.facet == "boards" or self.size.height >= _ROOMY
        self.words.show([*note, *_balance(view, width), *words])
        items = [(board.name, partial(board_spans, board, glyphs, lost=lost)) for board in view.boards]
        self.list.show(items, board_head)
        self.statistics.show(view.boards, self.list.cursor)
        if self.facet == "charts":
            gone = f"engine lost{lost_since(picture)}" if picture.lost else ""
            self.charts.show(self.rig, picture.lost_s if picture.lost else picture.fleet.at_s, gone)
        if self.facet == "account":
            self.account.show(view, picture.fleet.at_s)
        self._tell(view, width)

    def on_listing_moved(self) -> None:
        """Another board is under the cursor."""
        if self.view is not None:
            self._tell(self.view, max(20, self.app.size.width - 4))

    def _tell(self, view: RelayView, width: int) -> None:
        board, glyphs = self.board, glyphs_of(self)
        all_ = stats_total([b.stats for b in view.boards])
        lines = [line(Span("all boards  ", "dim"), *bar(all_, max(10, width - 14), glyphs))] if view.boards else []
        if board is not None:
            name = Span(f"{board.name:<11.11} ", "strong")
            lines.append(line(name, *bar(board.stats, max(10, width - 14), glyphs)))
            lines.append(line(*legend(board.stats, glyphs)))
            said = _said(board, self.picture.fleet.at_s, self._unheard_since)
            lines += [found for text in said for found in broken([Span(*text)], width)]
        self.detail.display = self.facet == "boards" or self.size.height >= _TALL
        self.detail.show(lines)


def _where(view: RelayView) -> str:
    kolka = "" if view.kolka is None else f", each is paid {number(100 * view.kolka)} % (kolka)"
    return f"pool {view.pool or UNKNOWN}, {view.workers} of {view.plan.worker_limit} workers{kolka}"


def _balance(view: RelayView, width: int) -> list[Line]:
    """As much of it as there is room for."""
    if not view.balance:
        return []
    row = view.balance[-1]
    minute = UNKNOWN if row.minute_mduco is None else f"{row.minute_mduco:+.3f} mDUCO"
    spans = [
        Span(f"balance {row.balance:.6f} DUCO", "strong"),
        Span(f"  last minute {minute}, a day ", "dim"),
        Span(f"{number(row.per_day, 2)} DUCO", "accent"),
        Span(f", smoothed {number(row.smooth_per_day, 2)}", "dim"),
        Span(f", since the start {row.total_mduco:+.1f} mDUCO", "dim"),
    ]
    while len(spans) > 1 and sum(len(span.text) for span in spans) > width:
        spans.pop()
    return [line(*spans)]


def _said(board: BoardView, now_s: float, unheard_since: str) -> list[tuple[str, str]]:
    """What is known of a board, in sentences."""
    facts = [
        f"{board.state.value}: {board.state.name.lower()}" if len(board.state.value) == 1 else "",
        board.plan.at,
        board.what or (board.dialect.value if board.dialect else "kind not known yet"),
        f"id {board.chip}" if board.chip else "",
        "simulated" if board.simulated else "",
        f"worker {board.worker}" if board.worker else "",
        f"difficulty {board.difficulty}" if board.difficulty is not None else "",
        f"{number(board.temp_c)} °C" if board.temp_c is not None else "",
        board.pool,
    ]
    said = [(", ".join(fact for fact in facts if fact), "dim")]
    if unheard_since:
        said.insert(0, (f"! as it was at {unheard_since}; the engine does not answer", "warn"))
    if board.why:
        said.append((f"! {board.why}", "warn"))
    if board.last is not None:
        last = board.last
        text = f"last share {moment_text(last.at_s, now_s)}: {last.verdict}, nonce {last.nonce}, {last.calc_s:.2f} s"
        said.append((f"{text}, asked {last.request_wait_s:.2f} s, verdict after {last.verdict_wait_s:.2f} s", ""))
    return said + [(f"! {text}", "warn") for text in board.words]

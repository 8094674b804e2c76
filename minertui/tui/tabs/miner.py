"""One miner in full: how it is now, how it was, how it is set, what runs on it, what it says.

There is one of these panes for all miners; ``device`` says whose it shows. While it is in front, it asks the engine to
keep the miner's log stream open (a lease, renewed every 30 s) and reads history as often as a chart can change.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.timer import Timer

from minertui.model.alerts import Severity
from minertui.model.errors import MinertuiError
from minertui.model.events import LogLine
from minertui.model.fleet import Health, Snapshot
from minertui.model.history import Series
from minertui.model.seams import Link
from minertui.model.status import Ability
from minertui.tui.feed import Feed, Picture
from minertui.tui.screens.bars import lost_since
from minertui.tui.tabs import miner_facts
from minertui.tui.tabs.log import LogTail
from minertui.tui.tabs.pane import Pane
from minertui.tui.tabs.timespan import Timespan
from minertui.tui.widgets.big_number import BigNumber
from minertui.tui.widgets.chart import Chart
from minertui.tui.widgets.chips import ChipBars
from minertui.tui.widgets.facts import Facts
from minertui.tui.widgets.gauge import Gauges
from minertui.tui.widgets.glyphs import glyphs_of
from minertui.tui.widgets.log_pane import LogPane
from minertui.tui.widgets.painted import Span
from minertui.tui.widgets.sentences import Sentences
from minertui.tui.widgets.standing import age_text, standing
from minertui.tui.widgets.wording import hashrate, number
from minertui.tui.words import moment_text

GAUGES = ("chip_temp_c", "vr_temp_c", "power_w", "efficiency_jth", "input_mv", "fan_pct", "error_pct", "rejected_pct")
CHARTS = (("Hashrate", ("hashrate_ghs", "expected_ghs")), ("Temperature", ("chip_temp_c", "vr_temp_c")),
          ("Power", ("power_w",)))  # fmt: skip
LEASE_S = 30.0
_POINTS = 400
_MID, _HUGE = 100, 170  # columns from which charts, and then the words, stand beside the gauges
_TALL = 33  # lines from which all of it is seen without scrolling


class MinerPane(Pane):
    """The shared detail view."""

    place = "miner"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_as('down')", "Down", show=False, id="miner.down"),
        Binding("k", "scroll_as('up')", "Up", show=False, id="miner.up"),
    ]

    def __init__(self, link: Link, feed: Feed) -> None:
        super().__init__(link, feed)
        self.device = ""
        self.span_ = Timespan()
        self._series: Series | None = None
        self._trouble = ""  # why history could not be read
        self._read_s = 0.0  # fleet's time when it was asked for; 0: not for what is shown now
        self._tail: LogTail | None = None
        self._lease: Timer | None = None

    def compose(self) -> ComposeResult:
        """Now, charts, words, log; how they stand beside each other depends on the width."""
        self.title_line, self.big, self.gauges, self.chips = Sentences(id="title"), BigNumber(), Gauges(), ChipBars()
        self.charts = [Chart() for _ in CHARTS]
        self.now = VerticalScroll(id="now", classes="section")
        self.charted = Vertical(id="charts", classes="section")
        self.facts = {name: Facts() for name in ("jobs", "settings", "pool", "identity")}
        self.log_pane = LogPane()
        yield self.title_line
        with VerticalScroll(id="sections"):
            with self.now:
                yield self.big
                yield self.gauges
                yield self.chips
            with self.charted:
                yield from self.charts
            with VerticalScroll(id="words", classes="section"):
                yield from self.facts.values()
            with Vertical(id="said", classes="section"):
                yield self.log_pane

    def on_mount(self) -> None:
        """Names of the sections."""
        titles = {"now": "now", "words": "settings, pool, device", "said": "log"}
        for name, title in titles.items():
            for section in self.query(f"#{name}"):  # none, where the screen is left in the instant it is opened
                section.border_title = Content(title)

    def on_resize(self, event: Resize) -> None:
        """Which arrangement fits."""
        self.set_class(event.size.width >= _MID, "-mid")
        self.set_class(event.size.width >= _HUGE and event.size.height >= _TALL, "-huge")
        self.set_class(event.size.height < _TALL, "-short")

    # which miner, and while it is looked at

    @property
    def snapshot(self) -> Snapshot:
        """The newest of the miner shown; an empty one when it left the fleet."""
        return self.picture.fleet.snapshots.get(self.device) or Snapshot(device=self.device, why="not in the config")

    @property
    def devices(self) -> tuple[str, ...]:
        """The one shown."""
        return (self.device,) if self.device in self.picture.fleet.snapshots else ()

    def open(self, device: str) -> None:
        """Show another miner; the charts start anew, the span stays."""
        if device != self.device:
            self.leave()
            self.device, self._series, self._trouble, self._read_s = device, None, "", 0.0
            self.span_ = self.span_.now()
            self.log_pane.clear()
            self._tail = None

    def enter(self) -> None:
        """Keys go to the first section (what it cannot scroll, all of them do); the log stream is asked for."""
        self.now.focus()
        if self._lease is None:
            self._lease = self.set_interval(LEASE_S, self._follow)
            self._follow()
            if self._tail is None:
                self.begin(self._read_log, "miner-log")

    def action_scroll_as(self, key: str) -> None:
        """As the arrow of that name."""
        self.app.simulate_key(key)

    def leave(self) -> None:
        """The log stream is not needed any more."""
        if self._lease is not None:
            self._lease.stop()
            self._lease = None
            self.begin(partial(self._ask_follow, self.device, on=False), "follow", exclusive=False)

    def on_unmount(self) -> None:
        """The lease ends by itself after a minute; its timer ends here."""
        if self._lease is not None:
            self._lease.stop()

    def _follow(self) -> None:
        status = self.snapshot.status
        if status is not None and Ability.LOG in status.abilities:
            self.begin(partial(self._ask_follow, self.device, on=True), "follow", exclusive=False)

    async def _ask_follow(self, device: str, *, on: bool) -> None:
        try:
            await self.link.follow(device, on)
        except MinertuiError:  # the banner says when the engine is away; without a stream the log just stands still
            return

    async def _read_log(self) -> None:
        tail = LogTail(self.feed)
        device = self.device
        try:
            lines = await self.link.log(device)
        except MinertuiError as error:
            lines = [LogLine("minertui", str(error), self.picture.fleet.at_s, Severity.WARNING)]
        if device == self.device:
            self.log_pane.add(tail.after(lines))
            self._tail = tail

    # time

    def span(self, by: int) -> None:
        """A longer or shorter stretch of time."""
        self._show_time(self.span_.longer(by))

    def scroll_time(self, by: int) -> None:
        """Earlier or later."""
        self._show_time(self.span_.moved(by))

    def back_to_now(self) -> None:
        """Follow the present."""
        self._show_time(self.span_.now())

    def _show_time(self, span: Timespan) -> None:
        if span != self.span_:
            self.span_ = span
            self._series = None
            self._ask_history()
            self._draw()

    def _ask_history(self) -> None:
        """Of an engine that is away, when it is back."""
        self._read_s = 0.0
        if self.device and self.picture.first and not self.picture.lost:
            self._read_s = self.picture.fleet.at_s
            self.begin(self._read_history, "history")

    async def _read_history(self) -> None:
        device, since_until = self.device, self.span_.bounds(self.picture.fleet.at_s)
        metrics = [metric for _, ids in CHARTS for metric in ids]
        try:
            series = await self.link.history(device, metrics, *since_until, _POINTS)
        except MinertuiError as error:
            self._trouble = str(error)
            self.notify(str(error), severity="warning", markup=False)
        else:
            self._trouble = ""
            if device == self.device:
                self._series = series
        self._draw_charts()

    @property
    def _stale_after_s(self) -> float:
        """A chart of this length moves by a dot in this time."""
        return max(2.0, self.span_.length_s / _POINTS)

    # drawing

    def show(self, picture: Picture) -> None:
        """Draw everything; read history anew when a dot could have moved."""
        super().show(picture)
        moves = self.span_.live or self._trouble  # what failed is tried again
        due = self._read_s == 0 or (moves and picture.fleet.at_s - self._read_s >= self._stale_after_s)
        if due and not picture.lost:
            self._ask_history()
        if self._tail is not None:
            jobs = {job.id for job in picture.fleet.jobs_of(self.device)}
            new = [x for x in self._tail.new() if x.source in (self.device, "minertui") or x.source in jobs]
            if new:
                self.log_pane.add(new)
        self._draw()

    def _draw(self) -> None:
        snapshot, status = self.snapshot, self.snapshot.status
        text, unit = hashrate(status.hashrate_ghs if status else None)
        self._draw_title()
        self.big.show(text, unit, self._note())
        self.gauges.show(snapshot, GAUGES)
        self.chips.show(status, old=snapshot.health is not Health.OK)
        self.chips.display = bool(status and status.chips)
        jobs = self.picture.fleet.jobs_of(self.device)
        rows = {
            "jobs": miner_facts.jobs(jobs),
            "settings": miner_facts.settings(snapshot),
            "pool": miner_facts.pool(snapshot),
            "identity": miner_facts.identity(snapshot),
        }
        for name, facts in self.facts.items():
            facts.display = bool(rows[name])
            facts.show(rows[name])
        self._draw_charts()

    def _draw_title(self) -> None:
        snapshot = self.snapshot
        sign, word, ink = standing(snapshot, glyphs_of(self))
        trouble = miner_facts.trouble(snapshot)
        since = f" since {moment_text(snapshot.since_s, self.picture.fleet.at_s)}" if trouble else ""
        left = (
            Span(f"{snapshot.device} ", "title"),
            Span(f"{sign} {word}", ink),
            Span(f"{since}: {trouble}" if trouble else "", ink),
        )
        age = age_text(snapshot, self.picture.fleet.at_s)
        self.title_line.show(left, (Span(f"reading {age}", "dim"),))

    def _note(self) -> str:
        status = self.snapshot.status
        snapshot = self.snapshot
        if status is None:
            return "no reading yet"
        if snapshot.health is not Health.OK:
            return f"as it was at {moment_text(snapshot.at_s, self.picture.fleet.at_s)}"
        of = "" if status.ratio is None else f"{number(100 * status.ratio, 1)} % of expected"
        hour = "" if status.hashrate_1h_ghs is None else f", hour {' '.join(hashrate(status.hashrate_1h_ghs))}"
        return f"{of}{hour}".lstrip(", ")

    def _draw_charts(self) -> None:
        span = self.span_
        title = f"charts: {span.title}"
        if not span.live:
            title += f" up to {moment_text(span.bounds(self.picture.fleet.at_s)[1], self.picture.fleet.at_s)}, 0 = now"
        self.charted.border_title = Content(title)
        gone = f"engine lost{lost_since(self.picture)}" if self.picture.lost else self._trouble
        for chart, (name, metrics) in zip(self.charts, CHARTS, strict=True):
            chart.show(self._series, metrics, name, gone=gone)

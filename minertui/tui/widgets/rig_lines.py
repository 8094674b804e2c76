"""Rigs in words: a line each for the fleet, and the lines on top of a rig's own tab."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.message import Message

from minertui.model.plans import JobState, Phase
from minertui.model.relay import KeyCheck, RelayView, hashrate_sum, stats_total
from minertui.tui.widgets.boards import is_poor
from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.status_line import cut
from minertui.tui.widgets.wording import count, fit, number

INKS = {Phase.RUNNING: "good", Phase.FAILED: "bad", Phase.PARKED: "bad"}
_KEYS = {KeyCheck.WRONG: ("!! wrong mining key", "bad"), KeyCheck.UNCHECKED: ("mining key not checked yet", "warn")}


def last_words(job: JobState, view: RelayView) -> list[Span]:
    """The summary of a rig whose engine is away: nothing in it is of now."""
    if job.phase.over:
        return summary(job, view)
    return [Span("! as it was: ", "warn"), *(Span(span.text, "dim") for span in summary(job, view))]


def summary(job: JobState, view: RelayView) -> list[Span]:
    """State, boards, pace and yield of a rig; of one that does not run, the state alone."""
    if job.phase.over:
        note = "" if job.note == job.phase.value else f"  {job.note}"
        return [Span(job.phase.value, INKS.get(job.phase, "dim")), Span(note, "dim")]
    mining = view.mining
    sums = stats_total([board.stats for board in view.boards])
    pace = [board.stats.per_minute for board in mining]
    boards = f"{len(mining)} of {len(view.boards)} boards"
    spans = [Span(fit(job.phase.value, 9), INKS.get(job.phase, "dim")), Span(boards)]
    spans.append(Span(f"  {number(view.now_hs)} H/s", "strong"))
    spans.append(Span(f"  {number(sum(p for p in pace if p), 1)} shares/min"))
    spans.append(Span(f"  {count(sums.good)} good {count(sums.bad)} bad", "warn" if is_poor(sums) else "dim"))
    day = view.balance[-1].smooth_per_day if view.balance else None
    spans.append(Span(f"  {number(day, 2)} DUCO/day", "accent"))
    if view.key in _KEYS:
        text, ink = _KEYS[view.key]
        spans.append(Span(f"  {text}", ink))
    return spans


def rigs_text(jobs: Sequence[JobState]) -> str:
    """Several rigs in sum; of one that does not run, no board mines."""
    boards = sum(len(job.view.boards) for job in jobs if isinstance(job.view, RelayView))
    running = [job.view for job in jobs if isinstance(job.view, RelayView) and not job.phase.over]
    mining = sum(len(view.mining) for view in running)
    return f"{mining}/{boards} mine  {number(hashrate_sum(view.now_hs for view in running))} H/s"


class RigLines(Painted):
    """A line per rig, below the miners; a click opens its tab."""

    DEFAULT_CSS = """
    RigLines { height: auto; max-height: 6; padding: 0 1; background: $surface; }
    """

    class Opened(Message):
        """A person wants to see this rig."""

        def __init__(self, rig: str) -> None:
            super().__init__()
            self.rig = rig

    def __init__(self) -> None:
        super().__init__()
        self.jobs: tuple[JobState, ...] = ()
        self.lost = False

    def show(self, jobs: Sequence[JobState], *, lost: bool = False) -> None:
        """Show these relays; ``lost``: as they were when their engine was heard last."""
        self.jobs, self.lost = tuple(jobs), lost
        self.repaint()

    def draw(self, width: int, height: int) -> list[Line]:
        """Name and summary, and what costs money."""
        lines, tell = [], last_words if self.lost else summary
        size = min(18, max((cell_len(f"rig {job.device}") for job in self.jobs), default=0))
        for job in self.jobs:
            if isinstance(job.view, RelayView):
                name = Span(fit(f"rig {job.device}", size, ellipsis=self.glyphs.ellipsis) + "  ", "title")
                why = f"  ! {job.view.words[0]}" if job.view.words else ""
                spans = (name, *tell(job, job.view), Span(why, "warn"))
                lines.append(line(*cut(spans, width, self.glyphs.ellipsis)))
        return lines

    def on_click(self, event: events.Click) -> None:
        """Open the rig on this line."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < len(self.jobs):
            self.post_message(self.Opened(self.jobs[offset.y].device))

"""Sweeps under way: a line each, with how far it is, how long it still takes and what it measures right now. What the
chosen one says and the line has no room for (its reading, why it ended, what the miner was left at) stands below it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from minertui.model.plans import JobState, Phase, Strategy, SweepView
from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.wording import duration, fit, number, terahash

_INKS = {Phase.DONE: "good", Phase.FAILED: "bad", Phase.PARKED: "bad", Phase.STOPPED: "dim", Phase.RESTORING: "warn"}
_READING = 52  # cells of a reading in words
_MARKS = {Phase.FAILED: "!! ", Phase.PARKED: "!! "}


class SweepLines(Painted):
    """A line per sweep; the chosen device's is marked. Of more than there is room for, those around it are shown."""

    DEFAULT_CSS = """
    SweepLines { height: auto; max-height: 6; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.jobs: tuple[JobState, ...] = ()
        self.chosen = ""
        self.lost = False
        self.idle = ""
        self._wanted = 0  # lines

    def show(self, jobs: Sequence[JobState], chosen: str, *, lost: bool = False, idle: str = "") -> None:
        """Show these; ``lost``: as they were when their engine was heard last. ``idle``: what is said where there are
        none."""
        self.jobs, self.chosen, self.lost, self.idle = tuple(jobs), chosen, lost, idle
        self.repaint()
        wanted = len(self.draw(self.size.width, 0))  # what is drawn never has more lines than there are now
        if wanted != self._wanted:
            self._wanted = wanted
            self.refresh(layout=True)

    def draw(self, width: int, height: int) -> list[Line]:
        """A line each, and the rest of what the chosen one says."""
        if not self.jobs:
            return [line((fit(self.idle, width, ellipsis=self.glyphs.ellipsis), "dim"))]
        said = self._unsaid(width)
        room = max(1, (height or 6) - len(said))
        at = next((n for n, job in enumerate(self.jobs) if job.device == self.chosen), 0)
        top = max(0, min(at - room // 2, len(self.jobs) - room))
        name = self._name_width(width)
        lines: list[Line] = []
        for job in self.jobs[top : top + room]:
            lines += [self._line(job, width, name), *(said if job.device == self.chosen else ())]
        return lines

    def _name_width(self, width: int) -> int:
        return min(max(len(job.device) for job in self.jobs), 19 if width < 100 else 28)

    def _room(self, width: int) -> int:
        """Cells for what a sweep says, at the end of its line."""
        name = self._name_width(width)
        return max(0, width - _bar(width, name) - 36 - name)

    def _unsaid(self, width: int) -> list[Line]:
        """What the chosen sweep says, where its line cuts it; two lines at most. While it runs it has its line below as
        long as a reading would be cut: with one that comes and goes the map would jump."""
        job = next((job for job in self.jobs if job.device == self.chosen), None)
        if job is None or max(len(_now(job)), 0 if job.phase.over else _READING) <= self._room(width):
            return []
        wrapped = textwrap.wrap(_now(job), max(20, width - 2), max_lines=2, placeholder=self.glyphs.ellipsis)
        return [line("  ", (text, "dim")) for text in wrapped or [""]]

    def _line(self, job: JobState, width: int, name: int) -> Line:
        glyphs = self.glyphs
        room = _bar(width, name)
        share = job.done / job.total if job.total else 1.0 if job.phase is Phase.DONE else 0.0
        full = round(min(1.0, share) * room)
        of = f"{job.done}/{job.total}" if job.total is not None else str(job.done)
        left = f"{duration(job.left_s)} left" if job.left_s is not None and not job.phase.over else ""
        chosen = job.device == self.chosen
        unheard = self.lost and not job.phase.over
        mark, ink = ("! ", "warn") if unheard else (_MARKS.get(job.phase, ""), _INKS.get(job.phase, "accent"))
        return line(
            Span((glyphs.marked if chosen else " ") + " ", "title"),
            Span(fit(job.device, name, ellipsis=glyphs.ellipsis) + " ", "strong" if chosen else ""),
            Span(fit(mark + job.phase.value, 11), ink),
            Span(glyphs.bar * full, "dim" if unheard else "accent"),
            Span(glyphs.track * (room - full), "faint"),
            Span(f" {of:>7} {left:>11}  "),
            Span("" if self._below(job, width) else fit(_now(job), self._room(width), ellipsis=glyphs.ellipsis), "dim"),
        )

    def _below(self, job: JobState, width: int) -> bool:
        return job.device == self.chosen and bool(self._unsaid(width))


def _bar(width: int, name: int) -> int:
    """Cells for how far it is: a reading goes first where there is room for a whole one."""
    beside = width - 36 - name - _READING
    return min(30, beside if beside >= 6 else max(6, width - 49 - name))


def _now(job: JobState) -> str:
    view = job.view
    if not isinstance(view, SweepView) or job.phase.over or view.sample is None:
        return job.note
    sample = view.sample
    adaptive = view.plan.strategy is Strategy.ADAPTIVE  # looks for as long as it must: its count has no end
    count = f"reading {sample.index}" if adaptive else f"{sample.index}/{sample.of}"
    text = f"{number(sample.mhz)} MHz {sample.mv} mV  {count}"
    text += f"  {terahash(sample.hashrate_ghs)} TH/s  {number(sample.chip_temp_c, 1)} °C"
    return text

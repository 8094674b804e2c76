"""What everybody says: the engine, its jobs and the miners, in one stream."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from minertui.model.alerts import Severity
from minertui.model.errors import MinertuiError
from minertui.model.events import LogLine
from minertui.tui.feed import Feed, Picture
from minertui.tui.tabs.pane import Pane
from minertui.tui.widgets.log_pane import LogPane


def missed_line(count: int, at_s: float) -> LogLine:
    """The line that says that lines are missing here."""
    return LogLine("minertui", f"{count} lines were not shown: they came faster than this screen reads", at_s,
                   Severity.WARNING)  # fmt: skip


class LogTail:
    """Follows the feed's lines from the moment of its start; says when some were missed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._number = feed.picture.upto

    def after(self, read: Sequence[LogLine]) -> Sequence[LogLine]:
        """``read`` without what this tail gives anyway: it was asked for while lines kept coming."""
        coming = set(self._feed.lines_after(self._number).lines)
        return [line for line in read if line not in coming] if coming else read

    def new(self) -> tuple[LogLine, ...]:
        """The lines since the last call."""
        found = self._feed.lines_after(self._number)
        self._number = found.upto
        if not found.missed:
            return found.lines
        at_s = found.lines[0].at_s if found.lines else self._feed.picture.fleet.at_s
        return (missed_line(found.missed, at_s), *found.lines)


class MergedLogPane(Pane):
    """One log of all sources."""

    place = "log"

    def compose(self) -> ComposeResult:
        """The log."""
        self.log_pane = LogPane(merged=True)
        self._tail: LogTail | None = None
        yield self.log_pane

    def on_mount(self) -> None:
        """Read what was said before this pane was open."""
        self.begin(self._read, "log")

    async def _read(self) -> None:
        tail = LogTail(self.feed)
        try:
            self.log_pane.add(tail.after(await self.link.log(None)))
        except MinertuiError as error:
            self.log_pane.add([LogLine("minertui", str(error), self.picture.fleet.at_s, Severity.WARNING)])
        self._tail = tail
        self.show(self.picture)

    def enter(self) -> None:
        """The keys go to the log."""
        self.log_pane.view.focus()

    def show(self, picture: Picture) -> None:
        """Add what is new."""
        super().show(picture)
        if self._tail is not None and (lines := self._tail.new()):
            self.log_pane.add(lines)

"""What every tab's body is to the frame."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from textual.events import Mount
from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker

from minertui.model.seams import Link
from minertui.tui.feed import NOTHING, Feed, Picture


class Pane(Widget):
    """A tab's body. ``show`` is called with every picture while the pane is in front, and once when it comes there.

    ``place`` names it for actions and help. ``link`` and ``feed`` are for what a picture does not hold (history, log).
    """

    place: ClassVar[str] = ""
    BLANK = True  # its widgets cover it: nothing is painted under them
    DEFAULT_CSS = """
    Pane { height: 1fr; width: 1fr; }
    """

    class Ready(Message):
        """The pane and all in it are mounted; it can be shown pictures."""

    def __init__(self, link: Link, feed: Feed) -> None:
        super().__init__()
        self.link, self.feed = link, feed
        self.picture: Picture = NOTHING
        self.ready = False

    def _on_mount(self, event: Mount) -> None:
        super()._on_mount(event)
        self.ready = True
        self.post_message(self.Ready())

    def open(self, name: str) -> None:
        """Which miner or rig to show, where one body serves them all."""

    def show(self, picture: Picture) -> None:
        """Draw this picture. Subclasses keep it by calling this one first."""
        self.picture = picture

    def begin(self, work: Callable[[], Coroutine[Any, Any, None]], group: str, *, exclusive: bool = True) -> None:
        """Do this beside the screen; an exclusive one ends what its group does now."""
        _: Worker[None] = self.run_worker(work, exclusive=exclusive, group=group)

    @property
    def devices(self) -> tuple[str, ...]:
        """What actions go to: marked devices, or the one under the cursor."""
        return ()

    def enter(self) -> None:
        """The pane comes to the front."""
        for widget in self.query("*"):
            if widget.focusable:
                widget.focus()
                return

    def leave(self) -> None:
        """Another pane comes to the front."""

    def back(self) -> bool:
        """One step back inside the pane; False when there is none."""
        return False

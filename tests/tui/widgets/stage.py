"""A stage for one widget: mounts it at a size and reads what it painted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from minertui.tui.widgets.painted import Painted


class Stage(App[None]):
    def __init__(self, widget: Widget, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.ascii = ascii_only
        self.widget = widget
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.widget


@asynccontextmanager
async def on_stage(
    widget: Widget, width: int = 80, height: int = 24, *, ascii_only: bool = False
) -> AsyncIterator[Pilot[None]]:
    """The widget mounted alone; ``pilot.app.heard`` keeps its messages."""
    app = Stage(widget, ascii_only=ascii_only)
    async with app.run_test(size=(width, height), message_hook=app.heard.append) as pilot:
        await pilot.pause()
        yield pilot


def heard(pilot: Pilot[None], kind: type[Message]) -> list[Any]:
    """Messages of this kind, each once (a message is heard again wherever it bubbles to)."""
    app = pilot.app
    assert isinstance(app, Stage)
    return list(dict.fromkeys(m for m in app.heard if isinstance(m, kind)))


def text(widget: Painted) -> list[str]:
    """What stands on the widget's lines, blanks at the right cut."""
    return ["".join(s.text for s in widget.render_line(y)).rstrip() for y in range(widget.size.height)]


def widths(widget: Painted) -> set[int]:
    """Cells of each line."""
    return {widget.render_line(y).cell_length for y in range(widget.size.height)}


def watch_regions(widget: Painted) -> list[Region]:
    """From now on the regions that the widget asks to have repainted."""
    regions: list[Region] = []
    refresh = widget.refresh

    def spy(*asked: Region, **kwargs: bool) -> Widget:
        regions.extend(asked or [Region(0, 0, *widget.size)])
        return refresh(*asked, **kwargs)

    widget.refresh = spy  # type: ignore[method-assign,assignment]
    return regions

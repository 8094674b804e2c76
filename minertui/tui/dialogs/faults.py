"""What can go wrong in the demo: a list to filter, each fault switched on or off for one simulated miner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from minertui.model.errors import MinertuiError
from minertui.model.seams import FaultConsole
from minertui.tui.dialogs.box import Box
from minertui.tui.dialogs.ordering import Ordering
from minertui.tui.tabs.listing import Listing
from minertui.tui.widgets.lines import Lines
from minertui.tui.widgets.painted import Span, line
from minertui.tui.widgets.wording import fit

_NAME = 22


class FaultDialog(Ordering[None]):
    """Enter switches the fault under the cursor. ``on``: those that are on; they come first, and are counted."""

    DEFAULT_CSS = """
    FaultDialog > Box { width: 90; height: 80%; }
    FaultDialog.-low > Box { height: 100%; }
    FaultDialog Input { margin: 0 0 1 0; }
    FaultDialog #said { min-height: 2; max-height: 4; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="faults.close"),
        Binding("enter", "switch", "On or off", id="faults.switch", priority=True),
        Binding("down", "move(1)", "Down", show=False, id="faults.down", priority=True),
        Binding("up", "move(-1)", "Up", show=False, id="faults.up", priority=True),
    ]

    def __init__(self, console: FaultConsole, device: str, faults: Mapping[str, str], on: Iterable[str]) -> None:
        super().__init__()
        self.console, self.device, self.on = console, device, set(on)
        self.faults = dict(sorted(faults.items(), key=lambda item: item[0] not in self.on))
        self.heading = Lines()
        self.words = Input(placeholder="filter", compact=True)
        self.list = Listing()
        self.said = Lines(id="said")

    def compose(self) -> ComposeResult:
        """What to type, the faults, the whole text of the one under the cursor."""
        with Box():
            yield self.heading
            yield self.words
            yield self.list
            yield self.said
            yield Lines([line(("Enter on or off   type to filter   Esc close", "dim"))])

    def on_mount(self) -> None:
        """Typing filters at once."""
        self.words.focus()
        self.draw()

    def draw(self, problem: str = "") -> None:
        """The faults that have all the words typed."""
        words = self.words.value.casefold().split()
        on = (f"   {len(self.on)} on", "warn") if self.on else ("   none is on", "dim")
        self.heading.show([line((fit(f"Simulate a fault on {self.device}", 60).rstrip(), "title"), on)])
        shown = [n for n, text in self.faults.items() if all(w in f"{n} {text}".casefold() for w in words)]
        self.list.show([(name, partial(self._spans, name)) for name in shown], _head)
        text = problem or self.faults.get(self.list.cursor, "no fault has these words")
        self.said.show([line((text, "bad" if problem else ""))])

    def _spans(self, name: str, width: int) -> tuple[Span, ...]:
        on = name in self.on
        state = Span("on   " if on else "off  ", "warn" if on else "dim")
        text = Span(fit(self.faults[name], max(5, width - _NAME - 6)), "dim")
        return (state, Span(fit(name, _NAME) + " ", "strong" if on else ""), text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Other words."""
        event.stop()
        self.draw()

    def on_listing_moved(self) -> None:
        """Another fault is under the cursor."""
        self.draw()

    def action_move(self, by: int) -> None:
        """Up and down while typing."""
        self.list.action_move(by)

    def action_page(self, by: int) -> None:
        """The same, a page at a time."""
        self.list.action_page(by)

    async def action_switch(self) -> None:
        """Tell the engine, and show what it said."""
        name = self.list.cursor
        if not name:
            return
        on = name not in self.on
        try:
            await self.console.fault(self.device, name, on)
        except MinertuiError as error:
            self.draw(str(error))
            return
        self.on ^= {name}
        self.draw()

    def action_close(self) -> None:
        """Leave; what is on stays on."""
        self.dismiss(None)


def _head(width: int) -> tuple[Span, ...]:
    return (Span(f"{'':5}{'fault':<{_NAME}} what it does"),)

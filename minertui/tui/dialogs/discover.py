"""Discovery: look for miners, choose, save; one that is known and moved gets its new address. Only private networks
that a person names are scanned."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Button, Input

from minertui.model.errors import MinertuiError
from minertui.model.history import Found, MinerEntry
from minertui.model.seams import Link
from minertui.model.text import as_name
from minertui.tui.dialogs.box import Box
from minertui.tui.dialogs.ordering import Ordering
from minertui.tui.widgets.lines import Lines
from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.sentences import broken
from minertui.tui.widgets.wording import fit, hashrate

_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")


class FoundList(Painted, can_focus=True):
    """What was found; space marks, and what the config knows already cannot be marked, unless it moved."""

    DEFAULT_CSS = """
    FoundList { height: 10; min-height: 1; margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="found.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="found.down"),
        Binding("space", "mark", "Mark", id="found.mark"),
        Binding("enter", "agree", "Save", id="found.add"),
    ]

    class Agreed(Message):
        """Save what is marked."""

    def __init__(self) -> None:
        super().__init__()
        self.found: tuple[Found, ...] = ()
        self.chosen: set[str] = set()
        self.at = self.top = 0
        self.word = "Press Enter to look for miners."

    def show(self, found: Sequence[Found], word: str) -> None:
        """Show these, all new ones and those that moved marked; ``word`` when there is none."""
        self.found, self.word, self.at = tuple(found), word, 0
        self.chosen = {f.address for f in found if _open(f)}
        self.repaint()

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """A line each."""
        if not self.found:
            return broken([Span(self.word, "dim")], width)
        self.top = top = max(0, min(self.at - height + 1, len(self.found) - height))
        return [self._row(n, f, width) for n, f in enumerate(self.found)][top : top + height]

    def _row(self, n: int, found: Found, width: int) -> Line:
        known = not _open(found)
        mark = "   " if known else "[x]" if found.address in self.chosen else "[ ]"
        text, unit = hashrate(found.hashrate_ghs)
        rest = f"known as {found.known_as}" if known else f"{found.hostname or ''}"
        told = f"{text:>6} {unit:<5} {rest}"
        if found.moved_from:
            told = f"{found.known_as} moved, was {found.moved_from}"
        return line(
            (f"{mark} {fit(found.address, 22)} {fit(found.model or found.kind, 12)} ", "dim" if known else ""),
            (fit(told, max(0, width - 40)), "warn" if found.moved_from else "dim"),
            row="cursor" if n == self.at and self.has_focus else "",
        )

    def action_move(self, by: int) -> None:
        """Cursor up or down."""
        self.at = max(0, min(len(self.found) - 1, self.at + by))
        self.repaint()

    def action_mark(self) -> None:
        """Mark or not."""
        if self.found and _open(self.found[self.at]):
            self.chosen ^= {self.found[self.at].address}
            self.repaint()

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor there, and marks or unmarks."""
        offset = event.get_content_offset(self)
        if offset is not None and self.top + offset.y < len(self.found):
            self.action_move(self.top + offset.y - self.at)
            self.action_mark()

    def action_agree(self) -> None:
        """Save them."""
        self.post_message(self.Agreed())

    def on_focus(self) -> None:
        """Show the cursor."""
        self.repaint()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.repaint()


class DiscoverDialog(Ordering[tuple[MinerEntry, ...]]):
    """Saves what is chosen through the link, once however often it is pressed, and gives the entries saved; none after
    Escape."""

    AUTO_FOCUS = "Input"
    DEFAULT_CSS = """
    DiscoverDialog.-low > Box { height: 100%; }
    DiscoverDialog.-low FoundList { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="dialog.cancel")]

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link
        self.list = FoundList()
        self.wrong = Lines()
        self.saved: list[MinerEntry] = []
        self._saving = False

    def compose(self) -> ComposeResult:
        """Where to look, what was found, the ways out."""
        with Box():
            yield Lines([line(("Discover miners", "title"))])
            yield Lines([line(("Besides mDNS: networks (192.168.1.0/24), addresses or names, with :port.", "dim"))])
            yield Input(compact=True, placeholder="192.168.1.0/24")
            yield self.list
            yield self.wrong
            with Horizontal(classes="buttons"):
                yield Button("Look (Enter)", id="look", variant="primary", compact=True)
                yield Button("Save marked", id="add", compact=True, disabled=True)
                yield Button("Cancel (Esc)", id="cancel", compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter looks."""
        event.stop()
        self.look()

    def on_found_list_agreed(self) -> None:
        """Enter in the list saves."""
        self.add_marked()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """What the button says."""
        event.stop()
        {"look": self.look, "add": self.add_marked, "cancel": self.action_cancel}[event.button.id or "cancel"]()

    def enable(self) -> None:
        """Both want an engine; and nothing else begins while it saves."""
        rests = self.lost or self._saving
        self.switch(self.query_one("#look", Button), on=not rests)
        self.switch(self.query_one("#add", Button), on=not rests and bool(self.list.found))

    def look(self) -> None:
        """Check the networks, then search in the background."""
        if self.lost or self._saving:
            return
        networks = self.query_one(Input).value.replace(",", " ").split()
        problem = next((p for n in networks if (p := _problem(n))), None)
        self.wrong.show([line((f"! {problem}", "bad"))] if problem else [])
        if problem is None:
            self.list.show((), "looking …")
            self.run_worker(self._look(networks), exclusive=True)

    async def _look(self, networks: Sequence[str]) -> None:
        try:
            found = await self.link.discover(networks)
        except MinertuiError as error:
            self.list.show((), "nothing found")
            self.wrong.show([line((f"! {error}", "bad"))])
            return
        self.list.show(found, "Nothing answered. Name the network the miners are in, or add one by its address.")
        self.enable()
        if found:
            self.list.focus()
            self.wrong.show([line(("space marks and unmarks; Enter in the list saves those marked", "dim"))])

    def add_marked(self) -> None:
        """Save what is marked, in the background."""
        if self.lost or self._saving:  # its frame says the one, and the other is soon over
            return
        chosen = [f for f in self.list.found if f.address in self.list.chosen]
        if chosen:
            self._saving = True
            self.enable()
            self.run_worker(self._save(chosen), exclusive=True)
        else:
            self.wrong.show([line(("! Nothing is marked; mark with space.", "bad"))])

    async def _save(self, chosen: Sequence[Found]) -> None:
        try:
            for entry, replaces in [*await self._moved(chosen), *((new, None) for new in entries(chosen))]:
                if entry not in self.saved:
                    await self.link.save_miner(entry, replaces)
                    self.saved.append(entry)
        except MinertuiError as error:
            done = f" ({len(self.saved)} of {len(chosen)} are saved)" if self.saved else ""
            self.wrong.show([line((f"! {error}{done}", "bad"))])
            self._saving = False
            self.enable()
            return
        self.dismiss(tuple(self.saved))

    async def _moved(self, chosen: Sequence[Found]) -> list[tuple[MinerEntry, str]]:
        """The entries of those that moved, with their new address, and their names. They go first: what is new may
        stand where one of them stood."""
        at = {one.known_as: one.address for one in chosen if one.moved_from}
        before = await self.link.miners() if at else ()
        return [(msgspec.structs.replace(e, address=at[e.name]), e.name) for e in before if e.name in at]

    def action_cancel(self) -> None:
        """Leave; what was saved before a problem stays saved."""
        self.dismiss(tuple(self.saved))


def _open(found: Found) -> bool:
    """May it be marked? What is new, and what the config knows at another address."""
    return found.known_as is None or found.moved_from is not None


def entries(found: Sequence[Found]) -> tuple[MinerEntry, ...]:
    """Entries of what is new, with names that differ: the host name where there is one, else the address."""
    names: set[str] = set()
    made = []
    for one in (one for one in found if one.known_as is None):
        base = as_name(one.hostname or "") or one.address
        name, n = base, 1
        while name.casefold() in names:
            n += 1
            name = f"{base}-{n}"
        names.add(name.casefold())
        made.append(MinerEntry(name=name, address=one.address, kind=one.kind))
    return tuple(made)


def _problem(place: str) -> str | None:
    """What is wrong with a place to look at; the engine judges names and private networks once more."""
    host, _, port = place.rpartition(":") if place.count(":") == 1 else (place, "", "")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        return f"{place}: a port is 1 to 65535."
    if _NAME.fullmatch(host):
        return None
    try:
        found = ipaddress.ip_network(host, strict=False)
    except ValueError:
        return (
            f"{place} is no network, address or name; write it like 192.168.1.0/24, 192.168.1.20:8080 or bitaxe.local."
        )
    if port and found.num_addresses > 1:
        return f"{place}: a port goes with one address or name, not with a network."
    if not found.is_private:
        return f"{place} is not private; only private networks are scanned."
    if found.num_addresses > 1024:
        return f"{place} is too large; at most /22 at a time."
    return None

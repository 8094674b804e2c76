"""What was sent to which miner, by whom, how it ended, and what the read-back proved. Newest first."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult

from minertui.model.commands import CommandRecord, Order, OutcomeState, SetFan, SetPools, Tune, word_of
from minertui.model.errors import MinertuiError
from minertui.model.seams import Link
from minertui.tui.commands.orders import change_text
from minertui.tui.feed import Feed, Picture
from minertui.tui.tabs.listing import Listing
from minertui.tui.tabs.pane import Pane
from minertui.tui.tabs.teach import Teach
from minertui.tui.widgets.lines import Lines
from minertui.tui.widgets.painted import Span, line
from minertui.tui.widgets.wording import fit, number
from minertui.tui.words import moment_text

_WIDE = 110
_INKS = {
    OutcomeState.APPLIED: "good",
    OutcomeState.REFUSED: "bad",
    OutcomeState.UNKNOWN: "warn",
    OutcomeState.DRY_RUN: "dim",
}


def asked_text(order: Order) -> str:
    """The command in words; a pool's user is not in the list, only in its detail."""
    command = order.command
    match command:
        case Tune(frequency, core):
            parts = [number(frequency) + " MHz" if frequency else "", number(core) + " mV" if core else ""]
            return "tune " + " ".join(p for p in parts if p)
        case SetFan(auto, pct):
            return f"fan {number(pct)} %" if pct is not None else f"fan {'automatic' if auto else 'manual'}"
        case SetPools(pools):
            return "pools " + ", ".join(f"{pool.url}:{pool.port}" for pool in pools)
        case _:
            return word_of(command)


class CommandsPane(Pane):
    """The command log; the records that end while the screen is open are put on top."""

    place = "commands"

    def __init__(self, link: Link, feed: Feed) -> None:
        super().__init__(link, feed)
        self._kept: tuple[CommandRecord, ...] = ()
        self._problem = ""

    def compose(self) -> ComposeResult:
        """List, or what an empty one means; the whole of the record under the cursor."""
        self.teach, self.list, self.detail = Teach(), Listing(), Lines()
        yield self.teach
        yield self.list
        yield self.detail

    def enter(self) -> None:
        """Read what was sent before this screen was open."""
        self.list.focus()
        self.begin(self._read, "commands")

    @property
    def records(self) -> tuple[CommandRecord, ...]:
        """All known, newest first, each order once."""
        found = {record.order.id: record for record in reversed((*self.picture.records, *self._kept))}
        return tuple(sorted(found.values(), key=lambda r: -r.at_s))

    async def _read(self) -> None:
        try:
            self._kept = tuple(await self.link.commands())
            self._problem = ""
        except MinertuiError as error:
            self._problem = str(error)
        self.show(self.picture)

    def show(self, picture: Picture) -> None:
        """Draw the list anew."""
        super().show(picture)
        records = self.records
        self.teach.display, self.list.display = not records, bool(records)
        why = self._problem or "Everything that is sent to a miner is listed here, with what a read-back proved."
        self.teach.show("The command log cannot be read" if self._problem else "Nothing was sent yet", [("", why)])
        self.list.show([(r.order.id, partial(_spans, r, picture.fleet.at_s)) for r in records], _head)
        self._tell()

    def on_listing_moved(self) -> None:
        """Another record is under the cursor."""
        self._tell()

    def _tell(self) -> None:
        record = next((r for r in self.records if r.order.id == self.list.cursor), None)
        self.detail.display = record is not None
        if record is not None:
            self.detail.show([line(said) for said in _said(record)])


def _said(record: CommandRecord) -> list[tuple[str, str]]:
    order, outcome = record.order, record.outcome
    confirmed = ", confirmed" if order.confirmed else ""
    said = [(f"{order.device}: {asked_text(order)}, by {order.by}{confirmed}", "strong")]
    said.append((f"{outcome.state.words}{': ' if outcome.reason else ''}{outcome.reason}", _INKS[outcome.state]))
    return said + [(change_text(change), "") for change in outcome.changes]


def _columns(width: int, texts: tuple[str, ...], inks: tuple[str, ...]) -> tuple[Span, ...]:
    """On a narrow screen without what was proven: of that the lines below tell all."""
    fixed = (13, 20, 28, 9, 14) if width >= _WIDE else (13, 19, 22, 9)
    sizes = (*fixed, max(5, width - sum(fixed) - len(fixed)))
    return tuple(Span(fit(t, size) + " ", ink) for t, size, ink in zip(texts, sizes, inks, strict=False))


def _head(width: int) -> tuple[Span, ...]:
    return _columns(width, ("when", "miner", "command", "outcome", "by", "what was proven"), ("",) * 6)


def _spans(record: CommandRecord, now_s: float, width: int) -> tuple[Span, ...]:
    order, outcome = record.order, record.outcome
    proof = "; ".join(change_text(change) for change in outcome.changes) or outcome.reason
    texts = (moment_text(record.at_s, now_s), order.device, asked_text(order), outcome.state.words, order.by, proof)
    return _columns(width, texts, ("dim", "strong", "", _INKS[outcome.state], "dim", "dim"))

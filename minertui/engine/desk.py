"""What the arbiter keeps for one device: who holds it, and whose turn it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from minertui.engine.deeds import Deeds
from minertui.engine.journal import Entry
from minertui.model.commands import CommandRecord, Identify, Order, Rank, SetFan, SetPools, Tune, Word
from minertui.model.errors import JobError, Preempted
from minertui.model.fleet import Snapshot
from minertui.model.status import MinerStatus
from minertui.safety import kernel
from minertui.safety.calm import Calm
from minertui.safety.settings import Settings

WORDS = {
    Rank.SAFETY: "a safety stop",
    Rank.PERSON: "a person",
    Rank.CURTAILMENT: "curtailment",
    Rank.SWEEP: "a sweep",
}
"""Who holds or takes a device, as it is said."""


class Desk:
    """One device's turn-taking: safety > person > curtailment > sweep. One order at a time; a higher rank that arrives
    makes the present one give way at its next look."""

    def __init__(self, device: str, deeds: Deeds | None = None) -> None:
        """``deeds``: what was done to the board that has this name."""
        self.device, self.deeds = device, deeds or Deeds()
        self.accepted = 0  # how often a person accepted another board under this name
        self.turn = asyncio.Lock()
        self.orders: set[asyncio.Task[CommandRecord]] = set()  # that wait for their turn, or have it
        self._holder: tuple[Rank, str] | None = None
        self._guard: tuple[str, Calm] | None = None
        self._ousted: dict[str, Rank] = {}
        self._stopped: set[str] = set()  # holders that were asked to end
        self._waiting: list[Rank] = []
        self.kept: Entry | None = None  # the way back as the journal held it when it was last looked at
        self.elsewhere: Entry | None = None  # that of a board that had this name while the work of now began
        self.strays: list[Entry] = []  # such ones that nobody has taken over yet
        self._word, self._speaking = Word(), 0
        self._heard: dict[str, int] = {}  # by holder: how many words it knew of when it asked last

    def claim(self, rank: Rank, holder: str) -> None:
        """Hold the device until ``release``. A lower rank is ousted; raises JobError when an equal or higher one holds
        it."""
        if self._holder is not None and self._holder[1] != holder:
            if rank >= self._holder[0]:
                held, by = self._holder
                raise JobError(f"{self.device} is held by {WORDS[held]} ({by}); stop that first")
            self.oust(rank)
        self._begin()
        self._ousted.pop(holder, None)
        if self._holder is None:
            self.elsewhere = None
        self._holder = (rank, holder)

    def release(self, holder: str) -> None:
        """The holder is done, ousted or not. Unknown holders are welcome to say so too."""
        self._ousted.pop(holder, None)
        self._stopped.discard(holder)
        self._heard.pop(holder, None)
        if self._holder is not None and self._holder[1] == holder:
            self._holder = None
        if self._guard is not None and self._guard[0] == holder:
            self._guard = None

    def guard(self, holder: str, calm: Calm) -> None:
        """A guard watches the device until ``release``, and asks this before anything is given back."""
        self._begin()
        self._guard = (holder, calm)

    def stop(self, holder: str) -> None:
        """The holder was asked to end: what it orders raises nothing more, until it releases."""
        self._stopped.add(holder)

    def stopped(self, holder: str) -> str:
        """Why an order of this holder raises nothing more; empty when it may."""
        return "the job that wants it was asked to end" if holder in self._stopped else ""

    def asks(self, key: str, calm: Calm) -> None:
        """The journal's entry of this key asks this from now on, where a guard changed the device."""
        if (kept := self.remembered(key)) is not None and kept.calm is not None:
            self.kept = replace(kept, calm=calm)

    def rebased(self, key: str, baseline: Settings) -> None:
        """The journal's entry of this key leads to this from now on; also where it was lost just now, and will be
        written again."""
        if (kept := self.remembered(key)) is not None:
            self.kept = replace(kept, baseline=baseline)

    def remembered(self, key: str) -> Entry | None:
        """The way back of this key as it was looked at last; None where it is another's, or nobody looked."""
        return self.kept if self.kept is not None and self.kept.key == key else None

    def stray(self, entry: Entry) -> None:
        """The board of this way back does not have this name any more."""
        self.elsewhere = entry
        self.strays.append(entry)

    def calm(self, by: str | None = None) -> Calm | None:
        """What the device's guard asks; None when it has none, or when its guard is not ``by``."""
        return self._guard[1] if self._guard is not None and by in (None, self._guard[0]) else None

    def _begin(self) -> None:
        """What was in the journal while nothing ran is not this work's: it may have been removed since."""
        if not self.worked:
            self.kept = self.elsewhere = None

    @property
    def worked(self) -> bool:
        """True while a job works on the device, or has not yet said that it is done."""
        return self._holder is not None or self._guard is not None or bool(self._ousted)

    def carries(self, order: asyncio.Task[CommandRecord]) -> None:
        """Know of this order until it is done."""
        self.orders.add(order)
        order.add_done_callback(self.orders.discard)

    def oust(self, rank: Rank) -> None:
        """Take the device from whoever holds it at a lower rank."""
        if self._holder is not None and rank < self._holder[0]:
            self._ousted[self._holder[1]] = rank
            self._holder = None

    def accept(self, deeds: Deeds) -> None:
        """A person accepts another board: nothing goes on that was begun on the one before."""
        self.oust(Rank.PERSON)
        self.deeds, self.accepted = deeds, self.accepted + 1

    def was_ousted(self, holder: str) -> Rank | None:
        """The rank that took the device from this holder, until it claims anew or releases."""
        return self._ousted.get(holder)

    def check(self, rank: Rank, by: str) -> None:
        """Raises Preempted when this holder lost the device."""
        taker = self._ousted.get(by)
        if taker is not None and rank > taker:
            raise Preempted(f"{self.device}: {WORDS[taker]} took the device")

    def objection(self, order: Order) -> str | None:
        """Why this order has to stand back behind the holder; None when it may go on."""
        if self._holder is None or self._holder[1] == order.by or order.rank < self._holder[0]:
            return None
        held, by = self._holder
        return f"{WORDS[held]} ({by}) holds the device; stop that first"

    def begun_elsewhere(self, order: Order) -> str:
        """Why the holder's order is not carried out any more: its work began on another board; empty when it did not.
        A guard's is: it looks after whatever has this name."""
        if self.elsewhere is None or self.elsewhere.reason != order.by or self._holder != (order.rank, order.by):
            return ""
        return f"another board is {self.device} now than the one that this began on"

    def ends(self, rank: Rank) -> str | None:
        """Whose work an order of this rank would end, in words; None when nobody of a lower rank holds the device."""
        return WORDS[self._holder[0]] if self._holder is not None and self.held_lower(rank) else None

    def held_lower(self, rank: Rank) -> bool:
        """True when somebody of a lower rank holds the device."""
        return self._holder is not None and rank < self._holder[0]

    @contextmanager
    def speaking(self, order: Order) -> Iterator[None]:
        """While an order waits and is carried out: is it a person's word about frequency and voltage?"""
        speaks = order.rank is Rank.PERSON and isinstance(order.command, Tune)
        self._speaking += speaks
        try:
            yield
        finally:
            self._speaking -= speaks

    def arrived(self, last: Snapshot) -> None:
        """A person's word came true in this reading."""
        if last.status is not None and last.boot_s is not None:
            mhz, mv = last.status.frequency_mhz, last.status.core_mv
            self._word = Word(self._word.n + 1, mhz, mv, last.boot_s)

    def hear(self, holder: str) -> Word:
        """The newest word of a person; ``holder`` knows of it from now on."""
        self._heard[holder] = self._word.n
        return replace(self._word, pending=self._speaking > 0)

    def unheard(self, order: Order) -> bool:
        """True when it was decided without knowing what a person has ordered since."""
        return self._heard.get(order.by, self._word.n) != self._word.n

    def presses(self, order: Order, snapshot: Snapshot) -> bool:
        """False for what a guard does for comfort's sake, which waits for others and gives way to a person's word:
        everything but a lower frequency, and that too while nothing is warm, for then its ceiling alone asks for it.
        Temperatures that stand still say nothing: the guard takes them as hot."""
        tune, calm, status = order.command, self.calm(order.by), snapshot.status
        lowers = isinstance(tune, Tune) and tune.core_mv is None and kernel.lowers(tune, status)
        cool = calm is not None and status is not None and not snapshot.stuck and calm.reached(status)
        return (lowers and not cool) or order.by not in self._heard

    @contextmanager
    def waiting(self, order: Order, *, disturbs: bool) -> Iterator[None]:
        """While an order that ``disturbs`` waits for its turn, lower ones give way."""
        if disturbs:
            self._waiting.append(order.rank)
        try:
            yield
        finally:
            if disturbs:
                self._waiting.remove(order.rank)

    def outranked(self, rank: Rank) -> bool:
        """True when a higher rank waits for its turn."""
        return any(other < rank for other in self._waiting)

    def asked_again(self, rank: Rank) -> bool:
        """True when an order of this rank, or a higher one, waits for its turn."""
        return any(other <= rank for other in self._waiting)


def disturbing(order: Order, status: MinerStatus | None) -> bool:
    """True when the order takes the miner from a job: it changes what the job measures, or what the job relies on.
    Dry runs, greetings, other pools and a fan that can only turn faster do not."""
    if order.dry_run or isinstance(order.command, Identify | SetPools):
        return False
    return status is None or not (isinstance(order.command, SetFan) and _faster(order.command, status))


def _faster(fan: SetFan, status: MinerStatus) -> bool:
    """In the mode that it has. Another mode is another way to cool: what was measured before says nothing about it, and
    a fixed 100 % by nobody the job knows looks like the firmware's overheat handling."""
    if fan.auto not in (None, status.fan_auto):
        return False
    if status.fan_auto is False:
        return fan.pct is not None and status.fan_manual_pct is not None and fan.pct >= status.fan_manual_pct
    cooler = fan.target_c is None or (status.temp_target_c is not None and fan.target_c <= status.temp_target_c)
    windier = fan.min_pct is None or fan.min_pct >= (status.fan_min_pct or 0)
    return status.fan_auto is True and cooler and windier

"""Leads back what an earlier run, or a job that was cut off, left behind: at once what answers, the rest for ever.

Only entries that were there when ``once`` or ``owe`` looked are touched, and none of a device that a job holds: its
entry is its own. A guard holds nothing, so what another job left is led back beside it. What a guard took away and
gives back later, when it is cool enough, stands in the notice until then. What was found at the start is told to
``left``: after an engine that ended without warning it is an alert. A journal that cannot be read says nothing about
what stands there: it is read again until it can be, and notice and alert say so meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from minertui.engine import again
from minertui.engine.arbiter import Arbiter
from minertui.engine.journal import Entry, Journal, JournalError
from minertui.model.alerts import Severity
from minertui.model.errors import MinertuiError, fault_of_ours
from minertui.model.seams import Clock

_LOG = logging.getLogger(__name__)
_COSTS = "what stands there is led back as soon as it can be read; until then those miners may be left raised"


class Says(Protocol):
    """What is needed of the engine."""

    def say(self, source: str, text: str, severity: Severity = Severity.INFO) -> None:
        """A line for the log."""
        ...

    def damaged(self, text: str) -> None:
        """Something that a person has to look at, wherever they look."""
        ...


class Notices(Protocol):
    """What everybody sees."""

    def put(self, source: str, text: str) -> None:
        """Say ``text`` for ``source`` from now on; an empty one takes it back."""
        ...

    def disk(self, file: str, text: str, costs: str, can: str) -> None:
        """Why the disk refuses ``file`` and what that costs, or (an empty text) what it can be again."""
        ...


class Left(Protocol):
    """Hears what becomes of what an earlier run left behind."""

    def __call__(self, entry: Entry, how: str, *, over: bool) -> None:
        """``how`` it is, in words; ``over``: its way back has ended."""
        ...


class Restoring:
    """The entries of the journal that are nobody's."""

    def __init__(
        self,
        arbiter: Arbiter,
        journal: Journal,
        clock: Clock,
        engine: Says,
        held: Callable[[str], bool],
        notices: Notices,
        left: Left,
    ) -> None:
        """``held``: does a job hold this device? ``left`` hears what becomes of each entry that was there at the
        start."""
        self._arbiter, self._journal, self._clock, self._engine, self._held = arbiter, journal, clock, engine, held
        self._notices, self._left = notices, left
        self._asked: set[str | None] = set()  # devices whose entries could not be read yet; None: all that are there
        self._unread = ""  # as it was said
        self._found: dict[tuple[str, float], Entry] = {}  # at the start, and not led back yet
        self._owed: set[tuple[str, float]] = set()  # an entry is its key and when it was written first
        self._said: dict[str, str] = {}
        self._announced = 0

    async def once(self, names: Sequence[str]) -> None:
        """Try every entry of the journal, all at the same time."""
        self._asked.add(None)
        await self._try(names)

    async def owe(self, device: str) -> None:
        """A job of this device was cut off before it could lead it back."""
        self._asked.add(device)
        await self._entries()

    async def leaves(self, device: str) -> str:
        """A line ends, and nobody works on it any more: what is kept of its device is led back while it can be, and
        owed where that fails. Why it did, empty when nothing is left."""
        self._arbiter.cut.discard(device)
        self._asked.add(device)
        if (entries := await self._entries()) is None:
            return self._unread
        mine = [entry for entry in entries if self._of(entry, device)]
        return "; ".join([why for entry in mine if (why := await self._restore(entry, (device,)))])

    async def follow(self, old: str, new: str) -> None:
        """A device is called ``new`` from now on; what is known of one that tells no MAC is found by its name alone."""
        self._arbiter.renamed(old, new)
        try:
            moved = await asyncio.to_thread(self._journal.rename, old, new)
        except JournalError as error:
            self._engine.say(new, not_yet(f"it is kept under the name {old}, as {error}"), Severity.WARNING)
            return
        if moved is not None:
            for was in [name for name, entry in self._found.items() if entry.mac is None and entry.device == old]:
                self._found[_name(moved)] = self._found.pop(was)
            self._owed.add(_name(moved))

    async def last(self, names: Sequence[str]) -> None:
        """Once more before the engine ends: what is still owed, and what an order was on its way from when it ended."""
        self._owed |= {_name(entry) for entry in self._arbiter.strays()}
        for device in self._arbiter.cut:
            await self.owe(device)
        if self._owed or self._asked:
            await self._try(names)

    async def run(self, names: Callable[[], Sequence[str]]) -> None:
        """Try again for ever what is left, later and later."""
        tries = 0
        while True:
            await self._clock.sleep(again.wait_s(tries))
            self._announce()
            self._owed |= {_name(entry) for entry in self._arbiter.strays()}
            waiting = bool(self._owed or self._asked)
            tries = tries + 1 if waiting else 0
            if waiting:
                await self._try(names())

    async def _try(self, names: Sequence[str]) -> None:
        owed = set(self._owed)  # what is owed later may not be in what is read now
        entries = await self._entries()
        if entries is None:
            return
        there = {_name(entry) for entry in entries}
        for gone in set() if self._unread else owed - there:  # somebody else led it back, or set it anew
            self._over(gone, "its way back has ended since, by a job or a person")
        mine = [entry for entry in entries if _name(entry) in self._owed and not self._works_on(entry)]
        await asyncio.gather(*(self._restore(entry, names) for entry in mine))

    def _works_on(self, entry: Entry) -> bool:
        """Does a job hold the device of this entry? Not another board that has its name by now."""
        return self._held(entry.device) and self._arbiter.meant(entry)

    def _of(self, entry: Entry, device: str) -> bool:
        """Is this the way back of the device of this name? In there it may have its name of before."""
        return entry.device == device or (entry.mac is not None and entry.mac == self._arbiter.mac_of(device))

    async def _restore(self, entry: Entry, names: Sequence[str]) -> str:
        """Why it is not back yet; empty when it is."""
        try:
            outcome = await self._arbiter.restore(entry, names)
        except MinertuiError as error:
            return self._tell(entry, not_yet(str(error)), Severity.WARNING)
        except Exception as error:  # noqa: BLE001 - one miner's must not cost the others theirs, nor the engine its start
            _LOG.exception("the way back of %s failed", entry.device)
            return self._tell(entry, not_yet(fault_of_ours(error)), Severity.WARNING)
        if outcome.ok:
            text = ended(outcome.reason)
            self._over(_name(entry), text)
            self._tell(entry, text, Severity.INFO)
            return ""
        text = not_yet(outcome.reason)
        self._tell(entry, text, Severity.WARNING)
        if entry.calm is not None:
            self._notices.put(entry.key, f"{entry.device}: {text}")
        return text

    def _over(self, name: tuple[str, float], how: str) -> None:
        self._owed.discard(name)
        if found := self._found.pop(name, None):
            self._left(found, how, over=True)
        self._said.pop(name[0], None)
        self._notices.put(name[0], "")

    def _tell(self, entry: Entry, text: str, severity: Severity) -> str:
        """The same sentence once; returns it."""
        if _name(entry) in self._found:
            self._left(entry, text, over=False)
        if self._said.get(entry.key) != text:
            self._said[entry.key] = text
            self._engine.say(entry.device, text, severity)
        return text

    async def _entries(self) -> Sequence[Entry] | None:
        """What the journal holds; whose entries were asked for is owed from now on. None: it cannot be read."""
        asked = set(self._asked)  # what is asked for later may not be in what is read now
        try:
            entries = await asyncio.to_thread(self._journal.entries)
        except JournalError as error:
            self._asked |= asked
            self._say_unread(str(error))
            return None
        for entry in entries:
            if None in asked and not self._journal.signed(entry):
                self._found[_name(entry)] = entry
                self._owed.add(_name(entry))
            if any(device is not None and self._of(entry, device) for device in asked):
                self._owed.add(_name(entry))
        self._asked = self._asked | asked if self._journal.unread else self._asked - asked
        self._say_unread("; ".join(self._journal.unread))
        self._announce()
        return entries

    def _say_unread(self, why: str) -> None:
        if why != self._unread:
            self._unread = why
            self._notices.disk("the way back of each miner", why, _COSTS, "read")

    def _announce(self) -> None:
        """Say what was set aside since the last time, by whomever of us read it."""
        new = self._journal.problems[self._announced :]
        self._announced += len(new)
        for problem in new:
            self._engine.damaged(f"journal: {problem}")


def ended(how: str) -> str:
    """What to say of a way back that has ended."""
    return f"its way back has ended: {how}"


def not_yet(why: str) -> str:
    """What to say of one that has not."""
    return f"its baseline is not restored yet: {why}"


def _name(entry: Entry) -> tuple[str, float]:
    return entry.key, entry.at_s

"""The only path to hardware. Every write passes here: one order at a time a device, judged by ``safety.kernel``.

    claim → look → is it the right device? → decide → baseline into the journal → write ONE step → look until it shows
                                                ↑                                                     │
                                                └──────────── decide anew before each further step ───┘

A step that raises is thus always backed by a reading taken after the step before it. Nothing is resent blindly, and no
answer is believed without a read-back. ``conclude`` and ``restore`` lead a device back to its baseline and close its
journal entry once two readings prove it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from minertui.engine import facts, taking
from minertui.engine.command_log import CommandLog
from minertui.engine.deeds import AllDeeds
from minertui.engine.desk import Desk, disturbing
from minertui.engine.facts import LAST_RESORT, UNSURE, is_it, new_entry, not_there, planned, set_since, stranger
from minertui.engine.journal import Entry, Journal, JournalError, key_of
from minertui.engine.stepping import Line as Line
from minertui.engine.stepping import off_loop
from minertui.engine.walk import Walker
from minertui.engine.way_back import WayBack, in_place_of
from minertui.model.commands import CommandRecord, Order, Outcome, OutcomeState, Rank, SetFan, Tune, Word
from minertui.model.errors import DeviceError, JobError
from minertui.model.fleet import Health, Snapshot
from minertui.model.seams import Clock
from minertui.safety import kernel, raising
from minertui.safety.calm import Calm
from minertui.safety.request import Request, may_lift_park
from minertui.safety.settings import Settings
from minertui.safety.steps import Refusal, Steps

_REMEMBERED = 1000


class Arbiter:
    """``line`` gives the Line of a device's name and raises DeviceError or KeyError for an unknown one."""

    def __init__(
        self, clock: Clock, journal: Journal, line: Callable[[str], Line], log: CommandLog | None = None
    ) -> None:
        """``log``: where the writes of the way back are kept; those of orders are their sender's to keep."""
        self._clock, self._journal, self._line, self._log = clock, journal, line, log
        self._desks: dict[str, Desk] = {}
        self._deeds = AllDeeds(clock.boot())
        self._orders: OrderedDict[str, asyncio.Task[CommandRecord]] = OrderedDict()
        self._ending = ""
        self.cut: set[str] = set()  # devices whose order was made to end on its way up: they are to be led back

    # who may ------------------------------------------------------------------------------------------------------

    def claim(self, device: str, rank: Rank, holder: str) -> None:
        """Hold a device for a job. A lower rank loses it: its next order raises Preempted. Raises JobError, saying who
        holds it, when an equal or higher rank does."""
        self._desk(device).claim(rank, holder)

    def release(self, device: str, holder: str) -> None:
        """The job is done with the device; call it also after Preempted."""
        self._desk(device).release(holder)

    def guard(self, device: str, holder: str, calm: Calm) -> None:
        """A guard watches the device until ``release``: what it takes away is given back only when this is reached."""
        self._desk(device).guard(holder, calm)

    async def asks(self, device: str) -> None:
        """What the device's guard asks goes into the journal too, where it changed the device: a crash must not give
        back by older numbers. Waits for nobody's turn. Raises JournalError."""
        walker = self._walker(device)
        if calm := walker.desk.calm():
            await off_loop(partial(self._journal.ask, key := key_of(walker.line.snapshot()), calm))
            walker.desk.asks(key, calm)

    def hear(self, device: str, holder: str) -> Word:
        """What a person ordered of the device last. From now on what ``holder`` orders is taken to know of it: without
        that it would be refused, but for a lower frequency."""
        return self._desk(device).hear(holder)

    def stop(self, device: str, holder: str) -> None:
        """The holder was asked to end: an order of it that climbs stops at its next look, and none raises any more."""
        self._desk(device).stop(holder)

    def check(self, device: str, rank: Rank, holder: str) -> None:
        """Raises Preempted when a higher rank took the device from this holder."""
        self._desk(device).check(rank, holder)

    def clear(self, device: str, rank: Rank = Rank.PERSON) -> None:
        """Lift a park; or accept another board, on which nothing goes on that was begun on the one before. Raises
        JobError for anybody but a person."""
        if not may_lift_park(rank):
            raise JobError(f"{device} is parked; only a person clears it")
        walker = self._walker(device)
        if walker.line.snapshot().health is Health.STRANGER:
            walker.desk.accept(self._deeds.unknown())
        walker.line.unpark()

    def renamed(self, old: str, new: str) -> None:
        """What was done to a board goes with its name: of one that tells no MAC nothing else says that it is it."""
        was, now = self._desk(old), self._desk(new)
        if was.deeds.mac is None and not now.deeds.wrote_s:
            now.deeds, was.deeds = was.deeds, now.deeds

    # orders -------------------------------------------------------------------------------------------------------

    async def execute(self, order: Order) -> CommandRecord:
        """Carry an order out and say how it ended: applied, refused or unknown.

        The same id is one order: asked twice, also while it runs, it is done once. A caller that is cancelled does not
        cut the order short. Raises Preempted when a higher rank took the device from ``order.by``.
        """
        task = self._orders.get(order.id)
        if task is None:
            task = asyncio.create_task(self._execute(order), name=f"order {order.id}")
            task.add_done_callback(_seen)
            self._orders[order.id] = task
            self._desk(order.device).carries(task)
            self._forget()
        return await asyncio.shield(task)

    def end(self) -> None:
        """The engine ends: whatever climbs stops at its next look, and nothing is raised any more but on a way back."""
        self._ending = "the engine is stopping"

    async def drain(self, device: str = "") -> None:
        """Wait until no order is on its way, of this device or (empty) of any."""
        mine = self._desk(device).orders if device else self._orders.values()
        running = [task for task in mine if not task.done()]
        if running:
            await asyncio.wait(running)

    async def _execute(self, order: Order) -> CommandRecord:
        walker = self._walker(order.device)
        desk = walker.desk
        outcome = await self._stand_back(order, walker)
        if outcome is None and order.dry_run:
            outcome = await self._carry_out(order, walker)  # a question waits for nobody
        elif outcome is None:
            with desk.speaking(order):
                outcome = await self._in_turn(order, walker)
        return CommandRecord(order, self._clock.wall(), outcome)

    async def _in_turn(self, order: Order, walker: Walker) -> Outcome:
        desk, snapshot = walker.desk, walker.line.snapshot()
        disturbs, presses = disturbing(order, snapshot.status), desk.presses(order, snapshot)
        with desk.waiting(order, disturbs=disturbs and presses):
            await desk.turn.acquire()
        try:
            desk.check(order.rank, order.by)
            presses = presses and desk.presses(order, walker.line.snapshot())
            if desk.unheard(order) and not presses:
                return Outcome(OutcomeState.REFUSED, "a person ordered something else in the meantime")
            ends = desk.ends(order.rank) if disturbs else None
            if disturbs:
                desk.oust(order.rank)
            return taking.has_ended(await self._carry_out(order, walker), ends)
        finally:
            desk.turn.release()

    async def _stand_back(self, order: Order, walker: Walker) -> Outcome | None:
        """Refusals before its turn: behind a holder, or an order that would oust a job only to be refused."""
        desk, snapshot = walker.desk, walker.line.snapshot()
        desk.check(order.rank, order.by)
        if not disturbing(order, snapshot.status):
            return None
        objection = desk.objection(order)
        lowering = order.rank is Rank.PERSON and kernel.lowers(order.command, snapshot.status)
        if objection and not lowering:
            return Outcome(OutcomeState.REFUSED, objection)
        if not desk.held_lower(order.rank):
            return None
        request = walker.request(order, snapshot, None, desk.kept, journalled=True)
        if not isinstance(kernel.decide(taking.whole(request, desk.kept)), Refusal):
            return None
        asked = await self._ask(order, walker, turn=False)  # the reading at hand may be too old
        early, wrong = kernel.decide(taking.whole(*asked)), stranger(walker.line, asked[0].snapshot)
        return Outcome(OutcomeState.REFUSED, wrong or early.reason) if isinstance(early, Refusal) else None

    async def _carry_out(self, order: Order, walker: Walker) -> Outcome:
        request, entry = await self._ask(order, walker, turn=not order.dry_run)
        wrong = stranger(walker.line, request.snapshot) or walker.desk.begun_elsewhere(order)
        if wrong:
            return Outcome(OutcomeState.REFUSED, wrong)
        if entry is not None and not order.dry_run and set_since(entry, order.rank, request):
            with contextlib.suppress(JournalError):  # it stays then, and with it the doubt: only what lowers is written
                await walker.close(entry)
            request, entry = await self._ask(order, walker, turn=True)
        request = taking.whole(request, entry)
        decision = kernel.decide(request)
        if isinstance(decision, Refusal):
            if decision.park and not order.dry_run:
                walker.line.park(decision.reason)
            return Outcome(OutcomeState.REFUSED, decision.reason)
        if order.dry_run:
            told = taking.remarks(order, walker.desk, request, entry)
            return Outcome(OutcomeState.DRY_RUN, told, planned(request.command, request.snapshot))
        if not decision.steps:
            return await self._so_already(order, entry, request.snapshot)
        try:
            opened = await self._open(order, request, entry, decision)
        except JournalError as error:
            return Outcome(OutcomeState.REFUSED, str(error))
        outcome = await walker.walk(request, opened, order.by, partial(self._ends, walker, order.by))
        return await self._ended(order, entry, opened, outcome, walker.line.snapshot(), walker.cut)

    def _ends(self, walker: Walker, by: str = "") -> str:
        """Why an order of ``by`` raises nothing more, or (empty) the way to what a job found; empty when it may."""
        return self._ending or walker.line.ends or walker.desk.stopped(by)

    async def _so_already(self, order: Order, entry: Entry | None, snapshot: Snapshot) -> Outcome:
        """Nothing to write. What a person orders is what they want all the same, and has no way back any more."""
        if not snapshot.answered:
            why = raising.because(snapshot.why)
            return Outcome(OutcomeState.UNKNOWN, f"it does not answer now{why}; it was so when it answered last")
        return await self._ended(order, entry, entry, Outcome(OutcomeState.APPLIED, "it is so already"), snapshot)

    async def _ask(self, order: Order, walker: Walker, *, turn: bool) -> tuple[Request, Entry | None]:
        sure = not turn or not isinstance(order.command, Tune | SetFan)
        snapshot, before, sure = await walker.look_twice(sure=sure)
        try:
            entry = await walker.entry(snapshot, turn=turn)
            journalled = await off_loop(self._journal.writable)
        except JournalError as error:
            request = walker.request(order, snapshot, before, None, journalled=False)
            return replace(request, doubt=str(error)), walker.desk.remembered(key_of(snapshot))
        request = walker.request(order, snapshot, before, entry, journalled=journalled)
        return (request if sure else replace(request, doubt=UNSURE)), entry

    # the journal --------------------------------------------------------------------------------------------------

    async def _open(self, order: Order, request: Request, entry: Entry | None, steps: Steps) -> Entry | None:
        """The baseline on disk before the first change; an entry that is history gives way to it. What only goes down
        goes without, when the disk is full or nobody knows what it ran; the last resort always does: the settings
        before it are the ones that are too hot."""
        last_resort = order.by == LAST_RESORT and order.rank is Rank.SAFETY  # its name alone, anybody can give
        if last_resort or not isinstance(order.command, Tune | SetFan):
            return entry
        snapshot = request.snapshot
        if request.doubt == UNSURE or (snapshot.status and raising.under_floor(snapshot.status, request.baseline)):
            return entry
        if order.rank is Rank.PERSON and isinstance(order.command, SetFan):
            return entry
        try:
            calm = self._desk(order.device).calm(order.by)
            new = new_entry(snapshot, order.by, order.rank, order.command, calm)
            new, instead = in_place_of(entry, new, snapshot, order.rank)
            opened = await off_loop(partial(self._journal.open_entry, new, instead=instead))
            self._desk(order.device).kept = opened
            return opened
        except JournalError:
            if any(step.raises for step in steps.steps):
                raise
            return entry

    async def _ended(
        self, order: Order, was: Entry | None, entry: Entry | None, outcome: Outcome, last: Snapshot, cut: str = ""
    ) -> Outcome:
        """What became of the order; a journal that refuses does not change what the miner was seen to do. One that was
        ``cut`` short was not refused for its own sake, and nobody chose where it stands: its way back stays."""
        if cut and entry is not None:
            self.cut.add(order.device)
            return replace(outcome, reason=f"{outcome.reason}; the way back to {entry.baseline.tune_text} is kept")
        if order.rank is Rank.PERSON and isinstance(order.command, Tune) and outcome.ok:
            self._desk(order.device).arrived(last)
        try:
            await self._rebase(order, was, entry, outcome, last)
        except JournalError as error:
            text = f"{error}, so the next start of the engine may lead it back"
            return replace(outcome, reason="; ".join(part for part in (outcome.reason, text) if part))
        return outcome

    async def _rebase(
        self, order: Order, was: Entry | None, entry: Entry | None, outcome: Outcome, last: Snapshot
    ) -> None:
        """A person's settings are the new baseline: nothing is to be brought back any more. Of a person's order that
        ended in doubt the entry stays; of one that was refused a job's, and that of an earlier order in doubt when the
        refused one moved nothing."""
        if order.rank is not Rank.PERSON or last.status is None or facts.keeps_limit(order, entry):
            return
        if isinstance(order.command, SetFan) and outcome.ok and entry is not None:
            mhz, mv = entry.baseline.frequency_mhz, entry.baseline.core_mv
            kept = replace(Settings.of(last.status), frequency_mhz=mhz, core_mv=mv)
            await off_loop(partial(self._journal.rebase, entry.key, kept))
            self._desk(order.device).rebased(entry.key, kept)
        if isinstance(order.command, Tune) and order.command != Tune():
            away = entry is not None and was is not None and entry.baseline != was.baseline
            own = was is None or (was.rank is Rank.PERSON and (away or bool(outcome.changes)))
            if outcome.ok or (own and entry is not None and outcome.state is OutcomeState.REFUSED):
                await self._walker(order.device).end(key_of(last) if entry is None else entry.key)

    # the way back -------------------------------------------------------------------------------------------------

    async def conclude(self, device: str, settings: Tune | None, by: str) -> Outcome:
        """End a job's changes: lead the device to ``settings`` (None: its baseline), prove them in two readings, close
        its journal entry. Not ok: the entry is kept, and the caller tries again later.

        What a person set in the meantime stays, and settings that somebody else lowered are never raised again.
        """
        walker = self._walker(device)
        async with walker.desk.turn:
            taker = walker.desk.was_ousted(by)
            way = WayBack(self._clock, walker, self._log, partial(self._ends, walker))
            return await way.conclude(settings if taker is None else None, by)

    def origin(self, device: str) -> Settings | None:
        """What the device ran before this program raised it; None where it is not above that any more."""
        walker = self._walker(device)
        deeds, status = walker.desk.deeds, walker.line.snapshot().status
        if deeds.origin is not None and status is not None and Settings.of(status).nowhere_above(deeds.origin):
            deeds.origin = None
        return deeds.origin

    def taker(self, device: str, holder: str) -> Rank | None:
        """The rank that took the device from this holder, until it releases."""
        return self._desk(device).was_ousted(holder)

    async def left(self, device: str) -> Entry | None:
        """What is to be brought back once the order on its way is done; None: nothing. Raises JournalError."""
        walker = self._walker(device)
        async with walker.desk.turn:
            return await walker.entry(walker.line.snapshot()) or walker.desk.elsewhere

    def strays(self) -> list[Entry]:
        """The ways back of boards that are not what they were called any more when a job still worked on them, each
        told once."""
        found = [entry for desk in self._desks.values() for entry in desk.strays]
        for desk in self._desks.values():
            desk.strays.clear()
        return found

    def meant(self, entry: Entry) -> bool:
        """May the device of this name be the one of the entry?"""
        return self.mac_of(entry.device) in (None, entry.mac)

    async def restore(self, entry: Entry, devices: Sequence[str] = (), *, now: bool = False) -> Outcome:
        """Lead the device of a journal entry back to its baseline. It is looked for under its name, then among
        ``devices``, and believed by its MAC alone. Absent: the entry is kept. ``now``: a person does not want to wait
        until it is as cool as its guard asks; the limits in force hold all the same."""
        for name in dict.fromkeys((entry.device, *devices)):
            try:
                walker = self._walker(name)
            except DeviceError:
                continue
            known = walker.line.expected_mac
            if known not in (None, entry.mac) or (known is None and name != entry.device):
                continue  # another one, or its first poll will tell; asking all takes a deadline for each that hangs
            async with walker.desk.turn:
                kept = walker.known(await off_loop(partial(self._journal.read, entry.key)))
                if kept is None or kept.at_s != entry.at_s:  # closed, or another's, while we waited for the turn
                    return Outcome(OutcomeState.APPLIED, "nothing of ours is left to bring back")
                snapshot, _ = await walker.look()
                if is_it(kept, snapshot):
                    if job := walker.desk.ends(Rank.PERSON):  # it may have another name than in the entry
                        return Outcome(OutcomeState.UNKNOWN, f"{job} works on it as {name}; its way back is kept")
                    way = WayBack(self._clock, walker, self._log, partial(self._ends, walker))
                    return await way.bring(kept, snapshot, None, kept.reason, hold=not now)
        return Outcome(OutcomeState.UNKNOWN, not_there(entry, self.mac_of(entry.device)))

    async def restore_all(self, devices: Sequence[str] = ()) -> tuple[tuple[Entry, Outcome], ...]:
        """Restore whatever an earlier run left behind; for the start of an engine. Entries that are not ok stay."""
        entries = await off_loop(self._journal.entries)
        return tuple([(entry, await self.restore(entry, devices)) for entry in entries])

    def _desk(self, device: str) -> Desk:
        return self._desks.setdefault(device, Desk(device, self._deeds.unknown()))

    def mac_of(self, device: str) -> str | None:
        """Whom this name means; None where nobody knows."""
        try:
            return self._line(device).expected_mac
        except LookupError:
            return None

    def _walker(self, device: str) -> Walker:
        try:
            line = self._line(device)
        except LookupError:
            raise DeviceError(device, "there is no miner of this name in the config") from None
        desk = self._desk(device)
        desk.deeds = self._deeds.of(line.expected_mac, desk.deeds)
        return Walker(self._clock, self._journal, line, desk)

    def _forget(self) -> None:
        done = [order_id for order_id, task in self._orders.items() if task.done()]
        for order_id in done[: max(0, len(self._orders) - _REMEMBERED)]:
            del self._orders[order_id]


def _seen(task: asyncio.Task[CommandRecord]) -> None:
    """Its caller may be gone: an exception is then nobody's, and not worth a warning."""
    if not task.cancelled():
        task.exception()

"""Taking a device somewhere, step by step: each further step is decided anew on a reading from after the one before.
What somebody else, or the firmware, changes between two steps is not raised again on the same way. Whoever wants the
climb to end (the engine, the job, the config) is heard at each look, and each second between two steps.

The caller holds the desk's turn. The baseline is in the journal before the first step, and every write is noted there
before it is sent, so that a crash at any moment leaves a file that tells the baseline and what was ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from minertui.engine import stepping
from minertui.engine.desk import Desk
from minertui.engine.facts import agree, changed_since, doubt, fan_alone, foreign, moved, recent, stranger
from minertui.engine.journal import Entry, Journal, JournalError, key_of
from minertui.engine.stepping import Line, Taken, off_loop
from minertui.model.commands import Order, Outcome, OutcomeState, Rank, SetFan, Tune
from minertui.model.errors import Preempted
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import Limits
from minertui.model.seams import Clock
from minertui.model.status import Ability, MinerStatus
from minertui.safety import kernel, limits, raising, samples
from minertui.safety.request import Request, goes_up
from minertui.safety.settings import Settings
from minertui.safety.steps import NEAR_MHZ, Refusal, Step, Steps, ramp_s

_DWELL_S, _LEAST_S = 1.0, 0.1
_AGAIN = 3
_WARM_MOST_S = 180.0  # so long one step of a climb is waited for
_CLIMB_MOST_S = 480.0  # and so long all of them; whoever ordered it waits for the answer
_OVERTAKEN_MOST = 3  # polls that came between a decision and its write, one after the other


class _Way(msgspec.Struct):
    """One walk: the question as it was asked last, who asks, and how far it came."""

    request: Request
    entry: Entry | None
    by: str
    start: Snapshot
    last: Snapshot
    began: bool = False  # something was written
    raised: bool = False
    overtaken: int = 0

    def refused(self, why: str) -> Outcome:
        """How it ends where it is."""
        return Outcome(OutcomeState.REFUSED, f"stopped on the way: {why}" if self.began else why)


def never() -> str:
    """Nothing ends the way."""
    return ""


class Walker:
    """One device on its way: its line, its desk and the journal that covers it. ``cut``: why the last walk ended before
    it was there, where somebody wanted it to end."""

    def __init__(self, clock: Clock, journal: Journal, line: Line, desk: Desk) -> None:
        self.line, self.desk, self.journal = line, desk, journal
        self._clock, self._climb_until_s = clock, 0.0
        self._ends: Callable[[], str] = never
        self._accepted = desk.accepted
        self.cut = ""

    @property
    def replaced(self) -> str:
        """Why nothing that this one began goes on; empty while it is the same board."""
        same = self._accepted == self.desk.accepted
        return "" if same else f"another board was accepted as {self.line.name} since this began"

    async def entry(self, snapshot: Snapshot, *, turn: bool = True) -> Entry | None:
        """The way back of the device in this reading. What somebody deleted or damaged while a job works on it is
        written again; where none does, what is gone is gone. Without the device's ``turn`` nothing is written, nor
        remembered: whoever has it may be ending this way back just now. Raises JournalError."""
        key = key_of(snapshot)
        found, kept = self.known(await off_loop(partial(self.journal.read, key))), self.desk.kept
        lost = found is None and kept is not None and kept.key == key and self.desk.worked
        if turn and lost and kept is not None:
            await off_loop(partial(self.journal.again, kept))
        elif turn:
            if kept is not None and kept.key != key and self.desk.worked and snapshot.status is not None:
                self.desk.stray(kept)
            self.desk.kept = found
        return kept if lost else found

    def known(self, entry: Entry | None) -> Entry | None:
        """The way back that the journal holds, with what it refused to note: that is ours too, and nobody else's."""
        unkept = self.desk.deeds.unkept
        return msgspec.structs.replace(entry, ours=(*entry.ours, *unkept)) if entry and unkept else entry

    async def close(self, entry: Entry) -> None:
        """There is nothing to bring back any more. Raises JournalError; also where another board showed that."""
        if self.replaced:
            raise JournalError(self.replaced)
        await off_loop(partial(self.journal.close, entry.key))
        self.desk.kept, self.desk.deeds.unkept = None, ()

    async def end(self, key: str) -> None:
        """A person's word ends the way back of this key, if there is one; also where the disk keeps it, or does not
        tell what it keeps: as long as this engine lives. Raises JournalError then."""
        try:
            if await off_loop(partial(self.journal.read, key)) is not None:
                await off_loop(partial(self.journal.close, key))
        except JournalError:
            await off_loop(partial(self.journal.revoke, key))
            raise
        finally:
            self.desk.kept, self.desk.deeds.unkept = None, ()

    async def look(self) -> tuple[Snapshot, Snapshot]:
        """A new reading, taken after the last change settled, and the one before it."""
        before = self.line.snapshot()
        snapshot = await stepping.look(self.line)
        settled_s = self.desk.deeds.settled_s
        if settled_s is not None and (snapshot.boot_s is None or snapshot.boot_s <= settled_s):
            await self._clock.sleep(_DWELL_S)
            snapshot = await stepping.look(self.line)
        return snapshot, before

    async def look_twice(self, *, sure: bool) -> tuple[Snapshot, Snapshot, bool]:
        """As ``look``, and unless any reading will do (``sure``) again until two in a row agree on frequency and
        voltage, or one shows what is known to be ours, a few times; and whether they do."""
        snapshot, before = await self.look()
        kept = self.desk.remembered(key_of(snapshot))
        ours = kept is not None and not foreign(kept, snapshot)
        sure = sure or ours or agree(before, snapshot)
        for _ in range(_AGAIN):
            if sure:
                break
            await self._clock.sleep(_DWELL_S)
            last, snapshot = snapshot, await stepping.look(self.line)
            sure = agree(last, snapshot)
        return snapshot, before, sure

    async def ask(self, order: Order, entry: Entry | None) -> Request:
        """Look at the device and put all that the kernel needs into a request."""
        snapshot, before = await self.look()
        journalled = await off_loop(self.journal.writable)
        return self.request(order, snapshot, before, entry, journalled=journalled)

    def request(
        self, order: Order, snapshot: Snapshot, before: Snapshot | None, entry: Entry | None, *, journalled: bool
    ) -> Request:
        """The kernel's question for this order. A job that finds somebody else's settings may only lower."""
        asked = Request(
            command=order.command,
            rank=order.rank,
            snapshot=snapshot,
            now_s=0.0,
            journalled=journalled,
            baseline=entry.baseline if entry else None,
            raised_s=tuple(self.desk.deeds.raised_s),
            restarted_s=tuple(self.desk.deeds.restarted_s),
            doubt=doubt(entry, order.rank, snapshot),
            confirmed=order.confirmed,
            within=order.within,
        )
        return self._anew(asked, snapshot, before)

    async def walk(self, request: Request, entry: Entry | None, by: str, ends: Callable[[], str] = never) -> Outcome:
        """Take the steps of the request's command until none is left, and say what the readings prove. ``ends``: why
        nothing more is raised, asked again and again; empty as long as it may be. What lowers is done all the same.

        Raises Preempted when a higher rank wants the device.
        """
        self._ends, self.cut = ends, ""
        self._beware(request.snapshot.status)
        request = await self._at_rest(self._anew(request, request.snapshot, None, before_too=True), by)
        way = _Way(request, entry, by, request.snapshot, request.snapshot)
        self._climb_until_s, end = self._clock.boot() + _CLIMB_MOST_S, None
        decision = kernel.decide(request)
        while end is None and isinstance(decision, Steps) and decision.steps:
            end = await self._further(way, decision.steps)
            decision = kernel.decide(way.request)
        if end is None:
            end = way.refused(decision.reason) if isinstance(decision, Refusal) else Outcome(OutcomeState.APPLIED)
        return msgspec.structs.replace(end, changes=moved(request.command, way.start, way.last))

    async def _further(self, way: _Way, steps: tuple[Step, ...]) -> Outcome | None:
        """Take the first of these steps and look again: how the walk ends, when it does."""
        step, request = steps[0], way.request
        self.desk.check(request.rank, way.by)
        if self.replaced:
            return way.refused(self.replaced)
        if step.raises and self._wanted_to_end():
            return way.refused(self.cut)
        taken = await self._one(step, way)
        if taken.withheld:
            return self._overtaken(step, way, taken)
        way.last, way.began, self.desk.deeds.settled_s = taken.snapshot, True, taken.snapshot.boot_s
        if not taken.ok or not isinstance(request.command, Tune):
            return Outcome(taken.state, taken.reason)
        if len(steps) == 1:
            return Outcome(OutcomeState.APPLIED, _later(way.last))
        if step.raises and _beyond(steps[1], way.entry) and (why := await self._warming(request, way.last, way.by)):
            return way.refused(why)
        way.last, before = await self.look()
        return self._again(way, before, changed_since(taken.snapshot, way.last))

    def _overtaken(self, step: Step, way: _Way, taken: Taken) -> Outcome | None:
        """A step was not sent. Where a newer reading came in the meantime, it is decided on that one."""
        seen, way.last = way.request.snapshot, self.line.snapshot()
        way.overtaken += 1
        if step.raises and self._wanted_to_end():
            return way.refused(self.cut)
        if not way.last.answered or _same(seen, way.last) or way.overtaken > _OVERTAKEN_MOST:
            return way.refused(stranger(self.line, way.last) or taken.reason)
        return self._again(way, seen, changed_since(seen, way.last))

    def _again(self, way: _Way, before: Snapshot, doubt: str) -> Outcome | None:
        """Ask anew on the reading that came last, unless it is another device's."""
        if wrong := stranger(self.line, way.last):
            return Outcome(OutcomeState.REFUSED, wrong)
        way.request = self._anew(way.request, way.last, before, doubt=way.request.doubt or doubt)
        return None

    def _wanted_to_end(self) -> bool:
        self.cut = self.cut or self._ends()
        return bool(self.cut)

    def _beware(self, status: MinerStatus | None) -> None:
        """An earlier run of this program may have been killed while a clock was on its way down: what it sent last is
        taken to be as young as this program, and to come from the highest clock there is, unless the miner tells its
        clock."""
        to_mhz = None if status is None else status.frequency_mhz
        if self.desk.deeds.tuned_s is not None or status is None or to_mhz is None:
            return
        if status.actual_mhz is None or status.actual_mhz > to_mhz + NEAR_MHZ:
            deeds = self.desk.deeds
            deeds.moving_s = max(deeds.moving_s, deeds.began_s + ramp_s(limits.HIGHEST_MHZ, to_mhz))

    async def _at_rest(self, request: Request, by: str) -> Request:
        """Wait until what an order that was cut short wrote last is over, and look again: a clock may still be on its
        way down, and needs its voltage. What only brings the clock down does not wait."""
        decision = kernel.decide(request)
        step = decision.steps[0] if isinstance(decision, Steps) and decision.steps else None
        if step is None or not isinstance(step.command, Tune) or (step.command.core_mv is None and not step.raises):
            return request
        if self._clock.boot() >= self.desk.deeds.moving_s:
            return request
        while (left_s := self.desk.deeds.moving_s - self._clock.boot()) > 0:
            await self._clock.sleep(min(_DWELL_S, max(left_s, _LEAST_S)))
            self._give_way(request.rank, by)
        return self._anew(request, *await self.look())

    def _give_way(self, rank: Rank, by: str) -> None:
        self.desk.check(rank, by)
        if self.desk.outranked(rank):
            raise Preempted(f"{self.line.name}: a higher rank took the device before a change was over")

    async def _warming(self, request: Request, then: Snapshot, by: str) -> str:
        """Wait until the heat of the last raising step shows and leaves room for one more; empty when it does, else why
        not. A higher rank interrupts it at once, and so does another order of the same."""
        rules = request.rules
        ends_s = min(self._climb_until_s, self._clock.boot() + _WARM_MOST_S)
        while True:
            until_s = self._clock.boot() + rules.dwell_s
            while self._clock.boot() < until_s:
                await self._clock.sleep(_DWELL_S)
                self._give_way(request.rank, by)
                if self._wanted_to_end():
                    return self.cut
                if self.desk.asked_again(request.rank):
                    return "another order came"
            now = await stepping.look(self.line)
            why = _no_room(then, now, request.limits)
            if why is None and self._clock.boot() < self._climb_until_s:
                return ""
            if self._clock.boot() >= ends_s:
                return why or "the climb takes long; order it again to go on"
            then = now

    async def _one(self, step: Step, way: _Way) -> Taken:
        """Note what the device will hold, then write it."""
        seen, entry = way.request.snapshot, way.entry
        if entry is not None and seen.status is not None and isinstance(step.command, Tune | SetFan):
            now = Settings.of(seen.status)
            mine = None if foreign(entry, seen) else now
            to = (
                now.wrote(step.command)
                if mine or isinstance(step.command, Tune)
                else fan_alone(entry, now, step.command)
            )
            try:
                note = partial(self.journal.note_write, entry.key, to, mine)
                self.desk.kept = way.entry = await off_loop(note) or entry
                self.desk.deeds.unkept = ()
            except JournalError as error:
                if step.raises:
                    return Taken(OutcomeState.REFUSED, seen, str(error), withheld=True)
                if mine is not None:  # what goes on from where others lowered it stays theirs
                    self.desk.deeds.unkept = (mine, to)
                    way.entry = self.known(entry)
        if isinstance(step.command, Tune):  # a clock that is still on its way goes on from there
            left_s = self.desk.deeds.moving_s - self._clock.boot()
            step = msgspec.structs.replace(step, settle_s=max(step.settle_s, left_s))
        give_way = partial(self.desk.outranked, way.request.rank)
        taken = await stepping.take(self.line, self._clock, step, give_way, partial(self._send, step, way))
        if taken.ok:
            self.desk.deeds.moving_s = float("-inf")
        return taken

    def _send(self, step: Step, way: _Way, newest: Snapshot) -> str:
        """The step's turn at the line has come: why it is not sent after all; empty when it is, which is noted. What it
        ran before it is raised is remembered now: the write may be cut short, and has raised it all the same."""
        if why := self._objection(step, way.request, newest):
            return why
        now_s, deeds = self._clock.boot(), self.desk.deeds
        deeds.count(step.command, now_s, newest.status)
        if isinstance(step.command, Tune):
            deeds.moving_s = now_s + step.settle_s
        if step.raises and not way.raised:
            way.raised, deeds.origin = True, deeds.origin or Settings.of(way.start.status or MinerStatus())
            deeds.raised_s.append(now_s)
        return ""

    def _objection(self, step: Step, request: Request, newest: Snapshot) -> str:
        """What was decided on one reading is not sent when the newest tells something else: a raise never, what was to
        lower not where it would raise by now, and the rest not where it would be refused by now."""
        seen = request.snapshot
        if self.replaced:
            return self.replaced
        if self.line.readonly:
            return "it is configured read-only; nothing is ever written to it"
        if not step.raises:
            return self._late(step, request, newest)
        if self._wanted_to_end():
            return self.cut
        if not _same(seen, newest):
            told = "a newer reading came" if newest.answered else f"it gave no answer{raising.because(newest.why)}"
            return f"{told} while the change waited for its turn; nothing is raised on the reading before"
        old = not samples.fresh(newest, self._clock.boot())
        return "its reading grew old before the change was sent" if old else ""

    def _late(self, step: Step, request: Request, newest: Snapshot) -> str:
        """The same for what raises nothing. What lowers and was granted waits for no newer reading."""
        seen, command = request.snapshot, step.command
        if isinstance(command, Tune):
            if newest.answered and not kernel.lowers(command, newest.status):
                return "it runs lower already than what it was to be lowered to"
            if _same(seen, newest):
                return ""
        decision = kernel.decide(self._anew(msgspec.structs.replace(request, command=command), newest, seen))
        return decision.reason if isinstance(decision, Refusal) else ""

    def _anew(
        self,
        request: Request,
        snapshot: Snapshot,
        before: Snapshot | None,
        *,
        before_too: bool = False,
        doubt: str | None = None,
    ) -> Request:
        """The request on this reading, at this moment. ``doubt`` None: as before."""
        status = snapshot.status
        return msgspec.structs.replace(
            request,
            doubt=request.doubt if doubt is None else doubt,
            snapshot=snapshot,
            before=request.before if before_too else recent(before, snapshot),
            now_s=self._clock.boot(),
            readonly=self.line.readonly,
            limits=limits.effective(self.line.limits, status) if status else None,
            wrote_s=tuple(self.desk.deeds.wrote_s),
            settled_s=self.desk.deeds.settled_s,
            parked=snapshot.health is Health.PARKED,
        )


def _beyond(step: Step, entry: Entry | None) -> bool:
    """Does this step go above where the miner was at home? Up to there it is known to keep cool."""
    base, to = entry.baseline if entry else Settings(), step.command
    assert isinstance(to, Tune)  # only tunes have many steps
    return step.raises and (goes_up(to.frequency_mhz, base.frequency_mhz) or goes_up(to.core_mv, base.core_mv))


def _same(seen: Snapshot, newest: Snapshot) -> bool:
    """Is this the reading that was decided on, judged as it was then?"""
    return (seen.boot_s, seen.health, seen.limits) == (newest.boot_s, newest.health, newest.limits)


def _no_room(then: Snapshot, now: Snapshot, caps: Limits | None) -> str | None:
    if then.status is None or now.status is None or then.boot_s is None or now.boot_s is None or caps is None:
        return None
    return raising.no_room(then.status, now.status, now.boot_s - then.boot_s, caps)


def _later(last: Snapshot) -> str:
    live = last.status is None or Ability.TUNE_LIVE in last.status.abilities
    return "" if live else "stored; this firmware takes it over at the next restart"

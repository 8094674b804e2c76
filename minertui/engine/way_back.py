"""How a device gets back: to the settings a job ends with, or to its baseline; proven, then forgotten.

what is it set to now?         what is done
─────────────────────────      ──────────────────────────────────────────────────────────────
ours, or the baseline's        to the target, frequency down → voltage → frequency up
neither, nowhere above it      left alone and said so: what somebody else lowered is not raised by a program
one value of each              to the baseline: we were on the way there, and the disk refused the note
neither, somewhere above it    to the baseline, and what others lowered of it stays as low
where a person's order went    the entry is closed
short of that, nowhere above   left alone: what a person began to lower is not raised by a program
short of that, above           to the baseline
up, over a limit in force      as far as that limit: yours, lowered since, or the model's; of power: as predicted
what a guard took away         is given back when the miner is as cool as that guard asks; until then it stays lowered
Firmware that follows its settings only after a restart (AxeOS before 2.2) gets one, unless it has had it since.
"""

from __future__ import annotations

import contextlib
import math
import secrets
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from minertui.engine.command_log import CommandLog
from minertui.engine.facts import changed_from, foreign, home, stranger
from minertui.engine.journal import Entry, JournalError, key_of
from minertui.engine.signs import AWAY_S
from minertui.engine.stepping import look, off_loop
from minertui.engine.walk import Walker, never
from minertui.model.commands import Command, CommandRecord, Order, Outcome, OutcomeState, Rank, Restart, SetFan, Tune
from minertui.model.errors import Preempted
from minertui.model.fleet import Snapshot
from minertui.model.holding import GRID_MHZ
from minertui.model.plans import Limits
from minertui.model.seams import Clock
from minertui.model.status import Ability, MinerStatus
from minertui.safety import kernel, raising
from minertui.safety.calm import Calm
from minertui.safety.limits import own_power
from minertui.safety.request import goes_up
from minertui.safety.samples import hashing, hot
from minertui.safety.settings import SAME, Settings, same
from minertui.safety.steps import Refusal

_PROOFS = 2
_BETWEEN_S = 2.0
_TRIES = 6
_RESTART_S = 60.0  # a controller is back in 10 to 30 s
_WHOLE_S = 1.0  # uptimes are whole seconds


class WayBack:
    """For one device, by whoever holds its turn."""

    def __init__(
        self, clock: Clock, walker: Walker, log: CommandLog | None = None, ends: Callable[[], str] = never
    ) -> None:
        """``log`` None: what is written is not logged. ``ends``: why nothing is raised any more to what a job found;
        empty when it may be. To a baseline it is raised all the same."""
        self._clock, self._walker, self._log, self._ends = clock, walker, log, ends
        self._line, self._journal = walker.line, walker.journal

    async def conclude(self, settings: Tune | None, by: str) -> Outcome:
        """To ``settings``, or the baseline of the journal's entry; without an entry there is nothing to bring back."""
        snapshot = await look(self._line)
        if wrong := stranger(self._line, snapshot):
            return _kept(OutcomeState.REFUSED, wrong)
        if snapshot.status is None:
            return _kept(OutcomeState.UNKNOWN, f"it does not answer{_because(snapshot.why)}")
        try:
            entry = await self._walker.entry(snapshot)
        except JournalError as error:
            return _kept(OutcomeState.UNKNOWN, str(error))
        if entry is None:
            return Outcome(OutcomeState.APPLIED, self._nothing(Settings.of(snapshot.status)))
        if not snapshot.answered:
            return _kept(OutcomeState.UNKNOWN, f"it does not answer{_because(snapshot.why)}")
        return await self.bring(entry, snapshot, settings, by)

    def _nothing(self, now: Settings) -> str:
        """What to say where this board has no way back."""
        there = self._walker.desk.elsewhere
        if there is None:
            return f"nothing of ours is left to bring back; it is at {now.tune_text}"
        who = there.mac or "the one that told no MAC"
        return (
            f"another board is {self._line.name} now ({self._line.expected_mac or 'it tells no MAC'}), and stays as it "
            f"is; that of before, {who}, is led back to {there.baseline.tune_text} when it answers again"
        )

    async def bring(
        self, entry: Entry, snapshot: Snapshot, settings: Tune | None, by: str, *, hold: bool = True
    ) -> Outcome:
        """To ``settings``, or the baseline of ``entry``, whose device ``snapshot`` has just shown to be this one.
        ``hold``: what goes up waits until the miner is as cool as its guard asks; not to ``settings``, which a job
        found good at limits of its own."""
        assert snapshot.status is not None  # the caller has seen it
        if wrong := stranger(self._line, snapshot):
            return _kept(OutcomeState.REFUSED, wrong)
        now, others = Settings.of(snapshot.status), foreign(entry, snapshot)
        if text := stays(entry, snapshot):
            return await self._close(entry, text)
        if others:
            entry = await self._lowered(entry, home(entry, snapshot))
        found = settings is not None and not others
        target = _target(entry.baseline, settings) if found else homeward(entry, snapshot)
        target = kernel.storable(target, snapshot.status, snapshot.limits)
        held = await self._held(entry, target, snapshot.status) if hold and not found else ""
        rest: tuple[Command, ...] = () if held else (target, *_fan_back(entry, now))
        for command in (_down_part(target, now), *rest):
            cool = self._cool(entry) if hold and not found else None
            outcome = await self._lead(command, entry, by, self._ends if found else never, cool, now)
            if not outcome.ok:
                warm = cool and hot(self._line.snapshot().status or MinerStatus(), cool)
                return replace(_kept(outcome.state, outcome.reason), waits=bool(warm))
            entry, now = await self._noted(entry), now.wrote(command)
        if held:
            return replace(_kept(OutcomeState.REFUSED, held), waits=True)
        if why := await self._behind(entry, by, _RESTART_S if settings is None else AWAY_S):
            return _kept(OutcomeState.UNKNOWN, why)
        return await self._prove(entry, target, "" if found else _short(target, entry.baseline))

    async def _lowered(self, entry: Entry, baseline: Settings) -> Entry:
        """What others lowered is part of the way back from now on: the first step of ours hides whose doing it was."""
        if baseline != entry.baseline:
            with contextlib.suppress(JournalError):
                await off_loop(partial(self._journal.rebase, entry.key, baseline))
            entry = replace(entry, baseline=baseline)
            if self._walker.desk.kept is not None:
                self._walker.desk.kept = entry
        return entry

    async def _held(self, entry: Entry, target: Tune, status: MinerStatus) -> str:
        """Why what goes up has to wait, and for what; empty when it need not. The guard that is asked goes into the
        entry."""
        calm = self._calm(entry)
        if not (why := waits(calm, target, status)):
            return ""
        if calm != entry.calm:
            with contextlib.suppress(JournalError):
                asked = partial(self._journal.open_entry, replace(entry, calm=calm))
                self._walker.desk.kept = await off_loop(asked)
        return why

    async def _behind(self, entry: Entry, by: str, patience_s: float) -> str:
        """Restart a miner that runs something else than it has stored; why that did not help, empty when all is well.
        Its restarts are rationed, so the next try may be the one that works. A baseline is tried again; for what a job
        ends with this is the only try, so a slow one is waited for."""
        snapshot = await look(self._line)
        if self._follows(entry, snapshot):
            return ""
        outcome = await self._lead(Restart(), entry, by)
        if outcome.state is OutcomeState.REFUSED:
            return f"it has stored its settings and runs others until it restarts: {outcome.reason}"
        deadline_s = self._clock.boot() + patience_s
        while self._clock.boot() < deadline_s and not self._walker.desk.outranked(Rank.SWEEP):
            await self._clock.sleep(_BETWEEN_S)
            if self._follows(entry, await look(self._line)):
                return ""
        return "it was told to restart, and is not seen to have done so"

    def _follows(self, entry: Entry, snapshot: Snapshot) -> bool:
        """Does it run what it has stored? Live firmware does; other firmware when it started after our last write. What
        an earlier run of this program wrote may be as young as this moment."""
        status, deeds = snapshot.status, self._walker.desk.deeds
        if status is None or not snapshot.answered or snapshot.boot_s is None:
            return False
        if Ability.TUNE_LIVE in status.abilities or (deeds.tuned_s is None and not entry.ours):
            return True
        if deeds.tuned_s is None:
            deeds.tuned_s = self._clock.boot()
        if status.uptime_s is None:
            return bool(deeds.restarted_s) and deeds.restarted_s[-1] > deeds.tuned_s
        return snapshot.boot_s - status.uptime_s > deeds.tuned_s + _WHOLE_S

    def _calm(self, entry: Entry) -> Calm | None:
        """What is asked before a guard's doing is undone: by the guard that runs now, rather than by that of the
        entry."""
        return None if entry.calm is None else self._walker.desk.calm() or entry.calm

    def _cool(self, entry: Entry) -> Limits | None:
        """As cool as its guard asks, for each step of the way up: the ones before warm it."""
        calm = self._calm(entry)
        if calm is None:
            return None
        return Limits(math.nextafter(calm.chip_c, math.inf), math.nextafter(calm.vr_c, math.inf))

    async def _lead(
        self,
        command: Command,
        entry: Entry,
        by: str,
        ends: Callable[[], str] = never,
        within: Limits | None = None,
        at: Settings | None = None,
    ) -> Outcome:
        """Walk to ``command`` at the lowest rank: all gates of a raise hold on the way back too, and nothing is raised
        that is not ``at`` what it was decided on any more. What is written is in the command log; what is refused
        beforehand, and tried again for ever, is not."""
        who = self._log.by if self._log else "engine"
        order = Order(f"way-back-{secrets.token_hex(8)}", self._line.name, command, who, Rank.SWEEP, within=within)
        request = await self._walker.ask(order, entry)
        request = replace(request, doubt=changed_from(at, request.snapshot) if at else "")
        decision = kernel.decide(request)
        if isinstance(decision, Refusal):
            return Outcome(OutcomeState.REFUSED, decision.reason)
        if not decision.steps:
            return Outcome(OutcomeState.APPLIED)
        if self._log is not None:
            await self._log.intend(order)
        try:
            outcome = await self._walker.walk(request, entry, order.by, ends)
        except Preempted as error:
            outcome = Outcome(OutcomeState.UNKNOWN, str(error))
        if self._log is not None:
            why = "; ".join(text for text in (f"way back of {by}", outcome.reason) if text)
            shown = replace(outcome, reason=why)
            await self._log.ended(CommandRecord(order, self._clock.wall(), shown))
        return outcome

    async def _noted(self, entry: Entry) -> Entry:
        """The entry as it is after what was just written, which is ours too: else the next note would call it somebody
        else's, and so would whoever comes after a crash."""
        with contextlib.suppress(JournalError):
            return self._walker.known(await off_loop(partial(self._journal.read, entry.key))) or entry
        return entry

    async def _prove(self, entry: Entry, target: Tune, short: str = "") -> Outcome:
        """Two readings, each newer than the one before, that show the target."""
        want = Settings(frequency_mhz=target.frequency_mhz, core_mv=target.core_mv)
        seen, last_s = 0, self._clock.boot()
        for _ in range(_TRIES):
            await self._clock.sleep(_BETWEEN_S)
            snapshot = await look(self._line)
            if not snapshot.answered or snapshot.boot_s is None or snapshot.boot_s <= last_s:
                continue
            assert snapshot.status is not None  # it answered
            now, last_s = Settings.of(snapshot.status), snapshot.boot_s
            if not now.wrote(target).same_tune(now):
                return _kept(OutcomeState.REFUSED, f"it went to {now.tune_text} by itself")
            seen += 1
            if seen == _PROOFS:
                return await self._close(entry, f"at {now.tune_text}, proven by two readings{short}")
        return _kept(OutcomeState.UNKNOWN, f"{want.tune_text} could not be proven by two readings")

    async def _close(self, entry: Entry, text: str) -> Outcome:
        try:
            await self._walker.close(entry)
        except JournalError as error:
            return _kept(OutcomeState.UNKNOWN, str(error))
        return Outcome(OutcomeState.APPLIED, text)


def waits(calm: Calm | None, target: Tune, status: MinerStatus) -> str:
    """Why a raise to ``target`` waits, and for what, as a sentence that stays the same while it does; empty when it is
    no raise, or need not wait."""
    if calm is None or kernel.lowers(target, status) or calm.reached(status):
        return ""
    want = Settings(target.frequency_mhz, target.core_mv).tune_text
    why = f"{want} wait until {calm.text}, as its guard asks before it raises anything"
    holds_c = status.temp_target_c if status.fan_auto else None
    if holds_c is None or holds_c < calm.chip_c:
        return why
    return f"{why}; its automatic fan holds {holds_c:g} °C: lower the fan's target, or set the miner by hand"


def stays(entry: Entry, snapshot: Snapshot) -> str:
    """Why the device is not led anywhere, as a sentence; empty when it is."""
    assert snapshot.status is not None  # the caller has seen it
    now, others = Settings.of(snapshot.status), foreign(entry, snapshot)
    if others and now.nowhere_above(entry.baseline) and not _half_way(entry, now):
        return f"left as it is, not above its baseline {entry.baseline.tune_text}: {others}"
    return _wanted(entry, now) if entry.rank is Rank.PERSON else ""


def _half_way(entry: Entry, now: Settings) -> bool:
    """Is one value the baseline's and the other as we left it? So ends a way back whose step down could not be noted,
    for the disk refused, and whose engine died then."""
    was, ours = entry.baseline, entry.left
    mixed = (replace(ours, frequency_mhz=was.frequency_mhz), replace(ours, core_mv=was.core_mv))
    return entry.rank is not Rank.PERSON and any(now.same_tune(known) for known in mixed)


def in_place_of(entry: Entry | None, new: Entry, snapshot: Snapshot, rank: Rank) -> tuple[Entry, bool]:
    """The entry to open, and whether the one that is there gives way to it. That of a person's order does; so does a
    job's where somebody else or the firmware lowered the miner since, in all or one of its values, for once a program
    has lowered it further it must not lead it back over that."""
    if entry is None:
        return new, False
    left, own = stays(entry, snapshot), home(entry, snapshot)
    if entry.rank is Rank.PERSON:  # if it was cut off half way, nobody chose what it runs now
        return new if left else replace(new, baseline=own, ours=entry.ours), True
    if left and rank is not Rank.PERSON:
        return replace(new, calm=new.calm or entry.calm), True
    if own != entry.baseline and rank is not Rank.PERSON:
        return replace(entry, baseline=own, calm=new.calm or entry.calm), True
    return new, False


def _wanted(entry: Entry, now: Settings) -> str:
    """What to say when a person's order has led it here, and it may stay; empty when it may not."""
    if entry.ours and now.same_tune(entry.goal or entry.ours[-1]):
        return f"it is at {now.tune_text}, as a person wanted"
    if entry.ours and not now.same_tune(entry.baseline) and now.nowhere_above(entry.baseline):
        return f"left at {now.tune_text}, where a person's order came to; it is not above {entry.baseline.tune_text}"
    return ""


def within(target: Tune, now: Settings, limits: Limits) -> Tune:
    """The way home as far as the limits in force leave it open: the user's, which may have been lowered since, and the
    model's, which what was set at the miner's own page may be over. What goes up ends there. With less voltage than the
    baseline's its frequency is not known to do, so then nothing goes up."""
    mhz, mv = target.frequency_mhz, target.core_mv
    if mv is not None and limits.max_mv is not None and mv > limits.max_mv and goes_up(mv, now.core_mv):
        low_mhz = mhz if now.frequency_mhz is None or mhz is None else min(mhz, now.frequency_mhz)
        return Tune(low_mhz, None if now.core_mv is None else round(now.core_mv))
    if mhz is not None and limits.max_mhz is not None and goes_up(mhz, now.frequency_mhz):
        mhz = min(mhz, max(limits.max_mhz, now.frequency_mhz or 0))
    return Tune(mhz, mv)


def _short(target: Tune, baseline: Settings) -> str:
    at_it = baseline.wrote(target).same_tune(baseline)
    return "" if at_it else f"; the limits in force keep it from the {baseline.tune_text} that it ran before"


def leads_to(entry: Entry, shown: Snapshot) -> str:
    """Where the way back of a device that is ``shown`` so ends, in words: its baseline, as far as the limits in force
    leave it open."""
    if shown.status is None or key_of(shown) != entry.key:  # another board has its name by now
        return entry.baseline.tune_text
    own, target = home(entry, shown), homeward(entry, shown)
    return f"{own.wrote(target).tune_text}{_short(target, own)}"


def homeward(entry: Entry, shown: Snapshot) -> Tune:
    """Where the way back of a device that is ``shown`` so ends, as a command; of one that has answered."""
    assert shown.status is not None  # the caller has seen it
    return _bearable(within(_target(home(entry, shown), None), Settings.of(shown.status), shown.limits), shown)


def _bearable(target: Tune, shown: Snapshot) -> Tune:
    """The same for the user's own limit of power, as far as can be told from what it draws now. What the model is built
    for does not end a way back: it may have drawn more before."""
    status = shown.status
    assert status is not None  # the caller has seen it
    mhz, mv, now_mhz, now_mv = target.frequency_mhz, target.core_mv, status.frequency_mhz, status.core_mv
    if mhz is None or mv is None or not now_mhz or not now_mv or kernel.lowers(target, status):
        return target
    if not hashing(status) or not own_power(shown.limits, status):
        return target
    most = raising.growth(status.power_w, shown.limits) * now_mhz * (now_mv / mv) ** 2
    if most >= mhz:
        return target
    if most >= now_mhz:
        return Tune(max(now_mhz, most // GRID_MHZ * GRID_MHZ), mv)
    return Tune(min(mhz, now_mhz), round(min(mv, now_mv)))


def _target(baseline: Settings, settings: Tune | None) -> Tune:
    """Where to: the job's settings, filled up with the baseline's."""
    mv = None if baseline.core_mv is None else round(baseline.core_mv)
    if settings is None:
        return Tune(frequency_mhz=baseline.frequency_mhz, core_mv=mv)
    return Tune(
        frequency_mhz=baseline.frequency_mhz if settings.frequency_mhz is None else settings.frequency_mhz,
        core_mv=mv if settings.core_mv is None else settings.core_mv,
    )


def _down_part(target: Tune, now: Settings) -> Tune:
    """What of the target is lower than now: done first and for itself, because it is never refused, while a rise that
    belongs to the same target may have to wait until the miner is cool."""
    mhz, mv = target.frequency_mhz, target.core_mv
    return Tune(
        frequency_mhz=None if goes_up(mhz, now.frequency_mhz) else mhz,
        core_mv=None if goes_up(mv, now.core_mv) else mv,
    )


def _fan_back(entry: Entry, now: Settings) -> tuple[SetFan, ...]:
    """The fan's mode, when it is as we set it and not as it was."""
    ours, was = entry.left, entry.baseline
    if ours.fan_auto == was.fan_auto and same(ours.fan_pct, was.fan_pct, SAME):
        return ()
    if now.fan_auto != ours.fan_auto or was.fan_auto is None:
        return ()
    return (SetFan(auto=was.fan_auto, pct=None if was.fan_pct is None else round(was.fan_pct)),)


def _kept(state: OutcomeState, why: str) -> Outcome:
    return Outcome(state, f"{why}; the way back is kept in the journal")


def _because(why: str) -> str:
    return f" ({why})" if why else ""

"""What the guard remembers of its miner, and how it takes over what it finds there: whose decision was that?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from minertui.jobs.guard import hold, load
from minertui.jobs.guard.hold import Hold
from minertui.jobs.guard.load import Load
from minertui.model.commands import Tune, Word
from minertui.model.fleet import Snapshot
from minertui.model.plans import GuardPlan
from minertui.model.status import MinerStatus
from minertui.safety.samples import dark, hashing
from minertui.safety.settings import SAME, Settings

SAME_MHZ = 3.2
"""Half a PLL step of 6.25 MHz: what counts as the same frequency."""
_DAY_S = 86_400.0


@dataclass(frozen=True)
class Reading:
    """What one poll said: boot-time seconds and °C; None where the sensor is missing."""

    at_s: float
    chip_c: float
    vr_c: float | None


@dataclass(frozen=True)
class GuardState:
    """All that the guard remembers. Frequencies in MHz, times in seconds on the boot-time clock. ``own``: the frequency
    and voltage that somebody else chose last, whose voltage is given back before the frequency rises without a
    frontier. ``sent``: the last write, for an answer that was lost. ``heard``: how many orders of a person it knows of;
    ``ordered``: what the last of them left, and it still runs."""

    high_mhz: float | None = None  # ceiling that cool weather climbs back to
    wanted_mhz: float | None = None  # what we last saw or wrote
    changed_s: float = 0.0  # since when it is watched at work without a change
    read_s: float | None = None  # the last reading of a miner at work
    seen_s: float | None = None
    mac: str | None = None
    blind: int = 0
    yielded: bool = False  # a sweep ran at the last reading
    incidents: int | None = None
    raises: tuple[float, ...] = ()  # times of the steps up of the last day
    writes: tuple[float, ...] = ()
    readings: tuple[Reading, ...] = ()  # of the last stable_s seconds
    why: str = "waiting for the first reading"
    own: tuple[float | None, float | None] = (None, None)
    wanted_mv: float | None = None
    sent: Tune | None = None
    hold: Hold = field(default_factory=Hold)
    load: Load = field(default_factory=Load)
    by_limit: bool = False  # the write decided last is a limit's
    lowered_s: float | None = None  # when a limit lowered it last
    asked: bool = False  # for a frontier, since the start or the last sweep
    heard: int | None = None
    ordered: Settings | None = None


def another(state: GuardState, status: MinerStatus) -> bool:
    """Is this another board than the one that was seen before? A person accepted it: nothing of that one counts."""
    return state.seen_s is not None and status.mac != state.mac


def raises(state: GuardState, tune: Tune) -> bool:
    """True when ``tune`` leads above what it last saw or wrote."""
    mhz, mv = tune.frequency_mhz, tune.core_mv
    return (mhz is not None and mhz > (state.wanted_mhz or 0)) or (mv is not None and mv > (state.wanted_mv or 0))


def written(state: GuardState, tune: Tune, now_s: float) -> GuardState:
    """The state after the site applied ``tune``."""
    mhz, mv, raised = tune.frequency_mhz, tune.core_mv, raises(state, tune)
    return replace(
        state,
        readings=(),
        wanted_mhz=state.wanted_mhz if mhz is None else mhz,
        wanted_mv=state.wanted_mv if mv is None else mv,
        sent=None,
        load=load.taken(state.load, now_s),
        changed_s=now_s,
        lowered_s=now_s if state.by_limit else state.lowered_s,
        raises=today(state.raises, now_s) + ((now_s,) if raised else ()),
        writes=(*today(state.writes, now_s), now_s),
    )


def replanned(state: GuardState, was: GuardPlan, plan: GuardPlan) -> GuardState:
    """The state under another plan. The ceiling follows where the new one names another: up to it when it was raised,
    and never up when it was lowered, for what runs below it may be somebody's choice, or the firmware's."""
    if plan == was:
        return state
    high = state.high_mhz
    if plan.high_mhz not in (None, was.high_mhz) and high is not None and plan.high_mhz is not None:
        raised = plan.high_mhz > (was.high_mhz or high)
        high = plan.high_mhz if raised else min(high, plan.high_mhz)
    later = replace(state.hold, goal_mhz=None)
    return replace(state, high_mhz=high, hold=later, asked=state.asked and plan.hold, ordered=None)


def today(times: tuple[float, ...], now_s: float) -> tuple[float, ...]:
    """Those of the last 24 hours."""
    return tuple(t for t in times if now_s - t < _DAY_S)


def adopt(
    state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float, yielding: bool, word: Word
) -> GuardState:
    """Take over what the miner runs, and whose decision that was."""
    found = _found(state, plan, snapshot, now_s, yielding)
    if snapshot.status is None or snapshot.status.frequency_mhz is None:
        return found
    now = Settings.of(snapshot.status)
    if found.ordered is not None and not now.same_tune(found.ordered):
        found = replace(found, ordered=None)
    if state.heard in (None, word.n) or (snapshot.boot_s or 0.0) < word.at_s:  # this reading may be from before it
        return replace(found, heard=word.n) if state.heard is None else found
    return _obey(replace(found, heard=word.n), word, now, now_s, aside=found.own == state.own)


def _obey(state: GuardState, word: Word, now: Settings, now_s: float, *, aside: bool) -> GuardState:
    """A person ordered this; it counts also where nothing of it shows, because the miner ran so already. Where it has
    gone on from there it binds all the same, unless (not ``aside``) that was somebody else."""
    ordered, own = Settings(word.mhz, word.mv), (word.mhz, word.mv)
    if now.same_tune(ordered):
        later = replace(state.hold, goal_mhz=None, lesson=None)
        return replace(state, high_mhz=word.mhz, own=own, changed_s=now_s, hold=later, ordered=ordered)
    if not aside or word.mhz is None or state.high_mhz is None:
        return state
    return replace(state, high_mhz=min(state.high_mhz, word.mhz), own=own)


def _found(state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float, yielding: bool) -> GuardState:
    assert snapshot.status is not None
    runs, mv = snapshot.status.frequency_mhz, snapshot.status.core_mv
    tripped = state.incidents is not None and snapshot.incidents > state.incidents
    state = replace(_arrived(state, runs, mv), incidents=snapshot.incidents)
    if runs is None:
        return state
    chosen = replace(state, wanted_mhz=runs, wanted_mv=mv, own=(runs, mv), hold=replace(state.hold, goal_mhz=None))
    if state.wanted_mhz is None:
        return replace(chosen, high_mhz=plan.high_mhz or runs, changed_s=now_s)
    if tripped:
        return replace(chosen, high_mhz=runs, changed_s=now_s)
    if yielding:
        return replace(state, wanted_mhz=runs, wanted_mv=mv, yielded=True)
    if state.yielded:  # whatever the sweep left is what its owner wants now
        chosen = replace(chosen, hold=Hold(), asked=False)
        return replace(chosen, high_mhz=runs, changed_s=now_s, yielded=False)
    if abs(runs - state.wanted_mhz) < SAME_MHZ:
        return _volts_by_hand(state, mv)
    return replace(chosen, high_mhz=runs, changed_s=now_s)


def _arrived(state: GuardState, mhz: float | None, mv: float | None) -> GuardState:
    """A write whose outcome was not known is ours where it shows."""
    if state.sent is None or mhz is None:
        return state
    to_mhz, to_mv = state.sent.frequency_mhz, state.sent.core_mv
    if to_mhz is not None and abs(mhz - to_mhz) < SAME_MHZ:
        return replace(state, wanted_mhz=mhz, sent=None)
    if to_mv is not None and mv is not None and abs(mv - to_mv) <= SAME:
        return replace(state, wanted_mv=mv, sent=None)
    return state


def _volts_by_hand(state: GuardState, mv: float | None) -> GuardState:
    """Somebody else who changes the voltage alone is not fought either."""
    if mv is None or state.wanted_mv is None or abs(mv - state.wanted_mv) <= SAME:
        return replace(state, wanted_mv=mv if state.wanted_mv is None else state.wanted_mv)
    off = f"somebody else set its voltage to {mv:g} mV"
    return replace(state, wanted_mv=mv, own=(state.own[0], mv), hold=replace(state.hold, off=off, goal_mhz=None))


def remember(
    state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float, *, yielding: bool = False
) -> GuardState:
    """Take a reading in, or that a temperature of it is missing or cannot be true."""
    status = snapshot.status
    assert status is not None  # step has seen it
    held = hold.watch(state.hold, plan, status, snapshot.poll_s, now_s)
    state = replace(state, hold=held, load=load.watch(state.load, held, snapshot, now_s, yielding=yielding))
    idle = status.hashrate_ghs == 0  # without work any miner is cool
    if state.read_s is None or idle or hold.silent(plan, snapshot.poll_s, now_s - state.read_s):
        state = replace(state, readings=(), changed_s=now_s)  # unseen time is not calm: a host that slept, lost Wi-Fi
    state = replace(state, read_s=now_s)
    if status.chip_temp_c is None or (hashing(status) and dark(status)):
        return replace(state, blind=state.blind + 1)
    kept = tuple(r for r in state.readings if now_s - r.at_s <= plan.stable_s)
    reading = Reading(now_s, status.chip_temp_c, status.vr_temp_c)
    return replace(state, blind=0, readings=(*kept, reading))


def mean_chip_c(state: GuardState) -> float | None:
    """Rolling average of the chip temperature over the window, °C."""
    return sum(r.chip_c for r in state.readings) / len(state.readings) if state.readings else None

"""The thermal guard: one miner, step down at once, climb back slowly.

    reading at or over a limit        → frequency − step_down, at once; again after settle_s, or at once at limit + 5 °C
    temperature missing three times   → as hot: a miner that hashes blind is not cool; so is one that repeats itself,
                                        and one whose regulator says what cannot be true
    power over its limit, supply weak → a step down too, see ``load``; and no step up that would lead there again
    cool for stable_s on average      → frequency + step_up, never over high_mhz
    somebody else changed it          → lower: that is the new ceiling; higher: adopted (never fought), if allowed
    a person ordered something        → the same, also where it runs so already; and only a limit moves it from there
    the firmware tripped by itself    → what it left is the ceiling until a person raises it
    more voltage than a limit allows  → where a sweep left a frontier, down to what it proves with less
    a sweep runs, the miner is parked → only what lowers holds; while a sweep runs, the first two rules
    a sweep left a frontier           → after the first two rules ``hold`` moves along it, in the place of the third

``step`` is pure: it is given the snapshot and the time, and answers with what to write and why. ``run`` carries that
to the site. Behaviour taken from WhiteyCookie's Bitaxe-Temperature-Control, whose defects are mended: the floor is
really reached, no command is sent twice, nothing restarts, the regulator counts too, the baseline is given back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import msgspec

from minertui.jobs.guard import load
from minertui.jobs.guard.along import along, less_volts, own_volts, under_volts, usable
from minertui.jobs.guard.hold import LEAST_MHZ, recalled
from minertui.jobs.guard.load import Load
from minertui.jobs.guard.state import (
    SAME_MHZ,
    GuardState,
    adopt,
    another,
    mean_chip_c,
    raises,
    remember,
    replanned,
    today,
    written,
)
from minertui.model.commands import OutcomeState, Tune, Word
from minertui.model.errors import Preempted, Stopped
from minertui.model.fleet import Health, Snapshot
from minertui.model.frontier import Known
from minertui.model.holding import GRID_MHZ, floor_mhz, target_c
from minertui.model.plans import GuardEnd, GuardPlan, GuardView, Limits, Phase
from minertui.model.seams import Site
from minertui.model.status import MinerStatus
from minertui.safety.limits import own_power
from minertui.safety.samples import dark, hashing, overloaded

_URGENT_C = 5.0  # this far over the limit a second step does not wait for the first one's effect
_BLIND_POLLS = 3  # safety rule: three invalid readings in a row count as hot
_NO_WORD = Word()
_NEVER_ANSWERED = "it never answered, so it was not guarded and nothing was changed"


class GuardSite(Site, Protocol):
    """What the guard needs beyond a Site."""

    def yielding(self) -> bool:
        """True while another job (a sweep) changes this device: the guard then only steps down."""
        ...

    def word(self) -> Word:
        """What a person ordered of this device last."""
        ...

    async def renewed(self, plan: GuardPlan) -> GuardPlan:
        """What the plan has become: another config, or other limits in force, make another one of it."""
        ...

    async def known(self) -> Known | None:
        """The frontier that the newest sweep left of this board; None without one."""
        ...

    async def room(self) -> tuple[float, float] | None:
        """What a guard of this board learned of its room, °C, and how long ago, seconds; None: nothing."""
        ...

    async def keep_room(self, room_c: float) -> None:
        """Keep what was learned just now, °C, over the end of the engine."""
        ...


def step(
    state: GuardState,
    plan: GuardPlan,
    snapshot: Snapshot,
    now_s: float,
    yielding: bool = False,
    word: Word = _NO_WORD,
) -> tuple[GuardState, Tune | None]:
    """The decision at one poll: the new state, and what to write (None: nothing). ``word``: a person's newest order."""
    status = snapshot.status
    if not snapshot.answered or status is None or snapshot.boot_s == state.seen_s:
        return replace(state, why=f"no fresh reading: {snapshot.why or snapshot.health}"), None
    state = replace(GuardState() if another(state, status) else state, seen_s=snapshot.boot_s, mac=status.mac)
    if snapshot.stuck:  # its values stand still, so they say nothing
        status = msgspec.structs.replace(status, chip_temp_c=None, vr_temp_c=None, power_w=None, input_mv=None)
        snapshot = msgspec.structs.replace(snapshot, status=status)
    if why := _idle(plan, status, snapshot.limits):
        stretch = replace(state.hold, since_s=None, goal_mhz=None)
        idle = replace(state.load, over=0, starved=0)
        return replace(state, blind=0, read_s=None, readings=(), hold=stretch, load=idle, why=why), None
    state = remember(adopt(state, plan, snapshot, now_s, yielding, word), plan, snapshot, now_s, yielding=yielding)
    down = _down(state, plan, snapshot, now_s)
    if down is None:
        return _not_hot(replace(state, by_limit=False), plan, snapshot, now_s, yielding, word)
    hot, tune = down
    if tune is not None:
        return replace(hot, by_limit=True, ordered=None), tune
    hot = replace(hot, by_limit=False)
    return (hot, None) if yielding else _hot(hot, plan, snapshot, now_s, word)


def _idle(plan: GuardPlan, status: MinerStatus, limits: Limits) -> str:
    """Why nothing is decided; empty when it is. A flag outlasts its overheat until somebody clears it, and by then
    somebody may have set the miner: what hashes at a limit is lowered all the same."""
    if status.paused:
        return "paused"
    heavy = own_power(limits, status) and overloaded(status, limits)
    cooling = status.overheat and not (hashing(status) and (heavy or _too_warm(plan, status)))
    return "the firmware handles an overheat" if cooling else ""


def _hot(
    state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float, word: Word
) -> tuple[GuardState, Tune | None]:
    """What is done while a limit is crossed and no step of the frequency is due for it."""
    under = None if word.pending else under_volts(state, plan, snapshot, now_s)
    return under if under is not None and under[1] is not None else less_volts(state, plan, snapshot, now_s)


def _not_hot(
    state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float, yielding: bool, word: Word
) -> tuple[GuardState, Tune | None]:
    """What is done while no temperature asks for less."""
    assert snapshot.status is not None  # step has seen it
    if not (yielding or word.pending) and (under := under_volts(state, plan, snapshot, now_s)) is not None:
        return under
    if why := _only_watches(state, snapshot, yielding, word):
        return replace(state, why=why), None
    state, why, tune = usable(state, plan, snapshot, now_s)
    if tune is not None:
        return state, tune
    if not why and state.hold.known is not None:
        return along(state, plan, snapshot, now_s)
    state, tune = _up(state, plan, snapshot, now_s)
    return (replace(state, why=f"{state.why}; not along its frontier: {why}") if why else state), tune


def _only_watches(state: GuardState, snapshot: Snapshot, yielding: bool, word: Word) -> str:
    """Why nothing but a limit moves it now; empty when that is not so."""
    if yielding:
        return "a sweep runs: watching only"
    if snapshot.health is Health.PARKED:
        return "parked: only lowered until a person clears it"
    if word.pending:
        return "your order is on its way: watching only"
    return "" if state.ordered is None else f"at {state.ordered.tune_text}, as you ordered; only a limit lowers it"


def _over(
    state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float
) -> tuple[float, str, Load | None] | None:
    """By how many °C which limit is crossed; 0 for one of its load, and then what is remembered of that if a step is
    taken. None when none is."""
    assert snapshot.status is not None  # step has seen it
    hot = _too_warm(plan, snapshot.status)
    if hot is None and state.blind >= _BLIND_POLLS:
        hot = _URGENT_C, f"no {dark(snapshot.status) or 'chip'} temperature for {state.blind} polls"
    if hot is not None:
        return *hot, None
    heavy = load.crossed(state.load, snapshot, now_s)
    return None if heavy is None else (0.0, *heavy)


def _too_warm(plan: GuardPlan, status: MinerStatus) -> tuple[float, str] | None:
    chips, vr = [c for c in (status.chip_temp_c, status.chip_temp2_c) if c is not None], status.vr_temp_c
    chip = max(chips, default=None)
    over_chip = -1.0 if chip is None else chip - plan.max_chip_temp_c
    over_vr = -1.0 if vr is None else vr - plan.max_vr_temp_c
    if over_chip >= 0 and over_chip >= over_vr:
        return over_chip, f"chip {chip:.1f} °C ≥ {plan.max_chip_temp_c:g} °C"
    if over_vr >= 0:
        return over_vr, f"VR {vr:.1f} °C ≥ {plan.max_vr_temp_c:g} °C"
    return None


def _down(
    state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float
) -> tuple[GuardState, Tune | None] | None:
    """The step down that is due, the wait for the last one's effect, or None when no limit is crossed."""
    runs = state.wanted_mhz
    over = _over(state, plan, snapshot, now_s)
    ceiling = min(plan.max_mhz or float("inf"), runs or float("inf"))
    if runs is None or (over is None and runs - ceiling < SAME_MHZ):
        return None
    if over is None:
        return replace(state, why=f"{runs:g} MHz is over the guard's {ceiling:g} MHz"), Tune(frequency_mhz=ceiling)
    by, why, loaded = over
    floor = floor_mhz(plan, state.high_mhz, state.own[0], runs)
    if runs <= floor + SAME_MHZ:
        return replace(state, why=f"{why}, already at the floor of {floor:g} MHz"), None
    settling = state.lowered_s is not None and now_s - state.lowered_s < plan.settle_s
    if settling and by < _URGENT_C:
        return replace(state, why=f"{why}; waiting for the last step's effect"), None
    lower = max(floor, min(runs, ceiling) - plan.step_down_mhz)
    follows = loaded is not None and state.hold.known is not None  # lowered it draws less at once; its voltage goes too
    held = replace(state.hold, goal_mhz=lower if follows else None)  # where it was on its way to is too much by now
    state = replace(state, hold=held, load=loaded or state.load)
    return replace(state, why=f"{why}: down to {lower:g} MHz"), Tune(frequency_mhz=lower)


def _up(state: GuardState, plan: GuardPlan, snapshot: Snapshot, now_s: float) -> tuple[GuardState, Tune | None]:
    """The step up that is due, or why there is none."""
    status, runs, high = snapshot.status, state.wanted_mhz, state.high_mhz
    assert status is not None  # step has seen it
    if runs is None or high is None:
        return replace(state, why="the miner does not say its frequency"), None
    top = min(high, plan.max_mhz or high)
    mean = mean_chip_c(state)
    if runs >= top - SAME_MHZ:
        return replace(state, why=f"cool at {runs:g} MHz" if mean is not None else "no chip temperature"), None
    waiting = plan.stable_s - (now_s - state.changed_s)
    if waiting > 0:
        return replace(state, why=f"cool; next step up in {waiting / 60:.0f} min at the earliest"), None
    if not _calm(state, plan, status):
        return replace(state, why=f"not {plan.hysteresis_c:g} °C under the limit yet"), None
    if len(today(state.raises, now_s)) >= plan.max_writes_per_day:
        return replace(state, why=f"{plan.max_writes_per_day} steps up today: no more until tomorrow"), None
    return _step_up(state, plan, snapshot, min(top, runs + plan.step_up_mhz), now_s)


def _step_up(
    state: GuardState, plan: GuardPlan, snapshot: Snapshot, to_mhz: float, now_s: float
) -> tuple[GuardState, Tune | None]:
    """One write towards this clock, as far as voltage and power may go."""
    status, runs = snapshot.status, state.wanted_mhz or 0.0
    assert status is not None  # step has seen it
    volts, most = own_volts(state, status), snapshot.limits.max_mv
    if volts is not None and (state.own[1] or 0) > (most or float("inf")):
        return replace(state, why=f"a higher clock needs more than the {most:g} mV that are allowed"), None
    higher, bound = _borne(state, snapshot, to_mhz, now_s)
    if higher < min(to_mhz, runs + LEAST_MHZ):
        return replace(state, why=bound), None
    cool = f"cool for {plan.stable_s / 60:.0f} min"
    if volts is not None:
        return replace(state, why=f"{cool}: {volts} mV first, as you set"), Tune(core_mv=volts)
    return replace(state, why=f"{cool}: up to {higher:g} MHz"), Tune(frequency_mhz=higher)


def _borne(state: GuardState, snapshot: Snapshot, mhz: float, now_s: float) -> tuple[float, str]:
    """The highest clock up to ``mhz`` that its load may grow to, with the voltage that was its own; and what bounds
    it, in words."""
    status = snapshot.status
    assert status is not None  # step has seen it
    growth, bound = load.may_grow(state.load, state.hold, status, snapshot.limits, now_s)
    runs, mv = state.wanted_mhz or 0.0, status.core_mv or 1.0
    volts = max(mv, state.own[1] or mv)
    most = growth * runs * (mv / volts) ** 2
    return (mhz, bound) if most >= mhz else (most // GRID_MHZ * GRID_MHZ, bound)


def _calm(state: GuardState, plan: GuardPlan, status: MinerStatus) -> bool:
    """Both sensors, now and on average over the window, are under their limits by the hysteresis."""
    mean, vrs = mean_chip_c(state), [r.vr_c for r in state.readings if r.vr_c is not None]
    if mean is None or status.chip_temp_c is None or dark(status) or len(state.readings) < 2:
        return False
    chip_ok = max(mean, status.chip_temp_c) <= plan.max_chip_temp_c - plan.hysteresis_c
    vr_ok = not vrs or max(sum(vrs) / len(vrs), vrs[-1]) <= plan.max_vr_temp_c - plan.hysteresis_c
    return chip_ok and vr_ok


async def run(site: GuardSite, plan: GuardPlan) -> None:
    """Guard until stopped; then give the baseline back, if the miner is cool enough for it."""
    state = GuardState()
    try:
        while True:
            snapshot = await site.next_snapshot(within_s=plan.check_s)
            was, plan = plan, await site.renewed(plan)
            before = replanned(state, was, plan)
            state, tune = step(before, plan, snapshot, site.now(), site.yielding(), site.word())
            _obeys(site, before, state)
            if plan.hold and tune is None and state.wanted_mhz is not None and not (state.asked or state.yielded):
                state = await _asked(site, state)
            elif state.hold.known is not None and state.hold.room_c != before.hold.room_c:
                await site.keep_room(state.hold.room_c)
            if tune is not None:
                state = await _write(site, state, tune)
            site.report(Phase.RUNNING, _view(state, plan, site.now()), state.why)
    except Preempted as preempted:
        site.report(Phase.STOPPED, _view(state, plan, site.now()), str(preempted))
    except Stopped:
        if state.seen_s is None:
            ended = _view(state, plan, site.now(), GuardEnd.NEVER_GUARDED)
            site.report(Phase.STOPPED, ended, _NEVER_ANSWERED)
            return
        outcome = await site.conclude(None)
        end = GuardEnd.GIVEN_BACK if outcome.ok else GuardEnd.WAITS if outcome.waits else GuardEnd.OWED
        note = "" if outcome.ok else f"left at {state.wanted_mhz or 0:g} MHz: {outcome.reason}"
        site.report(Phase.STOPPED, _view(state, plan, site.now(), end), note)


async def _asked(site: GuardSite, state: GuardState) -> GuardState:
    """What was known before this guard began, or before the last sweep."""
    known = await site.known()
    held = replace(state.hold, known=known)
    if known is not None:
        held = recalled(held, await site.room())
    if held.room_c != state.hold.room_c:
        site.log(f"takes its room as {held.room_c:.1f} °C, as was learned before")
    return replace(state, hold=held, asked=True)


def _obeys(site: GuardSite, before: GuardState, state: GuardState) -> None:
    if state.ordered is not None and state.heard != before.heard:
        site.log(f"you ordered {state.ordered.tune_text}: it climbs no higher from now on")


async def _write(site: GuardSite, state: GuardState, tune: Tune) -> GuardState:
    site.log(state.why)
    outcome = await site.send(msgspec.structs.replace(tune, at_most=not raises(state, tune)))
    if outcome.state is OutcomeState.APPLIED:
        return written(state, tune, site.now())
    what = f"{tune.core_mv} mV" if tune.frequency_mhz is None else f"{tune.frequency_mhz:g} MHz"
    site.log(f"{what} was {outcome.state}: {outcome.reason}")
    later = replace(state.hold, goal_mhz=None, tried_s=site.now())
    why = f"{state.why} ({outcome.state}: {outcome.reason})"
    if outcome.state is not OutcomeState.UNKNOWN:
        return replace(state, why=why, hold=later, sent=None)
    return replace(state, why=why, hold=later, sent=tune, load=load.taken(state.load, site.now()))


def _view(state: GuardState, plan: GuardPlan, now_s: float, end: GuardEnd | None = None) -> GuardView:
    return GuardView(
        plan=plan,
        wanted_mhz=state.wanted_mhz,
        holds_c=None if state.hold.known is None or state.hold.off or state.ordered else target_c(plan),
        mean_temp_c=mean_chip_c(state),
        writes_today=len(today(state.writes, now_s)),
        why=state.why,
        end=end,
    )

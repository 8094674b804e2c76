"""The brain of a sweep: ``step`` takes an event and the time, and answers with what to ask next. Pure.

    APPLY ─applied→ SETTLE ─settle_s→ MEASURE ─all samples→ verdict ─→ next APPLY
      │└(firmware without live change)→ RESTART → BOOT → SETTLE
      └─refused→ REST → APPLY once more → NOT_APPLIED
    any limit touched      → LIMIT  → RETREAT (lower) → REST until calm → next APPLY, never higher
    lost, readings stuck   → RETREAT → REST until back → the same point, at most REPEATS times
    rebooted, paused, idle → REST until it hashes     → the same point, at most REPEATS times
    overheat, strange      → the end

What is measured is what the walk wanted; which point is next is the strategy's business alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from minertui.jobs.sweep import ramp, stats, watch
from minertui.jobs.sweep.pace import Do
from minertui.jobs.sweep.state import End, Event, Look, Send, Stage, State, Step, Told
from minertui.jobs.sweep.strategies import STRATEGIES
from minertui.jobs.sweep.walk import Finish, Target
from minertui.jobs.sweep.watch import Mark, Trouble
from minertui.model import ranking
from minertui.model.commands import OutcomeState, Restart, Tune
from minertui.model.fleet import Snapshot
from minertui.model.plans import Phase, PointVerdict, SweepPlan, SweepPoint
from minertui.model.status import MinerStatus
from minertui.safety import samples
from minertui.safety.samples import Stuck

REPEATS = 2  # a disturbed point is measured again this often
MISSES = 3  # polls in a row without an answer, and readings in a row without a temperature or hashrate
GAP_S = 60.0  # no reading for so long (host suspended, process stopped): as lost
BOOT_S = 180.0  # after a restart the miner must be back by then
WARMUP_S = 300.0  # longer settling for a slow start (0 GH/s for minutes has been seen: adammwest/Bitaxebench #4)
REST_S = 600.0  # cooling, or waiting for a lost miner
RETREAT_MHZ = 100.0  # what AxeOS itself takes away after an overheat
LOOK_S = 15.0  # limits are checked at least this often
_EARLY_S = 0.5  # a poll this much before its time is still that sample


def begin(
    plan: SweepPlan, done: Sequence[SweepPoint], snapshot: Snapshot, now_s: float, earlier: Sequence[SweepPoint] = ()
) -> Step:
    """The first step. ``snapshot`` is a fresh reading before any change; ``done`` the points of this sweep before an
    interruption; ``earlier`` those of sweeps before it."""
    status = snapshot.status or MinerStatus()
    within = ranking.bounds(plan, status, snapshot.limits)
    baseline = Target(status.frequency_mhz or 0.0, round(status.core_mv or 0))
    first = (done[0].mhz, done[0].mv) if done else ranking.start(plan, status, within)
    state = State(
        plan,
        within,
        Target(*first) if first else baseline,
        baseline,
        ranking.restarts(plan, status),
        points=tuple(done),
        good_s=now_s,
        earlier=tuple(earlier),
        here=baseline,
    )
    outside = "" if done else ranking.unreachable(plan, status, snapshot.limits)
    why = outside or watch.unfit(status, within, known=first is not None and bool(baseline.mhz and baseline.mv))
    if why:
        return Step(state, End(Phase.FAILED, why))
    hot = watch.touched(status, within)
    if hot is None:
        return _next(state, now_s)
    return _cool_first(replace(state, at=None), snapshot, now_s, f"already at a limit before the first point: {hot}")


def step(state: State, event: Event, now_s: float) -> Step:
    """What ``event`` leads to."""
    begun, now = state.begun or state.within, ranking.bounds(state.plan, event.snapshot.status, event.snapshot.limits)
    state = replace(state, wall_s=event.snapshot.at_s or state.wall_s, begun=begun, within=watch.stricter(begun, now))
    if isinstance(event, Told):
        return _ANSWERED[state.stage](state, event, now_s)
    if not samples.fresh(event.snapshot, now_s) or event.snapshot.boot_s == state.seen_s:
        return _missed(state, now_s)
    gap_s, running = now_s - state.good_s, state.stage in (Stage.SETTLE, Stage.MEASURE)
    state = replace(state, seen_s=event.snapshot.boot_s, good_s=now_s, misses=0)
    if running and gap_s > GAP_S:
        return _disturbed(state, Trouble.LOST, now_s)
    if state.stage is Stage.BOOT:
        return _booting(state, event.snapshot, now_s)
    if state.stage is Stage.REST:
        return _resting(state, event.snapshot, now_s)
    return _running(state, event.snapshot, now_s)


# the next point -------------------------------------------------------------------------------------------------------


def _next(state: State, now_s: float, keep: tuple[SweepPoint, ...] = (), say: tuple[str, ...] = ()) -> Step:
    """Ask the strategy; after a limit, cool before the next point; where it did not hash, lower first."""
    answer = STRATEGIES[state.plan.strategy](state.plan, state.within, state.start, state.points, state.earlier)
    if isinstance(answer, Finish):
        return Step(state, End(Phase.DONE, answer.reason), keep, say)
    before = state.told
    state = replace(state, at=answer, tries=0, refused=0, readings=(), cut="")
    say = (*say, f"next {answer}: {answer.why}") if answer.why else say
    if keep and keep[-1].verdict is PointVerdict.LIMIT and not state.left:
        state = replace(state, cooling=True, why=f"cooling after {keep[-1].reason}")
        return _retreat(state, before, now_s, keep, say)
    if keep and stats.dead(keep[-1]):
        return _retreat(state, before, now_s, keep, say)
    return _apply(state, now_s).after(keep, say)


def _apply(state: State, now_s: float) -> Step:
    state = replace(state, stage=Stage.APPLY, since_s=now_s, readings=(), cooling=False, lost=False)
    return _write(replace(ramp.begun(state), left=False))


def _write(state: State) -> Step:
    return Step(replace(state, stage=Stage.APPLY), Send(Tune(state.told.mhz, state.told.mv)))


def _applied(state: State, event: Told, now_s: float) -> Step:
    status = event.snapshot.status or MinerStatus()
    if event.outcome.state is not OutcomeState.APPLIED:
        if limit := ramp.touched(state, status):  # on the way to it
            return _close(ramp.stopped(state, status), PointVerdict.LIMIT, limit, now_s)
        return _refused(state, event.outcome.reason or event.outcome.state, now_s, event.outcome.state)
    proven = state.proven and not event.outcome.changes and state.mark is not None and state.mark.target == state.told
    state = replace(state, mark=Mark(state.told, status, event.snapshot.incidents), proven=proven)
    state = ramp.arrived(state, now_s)
    if state.restart:
        return Step(replace(state, stage=Stage.RESTART, since_s=now_s), Send(Restart()))
    return _settle(state, now_s)


def _refused(state: State, why: str, now_s: float, how: OutcomeState = OutcomeState.REFUSED) -> Step:
    """Once more, then NOT_APPLIED. When nobody knows what the miner runs now, lower it first."""
    if state.refused:
        return _close(replace(state, readings=()), PointVerdict.NOT_APPLIED, why, now_s)
    state = replace(state, refused=1, why=f"not applied ({why}), trying once more")
    say = (f"{state.target}: {state.why}",)
    if how is OutcomeState.UNKNOWN:
        return _retreat(replace(state, lost=True), state.told, now_s, (), say)
    state = replace(state, stage=Stage.REST, since_s=now_s, good_s=now_s)
    return Step(state, _look(state), say=say)


def _restarted(state: State, event: Told, now_s: float) -> Step:
    if event.outcome.state is OutcomeState.REFUSED:
        return _refused(state, event.outcome.reason, now_s)
    return Step(replace(state, stage=Stage.BOOT, since_s=now_s), Look(LOOK_S))


def _booting(state: State, snapshot: Snapshot, now_s: float) -> Step:
    assert snapshot.status is not None
    assert state.mark is not None
    back = samples.rebooted(state.mark.status, snapshot.status)
    if snapshot.status.uptime_s is not None:
        back = back or snapshot.status.uptime_s <= now_s - state.since_s
    if back or snapshot.status.uptime_s is None:
        return _settle(replace(state, mark=Mark(state.told, snapshot.status, snapshot.incidents)), now_s)
    if now_s - state.since_s > BOOT_S:
        return _refused(state, "the miner did not restart", now_s)
    return Step(state, _look(state))


def _settle(state: State, now_s: float) -> Step:
    state = replace(state, stage=Stage.SETTLE, since_s=now_s, good_s=now_s, why="", sample=None)
    state = replace(state, misses=0, silent=0, blind=0, stuck=Stuck())
    return Step(state, _look(state))


# polls ----------------------------------------------------------------------------------------------------------------


def _look(state: State) -> Look:
    return Look(ramp.POLL_S if ramp.live(state) else min(state.plan.sample_s, LOOK_S))


def _missed(state: State, now_s: float) -> Step:
    """A poll without an answer. Three in a row, or none at all for GAP_S: lower what can be lowered (fresh or
    nothing)."""
    state = replace(state, misses=state.misses + 1)
    if state.stage is Stage.BOOT:
        late = now_s - state.since_s > BOOT_S
        return _disturbed(state, Trouble.LOST, now_s) if late else Step(state, Look(LOOK_S))
    if state.stage is Stage.REST:
        gone = End(Phase.FAILED, f"the miner has not answered for {REST_S / 60:.0f} min")
        return Step(state, gone if now_s - state.good_s > REST_S else _look(state))
    if state.misses >= MISSES or now_s - state.good_s > GAP_S:
        return _disturbed(state, Trouble.LOST, now_s)
    return Step(state, _look(state))


def _running(state: State, snapshot: Snapshot, now_s: float) -> Step:
    """A good reading while settling or measuring."""
    status, mark = snapshot.status, state.mark
    assert status is not None
    assert mark is not None
    found = watch.trouble(snapshot, mark)
    if found is Trouble.STRANGE and not state.proven:
        return _refused(state, "the miner runs something else", now_s)
    if found in (Trouble.OVERHEAT, Trouble.STRANGE):
        return _over(state, found, now_s)
    state = replace(state, proven=True)
    state = ramp.seen(state, status, now_s)
    limit = ramp.touched(state, status) or ramp.left_behind(state)
    if limit:
        return _close(state, PointVerdict.LIMIT, limit, now_s)
    state = replace(state, stuck=state.stuck.after(status))
    if state.stuck.why:
        return _disturbed(state, Trouble.STUCK, now_s)
    if found in (Trouble.REBOOT, Trouble.PAUSED):
        return _disturbed(state, found, now_s)
    state = replace(
        state,
        mark=mark.renewed(status),
        silent=state.silent + 1 if found in (Trouble.IDLE, Trouble.SILENT) else 0,
        blind=state.blind + 1 if found is Trouble.BLIND else 0,
    )
    if state.blind >= MISSES:
        return _close(state, PointVerdict.LIMIT, f"{Trouble.BLIND.value}, which counts as hot", now_s)
    advance = _settling if state.stage is Stage.SETTLE else _measuring
    return advance(state, snapshot, found, now_s)


def _settling(state: State, snapshot: Snapshot, found: Trouble | None, now_s: float) -> Step:
    assert snapshot.status is not None
    live = ramp.live(state) and not state.restart
    least = 0.0 if live else ranking.settle_seconds(state.plan, state.restart)
    if now_s - state.since_s < least:
        return Step(state, _look(state))
    late = now_s - state.since_s >= least + WARMUP_S
    elsewhere = watch.reached(snapshot.status, state.told)
    if found is not None:
        return _disturbed(state, found, now_s) if late else Step(state, _look(state))
    if elsewhere:
        return _close(state, PointVerdict.NOT_APPLIED, elsewhere, now_s) if late else Step(state, _look(state))
    if live:
        state, do = ramp.climbed(state)
        if do is Do.LEAVE:
            return _leave(state, state.cut, now_s)
        if do is not Do.MEASURE:
            return Step(state, _look(state)) if do is Do.WAIT else _write(state)
    state = replace(state, stage=Stage.MEASURE, since_s=now_s, next_sample_s=now_s, silent=0, readings=())
    return _measuring(state, snapshot, None, now_s)


def _measuring(state: State, snapshot: Snapshot, found: Trouble | None, now_s: float) -> Step:
    assert snapshot.status is not None
    if state.silent >= MISSES and found is not None:
        return _disturbed(state, found, now_s)
    if found is Trouble.BLIND or now_s + _EARLY_S < state.next_sample_s:
        return Step(state, _look(state))
    leave = ramp.leaving(state) if ramp.live(state) else None
    if leave is not None:
        return _leave(state, leave, now_s)
    every_s = ramp.POLL_S if ramp.live(state) else state.plan.sample_s
    following = max(state.next_sample_s + every_s, now_s + every_s / 2)
    state = replace(ramp.taken(state, snapshot.status), next_sample_s=following)
    taken, of = len(state.readings), max(len(state.readings), ranking.samples_per_point(state.plan))
    sample = stats.sampled(snapshot, state.target, len(state.points) + 1, taken, of)
    state = replace(state, sample=sample)
    if not (ramp.enough(state, now_s) if ramp.live(state) else taken >= of):
        return Step(state, _look(state), (sample,))
    return _verdict(state, snapshot.status, now_s).after((sample,))


# the end of a point ---------------------------------------------------------------------------------------------------


def _verdict(state: State, status: MinerStatus, now_s: float) -> Step:
    elsewhere = watch.reached(status, state.told)
    if elsewhere:
        return _close(state, PointVerdict.NOT_APPLIED, elsewhere, now_s)
    return _kept(state, ramp.judged(state), now_s)


def _close(state: State, verdict: PointVerdict, reason: str, now_s: float) -> Step:
    """The point is over with ``verdict``; go on to the next."""
    return _kept(state, ramp.point(state, verdict, reason), now_s)


def _leave(state: State, why: str, now_s: float) -> Step:
    """Away before a limit is touched: the next point is lower, and no cooling is needed."""
    return _kept(replace(state, left=True), ramp.left(state, f"left in time: {why}"), now_s)


def _kept(state: State, point: SweepPoint, now_s: float) -> Step:
    verdict, reason = point.verdict, point.reason
    said = f"{state.target}: {verdict.words}{f' ({reason})' if reason else ''}"
    points = ramp.weighed(state, (*state.points, point))
    news = tuple(p for p in points if p not in state.points)  # the new one last
    return _next(replace(state, points=points), now_s, news, (said,))


def _over(state: State, found: Trouble, now_s: float) -> Step:
    """Something that ends the whole sweep; the point that ran is kept with it."""
    hot = found is Trouble.OVERHEAT
    point = ramp.point(state, PointVerdict.LIMIT if hot else PointVerdict.DISTURBED, found.value)
    state = replace(state, points=(*state.points, point))
    return Step(state, End(Phase.PARKED if hot else Phase.FAILED, found.value), (point,), (found.value,))


def _disturbed(state: State, found: Trouble, now_s: float) -> Step:
    """The point says nothing: again, or give it up. Three times no hashrate although there is work is the point's own
    fault."""
    if state.tries >= REPEATS:
        verdict = PointVerdict.UNSTABLE if found is Trouble.SILENT else PointVerdict.DISTURBED
        return _close(replace(state, readings=()), verdict, found.value, now_s)
    away = found in (Trouble.LOST, Trouble.STUCK, Trouble.SILENT)
    state = replace(state, tries=state.tries + 1, readings=(), sample=None, lost=away, why=found.value)
    say = (f"{state.target}: {found.value}; the point is repeated",)
    if away:
        return _retreat(state, state.told, now_s, (), say)
    state = replace(state, stage=Stage.REST, since_s=now_s, good_s=now_s)
    return Step(state, _look(state), say=say)


# retreat and rest -----------------------------------------------------------------------------------------------------


def _cool_first(state: State, snapshot: Snapshot, now_s: float, why: str) -> Step:
    """Too hot before anything was changed: lower first, then the first point."""
    answer = _next(state, now_s)
    if isinstance(answer.ask, End):
        return answer
    state = replace(answer.state, cooling=True, why=why)
    state = replace(state, mark=Mark(state.baseline, snapshot.status or MinerStatus(), snapshot.incidents))
    return _retreat(state, state.baseline, now_s, (), (why,))


def _retreat(state: State, before: Target, now_s: float, keep: tuple[SweepPoint, ...], say: tuple[str, ...]) -> Step:
    """Lower: 100 MHz under what it ran (not under the plan's lowest), and not over the user's own settings."""
    mhz = max(state.within.min_mhz, min(before.mhz - RETREAT_MHZ, state.baseline.mhz))
    back = Target(min(mhz, before.mhz), min(before.mv, state.baseline.mv))
    state = replace(state, stage=Stage.RETREAT, since_s=now_s, good_s=now_s, retreat=back)
    return Step(state, Send(Tune(back.mhz, back.mv)), keep, say)


def _retreated(state: State, event: Told, now_s: float) -> Step:
    """Proven, or tried again at the next reading. Old firmware follows only after a restart."""
    assert state.retreat is not None
    if event.outcome.state is OutcomeState.APPLIED:
        status = event.snapshot.status or MinerStatus()
        state = replace(state, mark=Mark(state.retreat, status, event.snapshot.incidents), here=state.retreat)
        state = replace(state, response=state.response._replace(chip=1.0, vr=1.0))  # the fan may have slowed down
        if not ranking.live(event.snapshot.status):
            return Step(replace(state, stage=Stage.RETREAT_RESTART), Send(Restart()))
        state = replace(state, retreat=None)
    return Step(replace(state, stage=Stage.REST), _look(state))


def _retreat_restarted(state: State, event: Told, now_s: float) -> Step:
    """A refused restart (too soon) leaves the retreat unproven: again at the next reading."""
    if event.outcome.state is not OutcomeState.REFUSED:
        state = replace(state, retreat=None, good_s=now_s)
    return Step(replace(state, stage=Stage.REST), _look(state))


def _resting(state: State, snapshot: Snapshot, now_s: float) -> Step:
    """A good reading while cooling or waiting: lower until proven, then go on when the miner is fit."""
    status = snapshot.status
    assert status is not None
    if state.retreat is not None:
        return _lowering(state, state.retreat, snapshot, status, now_s)
    found = watch.trouble(snapshot, state.mark) if state.mark else None
    if found is Trouble.OVERHEAT or (found is Trouble.STRANGE and not state.refused):
        return _over(state, found, now_s)
    fit = not state.cooling or watch.calm(status, state.within, now_s - state.since_s)
    if fit and status.hashrate_ghs and not status.paused:
        return _apply(replace(state, why=""), now_s)
    if now_s - state.since_s < REST_S:
        return Step(state, _look(state))
    if fit:
        return _apply(state, now_s)
    phase = Phase.DONE if ranking.best(state.points, state.plan.goal) else Phase.FAILED
    return Step(state, End(phase, f"{state.why}; it did not cool down within {REST_S / 60:.0f} min"))


def _lowering(state: State, to: Target, snapshot: Snapshot, status: MinerStatus, now_s: float) -> Step:
    """The retreat once more, from what it runs now: that is never refused as a raise."""
    tripped = watch.lowered(snapshot, state.mark or Mark(state.baseline, status, snapshot.incidents), (state.told, to))
    if tripped is not None:
        return _over(state, tripped, now_s)
    if now_s - state.since_s > 2 * REST_S:
        return Step(state, End(Phase.FAILED, f"{state.why}; it cannot be lowered"))
    back = watch.nowhere_above(status, to)
    return Step(replace(state, stage=Stage.RETREAT, retreat=back), Send(Tune(back.mhz, back.mv)))


_ANSWERED: Mapping[Stage, Callable[[State, Told, float], Step]] = {
    Stage.APPLY: _applied,
    Stage.RESTART: _restarted,
    Stage.RETREAT: _retreated,
    Stage.RETREAT_RESTART: _retreat_restarted,
}

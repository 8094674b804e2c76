"""The benchmark sweep: which frequency and voltage suit this very chip best?

    strategy (walk, grid, strategies)   which point is next, given all points so far
    brain    (state, brain)             one point: set, settle, measure, judge; limits and disturbances; pure
    watch, stats                        what a reading says about the point; what its samples add up to
    run      (here)                     carries the brain's wishes to the site, and ends the sweep well

However it ends, the miner is left at settings that were measured to be good, or at the user's own:

    walk complete, person's stop    the best point that passed, if the plan wants it and there is one; else the baseline
    failed, engine stops            the baseline
    overheat                        what the firmware made of it: a program never raises that again
    a higher rank took the miner    nothing here: the engine leads it back, but for what a person tuned it to

``docs/sweeps.md`` tells the rules and the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from minertui.jobs.sweep import brain, progress, watch
from minertui.jobs.sweep.state import End, Event, Look, Seen, Send, State, Step, Told
from minertui.model import ranking
from minertui.model.commands import OutcomeState, Tune
from minertui.model.errors import Preempted, Stopped
from minertui.model.plans import Goal, Phase, SweepPlan, SweepPoint, SweepSample, SweepView
from minertui.model.seams import Site
from minertui.safety import samples
from minertui.safety.settings import Settings

__all__ = ["SweepSite", "run"]

T = TypeVar("T")

_FIRST_POLLS = 12  # a miner that gives no fresh reading for so many polls cannot be swept


class SweepSite(Site, Protocol):
    """What a sweep needs beyond a Site."""

    async def keep(self, record: SweepPoint | SweepSample) -> None:
        """Store a measured point or sample; durable when it returns. A point whose ``n`` is known already replaces it:
        what came after it may have shown more of it."""
        ...

    async def think(self, work: Callable[[], T]) -> T:
        """Compute what may take long, where nobody else waits for it. ``work`` is pure."""
        ...


async def run(
    site: SweepSite, plan: SweepPlan, done: Sequence[SweepPoint] = (), earlier: Sequence[SweepPoint] = ()
) -> None:
    """Sweep the site's miner. ``done``: the points of the same sweep before an interruption; they are not measured
    again and count for the walk. ``earlier``: what sweeps before this one have shown of the same board. Ends by itself,
    after a stop, or when the miner is taken; reports its last phase."""
    sweep = _Sweep(site, plan, done, earlier)
    try:
        await sweep.finish(await sweep.measure())
    except Preempted as preempted:
        site.report(Phase.STOPPED, sweep.view, f"{preempted}; its settings are left to that", **sweep.counts)
    except Stopped as stopped:
        await sweep.stop(final=stopped.final)


class _Sweep:
    """A sweep under way: the brain's newest state, and the site that it asks."""

    def __init__(
        self, site: SweepSite, plan: SweepPlan, done: Sequence[SweepPoint], earlier: Sequence[SweepPoint]
    ) -> None:
        self._site, self._plan, self._done, self._earlier = site, plan, tuple(done), earlier
        self._state: State | None = None

    @property
    def view(self) -> SweepView:
        """How it goes."""
        if self._state is not None:
            return progress.view(self._state)
        best = ranking.best(self._done, self._plan.goal)
        return SweepView(plan=self._plan, points=self._done, best=best)

    @property
    def counts(self) -> dict[str, float | None]:
        """The same in numbers."""
        return progress.counts(self._state, self._site.now()) if self._state else {"done": len(self._done)}

    async def measure(self) -> End:
        """Walk until the brain says that it is over."""
        made = await self._begin()
        while not isinstance(made, End):
            if isinstance(made.ask, End):
                await self._take(made)
                return made.ask
            state, event = await self._take(made), await self._answer(made)
            made = await self._site.think(partial(brain.step, state, event, self._site.now()))
        return made

    async def finish(self, end: End) -> None:
        """Leave the miner well, and say how it ended."""
        await self._conclude(self._best() if end.phase is Phase.DONE else None, end.phase, end.reason)

    async def stop(self, *, final: bool) -> None:
        """A person's stop keeps what was gained; the engine's leaves the sweep to be resumed."""
        if not final:
            await self._conclude(None, Phase.WAITING, "goes on when the engine starts again")
            return
        best, why = self._best(), "a person ended it"
        if best is not None and not self._there_yet():
            best, why = None, f"{why} before it came to what your own settings give"
        await self._conclude(best, Phase.STOPPED, why)

    async def _begin(self) -> Step | End:
        why = ""
        for left in range(_FIRST_POLLS, 0, -1):
            note = f"waiting for a fresh reading, at most {left * brain.LOOK_S:.0f} s more{why}"
            self._site.report(Phase.RUNNING, self.view, note, **self.counts)
            snapshot = await self._site.next_snapshot(within_s=brain.LOOK_S)
            if samples.fresh(snapshot, self._site.now()):
                now_s, plan = self._site.now(), self._plan
                return await self._site.think(partial(brain.begin, plan, self._done, snapshot, now_s, self._earlier))
            why = f" ({snapshot.why})" if snapshot.why else ""
        waited_s = _FIRST_POLLS * brain.LOOK_S
        return End(Phase.FAILED, f"the miner gave no fresh reading for {waited_s:.0f} s, so nothing was changed{why}")

    async def _take(self, made: Step) -> State:
        """Keep, say and show what a step brought. What was measured is kept even when the sweep is being stopped."""
        if self._state is not None and (news := ranking.difference(self._state.within, made.state.within)):
            self._site.log(f"keeps within the limits in force, which changed: {news}")
        self._state = made.state
        for record in made.keep:
            await self._site.keep(record)
        for text in made.say:
            self._site.log(text)
        self._site.report(progress.phase(made.state), self.view, progress.note(made.state), **self.counts)
        return made.state

    async def _answer(self, made: Step) -> Event:
        assert isinstance(made.ask, Send | Look)
        if isinstance(made.ask, Look):
            return Seen(await self._site.next_snapshot(within_s=made.ask.within_s))
        return Told(await self._site.send(made.ask.command), self._site.snapshot())

    def _best(self) -> Tune | None:
        points, state = self.view.points, self._state
        if state is not None and state.begun not in (None, state.within):  # lowered since some of them were measured
            points = tuple(point for point in points if watch.still_allowed(point, state.within))
        best = ranking.best(points, self._plan.goal)
        return Tune(best.mhz, best.mv) if best is not None and self._plan.apply_best else None

    def _there_yet(self) -> bool:
        """False while the best point hashes less than the user's own settings surely do: a sweep that began far below
        them, and never measured them, would leave the miner worse than it was."""
        best = ranking.best(self.view.points, self._plan.goal)
        if best is None or self._state is None or not best.expected_ghs or self._plan.goal is not Goal.HASHRATE:
            return True
        own = self._state.baseline
        if any((p.mhz, p.mv) == (own.mhz, own.mv) for p in self.view.points):
            return True
        return (best.hashrate_ghs or 0.0) >= self._plan.tolerance * best.expected_ghs / best.mhz * own.mhz

    async def _conclude(self, settings: Tune | None, phase: Phase, reason: str) -> None:
        if self._state is None and not self._done:  # not even a first reading
            note = reason if "nothing was changed" in reason else f"{reason}; nothing was changed"
            self._site.report(phase, self.view, note, done=0, left_s=0.0)
            return
        what = "your own settings" if settings is None else Settings(settings.frequency_mhz, settings.core_mv).tune_text
        doing = "looking at what it was left at" if phase is Phase.PARKED else f"applying {what}"
        self._site.report(Phase.RESTORING, self.view, f"{reason}; {doing}", **self.counts)
        outcome = await self._site.conclude(settings)
        if outcome.state is not OutcomeState.APPLIED and settings is not None:
            self._site.log(f"{what} could not be applied ({outcome.reason}); going back to your own settings")
            what, settings, outcome = "your own settings", None, await self._site.conclude(None)
        if outcome.state is not OutcomeState.APPLIED:
            note = f"{reason}; {what} could not be proven: {outcome.reason}"
            phase = Phase.FAILED if phase in (Phase.DONE, Phase.STOPPED) else phase
        else:
            left = self._parked_at() if phase is Phase.PARKED else self._left_at(settings, what, outcome.reason)
            note = f"{reason}; {left}"
        self._site.log(note)
        self._site.report(phase, self.view, note, **{**self.counts, "left_s": 0.0, "total": self.counts["done"]})

    def _parked_at(self) -> str:
        """Where its firmware's overheat handling has brought it, which may not be over: it rewrites the settings some
        time after it says that it acts. Only a person leads it back."""
        status = self._site.snapshot().status
        if status is None or self._state is None:
            return "left as it is"
        own, now = self._state.baseline, Settings.of(status)
        home = Settings(own.mhz, own.mv)
        return f"it reads {now.tune_text} now, and its firmware may lower that; your own settings were {home.tune_text}"

    def _left_at(self, settings: Tune | None, what: str, reason: str) -> str:
        """Where the miner is now: ``what`` only when it reads so. What its firmware or somebody else lowered is left
        there, which is a good end too."""
        status = self._site.snapshot().status
        if status is None or self._state is None:
            return reason or "nothing was changed"
        own, now = self._state.baseline, Settings.of(status)
        if not now.wrote(settings or Tune(own.mhz, own.mv)).same_tune(now):
            return reason or "left as it is"
        home = Settings(own.mhz, own.mv)
        return f"now at {what}" + (f", before at {home.tune_text}" if settings and not home.same_tune(now) else "")

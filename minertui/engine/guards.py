"""Which miners are guarded: those that the config says, and those that a person wanted guarded until they stop it.

A person's guard is kept on disk, so it is there again after a restart, a crash or an update of the engine, and follows
its miner over a new address or name. It goes before the config's. An engine that ends with its command keeps none. A
guard that ended by a fault is started again, later and later, until a person stops or dismisses it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from minertui.config import Config
from minertui.engine import again
from minertui.engine.records import Records
from minertui.engine.runner import Runner
from minertui.engine.store import StoreError
from minertui.model.alerts import Severity
from minertui.model.errors import MinertuiError
from minertui.model.plans import GuardPlan, JobState
from minertui.model.seams import Clock

_LOOK_S = 1.0
_WELL_S = 600.0  # after so long a fault is a new one

Say = Callable[[str, str, Severity], None]


class _Fall(msgspec.Struct, frozen=True):
    """Why a guard failed last, how often in a row, and when it is started again (None: it was, at ``again_s``)."""

    why: str = ""
    tries: int = 0
    due_s: float | None = None
    again_s: float = float("-inf")


class Guards:
    """``lasting``: a person's guards outlive this engine."""

    def __init__(self, runner: Runner, records: Records, clock: Clock, say: Say, *, lasting: bool) -> None:
        self._runner, self._records, self._clock, self._say, self._lasting = runner, records, clock, say, lasting
        self._falls: dict[str, _Fall] = {}  # by job
        self._config = Config()
        self._unread = False  # those started by hand could not be read yet
        self._later: dict[str, tuple[GuardPlan, str]] = {}  # wanted again, while the one before still gives back
        self._renamed: dict[str, str] = {}  # since the guards were read last; the disk may not know of it
        self._owed: dict[str, GuardPlan | None] = {}  # what persons want, and the disk did not take yet; None: no guard

    async def begin(self, config: Config) -> None:
        """Start every guard that is wanted and does not run, on the miners that the config has."""
        self._config = config
        self._later.clear()
        wanted = {plan.device: plan for plan in await self._kept()}
        for miner in config.miner:
            if miner.name in wanted:
                await self._start(wanted[miner.name], "person")
            elif miner.guarded:
                await self._start(replace(miner.guard, device=miner.name), "config")

    async def change(self, before: Config, after: Config) -> None:
        """Take a new config over. What it does not guard any more ends, unless a person wanted it; guards that the
        config started go on by its numbers. Other limits come to all of them by themselves (see ``JobSite``)."""
        here = {miner.name for miner in after.miner}
        for name in {miner.name for miner in before.miner} - here - self._renamed.keys():
            await self._forget(name)
        wanted = {plan.device for plan in await self._kept()}
        guarded = {miner.name for miner in after.miner if miner.guarded} | wanted
        for miner in before.miner:
            if miner.guarded and miner.name not in guarded:
                self._runner.unplan(miner.name)
        for miner in after.miner:
            self._runner.replan(miner.name, replace(miner.guard, device=miner.name))
        await self.begin(after)

    async def renamed(self, old: str, new: str) -> None:
        """Keep that a miner is called ``new`` from now on. Raises StoreError; its guard is then looked for again."""
        self._renamed[old] = new
        if (plan := self._owed.pop(old, None)) is not None:
            self._owed[new] = replace(plan, device=new)
        await self._records.rename(old, new)

    async def run(self) -> None:
        """Start again what ended by a fault, what the disk did not tell of, and what still ended, for ever; and keep
        what the disk did not take."""
        while True:
            await self._clock.sleep(_LOOK_S)
            await self._keep()
            if self._unread:
                here = {miner.name for miner in self._config.miner}
                for plan in await self._kept():
                    if plan.device in here:
                        await self._start(plan, "person")
            later, self._later = self._later, {}
            for plan, by in later.values():
                await self._start(plan, by)
            for state in self._runner.fallen():
                await self._again(state)

    async def _again(self, state: JobState) -> None:
        now_s, fall = self._clock.boot(), self._falls.get(state.id, _Fall())
        if fall.due_s is None:
            self._fell(state, state.note)
        elif now_s >= fall.due_s:
            try:
                await self._runner.again(state.id)
            except MinertuiError as error:
                self._fell(state, str(error))
            else:
                self._falls[state.id] = replace(fall, due_s=None, again_s=now_s)

    def _fell(self, state: JobState, why: str) -> None:
        """The same fault is said once, and tried later and later."""
        now_s, fall = self._clock.boot(), self._falls.get(state.id, _Fall())
        new = fall.due_s is None and now_s - fall.again_s > _WELL_S
        tries = 0 if new else fall.tries + 1
        later_s = again.wait_s(tries)
        if new or why != fall.why:
            text = f"failed: {why}; it is started again in {later_s:g} s, then later and later until it goes on"
            self._say(state.id, text, Severity.CRITICAL)
        self._falls[state.id] = replace(fall, why=why, tries=tries, due_s=now_s + later_s)

    async def started(self, plan: GuardPlan) -> None:
        """A person started this guard."""
        if self._lasting and (why := await self._keep(plan.device, plan)):
            text = f"its guard is not kept yet, and would not be back after an end of the engine now: {why}"
            self._say(plan.device, text, Severity.WARNING)

    async def stopped(self, job_id: str) -> None:
        """A person stopped this job; of a guard nothing is wanted any more."""
        kind, _, device = job_id.partition(":")
        if kind == "guard":
            self._later.pop(device, None)
            await self._forget(device)

    async def _forget(self, device: str) -> None:
        if self._lasting and (why := await self._keep(device, None)):
            self._say(device, f"its guard may be back after a restart of the engine: {why}", Severity.WARNING)

    async def _keep(self, device: str = "", plan: GuardPlan | None = None) -> str:
        """Keep what persons want, this and what is owed; why the disk does not take it, and then it is owed."""
        if device:
            self._owed[device] = plan
        for name, wanted in tuple(self._owed.items()):
            try:
                await (self._records.unwant_guard(name) if wanted is None else self._records.want_guard(wanted))
            except StoreError as error:
                return str(error)
            if self._owed.get(name) is wanted:
                self._owed.pop(name, None)
        return ""

    async def _kept(self) -> list[GuardPlan]:
        if not self._lasting:
            return []
        before, self._unread = self._unread, False
        try:
            for old, new in tuple(self._renamed.items()):
                await self._records.rename_guard(old, new)
                del self._renamed[old]
            there = {plan.device: plan for plan in await self._records.guards()}
            return [plan for plan in {**there, **self._owed}.values() if plan is not None]
        except StoreError as error:
            self._unread = True
            text = f"the guards that were started by hand cannot be read: {error}; they start as soon as they can be"
            if not before:
                self._say("engine", text, Severity.WARNING)
            return []

    async def _start(self, plan: GuardPlan, by: str) -> None:
        job_id = f"guard:{plan.device}"
        if job_id in self._runner.alive(plan.device):
            if self._runner.ending(job_id):
                self._later[plan.device] = plan, by
            return
        try:
            await self._runner.start(plan, by)
        except MinertuiError as error:
            self._say(plan.device, f"is not guarded: {error}", Severity.WARNING)

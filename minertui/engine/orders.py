"""Orders on their way through the arbiter and into the command log. The same id is one order, over restarts of the
engine too."""

from __future__ import annotations

import asyncio
from collections import Counter

from minertui.engine.arbiter import Arbiter
from minertui.engine.command_log import CommandLog, unsecret
from minertui.model.commands import CommandRecord, Order, Outcome, OutcomeState, Rank, SetFan, Tune
from minertui.model.errors import JobError, MinertuiError
from minertui.model.seams import Clock


class Orders:
    """What was asked and has not ended."""

    def __init__(self, arbiter: Arbiter, log: CommandLog, clock: Clock) -> None:
        self._arbiter, self._log, self._clock = arbiter, log, clock
        self._running: dict[str, asyncio.Task[CommandRecord]] = {}
        self._unsent: set[str] = set()  # on their way to the disk yet
        self._asking: Counter[str] = Counter()  # how many wait for each

    async def execute(self, order: Order) -> CommandRecord:
        """How the order ended; a caller that goes away does not cut it short, but where it waits for the disk yet: what
        it was for may be over when that answers, and another miner have its name. Others who asked for it go on to
        wait. Raises what the arbiter raises."""
        task = self._running.get(order.id)
        if task is None:
            task = self._running[order.id] = asyncio.create_task(self._execute(order), name=f"order {order.id}")
            task.add_done_callback(lambda done: self._over(order.id, done))
        self._asking[order.id] += 1
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if order.id in self._unsent and self._asking[order.id] == 1:
                task.cancel()
            raise
        finally:
            self._asking -= Counter([order.id])

    async def drain(self) -> None:
        """Wait until no order is on its way."""
        if self._running:
            await asyncio.wait(list(self._running.values()))
        await self._arbiter.drain()

    async def _execute(self, order: Order) -> CommandRecord:
        known = unsecret(order)
        if not order.dry_run and (before := await self._intend(known)) is not None:
            return before
        try:
            record = await self._arbiter.execute(order)
        except MinertuiError as error:
            if not order.dry_run:
                refused = Outcome(OutcomeState.REFUSED, str(error))
                await self._log.ended(CommandRecord(known, self._clock.wall(), refused))
            raise
        record = CommandRecord(known, record.at_s, record.outcome)
        if not order.dry_run:
            await self._log.ended(record)
        return record

    async def _intend(self, order: Order) -> CommandRecord | None:
        self._unsent.add(order.id)
        try:
            return await self._log.intend(order)
        finally:
            self._unsent.discard(order.id)

    def _over(self, order_id: str, task: asyncio.Task[CommandRecord]) -> None:
        self._running.pop(order_id, None)
        if not task.cancelled():
            task.exception()  # whoever waits gets it; nobody may wait any more


def from_outside(order: Order) -> Order:
    """The order of somebody who is no part of the engine. Raises JobError for what only a job may give: it alone walks
    the way back that its rank leaves, and is ended in its own name."""
    if order.by.startswith(("sweep:", "guard:")):
        raise JobError(f"“{order.by}” is the name of a job; whoever orders something is called otherwise")
    if order.rank is not Rank.PERSON and isinstance(order.command, Tune | SetFan):
        whose = f"settings of the rank “{order.rank.name.lower()}” are a job's"
        raise JobError(f"{whose}; with rank 1 (person) they are the new normal")
    return order

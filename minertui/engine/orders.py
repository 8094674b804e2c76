"""The command log around the arbiter: the intent is on disk before the order goes out, its end when it is known.

The same id is one order, over restarts of the engine too. A disk that refuses does not keep a person from cooling a
miner: the order goes on without a log.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from msgspec.structs import replace

from minertui.engine.arbiter import Arbiter
from minertui.engine.records import Records
from minertui.engine.store import StoreError
from minertui.model.commands import CommandRecord, Order, Outcome, OutcomeState, Rank, SetPools
from minertui.model.errors import MinertuiError
from minertui.model.events import CommandDone, Event
from minertui.model.seams import Clock


class Orders:
    """``publish`` is the hub's; ``say`` takes a line for the log: what a person ordered;
    jobs speak for themselves."""

    def __init__(
        self,
        arbiter: Arbiter,
        records: Records,
        clock: Clock,
        publish: Callable[[Event], None],
        say: Callable[[str, str], None] = lambda source, text: None,
    ) -> None:
        self._arbiter, self._records, self._clock = arbiter, records, clock
        self._publish, self._say = publish, say
        self._running: dict[str, asyncio.Task[CommandRecord]] = {}

    async def execute(self, order: Order) -> CommandRecord:
        """How the order ended; a caller that goes away does not cut it short. Raises what the arbiter raises."""
        task = self._running.get(order.id)
        if task is None:
            task = self._running[order.id] = asyncio.create_task(self._execute(order), name=f"order {order.id}")
            task.add_done_callback(lambda done: self._over(order.id, done))
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait until no order is on its way."""
        if self._running:
            await asyncio.wait(list(self._running.values()))
        await self._arbiter.drain()

    async def _execute(self, order: Order) -> CommandRecord:
        if order.dry_run:
            record = await self._arbiter.execute(order)
            return CommandRecord(unsecret(order), record.at_s, record.outcome)
        known = unsecret(order)
        with contextlib.suppress(StoreError):
            before = await self._records.intend(known, self._clock.wall())
            if before is not None:
                return before
        try:
            record = await self._arbiter.execute(order)
        except MinertuiError as error:
            await self._ended(CommandRecord(known, self._clock.wall(), Outcome(OutcomeState.REFUSED, str(error))))
            raise
        record = CommandRecord(known, record.at_s, record.outcome)
        await self._ended(record)
        return record

    async def _ended(self, record: CommandRecord) -> None:
        with contextlib.suppress(StoreError):
            await self._records.done(record)
        self._publish(CommandDone(record))
        if record.order.rank is Rank.PERSON:
            self._say(record.order.device, told(record))

    def _over(self, order_id: str, task: asyncio.Task[CommandRecord]) -> None:
        self._running.pop(order_id, None)
        if not task.cancelled():
            task.exception()  # whoever waits gets it; nobody may wait any more


def told(record: CommandRecord) -> str:
    """An order and its end in a line."""
    order, outcome = record.order, record.outcome
    changes = ", ".join(f"{c.setting} {c.before} -> {c.after}" for c in outcome.changes if c.before != c.after)
    parts = (type(order.command).__struct_config__.tag, outcome.state.value, changes, outcome.reason)
    return f"{order.by}: {': '.join(str(part) for part in parts if part)}"


def unsecret(order: Order) -> Order:
    """The order as it may be kept and shown: pool passwords go to the miner and nowhere else."""
    if not isinstance(order.command, SetPools):
        return order
    return replace(order, command=SetPools(tuple(replace(pool, password=None) for pool in order.command.pools)))

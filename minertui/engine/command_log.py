"""The command log: the intent is on disk before the first write goes out, its end when it is known.

A disk that refuses does not keep anybody from cooling a miner: the command goes on without a log.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from msgspec.structs import replace

from minertui.engine.records import Records
from minertui.engine.store import StoreError
from minertui.model.commands import CommandRecord, Order, Rank, SetPools, word_of
from minertui.model.events import CommandDone, Event
from minertui.model.seams import Clock
from minertui.model.text import without_user


class CommandLog:
    """``publish`` is the hub's; ``say`` takes a line for the log: what a person ordered; jobs speak for themselves.
    ``by``: who leads miners back."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        publish: Callable[[Event], None],
        say: Callable[[str, str], None] = lambda source, text: None,
        by: str = "engine",
    ) -> None:
        self._records, self._clock, self._publish, self._say = records, clock, publish, say
        self.by = by

    async def intend(self, order: Order) -> CommandRecord | None:
        """Keep that ``order`` is about to be sent; the record of the first time when its id was met before."""
        with contextlib.suppress(StoreError):
            return await self._records.intend(unsecret(order), self._clock.wall())
        return None

    async def ended(self, record: CommandRecord) -> None:
        """Keep how an order ended, and tell everybody."""
        record = replace(record, order=unsecret(record.order))
        with contextlib.suppress(StoreError):
            await self._records.done(record)
        self._publish(CommandDone(record))
        if record.order.rank is Rank.PERSON:
            self._say(record.order.device, told(record))


def told(record: CommandRecord) -> str:
    """An order and its end in a line."""
    order, outcome = record.order, record.outcome
    changes = ", ".join(f"{c.setting} {c.before} -> {c.after}" for c in outcome.changes if c.before != c.after)
    parts = (word_of(order.command), outcome.state.words, changes, outcome.reason)
    return f"{order.by}: {': '.join(part for part in parts if part)}"


def unsecret(order: Order) -> Order:
    """The order as it may be kept and shown: pool passwords go to the miner and nowhere else."""
    if not isinstance(order.command, SetPools):
        return order
    kept = (replace(pool, url=without_user(pool.url), password=None) for pool in order.command.pools)
    return replace(order, command=SetPools(tuple(kept)))

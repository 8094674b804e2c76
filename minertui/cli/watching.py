"""What the commands share that watch a Link: its messages, and the fleet once every miner asked about was read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress

from minertui.model.events import Message, advance
from minertui.model.fleet import EMPTY, Fleet
from minertui.model.seams import Link

_FIRST_READING_S = 20.0


@asynccontextmanager
async def watched(link: Link) -> AsyncIterator[AsyncIterator[Message]]:
    """The link's messages; the stream is closed at the end."""
    stream = link.watch()
    try:
        yield stream
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()


async def read_once(link: Link, names: Collection[str], hear: Callable[[Message], None] = lambda _: None) -> Fleet:
    """The fleet once each of these miners was read, or after 20 s as far as they answer; ``hear`` is given each message
    until then."""
    fleet = EMPTY
    with suppress(TimeoutError):
        async with asyncio.timeout(_FIRST_READING_S), watched(link) as messages:
            async for message in messages:
                fleet = advance(fleet, message)
                hear(message)
                if all(name in fleet.snapshots and fleet.snapshots[name].status is not None for name in names):
                    break
    return fleet

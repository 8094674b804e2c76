"""Where a job computes what takes long: the next point of a sweep takes up to a tenth of a second after many of them.

The loop that reads 160 miners must not wait for that. ``Beside`` computes in a thread, one thing at a time in the whole
process: Python computes in one thread at once anyway, and the loop then has one rival for its turn and not many. Where
time is not real, nobody waits for a thread; there ``at_once`` keeps the order of all things the same in every run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Think(Protocol):
    """Computes ``work``, which touches nothing that anybody else has, and returns what it makes."""

    async def __call__(self, work: Callable[[], T]) -> T:
        """Raises what ``work`` raises."""
        ...


async def at_once(work: Callable[[], T]) -> T:
    """Here and now; the loop waits."""
    return work()


class Beside:
    """In a thread; who comes later waits for who came before, and the loop for nobody."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def __call__(self, work: Callable[[], T]) -> T:
        """Raises what ``work`` raises."""
        async with self._turn:
            return await asyncio.to_thread(work)

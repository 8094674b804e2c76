"""Keeps the engine's tasks running, and tells systemd that they are.

A task that ends or raises is said, counted and started again, later and later. The watchdog is fed only while the loop
turns on time, every watched task gave a sign of life within its deadline, and the database writers answered: an engine
that hangs in any of them is killed by systemd, and its successor restores the miners.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from minertui.engine.notify import notify, watchdog_s
from minertui.engine.poller import STANDSTILL_S
from minertui.model.seams import Clock

_LOG = logging.getLogger(__name__)
_AGAIN_S = (1.0, 2.0, 5.0, 15.0, 60.0)
_TICK_S = 0.5
_PING_S = 5.0  # how often the writers are asked
_ACK_S = 20.0  # how long they may take


class Supervisor:
    """Runs named tasks for ever. ``stood_still`` hears by how many seconds the loop was late."""

    def __init__(
        self, clock: Clock, say: Callable[[str], None], stood_still: Callable[[float], None] = lambda _: None
    ) -> None:
        self._clock, self._say, self._stood_still = clock, say, stood_still
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pings: dict[str, Callable[[], Awaitable[None]]] = {}
        self._acked_s: dict[str, float] = {}
        self.deaths = 0

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work()`` now and again whenever it ends, until ``drop`` or ``close``. One that is kept under this name
        ends: nobody could end it any more."""
        if name in self._tasks:
            self._tasks[name].cancel()
        self._tasks[name] = asyncio.create_task(self._kept(name, work), name=name)

    async def drop(self, name: str) -> None:
        """End a kept task."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def watch(self, name: str, ping: Callable[[], Awaitable[None]]) -> None:
        """Feed the watchdog only while ``ping()`` returns in time."""
        self._pings[name], self._acked_s[name] = ping, self._clock.mono()
        self.keep(f"watch {name}", lambda: self._watched(name))

    def start(self) -> None:
        """Begin to look at the loop's own clock and to feed the watchdog."""
        self.keep("heartbeat", self._heartbeat)

    async def close(self) -> None:
        """End everything."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def late(self) -> list[str]:
        """What gave no sign of life within its deadline."""
        now_s = self._clock.mono()
        return [name for name, at_s in self._acked_s.items() if now_s - at_s > (_ACK_S + _PING_S) * self._clock.speed]

    async def _kept(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        tries = 0
        while True:
            began_s = self._clock.mono()
            try:
                await work()
                why = "ended"
            except Exception as error:  # noqa: BLE001 - the task boundary: whatever it was, the engine goes on
                _LOG.exception("%s died", name)
                why = f"died of {type(error).__name__}: {error}"
            self.deaths += 1
            tries = 0 if self._clock.mono() - began_s > _AGAIN_S[-1] else tries
            wait_s = _AGAIN_S[min(tries, len(_AGAIN_S) - 1)]
            self._say(f"the engine's part “{name}” {why}; it is started again in {wait_s:g} s")
            await self._clock.sleep(wait_s)
            tries += 1

    async def _watched(self, name: str) -> None:
        while True:
            await self._pings[name]()
            self._acked_s[name] = self._clock.mono()
            await self._clock.sleep(_PING_S * self._clock.speed)

    async def _heartbeat(self) -> None:
        """Feeds every half second at most; systemd wants a third of its period or less."""
        speed = self._clock.speed
        tick_s = min(_TICK_S, (watchdog_s() or 30.0) / 4) * speed
        while True:
            mono_s, boot_s = self._clock.mono(), self._clock.boot()
            await self._clock.sleep(tick_s)
            late_s = max(self._clock.mono() - mono_s, self._clock.boot() - boot_s) - tick_s
            if late_s > STANDSTILL_S * speed:
                self._stood_still(late_s)
            if not self.late():
                notify("WATCHDOG=1")

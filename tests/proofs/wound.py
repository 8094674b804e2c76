"""Virtual time for whole engines: a loop that never waits, and a clock on it.

When nothing is ready, the loop's time jumps to the next timer. What would run in a thread runs at once in the loop's
own thread, so one seed gives one history: the same calls in the same order. Connections have both ends in here, and
need no sockets (``near``).
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests.proofs.near import NearLoop

T = TypeVar("T")

START_S = 1_800_000_000.0
_ASKED_MOST = 1_000_000  # an instant of 160 miners asks some thousand times


class _Winding(selectors.DefaultSelector):
    """Waits for nothing, and winds the time on; no system is asked, for nobody outside has anything to say."""

    now_s = 0.0
    asked = 0  # so often for the time, since it went on last

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen again: every task waits for something without a time")
        if timeout > 0:
            self.now_s, self.asked = self.now_s + timeout, 0
        return []


class WoundLoop(NearLoop):
    """An event loop in virtual time."""

    def __init__(self) -> None:
        self._winding = _Winding()
        super().__init__(self._winding)

    def time(self) -> float:
        self._winding.asked += 1
        if self._winding.asked > _ASKED_MOST:
            raise SystemExit(f"something goes round and round at {self._winding.now_s:.3f} s, and nothing else runs")
        return self._winding.now_s

    def stand_still(self, seconds: float) -> None:
        """The process was stopped for so long: time passed, and nothing ran."""
        self._winding.now_s += seconds

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """The thread's work, at once and here."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class WoundClock:
    """The loop's time on all clocks. ``skew_s`` moves the wall clock, ``slept_s`` is time spent in suspend."""

    speed = 1.0

    def __init__(self, loop: WoundLoop, since_s: float = 0.0) -> None:
        self._loop, self._since_s = loop, since_s
        self.skew_s = self.slept_s = 0.0

    def mono(self) -> float:
        return self._since_s + self._loop.time()

    def boot(self) -> float:
        return self.mono() + self.slept_s

    def wall(self) -> float:
        return START_S + self.mono() + self.skew_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class Awake:
    """The clock of what goes on while the host of the other one sleeps."""

    speed = 1.0

    def __init__(self, host: WoundClock) -> None:
        self._host = host
        self.wall, self.sleep = host.wall, host.sleep

    def mono(self) -> float:
        return self._host.boot()

    boot = mono


def run(main: Callable[[WoundLoop], Coroutine[Any, Any, T]]) -> T:
    """Run ``main(loop)`` in virtual time, and end what it left."""
    loop = WoundLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main(loop))
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()

"""What the engine gives one rig's relay: clock, key, log, and the fleet to tell how it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from minertui.model.events import Event, JobChanged
from minertui.model.plans import JobState
from minertui.model.relay import RelayView
from minertui.model.seams import Clock


class Site:
    """What one rig's relay gets of the engine."""

    def __init__(
        self,
        state: JobState,
        key: str,
        clock: Clock,
        say: Callable[[str, str], None],
        changed: Callable[[Event], None],
        remember: Callable[[str, RelayView], None],
    ) -> None:
        self.state, self.mining_key = state, key
        self._clock, self._say, self._changed, self._remember = clock, say, changed, remember
        self._over = asyncio.Event()

    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock.mono()

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._clock.wall()

    async def sleep(self, seconds: float) -> None:
        """Program seconds."""
        await self._clock.sleep(seconds)

    async def ended(self) -> None:
        """Waits for ``end``."""
        await self._over.wait()

    @property
    def ending(self) -> bool:
        """True once it was asked to end."""
        return self._over.is_set()

    def end(self) -> None:
        """Ask the relay to end."""
        self._over.set()

    def log(self, text: str) -> None:
        """A line under the job's id."""
        self._say(self.state.id, text)

    def report(self, view: RelayView, note: str = "") -> None:
        """How the rig does."""
        self._remember(self.state.device, view)
        shares = sum(board.stats.shares for board in view.boards)
        self.change(replace(self.state, view=view, note=note, done=shares))

    def change(self, state: JobState) -> None:
        """Tell the fleet."""
        self.state = state
        self._changed(JobChanged(state))

"""What the engine gives one rig's relay: clock, key, log, and the fleet to tell how it goes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable

from msgspec.structs import replace

from minertui.engine.balance_log import BalanceLog
from minertui.model.account import BalanceRow
from minertui.model.errors import MinertuiError
from minertui.model.events import Event, JobChanged
from minertui.model.plans import JobState
from minertui.model.relay import RelayView
from minertui.model.seams import Clock

_ROWS = 240  # an hour of readings waits for a folder that hangs


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
        balance_log: BalanceLog | None = None,
    ) -> None:
        self.state, self.mining_key = state, key
        self._clock, self._say, self._changed, self._remember = clock, say, changed, remember
        self._balance_log, self._logged, self._refused = balance_log, 0.0, ""
        self._rows: deque[BalanceRow] = deque(maxlen=_ROWS)
        self._writing: threading.Thread | None = None
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()

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
        if self._balance_log is not None and view.balance and view.balance[-1].at_s != self._logged:
            self._logged = view.balance[-1].at_s
            self._rows.append(view.balance[-1])
            if self._writing is None or not self._writing.is_alive():
                self._writing = threading.Thread(target=self._write, args=(self._balance_log,), daemon=True)
                with contextlib.suppress(RuntimeError):  # the system gives none now: the next reading tries again
                    self._writing.start()
        shares = sum(board.stats.shares for board in view.boards)
        self.change(replace(self.state, view=view, note=note, done=shares))

    def _write(self, log: BalanceLog) -> None:
        """In a thread of its own: a folder that hangs (a network's, say) holds up nobody, and takes none of those that
        the journal needs. A refusal is said once."""
        while self._rows:
            try:
                log.write(self._rows.popleft())
                self._refused = ""
            except MinertuiError as error:
                if str(error) != self._refused:
                    self._refused = str(error)
                    with contextlib.suppress(RuntimeError):  # the engine has ended meanwhile
                        self._loop.call_soon_threadsafe(self.log, str(error))

    def change(self, state: JobState) -> None:
        """Tell the fleet."""
        self.state = state
        self._changed(JobChanged(state))

"""Sees that the journal takes no entry any more, before an order is refused for it, and when it does again.

While all is well it is only looked at: who may write there, and is it mounted for writing? What looks wrong, or refused
a write of ours, is tried like any entry, every few seconds, until it can be written.
"""

from __future__ import annotations

from collections.abc import Callable

from minertui.engine.journal import Journal
from minertui.engine.stepping import off_loop
from minertui.model.seams import Clock

FILE = "the journal"
"""What a person calls it."""
_LOOK_S = 5.0
_COSTS = "no miner is raised meanwhile"


class JournalWatch:
    """``tell`` takes what does not take writes, why (empty: it does again), and what that costs."""

    def __init__(self, journal: Journal, clock: Clock, tell: Callable[[str, str, str], None]) -> None:
        self._journal, self._clock, self._tell = journal, clock, tell
        self._said = ""

    async def run(self) -> None:
        """Look every few seconds, for ever."""
        while True:
            await self.look()
            await self._clock.sleep(_LOOK_S)

    async def look(self) -> None:
        """Say what is new."""
        why = await off_loop(self._journal.checked)
        if bool(why) is not bool(self._said):
            self._tell(FILE, why, _COSTS)
        self._said = why

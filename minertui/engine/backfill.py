"""What a device itself remembers, taken over into history once, after its first answer to this engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from minertui.engine.history import History
from minertui.engine.line import Line
from minertui.model.errors import MinertuiError


class Backfill:
    """``line`` gives a device's line, KeyError when it has left; ``say`` a line for the log."""

    def __init__(self, history: History, line: Callable[[str], Line], say: Callable[[str, str], None]) -> None:
        self._history, self._line, self._say = history, line, say
        self._waiting: set[str] = set()

    def expect(self, lines: Iterable[Line]) -> None:
        """These have not answered yet."""
        self._waiting |= {line.name for line in lines}

    def due(self, device: str) -> bool:
        """True at its first answer: now ``fill`` it."""
        if device not in self._waiting:
            return False
        self._waiting.discard(device)
        return True

    async def fill(self, device: str) -> None:
        """Ask the device and keep what it says."""
        try:
            remembered = await self._line(device).statistics()
            filled = await self._history.backfill(device, remembered) if remembered else 0
        except (MinertuiError, KeyError) as error:
            self._say(device, f"its own history could not be read: {error}")
            return
        if filled:
            self._say(device, f"{filled} minutes taken over from the device's own history")

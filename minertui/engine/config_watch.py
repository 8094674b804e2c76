"""Sees that the config file changed, and what it says now. A file that is wrong changes nothing but the notice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from minertui.config import Config, load
from minertui.model.errors import ConfigError
from minertui.model.seams import Clock

_LOOK_S = 2.0


class ConfigWatch:
    """``changed`` gets each new config that is right; ``wrong`` a sentence, empty when the file is right again."""

    def __init__(
        self, path: Path, clock: Clock, changed: Callable[[Config], Awaitable[None]], wrong: Callable[[str], None]
    ) -> None:
        self._path, self._clock, self._changed, self._wrong = path, clock, changed, wrong
        self._seen = _mark(path)

    async def run(self) -> None:
        """Look every two seconds, for ever."""
        while True:
            await self._clock.sleep(_LOOK_S * self._clock.speed)
            await self.look()

    async def look(self) -> None:
        """Read the file if it is another one than last time."""
        mark = await asyncio.to_thread(_mark, self._path)
        if mark == self._seen:
            return
        self._seen = mark
        try:
            config = await asyncio.to_thread(load, self._path)
            await self._changed(config)
        except ConfigError as error:
            self._wrong(f"the config is not taken over, the old one stays in force: {error}")
        else:
            self._wrong("")


def _mark(path: Path) -> tuple[int, int, int]:
    """Differs when the file was written or replaced; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino

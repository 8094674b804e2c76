"""Sees that the config file changed, and what it says now. A file that is wrong changes nothing but the notice and the
log, which say so once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from minertui.config import ApiConfig, Config, load
from minertui.model.alerts import Severity
from minertui.model.errors import ConfigError
from minertui.model.seams import Clock

_LOOK_S = 2.0


class ConfigWatch:
    """``changed`` gets each new config that is right; ``wrong`` a sentence, empty when the file is right again; ``say``
    takes a line for the log."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        changed: Callable[[Config], Awaitable[None]],
        wrong: Callable[[str], object],
        say: Callable[[str, Severity], None],
    ) -> None:
        self._path, self._clock, self._changed, self._wrong, self._say = path, clock, changed, wrong, say
        self._seen, self._said = _mark(path), ""

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
            self._tell(f"the config is not taken over, the old one stays in force: {error}")
        else:
            self._tell("")

    def _tell(self, text: str) -> None:
        """The same mistake, saved again, is one line."""
        self._wrong(text)
        if text and text != self._said:
            self._say(f"{text}; correct it and save, it is read again at once", Severity.WARNING)
        elif self._said and not text:
            self._say("the config is right again and in force", Severity.INFO)
        self._said = text


def doors_wait(opened: ApiConfig, wanted: ApiConfig) -> str:
    """What to say when the API's doors are not as the config wants them; empty when they are."""
    if opened == wanted:
        return ""
    keys = [f"api.{name}" for name in opened.__struct_fields__ if getattr(opened, name) != getattr(wanted, name)]
    again = "restart the engine: minertui stop, then minertui; or systemctl restart minertui"
    return f"{' and '.join(keys)} changed in the config, and the open doors stay as they are until you {again}"


def _mark(path: Path) -> tuple[int, int, int]:
    """Differs when the file was written or replaced; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino

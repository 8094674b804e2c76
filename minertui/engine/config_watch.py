"""Sees that the config file changed, and what it says now. A file that is wrong changes nothing but the notice and the
log, which say so once.

An editor that writes in place, or that puts a new file in the place of the old one, leaves for a moment a file with
fewer miners, an empty one or none. So a file is read when it stood still from one look to the next; and one that is
empty or not there takes no miner away: a full disk leaves such files too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from minertui.config import ApiConfig, Config, load
from minertui.model.alerts import Severity
from minertui.model.errors import ConfigError, LinkError
from minertui.model.seams import Clock

_LOOK_S = 2.0


class Mark(NamedTuple):
    """What tells one state of a file from another one."""

    written_ns: int
    size: int
    inode: int


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
        self._seen = self._last = mark(path)
        self._said = ""

    async def run(self) -> None:
        """Look every two seconds, for ever."""
        while True:
            await self._clock.sleep(_LOOK_S * self._clock.speed)
            await self.look()

    async def look(self) -> None:
        """Read the file if it is another one than was read last, and the one that the last look found. What nobody
        foresaw is raised, and the file is read again at the next look."""
        before, now = self._last, await asyncio.to_thread(mark, self._path)
        self._last = now
        if now == before and now != self._seen:
            await self._take(now)

    async def _take(self, now: Mark) -> None:
        try:
            if not now.size:
                raise ConfigError("is empty, or not there any more", file=self._path)
            await self._changed(await asyncio.to_thread(load, self._path))
        except (ConfigError, LinkError) as error:
            self._tell(f"the config is not taken over, the old one stays in force: {error}")
        else:
            self._tell("")
        self._seen = now

    def _tell(self, text: str) -> None:
        """The same mistake, saved again, is one line."""
        self._wrong(text)
        if text and text != self._said:
            self._say(f"{text}; correct it and save, it is read again at once", Severity.WARNING)
        elif self._said and not text:
            self._say("the config is right again and in force", Severity.INFO)
        self._said = text


class Turn:
    """One change of the config at a time (``async with``), and none any more once the engine ends."""

    def __init__(self) -> None:
        self._lock, self._over = asyncio.Lock(), False

    async def __aenter__(self) -> None:
        """Waits for the one before. Raises LinkError after ``end``."""
        await self._lock.acquire()
        if self._over:
            self._lock.release()
            raise LinkError("the engine is going down; try again when it is back")

    async def __aexit__(self, *_: object) -> None:
        """The next one may begin."""
        self._lock.release()

    async def end(self) -> None:
        """Returns when the one under way has ended."""
        self._over = True
        async with self._lock:
            pass


def doors_wait(opened: ApiConfig, wanted: ApiConfig) -> str:
    """What to say when the API's doors are not as the config wants them; empty when they are."""
    if opened == wanted:
        return ""
    keys = [f"api.{name}" for name in opened.__struct_fields__ if getattr(opened, name) != getattr(wanted, name)]
    again = "restart the engine: minertui stop, then minertui; or systemctl restart minertui"
    return f"{' and '.join(keys)} changed in the config, and the open doors stay as they are until you {again}"


def mark(path: Path) -> Mark:
    """Differs when the file was written or replaced; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return Mark(0, 0, 0)
    return Mark(found.st_mtime_ns, found.st_size, found.st_ino)

"""From the engine to the screen: one task follows the link and keeps the newest picture.

What the screen gets is one message with the whole picture. It may replace an older one that still waits, it comes at
most four times a second, and not at all while nothing changes; so a slow terminal never queues old pictures. Log lines
are kept in a ring and numbered: a pane asks for those after the last one it has, and learns how many it missed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import msgspec
from textual.message import Message
from textual.message_pump import MessagePump

from minertui.model.commands import CommandRecord
from minertui.model.errors import LinkError
from minertui.model.events import CommandDone, LogLine, Numbered, Whole, advance
from minertui.model.events import Message as LinkMessage
from minertui.model.fleet import EMPTY, Fleet
from minertui.model.seams import Link

PERIOD_S = 0.25
GATHER_S = 0.02
RETRY_S = 2.0
RING = 5000


class Lines(msgspec.Struct, frozen=True):
    """Log lines and their place: ``upto`` is the number after the last one, ``missed`` how many fell out before."""

    lines: tuple[LogLine, ...]
    upto: int
    missed: int = 0


class Picture(msgspec.Struct, frozen=True):
    """All that a screen draws from. ``lost`` says why the engine is away (empty: it is there) and ``lost_s`` is the
    wall time of its last word; ``first`` is False until the first whole fleet came."""

    fleet: Fleet = EMPTY
    lost: str = ""
    lost_s: float = 0.0
    first: bool = False
    upto: int = 0  # number after the newest log line
    records: tuple[CommandRecord, ...] = ()  # commands that ended since the screen is open, newest first


NOTHING = Picture()


class PictureTaken(Message):
    """Something changed; here is everything."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        """A newer picture says all that an older one said."""
        return isinstance(message, PictureTaken)


class Feed:
    """Follows a link for a screen. ``run`` never ends by itself; cancel its task."""

    def __init__(self, link: Link, pump: MessagePump) -> None:
        self._link, self._pump = link, pump
        self.picture = NOTHING
        self._shown = NOTHING
        self._timer: asyncio.TimerHandle | None = None  # the loop's own: one of Textual's is a task, and costs like one
        self._ring: deque[LogLine] = deque(maxlen=RING)
        self._again: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Follow until the engine is lost; then try again every two seconds."""
        try:
            async for message in self._link.watch():
                self._take(message)
            self._lose("the engine ended the stream")
        except LinkError as error:
            self._lose(str(error))
        self._pump.set_timer(RETRY_S, self._again)

    def on_lost(self, again: Callable[[], None]) -> None:
        """What to call two seconds after the engine was lost."""
        self._again = again

    def lines_after(self, number: int) -> Lines:
        """The lines numbered ``number`` and up, as far as they are still kept."""
        upto = self.picture.upto
        wanted = max(0, upto - number)
        have = min(wanted, len(self._ring))
        lines: Sequence[LogLine] = () if not have else tuple(self._ring)[-have:]
        return Lines(tuple(lines), upto, wanted - have)

    def _take(self, message: LinkMessage) -> None:
        picture = self.picture
        records, upto = picture.records, picture.upto
        if isinstance(message, Numbered) and isinstance(message.event, LogLine):
            self._ring.append(message.event)
            upto += 1
        elif isinstance(message, Numbered) and isinstance(message.event, CommandDone):
            records = (message.event.record, *records)[:200]
        self.picture = msgspec.structs.replace(
            picture,
            fleet=advance(picture.fleet, message),
            first=picture.first or isinstance(message, Whole),
            lost="",
            upto=upto,
            records=records,
        )
        self._changed()

    def _lose(self, why: str) -> None:
        lost_s = self.picture.lost_s if self.picture.lost else self.picture.fleet.at_s
        self.picture = msgspec.structs.replace(self.picture, lost=why, lost_s=lost_s)
        self._changed()

    def _changed(self) -> None:
        """Post a moment after a quiet time, so that readings that come together are one picture; otherwise when the
        quarter second is over."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._post)

    def _post(self) -> None:
        self._timer = None
        if self.picture is self._shown:
            return
        self._shown = self.picture
        self._pump.post_message(PictureTaken(self.picture))
        self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self._post)

"""From the engine to the screen: one task follows the link and keeps the newest picture.

What the screen gets is one message with the whole picture. It may replace an older one that still waits, it comes at
most four times a second, and not at all while nothing changes; so a slow terminal never queues old pictures. Log lines
are kept in a ring and numbered: a pane asks for those after the last one it has, and learns how many it missed.

While the engine is away nothing on the screen is news: from the moment the connection breaks what it called well is
shown as stale, and the picture's time goes on by the screen's own clock, so that every age grows. An engine that is
there and says nothing (stopped, wedged) ages the same way: a reading that should have been followed by others is
stale too. The engine's next word undoes all of it. A word that names no later time does not stop the clock: where no
miner answers, each missed poll is told, and the time goes on all the same.
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
from minertui.model.fleet import EMPTY, Fleet, Health, Snapshot
from minertui.model.plans import JobState, SweepView
from minertui.model.seams import Bridging, Link

PERIOD_S = 0.25
GATHER_S = 0.02
RETRY_S = 2.0
AGE_S = 2.0  # between pictures with older readings, while the engine is away or says nothing
OVERDUE_S = 5.0  # beyond two polls: a reading that nobody followed up for so long is stale
RING = 5000


class Lines(msgspec.Struct, frozen=True):
    """Log lines and their place: ``upto`` is the number after the last one, ``missed`` how many fell out before."""

    lines: tuple[LogLine, ...]
    upto: int
    missed: int = 0


class Picture(msgspec.Struct, frozen=True):
    """All that a screen draws from. ``lost`` says why the engine is away (empty: it is there), ``lost_s`` is the wall
    time of its last word, and ``fleet`` is then its last one, called stale and grown older; ``first`` is False until
    the first whole fleet came."""

    fleet: Fleet = EMPTY
    lost: str = ""
    lost_s: float = 0.0
    first: bool = False
    upto: int = 0  # number after the newest log line
    records: tuple[CommandRecord, ...] = ()  # commands that ended since the screen is open, newest first


NOTHING = Picture()


def mono_s() -> float:
    """Seconds of the screen's own clock, for how long the engine has been silent."""
    return asyncio.get_running_loop().time()


def outdated(fleet: Fleet) -> Fleet:
    """``fleet`` as it is shown when its engine is away: nothing in it is well any more. Worse standings stay."""
    return msgspec.structs.replace(
        fleet,
        snapshots={k: _outdated(v, fleet.at_s) for k, v in fleet.snapshots.items()},
        jobs={k: _unheard(v) for k, v in fleet.jobs.items()},
    )


def _unheard(job: JobState) -> JobState:
    """How far it was; not how long it still takes, and not what it measures right now."""
    if job.phase.over:
        return job
    view = job.view
    if isinstance(view, SweepView):
        view = msgspec.structs.replace(view, sample=None, at_mhz=None, at_mv=None)
    return msgspec.structs.replace(job, view=view, left_s=None, note="as it was; the engine does not answer")


def aged(fleet: Fleet, silent_s: float) -> Fleet:
    """``fleet`` when its engine has named no later time for so many seconds of the screen's own clock."""
    at_s = fleet.at_s + silent_s * fleet.speed
    snapshots = {
        name: _outdated(s, fleet.at_s, "the engine says nothing about it") if _overdue(s, at_s, fleet.speed) else s
        for name, s in fleet.snapshots.items()
    }
    return msgspec.structs.replace(fleet, snapshots=snapshots, at_s=at_s)


def _overdue(snapshot: Snapshot, at_s: float, speed: float) -> bool:
    return snapshot.at_s is not None and at_s - snapshot.at_s > 2 * snapshot.poll_s + OVERDUE_S * speed


def _outdated(snapshot: Snapshot, since_s: float, why: str = "the engine does not answer") -> Snapshot:
    """As a miss: an answer that repeats itself has none."""
    if snapshot.health is not Health.OK:
        return snapshot
    return msgspec.structs.replace(snapshot, health=Health.STALE, why=why, since_s=since_s, misses=1)


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
        self._fleet, self._heard_s = EMPTY, 0.0  # the engine's own newest, and when it spoke last by our clock
        self._dated_s = 0.0  # when it last named a later time, by our clock
        self._aging: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None  # the loop's own: one of Textual's is a task, and costs like one
        self._ring: deque[LogLine] = deque(maxlen=RING)
        self._again: Callable[[], None] = lambda: None
        if isinstance(link, Bridging):
            link.on_break(lambda error: self._lose(str(error)))

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
        before_s, self._fleet, self._heard_s = self._fleet.at_s, advance(self._fleet, message), mono_s()
        if isinstance(message, Whole) or self._fleet.at_s > before_s:
            self._dated_s = self._heard_s
        silent_s = self._heard_s - self._dated_s
        self.picture = msgspec.structs.replace(
            picture,
            fleet=self._fleet if silent_s < AGE_S else aged(self._fleet, silent_s),
            first=picture.first or isinstance(message, Whole),
            lost="",
            upto=upto,
            records=records,
        )
        if self._aging is None:
            self._age()
        self._changed()

    def _lose(self, why: str) -> None:
        fleet = self.picture.fleet if self.picture.lost else outdated(self._fleet)
        lost_s = self._fleet.at_s + (self._heard_s - self._dated_s) * self._fleet.speed
        self.picture = msgspec.structs.replace(self.picture, fleet=fleet, lost=why, lost_s=lost_s)
        self._changed()
        self._age()

    def _age(self) -> None:
        """Let the time of a picture go on, every two seconds as long as the engine is away or silent."""
        if self._aging is not None:
            self._aging.cancel()
        self._aging = asyncio.get_running_loop().call_later(AGE_S, self._age)
        silent_s = mono_s() - self._dated_s
        if not self.picture.first or silent_s < AGE_S:
            return
        if self.picture.lost:
            at_s = self._fleet.at_s + silent_s * self._fleet.speed
            fleet = msgspec.structs.replace(self.picture.fleet, at_s=at_s)
        else:
            fleet = aged(self._fleet, silent_s)
        self.picture = msgspec.structs.replace(self.picture, fleet=fleet)
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

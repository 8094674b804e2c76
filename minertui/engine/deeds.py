"""What this program has done to one board since it began: a name may be another board's tomorrow, and this one may get
another name. What was raised, how often and when is the board's own."""

from __future__ import annotations

from collections import deque

from minertui.model.commands import Command, Restart, Resume, Tune
from minertui.model.status import MinerStatus
from minertui.safety.request import DAY_S
from minertui.safety.settings import Settings


class Deeds:
    """Of the board with this ``mac``; None as long as it has told none. Times are boot-clock seconds."""

    def __init__(self, began_s: float = float("-inf"), mac: str | None = None) -> None:
        """``began_s``: when this program began; until then an earlier run may have written."""
        self.began_s, self.mac = began_s, mac
        self.origin: Settings | None = None  # what it ran before we raised it first; None: it is not above that
        self.settled_s: float | None = None
        self.moving_s = float("-inf")  # until then a write that was not seen to have come true may still be at work
        self.tuned_s: float | None = None
        self.unkept: tuple[Settings, ...] = ()  # what was lowered while the disk refused to note it
        self.wrote_s: deque[float] = deque()
        self.raised_s: deque[float] = deque()
        self.restarted_s: deque[float] = deque()

    def count(self, command: Command, now_s: float, status: MinerStatus | None = None) -> None:
        """Remember a write to what this reading shows, and forget what is older than a day. A NerdQAxe is resumed by a
        restart (docs/axeos.md)."""
        self.wrote_s.append(now_s)
        if isinstance(command, Tune):
            self.tuned_s = now_s
        nerd = status is not None and status.family == "nerdqaxe"
        if isinstance(command, Restart) or (nerd and isinstance(command, Resume)):
            self.restarted_s.append(now_s)
        for times in (self.wrote_s, self.raised_s, self.restarted_s):
            while times and now_s - times[0] > DAY_S:
                times.popleft()


class AllDeeds:
    """Of every board that this program has met, by MAC."""

    def __init__(self, began_s: float) -> None:
        self._began_s = began_s
        self._by_mac: dict[str, Deeds] = {}

    def unknown(self) -> Deeds:
        """Of a board that has not been read yet."""
        return Deeds(self._began_s)

    def of(self, mac: str | None, before: Deeds) -> Deeds:
        """Of the board that is meant by now; ``before`` is what was taken for it until now, and goes on to be where
        that has never told a MAC, for most firmware tells it with the first reading, and some after an update."""
        if mac is None or mac == before.mac:
            return before
        if mac not in self._by_mac:
            first = before if before.mac is None else self.unknown()
            first.mac = mac
            self._by_mac[mac] = first
        return self._by_mac[mac]

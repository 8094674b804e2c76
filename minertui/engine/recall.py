"""What earlier runs kept of the miners (the MAC of each, who is parked, how many incidents) and their alerts.

    read at the start   what is learned from then on is kept at once
    the disk refuses    what is learned stays in memory and nothing on disk is written over, for it may say more; it is
                        read again every few seconds, joined with what was learned since, and only then written

Joined means: of two MACs the older one counts, so another device at the address is a stranger until a person accepts
it; who was parked is parked.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping

from minertui.engine.background import Background
from minertui.engine.line import Identity, Line
from minertui.engine.records import RECORDS, Records
from minertui.engine.store import StoreError
from minertui.model.alerts import Alert, Severity
from minertui.model.seams import Clock

_AGAIN_S = 5.0
_SOURCE = "identities"  # of the notice
_UNREAD = (
    f"which miners are parked cannot be read from {RECORDS}: nothing of it is written over, and it is read again as "
    "soon as the disk answers; mend the disk, and until then set readonly = true for a miner that must not be raised"
)
_READ = "what was kept of the miners can be read again: who was parked is parked"


class Recall:
    """``lines``: those that there are; ``restore`` takes the alerts kept, newest first; ``spawn`` writes what nobody
    waits for; ``put`` takes a notice by its source, ``say`` a line for the log."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        lines: Iterable[Line],
        restore: Callable[[list[Alert]], None],
        spawn: Background,
        put: Callable[[str, str], None],
        say: Callable[[str, str, Severity], None],
    ) -> None:
        self._records, self._clock, self._lines, self._restore = records, clock, lines, restore
        self._spawn, self._put, self._say = spawn, put, say
        self._known: dict[str, Identity] = {}
        self._read = self._whole = self._said = False  # identities; alerts too; that they are not

    @property
    def known(self) -> Mapping[str, Identity]:
        """By device, as far as it is known; always the newest, whoever holds it."""
        return self._known

    async def read(self) -> None:
        """Read what was kept; a disk that refuses is said once, and ``run`` tries again."""
        with contextlib.suppress(StoreError):
            if not self._read:
                self._join(await self._records.identities())
            self._restore(await self._records.alerts())
            self._whole = True
        if not self._read and not self._said:
            self._tell(_UNREAD, Severity.CRITICAL)
        elif self._read and self._said:
            self._tell("", Severity.INFO)

    async def run(self) -> None:
        """Try again for ever what could not be read."""
        while True:
            await self._clock.sleep(_AGAIN_S)
            if not self._whole:
                await self.read()

    def learned(self, device: str, identity: Identity) -> None:
        """This is known of a device from now on. It is kept once it is known what it takes the place of."""
        self._known[device] = identity
        if self._read:
            self._spawn(self._records.learn(device, identity))

    def renamed(self, old: str, new: str) -> None:
        """The device is called ``new`` from now on; the records know."""
        self._known[new] = self._known.pop(old, Identity())

    def _join(self, kept: Mapping[str, Identity]) -> None:
        learned = dict(self._known)
        self._known.update(kept)
        self._read = True
        for device, identity in learned.items():
            self.learned(device, _joined(kept.get(device), identity))
        for line in self._lines:
            line.recall(self._known.get(line.name, Identity()))

    def _tell(self, text: str, severity: Severity) -> None:
        self._said = bool(text)
        self._put(_SOURCE, text)
        self._say("engine", text or _READ, severity)


def _joined(kept: Identity | None, learned: Identity) -> Identity:
    if kept is None:
        return learned
    return Identity(kept.mac or learned.mac, kept.incidents + learned.incidents, kept.parked or learned.parked)

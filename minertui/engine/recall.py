"""What earlier runs kept of the miners (the MAC of each, who is parked, how many incidents) and their alerts.

    read at the start   what is learned from then on is kept at once
    the disk refuses    what is learned stays in memory and nothing on disk is written over, for it may say more; it is
                        read again every few seconds, joined with what was learned since, and only then written
    the disk is full    what is learned is tried again every few seconds, the newest of each, until it is kept; who is
                        parked in memory alone is said, for an end of the engine would forget it

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
_SOURCE, _UNKEPT = "identities", "unkept"  # of the notices
_UNREAD = (
    f"which miners are parked cannot be read from {RECORDS}: nothing of it is written over, and it is read again as "
    "soon as the disk answers; mend the disk, and until then set readonly = true for a miner that must not be raised"
)
_KEPT = "who is parked is on disk"
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
        self._unkept: set[str] = set()  # of these the newest is not on disk yet
        self._told = ""
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
        """Try again for ever what could not be read, or kept."""
        while True:
            await self._clock.sleep(_AGAIN_S)
            if not self._whole:
                await self.read()
            for device in sorted(self._unkept) if self._read else ():
                await self._keep(device)
            self._warn()

    def learned(self, device: str, identity: Identity) -> None:
        """This is known of a device from now on. It is kept once it is known what it takes the place of."""
        self._known[device] = identity
        self._unkept.add(device)
        if self._read:
            self._spawn(self._keep(device))

    def renamed(self, old: str, new: str) -> None:
        """The device is called ``new`` from now on; so it is kept, whether or not the records know yet."""
        self._unkept.discard(old)
        if (known := self._known.pop(old, None)) is not None:
            self.learned(new, known)

    async def _keep(self, device: str) -> None:
        """The newest that is known of it, onto the disk; one that refuses is asked again."""
        if (identity := self._known.get(device)) is None:  # it has another name by now
            return
        with contextlib.suppress(StoreError):
            await self._records.learn(device, identity)
            if self._known.get(device) == identity:
                self._unkept.discard(device)

    def _warn(self) -> None:
        """Who is parked in memory alone. What could not be read yet has a notice of its own."""
        parked = [device for device in sorted(self._unkept) if self._known[device].parked]
        said = f"{', '.join(parked)}: parked, and that is not on disk yet" if parked and self._read else ""
        if said != self._told:
            self._told = said
            text = f"{said}; mend the disk before the engine ends, or set readonly = true" if said else ""
            self._put(_UNKEPT, text)
            self._say("engine", text or _KEPT, Severity.CRITICAL if text else Severity.INFO)

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

"""A line to one device: what we know of it, and the lock that keeps one request in flight.

    UNKNOWN ── answers ──→ OK ── 1 miss ──→ STALE ── 3 misses ──→ LOST ── answers ──→ OK
                           OK ── repeats itself (ten polls) ──→ STALE ── moves ──→ OK
    refuses us (401) ──→ AUTH        not who is meant ──→ STRANGER        parked, and answers ──→ PARKED

A miner that was told to restart, pause or resume may be silent for three minutes before it is LOST.
A device that never answered stays UNKNOWN. Lost, refused, strange and back are each said once. The first reading of a
device teaches its MAC; a reading with another MAC, or with that of another line, is not shown as this device's and
nothing is ever written to it.
A miner that repeats itself is shown and not believed: it may be lowered, never raised.

A line that is about to close, or to be locked, says so first (``ends``): from then on nothing is raised on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from minertui.engine.signs import Signs
from minertui.engine.stepping import Objection
from minertui.engine.who import Who
from minertui.model.alerts import Severity
from minertui.model.commands import Command
from minertui.model.errors import DeviceError, Refused, Unreachable, Withheld
from minertui.model.fleet import Health, Snapshot
from minertui.model.plans import Limits
from minertui.model.seams import Clock, Device, Statistics
from minertui.model.status import MinerStatus
from minertui.safety.limits import effective

READ_DEADLINE_S = 10.0  # real seconds; devices have shorter ones of their own, this is the last resort
WRITE_DEADLINE_S = 30.0
LOST_AFTER = 3  # misses
SLOWEST_S = 60.0  # a lost device is asked this often at least

_LEFT = "it left the config, or has another address there; nothing more is written here"
_OTHER = "another device answers at its address"
_TROUBLE = (Health.LOST, Health.AUTH, Health.STRANGER)
_replace = msgspec.structs.replace


class Identity(msgspec.Struct, frozen=True, omit_defaults=True):
    """What outlives the engine: the MAC learned, overheat incidents counted, why it is parked (empty: it is not)."""

    mac: str | None = None
    incidents: int = 0
    parked: str = ""


_NOBODY = Identity()


class LineOptions(msgspec.Struct, frozen=True):
    """What the config says about a line. ``poll_s`` in seconds; ``limits`` are the user's caps."""

    name: str
    address: str
    kind: str = "axeos"
    tags: tuple[str, ...] = ()
    pinned: bool = False
    poll_s: float = 5.0
    readonly: bool = False
    limits: Limits = Limits()


def _none(_: Snapshot) -> str:
    return ""


class Listener(Protocol):
    """Who hears a line; none of these waits or raises."""

    def took(self, snapshot: Snapshot, *, fresh: bool) -> None:
        """The device was read (``fresh``), could not be read, or is judged anew."""
        ...

    def said(self, source: str, text: str, severity: Severity) -> None:
        """A sentence for the log."""
        ...

    def learned(self, device: str, identity: Identity) -> None:
        """Something to be kept for ever."""
        ...


class Line:
    """One device as the engine sees it. ``refresh`` never raises for the device's faults: they are the snapshot's
    health."""

    def __init__(
        self,
        options: LineOptions,
        device: Device,
        clock: Clock,
        listener: Listener,
        identity: Identity = _NOBODY,
        recent_ghs: tuple[float, ...] = (),
        twin: Callable[[str], str] = lambda mac: "",
    ) -> None:
        """``identity``: what is known of this name from before; ``recent_ghs``: minute means of the last hour; ``twin``
        gives the other line under whose name a MAC answers already, empty where there is none."""
        self.options, self.device = options, device
        self.due_s = 0.0  # boot-clock time of the next poll
        self.ends = ""  # why nothing is raised on it any more, as a sentence without its name
        self._clock, self._listener, self._identity = clock, listener, identity
        self._lock = asyncio.Lock()
        self._recent, self._signs, self._who = _Recent(recent_ghs), Signs(), Who(twin)
        self._accepts = False  # a person accepted another device, which has not answered yet
        self._told: MinerStatus | None = None  # the last reading that told its model
        self._waiting: list[asyncio.Future[Snapshot]] = []
        self._closed = False
        self._snapshot = Snapshot(
            device=options.name,
            kind=options.kind,
            address=options.address,
            tags=options.tags,
            pinned=options.pinned,
            poll_s=options.poll_s,
            limits=options.limits,
            recent_ghs=recent_ghs,
            incidents=identity.incidents,
            since_s=clock.wall(),
        )

    @property
    def name(self) -> str:
        """The device's name in the config."""
        return self.options.name

    @property
    def limits(self) -> Limits:
        """The user's caps, as the config says."""
        return self.options.limits

    @property
    def readonly(self) -> bool:
        """True when the config forbids every write."""
        return self.options.readonly

    @property
    def expected_mac(self) -> str | None:
        """The MAC this device had when it was first read; None before that."""
        return self._identity.mac

    def snapshot(self) -> Snapshot:
        """The newest known."""
        return self._snapshot

    async def refresh(self) -> Snapshot:
        """Read the device now and return the newest snapshot; waits for a request in flight. The reading began after
        this call and after every write that has returned."""
        async with self._lock:
            if self._closed:
                self.due_s = self._clock.boot() + self._pace_s()  # whoever still polls it must not do so all the time
                return self._snapshot
            started_s, wall_s = self._clock.boot(), self._clock.wall()
            try:
                async with asyncio.timeout(READ_DEADLINE_S):
                    status = await self.device.read()
            except DeviceError as error:
                self._missed(error)
            except TimeoutError:
                self._missed(Unreachable(self.name, f"no whole answer within {READ_DEADLINE_S:g} s"))
            else:
                self._answered(status, started_s, wall_s)
            self.due_s = max(started_s + self._pace_s(), self._clock.boot())
            self._hand_out()
            return self._snapshot

    async def write(self, command: Command, objection: Objection = _none) -> None:
        """Send one command as it is; raises DeviceError, Unreachable meaning that the outcome is unknown, and Withheld
        that nothing was sent: the line is closed, another device answers, or there is an ``objection``."""
        async with self._lock:
            if why := self._shut() or objection(self._snapshot):
                raise Withheld(self.name, why)
            self._signs.wrote(command, self._clock.boot())
            try:
                async with asyncio.timeout(WRITE_DEADLINE_S):
                    await self.device.apply(command)
            except TimeoutError:
                raise Unreachable(self.name, f"no answer to the command within {WRITE_DEADLINE_S:g} s") from None

    async def statistics(self) -> Sequence[tuple[float, dict[str, float]]]:
        """What the device itself remembers, oldest first; nothing where its kind does not. Raises DeviceError."""
        if not isinstance(self.device, Statistics):
            return ()
        async with self._lock:
            return await self.device.statistics()

    async def next(self) -> Snapshot:
        """The snapshot after the next poll, successful or not."""
        future: asyncio.Future[Snapshot] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return await future

    def doubt(self, why: str) -> None:
        """What we know is too old to act upon, whatever its stamp says (the engine stood still)."""
        if self._snapshot.health in (Health.OK, Health.PARKED):
            self._judge(Health.STALE, why, misses=1)
            self._listener.took(self._snapshot, fresh=False)

    def park(self, why: str) -> None:
        """No automatic action from now on, over restarts of the engine too."""
        self._learn(_replace(self._identity, parked=why or "parked"))
        if self._snapshot.health is Health.OK:
            self._judge(Health.PARKED, why)
        self._listener.said(self.name, f"parked until a person clears it: {why}", Severity.CRITICAL)
        self._listener.took(self._snapshot, fresh=False)

    def unpark(self) -> None:
        """A person cleared it. A stranger is accepted too: the next reading teaches the new MAC."""
        strange = self._snapshot.health is Health.STRANGER
        self._learn(_replace(self._identity, parked="", mac=None if strange else self._identity.mac))
        if strange:
            self._told, self._accepts = None, True
            self._who.accept()
        if self._snapshot.health is Health.PARKED:
            self._judge(Health.OK, "")
        self._listener.took(self._snapshot, fresh=False)

    def recall(self, identity: Identity) -> None:
        """What was kept of it from before can be read only now. That another device answers shows at the next reading;
        incidents of before are no news and are not shown before the next start."""
        self._identity = identity
        if identity.parked and self._snapshot.health is Health.OK:
            self._judge(Health.PARKED, identity.parked)
            self._listener.took(self._snapshot, fresh=False)

    def change(self, options: LineOptions) -> None:
        """Other tags, limits, period or permission; the address and the name stay."""
        if options.poll_s < self.options.poll_s:
            self.due_s = min(self.due_s, self._clock.boot() + options.poll_s)
        self.options, self.ends = options, ""
        self._snapshot = _replace(
            self._snapshot,
            tags=options.tags,
            pinned=options.pinned,
            poll_s=options.poll_s,
            limits=self._in_force(self._snapshot.status),
        )
        self._listener.took(self._snapshot, fresh=False)

    async def close(self) -> None:
        """Say nothing more, let a request in flight end, and close the device. Who still holds this line finds what it
        knew last, as old, and writes nothing."""
        self._closed = True
        async with self._lock:
            self._snapshot = _replace(self._snapshot, health=Health.STALE, why=_LEFT, misses=1)
            self._hand_out()
            await self.device.close()

    def _shut(self) -> str:
        """Why nothing at all is written; empty when it may be."""
        if self._closed:
            return _LEFT
        return self._snapshot.why or _OTHER if self._snapshot.health is Health.STRANGER else ""

    def _answered(self, status: MinerStatus, boot_s: float, wall_s: float) -> None:
        expected, self._accepts = self._identity.mac, False
        if wrong := self._who.wrong(status, expected):
            self._judge(Health.STRANGER, wrong)
            self._tell(fresh=False)
            return
        self._who.believed(status)
        self._signs.answered(status, boot_s)
        sign = self._signs.incident(self._snapshot.status, status, boot_s)
        incidents = self._identity.incidents + (sign is not None)
        if status.mac != expected or sign:
            self._learn(_replace(self._identity, mac=status.mac, incidents=incidents))
        if sign:
            self._listener.said(self.name, f"overheat incident: {sign}", Severity.CRITICAL)
        self._snapshot = _replace(
            self._snapshot,
            status=status,
            at_s=wall_s,
            boot_s=boot_s,
            limits=self._in_force(status),
            recent_ghs=self._recent.with_(wall_s, status.hashrate_ghs),
            incidents=self._snapshot.incidents + (sign is not None),
        )
        parked, stuck = self._identity.parked, self._signs.stuck(status, boot_s, self.options.poll_s)
        if parked:
            self._judge(Health.PARKED, parked)
        else:
            self._judge(Health.STALE if stuck else Health.OK, stuck or "")
        self._tell(fresh=not stuck)

    def _in_force(self, status: MinerStatus | None) -> Limits:
        """The user's caps joined with the model's; the user's alone for a model that nobody knows. One answer that
        does not tell the model loosens nothing: whoever watches by these limits goes on by the ones known before."""
        user = self.options.limits
        if status is not None and effective(user, status) is not None:
            self._told = status
        return (effective(user, self._told) if self._told else None) or user

    def _missed(self, error: DeviceError) -> None:
        misses, away = self._snapshot.misses + 1, self._away()
        if self._snapshot.health is Health.STRANGER and not self._accepts:
            self._judge(Health.STRANGER, self._snapshot.why, misses)  # silence does not make it the one that is meant
            self._tell(fresh=False)
            return
        if isinstance(error, Refused) and error.auth:
            health = Health.AUTH
        elif self._snapshot.status is None:
            health = Health.UNKNOWN
        else:
            health = Health.LOST if misses >= LOST_AFTER and not away else Health.STALE
        self._judge(health, f"{away}: {error}" if away else str(error), misses)
        self._tell(fresh=False)

    def _judge(self, health: Health, why: str, misses: int = 0) -> None:
        """Set the health; what is worth a sentence is said once, when it begins and when it is over."""
        before = self._snapshot
        since_s = before.since_s if health is before.health else self._clock.wall()
        self._snapshot = _replace(before, health=health, why=why, misses=misses, since_s=since_s)
        now = self._snapshot
        if health is before.health and now.stuck is before.stuck:
            return
        if health in _TROUBLE or now.stuck:
            self._listener.said(self.name, f"{health.value}: {why}", Severity.WARNING)
        elif health in (Health.OK, Health.PARKED) and (before.health in _TROUBLE or before.stuck):
            self._listener.said(self.name, "moves again" if before.stuck else "answers again", Severity.INFO)

    def _pace_s(self) -> float:
        """Seconds between the starts of two polls: slower and slower when nobody answers."""
        period, misses = self.options.poll_s, self._snapshot.misses
        if self._snapshot.health is Health.AUTH:
            return max(period, SLOWEST_S)
        if misses <= LOST_AFTER or self._away():
            return period
        return max(period, min(SLOWEST_S, period * 2.0 ** min(misses - LOST_AFTER, 10)))

    def _away(self) -> str:
        """Why its silence is expected; one that was lost before stays so."""
        return "" if self._snapshot.health is Health.LOST else self._signs.away(self._clock.boot())

    def _learn(self, identity: Identity) -> None:
        self._identity = identity
        self._listener.learned(self.name, identity)

    def _tell(self, *, fresh: bool) -> None:
        if not self._closed:
            self._listener.took(self._snapshot, fresh=fresh)

    def _hand_out(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(self._snapshot)


class _Recent:
    """Means of whole minutes, at most an hour of them. The same tuple is given until a minute is over."""

    def __init__(self, means: tuple[float, ...]) -> None:
        self._means, self._minute, self._sum, self._count = means[-60:], 0, 0.0, 0

    def with_(self, wall_s: float, value: float | None) -> tuple[float, ...]:
        minute = int(wall_s // 60)
        if minute != self._minute:
            if self._count:
                self._means = (*self._means[-59:], self._sum / self._count)
            self._minute, self._sum, self._count = minute, 0.0, 0
        if value is not None:
            self._sum, self._count = self._sum + value, self._count + 1
        return self._means

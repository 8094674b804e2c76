"""One step on a device: note it, write it, then look until the device shows it. And where the device is reached: Line.

A write whose answer was lost is never sent again before a read-back: the device may have taken it. And a write that
waited behind a poll looks at what that poll has found before it goes.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from minertui.model.commands import Command, Identify, OutcomeState, Restart, SetFan, Tune
from minertui.model.errors import DeviceError, Garbled, NotSent, Preempted, Unreachable, Withheld
from minertui.model.fleet import Snapshot
from minertui.model.plans import Limits
from minertui.model.seams import Clock
from minertui.model.status import MinerStatus
from minertui.safety.settings import Settings, number
from minertui.safety.steps import Step, effect, stored

T = TypeVar("T")

DEADLINE_S = 20.0
"""How long a device may take to show a step; slow firmware needs 2 s for its loop and 100 ms per 6.25 MHz."""
_IGNORED_S = 6.0
_PAUSES_S = (0.5, 0.5, 1.0)
_PAUSE_S = 2.0


class Line(Protocol):
    """A device as the arbiter reaches it: read and written under one lock, its readings published to all."""

    @property
    def name(self) -> str:
        """As in the config."""
        ...

    @property
    def limits(self) -> Limits:
        """The user's caps."""
        ...

    @property
    def readonly(self) -> bool:
        """Never written."""
        ...

    @property
    def expected_mac(self) -> str | None:
        """Whom we mean; None as long as no MAC was ever seen."""
        ...

    @property
    def ends(self) -> str:
        """Why nothing is raised on it any more; empty as long as it may be."""
        ...

    def snapshot(self) -> Snapshot:
        """The newest that is known, at no cost."""
        ...

    async def refresh(self) -> Snapshot:
        """Poll now and publish. A failed poll shows in the snapshot's health; it does not raise."""
        ...

    async def write(self, command: Command, objection: Objection) -> None:
        """Send one command as it is. ``objection`` is asked when its turn has come. Raises DeviceError: Withheld where
        nothing was sent."""
        ...

    def park(self, why: str) -> None:
        """No automatic action any more until a person clears it."""
        ...

    def unpark(self) -> None:
        """A person cleared it."""
        ...


Objection = Callable[[Snapshot], str]
"""Why a command must not be sent, now that its turn at the line has come and this is the newest that is known of the
device; empty when it may. A poll in flight may have told more than the reading that the command was decided on."""


class Sent(enum.Enum):
    """What the device said to a write."""

    YES = "accepted"
    LOST = "no answer"


class Taken(msgspec.Struct, frozen=True):
    """How a step went, and the newest reading. ``withheld``: not sent, on purpose."""

    state: OutcomeState
    snapshot: Snapshot
    reason: str = ""
    withheld: bool = False

    @property
    def ok(self) -> bool:
        """True when the device shows it."""
        return self.state is OutcomeState.APPLIED


async def take(line: Line, clock: Clock, step: Step, give_way: Callable[[], bool], objection: Objection) -> Taken:
    """Write one step, unless there is an ``objection`` when its turn has come, and wait until the device shows it.

    APPLIED: seen. REFUSED: the device said no, or shows another value. UNKNOWN: no reading tells. Raises Preempted as
    soon as ``give_way`` says so while waiting (the write itself is never cut).
    """
    wrote_s = clock.boot()
    try:
        await line.write(step.command, objection)
        sent = Sent.YES
    except Withheld as error:
        return Taken(OutcomeState.REFUSED, line.snapshot(), error.message, withheld=True)
    except NotSent as error:
        return Taken(OutcomeState.REFUSED, line.snapshot(), f"not sent, so nothing changed: {error.message}")
    except (Unreachable, Garbled):
        sent = Sent.LOST
    except DeviceError as error:
        return Taken(OutcomeState.REFUSED, line.snapshot(), error.message)
    if isinstance(step.command, Restart | Identify):
        return _unseen(sent, line.snapshot())
    return await _watch(line, clock, step, wrote_s, give_way)


async def _watch(line: Line, clock: Clock, step: Step, wrote_s: float, give_way: Callable[[], bool]) -> Taken:
    """Look again and again until the step shows, the device plainly ignored it, or time is up."""
    shown_s: float | None = None
    last = Taken(OutcomeState.UNKNOWN, line.snapshot(), "no answer since it was written")
    deadline_s = clock.boot() + DEADLINE_S + step.settle_s
    for n in range(1000):
        await clock.sleep(_PAUSES_S[n] if n < len(_PAUSES_S) else _PAUSE_S)
        if give_way():
            raise Preempted(f"{line.name}: a higher rank took the device while a change was on its way")
        snapshot = await look(line)
        now_s = clock.boot()
        if _newer(snapshot, wrote_s):
            last = _judge(step, snapshot, now_s, shown_s)
            there = snapshot.status is not None and stored(step.command, snapshot.status)
            shown_s = (now_s if shown_s is None else shown_s) if there is not False else None
            ignored = there is False and isinstance(step.command, Tune | SetFan) and now_s - wrote_s >= _IGNORED_S
            if last.ok or ignored:
                return last
        if now_s >= deadline_s:
            return last
    return last


def _judge(step: Step, snapshot: Snapshot, now_s: float, shown_s: float | None) -> Taken:
    assert snapshot.status is not None  # _newer saw it
    there, follows = stored(step.command, snapshot.status), effect(step, snapshot.status)
    if there is False:
        return Taken(OutcomeState.REFUSED, snapshot, f"it did not take it{_reads_back(step.command, snapshot.status)}")
    if there is None:
        return Taken(OutcomeState.UNKNOWN, snapshot, "it does not show whether it took the value")
    if follows is False:
        return Taken(OutcomeState.REFUSED, snapshot, _not_followed(snapshot))
    settled = shown_s is not None and now_s - shown_s >= step.settle_s
    if follows or step.settle_s == 0 or settled:
        return Taken(OutcomeState.APPLIED, snapshot)
    return Taken(OutcomeState.UNKNOWN, snapshot, "it is stored, but not yet settled")


def _reads_back(command: Command, status: MinerStatus) -> str:
    have = Settings.of(status)
    if isinstance(command, Tune):
        return f": it reads back {have.tune_text}"
    if isinstance(command, SetFan):
        mode = {True: "automatic", False: "manual", None: "unknown"}[have.fan_auto]
        return f": its fan reads back {mode}, {number(have.fan_pct)} %"
    return ""


def _not_followed(snapshot: Snapshot) -> str:
    status = snapshot.status
    assert status is not None  # a judged reading
    real = Settings(frequency_mhz=status.actual_mhz, core_mv=status.core_actual_mv)
    return (
        f"it stored {Settings.of(status).tune_text}, but the hardware is at {real.tune_text}: the regulator may refuse "
        "this voltage, or the supply sags"
    )


def _unseen(sent: Sent, snapshot: Snapshot) -> Taken:
    if sent is Sent.LOST:
        return Taken(OutcomeState.UNKNOWN, snapshot, "no answer came, and it leaves nothing to read back")
    return Taken(OutcomeState.APPLIED, snapshot, "accepted")


def _newer(snapshot: Snapshot, than_s: float) -> bool:
    return snapshot.answered and snapshot.boot_s is not None and snapshot.boot_s > than_s


async def look(line: Line) -> Snapshot:
    """A new reading, or the old one marked as old where there was no answer."""
    try:
        return await line.refresh()
    except DeviceError:
        return line.snapshot()


async def off_loop(work: Callable[[], T]) -> T:
    """Run what blocks on the disk in a thread."""
    return await asyncio.to_thread(work)

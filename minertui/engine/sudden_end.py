"""An engine that is killed, or loses its power, can tell nobody. Whoever leads its miners back does: the alert
``sudden-end``, one a miner, which lasts until a person has seen it.

    open, all led back once   the file ``alive`` says since when an engine runs here
    every 30 s                its time of change is a sign of life
    an orderly end            it is removed, so one that is found was left by an engine that ended without warning;
                              while a way back that was told of has not ended, it is put back as it was found, with
                              the names of those in the journal: who walks them says so

A disk that refuses the file costs the alert and nothing else; the log has the way back in any case.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from minertui import durable
from minertui.engine.alert_rules import Signal
from minertui.engine.journal import Entry
from minertui.model.alerts import Severity
from minertui.model.seams import Clock

RULE = "sudden-end"
FILE = "alive"
"""Its name in the state folder."""
_SIGN_S = 30.0  # real seconds
_LARGEST = 64 * 1024
_DOING = {"sweep": "was being swept", "guard": "was guarded", "person": "was being set by a person"}


class Left(NamedTuple):
    """The engine that ended: since when it ran, and when it was last known to; wall time. ``keys``: what was told of in
    the journal by who ran since, and had not ended; empty: nobody has told anything yet."""

    began_s: float
    alive_s: float
    keys: frozenset[str] = frozenset()


class SuddenEnd:
    """The file of one state folder, and what it tells. ``alert`` takes a signal. All but ``run`` and ``tell`` block on
    the disk."""

    def __init__(self, state: Path, clock: Clock, alert: Callable[[Signal], None]) -> None:
        self._file, self._clock, self._alert = state / FILE, clock, alert
        self._left: Left | None = None
        self._told: set[str] = set()
        self._waiting: set[str] = set()  # told of, and not over yet
        self._ours = False

    def look(self) -> None:
        """Did the engine before end without warning? What cannot be read was not ours, nor what no clock shows."""
        with contextlib.suppress(OSError, ValueError, OverflowError):
            began, *keys = self._file.read_bytes()[:_LARGEST].decode("ascii").split()
            left = Left(float(began), self._file.stat().st_mtime, frozenset(keys))
            moment(left.alive_s, self._clock.wall())
            self._left = left
            self._told, self._waiting = set(keys), set(keys)

    def begin(self) -> None:
        """An engine runs from now on. What the one before left is told by then, or will be by this one."""
        self._ours = True
        with contextlib.suppress(OSError):
            durable.replace(self._file, f"{self._clock.wall():.0f}\n".encode())
        self._sign(self._clock.wall())

    def end(self) -> None:
        """It ended in order; of another engine's file, which was never ours, nothing is touched."""
        if not self._ours:
            return
        with contextlib.suppress(OSError):
            if self._left is None or not self._waiting:
                durable.remove(self._file)
                return
            lines = (f"{self._left.began_s:.0f}", *sorted(self._waiting))
            durable.replace(self._file, "".join(f"{line}\n" for line in lines).encode("ascii"))
            self._sign(self._left.alive_s)

    async def run(self) -> None:
        """Give signs of life until cancelled."""
        while True:
            await self._clock.sleep(_SIGN_S * self._clock.speed)
            await asyncio.to_thread(self._sign, self._clock.wall())

    def tell(self, entry: Entry, how: str, *, over: bool) -> None:
        """What became of a way back that was found at the start: ``how`` it is, in words; ``over``: it has ended. One
        that is not over is told once, whoever runs by then."""
        if self._left is None or (self._left.keys and entry.key not in self._left.keys):
            return
        if entry.key in self._told and not over:
            return
        self._told.add(entry.key)
        (self._waiting.discard if over else self._waiting.add)(entry.key)
        when = moment(self._left.alive_s, self._clock.wall())
        text = f"the engine ended without warning at about {when}, {_while(entry, self._left)}; {how}"
        self._alert(Signal(RULE, entry.device, Severity.WARNING, text, active=True, since_s=self._left.alive_s))

    def _sign(self, at_s: float) -> None:
        with contextlib.suppress(OSError):
            os.utime(self._file, (at_s, at_s))


def moment(at_s: float, now_s: float) -> str:
    """``03:12``, as this host's clock shows it; with the day when that is another than ``now_s``. Both wall time."""
    then, now = (datetime.fromtimestamp(s, tz=UTC).astimezone() for s in (at_s, now_s))
    return then.strftime("%H:%M" if then.date() == now.date() else "%d %b %H:%M")


def _while(entry: Entry, left: Left) -> str:
    """What that engine did there; of a way back that it had found itself it is only known that it was not walked."""
    if entry.at_s < left.began_s:
        return f"with a way back of {entry.device} still to be walked"
    kind = entry.reason.partition(":")[0]
    return f"while {entry.device} {_DOING.get(kind, f'was being set by {kind}')}"

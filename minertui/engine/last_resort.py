"""When nobody else looks: a miner that this program raised, and that is at a limit, is lowered towards what it ran.

A raise ends when its last step reads back; its heat comes later, and so does a hot afternoon. Two fresh readings in a
row at or over the limits in force, or hashing with a temperature that is missing or cannot be true, and no job that
works on the miner: 50 MHz down, at the rank of safety, again after half a minute, until it is under the limits (and its
sensor back), or where it was before the first raise. It is never lowered below that, and
it stays where that came to: no journal entry leads it back into the heat, only a person raises it again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from minertui.engine.alert_rules import Signal
from minertui.engine.arbiter import Arbiter
from minertui.engine.facts import LAST_RESORT
from minertui.model.alerts import Severity
from minertui.model.commands import CommandRecord, Order, Rank, Tune
from minertui.model.errors import MinertuiError
from minertui.model.fleet import Snapshot
from minertui.model.status import MinerStatus
from minertui.safety import samples
from minertui.safety.settings import Settings

_READINGS = 2
_STEP_MHZ = 50.0
_EFFECT_S = 30.0  # a step is given so long to show


class Office(Protocol):
    """What is needed of the engine."""

    @property
    def arbiter(self) -> Arbiter:
        """Knows what a miner ran before it was raised."""
        ...

    def say(self, source: str, text: str, severity: Severity = Severity.INFO) -> None:
        """A line for the log."""
        ...

    def busy(self, device: str) -> bool:
        """True while a job works on the device."""
        ...

    async def execute(self, order: Order) -> CommandRecord:
        """Through the arbiter, and into the command log."""
        ...


class LastResort:
    """Hears every reading. ``spawn`` runs an order in the background; ``alert`` takes a signal."""

    def __init__(
        self, office: Office, spawn: Callable[[Coroutine[Any, Any, None]], object], alert: Callable[[Signal], None]
    ) -> None:
        self._office, self._spawn, self._alert = office, spawn, alert
        self._hot: dict[str, int] = {}
        self._acted_s: dict[str, float] = {}

    def took(self, snapshot: Snapshot) -> None:
        """A fresh reading of a miner."""
        device, status, now_s = snapshot.device, snapshot.status, snapshot.boot_s or 0.0
        origin = self._office.arbiter.origin(device) if status else None
        why = samples.hot(status, snapshot.limits) if status and origin else None
        self._hot[device] = self._hot.get(device, 0) + 1 if why else 0
        if not (status and origin and why) or self._hot[device] < _READINGS or self._office.busy(device):
            return
        tune = _lower(status, origin)
        if tune is not None and now_s - self._acted_s.get(device, float("-inf")) >= _EFFECT_S:
            self._acted_s[device] = now_s
            self._spawn(self._act(device, tune, why))

    async def _act(self, device: str, tune: Tune, why: str) -> None:
        text = f"{why}, and it was raised: lowered to {_said(tune)}; it stays there until you raise it again"
        self._office.say(device, text, Severity.CRITICAL)
        self._alert(Signal("last-resort", device, Severity.CRITICAL, text))
        order = Order(secrets.token_hex(8), device, tune, LAST_RESORT, Rank.SAFETY)
        try:
            outcome = (await self._office.execute(order)).outcome
        except MinertuiError as error:
            self._office.say(device, f"could not be lowered: {error}", Severity.CRITICAL)
            return
        if not outcome.ok:
            self._office.say(device, f"could not be lowered: {outcome.reason}", Severity.CRITICAL)


def _said(tune: Tune) -> str:
    parts = ((tune.frequency_mhz, "MHz"), (tune.core_mv, "mV"))
    return " / ".join(f"{value:g} {unit}" for value, unit in parts if value is not None)


def _lower(status: MinerStatus, origin: Settings) -> Tune | None:
    """One step towards the origin; with its last step of frequency the voltage goes there too. None: it is there."""
    mhz, mv = status.frequency_mhz, status.core_mv
    if mhz is None or mv is None or origin.frequency_mhz is None or origin.core_mv is None:
        return None
    to = max(min(mhz, origin.frequency_mhz), mhz - _STEP_MHZ)
    lower_mv = round(origin.core_mv) if to <= origin.frequency_mhz and origin.core_mv < mv else None
    if to == mhz and lower_mv is None:
        return None
    return Tune(to if to < mhz else None, lower_mv, at_most=True)

"""A limit of yours that you lower while the engine runs is meant for what runs, too: the miner is lowered under it.

    max_mhz under its frequency      the frequency goes down to it
    max_mv under its core voltage    along the frontier that a sweep of this board left: down to the highest clock that
                                     is proven at no more than that voltage. Without a frontier nobody knows how much
                                     slower it must run with less; then the alert ``over-limit`` alone says what to do

Only what is lowered here and now counts. What ran above your limits before the engine started, or was set above them at
the miner's own page, is told by that alert and left alone. While a job works on the miner it is the job's: a guard
keeps both in the same way, and what is left to do is done when the job has ended.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, Protocol

import msgspec

from minertui.engine.alert_rules import above, over_limits
from minertui.engine.facts import CONFIG
from minertui.engine.frontiers import left_to
from minertui.engine.line import Line
from minertui.engine.records import Records
from minertui.model.alerts import Severity
from minertui.model.commands import CommandRecord, Order, Rank, Tune
from minertui.model.errors import MinertuiError
from minertui.model.fleet import Snapshot
from minertui.model.holding import top_mhz
from minertui.model.plans import Limits
from minertui.model.status import MinerStatus
from minertui.safety.settings import Settings

_AGAIN_S, _AGAIN_MOST_S = 60.0, 3600.0  # twice as long each time: a miner that never shows it is not written for ever


class _Due(NamedTuple):
    """When it is tried next (boot-clock), and how long after that again; seconds."""

    at_s: float
    wait_s: float = _AGAIN_S


class Office(Protocol):
    """What is needed of the engine."""

    @property
    def records(self) -> Records:
        """Where frontiers are kept."""
        ...

    def line(self, device: str) -> Line:
        """Knows the limits in the config."""
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


class OverLimits:
    """Hears every reading. ``spawn`` runs an order in the background; ``starts``: is a job of the device about to
    begin?"""

    def __init__(
        self,
        office: Office,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        starts: Callable[[str], bool],
    ) -> None:
        self._office, self._spawn, self._starts = office, spawn, starts
        self._known: dict[str, Limits] = {}
        self._due: dict[str, _Due] = {}  # by device that is to be lowered
        self._said: dict[str, str] = {}

    def took(self, snapshot: Snapshot) -> None:
        """A fresh reading of a miner."""
        device, status, now_s = snapshot.device, snapshot.status, snapshot.boot_s or 0.0
        line = self._office.line(device)
        limits = line.limits
        known, self._known[device] = self._known.get(device, limits), limits
        if _lower(known.max_mhz, limits.max_mhz) or _lower(known.max_mv, limits.max_mv):
            self._due[device] = _Due(now_s)
        due = self._due.get(device)
        if due is None or now_s < due.at_s or status is None or line.readonly or self._taken(device):
            return
        if not over_limits(status, limits):
            del self._due[device]
            return
        self._due[device] = _Due(now_s + due.wait_s, min(2 * due.wait_s, _AGAIN_MOST_S))
        self._spawn(self._act(snapshot, status, limits))

    def _taken(self, device: str) -> bool:
        return self._office.busy(device) or self._starts(device)

    async def _act(self, snapshot: Snapshot, status: MinerStatus, limits: Limits) -> None:
        device = snapshot.device
        tune = await self._under(snapshot, status, limits)
        if tune is None:
            self._due.pop(device, None)  # the alert stays, and says what to do
            return
        if self._taken(device):  # by now
            return
        order = Order(secrets.token_hex(8), device, tune, CONFIG, Rank.PERSON)
        try:
            outcome = (await self._office.execute(order)).outcome
        except MinertuiError as error:
            self._tell(device, f"your lowered limit is not kept yet: {error}")
            return
        if not outcome.ok:
            self._tell(device, f"your lowered limit is not kept yet: {outcome.reason}")
            return
        self._due.pop(device, None)
        if outcome.changes:  # nothing, where it was lowered further by its turn
            want = Settings.of(status).wrote(tune).tune_text
            self._tell(device, f"lowered to {want}, because you lowered its limit", Severity.INFO)

    async def _under(self, snapshot: Snapshot, status: MinerStatus, limits: Limits) -> Tune | None:
        """What keeps the limits, as far as it is known; None where nothing is."""
        mhz = limits.max_mhz if above(status.frequency_mhz, limits.max_mhz) else None
        if not above(status.core_mv, limits.max_mv):
            return Tune(frequency_mhz=mhz, at_most=True)
        known = await left_to(snapshot, self._office.records, lambda text: self._tell(snapshot.device, text))
        caps = msgspec.structs.replace(snapshot.limits, max_mhz=min(limits.max_mhz or 1e6, status.frequency_mhz or 0))
        top = None if known is None or known.other_board(status) else top_mhz(known, caps)
        there = None if known is None or top is None else known.frontier.at(top)
        if there is None:
            return None if mhz is None else Tune(frequency_mhz=mhz, at_most=True)
        return Tune(there.mhz, there.mv, at_most=True)

    def _tell(self, device: str, text: str, severity: Severity = Severity.WARNING) -> None:
        """The same sentence once."""
        if self._said.get(device) != text:
            self._said[device] = text
            self._office.say(device, text, severity)


def _lower(before: float | None, now: float | None) -> bool:
    return now is not None and (before is None or now < before)

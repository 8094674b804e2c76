"""What ``minertui restore`` found of an engine that ended without warning: kept as alerts, which the next engine shows
until a person has seen them, and sends to the addresses of ``[alerts]``."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from minertui.config import AlertsConfig
from minertui.engine.alarms import OUTBOX
from minertui.engine.alerts import Alerts
from minertui.engine.outbox import Outbox
from minertui.engine.records import Records
from minertui.engine.store import StoreError
from minertui.engine.sudden_end import SuddenEnd
from minertui.model.alerts import Alert
from minertui.model.events import AlertRaised, Event
from minertui.model.fleet import EMPTY
from minertui.model.seams import Clock


class RestoreAlerts:
    """``ended`` is told what becomes of each way back, between ``begin`` and ``keep``. A disk that refuses costs the
    alerts alone."""

    def __init__(self, state: Path, clock: Clock, config: AlertsConfig, records: Records) -> None:
        self._records, self._to_send = records, bool(config.urls)
        self._new: dict[str, Alert] = {}
        self._outbox = Outbox(state / OUTBOX, clock)
        self._book = Alerts(clock, lambda: EMPTY, self._heard, self._tell)
        self._book.change(config.mute, config.hashrate_drop_pct)
        self.ended = SuddenEnd(state, clock, self._book.take)

    async def begin(self) -> None:
        """Look how the engine ended, and which alerts there are."""
        await asyncio.to_thread(self.ended.look)
        with contextlib.suppress(StoreError):
            kept = await self._records.alerts()
            self._book.restore(kept, {alert.device for alert in kept})
        self._new.clear()

    async def keep(self) -> None:
        """Put what is new where the next engine finds it."""
        with contextlib.suppress(StoreError):
            for alert in self._new.values():
                await self._records.keep_alert(alert)
        if self._new and self._to_send:
            await asyncio.to_thread(self._outbox.save)

    def _heard(self, event: Event) -> None:
        if isinstance(event, AlertRaised):
            self._new[event.alert.id] = event.alert

    def _tell(self, alert: Alert) -> None:
        if self._to_send:
            self._outbox.put(alert)

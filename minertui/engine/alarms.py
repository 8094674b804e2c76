"""The book of alerts on the hub's events, kept on disk over a restart, and the outbox for whom the config names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from minertui.config import AlertsConfig, Config
from minertui.engine.alerts import Alerts
from minertui.engine.hub import Hub
from minertui.engine.outbox import Outbox, Send, apprise_senders
from minertui.engine.rig_alerts import RigAlerts
from minertui.model.alerts import Alert
from minertui.model.errors import ConfigError
from minertui.model.events import AlertRaised, Event
from minertui.model.seams import Clock

OUTBOX = "outbox.json"
"""Its name in the state folder."""


class Alarms:
    """``book`` listens to ``hub`` from now on; ``run`` sends, ``rigs`` looks at rigs, and somebody has to keep both.
    ``keep`` hears each alert as it is to be kept on disk."""

    def __init__(
        self, config: AlertsConfig, state: Path, clock: Clock, hub: Hub, keep: Callable[[Alert], object]
    ) -> None:
        """Addresses that are not understood cost the messages alone, and no miner its guard: ``wrong`` says why."""
        self._config, self._keep, self._restored = config, keep, False
        self.wrong = ""
        known: tuple[Send, ...] = ()
        try:
            known = targets(config)
        except ConfigError as error:
            self.wrong = f"no alert is sent: {error}"
        self._outbox = Outbox(state / OUTBOX, clock, *known, per_hour=config.per_hour)
        self.book = Alerts(clock, lambda: hub.fleet, hub.publish, self._tell)
        self.book.change(config.mute, config.hashrate_drop_pct)
        self.rigs = RigAlerts(clock, lambda: hub.fleet, self.book)
        hub.listen(self.book.on)
        hub.listen(self._heard)

    def restore(self, kept: Iterable[Alert], config: Config) -> None:
        """Take over what earlier runs kept, newest first; what happened in this one stays. From now on what happens is
        kept, and what did before."""
        boards = {f"{rig.name}/{board.name}" for rig in config.rig for board in rig.board}
        miners, rigs = {miner.name for miner in config.miner}, {rig.name for rig in config.rig}
        for alert in self.book.restore(kept, miners | rigs | boards):
            self._keep(alert)
        self._restored = True

    def change(self, config: AlertsConfig) -> None:
        """Take a new config over. Raises ConfigError, and then the old one holds."""
        if config == self._config:
            return
        self._outbox.aim(*targets(config), per_hour=config.per_hour)
        self.book.change(config.mute, config.hashrate_drop_pct)
        self._config, self.wrong = config, ""

    async def run(self) -> None:
        """Send until cancelled."""
        await self._outbox.run()

    def _tell(self, alert: Alert) -> None:
        if self._config.urls and not self.wrong:
            self._outbox.put(alert)

    def _heard(self, event: Event) -> None:
        if self._restored and isinstance(event, AlertRaised):
            self._keep(event.alert)


def targets(config: AlertsConfig) -> tuple[Send, ...]:
    """Whom alerts are sent to. Raises ConfigError where Apprise is not there, or does not know an address."""
    return apprise_senders([url.reveal() for url in config.urls]) if config.urls else ()

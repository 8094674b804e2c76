"""The book of alerts and, where the config names somebody to tell, the outbox: both on the hub's events."""

from __future__ import annotations

from pathlib import Path

from minertui.config import AlertsConfig
from minertui.engine.alerts import Alerts
from minertui.engine.hub import Hub
from minertui.engine.outbox import Outbox, apprise_sender
from minertui.model.alerts import Alert
from minertui.model.seams import Clock


def alarms(config: AlertsConfig, state: Path, clock: Clock, hub: Hub) -> tuple[Alerts, Outbox | None]:
    """The book, listening to ``hub`` from now on, and the outbox, whose ``run`` somebody has to keep. Raises
    ConfigError when a target is not understood."""
    outbox = None
    if config.urls:
        send = apprise_sender([url.reveal() for url in config.urls])
        outbox = Outbox(state / "outbox.json", clock, send, per_hour=config.per_hour)
    book = Alerts(
        clock,
        lambda: hub.fleet,
        hub.publish,
        outbox.put if outbox else _nobody,
        mute=config.mute,
        drop_pct=config.hashrate_drop_pct,
    )
    hub.listen(book.on)
    return book, outbox


def _nobody(_: Alert) -> None:
    """Nobody is to be told."""

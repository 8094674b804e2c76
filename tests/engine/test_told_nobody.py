"""Addresses for alerts that are wrong cost the messages, and no miner its guard."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from minertui.config import AlertsConfig, Config
from minertui.engine.engine import Engine
from minertui.model.errors import ConfigError
from minertui.secret import Secret
from tests.engine.house import House, miner, until

pytestmark = pytest.mark.looptime


async def test_an_engine_starts_and_says_that_nobody_is_told(house: House):
    config = Config(miner=(miner(),), alerts=AlertsConfig(urls=(Secret("nonsense"),)))
    engine = Engine(config, state=house.folder, clock=house.clock, connect=house.connect)
    await engine.open()
    await until(lambda: engine.hub.fleet.snapshots["m1"].status is not None)
    assert engine.hub.fleet.notice.startswith("no alert is sent: alerts.urls: address 1 is not one that Apprise knows")
    with pytest.raises(ConfigError, match="address 1"):
        await engine.reload(replace(config, alerts=replace(config.alerts, per_hour=5)))
    await engine.reload(replace(config, alerts=AlertsConfig()))
    assert engine.hub.fleet.notice == ""
    await engine.close()

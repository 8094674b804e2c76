"""The engine looks at its rigs, and takes over what an earlier run knew of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from minertui.clock import SystemClock
from minertui.config import Config
from minertui.config_rigs import RigConfig
from minertui.engine import rig_alerts
from minertui.engine.alarms import Alarms
from minertui.engine.hub import Hub
from minertui.model.alerts import Alert, Severity
from minertui.model.fleet import Fleet
from minertui.model.relay import BoardPlan, RelayPlan, ResumeBoard
from tests.engine.test_rigs import house


async def test_a_board_that_the_pool_refuses_is_an_alert_until_its_shares_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig_alerts, "LOOK_S", 0.3)
    async with house(tmp_path) as here:
        here.pool.rules.banned.add("alice")
        await here.engine.start(RelayPlan("rig"))
        await here.until(lambda: "board-stopped:rig/one" in here.engine.hub.fleet.alerts)
        alert = here.engine.hub.fleet.alerts["board-stopped:rig/one"]
        assert alert.text == "stopped until you resume it (R in the tab of rig): the pool refuses: User banned"
        assert (await here.engine.acknowledge(alert.id)).acknowledged
        here.pool.rules.banned.clear()
        await here.engine.steer("relay:rig", ResumeBoard("one"))
        await here.until(lambda: not here.engine.hub.fleet.alerts[alert.id].active)
        assert here.engine.hub.fleet.alerts[alert.id].text == "back: its shares are accepted again"


def test_alerts_of_rigs_in_the_config_outlive_a_restart_and_others_do_not(tmp_path: Path) -> None:
    clock = SystemClock()
    hub = Hub(Fleet(), clock)
    config = Config(rig=(RigConfig(name="attic", user="alice", board=(BoardPlan("one", "i2c:1:20"),)),))
    devices = ("attic", "attic/one", "attic/gone", "shed")
    alerts = [Alert(f"x:{device}", "x", device, Severity.WARNING, "away", 1.0) for device in devices]
    Alarms(config.alerts, tmp_path, clock, hub, lambda _: None).restore(alerts, config)
    assert [a.device for a in hub.fleet.alerts.values() if a.active] == ["attic", "attic/one"]

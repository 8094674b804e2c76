"""The whole engine and its config: changed, watched, edited; miners that come and leave."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from minertui.config import AlertsConfig, Config, EngineConfig, Secret
from minertui.engine.engine import Engine
from minertui.engine.store import StoreError
from minertui.jobs import guard
from minertui.model.errors import ConfigError, JobError
from minertui.model.events import Whole
from minertui.model.fleet import Health
from minertui.model.history import MinerEntry, Templates
from minertui.model.plans import GuardPlan, Phase, SweepPlan
from minertui.model.seams import Device
from tests.engine.house import CONFIG, PLAN, House, miner, until

pytestmark = pytest.mark.looptime


async def test_a_new_config_touches_only_what_it_changes(house: House):
    two = (miner(), miner("m2", "127.0.0.1:8002"), miner("m3", "127.0.0.1:8003"))
    engine = house.engine(*two)
    await engine.open()
    await asyncio.sleep(6)
    before = engine.line("m1")
    changed = (miner(tags=("garage",)), miner("m2", "127.0.0.1:8012"), miner("m4", "127.0.0.1:8004"))
    await engine.reload(Config(miner=changed))
    await asyncio.sleep(6)
    assert engine.line("m1") is before
    assert house.connections.count("127.0.0.1:8001") == 1
    assert engine.hub.fleet.snapshots["m1"].tags == ("garage",)
    assert set(engine.hub.fleet.snapshots) == {"m1", "m2", "m4"}
    assert (house.miners["127.0.0.1:8003"].closed, house.miners["127.0.0.1:8001"].closed) == (1, 0)
    await engine.close()


async def test_a_config_that_changes_while_the_engine_begins_is_taken_over_after_it(house: House):
    engine = house.engine(miner())
    opening = asyncio.create_task(engine.open())
    await asyncio.sleep(0)
    await engine.reload(Config(miner=(miner(), miner("m2", "127.0.0.1:8002"))))
    await opening
    await asyncio.sleep(6)
    polls = [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("poll ")]
    assert sorted(polls) == ["poll m1", "poll m2"], "one for each"
    await engine.reload(Config(miner=(miner(),)))
    await asyncio.sleep(60)
    await engine.close()


async def test_a_file_that_is_changed_while_the_engine_begins_is_read(house: House, tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text(CONFIG)
    engine = house.engine(config_path=file)
    opening = asyncio.create_task(engine.open())
    await asyncio.sleep(0)
    file.write_text(f"{CONFIG}readonly = true\n")
    await opening
    await asyncio.sleep(5)
    assert engine.line("m1").readonly
    await engine.close()


async def test_the_config_file_is_watched_and_a_wrong_one_refused(house: House, tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text('[[miner]]\nname = "m1"\naddress = "127.0.0.1:8001"\n')
    engine = house.engine(config_path=file)
    await engine.open()
    file.write_text('[[miner]]\nname = "m1"\naddres = "127.0.0.1:8001"\n')
    await asyncio.sleep(5)
    assert "the old one stays in force" in engine.hub.fleet.notice
    assert set(engine.hub.fleet.snapshots) == {"m1"}
    file.write_text('[[miner]]\nname = "m9"\naddress = "127.0.0.1:8009"\n')
    await asyncio.sleep(5)
    assert engine.hub.fleet.notice == ""
    assert set(engine.hub.fleet.snapshots) == {"m9"}
    await engine.close()


async def test_miners_are_added_renamed_and_removed_in_the_file(house: House, tmp_path: Path):
    file = tmp_path / "config.toml"
    engine = Engine(Config(), state=house.folder, clock=house.clock, config_path=file, connect=house.connect)
    await engine.open()
    await engine.save_miner(MinerEntry("m1", "127.0.0.1:8001"))
    await asyncio.sleep(200)
    await engine.save_miner(MinerEntry("rack", "127.0.0.1:8001"), "m1")
    await asyncio.sleep(6)
    assert set(engine.hub.fleet.snapshots) == {"rack"}
    assert [entry.name for entry in await engine.miners()] == ["rack"]
    series = await engine.history("rack", ["hashrate_ghs"], house.clock.wall() - 200, house.clock.wall() - 60, 5)
    assert any(value is not None for value in series.mean["hashrate_ghs"])
    assert engine.line("rack").expected_mac == "AA:BB:CC:00:00:01"
    with pytest.raises(ConfigError):
        await engine.save_miner(MinerEntry("bad", "169.254.169.254"))
    await engine.remove_miner("rack")
    assert engine.hub.fleet.snapshots == {}
    assert "rack" not in file.read_text()
    await engine.close()


async def test_who_is_parked_is_parked_under_a_new_name_that_the_disk_refuses_to_note(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def full(*_: object) -> None:
        raise StoreError("the disk is full")

    engine = await house.from_file(tmp_path)
    engine.line("m1").park("too hot")
    await asyncio.sleep(6)
    monkeypatch.setattr(engine.records, "rename", full)
    with pytest.raises(StoreError):
        await engine.save_miner(MinerEntry("rack", "127.0.0.1:8001"), "m1")
    await asyncio.sleep(15)
    assert engine.hub.fleet.snapshots["rack"].health is Health.PARKED
    assert engine.line("rack").expected_mac == "AA:BB:CC:00:00:01"
    await engine.close()
    engine = house.engine(miner("rack"))
    await engine.open()
    await asyncio.sleep(6)
    assert engine.hub.fleet.snapshots["rack"].health is Health.PARKED, "kept, too"
    await engine.close()


async def test_a_config_with_an_address_that_leads_nowhere_changes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    engine = await house.running()
    real = engine._lines._connect

    def connect(kind: str, address: str, headers: Mapping[str, str]) -> Device:
        if address.endswith(":80800"):
            raise ConfigError("not the address of a miner")
        return real(kind, address, headers)

    monkeypatch.setattr(engine._lines, "_connect", connect)
    second, typed = miner("m2", "127.0.0.1:8002"), miner("m3", "127.0.0.1:80800")
    with pytest.raises(ConfigError):
        await engine.reload(Config(miner=(second, typed)))
    assert set(engine.hub.fleet.snapshots) == {"m1"}
    await engine.reload(Config(miner=(second, miner("m3", "127.0.0.1:8003"))))
    await asyncio.sleep(6)
    assert all(shown.status is not None for shown in engine.hub.fleet.snapshots.values()), "all are polled"
    await engine.close()


async def test_an_alert_is_over_when_its_miner_leaves(house: House):
    engine = await house.running()
    house.miners["127.0.0.1:8001"].dead = True
    await until(lambda: "lost:m1" in engine.hub.fleet.alerts)
    await engine.reload(Config())
    assert not engine.hub.fleet.alerts["lost:m1"].active
    await engine.close()


async def test_read_only_alerts_and_log_level_follow_a_new_config(house: House, caplog: pytest.LogCaptureFixture):
    log = logging.getLogger("minertui")
    caplog.set_level(logging.WARNING, log.name)  # put back by pytest
    engine = await house.running()
    seen: list[bool] = []

    async def watch() -> None:
        seen.extend([m.fleet.readonly async for m in engine.watch() if isinstance(m, Whole)])

    watching = asyncio.create_task(watch())
    await asyncio.sleep(1)
    general = EngineConfig(readonly=True, log_level="debug")
    alerts = AlertsConfig(hashrate_drop_pct=5)
    await engine.reload(Config(engine=general, miner=(miner(),), alerts=alerts))
    assert engine.hub.fleet.readonly
    assert engine.line("m1").readonly
    assert log.level == logging.DEBUG
    with pytest.raises(ConfigError, match="Apprise"):
        await engine.reload(Config(miner=(), alerts=AlertsConfig(urls=(Secret("nonsense"),))))
    assert "m1" in engine.hub.fleet.snapshots, "a config that cannot be taken over changes nothing"
    await engine.close()
    await watching
    assert seen == [False, True]


async def test_the_plans_to_start_from_are_the_configs(house: House):
    own = miner(sweep=SweepPlan(step_mv=10, max_chip_temp_c=60), guard=GuardPlan(low_mhz=410))
    engine = house.engine(own, miner("m2", "127.0.0.1:8002"))
    await engine.open()
    assert await engine.plans("m1") == Templates(
        SweepPlan("m1", step_mv=10, max_chip_temp_c=60), GuardPlan("m1", low_mhz=410)
    )
    assert await engine.plans("m2") == Templates(SweepPlan("m2"), GuardPlan("m2"))
    with pytest.raises(JobError, match="nobody"):
        await engine.plans("nobody")
    await engine.close()


async def test_a_miner_that_leaves_in_mid_sweep_is_led_back_first(house: House, tmp_path: Path):
    engine = await house.from_file(tmp_path)
    await engine.start(msgspec.structs.replace(PLAN, apply_best=False))
    it = house.miners["127.0.0.1:8001"]
    await until(lambda: it.mhz != 500.0, 2000)
    await engine.remove_miner("m1")
    assert ((it.mhz, it.mv), it.closed) == ((500.0, 1150.0), 1)
    assert (engine.hub.fleet.snapshots, engine.hub.fleet.jobs) == ({}, {})
    assert not list((house.folder / "journal").glob("*.json"))
    [record] = await engine.sweeps()
    assert record.phase is Phase.STOPPED
    await engine.save_miner(MinerEntry("m1", "127.0.0.1:8001"))
    await asyncio.sleep(6)
    assert engine.hub.fleet.jobs == {}
    await engine.close()


async def test_a_silent_miner_that_leaves_in_mid_sweep_is_led_back_when_it_returns(house: House, tmp_path: Path):
    engine = await house.from_file(tmp_path)
    await engine.start(PLAN)
    it = house.miners["127.0.0.1:8001"]
    await until(lambda: it.mhz != 500.0, 2000)
    it.dead = True
    await engine.remove_miner("m1")
    assert list((house.folder / "journal").glob("*.json"))
    it.dead = False
    await engine.save_miner(MinerEntry("attic", "127.0.0.1:8001"))
    await until(lambda: (it.mhz, it.mv) == (500.0, 1150.0) and not list((house.folder / "journal").glob("*.json")))
    await engine.close()


async def test_a_job_that_a_person_dismisses_while_its_miner_leaves_keeps_nothing_from_leaving(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    real = guard.run

    async def slow(site: guard.GuardSite, plan: GuardPlan) -> None:
        await real(site, plan)
        await asyncio.sleep(20)

    monkeypatch.setattr(guard, "run", slow)
    engine = await house.running()
    await engine.start(GuardPlan("m1"))
    await engine.start(PLAN)
    await asyncio.sleep(10)
    leaving = asyncio.create_task(engine.reload(Config()))
    await asyncio.sleep(2)
    await engine.stop("sweep:m1")
    await until(lambda: engine.hub.fleet.jobs["sweep:m1"].phase.over)
    await asyncio.sleep(3)
    await engine.forget("sweep:m1")
    await leaving
    assert (engine.hub.fleet.snapshots, engine.hub.fleet.jobs) == ({}, {})
    await engine.close()

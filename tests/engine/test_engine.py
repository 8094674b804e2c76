"""The whole engine with a miner that obeys, in wound-on time: start, jobs, stop, crash, resume."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from minertui.cli.status import text as status_text
from minertui.config import Config, EngineConfig
from minertui.engine import discovery
from minertui.engine.engine import Engine
from minertui.engine.records import Records
from minertui.engine.store import StoreError
from minertui.model.alerts import Severity
from minertui.model.commands import Order, OutcomeState, Restart, SetFan, Tune
from minertui.model.errors import ConfigError, JobError, LinkError, MinertuiError, Unsupported
from minertui.model.events import DeviceRemoved, Numbered
from minertui.model.fleet import Health
from minertui.model.history import Found
from minertui.model.plans import GuardPlan, Limits, Phase
from tests.engine.fakes import LoopClock
from tests.engine.house import PLAN, House, Miner, as_left, job, miner, until

pytestmark = pytest.mark.looptime


async def test_miners_are_read_and_history_grows(house: House):
    engine = await house.running()
    snapshot = engine.hub.fleet.snapshots["m1"]
    assert (snapshot.health, snapshot.status and snapshot.status.model) == (Health.OK, "Gamma")
    await asyncio.sleep(300)
    series = await engine.history("m1", ["chip_temp_c"], house.clock.wall() - 240, house.clock.wall(), 20)
    assert all(value == pytest.approx(50, abs=1) for value in series.mean["chip_temp_c"][1:-1])
    await engine.close()


async def test_a_second_engine_is_refused(house: House):
    engine = await house.running()
    second = house.engine()
    with pytest.raises(LinkError, match="already"):
        await second.open()
    await second.close()
    assert engine.hub.fleet.snapshots["m1"].health is Health.OK
    await engine.close()


async def test_an_order_is_done_once_logged_and_told(house: House):
    engine = await house.running()
    order = Order("o1", "m1", Tune(frequency_mhz=480.0))
    first, second = await asyncio.gather(engine.send(order), engine.send(order))
    assert first.outcome.state is OutcomeState.APPLIED, first.outcome
    assert first == second == await engine.send(order)
    assert house.miners["127.0.0.1:8001"].tunes == [Tune(frequency_mhz=480.0)]
    assert await engine.commands() == [first]
    await engine.close()


async def test_an_order_for_nobody_is_refused_in_a_sentence(house: House):
    engine = await house.running()
    with pytest.raises(MinertuiError, match="nobody"):
        await engine.send(Order("o1", "nobody", SetFan(pct=50)))
    await engine.close()


async def test_a_readonly_miner_is_never_written_and_runs_no_job(house: House):
    engine = house.engine(miner(readonly=True))
    await engine.open()
    await asyncio.sleep(6)
    record = await engine.send(Order("o1", "m1", Restart(), confirmed=True))
    assert record.outcome.state is OutcomeState.REFUSED
    with pytest.raises(JobError, match="read-only"):
        await engine.start(PLAN)
    await engine.close()


async def test_a_sweep_that_starts_outside_the_limits_is_refused_and_one_that_ends_earlier_is_said(house: House):
    engine = house.engine(miner(limits=Limits(max_mv=1150)))
    await engine.open()
    await asyncio.sleep(6)
    with pytest.raises(JobError, match=r"start at 1180 mV: the limits in force on this Gamma allow 1000..1150 mV"):
        await engine.start(msgspec.structs.replace(PLAN, start_mv=1180))
    assert "sweep:m1" not in engine.hub.fleet.jobs
    assert not await engine.sweeps("m1")
    await engine.start(PLAN)
    said = [line.text for line in await engine.log("sweep:m1")]
    assert "limits in force on this Gamma: the sweep ends at 1150 mV instead of 1200" in said
    await engine.close()


async def test_a_sweep_runs_to_its_end_and_is_kept(house: House):
    engine = await house.running()
    await engine.start(PLAN)
    with pytest.raises(JobError, match="already"):
        await engine.start(PLAN)
    await until(lambda: job(engine, "sweep:m1").phase.over, 20_000)
    state = job(engine, "sweep:m1")
    assert state.phase is Phase.DONE, state.note
    [record] = await engine.sweeps("m1")
    assert record.phase is Phase.DONE
    assert len(record.points) >= 2
    assert len(await engine.records.samples(record.id)) >= 8
    assert not list((house.folder / "journal").glob("*.json"))
    await engine.close()


async def test_closing_leads_the_miner_back_and_the_next_engine_goes_on_with_the_points(house: House):
    engine = house.engine()
    await engine.open()
    await asyncio.sleep(6)
    await engine.start(PLAN)
    await until(lambda: job(engine, "sweep:m1").done >= 2, 2000)
    it = house.miners["127.0.0.1:8001"]
    assert it.mhz != 500.0
    kept = job(engine, "sweep:m1").done
    await engine.close()
    assert (it.mhz, it.mv) == (500.0, 1150.0)
    assert not list((house.folder / "journal").glob("*.json"))

    engine = house.engine()
    await engine.open()
    state = job(engine, "sweep:m1")
    assert (state.phase.over, state.done) == (False, kept)
    assert state.by == "engine"
    await until(lambda: job(engine, "sweep:m1").done > kept, 2000)
    [record] = await engine.sweeps()
    assert len(record.points) > kept
    await engine.stop("sweep:m1")
    await until(lambda: job(engine, "sweep:m1").phase is Phase.STOPPED)
    await engine.close()


async def test_after_a_crash_the_baseline_is_back_before_any_job_starts(house: House):
    engine = house.engine()
    await engine.open()
    await asyncio.sleep(6)
    await engine.start(PLAN)
    await until(lambda: job(engine, "sweep:m1").done >= 1, 2000)
    it = house.miners["127.0.0.1:8001"]
    await until(lambda: it.mhz != 500.0)
    left_mhz, left_mv = it.mhz, it.mv
    disk = house.folder.with_name("as the crash left it")
    as_left(house.folder, disk)
    await engine.close()
    it.mhz, it.mv, house.folder = left_mhz, left_mv, disk
    assert list((house.folder / "journal").glob("*.json"))

    engine = house.engine()
    began_s = house.clock.mono()
    await engine.open()
    assert (it.mhz, it.mv) == (500.0, 1150.0)
    assert house.clock.mono() - began_s < 60
    assert not list((house.folder / "journal").glob("*.json"))
    await engine.close()


async def test_a_miner_that_is_gone_at_the_stop_is_led_back_when_it_answers(house: House):
    engine = house.engine()
    await engine.open()
    await asyncio.sleep(6)
    await engine.start(PLAN)
    it = house.miners["127.0.0.1:8001"]
    await until(lambda: it.mhz != 500.0, 2000)
    it.dead = True
    await engine.stop("sweep:m1")
    await until(lambda: job(engine, "sweep:m1").phase is Phase.RESTORING and "again" in job(engine, "sweep:m1").note)
    await asyncio.sleep(1000)
    assert job(engine, "sweep:m1").phase is Phase.RESTORING
    it.dead = False
    await until(lambda: job(engine, "sweep:m1").phase.over)
    assert (it.mhz, it.mv) == (500.0, 1150.0)
    assert job(engine, "sweep:m1").note.endswith("; later: at 500 MHz / 1150 mV, proven by two readings")
    await engine.close()


async def test_a_fault_of_a_job_is_a_sentence_and_the_miner_is_led_back(house: House, monkeypatch: pytest.MonkeyPatch):
    engine = await house.running()

    async def broken(site: object, plan: object, done: object) -> None:
        await site.send(Tune(frequency_mhz=490.0))  # type: ignore[attr-defined]
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("minertui.jobs.sweep.run", broken)
    await engine.start(PLAN)
    await until(lambda: job(engine, "sweep:m1").phase.over)
    state = job(engine, "sweep:m1")
    assert (state.phase, "ZeroDivisionError: oops" in state.note) == (Phase.FAILED, True)
    assert house.miners["127.0.0.1:8001"].mhz == 500.0
    await engine.close()


async def test_time_runs_fast_only_for_simulated_miners(tmp_path: Path):
    fast = LoopClock(speed=60)
    with pytest.raises(ConfigError, match=r"m1 at 192\.168"):
        Engine(Config(miner=(miner(address="192.168.1.5"),)), state=tmp_path, clock=fast)
    with pytest.raises(ConfigError):
        Engine(Config(miner=(miner(address="miner.local"),)), state=tmp_path, clock=fast)
    Engine(Config(miner=(miner(), miner("m2", "[::1]:80"))), state=tmp_path, clock=fast)


async def test_a_parked_miner_stays_parked_over_a_restart_until_cleared(house: House):
    engine = house.engine()
    await engine.open()
    await asyncio.sleep(6)
    engine.line("m1").park("too hot")
    await engine.close()
    engine = house.engine()
    await engine.open()
    await asyncio.sleep(6)
    assert engine.hub.fleet.snapshots["m1"].health is Health.PARKED
    await engine.clear("m1")
    cleared = engine.hub.fleet.snapshots["m1"]
    assert cleared.health is Health.OK
    await engine.close()


async def test_versions_of_two_runs_never_meet_and_watchers_end_with_the_engine(house: House):
    versions = []
    for _ in range(2):
        engine = house.engine()
        await engine.open()
        seen: list[int] = []

        async def watch(engine: Engine = engine, seen: list[int] = seen) -> None:
            messages = engine.watch()
            seen += [m.version if isinstance(m, Numbered) else m.fleet.version async for m in messages]

        watching = asyncio.create_task(watch())
        await asyncio.sleep(12)
        await engine.close()
        await asyncio.wait_for(watching, 1)
        versions.append(seen)
    assert versions[0] == sorted(versions[0])
    assert versions[0][-1] < versions[1][0]


async def test_after_settling_nothing_new_is_begun(house: House):
    engine = await house.running()
    await engine.shutdown()
    assert engine.ending.is_set()
    for refused in (engine.start(PLAN), engine.send(Order("o", "m1", Restart())), engine.commands()):
        with pytest.raises(LinkError):
            await refused
    await engine.close()


async def test_a_kind_without_a_log_says_so(house: House):
    engine = await house.running()
    with pytest.raises(Unsupported, match="log"):
        await engine.follow("m1", True)
    await engine.close()


async def test_what_the_miner_remembers_is_taken_over_at_first_contact(house: House):
    class Remembers(Miner):
        async def statistics(self) -> list[tuple[float, dict[str, float]]]:
            return [(ago, {"hashrate_ghs": 555.0}) for ago in (1800.0, 1740.0, 1680.0)]

    house.miners["127.0.0.1:8001"] = Remembers("127.0.0.1:8001")
    engine = house.engine()
    await engine.open()
    await asyncio.sleep(10)
    now_s = house.clock.wall()
    series = await engine.history("m1", ["hashrate_ghs"], now_s - 3000, now_s - 900, 30)
    assert [v for v in series.mean["hashrate_ghs"] if v is not None][:1] == [555.0]
    await engine.close()


async def test_readonly_of_the_engine_holds_for_all(house: House):
    config = Config(engine=EngineConfig(readonly=True), miner=(miner(),))
    engine = Engine(config, state=house.folder, clock=house.clock, connect=house.connect)
    await engine.open()
    assert engine.line("m1").readonly
    assert engine.hub.fleet.readonly
    await engine.close()


async def test_a_full_disk_is_in_the_notice_while_it_lasts_an_alert_and_twice_in_the_log(house: House):
    engine = await house.running()
    store = engine.records._store
    whole, store._schema = store._schema, "PRAGMA max_page_count = 1"  # refuses whatever needs room
    await store.run(lambda db: db.execute(store._schema).fetchone())
    for _ in range(3):
        with pytest.raises(StoreError, match="full"):
            await engine.records.want_rig("attic", bytes(100_000))
        await engine.records.ping()
    assert engine.hub.fleet.notice.count("full; free some space") == 1
    alert = engine.hub.fleet.alerts["disk:engine"]
    assert (alert.severity, alert.active, alert.count) == (Severity.CRITICAL, True, 1)
    assert alert.text.endswith("full; free some space or check the disk; what happens meanwhile is not kept")
    assert f"!! critical: engine: {alert.text}" in status_text(engine.hub.fleet, "")
    store._schema = whole
    await engine.records.ping()
    assert engine.hub.fleet.notice == ""
    over = engine.hub.fleet.alerts["disk:engine"]
    assert (over.active, over.text) == (False, "records.db can be written again")
    lines = [line.text for line in await engine.log("engine") if "records.db" in line.text]
    assert ["free some space" in line for line in lines] == [True, False]
    assert lines[1] == "records.db can be written again"
    await engine.close()


async def test_on_a_disk_that_takes_nothing_at_the_start_who_is_parked_stays_so(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    """And what happens is kept once it takes it again."""
    engine = await house.running()
    engine.line("m1").park("a person must look")
    await until(lambda: engine.hub.fleet.alerts["parked:m1"].active)
    await engine.close()

    async def full(_: Records) -> int:
        raise StoreError("records.db: database or disk is full; free some space or check the disk")

    monkeypatch.setattr(Records, "start", full)
    engine = await house.running()
    assert engine.hub.fleet.snapshots["m1"].health is Health.PARKED
    assert engine.hub.fleet.alerts["parked:m1"].count == 1
    await engine.acknowledge("parked:m1")
    await engine.close()
    monkeypatch.undo()
    engine = await house.running()
    assert engine.hub.fleet.alerts["parked:m1"].acknowledged
    await engine.close()


async def test_damage_at_the_start_is_in_the_notice(house: House):
    house.folder.mkdir()
    (house.folder / "history.db").write_bytes(b"no database" * 100)
    engine = house.engine()
    await engine.open()
    assert "history.db.corrupt-" in engine.hub.fleet.notice
    await engine.close()


async def test_a_journal_entry_that_cannot_be_read_is_said_everywhere_and_once(house: House):
    journal = house.folder / "journal"
    journal.mkdir(parents=True)
    (journal / "aabbcc000001.json").write_text("torn")
    engine = await house.running()
    fleet = engine.hub.fleet
    assert "aabbcc000001.json could not be understood" in fleet.notice
    assert [(a.severity, a.count) for a in fleet.alerts.values()] == [(Severity.CRITICAL, 1)]
    (journal / "aabbcc000001.json").write_text("torn while it runs")
    assert (await engine.send(Order("o1", "m1", Tune(frequency_mhz=480.0)))).outcome.ok
    await asyncio.sleep(60)
    assert engine.hub.fleet.alerts["damaged:engine"].count == 2
    assert len([line for line in await engine.log("engine") if "set aside" in line.text]) == 2
    await engine.close()


async def test_alerts_are_kept_over_a_restart_and_active_ones_are_judged_anew(house: House):
    two = (miner(), miner("m2", "127.0.0.1:8002"), miner("m3", "127.0.0.1:8003"))
    engine = house.engine(*two)
    await engine.open()
    await asyncio.sleep(6)
    for it in house.miners.values():
        it.dead = True
    await until(lambda: len(engine.hub.fleet.alerts) == 3)
    seen = await engine.acknowledge("lost:m1")
    await engine.close()

    house.miners["127.0.0.1:8002"].dead = False
    engine = house.engine(*two[:2])
    await engine.open()
    alerts = engine.hub.fleet.alerts
    assert alerts["lost:m1"] == seen
    assert not alerts["lost:m3"].active, "its miner left the config while nobody looked"
    await until(lambda: not engine.hub.fleet.alerts["lost:m2"].active)
    await asyncio.sleep(60)
    assert engine.hub.fleet.alerts["lost:m1"] == seen, "still lost, still acknowledged, still the first time"
    await engine.close()

    engine = house.engine(*two[:2])
    await engine.open()
    assert not engine.hub.fleet.alerts["lost:m2"].active
    await engine.close()


async def test_an_ended_job_is_dismissed_a_running_one_is_not(house: House):
    engine = await house.running()
    await engine.start(GuardPlan("m1"))
    with pytest.raises(JobError, match="stop it first"):
        await engine.forget("guard:m1")
    await engine.stop("guard:m1")
    await until(lambda: job(engine, "guard:m1").phase.over)
    await asyncio.sleep(1)
    await engine.forget("guard:m1")
    assert engine.hub.fleet.jobs == {}
    with pytest.raises(JobError, match="no job guard:m1"):
        await engine.forget("guard:m1")
    await engine.close()


async def test_a_demo_looks_for_miners_on_this_computer_alone(house: House, monkeypatch: pytest.MonkeyPatch):
    asked: list[object] = []

    async def discover(networks: Sequence[str], *, known: Mapping[str, str], listen: object) -> list[Found]:
        asked.append((tuple(networks), listen))
        return []

    monkeypatch.setattr(discovery, "discover", discover)
    demo = house.engine(demo=True)
    with pytest.raises(ConfigError, match="no real network"):
        await demo.discover(["127.0.0.1:8001", "192.168.1.0/24"])
    await demo.discover(["127.0.0.1:8001"])
    await house.engine().discover(["192.168.1.0/24"])
    assert asked == [(("127.0.0.1:8001",), None), (("192.168.1.0/24",), discovery.announced)]


def test_events_that_are_named_here_exist():
    assert msgspec.json.encode(DeviceRemoved("m1")) == b'{"type":"removed","device":"m1"}'


async def test_what_a_person_ordered_is_in_the_log(house: House):
    engine = await house.running()
    await engine.send(Order("o1", "m1", Tune(frequency_mhz=510.0), by="command line"))
    await engine.send(Order("o2", "m1", Tune(frequency_mhz=5000.0)))
    said = [line.text for line in await engine.log("m1")]
    assert "command line: tune: applied: frequency 500 MHz -> 510 MHz" in said
    assert "person: tune: refused: 5000 MHz is above the limit in force, 1200 MHz" in said
    await engine.close()

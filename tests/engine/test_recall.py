"""Who is parked, and which MAC each had, on a disk that does not tell at the start: nothing of it is written over."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from minertui.engine.engine import Engine
from minertui.engine.line import Identity
from minertui.engine.records import RECORDS, Records
from minertui.engine.store import StoreError
from minertui.model.commands import Order, OutcomeState, Rank, Tune
from minertui.model.fleet import Health
from tests.engine.house import House, until

pytestmark = pytest.mark.looptime

ADDRESS = "127.0.0.1:8001"
MAC = "AA:BB:CC:00:00:01"


async def parked(house: House) -> list[str]:
    """The engine that ran here parked its miner, and a person has seen it; what it kept of that."""
    engine = await house.running()
    engine.line("m1").park("a person must look")
    await until(lambda: "parked:m1" in engine.hub.fleet.alerts)
    await engine.acknowledge("parked:m1")
    await engine.close()
    return on_disk(house)


async def known(house: House, identity: Identity) -> None:
    """The engine that ran here kept this of its miner."""
    engine = await house.running()
    engine.learned("m1", identity)
    await engine.close()


def refuse(disk: pytest.MonkeyPatch, what: str = "identities") -> None:
    async def unreadable(_: Records, *__: object) -> list[object]:
        raise StoreError(f"{RECORDS}: disk I/O error; free some space or check the disk")

    disk.setattr(Records, what, unreadable)


def on_disk(house: House) -> list[str]:
    with sqlite3.connect(house.folder / RECORDS) as db:
        rows = db.execute("SELECT body FROM identity").fetchall()
    db.close()
    return [body.decode() for (body,) in rows]


async def said(engine: Engine) -> list[str]:
    return [line.text.partition(":")[0] for line in await engine.log("engine") if "miners" in line.text]


async def test_what_cannot_be_read_is_not_written_over_and_holds_as_soon_as_it_can(house: House):
    kept = await parked(house)
    with pytest.MonkeyPatch.context() as disk:
        refuse(disk)
        engine = await house.running()
        assert engine.hub.fleet.snapshots["m1"].health is Health.OK
        assert "which miners are parked cannot be read from records.db" in engine.hub.fleet.notice
        assert on_disk(house) == kept
    await until(lambda: engine.hub.fleet.snapshots["m1"].health is Health.PARKED)
    raised = Order("o1", "m1", Tune(525.0), by="sweep", rank=Rank.SWEEP)
    assert (await engine.execute(raised)).outcome.state is OutcomeState.REFUSED
    alert = engine.hub.fleet.alerts["parked:m1"]
    assert (alert.active, alert.acknowledged, alert.count) == (True, True, 1)
    assert engine.hub.fleet.notice == ""
    assert [text[:42] for text in await said(engine) if not text.startswith("started")] == [
        "which miners are parked cannot be read fro", "what was kept of the miners can be read ag",
    ]  # fmt: skip
    await engine.close()
    assert on_disk(house) == kept


async def test_alerts_that_are_read_later_cost_nobody_a_park_nor_what_was_seen(house: House):
    await parked(house)
    with pytest.MonkeyPatch.context() as disk:
        refuse(disk, "alerts")
        engine = await house.running()
        assert engine.hub.fleet.snapshots["m1"].health is Health.PARKED
        assert not engine.hub.fleet.alerts["parked:m1"].acknowledged
        assert engine.hub.fleet.notice == ""
    await until(lambda: engine.hub.fleet.alerts["parked:m1"].acknowledged)
    await engine.close()


async def test_an_engine_that_ends_before_leaves_all_as_it_was(house: House):
    kept = await parked(house)
    with pytest.MonkeyPatch.context() as disk:
        refuse(disk)
        engine = await house.running()
        await engine.clear("m1")
        await engine.close()
    assert on_disk(house) == kept


async def test_another_device_that_was_taken_for_it_meanwhile_is_a_stranger(house: House):
    await parked(house)
    house.miners[ADDRESS].mac = "AA:BB:CC:00:00:99"
    with pytest.MonkeyPatch.context() as disk:
        refuse(disk)
        engine = await house.running()
        assert engine.line("m1").expected_mac == "AA:BB:CC:00:00:99"
    await until(lambda: engine.hub.fleet.snapshots["m1"].health is Health.STRANGER)
    assert engine.line("m1").expected_mac == MAC
    await engine.close()


async def test_what_was_learned_meanwhile_is_added(house: House):
    await known(house, Identity(MAC, 2))
    with pytest.MonkeyPatch.context() as disk:
        refuse(disk)
        engine = await house.running()
        engine.learned("m1", Identity(MAC, 1, "three repairs in a day"))
        engine.learned("new", Identity("AA:BB:CC:00:00:02"))
    await until(lambda: engine.hub.fleet.snapshots["m1"].health is Health.PARKED)
    await engine.close()
    both = {"m1": Identity(MAC, 3, "three repairs in a day"), "new": Identity("AA:BB:CC:00:00:02")}
    records = Records(house.folder / RECORDS, house.clock, trouble=print, damaged=print)
    assert await records.identities() == both
    await records.close()


async def test_incidents_of_before_are_no_news(house: House):
    await known(house, Identity(MAC, 2))
    with pytest.MonkeyPatch.context() as disk:
        refuse(disk)
        engine = await house.running()
    await until(lambda: engine.hub.fleet.notice == "")
    await asyncio.sleep(12)
    assert "incident:m1" not in engine.hub.fleet.alerts
    await engine.close()


async def test_a_park_that_a_full_disk_refuses_is_kept_as_soon_as_there_is_room(house: House):
    engine = await house.running()
    with pytest.MonkeyPatch.context() as disk:
        refuse(disk, "learn")
        engine.line("m1").park("a person must look")
        await until(lambda: bool(engine.hub.fleet.notice), 30)
        said = "m1: parked, and that is not on disk yet; mend the disk before the engine ends, or set readonly = true"
        assert engine.hub.fleet.notice == said
    await until(lambda: engine.hub.fleet.notice == "", 30)
    assert len([line for line in await engine.log("engine") if "m1: parked" in line.text]) == 1
    await engine.close()
    engine = await house.running()
    assert engine.hub.fleet.snapshots["m1"].health is Health.PARKED
    await engine.close()


async def test_of_what_a_full_disk_refused_the_newest_is_kept(house: House):
    engine = await house.running()
    with pytest.MonkeyPatch.context() as disk:
        refuse(disk, "learn")
        engine.line("m1").park("a person must look")
        await until(lambda: bool(engine.hub.fleet.notice), 30)
        await engine.clear("m1")
        await until(lambda: engine.hub.fleet.notice == "", 30)
    await asyncio.sleep(12)
    await engine.close()
    assert not any("a person must look" in body for body in on_disk(house))
    engine = await house.running()
    assert engine.hub.fleet.snapshots["m1"].health is Health.OK
    await engine.close()

"""Rows that this version cannot read: of a newer one, or damaged. The engine starts, and says what it does without."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from minertui.engine.records import Records
from minertui.engine.rig_wishes import RigWish, RigWishes
from minertui.model.alerts import Alert, Severity
from minertui.model.commands import CommandRecord, Order, Outcome, OutcomeState, Pause
from minertui.model.fleet import Health
from minertui.model.plans import GuardPlan, Phase, PointVerdict, SweepPlan, SweepPoint, SweepRecord, SweepSample
from tests.engine.fakes import LoopClock
from tests.engine.house import PLAN, House, as_left, job, miner, until

pytestmark = pytest.mark.looptime

NEWER = (
    b'{"id":"m1@1","device":"m1","mac":null,"model":null,"plan":{"type":"sweep","device":"m1","novelty":1},'
    b'"phase":"running","since_s":1}'
)


def spoil(folder: Path, sql: str, *values: object) -> None:
    with sqlite3.connect(folder / "records.db") as db:
        assert db.execute(sql, values).rowcount > 0, "nothing there to spoil"
    db.close()


async def with_spoilt_identity(tmp_path: Path) -> House:
    """An engine ran here, and what it knew of its miner cannot be read."""
    house = House(tmp_path / "state")
    engine = await house.running()
    await engine.close()
    spoil(house.folder, "UPDATE identity SET body = ?", b"{")
    return house


async def crashed_in_a_sweep(house: House) -> None:
    """Its miner is away from its baseline of 500 MHz, and no engine runs."""
    engine = await house.running()
    await engine.start(PLAN)
    it = house.miners["127.0.0.1:8001"]
    await until(lambda: job(engine, "sweep:m1").done >= 1 and it.mhz != 500.0, 4000)
    left, disk = (it.mhz, it.mv), house.folder.with_name("as the crash left it")
    as_left(house.folder, disk)
    await engine.close()
    (it.mhz, it.mv), house.folder = left, disk


@pytest.mark.parametrize(
    ("sql", "body"),
    [
        ("UPDATE sweep SET body = ?", NEWER),
        ("UPDATE sweep SET body = ?", b"\x00\xff{"),
        ("UPDATE sweep SET body = ?", 7),
        ("UPDATE point SET body = ?", b'{"n":1,"mhz":500,"mv":1150,"verdict":"superb"}'),
    ],
    ids=["of a newer version", "torn", "no text", "a point of a newer version"],
)
async def test_an_unfinished_sweep_that_cannot_be_read_is_dropped_and_its_miner_led_back(
    tmp_path: Path, sql: str, body: object
):
    house = House(tmp_path / "state")
    await crashed_in_a_sweep(house)
    spoil(house.folder, sql, body)
    engine = house.engine()
    await engine.open()
    it = house.miners["127.0.0.1:8001"]
    assert (it.mhz, it.mv) == (500.0, 1150.0)
    assert not list((house.folder / "journal").glob("*.json"))
    assert "sweep:m1" not in engine.hub.fleet.jobs
    said = [line.text for line in await engine.log() if "dropped" in line.text]
    assert len(said) == 1, said
    assert said[0].startswith("m1: its unfinished sweep cannot be read by this version")
    assert said[0] in engine.hub.fleet.notice
    shown = await engine.sweeps("m1")
    assert [(sweep.phase, sweep.points) for sweep in shown] == ([(Phase.STOPPED, ())] if "point" in sql else [])
    await engine.start(PLAN)
    await engine.close()

    engine = house.engine()
    await engine.open()
    assert not [line for line in await engine.log() if "dropped" in line.text], "once, not at every start"
    assert job(engine, "sweep:m1").by == "engine", "the one that was started after it goes on"
    await engine.close()


async def test_a_dropped_sweep_is_shown_as_ended_by_a_version_that_can_read_it(tmp_path: Path):
    records, _ = await opened(tmp_path)
    await records.keep_sweep(SweepRecord("m1@1", "m1", "AA", None, SweepPlan("m1"), Phase.RUNNING, 1.0))
    await records.drop("m1@1")
    assert await records.unfinished() == ([], {})
    [shown] = await records.sweeps()
    assert (shown.phase, shown.note) == (
        Phase.STOPPED,
        "dropped: another version of this program could not read it, or another sweep began",
    )
    await records.close()


async def test_of_a_miner_whose_row_cannot_be_read_nothing_is_assumed(tmp_path: Path):
    house = await with_spoilt_identity(tmp_path)
    engine = await house.running()
    snapshot = engine.hub.fleet.snapshots["m1"]
    assert snapshot.health is Health.PARKED, "it may have been parked: a person looks"
    assert "cannot be read" in snapshot.why
    assert "m1" in engine.hub.fleet.notice
    await engine.clear("m1")
    assert engine.hub.fleet.snapshots["m1"].health is Health.OK
    await engine.close()


async def test_a_miner_that_is_parked_for_its_row_is_guarded_all_the_same(tmp_path: Path):
    house = await with_spoilt_identity(tmp_path)
    house.miners["127.0.0.1:8001"].chip_c = 66.0
    engine = house.engine(miner(guarded=True))
    await engine.open()
    await until(lambda: house.miners["127.0.0.1:8001"].mhz < 500.0, 30)
    assert engine.hub.fleet.snapshots["m1"].health is Health.PARKED
    await engine.close()


async def test_a_guard_that_cannot_be_read_is_named_and_the_others_guard(tmp_path: Path):
    house, file = House(tmp_path / "state"), tmp_path / "config.toml"
    two = (miner(), miner("m2", "127.0.0.1:8002"))
    engine = house.engine(*two, config_path=file)
    await engine.open()
    await engine.start(GuardPlan("m1"))
    await engine.start(GuardPlan("m2"))
    await engine.close()
    spoil(house.folder, "UPDATE guard SET body = ? WHERE device = 'm1'", b'{"type":"guard","device":"m1","novelty":1}')
    engine = house.engine(*two, config_path=file)
    await engine.open()
    assert set(engine.hub.fleet.jobs) == {"guard:m2"}
    assert "m1" in engine.hub.fleet.notice
    assert "guard" in engine.hub.fleet.notice
    await engine.close()


async def opened(folder: Path) -> tuple[Records, list[str]]:
    told: list[str] = []
    records = Records(folder / "records.db", LoopClock(), trouble=lambda _: None, damaged=told.append)
    await records.start()
    return records, told


async def test_the_rest_of_a_list_is_shown_and_what_is_missing_is_said_once(tmp_path: Path):
    records, told = await opened(tmp_path)
    for n in (1, 2):
        order = Order(f"o{n}", "m1", Pause())
        await records.done(CommandRecord(order, float(n), Outcome(OutcomeState.APPLIED)))
        await records.keep_alert(Alert(f"lost:m{n}", "lost", f"m{n}", Severity.WARNING, "gone", 1.0))
        await records.keep_sweep(SweepRecord(f"m1@{n}", "m1", "AA", None, SweepPlan("m1"), Phase.DONE, float(n)))
        await records.keep_sample("m1@1", SweepSample(float(n), n, 500, 1150, n, 9))
    for sql in (
        "UPDATE command SET record = ? WHERE id = 'o2'",
        "UPDATE alert SET body = ? WHERE id = 'lost:m2'",
        "UPDATE sweep SET body = ? WHERE id = 'm1@2'",
        "UPDATE sample SET body = ? WHERE n = 2",
    ):
        spoil(tmp_path, sql, b'{"of":"a newer version"}')
    for _ in range(3):
        assert [record.order.id for record in await records.commands(10)] == ["o1"]
        assert [alert.id for alert in await records.alerts()] == ["lost:m1"]
        assert [sweep.id for sweep in await records.sweeps()] == ["m1@1"]
        assert [sample.n for sample in await records.samples("m1@1")] == [1]
        assert await records.known("AA") is None
    assert len(told) == 4
    assert all("cannot be read by this version" in text and "kept" in text for text in told), told
    await records.rename("m1", "garage")
    assert [sweep.device for sweep in await records.sweeps("garage")] == ["garage"]
    before = await records.intend(Order("o2", "m1", Pause()), 5.0)
    assert before is not None
    assert before.outcome.state is OutcomeState.UNKNOWN, "an order that was met is never sent twice"
    await records.close()


async def test_one_damaged_point_costs_nobody_the_others(tmp_path: Path):
    """What only shows the sweep goes without that point, and names it; who would act upon it leaves the sweep alone."""
    told: list[str] = []
    records = Records(tmp_path / "records.db", LoopClock(), trouble=lambda _: None, damaged=told.append)
    await records.start()
    points = tuple(
        SweepPoint(n, 480.0 + 5 * n, 1150, PointVerdict.PASSED, hashrate_ghs=1000.0 + n, power_w=15.0 + n)
        for n in range(1, 5)
    )
    await records.keep_sweep(SweepRecord("m1@1", "m1", "AA", None, SweepPlan("m1"), Phase.DONE, 1.0, points=points))
    assert await records.known("AA") is not None
    spoil(tmp_path, "UPDATE point SET body = ? WHERE n IN (2, 3)", b"\x00")
    for _ in range(2):
        [sweep] = await records.sweeps("m1")
        assert sweep.points == (points[0], points[3])
    [text] = told
    assert text.startswith("records.db: points 2, 3 of the sweep m1@1 cannot be read by this version; kept there, and")
    assert await records.known("AA") is None
    assert await records.earlier("AA", "") == ()
    await records.close()


async def test_a_rig_whose_wish_cannot_be_read_is_named_and_the_others_mine(tmp_path: Path):
    records, _ = await opened(tmp_path)
    said: list[tuple[str, str]] = []
    wishes = RigWishes(records, lambda source, text: said.append((source, text)), lasting=True)
    for name in ("attic", "shed"):
        await wishes.started(RigWish(name, (), ()))
    spoil(tmp_path, "UPDATE rig SET body = ? WHERE name = 'attic'", 7)
    assert list(await wishes.kept()) == ["shed"]
    [(source, text)] = said
    assert (source, "cannot be read by this version" in text) == ("relay:attic", True)
    await records.close()


def test_what_is_called_newer_here_is_well_formed():
    assert msgspec.json.decode(NEWER)["plan"]["novelty"] == 1


async def test_nothing_is_said_where_all_can_be_read(tmp_path: Path):
    house = House(tmp_path / "state")
    engine = await house.running()
    await engine.close()
    engine = await house.running()
    assert engine.hub.fleet.notice == ""
    await engine.close()


@pytest.mark.parametrize("number", ["x", b"\xff", 2.5])
async def test_a_count_of_starts_that_cannot_be_read_keeps_no_engine_from_starting(tmp_path: Path, number: object):
    records, _ = await opened(tmp_path)
    await records.close()
    spoil(tmp_path, "UPDATE epoch SET n = ?", number)
    records, told = await opened(tmp_path)
    assert await records.identities() == {}
    assert told == []
    await records.close()

"""A job is asked for while the engine closes, or while its miner leaves the config: no miner is touched for it, and no
later engine takes it up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from minertui.config import Config
from minertui.engine.engine import Engine
from minertui.engine.store import Store, StoreError
from minertui.model.commands import Rank
from minertui.model.errors import JobError
from minertui.model.plans import GuardPlan, JobState, Limits, Phase, SweepRecord
from tests.engine.house import PLAN, House, miner, until

pytestmark = pytest.mark.looptime


def slow_disk(engine: Engine, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Keeping a sweep takes that long; one after the other, as with a real one."""
    keep: Callable[[SweepRecord], Awaitable[None]] = engine.records.begin_sweep
    turn = asyncio.Lock()

    async def slowly(record: SweepRecord) -> None:
        async with turn:
            await asyncio.sleep(seconds)
            await keep(record)

    monkeypatch.setattr(engine.records, "begin_sweep", slowly)


async def starting_slowly(
    house: House, monkeypatch: pytest.MonkeyPatch, disk_s: float
) -> tuple[Engine, asyncio.Task[JobState]]:
    """An engine, and a sweep of it that is on its way to a slow disk."""
    engine = await house.running()
    slow_disk(engine, monkeypatch, disk_s)
    starting = asyncio.create_task(engine.start(PLAN))
    await asyncio.sleep(0)
    return engine, starting


@pytest.mark.parametrize("disk_s", [0.0, 0.5, 5.0])
async def test_a_sweep_started_while_the_engine_closes_is_refused_and_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk_s: float
):
    house = House(tmp_path / "state")
    engine, starting = await starting_slowly(house, monkeypatch, disk_s)
    await engine.close()
    assert starting.done(), "the engine's end waits for what has begun"
    with pytest.raises(JobError, match="the engine is stopping"):
        await starting
    assert house.miners["127.0.0.1:8001"].tunes == []
    assert "sweep:m1" not in engine.hub.fleet.jobs

    engine = await house.running()
    assert engine.hub.fleet.jobs == {}
    [kept] = await engine.sweeps()
    assert (kept.phase, kept.note) == (Phase.STOPPED, "the engine was stopping")
    await engine.close()


async def test_a_sweep_that_goes_on_while_the_engine_closes_goes_on_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    house = House(tmp_path / "state")
    engine = await house.running()
    await engine.start(PLAN)
    await engine.close()

    engine = house.engine()
    slow_disk(engine, monkeypatch, 5.0)
    opening = asyncio.create_task(engine.open())
    while "sweep:m1" not in engine._runner._beginning:
        await asyncio.sleep(0.1)
    await engine.settle()
    await opening
    assert "sweep:m1" not in engine.hub.fleet.jobs
    await engine.close()

    engine = await house.running()
    assert engine.hub.fleet.jobs["sweep:m1"].by == "engine"
    await engine.close()


@pytest.mark.parametrize("disk_s", [0.0, 5.0])
async def test_a_sweep_started_while_its_miner_leaves_the_config_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk_s: float
):
    house = House(tmp_path / "state")
    engine, starting = await starting_slowly(house, monkeypatch, disk_s)
    await engine.reload(Config())
    assert (await starting).id == "sweep:m1"
    assert engine.hub.fleet.jobs == {}
    assert engine.arbiter._desk("m1").ends(Rank.PERSON) is None, "nobody holds a miner that comes back later"
    await asyncio.sleep(2 * disk_s)
    for _ in range(50):  # wound-on time does not wait for the disk's thread; each of these questions does
        if not (kept := (await engine.records.unfinished())[0]):
            break
        await asyncio.sleep(disk_s)
    assert kept == []
    await engine.close()


async def test_who_asked_for_a_sweep_and_went_away_leaves_no_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A client that hangs up while it is kept: it runs, where everybody sees it, and not only after the next start."""
    engine, starting = await starting_slowly(House(tmp_path / "state"), monkeypatch, 5.0)
    await asyncio.sleep(1)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    with pytest.raises(JobError, match="a sweep runs on m1 already"):
        await engine.start(PLAN)
    await until(lambda: "sweep:m1" in engine.hub.fleet.jobs, 4000)
    await engine.stop("sweep:m1")
    await until(lambda: engine.hub.fleet.jobs["sweep:m1"].phase is Phase.STOPPED, 4000)
    await engine.close()
    assert engine._runner._beginning == {}


async def test_a_limit_that_is_lowered_meanwhile_waits_for_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Done now it would be a person's order to the miner of a sweep that begins, and end it."""
    house = House(tmp_path / "state")
    engine, starting = await starting_slowly(house, monkeypatch, 60.0)
    await engine.reload(Config(miner=(miner(limits=Limits(max_mhz=450)),)))
    await asyncio.sleep(30)
    assert not starting.done()
    assert house.miners["127.0.0.1:8001"].mhz == 500.0
    await starting
    await engine.stop("sweep:m1")
    await until(lambda: engine.hub.fleet.jobs["sweep:m1"].phase.over, 4000)
    await until(lambda: house.miners["127.0.0.1:8001"].mhz == 450.0, 4000)
    await engine.close()


async def test_nothing_is_started_on_a_miner_that_leaves(tmp_path: Path):
    """It does not answer when its sweep leads it back; a guard of then would watch a closed line for ever."""
    house = House(tmp_path / "state")
    engine = await house.running()
    board = house.miners["127.0.0.1:8001"]
    await engine.start(PLAN)
    await until(lambda: bool(board.tunes))
    board.dead = True
    leaving = asyncio.create_task(engine.reload(Config()))
    await asyncio.sleep(5)
    assert not leaving.done()
    with pytest.raises(JobError, match="m1: it leaves the config"):
        await engine.start(GuardPlan("m1"))
    await leaving
    await engine.reload(Config(miner=(miner(),)))
    await engine.start(GuardPlan("m1"))
    await engine.close()


async def test_a_closed_store_says_so_and_keeps_nobody_waiting(tmp_path: Path):
    store = Store(
        tmp_path / "x.db", "", durable=False, stamp=lambda: 0.0, trouble=lambda _: None, damaged=lambda _: None
    )
    await store.ping()
    await store.close()
    with pytest.raises(StoreError, match=r"x\.db is closed"):
        await asyncio.wait_for(store.run(lambda db: None), 5)

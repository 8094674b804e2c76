"""What the database of telemetry cannot give, or take, costs that piece alone."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from minertui.engine.history import History
from minertui.engine.store import Store
from minertui.model.errors import MinertuiError
from minertui.wire import axeos as wire
from tests.engine.fakes import START_S, status
from tests.engine.house import House
from tests.engine.test_history import Wall, ask, fill, opened
from tests.engine.test_store import Said, count, put, store_at

pytestmark = pytest.mark.looptime


def spoil(file: Path, table: str, value: object) -> None:
    with sqlite3.connect(file) as db:
        found = db.execute(f"UPDATE {table} SET data = ? WHERE at = (SELECT max(at) - 600 FROM {table})", (value,))
        assert found.rowcount > 0, "nothing there to spoil"
    db.close()


async def kept(folder: Path, clock: Wall) -> History:
    """Two hours are in it."""
    history = await opened(folder, clock)
    await fill(history, clock, 7200)
    await history.close()
    return await opened(folder, clock)


@pytest.mark.parametrize("value", [b"\x00\xff{", b"", 7, None, "text"], ids=repr)
@pytest.mark.parametrize("table", ["minute", "raw"])
async def test_one_damaged_row_costs_its_own_minute_alone(tmp_path: Path, table: str, value: object):
    clock = Wall()
    history = await kept(tmp_path, clock)
    if value is None and table == "raw":
        value = b"x\x9c"
    spoil(tmp_path / "h.db", table, 0.5 if value is None else value)
    assert len((await history.recent_ghs())["m1"]) >= 58
    await history._tend()
    with sqlite3.connect(tmp_path / "h.db") as db:
        assert db.execute("SELECT count(*) FROM quarter").fetchone()[0] > 0, "quarter-hours are made all the same"
    for hours, points in ((2, 60), (0.9, 600)):
        drawn = (await history.series(ask(clock.now_s - hours * 3600, clock.now_s, points))).mean["hashrate_ghs"]
        assert sum(mean == 1000.0 for mean in drawn) > 30
    clock.now_s -= 600  # the host's clock is set back into that minute
    await fill(history, clock, 120)
    await history.close()


async def test_an_engine_starts_where_a_row_of_its_history_is_damaged(tmp_path: Path):
    house = House(tmp_path / "state")
    house.folder.mkdir()
    clock = Wall()
    history = History(house.folder / "history.db", clock, trouble=lambda _: None, damaged=lambda _: None)
    await history.start()
    clock.now_s = START_S - 3000
    await fill(history, clock, 2400)
    await history.close()
    spoil(house.folder / "history.db", "minute", b"\x00")
    engine = await house.running()
    assert engine.hub.fleet.snapshots["m1"].status is not None
    await engine.close()


async def test_a_miner_whose_own_history_tells_a_time_that_cannot_be_costs_nobody_a_minute(tmp_path: Path):
    told = wire.parse_statistics(
        b'{"labels":["timestamp","power"],"currentTimestamp":1e29,"statistics":[[5,17.0],[999e26,16.0]]}'
    )
    clock = Wall()
    history = await opened(tmp_path, clock)
    for _ in range(24):
        history.add("m2", clock.now_s, status(uptime_s=None))
        clock.now_s += 5
    filled, _ = await asyncio.gather(history.backfill("m1", told), history.write())
    assert filled == 0
    await history.close()
    with sqlite3.connect(tmp_path / "h.db") as db:
        assert db.execute("SELECT sum(n) FROM minute").fetchone()[0] == 24


@pytest.mark.parametrize("since_s", [1e19, -1e19, 1e300])
async def test_a_time_that_no_clock_shows_is_refused_beforehand(since_s: float):
    with pytest.raises(MinertuiError, match=r"no time that a clock shows|before it ends"):
        ask(since_s, since_s + 8192).sound()


async def test_a_fault_in_one_piece_of_work_undoes_only_that_and_holds_no_lock(tmp_path: Path):
    store: Store = store_at(tmp_path / "x.db", said := Said())
    await put(store, 1)

    def broken(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO t VALUES (7, NULL)")
        for (n,) in db.execute("SELECT n FROM t"):
            raise LookupError(n)

    results = await asyncio.gather(put(store, 2), store.run(broken), put(store, 3), return_exceptions=True)
    assert isinstance(results[1], LookupError)
    assert (results[0], results[2]) == (1, 1)
    other = store_at(tmp_path / "x.db", said)
    assert await put(other, 4) == 1
    await other.close()
    await store.close()
    assert (count(tmp_path / "x.db"), said.trouble) == (4, [])

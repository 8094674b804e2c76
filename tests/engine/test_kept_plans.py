"""A plan that is kept outlives the version that wrote it, and its defaults."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from minertui.model.plans import GuardPlan, PointVerdict, Strategy, SweepPlan, SweepPoint, SweepView
from tests.engine.house import PLAN, House
from tests.engine.test_records import SWEEP, opened, point


async def test_a_plan_is_kept_in_full_so_that_other_defaults_do_not_change_it(tmp_path: Path):
    records, _ = await opened(tmp_path)
    await records.keep_sweep(SWEEP)
    await records.want_guard(GuardPlan("m1"))
    await records.close()
    with sqlite3.connect(tmp_path / "r.db") as db:
        [(swept,)], [(guarded,)] = (db.execute(f"SELECT body FROM {t}").fetchall() for t in ("sweep", "guard"))
    db.close()
    assert set(msgspec.json.decode(swept)["plan"]) == {"type", *SweepPlan.__struct_fields__}
    assert set(msgspec.json.decode(guarded)) == {"type", *GuardPlan.__struct_fields__}


OLD = (
    b'{"id":"m1@1","device":"m1","mac":null,"model":null,"plan":{"type":"sweep","device":"m1"},'
    b'"phase":"running","since_s":1}'
)


@pytest.mark.parametrize(("why", "strategy"), [("", Strategy.GRID), ("as fast as it goes", Strategy.ADAPTIVE)])
async def test_a_plan_kept_without_its_strategy_goes_on_as_its_points_were_measured(
    tmp_path: Path, why: str, strategy: Strategy
):
    records, _ = await opened(tmp_path)
    await records.keep_sweep(msgspec.structs.replace(SWEEP, points=(msgspec.structs.replace(point(1), why=why),)))
    await records.close()
    with sqlite3.connect(tmp_path / "r.db") as db:
        db.execute("UPDATE sweep SET body = ?", (OLD,))
    db.close()
    records, _ = await opened(tmp_path)
    [kept], _ = await records.unfinished()
    assert kept.plan == SweepPlan("m1", strategy=strategy)
    await records.close()


@pytest.mark.looptime
async def test_a_point_that_is_kept_again_takes_its_own_place(tmp_path: Path):
    """What came after a soak may tell more of it; nothing else that was kept is lost for that."""
    engine = await House(tmp_path).running()
    view = (await engine.start(PLAN)).view
    assert isinstance(view, SweepView)
    first, second = (SweepPoint(n, 500, 1150, PointVerdict.PASSED, samples=48) for n in (101, 102))
    more = msgspec.structs.replace(first, likely_ghs=1000.0)
    for again in (first, second, more):
        await engine.keep(view.sweep_id, again)
    for known in (engine._runner.book._records[view.sweep_id], *await engine.sweeps()):
        assert [point for point in known.points if point.n > 100] == [more, second]
    await engine.close()

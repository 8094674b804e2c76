"""Whoever asks for the engine's end while it ends waits for the same end; and a config that changes then."""

from __future__ import annotations

import asyncio

import pytest

from minertui.config import Config
from minertui.model.errors import LinkError
from tests.engine.house import PLAN, House, miner, until

pytestmark = pytest.mark.looptime


async def test_a_stop_through_the_api_is_waited_for_by_the_engine_that_it_ends(house: House):
    engine = await house.running()
    miner = house.miners["127.0.0.1:8001"]
    await engine.start(PLAN)
    await until(lambda: (miner.mhz, miner.mv) != (500.0, 1150.0))
    asked = asyncio.create_task(engine.shutdown())
    await engine.ending.wait()
    await engine.close()
    await asked
    assert (miner.mhz, miner.mv) == (500.0, 1150.0)
    assert not list((house.folder / "journal").glob("*.json"))


async def test_a_miner_that_is_leaving_then_leaves_in_order_and_none_comes_any_more(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    engine = await house.running()
    release = engine._followed.release

    async def slowly(name: str) -> None:
        await asyncio.sleep(3)
        await release(name)

    monkeypatch.setattr(engine._followed, "release", slowly)
    leaving = asyncio.create_task(engine.reload(Config(miner=(miner("m2", "127.0.0.1:8002"),))))
    await asyncio.sleep(1)
    await engine.close()
    await leaving
    with pytest.raises(LinkError, match="going down"):
        await engine.reload(Config(miner=(miner("m3", "127.0.0.1:8003"),)))
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("poll ")] == []
    assert [it.closed for it in house.miners.values()] == [1, 1]

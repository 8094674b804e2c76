"""A disk that stands still holds an order up before it is sent; what it was for may be over by then."""

from __future__ import annotations

import asyncio

import pytest

from minertui.config import Config
from minertui.model.commands import CommandRecord, Order, Tune
from tests.engine.house import PLAN, House, Miner, miner, until

pytestmark = pytest.mark.looptime


async def test_an_order_of_a_sweep_whose_miner_left_meanwhile_is_not_sent_any_more(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    engine = await house.running()
    moved = house.miners["127.0.0.1:8009"] = Miner("127.0.0.1:8009")
    moved.mac = house.miners["127.0.0.1:8001"].mac
    writes, real, waiting = asyncio.Event(), engine.records.intend, list[Order]()

    async def intend(order: Order, at_s: float) -> CommandRecord | None:
        if isinstance(order.command, Tune) and (order.command.frequency_mhz or 0) > 500:
            waiting.append(order)
            await writes.wait()
        return await real(order, at_s)

    monkeypatch.setattr(engine.records, "intend", intend)
    await engine.start(PLAN)
    await until(lambda: bool(waiting), 2000)
    await engine.reload(Config(miner=(miner("m1", "127.0.0.1:8009"),)))
    await asyncio.sleep(20)
    writes.set()
    await asyncio.sleep(60)
    assert engine.line("m1").snapshot().status is not None
    assert moved.tunes == []
    await engine.close()


async def test_who_asked_twice_and_gave_up_once_gets_the_answer(house: House, monkeypatch: pytest.MonkeyPatch):
    """A client whose connection broke asks again with the same id, before the disk has answered."""
    engine = await house.running()
    it, writes, real = house.miners["127.0.0.1:8001"], asyncio.Event(), engine.records.intend

    async def intend(order: Order, at_s: float) -> CommandRecord | None:
        await writes.wait()
        return await real(order, at_s)

    monkeypatch.setattr(engine.records, "intend", intend)
    first, again = (asyncio.create_task(engine.send(Order("o1", "m1", Tune(475.0)))) for _ in range(2))
    await asyncio.sleep(5)
    first.cancel()
    await asyncio.sleep(5)
    writes.set()
    assert (await again).outcome.ok
    assert it.mhz == 475.0
    assert not engine._orders._asking
    await engine.close()

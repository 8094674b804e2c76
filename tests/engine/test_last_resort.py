"""What the last resort lowered for heat stays lowered: nothing of it is given back, by nobody and at no start."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from minertui.engine.journal import FOLDER
from minertui.model.commands import Order, Tune
from tests.engine.house import House, Miner, until

pytestmark = pytest.mark.looptime

RAISED, OWN = 600.0, 500.0


async def raised_and_hot(house: House) -> Miner:
    """A miner that a person raised, that got too hot for it, and that the engine lowered by one step before it left."""
    it = house.miners["127.0.0.1:8001"] = Miner("127.0.0.1:8001")
    engine = await house.running()
    assert (await engine.send(Order("o1", "m1", Tune(RAISED)))).outcome.ok
    it.chip_c = 71.0
    await until(lambda: it.mhz < RAISED, 60)
    it.chip_c = 60.0
    await asyncio.sleep(60)
    assert OWN < it.mhz < RAISED
    assert [r.order.by for r in await engine.commands() if r.order.by == "last resort"]
    await engine.close()
    return it


async def test_the_next_start_does_not_raise_it_again(tmp_path: Path):
    house = House(tmp_path / "state")
    it = await raised_and_hot(house)
    lowered = it.mhz
    engine = await house.running()
    await asyncio.sleep(120)
    assert it.mhz == lowered
    assert not list((house.folder / FOLDER).glob("*.json"))
    await engine.close()

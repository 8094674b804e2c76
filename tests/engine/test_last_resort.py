"""What the last resort lowered for heat stays lowered: nothing of it is given back, by nobody and at no start."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
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


@pytest.mark.parametrize(("sensor", "shown"), [("chip_temp_c", None), ("vr_temp_c", -1.0)])
async def test_a_raised_miner_whose_sensor_fails_is_lowered_to_where_it_was(
    house: House, sensor: str, shown: float | None
):
    it = house.miners["127.0.0.1:8001"] = Miner("127.0.0.1:8001")
    engine = await house.running()
    real = it.read

    async def dark():
        return msgspec.structs.replace(await real(), **{sensor: shown})

    it.read = dark  # type: ignore[method-assign]
    await asyncio.sleep(60)
    assert it.tunes == []  # nobody raised it: what it runs is its owner's
    it.read = real  # type: ignore[method-assign]
    await asyncio.sleep(10)
    assert (await engine.send(Order("o1", "m1", Tune(RAISED)))).outcome.ok
    it.read = dark  # type: ignore[method-assign]
    await until(lambda: it.mhz == OWN, 120)
    await asyncio.sleep(300)
    assert it.mhz == OWN
    (alert,) = [a for a in engine.hub.fleet.alerts.values() if a.rule == "last-resort"]
    assert "counts as hot" in alert.text
    await engine.close()


async def test_the_next_start_does_not_raise_it_again(tmp_path: Path):
    house = House(tmp_path / "state")
    it = await raised_and_hot(house)
    lowered = it.mhz
    engine = await house.running()
    await asyncio.sleep(120)
    assert it.mhz == lowered
    assert not list((house.folder / FOLDER).glob("*.json"))
    await engine.close()

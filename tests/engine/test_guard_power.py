"""A guard keeps the power limit of the config through the whole engine, and what it took is not given back over it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from minertui.config import Config
from minertui.engine.engine import Engine
from minertui.model.plans import GuardPlan, GuardView, Limits, Phase
from minertui.model.status import MinerStatus
from tests.engine.house import House, Miner, job, miner, until

pytestmark = pytest.mark.looptime

GUARDED = miner(guarded=True, guard=GuardPlan(stable_s=60))
YOURS = replace(GUARDED, limits=Limits(max_power_w=36))


class Drawing(Miner):
    """It draws 38 W at 500 MHz and 1150 mV."""

    async def read(self) -> MinerStatus:
        status = await super().read()
        return replace(status, power_w=(status.power_w or 0) * 38 / 17 * self.mhz / 500 * (self.mv / 1150) ** 2)


def drawing(folder: Path) -> tuple[House, Drawing]:
    house, it = House(folder), Drawing("127.0.0.1:8001")
    house.miners[it.address] = it
    return house, it


async def opened(house: House, config: object) -> Engine:
    engine = house.engine(config)  # type: ignore[arg-type]
    await engine.open()
    await asyncio.sleep(20)
    return engine


async def test_a_limit_that_you_lower_is_kept_and_the_guard_says_why(tmp_path: Path):
    house, it = drawing(tmp_path / "state")
    engine = await opened(house, GUARDED)
    assert it.mhz == 500, "38 W of the 40 W that it is built for"
    await engine.reload(Config(miner=(YOURS,)))
    await asyncio.sleep(20)
    assert it.mhz == 450
    assert any(
        line.text.startswith("power 38") and line.text.endswith("W is above 36 W: down to 450 MHz")
        for line in await engine.log("guard:m1")
    )
    await asyncio.sleep(1800)
    view = job(engine, "guard:m1").view
    assert isinstance(view, GuardView)
    assert (it.mhz, view.writes_today) == (450, 1)
    assert "would come to its limit of 36 W" in view.why
    await engine.close()


async def test_what_is_given_back_ends_at_the_limit(tmp_path: Path):
    house, it = drawing(tmp_path / "state")
    engine = await opened(house, YOURS)
    assert it.mhz == 450, "a number of yours counts from the start"
    await engine.stop("guard:m1")
    await until(lambda: job(engine, "guard:m1").phase is Phase.STOPPED, 120)
    assert it.mhz in (450, 455)
    assert job(engine, "guard:m1").note == ""
    await asyncio.sleep(60)
    assert it.mhz in (450, 455)
    assert not [r for r in await engine.commands() if r.order.by == "last resort"]
    await engine.close()

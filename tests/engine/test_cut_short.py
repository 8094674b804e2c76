"""A higher rank cuts an order short while its last write still takes effect. A clock goes down by 62.5 MHz a second,
so whoever comes next does not take the voltage away from under it; what only brings the clock down does not wait."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from minertui.engine.arbiter import Arbiter
from minertui.model.commands import Command, Rank, Tune
from minertui.model.errors import Preempted
from minertui.model.status import MinerStatus
from tests.engine.bench import SWEEP, Bench
from tests.engine.hardware import FakeMiner, line, need_mv

pytestmark = pytest.mark.looptime

GUARD = "guard:garage"
MHZ_PER_S = 62.5


class Ramping(FakeMiner):
    """Its clock needs time. ``low`` is judged by the clock that it really has when a voltage arrives; ``tells``: it
    reports that clock (AxeOS from 2.14)."""

    def __init__(self, *, tells: bool) -> None:
        super().__init__()
        self.tells, self._from_mhz, self._since_s = tells, self.status.frequency_mhz or 0.0, 0.0

    @property
    def clock_mhz(self) -> float:
        to = self.status.frequency_mhz or 0.0
        way = MHZ_PER_S * (asyncio.get_running_loop().time() - self._since_s)
        return max(to, self._from_mhz - way) if to < self._from_mhz else min(to, self._from_mhz + way)

    async def read(self) -> MinerStatus:
        self.set(actual_mhz=self.clock_mhz if self.tells else None)
        return await super().read()

    def _take(self, command: Command) -> None:
        if isinstance(command, Tune) and command.frequency_mhz is not None:
            self._from_mhz, self._since_s = self.clock_mhz, asyncio.get_running_loop().time()
        self.lag = True
        super()._take(command)
        if isinstance(command, Tune) and command.core_mv is not None:
            self.set(core_actual_mv=command.core_mv)

    def _check(self) -> None:
        mhz, mv = self.clock_mhz, self.status.core_mv or 0
        if mv < need_mv(mhz) - 0.5:
            self.low.append(f"{mv:g} mV at {mhz:g} MHz")


@pytest.fixture(params=[True, False], ids=["tells its clock", "does not"])
def ramping(tmp_path: Path, request: pytest.FixtureRequest) -> Bench:
    bench = Bench(tmp_path / "journal")
    bench.miner = Ramping(tells=request.param)
    bench.line = line(bench.miner, bench.clock)
    bench.arbiter = Arbiter(bench.clock, bench.journal, {"garage": bench.line}.__getitem__)
    bench.arbiter.claim("garage", Rank.SWEEP, SWEEP)
    return bench


@pytest.mark.parametrize("then", [Tune(450, 1000), Tune(440, 1000)], ids=["same clock", "lower"])
async def test_a_voltage_waits_for_the_clock_of_the_order_before(ramping: Bench, then: Tune):
    assert (await ramping.do(Tune(650, 1230))).ok
    down = asyncio.create_task(ramping.do(Tune(450)))
    await asyncio.sleep(0.1)
    assert (await ramping.do(then, Rank.SAFETY, GUARD)).ok
    with pytest.raises(Preempted):
        await down
    assert ramping.at == (then.frequency_mhz, 1000)
    assert ramping.miner.low == []


async def test_a_clock_that_goes_down_does_not_wait(ramping: Bench):
    assert (await ramping.do(Tune(650, 1230))).ok
    up = asyncio.create_task(ramping.do(Tune(650, 1255)))
    await asyncio.sleep(0.1)
    begun_s = ramping.clock.boot()
    stop = asyncio.create_task(ramping.do(Tune(500), Rank.SAFETY, GUARD))
    while ramping.miner.writes[-1] != Tune(500):
        await asyncio.sleep(0.05)
    assert ramping.clock.boot() - begun_s < 1.0
    assert (await stop).ok
    with pytest.raises(Preempted):
        await up


async def test_who_waits_gives_way_too(ramping: Bench):
    assert (await ramping.do(Tune(650, 1230))).ok
    down = asyncio.create_task(ramping.do(Tune(450)))
    await asyncio.sleep(0.1)
    by_hand = asyncio.create_task(ramping.person(Tune(450, 1000)))
    await asyncio.sleep(1.0)
    assert (await ramping.do(Tune(400), Rank.SAFETY, GUARD)).ok
    for task in (down, by_hand):
        with pytest.raises(Preempted):
            await task
    assert Tune(core_mv=1000) not in ramping.miner.writes
